"""Checks protocol/vectors/ against protocol/SPEC.md without the project's code: its own structs, RFC 5869, 9807, FIPS 203.

Usage: python3 check_vectors.py PROTOCOL_FOLDER. Prints one line for each file; exits 1 where one differs.
Needs the packages `cryptography` and `argon2`.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys
import unicodedata

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import check_mlkem
import check_opaque
import check_rooms
import check_wire
from check_crypto import (
    LABEL,
    Refused,
    hkdf,
    oaep_open,
    private_key,
    pss_verify,
    raw,
    same,
    sha256,
    unseal,
    x25519_public,
    x25519_shared,
)
from weak_keys import key_problem


def check_struct(vector, spec):
    struct = spec.structs[vector["struct"]]
    data = bytes.fromhex(vector["bytes"])
    problem = check_wire.struct_problem(struct, data)
    if problem:
        raise Refused(problem)
    same("encoding", check_wire.encode_struct(struct, vector["header"], vector["values"]), vector["bytes"])


def first_keys(vector):
    network_key, modulus = raw(vector["network"], "networkKey", "serverModulus")
    binding = vector["binding"]
    th0 = sha256(b"cadenas/1", bytes([binding["transport"]]), sha256(modulus), bytes.fromhex(binding["exporter"]))
    return th0, hkdf(network_key, th0, b"ck0")


def open_hello(vector, spec, now):
    """SPEC 4.4, without the record of replays."""
    hello = bytes.fromhex(vector["hello"])
    th0, ck0 = first_keys(vector)
    cr = hello[:32]
    plain = unseal(hkdf(ck0, cr, b"hello outer", 16), cr, hello[32:], "outer")
    time, b1 = int.from_bytes(plain[:8], "big"), plain[8:264]
    if abs(time - now) > 120_000:
        raise Refused("time")
    s1 = oaep_open(private_key(vector["network"]["serverPrivate"]), b"s1", b1)
    struct = unseal(hkdf(s1, cr, b"hello inner", 16), cr + plain[:264], plain[264:], "inner")
    if check_wire.struct_problem(spec.structs["helo"], struct):
        raise Refused("struct")
    th1 = sha256(th0, hello)
    return {"s1": s1, "b1": b1, "struct": struct, "th0": th0, "ck0": ck0, "th1": th1, "ck1": hkdf(s1, ck0, b"ck1" + th1)}


def open_ack(opened, ack, spec):
    sr, th1 = ack[:32], opened["th1"]
    struct = unseal(hkdf(opened["ck1"], sr, b"ack", 16), sr + th1, ack[32:], "seal")
    same("ACK's soundness", check_wire.struct_problem(spec.structs["ack"], struct), None)
    return struct


def field_of(spec, name, struct, field):
    layout = spec.structs[name]
    at = 33 if layout.sender == "daemon" else 30
    for one in layout.fields:
        if one["name"] == field:
            return struct[at : at + one["length"]]
        at += one["length"]
    raise KeyError(field)


def check_recorded(spec, layout, struct, frame, side, random_name, numbers, byte_strings):
    """What one side drew and said is what its struct and frame hold."""
    same("random", frame[:32], side[random_name])
    same("time", int.from_bytes(struct[22:30], "big"), side["now"])
    for name in numbers:
        same(name, int.from_bytes(field_of(spec, layout, struct, name), "big"), side[name])
    for name in byte_strings:
        same(name, field_of(spec, layout, struct, name), side[name])
    public = x25519_public(bytes.fromhex(side["x25519Private"]))
    same("X25519 share", field_of(spec, layout, struct, "x25519"), public.hex())


def check_handshake(vector, spec):
    client, daemon, keys = vector["client"], vector["daemon"], vector["keys"]
    opened = open_hello(vector, spec, daemon["now"])
    hello, ack = raw(vector, "hello", "ack")
    check_recorded(spec, "helo", opened["struct"], hello, client, "cr", ["build"], ["software", "table"])
    same("frame id", opened["struct"][6:22], client["frameId"])
    same("outer key", hkdf(opened["ck0"], hello[:32], b"hello outer", 16), keys["helloOuter"])
    same("inner key", hkdf(opened["s1"], hello[:32], b"hello inner", 16), keys["helloInner"])
    same("ACK key", hkdf(opened["ck1"], ack[:32], b"ack", 16), keys["ackKey"])
    same("s1", opened["s1"], client["s1"])
    for name in ("th0", "ck0", "th1", "ck1"):
        same(name, opened[name], keys[name])
    ek, dk = check_mlkem.key_pair(bytes.fromhex(client["mlkemSeed"]))
    same("ML-KEM key", ek, field_of(spec, "helo", opened["struct"], "mlkem").hex())
    struct = open_ack(opened, ack, spec)
    check_recorded(spec, "ack", struct, ack, daemon, "sr", ["window"], ["challenge", "session"])
    same("status and code", struct[30:33].hex(), "0300c8")
    same("frame id of the ACK", struct[6:22], client["frameId"])
    kem, ciphertext = check_mlkem.encapsulate(ek, bytes.fromhex(daemon["mlkemMessage"]))
    same("ML-KEM ciphertext", ciphertext, field_of(spec, "ack", struct, "mlkem").hex())
    same("ML-KEM secret", check_mlkem.decapsulate(dk, ciphertext), keys["mlkemShared"])
    same("ML-KEM secrets", kem, keys["mlkemShared"])
    shared = x25519_shared(bytes.fromhex(client["x25519Private"]), field_of(spec, "ack", struct, "x25519"))
    same("X25519 secret", shared, keys["x25519Shared"])
    th2 = sha256(opened["th1"], ack)
    ck2 = hkdf(shared + kem, opened["ck1"], b"ck2" + th2)
    same("th2", th2, keys["th2"])
    same("ck2", ck2, keys["ck2"])
    for direction in ("c2s", "s2c"):
        same("outer keys", hkdf(ck2, th2, direction.encode() + b" outer", 32), keys[direction + "Outer"])
        same("inner keys", hkdf(ck2, th2, direction.encode() + b" inner", 28), keys[direction + "Inner"])


def check_hello(vector, spec):
    struct = open_hello(vector, spec, vector["now"])["struct"]
    x25519_shared(bytes(range(32)), field_of(spec, "helo", struct, "x25519"))
    if not check_mlkem.is_key(field_of(spec, "helo", struct, "mlkem")):
        raise Refused("agreement")


def check_ack(vector, spec):
    opened = open_hello(vector, spec, vector["client"]["now"])
    struct = open_ack(opened, bytes.fromhex(vector["ack"]), spec)
    if struct[30] == 2 and struct[31:33] == (426).to_bytes(2, "big"):
        raise Refused("upgrade")


class Direction:
    """One direction of a connection, receiving: outer keystream, inner sequence, expected slot."""

    def __init__(self, name, ck2, th2, slot):
        outer = hkdf(ck2, th2, name + b" outer", 32)
        self.name = name
        self.stream = Cipher(algorithms.AES(outer[:16]), modes.CTR(outer[16:])).encryptor()
        self.switch(ck2, th2, slot)

    def switch(self, ck, th, slot):
        self.keys, self.sequence, self.slot = hkdf(ck, th, self.name + b" inner", 28), 0, slot

    def open(self, frame):
        clear = self.stream.update(frame)
        if clear[:256] != self.slot:
            raise Refused("slot")
        number = int.from_bytes(self.keys[16:], "big") ^ self.sequence
        self.sequence += 1
        return unseal(self.keys[:16], clear[:256], clear[256:], "seal", number.to_bytes(12, "big"))


def directions(vector):
    ck2, th2, b1 = raw(vector, "ck2", "th2", "b1")
    return {"client": Direction(b"c2s", ck2, th2, b1), "daemon": Direction(b"s2c", ck2, th2, bytes(256))}


def check_data(vector, _spec):
    ends = directions(vector)
    for sent in vector["frames"]:
        same("struct", ends[sent["from"]].open(bytes.fromhex(sent["frame"])), sent["struct"])
    if "frame" in vector:
        ends["client"].open(bytes.fromhex(vector["frame"]))


def check_login(vector, spec):
    ends, keys, user = directions(vector), vector["keys"], vector["user"]
    ck2, th2, b1, b2, s2, opaque = raw(vector, "ck2", "th2", "b1", "b2", "s2", "opaqueSessionKey")
    plain = []
    for sent in vector["before"]:
        plain.append(ends[sent["from"]].open(bytes.fromhex(sent["frame"])))
        same("struct", plain[-1], sent["struct"])
    name = user["name"].encode()
    message = th2 + bytes([len(name)]) + name + field_of(spec, "auth1", plain[0], "ke1")
    pss_verify(bytes.fromhex(user["sigModulus"]), b"login", message, field_of(spec, "auth1", plain[0], "signature"))
    same("B2", field_of(spec, "auth1Answer", plain[1], "block"), vector["b2"])
    same("s2", oaep_open(private_key(user["encPrivate"]), b"s2", b2), vector["s2"])
    th3 = sha256(th2, *plain)
    ck3 = hkdf(s2 + opaque, ck2, b"ck3" + th3)
    same("th3", th3, keys["th3"])
    same("ck3", ck3, keys["ck3"])
    same("c2s keys", hkdf(ck3, th3, b"c2s inner", 28), keys["c2sInner"])
    same("s2c keys", hkdf(ck3, th3, b"s2c inner", 28), keys["s2cInner"])
    ends["client"].switch(ck3, th3, b1)
    ends["daemon"].switch(ck3, th3, b2)
    for sent in vector["after"]:
        same("struct", ends[sent["from"]].open(bytes.fromhex(sent["frame"])), sent["struct"])


class EpochDirection(Direction):
    """SPEC 5.5: a direction that turns; the private key opens its blocks."""

    def begin(self, ck3, th3, slot, key):
        self.switch(ck3, th3, slot)
        self.chain, self.th3, self.key, self.since = ck3, th3, key, 0

    def receive(self, frame, now):
        clear = self.stream.update(frame)
        slot, age = clear[:256], now - self.since
        turns = slot != self.slot
        if turns and self.sequence < 1023 and age < 55 * 60_000:
            raise Refused("slot")
        if not turns and (self.sequence >= 2**20 - 1 or age >= 70 * 60_000):
            raise Refused("slot")
        number = int.from_bytes(self.keys[16:], "big") ^ self.sequence
        self.sequence += 1
        struct = unseal(self.keys[:16], slot, clear[256:], "seal", number.to_bytes(12, "big"))
        if turns:
            secret = oaep_open(self.key, b"epoch", slot)
            if len(secret) != 32:
                raise Refused("block")
            self.chain = hkdf(secret, self.chain, b"epoch " + self.name + self.th3)
            self.switch(self.chain, self.th3, slot)
            self.since = now
        return struct, turns


def check_epochs(vector, _spec):
    ck2, th2, b1, th3, s2, opaque, b2 = raw(vector, "ck2", "th2", "b1", "th3", "s2", "opaqueSessionKey", "b2")
    ck3 = hkdf(s2 + opaque, ck2, b"ck3" + th3)
    ends = {"client": EpochDirection(b"c2s", ck2, th2, b1), "daemon": EpochDirection(b"s2c", ck2, th2, bytes(256))}
    ends["client"].begin(ck3, th3, b1, private_key(vector["serverPrivate"]))
    ends["daemon"].begin(ck3, th3, b2, private_key(vector["encPrivate"]))
    for sent in vector["frames"]:
        end = ends[sent["from"]]
        struct, turned = end.receive(bytes.fromhex(sent["frame"]), sent["elapsed"])
        same("struct", struct, sent["struct"])
        same("turned", turned, "turn" in sent)
        if turned:
            same("block", end.slot, sent["turn"]["block"])
            same("chain", end.chain, sent["turn"]["chain"])
            same("inner keys", end.keys, sent["turn"]["inner"])
    if "frame" in vector:
        ends["client"].receive(bytes.fromhex(vector["frame"]), vector["elapsed"])


def conversation_id(a, b):
    return sha256(LABEL + b"conversation", *sorted((a, b)))[:16]


def check_envelope(vector, spec):
    who, envelope = vector["who"], bytes.fromhex(vector["envelope"])
    recipient, recipient_keys, sender, sender_keys, sender_sig = raw(
        who, "recipient", "recipientKeys", "sender", "senderKeys", "senderSig"
    )
    header, at = {}, 0
    for field in spec.envelope:
        data = envelope[at : at + field["length"]]
        header[field["name"]] = int.from_bytes(data, "big") if field["kind"] == "uint" else data
        at += field["length"]
    part, parts = header["part"], header["parts"]
    if header["version"] != 1 or header["suite"] != 1 or parts > 64 or part >= header["sequence"]:
        raise Refused("header")
    if part >= parts and (part, parts) != (0, 0):
        raise Refused("header")
    if header["recipient"] != recipient:
        raise Refused("recipient")
    if header["sender"] != sender:
        raise Refused("sender")
    if header["conversation"] != conversation_id(sender, recipient):
        raise Refused("header")
    if header["recipientKeys"] != recipient_keys or header["senderKeys"] != sender_keys:
        raise Refused("keys")
    hdr, block, bound = envelope[:at], envelope[at : at + 256], envelope[: at + 256]
    k = oaep_open(private_key(who["recipientEncPrivate"]), b"pm", block)
    same("k", k, vector.get("k", k.hex()))
    inner = unseal(hkdf(k, sha256(bound), b"pm key"), bound, envelope[at + 256 :], "seal")
    length = int.from_bytes(inner[256:258], "big")
    text = inner[258 : 258 + length]
    if not 1 <= length <= 1024 or (part + 1 < parts and length < 1024) or any(inner[258 + length :]):
        raise Refused("text")
    if parts == 0 and (length % 16 or len({text[at : at + 16] for at in range(0, length, 16)}) < length // 16):
        raise Refused("text")
    try:
        text.decode() if parts == 1 else None
    except UnicodeDecodeError as error:
        raise Refused("text") from error
    pss_verify(sender_sig, b"pm", hdr + sha256(block) + sha256(text), inner[:256])
    same("text", text.hex(), vector["bytes"] if "bytes" in vector else vector["text"].encode().hex())
    message = header["message"]
    same("frame id", message[:14] + (int.from_bytes(message[14:], "big") ^ part).to_bytes(2, "big"), vector["frame"])
    same("header", check_wire.encode_fields(spec.envelope, vector["header"]), hdr.hex())


def safety_digest(person):
    uid, fingerprint = raw(person, "uid", "fingerprint")
    digest = sha256(LABEL + b"safety", uid, fingerprint)
    for _ in range(5200):
        digest = sha256(LABEL + b"safety", digest, fingerprint)
    return digest


def check_safety(vector, spec):
    low, high = sorted((vector["a"], vector["b"]), key=lambda person: bytes.fromhex(person["uid"]))
    number = ""
    for name, person in (("lowDigest", low), ("highDigest", high)):
        digest = safety_digest(person)
        same(name, digest, vector[name])
        groups = (int.from_bytes(digest[at : at + 5], "big") for at in range(0, 30, 5))
        number += "".join(f"{group % 100_000:05}" for group in groups)
    same("number", number, vector["number"])
    words = []
    for at in range(0, 60, 10):
        tens = int(number[at : at + 10])
        words += [spec.words[tens // 2163**2], spec.words[tens // 2163 % 2163], spec.words[tens % 2163]]
    same("words", " ".join(words), vector["words"])


def check_account(vector, _spec):
    enc, sig, th2, ke1, p, record = raw(vector, "enc", "sig", "th2", "ke1", "p", "record")
    export_key, k, w = raw(vector, "exportKey", "k", "w")
    name = vector["name"].encode()
    named = th2 + bytes([len(name)]) + name
    pss_verify(sig, b"login", named + ke1, bytes.fromhex(vector["loginSignature"]))
    pss_verify(sig, b"keys", named + enc + sig, bytes.fromhex(vector["keysSignature"]))
    same("fingerprint", sha256(LABEL + b"fingerprint", enc, sig), vector["fingerprint"])
    same("possession", hmac.new(p, th2 + record, hashlib.sha256).digest(), vector["possession"])
    words = unicodedata.normalize("NFKC", vector["typedWords"]).lower()
    same("words", " ".join(words.split()), vector["canonicalWords"])
    same("words proof", hkdf(export_key, w, b"words"), vector["wordsProof"])
    same("words hash", sha256(bytes.fromhex(vector["wordsProof"])), vector["wordsHash"])
    same("sig file key", hkdf(k, b"", b"sig", 16), vector["sigFileKey"])
    same("enc file key", hkdf(k + w, b"", b"enc", 16), vector["encFileKey"])
    same("state file key", hkdf(k + w, b"", b"state", 16), vector["stateFileKey"])
    same("conversation", conversation_id(*raw(vector, "uid", "otherUid")), vector["conversation"])


def check_keys(vector, _spec):
    problem = key_problem(*raw(vector, "enc", "sig"))
    if problem:
        raise Refused(problem)


def check_bundle(vector, spec):
    is_request = vector["kind"] == "request"
    layout, label = spec.structs["jmpu" if is_request else "ampu"], b"request" if is_request else b"accept"
    fields = check_wire.encode_fields(layout.fields, vector["values"])
    same("fields", fields, vector["fields"])
    enc, sig, signature = raw(vector["values"], "enc", "sig", "signature")
    if key_problem(enc, sig):
        raise Refused("modulus")
    pss_verify(sig, label, fields[:-256], signature)
    if is_request:
        same("request hash", sha256(LABEL + b"request hash", fields), vector["requestHash"])


def check_key_change(vector, spec):
    """SPEC 6.12, 6.13, 7.6: what a client sees of somebody's new keys."""
    fields = check_wire.encode_fields(spec.structs["chky"].fields, vector["values"])
    same("fields", fields, vector["fields"])
    bundle, former = fields[:-256], fields[-256:]
    enc, sig, signature = raw(vector["values"], "enc", "sig", "signature")
    if key_problem(enc, sig):
        raise Refused("modulus")
    pss_verify(sig, b"change", bundle[:-256], signature)
    if any(former):
        try:
            pss_verify(*raw(vector, "before"), b"former", bundle, former)
        except Refused:
            raise Refused("former") from None
    same("signed by the former", int(any(former)), vector["signedByFormer"])


