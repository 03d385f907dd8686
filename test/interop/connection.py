"""A connection to the daemon: handshake, then structs in frames, refusing by closing (SPEC 3.5, 4, 5.4)."""

from dataclasses import dataclass

from crypto import Refused
from frames import LAST_SEQUENCE, Receiver, Sender
from handshake import TCP, TLS, Handshake
from structs import decode_from_daemon, encode
from transport import Closed, Transport


class Unanswered(Closed):
    """The daemon closed before its first byte."""


class TooOld(Exception):
    """4.7: the client is older than one that the profile was used with."""


@dataclass
class Kept:
    """The newest generation that ever answered a profile (4.7); a client has it on its disk."""

    number: int = 1


def connect(host, port, linked, kept, **options):
    """4.7: a connection under the newest generation that may be used, or under the one before it."""
    usable = [generation for generation in linked.generations if generation.number >= kept.number]
    usable.sort(key=lambda generation: generation.number, reverse=True)
    if not usable:
        raise TooOld("this client is older than one that was used before")
    for generation in usable:
        try:
            connection = Connection(host, port, linked, generation, **options)
        except Unanswered:
            if generation is usable[-1]:
                raise
            continue
        kept.number = max(kept.number, generation.number)
        return connection


class Connection:
    """An established connection; `turn_at` is of frames.Sender."""

    def __init__(self, host, port, linked, generation, tls=True, turn_at=LAST_SEQUENCE, timeout=10):
        self.transport = Transport(host, port, linked.pins if tls else None, timeout)
        handshake = Handshake(linked, generation, TLS if tls else TCP, self.transport.binding())
        self.hello = handshake.hello()
        try:
            self.transport.send(self.hello)
            agreed = handshake.finish(self._first_frame())
        except Exception:
            self.transport.close()
            raise
        self.th2, self.ck2, self.ack = agreed.th2, agreed.ck2, agreed.ack
        self.window = agreed.ack["window"]
        self.sender = Sender(b"c2s", agreed, agreed.b1, generation.server_modulus, turn_at)
        self.receiver = Receiver(b"s2c", agreed, bytes(256))

    def _first_frame(self):
        try:
            return self.transport.wait_frame()
        except Closed as error:
            raise (error if self.transport.received else Unanswered("closed without a byte")) from error

    def send(self, name, values, frame_id=None):
        """Sends a command; gives the struct's bytes."""
        struct = encode(name, values, frame_id)
        self.transport.send(self.sender.seal(struct))
        return struct

    def _opened(self, frame):
        try:
            struct = decode_from_daemon(self.receiver.open(frame))
            self.receiver.handled()
            return struct
        except Refused:
            self.close()
            raise

    def poll(self):
        """A struct that has come, or None."""
        frame = self.transport.frame()
        return frame and self._opened(frame)

    def receive(self, timeout=None):
        """The next struct; Closed or TimedOut where none comes."""
        return self._opened(self.transport.wait_frame(timeout))

    def call(self, name, values):
        """One command and its answer (3.5: others are passed over), before a login; gives (sent bytes, answer)."""
        sent = self.send(name, values)
        while (answer := self.receive()).frame_id != sent[6:22]:
            pass
        if answer.raw[1:6] != sent[1:6]:
            self.close()
            raise Refused("answer")
        return sent, answer

    def switch(self, ck3, th3, enc, b2):
        """4.6: goes on under the keys of a login."""
        self.ck2 = None
        self.receiver.private = enc
        self.sender.switch(ck3, th3, self.sender.slot)
        self.receiver.switch(ck3, th3, b2)

    def close(self):
        self.transport.close()
