#!/usr/bin/python3
"""What a member of a room refuses, and by which step (SPEC 9.3 to 9.10), without a daemon.

Usage: python3 check_room_rules.py. Prints one line for each; exits 1 where one differs.
"""

import sys
from types import SimpleNamespace

import room_checks as checks
from account import Account
from contacts import Book
from crypto import Refused, draw, new_rsa_key, pss_sign
from room_checks import ENTERED, GONE, IN_LIST, NOBODY, ZEROS, Member
from rooms import Room, Rooms
from structs import clock

NAME = "garden"


def flip(data):
    return bytes([data[0] ^ 1]) + data[1:]


def person(name):
    return Account(name, "", "", new_rsa_key(), new_rsa_key(), b"", draw(16))


def member(account, state=IN_LIST):
    return Member(account.uid, account.name, *account.moduli, state)


def row(account, state=IN_LIST, entry=None):
    """What `mbrmAnswer` says of somebody."""
    one = member(account)
    empty = {**NOBODY, "epoch": 0, "time": 0, "mac": ZEROS, "signature": bytes(256)}
    who = {"uid": one.uid, "name": one.name, "enc": one.enc, "sig": one.sig, "fingerprint": one.fingerprint}
    return {**empty, **who, **(entry or {}), "state": state}


class Garden:
    """A room of Ann's in its second epoch, with Bob in the list; Cem enters, Eve is nobody."""

    def __init__(self):
        self.ann, self.bob, self.cem, self.eve = (person(name) for name in ("ann_", "bob_", "cem_", "eve_"))
        self.id, self.key, self.former = draw(16), draw(32), draw(32)
        self.members = [member(self.ann), member(self.bob)]
        self.first = checks.make_head(self.ann, self.id, NAME, self.members[:1], self.former)
        self.head = self.made(self.ann)

    def made(self, signer, **more):
        given = {"members": self.members, "key": self.key, "before": self.first, "former_key": self.former}
        return checks.make_head(signer, self.id, NAME, **{**given, **more})

    def signed(self, by, **changed):
        """The head with other fields, signed and with a mac made anew."""
        head = {**self.head, **changed, "signer": changed.get("signer", by.uid)}
        said = checks.head_bytes(self.id, head)
        head["signature"] = pss_sign(by.sig, b"room head", said)
        return {**head, "mac": checks.mac(self.key, self.id, head["epoch"], b"room head", said)}

    # Whoever reads

    def entering(self, account, kind=0):
        """Somebody's rooms with this one, of which they have R and no head yet."""
        book = Book(account)
        rooms = Rooms(SimpleNamespace(account=account, book=book, refused=[], acks=[], outbox={}, answers={}))
        return rooms, Room(self.id, NAME, kind, keys={2: self.key})

    def inside(self, account, epoch=1):
        """The same as a member since the first epoch."""
        rooms, room = self.entering(account)
        room.head, room.keys = (self.first, {1: self.former}) if epoch == 1 else (self.head, {2: self.key})
        room.members = {one.uid: Member(**vars(one)) for one in self.members}
        return rooms, room

    def state(self, head=None, block=bytes(256), **more):
        empty = {"room": self.id, "version": 5, "kind": 0, "closed": 0, "rows": 2, "kept": 0, "block": block}
        return {**empty, **(head or self.head), **more}

    def rows(self, *more):
        return [row(self.ann), row(self.bob), *more]

    def take(self, state=None, rows=None, who=None):
        rooms, room = who or self.entering(self.bob)
        rooms.take_state(room, state or self.state(), rows or self.rows())
        return rooms, room

    def entry(self, account=None, key=None, invitation=None, **changed):
        account = account or self.cem
        entry = checks.make_entry(account, self.id, 2, key or self.key, invitation)
        if changed:
            entry |= changed
            said = checks.entry_bytes(self.id, entry)
            entry["mac"] = checks.mac(key or self.key, self.id, 2, b"room entry", said)
            entry["signature"] = pss_sign(account.sig, b"room entry", said)
        return entry

    def invitation(self, inviter, invitee=None):
        invitee = invitee or self.cem
        expires, bound = clock() + 1000, draw(32)
        keys = member(invitee).fingerprint
        said = checks.invitation_bytes(self.id, NAME, 2, inviter.uid, invitee.uid, keys, expires, bound)
        signature = pss_sign(inviter.sig, b"invite", said)
        return {"inviter": inviter.uid, "invitedEpoch": 2, "expires": expires, "bound": bound, "invitation": signature}

    def check_entry(self, entry, kind=0, book=None, **more):
        members = {one.uid: one for one in self.members}
        checks.check_entry(checks.View(self.id, NAME, kind, 2, more.get("key", self.key), members, book), entry)

    def change(self, head, removed=(), renewed=0):
        room = self.inside(self.bob, 1)[1]
        room.members = {one.uid: Member(**vars(one)) for one in [*self.members, member(self.cem, ENTERED)]}
        rows = [{"uid": account.uid} for account in removed]
        return checks.check_change(self.id, room, {**head, "removed": rows, "renewed": renewed})

    def message(self, text=b"hello", sender=None, key=None, **header):
        place = {"room": self.id, "epoch": 2, "sender": self.ann.uid, "message": draw(16), "time": clock()}
        place |= {"sequence": 1, "previous": ZEROS, "part": 0, "parts": 1, **header}
        return checks.seal_message(sender or self.ann, key or self.key, place, text)

    def read(self, values):
        checks.check_message_header(values)
        return checks.open_message(values, self.key, self.ann.moduli[1])


