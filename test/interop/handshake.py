"""HELLO and ACK, and the keys that come from them (SPEC 4)."""

import json
from dataclasses import dataclass
from pathlib import Path

from crypto import (  # first: it finds the check modules
    Refused,
    draw,
    hkdf,
    oaep_seal,
    seal,
    sha256,
    unseal,
    x25519_public,
    x25519_shared,
)
import check_mlkem
from structs import LAYOUTS, Struct, clock, decode, encode

TCP, TLS = 0, 1


@dataclass
class Generation:
    """4.1"""

    number: int
    network_key: bytes
    server_modulus: bytes


@dataclass
class Linked:
    """What is linked into a client (4.1)."""

    generations: list
    pins: list
    build: int
    software: bytes
    table: bytes


def read_linked(path):
    values = json.loads(Path(path).read_text())
    raw = bytes.fromhex
    linked = [values, values["next"]] if "next" in values else [values]
    generations = [Generation(one["generation"], raw(one["networkKey"]), raw(one["serverModulus"])) for one in linked]
    pins = [raw(pin) for pin in values["pins"]]
    return Linked(generations, pins, values["build"], raw(values["software"]), raw(values["table"]))


@dataclass
class Agreed:
    """What both sides hold after the ACK."""

    ck2: bytes
    th2: bytes
    b1: bytes
    ack: Struct


class UpgradeNeeded(Exception):
    """4.5: the daemon does not serve this client, table or software any more."""


class Handshake:
    """One handshake; a HELLO is made once and never sent twice (4.3)."""

    def __init__(self, linked, generation, transport, binding=bytes(32)):
        self.linked, self.server_modulus = linked, generation.server_modulus
        self.cr, self.s1, self.frame_id = draw(32), draw(32), draw(16)
        self.x25519, self.mlkem_seed = draw(32), draw(64)
        self.th0 = sha256(b"cadenas/1", bytes([transport]), sha256(generation.server_modulus), binding)
        self.ck0 = hkdf(generation.network_key, self.th0, b"ck0")

    def hello(self):
        encapsulation_key, self.mlkem_private = check_mlkem.key_pair(self.mlkem_seed)
        now = clock()
        values = {
            "build": self.linked.build,
            "software": self.linked.software,
            "table": self.linked.table,
            "x25519": x25519_public(self.x25519),
            "mlkem": encapsulation_key,
        }
        struct = encode("helo", values, self.frame_id, now)
        self.b1 = oaep_seal(self.server_modulus, b"s1", self.s1)
        head = now.to_bytes(8, "big") + self.b1
        inner = seal(hkdf(self.s1, self.cr, b"hello inner", 16), self.cr + head, struct)
        hello = self.cr + seal(hkdf(self.ck0, self.cr, b"hello outer", 16), self.cr, head + inner)
        self.bind(hello)
        return hello

    def bind(self, hello):
        """th1 and ck1 of the HELLO as sent."""
        self.th1 = sha256(self.th0, hello)
        self.ck1 = hkdf(self.s1, self.ck0, b"ck1" + self.th1)

    def finish(self, ack):
        """4.5: Agreed, or Refused or UpgradeNeeded."""
        sr = ack[:32]
        plain = unseal(hkdf(self.ck1, sr, b"ack", 16), sr + self.th1, ack[32:], "seal")
        struct = decode(LAYOUTS["ack"], plain)
        if struct.frame_id != self.frame_id:
            raise Refused("frame id")
        if (struct.status, struct.code) == (2, 426):
            raise UpgradeNeeded("this client is too old for the network")
        if (struct.status, struct.code) != (3, 200):
            raise Refused("status")
        shared = x25519_shared(self.x25519, struct["x25519"])
        shared += check_mlkem.decapsulate(self.mlkem_private, struct["mlkem"])
        th2 = sha256(self.th1, ack)
        return Agreed(hkdf(shared, self.ck1, b"ck2" + th2), th2, self.b1, struct)
