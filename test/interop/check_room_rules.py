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
from rooms import AnotherEpoch, Behind, Room, Rooms
from structs import Struct, clock

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
        self.id, self.key, self.former, self.wrap_key = draw(16), draw(32), draw(32), draw(32)
        self.members = [member(self.ann), member(self.bob)]
        self.first = checks.make_head(self.ann, self.id, NAME, self.members[:1], self.former)
        self.head = self.made(self.ann)

    def made(self, signer, **more):
        given = {"members": self.members, "key": self.key, "before": self.first}
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
        return rooms, Room(self.id, NAME, kind, keys={2: self.key}, wrap_key=self.wrap_key)

    def invited(self, account, epoch=1, contact=None):
        """The same as an invitee who did not look yet; `contact` is the one whose keys they have pinned."""
        rooms, room = self.entering(account)
        head, key = (self.first, self.former) if epoch == 1 else (self.head, self.key)
        room.keys, room.expected = {epoch: key}, (epoch, checks.head_hash(self.id, head))
        if contact:
            rooms.person.book.get(contact.name).pin(row(contact))
        return rooms, room

    def inside(self, account, epoch=1):
        """The same as a member since the first epoch."""
        rooms, room = self.entering(account)
        room.head, room.keys = (self.first, {1: self.former}) if epoch == 1 else (self.head, {2: self.key})
        room.members = {one.uid: Member(**vars(one)) for one in self.members}
        return rooms, room

    def around(self, room):
        """Bob's rooms with a room of his."""
        return self.entering(self.bob)[0], room

    def state(self, head=None, block=bytes(256), **more):
        numbers = {"version": 5, "kind": 0, "closed": 0, "behind": 0, "rows": 2, "kept": 0}
        return {"room": self.id, "block": block, **numbers, **(head or self.head), **more}

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
            entry["signature"] = pss_sign(account.sig, b"room entry", said + entry["mac"])
        return entry

    def invitation(self, inviter, invitee=None, epoch=2):
        invitee = invitee or self.cem
        expires, bound = clock() + 1000, draw(32)
        keys = member(invitee).fingerprint
        said = checks.invitation_bytes(self.id, NAME, epoch, inviter.uid, invitee.uid, keys, expires, bound)
        signature = pss_sign(inviter.sig, b"invite", said)
        return {"inviter": inviter.uid, "invitedEpoch": epoch, "expires": expires, "bound": bound, "invitation": signature}

    def check_entry(self, entry, kind=0, book=None, **more):
        members = {one.uid: one for one in self.members}
        view = checks.View(self.id, NAME, kind, 2, more.pop("key", self.key), members, book, **more)
        checks.check_entry(view, entry)

    def change(self, head, removed=(), renewed=0):
        room = self.inside(self.bob, 1)[1]
        room.members = {one.uid: Member(**vars(one)) for one in [*self.members, member(self.cem, ENTERED)]}
        rows = [{"uid": account.uid} for account in removed]
        return checks.check_change(self.id, room, {**head, "removed": rows, "renewed": renewed})

    def message(self, text=b"hello", sender=None, key=None, **header):
        place = {"room": self.id, "epoch": 2, "sender": self.ann.uid, "message": draw(16), "time": clock()}
        place |= {"sequence": 1, "previous": ZEROS, "part": 0, "parts": 1, **header}
        return checks.seal_message(sender or self.ann, key or self.key, place, text)

    def read(self, values, key=None):
        checks.check_message_header(values)
        return checks.open_message(values, key or self.key, self.ann.moduli[1])

    def bring(self, who, name, values):
        """An event; gives what the person refused of it."""
        rooms, room = who
        rooms.by_id[room.id] = room
        values = {"room": room.id, "version": 9, **values}
        rooms.take(Struct(name, 0, 0, draw(16), clock(), values))
        return rooms.person.refused

    def changed(self, block, who=None, **head):
        """Bob, who is in the first epoch, gets the second one by `chrm`."""
        who = who or self.inside(self.bob)
        values = {**self.made(self.ann, **head), "renewed": 0, "block": block, "removed": []}
        return self.bring(who, "chrm", values), who[1]


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
    twice = [*g.members, Member(g.eve.uid, g.bob.name, *g.eve.moduli)]
    named = g.signed(g.ann, list=checks.list_hash(g.id, twice))
    rows = g.rows({**row(g.eve), "name": g.bob.name})
    yield "state: a name in two rows", "list", lambda: g.take(g.state(named), rows)
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
    yield "state: another kind", "kind", lambda: g.take(g.state(kind=1))
    yield from deleted_accounts(g)
    yield from later_epochs(g, mine)
    yield from rows_of_state_1(g)


