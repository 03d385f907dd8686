"""What members of a room make and check: wraps, heads, entries, invitations, messages (SPEC 9.2 to 9.8)."""

import hmac
import unicodedata
from dataclasses import dataclass, field

from account import fingerprint
from crypto import (
    Refused,
    argon2id,
    draw,
    hkdf,
    hmac_sha256,
    labelled_hash,
    oaep_open,
    oaep_seal,
    pss_sign,
    pss_verify,
    seal,
    sha256,
    unseal,
)
from crypto import LABEL
from envelopes import PARTS, TEXT, readable
from structs import clock, encode_fields
from weak_keys import key_problem

ZEROS = bytes(32)
IN_LIST, ENTERED, GONE, INVITED = range(4)
LEFT, REMOVED, DELETED, DECLINED = range(1, 5)
LONGEST_INVITATION = 21 * 24 * 3600 * 1000
NOBODY = {"inviter": bytes(16), "invitedEpoch": 0, "expires": 0, "bound": ZEROS, "invitation": bytes(256)}


@dataclass
class Member:
    """A row: somebody of the room with their keys, and how they came in; `entry` is the mac of it."""

    uid: bytes
    name: str
    enc: bytes
    sig: bytes
    state: int = IN_LIST
    deleted_keys: bytes = b""
    entry: bytes = b""

    @property
    def fingerprint(self):
        return self.deleted_keys or fingerprint(self.enc, self.sig)


def padded(name):
    return name.encode("ascii").ljust(32, b"\0")


def u32(number):
    return number.to_bytes(4, "big")


def at(room, epoch):
    """9.1"""
    return room + u32(epoch)


def mac(key, room, epoch, label, *message):
    """9.1: HMAC under M of the epoch; its labels are those of 1.4."""
    return hmac_sha256(hkdf(key, room, b"room mac" + at(room, epoch)), LABEL + label + b"".join(message))


# 9.2, 9.3: password, blocks, R under the password


def room_id(maker, nonce):
    return labelled_hash(b"room id", maker, nonce)[:16]


def password_keys(password, salt, room):
    """Gives (wrapKey, authKey)."""
    a = argon2id(unicodedata.normalize("NFC", password).encode(), salt)
    return hkdf(a, room, b"room wrap"), hkdf(a, room, b"room auth")


def make_block(enc, key, wrap_key):
    return oaep_seal(enc, b"room", key + wrap_key)


def open_block(enc, block):
    """Gives (R, wrapKey)."""
    plain = oaep_open(enc, b"room", block)
    if len(plain) != 64:
        raise Refused("block")
    return plain[:32], plain[32:]


def wrap(key, wrap_key, room, epoch):
    salt, where = draw(32), at(room, epoch)
    sealed = seal(hkdf(wrap_key, salt, b"wrap" + where), where, key)
    return {"wrapSalt": salt, "commitment": hkdf(wrap_key, salt, b"commit" + where), "wrapped": sealed}


NO_WRAP = {"wrapSalt": ZEROS, "commitment": ZEROS, "wrapped": bytes(48)}


def unwrap(values, wrap_key, room, epoch):
    salt, where = values["wrapSalt"], at(room, epoch)
    if not hmac.compare_digest(hkdf(wrap_key, salt, b"commit" + where), values["commitment"]):
        raise Refused("commitment")
    return unseal(hkdf(wrap_key, salt, b"wrap" + where), where, values["wrapped"], "seal")


# 9.5: heads

HEAD = ("name", "epoch", "previous", "owner", "list", "key", "signer", "time", "signature", "mac")


def head_of(struct):
    """The head in a struct's fields."""
    return {name: struct[name] for name in HEAD}


def head_bytes(room, head):
    numbers = head["previous"] + head["owner"] + head["list"] + head["key"] + head["signer"]
    return room + padded(head["name"]) + u32(head["epoch"]) + numbers + head["time"].to_bytes(8, "big")


def head_hash(room, head):
    return labelled_hash(b"room head hash", head_bytes(room, head))


def list_hash(room, members):
    rows = [m.uid + padded(m.name) + m.fingerprint for m in sorted(members, key=lambda m: m.uid)]
    return labelled_hash(b"room list", room, *rows)


def key_tie(key, room, epoch):
    return hkdf(key, room, b"room key" + at(room, epoch))


def make_head(account, room, name, members, key, before=None, owner=None):
    """A head of the account's; `before` is the head before."""
    epoch = before["epoch"] + 1 if before else 1
    head = {
        "name": name,
        "epoch": epoch,
        "previous": head_hash(room, before) if before else ZEROS,
        "owner": owner or (before["owner"] if before else account.uid),
        "list": list_hash(room, members),
        "key": key_tie(key, room, epoch),
        "signer": account.uid,
        "time": clock(),
    }
    signed = head_bytes(room, head)
    head["signature"] = pss_sign(account.sig, b"room head", signed)
    head["mac"] = mac(key, room, epoch, b"room head", signed)
    return head


