"""DATA frames: outer layer, slot, inner layer and epochs (SPEC 4.6 and 5)."""

import time

from crypto import Refused, draw, hkdf, keystream, oaep_open_32, oaep_seal, seal, unseal

FRAME, SLOT = 2048, 256
LAST_SEQUENCE = 2**20 - 1
EARLIEST_TURN = 1023
MINUTE = 60
TURN_AGE, EARLY_AGE, LATE_AGE = 60 * MINUTE, 55 * MINUTE, 70 * MINUTE


class Direction:
    """One direction: `label` is b"c2s" or b"s2c", `slot` the block of its first frames."""

    def __init__(self, label, agreed, slot, now=time.monotonic):
        self.label, self.slot, self.now = label, slot, now
        outer = hkdf(agreed.ck2, agreed.th2, label + b" outer", 32)
        self.outer = keystream(outer[:16], outer[16:])
        self.chain = self.th3 = None
        self.turns = 0
        self._new_key(agreed.ck2, agreed.th2)

    def _new_key(self, chain, transcript):
        inner = hkdf(chain, transcript, self.label + b" inner", 28)
        self.key, self.iv = inner[:16], int.from_bytes(inner[16:], "big")
        self.sequence, self.born = 0, self.now()

    def switch(self, ck3, th3, slot):
        """4.6: the keys of a login that succeeded."""
        self.chain, self.th3, self.slot = ck3, th3, slot
        self._new_key(ck3, th3)

    def turn(self, secret):
        """5.5: on to the next chaining key."""
        self.chain = hkdf(secret, self.chain, b"epoch " + self.label + self.th3)
        self._new_key(self.chain, self.th3)
        self.turns += 1

    def next_nonce(self):
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce

    @property
    def age(self):
        return self.now() - self.born


class Sender(Direction):
    """`receiver` is the modulus that blocks are made for, `turn_at` the sequence that turns at the latest."""

    def __init__(self, label, agreed, slot, receiver, turn_at=LAST_SEQUENCE, now=time.monotonic):
        super().__init__(label, agreed, slot, now)
        self.receiver, self.turn_at = receiver, max(EARLIEST_TURN, min(turn_at, LAST_SEQUENCE))

    def _turn_is_due(self):
        return self.chain is not None and (self.sequence >= self.turn_at or self.age >= TURN_AGE)

    def seal(self, struct):
        """The struct as a frame; one that is due brings a block (5.5)."""
        if self.sequence > LAST_SEQUENCE:
            raise Refused("sequence")
        secret = draw(32) if self._turn_is_due() else None
        if secret:
            self.slot = oaep_seal(self.receiver, b"epoch", secret)
        frame = self.outer.update(self.slot + seal(self.key, self.slot, struct, self.next_nonce()))
        if secret:
            self.turn(secret)
        return frame


class Receiver(Direction):
    """`private` opens the blocks of turns; it is known from the login on."""

    private = None

    def __init__(self, label, agreed, slot, now=time.monotonic):
        super().__init__(label, agreed, slot, now)
        self.block = None

    def _check_slot(self, slot):
        """5.4 and 5.5: what a receiver accepts."""
        if slot == self.slot:
            if self.chain is None:
                return self.sequence <= LAST_SEQUENCE
            return self.sequence < LAST_SEQUENCE and self.age < LATE_AGE
        return self.chain is not None and (self.sequence >= EARLIEST_TURN or self.age >= EARLY_AGE)

    def open(self, frame):
        """Gives the struct; the caller handles it and then calls `handled`."""
        plain = self.outer.update(frame)
        slot, sealed = plain[:SLOT], plain[SLOT:]
        if not self._check_slot(slot):
            raise Refused("slot")
        struct = unseal(self.key, slot, sealed, "seal", self.next_nonce())
        if slot != self.slot:
            self.slot = self.block = slot
        return struct

    def handled(self):
        """5.5: a block is opened only behind the struct that it came with."""
        if self.block:
            block, self.block = self.block, None
            self.turn(oaep_open_32(self.private, b"epoch", block))