def cases(g):
    """Triples: what, the step that refuses (None: none does), and what is done."""
    yield from wraps(g)
    yield from states(g)
    yield from entries(g)
    yield from changes(g)
    yield from messages(g)


def wraps(g):
    salt = draw(16)
    wrap_key, _ = checks.password_keys("garden of words", salt, g.id)
    other, _ = checks.password_keys("garden of swords", salt, g.id)
    wrapped = checks.wrap(g.key, wrap_key, g.id, 2)
    open_ = lambda key=wrap_key, epoch=2, **more: checks.unwrap({**wrapped, **more}, key, g.id, epoch)
    yield "wrap: as made", None, open_
    yield "wrap: another password", "commitment", lambda: open_(other)
    yield "wrap: another commitment", "commitment", lambda: open_(commitment=draw(32))
    yield "wrap: another epoch", "commitment", lambda: open_(epoch=3)
    yield "wrap: a bit flipped", "seal", lambda: open_(wrapped=flip(wrapped["wrapped"]))


def states(g):
    yield "state: as it is", None, g.take
    longer = [*g.members, member(g.eve)]
    yield "state: a row that is not in the list", "list", lambda: g.take(rows=g.rows(row(g.eve)))
    yield "state: a row left out", "list", lambda: g.take(rows=g.rows()[:1])
    other = {**row(g.bob), "enc": g.eve.moduli[0]}
    yield "state: other keys under a fingerprint", "list", lambda: g.take(rows=[row(g.ann), other])
    mine = g.signed(g.eve, list=checks.list_hash(g.id, longer))
    yield "state: a list by somebody who does not know R", "key", lambda: g.take(
        g.state({**mine, "mac": draw(32)}), g.rows(row(g.eve))
    )
    yield "state: a signer who is in no row", "signer", lambda: g.take(g.state(g.signed(g.eve)))
    forged = {**g.head, "signature": g.signed(g.bob, signer=g.ann.uid)["signature"]}
    yield "state: signed by another", "signature", lambda: g.take(g.state(forged))
    yield "state: another mac", "key", lambda: g.take(g.state({**g.head, "mac": draw(32)}))
    yield "state: another key", "key", lambda: g.take(g.state(g.signed(g.ann, key=draw(32))))
    yield "state: another name", "name", lambda: g.take(g.state(g.signed(g.ann, name="gardens")))
    yield "state: an owner who is in no row", "owner", lambda: g.take(g.state(g.signed(g.ann, owner=g.eve.uid)))
    block = checks.make_block(g.bob.moduli[0], g.key, ZEROS)
    behind = lambda head=None: g.take(g.state(head, block), None, g.inside(g.bob))
    yield "state: who was a member gets R from the block", None, lambda: equal(behind()[1].key, g.key)
    yield "state: a new epoch by a stranger", "signer", lambda: g.take(
        g.state(mine, block), g.rows(row(g.eve)), g.inside(g.bob)
    )
    yield "state: a block with another R", None, lambda: equal(
        g.take(g.state(None, flip(block)), None, g.inside(g.bob))[1].key, None
    )
    good, ghost = row(g.cem, ENTERED, g.entry()), row(g.eve, ENTERED, g.entry(g.eve, draw(32)))
    yield "state: an entry", None, lambda: equal(len(g.take(rows=g.rows(good))[1].members), 3)
    yield "state: a ghost", None, lambda: equal(told(g.take(rows=g.rows(good, ghost))), ([("ghost", "mac")], 3))
    invited = row(g.eve, ENTERED, g.entry(g.eve, invitation=g.invitation(g.cem, g.eve)))
    yield "state: invited by who entered, in any order", None, lambda: equal(
        len(g.take(rows=g.rows(invited, good))[1].members), 4
    )
    gone = [row(g.ann), row(g.bob, GONE)]
    yield "state: who left is in the list and not in the room", None, lambda: equal(
        len(g.take(rows=gone, who=g.entering(g.cem))[1].members), 1
    )


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got} is not {wanted}")


