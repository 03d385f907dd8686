"""Envelopes: header, block, sealed part and signature; texts and receipts (SPEC 7.2 to 7.4, 10.4)."""

from dataclasses import dataclass

from crypto import (
    Refused,
    draw,
    hkdf,
    labelled_hash,
    oaep_open_32,
    oaep_seal,
    pss_sign,
    pss_verify,
    seal,
    sha256,
    unseal,
)
from structs import MAX_INTEGER

VERSION = SUITE = 1
HEADER, BLOCK, ENVELOPE, TEXT = 182, 256, 1736, 1024
PARTS = 64
ID = 16
FIELDS = [
    ("version", 1),
    ("suite", 1),
    ("conversation", 16),
    ("message", 16),
    ("sender", 16),
    ("recipient", 16),
    ("senderKeys", 32),
    ("recipientKeys", 32),
    ("sequence", 8),
    ("time", 8),
    ("previous", 32),
    ("part", 2),
    ("parts", 2),
]
NUMBERS = {"version", "suite", "sequence", "time", "part", "parts"}


def conversation_id(uid, other):
    """7.2"""
    return labelled_hash(b"conversation", *sorted((uid, other)))[:16]


def encode_header(values):
    def field(name, size):
        return values[name].to_bytes(size, "big") if name in NUMBERS else values[name]

    return b"".join(field(name, size) for name, size in FIELDS)


def decode_header(data):
    values, at = {}, 0
    for name, size in FIELDS:
        piece, at = data[at : at + size], at + size
        values[name] = int.from_bytes(piece, "big") if name in NUMBERS else piece
    return values


def cut(text):
    """7.3: the parts of a text, wherever the cuts fall."""
    assert 1 <= len(text) <= PARTS * TEXT
    return [text[at : at + TEXT] for at in range(0, len(text), TEXT)]


def receipt_ids(text):
    """7.3: the messages that a receipt names, refused where it is none."""
    ids = [text[at : at + ID] for at in range(0, len(text), ID)]
    if not 1 <= len(text) <= TEXT or len(text) % ID or len(set(ids)) < len(ids):
        raise Refused("text")
    return ids


def frame_id_of(message, part):
    """8.1: the frame id of a part's `smpu`."""
    return message[:14] + (int.from_bytes(message[14:], "big") ^ part).to_bytes(2, "big")


def _sealing_key(k, head):
    return hkdf(k, sha256(head), b"pm key")


def _signed(header, block, text):
    return header + sha256(block) + sha256(text)


def make_envelope(header, sig, recipient_enc, text):
    """7.3: an envelope of 1 to 1024 bytes of text, or of what a receipt says."""
    assert 1 <= len(text) <= TEXT
    head, k = encode_header(header), draw(32)
    block = oaep_seal(recipient_enc, b"pm", k)
    signature = pss_sign(sig, b"pm", _signed(head, block, text))
    plain = signature + len(text).to_bytes(2, "big") + text.ljust(TEXT, b"\0")
    return head + block + seal(_sealing_key(k, head + block), head + block, plain)


@dataclass
class Correspondents:
    """What an envelope has to match: both uids, the fingerprints of both and the keys to open and verify."""

    sender: bytes
    recipient: bytes
    sender_keys: bytes
    recipient_keys: bytes
    sender_sig: bytes
    recipient_enc: object


def readable(text):
    """A whole text as a string, refused where it is not UTF-8."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("text") from error


def check_header(envelope):
    """The first step of 7.4; gives the header."""
    if len(envelope) != ENVELOPE:
        raise Refused("header")
    header = decode_header(envelope[:HEADER])
    if header["sequence"] >= MAX_INTEGER or header["time"] >= MAX_INTEGER:
        raise Refused("header")
    if (header["version"], header["suite"]) != (VERSION, SUITE) or header["parts"] > PARTS:
        raise Refused("header")
    if header["part"] >= header["sequence"]:
        raise Refused("header")
    if header["part"] >= header["parts"] and (header["part"], header["parts"]) != (0, 0):
        raise Refused("header")
    return header


def open_envelope(envelope, who):
    """The steps of 7.4 in their order; gives (header, text as bytes) or raises Refused with the step.

    The step `parts` is the conversation's (inbox.py), and so is UTF-8 where a text has several parts.
    """
    header = check_header(envelope)
    if header["recipient"] != who.recipient:
        raise Refused("recipient")
    if header["sender"] != who.sender:
        raise Refused("sender")
    if header["conversation"] != conversation_id(who.sender, who.recipient):
        raise Refused("header")
    if header["recipientKeys"] != who.recipient_keys or header["senderKeys"] != who.sender_keys:
        raise Refused("keys")
    head, block = envelope[: HEADER + BLOCK], envelope[HEADER : HEADER + BLOCK]
    k = oaep_open_32(who.recipient_enc, b"pm", block)
    plain = unseal(_sealing_key(k, head), head, envelope[HEADER + BLOCK :], "seal")
    signature, size, padded = plain[:256], int.from_bytes(plain[256:258], "big"), plain[258:]
    text = padded[:size]
    if not 1 <= size <= TEXT or any(padded[size:]):
        raise Refused("text")
    if header["part"] + 1 < header["parts"] and size != TEXT:
        raise Refused("text")
    if header["parts"] == 0:
        receipt_ids(text)
    if header["parts"] == 1:
        readable(text)
    pss_verify(who.sender_sig, b"pm", _signed(envelope[:HEADER], block, text), signature)
    return header, text
