"""A person's client behind the login: commands and answers, messages, acknowledgements (SPEC 7.3, 7.4 and 8).

What a client has on its disk by 7.8 before it sends or acknowledges is in memory here: the book of contacts,
`commands`, `outbox` and `inbox` outlive a connection, not the program.
"""

import select
import time
from dataclasses import dataclass

from account import fingerprint, log_in
from contacts import Book, Contact
from crypto import Refused, draw, sha256
from envelopes import (
    SUITE,
    VERSION,
    Correspondents,
    check_header,
    conversation_id,
    cut,
    frame_id_of,
    make_envelope,
    open_envelope,
)
from inbox import Inbox
from rooms import ROOM_EVENTS, Rooms
from structs import Struct, clock
from transport import Closed, TimedOut

LATER = {429, 500, 503, 507}
ACKNOWLEDGED = {"rvum", "dlvd", "rjmp", "ramp", "rdmp"}
ACKS = 64
PATIENCE = 0.2, 5.0


@dataclass
class Outgoing:
    """A part on its way: state is waiting, sent, queued (202), delivered, read, refused or failed (7.6)."""

    contact: Contact
    message: bytes
    envelope: bytes
    state: str = "waiting"
    code: int = 0
    put_off: bool = False
    receipt: bool = False

    @property
    def lane(self):
        """What was put off holds back what goes the same way (8.3)."""
        return self.contact.uid

    @property
    def ready(self):
        return not self.contact.other

    def command(self, account):
        return "smpu", {"envelope": self.envelope}

    def settle_specially(self, code):
        return False


