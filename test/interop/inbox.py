"""What came: parts until a text is whole, receipts, duplicates, what is given up (SPEC 7.4)."""

import time
from dataclasses import dataclass, field

from crypto import Refused, sha256
from envelopes import readable, receipt_ids

UNFINISHED = 32
QUIET = 5
TOO_LATE = 21 * 24 * 3600


@dataclass
class Received:
    """A whole text, in the place of its first part's sequence."""

    sender: bytes
    name: str
    sequence: int
    text: str


@dataclass
class Unfinished:
    """A message of which not all parts are there."""

    parts: int
    first: int
    pieces: dict = field(default_factory=dict)
    last_came: float = 0
    told: bool = False


class Inbox:
    """The texts of a person, and what has to be kept about them (7.8)."""

    def __init__(self):
        self.texts, self.seen, self.whole, self.given_up, self.unfinished = [], set(), set(), set(), {}
        self.duplicates, self.notices = 0, []

    def take(self, contact, envelope, header, text):
        """The step `parts`, then what follows from an envelope that passed it; raises Refused.

        Gives the messages that it says were read.
        """
        key, part = (header["sender"], header["message"]), header["part"]
        dropped = key in self.given_up
        if not dropped:
            self._check_parts(key, header, text)
        if (*key, part) in self.seen:
            self.duplicates += 1
            return []
        self.seen.add((*key, part))
        if not contact.arrived(header["sequence"], header["previous"], sha256(envelope)):
            self.notices.append(("previous", contact.name, header["sequence"]))
        if dropped:
            return []
        if header["parts"] == 0:
            self.whole.add(key)
            return receipt_ids(text)
        self._join(contact, key, header, text)
        return []

    def _check_parts(self, key, header, text):
        part, unfinished = header["part"], self.unfinished.get(key)
        if key in self.whole and (*key, part) not in self.seen:
            raise Refused("parts")
        if unfinished is None:
            return
        if (unfinished.parts, unfinished.first) != (header["parts"], header["sequence"] - part):
            raise Refused("parts")
        if unfinished.pieces.get(part, text) != text:
            raise Refused("parts")

    def _join(self, contact, key, header, text):
        first = header["sequence"] - header["part"]
        message = self.unfinished.setdefault(key, Unfinished(header["parts"], first))
        message.pieces[header["part"]], message.last_came = text, time.monotonic()
        if len(message.pieces) < message.parts:
            self._bound(contact)
            return
        del self.unfinished[key]
        self.whole.add(key)
        joined = b"".join(message.pieces[part] for part in range(message.parts))
        self._show(Received(key[0], contact.name, first, readable(joined)))

    def _show(self, received):
        place = len(self.texts)
        for at in range(len(self.texts) - 1, -1, -1):
            if self.texts[at].sender == received.sender:
                if self.texts[at].sequence < received.sequence:
                    break
                place = at
        self.texts.insert(place, received)

    def _bound(self, contact):
        """A contact has 32 unfinished messages; the oldest is given up for one more."""
        keys = [key for key in self.unfinished if key[0] == contact.uid]
        if len(keys) > UNFINISHED:
            self._give_up(contact, min(keys, key=lambda key: self.unfinished[key].last_came))

    def _give_up(self, contact, key):
        del self.unfinished[key]
        self.given_up.add(key)
        self.notices.append(("given up", contact.name))

    def begin_anew(self, contact):
        """7.6 step 4: with other keys, unfinished messages are given up."""
        for key in [key for key in self.unfinished if key[0] == contact.uid]:
            self._give_up(contact, key)

    def expire(self, contact, seconds=TOO_LATE):
        """Gives up what got no part for 21 days."""
        for key in [key for key, message in self.unfinished.items() if key[0] == contact.uid]:
            if time.monotonic() - self.unfinished[key].last_came >= seconds:
                self._give_up(contact, key)

    def tell_unfinished(self, seconds=QUIET):
        """Names the senders of messages of which no part came for that long, each message once."""
        quiet = time.monotonic() - seconds
        stopped = [(key, m) for key, m in self.unfinished.items() if not m.told and m.last_came <= quiet]
        for _, message in stopped:
            message.told = True
        return [key[0] for key, _ in stopped]