def deleted_accounts(g):
    """9.10: their moduli are zeros, and they have left."""
    gone = {**row(g.bob, GONE), "enc": bytes(256), "sig": bytes(256)}
    unsigned = lambda **more: g.state({**g.signed(g.bob), "signature": bytes(256), **more})
    rows = [row(g.ann), gone]
    yield "state: an account that was deleted", None, lambda: g.take(rows=rows, who=g.entering(g.cem))
    yield "state: its head, by the mac", None, lambda: g.take(unsigned(), rows, g.entering(g.cem))
    yield "state: its head, another mac", "key", lambda: g.take(unsigned(mac=draw(32)), rows, g.entering(g.cem))
    yield "state: it is still in", "list", lambda: g.take(rows=[row(g.ann), {**gone, "state": IN_LIST}])


def later_epochs(g, of_eve):
    """9.10: where R comes from."""
    block = checks.make_block(g.bob.moduli[0], g.key, g.wrap_key)
    behind = lambda who, block=block, head=None, rows=None, **more: g.take(g.state(head, block, **more), rows, who)
    known = lambda: g.inside(g.bob)
    yield "later: who was a member gets R from the block", None, lambda: equal(behind(known())[1].key, g.key)
    yield "later: a stranger's", "signer", lambda: behind(known(), head=of_eve, rows=g.rows(row(g.eve)))
    yield "later: a block with another R", "key", lambda: behind(known(), flip(block))
    yield "later: another owner, by a member", "owner", lambda: behind(
        known(), head=g.signed(g.bob, owner=g.bob.uid)
    )
    yield "later: another owner, by the owner", None, lambda: behind(known(), head=g.signed(g.ann, owner=g.bob.uid))
    yield "later: a block without wrapKey", "kind", lambda: behind(
        known(), checks.make_block(g.bob.moduli[0], g.key, ZEROS)
    )
    yield "later: what comes first is awaited", "Behind", lambda: named(lambda: behind(known(), behind=1))
    yield "later: who enters asks for R again", "AnotherEpoch", lambda: named(lambda: behind(newcomer(g)))
    yield "later: an epoch before", "old", lambda: behind(g.inside(g.bob, 2), head=g.first)
    yield "later: another head of one's epoch", "fork", lambda: behind(g.inside(g.bob, 2), head=g.signed(g.ann, time=1))
    yield "later: an invitee, by a contact", None, lambda: equal(
        behind(g.invited(g.bob, contact=g.ann))[1].key, g.key
    )
    yield "later: an invitee, by somebody else", "signer", lambda: behind(g.invited(g.bob))
    yield "later: an invitee, another head", "fork", lambda: behind(g.invited(g.bob, 2), head=g.signed(g.ann, time=1))


def newcomer(g):
    rooms, room = g.entering(g.bob)
    room.keys = {1: g.former}
    return rooms, room


def named(action):
    """What is no refusal, but goes another way."""
    try:
        return action()
    except (Behind, AnotherEpoch) as way:
        raise Refused(type(way).__name__) from way