def check_head_signature(room, head, sig):
    pss_verify(sig, b"room head", head_bytes(room, head), head["signature"])


def fits(room, head, key):
    """Whether key and mac of the head are made under that R."""
    tie = hmac.compare_digest(key_tie(key, room, head["epoch"]), head["key"])
    return tie and hmac.compare_digest(
        mac(key, room, head["epoch"], b"room head", head_bytes(room, head)), head["mac"]
    )


# 9.6, 9.7: entries and invitations


def entry_bytes(room, entry):
    numbers = [entry["uid"], padded(entry["name"]), entry["enc"], entry["sig"], entry["time"].to_bytes(8, "big")]
    invited = [entry["inviter"], u32(entry["invitedEpoch"]), entry["expires"].to_bytes(8, "big")]
    return room + u32(entry["epoch"]) + b"".join(numbers + invited) + entry["bound"] + entry["invitation"]


def make_entry(account, room, epoch, key, invitation=None):
    enc, sig = account.moduli
    entry = {"epoch": epoch, "uid": account.uid, "name": account.name, "enc": enc, "sig": sig, "time": clock()}
    entry |= invitation or NOBODY
    said = entry_bytes(room, entry)
    entry["mac"] = mac(key, room, epoch, b"room entry", said)
    entry["signature"] = pss_sign(account.sig, b"room entry", said + entry["mac"])
    return entry


def invitation_bytes(room, name, epoch, inviter, invitee, keys, expires, bound):
    return room + padded(name) + u32(epoch) + inviter + invitee + keys + expires.to_bytes(8, "big") + bound


def bound_of(head, block):
    """`head` is the hash of the head."""
    return labelled_hash(b"invitation", head, block)


def check_entry_invitation(room, name, entry, inviter):
    """9.6: the last steps of an entry, `invitation`; also of a row of state 3."""
    keys = fingerprint(entry["enc"], entry["sig"])
    said = invitation_bytes(
        room, name, entry["invitedEpoch"], inviter.uid, entry["uid"], keys, entry["expires"], entry["bound"]
    )
    pss_verify(inviter.sig, b"invite", said, entry["invitation"], "invitation")


@dataclass
class View:
    """What an entry is checked against; `key` may be None, `gone` is the list's rows of state 2 where it is a row."""

    room: bytes
    name: str
    kind: int
    epoch: int
    key: bytes
    members: dict
    book: object = None
    last: dict = field(default_factory=dict)
    gone: dict = None

    def counts(self, entry):
        """9.7: an invitation counts once; `last` has the last epoch in which somebody was in."""
        return self.last.get(entry["uid"], 0) < entry["invitedEpoch"]


def check_entry(view, entry):
    """The steps of 9.6 in their order."""
    if entry["epoch"] != view.epoch:
        raise Refused("epoch")
    if not sound(entry):
        raise Refused("modulus")
    check_pinned(view.book, entry)
    check_taken(view.members, entry)
    if view.key is None:
        raise Refused("mac")
    said = entry_bytes(view.room, entry)
    if not hmac.compare_digest(mac(view.key, view.room, view.epoch, b"room entry", said), entry["mac"]):
        raise Refused("mac")
    pss_verify(entry["sig"], b"room entry", said + entry["mac"], entry["signature"])
    if entry["inviter"] == bytes(16):
        if view.kind == 1:
            raise Refused("inviter")
        return
    check_inviter(view, entry)


def check_inviter(view, entry):
    """9.6, 9.10: the steps `inviter` and `invitation`, for a row of state 3 as well."""
    uid, gone = entry["inviter"], view.gone or {}
    inviter = view.members.get(uid) or gone.get(uid)
    if uid == entry["uid"]:
        raise Refused("inviter")
    if inviter and any(inviter.sig):
        check_entry_invitation(view.room, view.name, entry, inviter)
    elif not inviter and (view.gone is None or entry["invitedEpoch"] != view.epoch):
        raise Refused("inviter")
    if not view.counts(entry):
        raise Refused("invitation")


def sound(entry):
    return key_problem(entry["enc"], entry["sig"]) is None


def check_pinned(book, entry):
    for contact in book.by_name.values() if book else []:
        if not contact.uid or (contact.uid != entry["uid"] and contact.name != entry["name"]):
            continue
        own = contact.uid, contact.name, contact.enc, contact.sig
        if own != (entry["uid"], entry["name"], entry["enc"], entry["sig"]):
            raise Refused("pinned")