def told(taken):
    rooms, room = taken
    return [(kind, step) for kind, _, _, step in rooms.notices], len(room.members)


def entries(g):
    enter = g.check_entry
    yield "entry: as made", None, lambda: enter(g.entry())
    yield "entry: another epoch", "epoch", lambda: enter(g.entry(epoch=3))
    yield "entry: an even modulus", "modulus", lambda: enter(g.entry(enc=g.cem.moduli[0][:-1] + b"\0"))
    book = Book(g.bob)
    book.get(g.cem.name).pin(row(g.eve))
    yield "entry: other keys than a contact's", "pinned", lambda: enter(g.entry(), book=book)
    yield "entry: a name that is taken", "taken", lambda: enter(g.entry(name=g.ann.name))
    yield "entry: a uid that is taken", "taken", lambda: enter(g.entry(uid=g.ann.uid))
    yield "entry: made without R", "mac", lambda: enter(g.entry(key=draw(32)))
    yield "entry: where one has no R", "mac", lambda: enter(g.entry(), key=None)
    yield "entry: signed by another", "signature", lambda: enter({**g.entry(), "signature": bytes(256)})
    yield "entry: no inviter where there is no password", "inviter", lambda: enter(g.entry(), 1)
    yield "entry: invited", None, lambda: enter(g.entry(invitation=g.invitation(g.bob)), 1)
    yield "entry: invited by a stranger", "inviter", lambda: enter(g.entry(invitation=g.invitation(g.eve)), 1)
    stolen = {**g.invitation(g.eve), "inviter": g.bob.uid}
    yield "entry: an invitation of another's", "invitation", lambda: enter(g.entry(invitation=stolen), 1)
    for_eve = g.invitation(g.bob, g.eve)
    yield "entry: an invitation for another", "invitation", lambda: enter(g.entry(invitation=for_eve), 1)


def changes(g):
    all_ = [*g.members, member(g.cem)]
    by = lambda signer, members=all_, **more: g.made(signer, members=members, **more)
    yield "change: by a member", None, lambda: g.change(by(g.bob))
    skipped = {**g.first, "epoch": 2}
    yield "change: an epoch skipped", "previous", lambda: g.change(by(g.bob, before=skipped))
    yield "change: behind another head", "previous", lambda: g.change(by(g.bob, before={**g.first, "time": 1}))
    yield "change: by a stranger", "signer", lambda: g.change(by(g.eve))
    forged = {**by(g.bob), "signer": g.ann.uid}
    yield "change: signed by another", "signature", lambda: g.change(forged)
    without = [one for one in all_ if one.uid != g.ann.uid]
    yield "change: a member removes the owner", "right", lambda: g.change(by(g.bob, without), [g.ann])
    yield "change: a member hands over", "right", lambda: g.change(by(g.bob, owner=g.bob.uid))
    yield "change: a member sets a password", "right", lambda: g.change(by(g.bob), renewed=1)
    yield "change: a member removes who entered", None, lambda: g.change(by(g.bob, g.members), [g.cem])
    yield "change: the owner removes", None, lambda: g.change(by(g.ann, [all_[0], all_[2]]), [g.bob])
    yield "change: somebody slipped in", "list", lambda: g.change(by(g.bob, [*all_, member(g.eve)]))
    yield "change: somebody slipped out", "list", lambda: g.change(by(g.bob, g.members))
    yield "change: the owner is no member", "owner", lambda: g.change(by(g.ann, owner=g.eve.uid))


def messages(g):
    read, made = g.read, g.message
    yield "message: as made", None, lambda: equal(read(made()), b"hello")
    yield "message: part and parts", "header", lambda: read(made(part=1))
    yield "message: too many parts", "header", lambda: read(made(parts=65))
    yield "message: part before the first", "header", lambda: read(made(part=1, parts=2))
    yield "message: another R", "seal", lambda: read(made(key=draw(32)))
    yield "message: another header", "seal", lambda: read({**made(), "time": 1})
    yield "message: empty", "text", lambda: read(made(b""))
    yield "message: a short part", "text", lambda: read(made(parts=2))
    yield "message: no UTF-8", "text", lambda: read(made(b"\xff"))
    yield "message: signed by another", "signature", lambda: read(made(sender=g.eve))


def outcome(step, action):
    """None where it is refused as said, otherwise what happened."""
    refused = None
    try:
        action()
    except Refused as refusal:
        refused = str(refusal)
    except (AssertionError, KeyError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None if refused == step else f"refused at {refused}, expected {step}"


def results():
    return [(what, outcome(step, action)) for what, step, action in cases(Garden())]


def main():
    done = results()
    for what, problem in done:
        print(f"not ok {what}: {problem}" if problem else f"ok {what}")
    return 1 if any(problem for _, problem in done) else 0


if __name__ == "__main__":
    sys.exit(main())
