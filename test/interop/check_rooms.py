"""The vectors of SPEC 9, from its text alone: a room's key, blocks, heads, entries, invitations and messages."""

import hashlib
import hmac
import unicodedata

import argon2.low_level

import check_wire
from check_crypto import LABEL, Refused, hkdf, oaep_open, private_key, pss_verify, raw, same, sha256, unseal
from weak_keys import key_problem

TEXT, PARTS = 1024, 64


def argon2id(password, salt):
    """6.1: 64 MiB, 3 passes, 1 lane, 32 bytes."""
    data = unicodedata.normalize("NFC", password).encode()
    return argon2.low_level.hash_secret_raw(data, salt, 3, 65536, 1, 32, argon2.low_level.Type.ID, 0x13)


def place(room, epoch):
    """9.1: `at`"""
    return room + epoch.to_bytes(4, "big")


def room_mac(key, room, epoch, label, data):
    """An HMAC of chapter 9 under M of an epoch."""
    secret = hkdf(key, room, b"room mac" + place(room, epoch))
    return hmac.new(secret, LABEL + label + data, hashlib.sha256).digest()


def key_commitment(key, room, epoch):
    """9.5: the head's `key`."""
    return hkdf(key, room, b"room key" + place(room, epoch))


def fingerprint(enc, sig):
    return sha256(LABEL + b"fingerprint", enc, sig)


def padded(name):
    return name.encode("ascii").ljust(32, b"\0")


def fields_until(layout, first, last):
    """The fields of a layout of 10.3 from one to another, both included."""
    names = [field["name"] for field in layout.fields]
    return layout.fields[names.index(first) : names.index(last) + 1]


def check_room_key(vector, _spec):
    room, wrap_key, wrap_salt, commitment, wrapped = raw(
        vector, "room", "wrapKey", "wrapSalt", "commitment", "wrapped"
    )
    at = place(room, vector["epoch"])
    if hkdf(wrap_key, wrap_salt, b"commit" + at) != commitment:
        raise Refused("commitment")
    same("key", unseal(hkdf(wrap_key, wrap_salt, b"wrap" + at), at, wrapped, "seal"), vector["key"])
    maker, nonce, salt = raw(vector, "maker", "nonce", "salt")
    same("room", sha256(LABEL + b"room id", maker, nonce)[:16], vector["room"])
    stretched = argon2id(vector["password"], salt)
    same("A", stretched, vector["stretched"])
    same("wrapKey", hkdf(stretched, room, b"room wrap"), vector["wrapKey"])
    auth_key = hkdf(stretched, room, b"room auth")
    same("authKey", auth_key, vector["authKey"])
    same("auth", sha256(auth_key), vector["auth"])


def check_room_block(vector, _spec):
    both = oaep_open(private_key(vector["encPrivate"]), b"room", bytes.fromhex(vector["block"]))
    if len(both) != 64:
        raise Refused("block")
    same("key", both[:32], vector["key"])
    same("wrapKey", both[32:], vector["wrapKey"])


def list_hash(room, members):
    rows = sorted(bytes.fromhex(m["uid"]) + padded(m["name"]) + bytes.fromhex(m["fingerprint"]) for m in members)
    return sha256(LABEL + b"room list", room, *rows)


def check_room_head(vector, spec):
    room, key, signer_sig = raw(vector, "room", "key", "signerSig")
    head, epoch = vector["head"], vector["head"]["epoch"]
    message = room + check_wire.encode_fields(fields_until(spec.structs["chrm"], "name", "time"), head)
    pss_verify(signer_sig, b"room head", message, bytes.fromhex(head["signature"]))
    if list_hash(room, vector["members"]).hex() != head["list"]:
        raise Refused("list")
    if key_commitment(key, room, epoch).hex() != head["key"]:
        raise Refused("key")
    if room_mac(key, room, epoch, b"room head", message).hex() != head["mac"]:
        raise Refused("mac")
    if epoch == 1:
        same("previous", bytes(32), head["previous"])
    same("message", message, vector["message"])
    same("hash", sha256(LABEL + b"room head hash", message), vector["hash"])