def check_taken(members, entry):
    if any(entry["uid"] == m.uid or entry["name"] == m.name for m in members.values()):
        raise Refused("taken")


def member_of(entry, state=IN_LIST):
    keys = b"" if any(entry["enc"]) else entry["fingerprint"]
    return Member(entry["uid"], entry["name"], entry["enc"], entry["sig"], state, keys, entry["mac"])


# 9.8: messages


def message_header(values):
    """HDR: the fields but salt and sealed."""
    return encode_fields("srms", values)[:104]


def signed_bytes(key, values, header, text):
    """What a message's signature is over; the head's `key` follows from R (9.5)."""
    return header + key_tie(key, values["room"], values["epoch"]) + sha256(text)


def seal_message(account, key, values, text):
    """Gives all fields of `srms`; `values` are those of HDR."""
    header, salt = encode_fields("srms", values), draw(32)
    assert len(header) == 104
    signature = pss_sign(account.sig, b"room", signed_bytes(key, values, header, text))
    plain = (signature + len(text).to_bytes(2, "big") + text).ljust(1282, b"\0")
    sealed = seal(hkdf(key, salt, b"room message" + sha256(header)), header + salt, plain)
    return {**values, "salt": salt, "sealed": sealed}


def check_message_header(values):
    part, parts = values["part"], values["parts"]
    if parts > PARTS or part >= parts or part >= values["sequence"]:
        raise Refused("header")


def open_message(values, key, sig):
    """The steps `seal`, `text` and `signature` of 9.8; gives the part's bytes."""
    header, salt = message_header(values), values["salt"]
    plain = unseal(hkdf(key, salt, b"room message" + sha256(header)), header + salt, values["sealed"], "seal")
    signature, size, rest = plain[:256], int.from_bytes(plain[256:258], "big"), plain[258:]
    text = rest[:size]
    if not 1 <= size <= TEXT or any(rest[size:]):
        raise Refused("text")
    if values["part"] + 1 < values["parts"] and size != TEXT:
        raise Refused("text")
    if values["parts"] == 1:
        readable(text)
    pss_verify(sig, b"room", signed_bytes(key, values, header, text), signature)
    return text


# 9.9, 9.10: a new head, and the state with its rows


def check_change(room, known, change):
    """The steps of 9.9 for a member, but for `key`; `known` is the Room. Gives the members who stay, by uid."""
    head, removed = head_of(change), [row["uid"] for row in change["removed"]]
    follows = head["epoch"] == known.epoch + 1 and head["previous"] == head_hash(room, known.head)
    if not follows or head["name"] != known.name:
        raise Refused("previous")
    signer = known.members.get(head["signer"])
    if not signer:
        raise Refused("signer")
    check_head_signature(room, head, signer.sig)
    if signer.uid != known.head["owner"]:
        strangers = [uid for uid in removed if uid in known.members and known.members[uid].state != ENTERED]
        if strangers or head["owner"] != known.head["owner"] or change["renewed"]:
            raise Refused("right")
    stay = {uid: member for uid, member in known.members.items() if uid not in removed}
    if list_hash(room, stay.values()) != head["list"]:
        raise Refused("list")
    if head["owner"] not in stay:
        raise Refused("owner")
    return stay


def check_rows(room, head, rows):
    """9.10: `list`, `owner`, `signer` and `signature`. Gives the list's rows by uid."""
    listed = [row for row in rows if row["state"] in (IN_LIST, GONE)]
    for row in listed:
        if any(row["enc"]) or row["state"] == IN_LIST:  # the moduli of an account that was deleted are zeros; it left
            if fingerprint(row["enc"], row["sig"]) != row["fingerprint"] or not sound(row):
                raise Refused("list")
    if any(len({row[name] for row in listed}) < len(listed) for name in ("uid", "name")):
        raise Refused("list")
    members = {row["uid"]: member_of(row, row["state"]) for row in listed}
    if list_hash(room, members.values()) != head["list"]:
        raise Refused("list")
    if head["owner"] not in members:
        raise Refused("owner")
    if head["signer"] not in members:
        raise Refused("signer")
    signer = members[head["signer"]]
    if any(signer.sig):
        check_head_signature(room, head, signer.sig)
    return members


def sift_entries(view, rows):
    """9.10: the rows of state 1 in their order; who passed may have invited the next. Gives [(row, step)] refused."""
    refused = []
    for row in (row for row in rows if row["state"] == ENTERED):
        try:
            check_entry(view, row)
        except Refused as error:
            refused.append((row, str(error)))
            continue
        view.members[row["uid"]] = member_of(row, ENTERED)
    return refused