def check_key_proofs(vector, spec):
    bundle = check_wire.encode_fields(spec.structs["chky"].fields, vector["values"])[:-256]
    p, th2, session_key, words = raw(vector, "p", "th2", "sessionKey", "words")
    same("mac of rkey2", hmac.new(p, th2 + bundle, hashlib.sha256).digest(), vector["renewalMac"])
    recovery = hmac.new(p + session_key, th2 + words + bundle, hashlib.sha256).digest()
    same("mac of rcov2", recovery, vector["recoveryMac"])


def check_opaque_run(vector, _spec):
    login, derived = vector["login"], vector["derived"]
    state, ke2 = raw(login, "state", "ke2")
    same("KE1", state[32:128], login["ke1"])
    identifier = base64.urlsafe_b64encode(bytes.fromhex(vector["uid"])).rstrip(b"=")
    same("identifier", identifier.decode(), vector["identifier"])
    oprf = check_opaque.oprf_output(vector["password"].encode(), state[:32], ke2[:32])
    same("OPRF output", oprf, derived["oprfOutput"])
    # Argon2id is not in Debian's `cryptography`: the vector states its result, and the project's own tests hold it.
    done = check_opaque.finish_login(state, ke2, oprf, bytes.fromhex(derived["stretched"]))
    same("KE3", done[0], login["ke3"])
    same("session key", done[1], login["sessionKey"])
    same("export key", done[2], login["exportKey"])
    same("record", done[3], vector["registration"]["record"])