def rows_of_state_1(g):
    good, ghost = row(g.cem, ENTERED, g.entry()), row(g.eve, ENTERED, g.entry(g.eve, draw(32)))
    count = lambda *rows: len(g.take(rows=g.rows(*rows))[1].members)
    yield "row: an entry", None, lambda: equal(count(good), 3)
    yield "row: a ghost", None, lambda: equal(told(g.take(rows=g.rows(good, ghost))), ([("ghost", "mac")], 3))
    invited = lambda epoch=2: row(g.eve, ENTERED, g.entry(g.eve, invitation=g.invitation(g.cem, g.eve, epoch)))
    yield "row: invited by who entered before", None, lambda: equal(count(good, invited()), 4)
    yield "row: invited by who entered and left", None, lambda: equal(count(invited()), 3)
    yield "row: invited before by who is in no row", None, lambda: equal(count(invited(1)), 2)
    gone = [row(g.ann), row(g.bob, GONE)]
    cem = lambda *rows: g.take(rows=[*gone, *rows], who=g.entering(g.cem))[1].members
    yield "row: who left is in the list and not in the room", None, lambda: equal(len(cem()), 1)
    back = lambda invitation=None: row(g.bob, ENTERED, g.entry(g.bob, invitation=invitation))
    yield "row: who left and came back", None, lambda: equal(len(cem(back())), 2)
    again = g.invitation(g.ann, g.bob)
    yield "row: who came back by an invitation that counted", None, lambda: equal(len(cem(back(again))), 1)
    enter = lambda: g.bring(g.inside(g.bob, 2), "enrm", g.entry())
    yield "row: who has R takes an entry", None, lambda: equal(enter(), [])


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
    own = g.invitation(g.cem)
    yield "entry: invited by oneself", "inviter", lambda: enter(g.entry(invitation=own), 1)
    yield "entry: invited before one was in last", "invitation", lambda: enter(
        g.entry(invitation=g.invitation(g.bob)), last={g.cem.uid: 2}
    )
    yield "entry: invited since one was in last", None, lambda: enter(
        g.entry(invitation=g.invitation(g.bob)), last={g.cem.uid: 1}
    )
    said = {**g.entry(), "mac": draw(32)}
    yield "entry: another mac", "mac", lambda: enter(said)
    yield "entry: an invitation for another", "invitation", lambda: enter(g.entry(invitation=for_eve), 1)


def changes(g):
    all_ = [*g.members, member(g.cem)]
    by = lambda signer, members=all_, **more: g.made(signer, members=members, **more)
    yield "change: by a member", None, lambda: g.change(by(g.bob))
    skipped = {**g.first, "epoch": 2}
    yield "change: an epoch skipped", "previous", lambda: g.change(by(g.bob, before=skipped))
    yield "change: behind another head", "previous", lambda: g.change(by(g.bob, before={**g.first, "time": 1}))
    yield "change: another name", "previous", lambda: g.change({**by(g.bob), "name": "gardens"})
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
    block = lambda key=g.key, wrap_key=g.wrap_key: checks.make_block(g.bob.moduli[0], key, wrap_key)
    keyed = lambda block: (lambda done: (done[0], done[1].epoch, done[1].key is not None))(g.changed(block))
    yield "change: its block", None, lambda: equal(keyed(block()), ([], 2, True))
    refused = [("chrm", "key")], 2, False
    yield "change: a block with another R", None, lambda: equal(keyed(block(draw(32))), refused)
    yield "change: a block with another wrapKey", None, lambda: equal(keyed(block(wrap_key=draw(32))), refused)
    keyless = lambda: g.changed(block(draw(32)))[1]
    enter = lambda room: g.bring(g.around(room), "enrm", {**g.entry(), "version": 10})
    yield "change: without R no entry is taken", None, lambda: equal(enter(keyless()), [("enrm", "mac")])


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
    seal, other = checks.signed_bytes, draw(32)

    def under_another_key():
        checks.signed_bytes = lambda key, *more: seal(other, *more)
        try:
            return made()
        finally:
            checks.signed_bytes = seal

    yield "message: said under another R", "signature", lambda: read(under_another_key())

    def of_pinned():
        who = g.inside(g.bob, 2)
        who[0].person.book.get(g.ann.name).pin(row(g.eve))
        return g.bring(who, "rvrm", made())

    yield "message: of who has a contact's name and other keys", None, lambda: equal(of_pinned(), [("rvrm", "sender")])


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
