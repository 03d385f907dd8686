"""Registration and login (SPEC 6)."""

import re
import unicodedata
from dataclasses import dataclass

import opaque
from crypto import (
    Refused,
    argon2id,
    draw,
    hkdf,
    hmac_sha256,
    labelled_hash,
    modulus_of,
    new_rsa_key,
    oaep_open_32,
    pss_sign,
    sha256,
)
from weak_keys import key_problem

NO_FACTOR, GRANT = 0, 3
WHITE_SPACE = re.compile("[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")


class Denied(Exception):
    """An answer with status 2: `code`, and `wait` in seconds."""

    def __init__(self, answer):
        super().__init__(f"{answer.name} {answer.status}/{answer.code}")
        self.answer, self.status, self.code, self.wait = answer, answer.status, answer.code, answer["wait"]


@dataclass
class Account:
    """What a device keeps of its account (6.7: a real client keeps it sealed on its disk)."""

    name: str
    password: str
    words: str
    enc: object
    sig: object
    salt2: bytes
    uid: bytes = b""

    @property
    def moduli(self):
        return modulus_of(self.enc), modulus_of(self.sig)


def fingerprint(enc, sig):
    """7.2"""
    return labelled_hash(b"fingerprint", enc, sig)


def canonical_words(typed):
    """6.6: what is white space is listed there."""
    words = WHITE_SPACE.sub(" ", unicodedata.normalize("NFKC", typed).lower()).strip(" ")
    if not words:
        raise ValueError("no words")
    return words


def words_proof(export_key, words, salt2):
    """6.6"""
    return hkdf(export_key, argon2id(canonical_words(words).encode(), salt2), b"words")


def _counted(name):
    return bytes([len(name)]) + name.encode("ascii")


def _expect(answer, status, code):
    if answer.name == "answer" and answer.status == 2:
        raise Denied(answer)
    if (answer.status, answer.code) != (status, code):
        raise Refused("status")
    return answer


def possession(account, p, th2, record):
    """6.3: gives (mac, signature)."""
    moduli = b"".join(account.moduli)
    return hmac_sha256(p, th2 + record), pss_sign(account.sig, b"keys", th2 + _counted(account.name) + moduli)


def register(connection, name, password, words):
    """6.2: makes the account; Denied where the daemon does not."""
    account = Account(name, password, words, new_rsa_key(), new_rsa_key(), draw(16))
    secret = opaque.password_bytes(password)
    blinding, request = opaque.blind(secret)
    enc, sig = account.moduli
    if key_problem(enc, sig):
        raise Refused("keys")
    _, answer = connection.call("crea1", {"name": name, "enc": enc, "sig": sig, "opaque": request, "invitation": b""})
    _expect(answer, 1, 101)
    p = oaep_open_32(account.enc, b"pop", answer["block"])
    record, export_key = opaque.finish_registration(secret, blinding, answer["opaque"])
    mac, signature = possession(account, p, connection.th2, record)
    words_hash = sha256(words_proof(export_key, words, account.salt2))
    proofs = {"mac": mac, "signature": signature, "record": record, "words": words_hash, "fullName": b"", "email": b""}
    _expect(connection.call("crea2", proofs)[1], 3, 200)
    account.uid = answer["uid"]
    return account


@dataclass
class Session:
    """What `passAnswer` gives: the grant and when the session ends."""

    grant: bytes
    ends: int


def log_in(connection, account, grant=None):
    """6.5: logs in and switches the connection to ck3; Denied where the daemon does not."""
    secret = opaque.password_bytes(account.password)
    state = opaque.start_login(secret)
    ke1 = opaque.ke1_of(state)
    signature = pss_sign(account.sig, b"login", connection.th2 + _counted(account.name) + ke1)
    first, answer1 = connection.call("auth1", {"name": account.name, "signature": signature, "ke1": ke1})
    _expect(answer1, 1, 101)
    try:
        ke3, session_key, export_key = opaque.answer_login(secret, state, answer1["ke2"])
    except ValueError:
        ke3 = draw(64)  # 6.5: all the same
    second, answer2 = connection.call("auth2", {"ke3": ke3})
    _expect(answer2, 1, 102)
    s2 = oaep_open_32(account.enc, b"s2", answer1["block"])
    proof = words_proof(export_key, account.words, account.salt2)
    factor = {"factor": NO_FACTOR if grant is None else GRANT, "code": grant or b""}
    third, answer3 = connection.call("pass", {"words": proof, **factor})
    _expect(answer3, 3, 200)
    th3 = sha256(connection.th2, first, answer1.raw, second, answer2.raw, third, answer3.raw)
    ck3 = hkdf(s2 + session_key, connection.ck2, b"ck3" + th3)
    connection.switch(ck3, th3, account.enc, answer1["block"])
    return Session(answer3["grant"], answer3["ends"])