CHECKS = {
    "struct": check_struct,
    "handshake": check_handshake,
    "hello": check_hello,
    "ack": check_ack,
    "data": check_data,
    "login": check_login,
    "epochs": check_epochs,
    "envelope": check_envelope,
    "safety": check_safety,
    "account": check_account,
    "keys": check_keys,
    "request": check_bundle,
    "acceptance": check_bundle,
    "key-change": check_key_change,
    "key-proofs": check_key_proofs,
    "opaque": check_opaque_run,
    **check_rooms.CHECKS,
}


def outcome(vector, spec):
    """None where the vector holds, otherwise what is wrong with it."""
    step = None
    try:
        CHECKS[vector["kind"]](vector, spec)
    except Refused as refusal:
        step = str(refusal)
    except (AssertionError, KeyError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None if step == vector.get("step") else f"refused at {step}, expected {vector.get('step')}"


def main(folder):
    spec = check_wire.Spec((folder / "SPEC.md").read_text(encoding="utf-8"))
    spec.words = (folder / "words.txt").read_text(encoding="ascii").splitlines()
    results = [("SPEC.md", None if spec.table_hash() == spec.stated_hash else "the table hash differs")]
    for path in sorted((folder / "vectors").glob("*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        results.append((path.name, outcome(vector, spec)))
    for name, problem in results:
        print(f"not ok {name}: {problem}" if problem else f"ok {name}")
    return 1 if any(problem for _, problem in results) else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