class Person:
    """`connect` gives a fresh Connection."""

    def __init__(self, account, connect):
        self.account, self.connect, self.book = account, connect, Book(account)
        self.connection = self.session = None
        self.commands, self.outbox, self.inbox, self.refused, self.put_off = {}, {}, Inbox(), [], 0
        self.hold_acks, self.rooms = False, Rooms(self)
        self._reset()

    def _reset(self):
        self.answers, self.unanswered, self.acks = {}, set(), []
        self.greeting = self.drained = self.closing = None
        self.patience, self.not_before = PATIENCE[0], 0

    # Connection

    def log_in(self, grant=None):
        """Connects, logs in, sends again what has no answer (8.3), and takes what waits, up to `drnd` (8.2)."""
        self._reset()
        self.connection = self.connect()
        self.session = log_in(self.connection, self.account, grant)
        for frame_id, (name, values) in self.commands.items():
            self.connection.send(name, values, frame_id)
        for outgoing in self.outbox.values():
            if outgoing.state == "sent":
                outgoing.state = "waiting"
        until(lambda: self.drained, self)
        return self

    def close(self):
        """Ends the connection, not the session (8.5)."""
        self.connection.close()

    def quit(self):
        """Ends the session as well; the daemon closes."""
        self._flush_acks()
        self.connection.send("quit", {})

    def tick(self):
        """Handles what has come and sends what may go; tells whether anything came."""
        busy = False
        while struct := self.connection.poll():
            busy = True
            self._handle(struct)
            if len(self.acks) >= ACKS:
                self._flush_acks()
        busy = self.rooms.tick() or busy
        self._flush_acks()
        self._flush_outbox()
        return busy

    def wait(self, condition):
        until(condition, self)

    def _flush_acks(self):
        """8.2: at most 64 ids in one."""
        while self.acks and not self.hold_acks:
            ids, self.acks = self.acks[:ACKS], self.acks[ACKS:]
            self.connection.send("ackd", {"ids": [{"id": frame} for frame in ids]})

    def _flush_outbox(self):
        """8.4: at most `window` without an answer; 8.3: nothing overtakes what was answered "later"."""
        if not self.drained or time.monotonic() < self.not_before:
            return
        held = set()
        for frame_id, outgoing in self.outbox.items():
            if len(self.unanswered) >= self.connection.window:
                return
            if outgoing.state == "waiting" and outgoing.lane not in held and outgoing.ready:
                outgoing.state = "sent"
                self.unanswered.add(frame_id)
                self.connection.send(*outgoing.command(self.account), frame_id)
            if outgoing.put_off:
                held.add(outgoing.lane)

    # Commands

    def command(self, name, values):
        """Sends a command that is sent again until it is answered; gives its frame id."""
        frame_id = draw(16)
        self.commands[frame_id] = name, values
        self.connection.send(name, values, frame_id)
        return frame_id

    def call(self, name, values):
        """A command and its answer."""
        frame_id = self.command(name, values)
        until(lambda: frame_id in self.answers, self)
        return self.answers.pop(frame_id)

    def _do(self, commands):
        """The commands that follow from the book; gives the last code, or None where there were none."""
        code = None
        for name, values in commands:
            code = self.call(name, values).code
        return code

    def ask(self, name):
        return self._do(self.book.ask(name))

    def accept(self, name):
        return self._do(self.book.accept(name))

    def decline(self, name):
        return self._do(self.book.decline(name))

    def block(self, name):
        return self._do(self.book.block(name))

    def confirm(self, name):
        """7.6 step 4: texts that were sealed for the former keys have failed."""
        commands = self.book.confirm(name)
        self.inbox.begin_anew(self.book.get(name))
        for outgoing in self.outbox.values():
            if isinstance(outgoing, Outgoing) and outgoing.contact.name == name and outgoing.state not in ("delivered", "read"):
                outgoing.state = "failed"
        return self._do(commands)

    def relation(self, name):
        return self.book.by_name[name].relation if name in self.book.by_name else "none"

    def text(self, name, text):
        """Puts a text into the outbox, from where `tick` sends it; gives the message's id."""
        pieces = cut(text.encode())
        return self._seal(name, pieces, len(pieces))

    def receipt(self, name, messages):
        """7.3: tells a contact that texts of theirs were read; gives the receipt's own id."""
        return self._seal(name, [b"".join(messages)], 0)

    def _seal(self, name, pieces, parts):
        contact, message = self.book.by_name[name], draw(16)
        header = {
            "version": VERSION,
            "suite": SUITE,
            "conversation": conversation_id(self.account.uid, contact.uid),
            "message": message,
            "sender": self.account.uid,
            "recipient": contact.uid,
            "senderKeys": fingerprint(*self.account.moduli),
            "recipientKeys": contact.keys,
            "time": clock(),
        }
        for part, piece in enumerate(pieces):
            contact.sent += 1
            place = {"sequence": contact.sent, "previous": contact.sent_hash, "part": part, "parts": parts}
            envelope = make_envelope({**header, **place}, self.account.sig, contact.enc, piece)
            contact.sent_hash = sha256(envelope)
            self.outbox[frame_id_of(message, part)] = Outgoing(contact, message, envelope, receipt=parts == 0)
        return message

    def parts(self, message):
        return [outgoing for outgoing in self.outbox.values() if outgoing.message == message]

    def state(self, message):
        """8.1: delivered when all parts are, queued when all are on the daemon's disk or delivered; or read."""
        states = {outgoing.state for outgoing in self.parts(message)}
        order = ["failed", "refused", "waiting", "sent", "queued", "delivered", "read"]
        return min(states, key=order.index)

    def texts(self):
        """The texts that came, as strings."""
        return [received.text for received in self.inbox.texts]

    # What comes from the daemon

    def _handle(self, struct):
        self.rooms.handled += struct.name in ACKNOWLEDGED
        if struct.name in ROOM_EVENTS:
            return self.rooms.take(struct)
        try:
            getattr(self, f"_on_{struct.name}", self._on_answer)(struct)
        except Refused as error:
            if struct.name not in ACKNOWLEDGED:
                self.connection.close()
                raise
            self.refused.append((struct.name, str(error)))
        if struct.name in ACKNOWLEDGED:
            self.acks.append(struct.frame_id)
        return None

    def _on_ofrm(self, struct):
        self.rooms.on_offer(struct)

    def _on_answer(self, struct):
        """3.3: an answer carries the frame id of its command; one that nothing waits for is passed over (3.5)."""
        frame_id = struct.frame_id
        if frame_id in self.unanswered:
            self.unanswered.discard(frame_id)
            self._settle(self.outbox[frame_id], struct)
        elif frame_id in self.commands:
            if struct.status != 2 or struct.code not in LATER:
                del self.commands[frame_id]
            self.answers[frame_id] = struct

    def _settle(self, outgoing, answer):
        """8.1 and 8.3; `dlvd` may have come before the answer."""
        outgoing.code, outgoing.put_off = answer.code, False
        if outgoing.state in ("delivered", "read"):
            return
        if answer.status == 2 and answer.code in LATER:
            outgoing.state, outgoing.put_off = "waiting", True
            self.put_off += 1
            self.not_before = time.monotonic() + max(self.patience, answer["wait"])
            self.patience = min(2 * self.patience, PATIENCE[1])
            return
        self.patience = PATIENCE[0]
        if answer.status == 2 and outgoing.settle_specially(answer.code):
            return
        outgoing.state = {200: "delivered", 202: "queued"}.get(answer.code, "refused")
        if outgoing.state == "refused":
            for other in self.parts(outgoing.message):
                other.state = "refused" if other.state == "waiting" else other.state

    def _on_ansr(self, struct):
        for row in struct["answers"]:
            header = row["opcode"], row["step"], row["frame"], struct.time
            self._on_answer(Struct("answer", *header, {"wait": 0}, row["status"], row["code"]))

    def _on_cnnt(self, struct):
        if (struct["uid"], struct["name"]) != (self.account.uid, self.account.name):
            raise Refused("cnnt")
        self.greeting = struct

    def _on_drnd(self, struct):
        self.drained = struct

    def _on_clos(self, struct):
        self.closing = struct

    def _on_dlvd(self, struct):
        outgoing = self.outbox.get(struct["message"])
        if isinstance(outgoing, Outgoing) and outgoing.contact.uid == struct["recipient"]:
            outgoing.state = "read" if outgoing.state == "read" else "delivered"

    def _on_rjmp(self, struct):
        self.follow(self.book.on_request(struct))

    def _on_ramp(self, struct):
        self.follow(self.book.on_acceptance(struct))

    def _on_rdmp(self, struct):
        self.follow(self.book.on_decline(struct))

    def follow(self, commands):
        """Sends commands without waiting for their answers."""
        for name, values in commands:
            self.command(name, values)

    def _on_rvum(self, struct):
        envelope = struct["envelope"]
        sender = check_header(envelope)["sender"]
        contact = self.book.of_uid(sender) or Contact("")
        if contact.relation == "blocked":
            return
        trusted = contact.uid if contact.relation == "open" else b""
        own, own_keys = self.account.uid, fingerprint(*self.account.moduli)
        who = Correspondents(trusted, own, contact.keys, own_keys, contact.sig, self.account.enc)
        header, text = open_envelope(envelope, who)
        for message in self.inbox.take(contact, envelope, header, text):
            for outgoing in self.parts(message):
                if isinstance(outgoing, Outgoing) and outgoing.contact is contact and not outgoing.receipt:
                    outgoing.state = "read"


def until(condition, *people, timeout=60):
    """Lets people go on until the condition holds; awaits frames, never a fixed time."""
    deadline = time.monotonic() + timeout
    while True:
        busy = [person.tick() for person in people]
        if condition():
            return
        if any(busy):
            continue
        for person in people:
            if not person.connection.transport.open:
                raise Closed(f"{person.account.name} was disconnected")
        now = time.monotonic()
        if now >= deadline:
            raise TimedOut("it did not come to that")
        alarms = [person.not_before for person in people if person.not_before > now]
        sockets = [person.connection.transport.socket for person in people]
        select.select(sockets, [], [], min([deadline, *alarms]) - now)