def verify_invitation(where, inviter, inviter_sig, invitee, given, bound):
    """9.7; where is room | name | epoch"""
    uid, enc, sig = invitee
    message = where + inviter + uid + fingerprint(enc, sig) + given["expires"].to_bytes(8, "big") + bound
    pss_verify(inviter_sig, b"invite", message, bytes.fromhex(given["invitation"]), "invitation")


def check_room_entry(vector, spec):
    room, key = raw(vector, "room", "key")
    entry, epoch = vector["entry"], vector["epoch"]
    uid, enc, sig, inviter, bound, signature = raw(entry, "uid", "enc", "sig", "inviter", "bound", "signature")
    if key_problem(enc, sig):
        raise Refused("modulus")
    message = place(room, epoch)
    message += check_wire.encode_fields(fields_until(spec.structs["enrm"], "uid", "invitation"), entry)
    if room_mac(key, room, epoch, b"room entry", message).hex() != entry["mac"]:
        raise Refused("mac")
    pss_verify(sig, b"room entry", message + bytes.fromhex(entry["mac"]), signature)
    if any(inviter):
        members = {bytes.fromhex(member["uid"]): bytes.fromhex(member["sig"]) for member in vector["members"]}
        if inviter == uid or inviter not in members:
            raise Refused("inviter")
        where = room + padded(vector["name"]) + entry["invitedEpoch"].to_bytes(4, "big")
        verify_invitation(where, inviter, members[inviter], (uid, enc, sig), entry, bound)
    elif vector["roomKind"] == 1:
        raise Refused("inviter")
    same("message", message, vector["message"])


def check_room_invitation(vector, _spec):
    room, inviter, inviter_sig, head, block = raw(vector, "room", "inviter", "inviterSig", "head", "block")
    bound = sha256(LABEL + b"invitation", head, block)
    where = room + padded(vector["name"]) + vector["epoch"].to_bytes(4, "big")
    verify_invitation(where, inviter, inviter_sig, raw(vector["invitee"], "uid", "enc", "sig"), vector, bound)
    same("bound", bound, vector["bound"])


def check_room_message(vector, spec):
    message, layout = vector["message"], spec.structs["srms"]
    part, parts = message["part"], message["parts"]
    if parts > PARTS or part >= parts or part >= message["sequence"]:
        raise Refused("header")
    key, sender_sig = raw(vector, "key", "senderSig")
    room, salt, sealed = raw(message, "room", "salt", "sealed")
    hdr = check_wire.encode_fields(fields_until(layout, "room", "parts"), message)
    same("length of HDR", len(hdr), 104)
    inner = unseal(hkdf(key, salt, b"room message" + sha256(hdr)), hdr + salt, sealed, "seal")
    length = int.from_bytes(inner[256:258], "big")
    text = inner[258 : 258 + length]
    if not 1 <= length <= TEXT or (part + 1 < parts and length < TEXT) or any(inner[258 + length :]):
        raise Refused("text")
    try:
        text.decode() if parts == 1 else None
    except UnicodeDecodeError as error:
        raise Refused("text") from error
    signed = hdr + key_commitment(key, room, message["epoch"]) + sha256(text)
    pss_verify(sender_sig, b"room", signed, inner[:256])
    same("text", text.hex(), vector["bytes"] if "bytes" in vector else vector["text"].encode().hex())
    same("hash", sha256(check_wire.encode_fields(layout.fields, message)), vector["hash"])
    own = bytes.fromhex(message["message"])
    frame = own[:14] + (int.from_bytes(own[14:], "big") ^ part).to_bytes(2, "big")
    same("frame id", frame, vector["frame"])


CHECKS = {
    "room-key": check_room_key,
    "room-block": check_room_block,
    "room-head": check_room_head,
    "room-entry": check_room_entry,
    "room-invitation": check_room_invitation,
    "room-message": check_room_message,
}
