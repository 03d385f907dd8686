"""Whom a person talks to, by which keys, and what every bundle does to that (SPEC 7.1, 7.6, 7.7)."""

import time
from dataclasses import dataclass, field

from account import fingerprint
from bundles import check_acceptance, check_request, keys_of, make_acceptance, make_request
from crypto import Refused
from safety import safety_number

OWN_REQUESTS, DECLINED, RANGES = 5, 1000, 100
MISSING_AFTER = 5


@dataclass
class Contact:
    """One of the book: `relation` is none, asked, requested, open, declined or blocked."""

    name: str
    relation: str = "none"
    uid: bytes = b""
    enc: bytes = b""
    sig: bytes = b""
    own_requests: list = field(default_factory=list)
    last_request: bytes = b""
    other: object = None
    shown: bytes = b""
    verified: bytes = b""
    sent: int = 0
    sent_hash: bytes = bytes(32)
    highest: int = 0
    highest_hash: bytes = bytes(32)
    missing: list = field(default_factory=list)

    @property
    def keys(self):
        return fingerprint(self.enc, self.sig)

    def pin(self, struct):
        self.uid, self.enc, self.sig = struct["uid"], struct["enc"], struct["sig"]

    def arrived(self, sequence, previous, digest):
        """7.4 and 7.8: what is missing, as ranges; tells whether `previous` is as it should be."""
        right = sequence != self.highest + 1 or previous == self.highest_hash
        if sequence > self.highest:
            if sequence > self.highest + 1:
                gap = self.highest + 1, sequence - 1, time.monotonic()
                self.missing = [*self.missing, gap][-RANGES:]
            self.highest, self.highest_hash = sequence, digest
        else:
            self.missing = [part for gap in self.missing for part in _without(gap, sequence)]
        return right

    def missing_for(self, seconds=MISSING_AFTER):
        """The ranges that are missing for that long."""
        return [(first, last) for first, last, since in self.missing if time.monotonic() - since >= seconds]

    def begin_anew(self):
        """7.6: with confirmed keys both directions begin anew."""
        self.sent = self.highest = 0
        self.sent_hash = self.highest_hash = bytes(32)
        self.missing = []


def _without(gap, sequence):
    first, last, since = gap
    if not first <= sequence <= last:
        return [gap]
    halves = (first, sequence - 1, since), (sequence + 1, last, since)
    return [half for half in halves if half[0] <= half[1]]


class Book:
    """All contacts. The methods give the commands that follow: pairs of a name and values."""

    def __init__(self, account):
        self.account = account
        self.by_name, self.declined, self.warnings, self.declined_by = {}, [], [], []

    def get(self, name):
        return self.by_name.setdefault(name, Contact(name))

    def of_uid(self, uid):
        return next((contact for contact in self.by_name.values() if contact.uid == uid), None)

    # What a person does

    def ask(self, name):
        contact = self._unchanged(name)
        values, request = make_request(self.account, name)
        contact.own_requests = [*contact.own_requests, request][-OWN_REQUESTS:]
        contact.relation = "asked"
        return [("jmpu", values)]

    def accept(self, name):
        contact = self._unchanged(name)
        assert contact.relation == "requested"
        return self._open(contact)

    def decline(self, name):
        contact = self.by_name[name]
        self.declined = [*self.declined, contact.last_request][-DECLINED:]
        contact.relation = "declined"
        return [("dmpu", {"to": contact.uid, "request": contact.last_request})]

    def block(self, name):
        """Somebody who was asked and did not answer yet is blocked when an answer brings the uid (7.7)."""
        contact = self.get(name)
        contact.relation = "blocked"
        return [("bloc", {"uid": contact.uid})] if contact.uid else []

    def show_safety_number(self, name):
        """7.5, 7.6: with the other keys where some came; remembers which were shown."""
        contact = self.by_name[name]
        contact.shown = keys_of(contact.other) if contact.other else contact.keys
        uid = contact.other["uid"] if contact.other else contact.uid
        return safety_number((self.account.uid, fingerprint(*self.account.moduli)), (uid, contact.shown))

    def confirm(self, name):
        """7.6 step 4; refused where other keys came since the number was shown."""
        contact = self.by_name[name]
        if not contact.other or keys_of(contact.other) != contact.shown:
            raise Refused("shown")
        struct, contact.other = contact.other, None
        contact.pin(struct)
        contact.begin_anew()
        if struct.name != "rjmp":
            return []
        if contact.relation in ("open", "asked"):
            return self._open(contact)
        contact.relation = "requested"
        return []

    def reject(self, name):
        """7.6 step 5."""
        contact = self.by_name[name]
        contact.other = None
        self.declined = [*self.declined, contact.last_request][-DECLINED:]

    def _unchanged(self, name):
        contact = self.get(name)
        if contact.other:
            raise Refused("changed keys")
        return contact

    def _open(self, contact):
        contact.relation = "open"
        return [("ampu", make_acceptance(self.account, contact.uid, contact.last_request))]

    # What the daemon brings

    def on_request(self, struct):
        """`rjmp`"""
        request = check_request(self.account, struct)
        contact = self._whose(struct)
        if contact.relation == "blocked":
            return self._still_blocked(contact, struct)
        if request == contact.last_request or request in self.declined:
            return []
        contact.last_request = request
        if not self._believed(contact, struct):
            return []
        if contact.relation in ("asked", "open"):
            return self._open(contact)
        contact.relation = "requested"
        return []

    def on_acceptance(self, struct):
        """`ramp`; it has to answer a request to that very name."""
        contact = self.by_name.get(struct["name"])
        check_acceptance(self.account, struct, contact.own_requests if contact else [])
        if contact.relation == "blocked":
            return self._still_blocked(contact, struct)
        if self._believed(self._whose(struct), struct):
            contact.relation = "open"
        return []

    def on_decline(self, struct):
        """`rdmp`"""
        contact = self.by_name.get(struct["name"])
        if contact and contact.relation == "asked" and struct["request"] in contact.own_requests:
            contact.relation = "none"
            self.declined_by.append(contact.name)
        return []

    def _whose(self, struct):
        return self.of_uid(struct["uid"]) or self.get(struct["name"])

    def _still_blocked(self, contact, struct):
        if contact.uid:
            return []
        contact.pin(struct)
        return [("bloc", {"uid": contact.uid})]

    def _believed(self, contact, struct):
        """7.6: the first keys are pinned, others kept beside them and told."""
        if not contact.uid:
            contact.pin(struct)
        same = (contact.uid, contact.name, contact.keys) == (struct["uid"], struct["name"], keys_of(struct))
        if not same:
            contact.other = struct
            self.warnings.append(contact.name)
        return same
