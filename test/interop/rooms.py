"""A person's rooms: making, entering, leaving, epochs, messages (SPEC 9), over person.Person.

A procedure of several commands is a generator that yields lists of commands and gets their answers, or a condition.
What concerns one room is handled in the order in which it came; it waits while the room's state is asked for.
"""

from dataclasses import dataclass, field

import room_checks as checks
from contacts import Contact
from crypto import Refused, draw, pss_sign, sha256
from envelopes import cut, frame_id_of
from inbox import Inbox
from room_checks import DECLINED, DELETED, ENTERED, GONE, IN_LIST, INVITED, LEFT, REMOVED, ZEROS, Member
from structs import clock, encode_fields

ROOM_EVENTS = {"rvrm", "ivrm", "enrm", "lfrm", "chrm"}
BLOCKS, REMOVALS, TRIES = 6, 32, 8


class NeedState(Exception):
    """The room's state has to be asked for first; `step` is what refuses where that does not help."""

    def __init__(self, step):
        super().__init__(step)
        self.step = step


class Behind(Exception):
    """9.10: the events that bring the room's next epoch are on their way; they come first."""


class AnotherEpoch(Exception):
    """9.10: who enters by the password has no R of the room's epoch."""


@dataclass
class Room:
    """A room that one is in or invited to (9.12). `expected` is (epoch, hash of its head) of an invitation."""

    id: bytes
    name: str
    kind: int
    head: dict = None
    keys: dict = field(default_factory=dict)
    wrap_key: bytes = ZEROS
    members: dict = field(default_factory=dict)
    invited: dict = field(default_factory=dict)
    former: dict = field(default_factory=dict)
    ghosts: dict = field(default_factory=dict)
    last: dict = field(default_factory=dict)
    expected: tuple = (0, b"")
    version: int = 0
    kept: int = 0
    closed: bool = False
    untrusted: bool = False
    stale: bool = False
    rotating: bool = False
    common: bool = False
    refreshing: bool = False
    sent: int = 0
    last_sent: object = None
    inbox: Inbox = field(default_factory=Inbox)
    counts: dict = field(default_factory=dict)
    before_me: set = field(default_factory=set)

    @property
    def epoch(self):
        return self.head["epoch"] if self.head else 0

    @property
    def key(self):
        return self.keys.get(self.epoch)

    def view(self, book):
        return checks.View(self.id, self.name, self.kind, self.epoch, self.key, self.members, book, self.last)

    def was_in(self, epoch, members):
        """Remembers who was in an epoch, by which keys, and for whom it was the last."""
        for member in members:
            self.former[epoch, member.uid] = member
            self.last[member.uid] = max(epoch, self.last.get(member.uid, 0))

    def begin_count(self, uid):
        """9.8: an entry begins the count of its sender anew."""
        self.counts.pop(uid, None)
        self.before_me.discard(uid)

    def keep_keys(self):
        """9.12: the present R and that of the epoch before; the members who were in those epochs."""
        self.keys = {epoch: key for epoch, key in self.keys.items() if epoch >= self.epoch - 1}
        self.former = {(epoch, uid): m for (epoch, uid), m in self.former.items() if epoch >= self.epoch - 1}

    def take_head(self, head, members):
        self.was_in(self.epoch, self.members.values())
        self.head, self.members, self.closed, self.ghosts = head, members, False, {}
        for member in members.values():
            member.state = IN_LIST
        self.keep_keys()

    def sender(self, epoch, uid):
        """9.8: a member, or one of that epoch."""
        return self.members.get(uid) or self.former.get((epoch, uid))


@dataclass
class Invitation:
    """9.7: an invitation that waits; its room has no head before the state was looked at."""

    room: Room
    entry: dict

    @property
    def name(self):
        return self.room.name

    @property
    def epoch(self):
        return self.room.epoch


@dataclass
class RoomOutgoing:
    """A part on its way to a room; it is sealed when it is sent, and again where the epoch changed (9.8)."""

    room: Room
    message: bytes
    header: dict
    piece: bytes
    before: object
    sealed: dict = None
    state: str = "waiting"
    code: int = 0
    put_off: bool = False

    @property
    def lane(self):
        return self.room.id

    @property
    def ready(self):
        room = self.room
        if room.untrusted:
            return False
        return self.sealed or not (room.closed or room.stale or room.rotating or not room.key)

    def command(self, account):
        if not self.sealed:
            previous = sha256(encode_fields("srms", self.before.sealed)) if self.before else ZEROS
            header = {**self.header, "epoch": self.room.epoch, "previous": previous}
            self.sealed = checks.seal_message(account, self.room.key, header, self.piece)
        return "srms", self.sealed

    def settle_specially(self, code):
        """409: another epoch, or a closed one."""
        if code != 409:
            return False
        self.sealed, self.state, self.room.stale = None, "waiting", True
        return True


class Task:
    """A procedure that runs beside what comes."""

    def __init__(self, person, procedure):
        self.person, self.procedure = person, procedure
        self.waits, self.done, self.value, self.error = lambda: True, False, None, None
        self.frames = []

    def step(self):
        """Goes on as far as answers are there; tells whether it did."""
        moved = False
        while not self.done and self._due():
            moved = True
            answers = [self.person.answers.pop(frame) for frame in self.frames] if self.frames else None
            self.frames = []
            try:
                asked = self.procedure.send(answers if answers is not None else None)
            except StopIteration as stop:
                self.done, self.value = True, stop.value
            except Refused as error:
                self.done, self.error = True, error
            else:
                self._ask(asked)
        return moved

    def _due(self):
        return all(frame in self.person.answers for frame in self.frames) if self.frames else self.waits()

    def _ask(self, asked):
        if callable(asked):
            self.waits = asked
            return
        self.waits = lambda: True
        self.frames = [self.person.command(name, values) for name, values in asked]


class Rooms:
    """All rooms of a person."""

    def __init__(self, person):
        self.person, self.account = person, person.account
        self.by_id, self.invitations, self.offered, self.left = {}, {}, {}, set()
        self.lanes, self.busy, self.tasks, self.tried, self.notices = {}, set(), [], set(), []
        self.handled = 0

    # What a person asks for

    def get(self, name):
        return next(room for room in self.by_id.values() if room.name == name)

    def has(self, name):
        return any(room.name == name for room in self.by_id.values())

    def invitation(self, name):
        return next((invitation for invitation in self.invitations.values() if invitation.name == name), None)

    def create(self, name, password=None):
        return self._run(self._create(name, password))

    def join(self, name, password=None):
        """By the invitation that waits, by what the network offers, or by a password; gives the last code."""
        invitation = self.invitation(name)
        if invitation:
            return self._run(self._follow_invitation(invitation))
        if name in self.offered:
            return self._run(self._join_common(name))
        return self._run(self._join(name, password))

    def invite(self, name, who, days=7):
        return self._run(self._invite(self.get(name), self.person.book.by_name[who], days))

    def decline(self, name):
        invitation = self.invitation(name)
        code = self._run(self._one("dcrm", {"room": invitation.room.id}))
        self.invitations.pop(invitation.room.id, None)
        return code

    def leave(self, name):
        return self._forget_after("lvrm", name)

    def delete(self, name):
        return self._forget_after("dlrm", name)

    def remove(self, name, who, password=None):
        room = self.get(name)
        uid = next(m.uid for m in room.members.values() if m.name == who)
        return self._run(self._begin_epoch(room, [uid], password=password))

    def hand_over(self, name, who):
        room = self.get(name)
        return self._run(self._begin_epoch(room, owner=next(m.uid for m in room.members.values() if m.name == who)))

    def set_password(self, name, password):
        return self._run(self._begin_epoch(self.get(name), password=password))

    def begin_epoch(self, name):
        return self._run(self._begin_epoch(self.get(name)))

    def refresh(self, name):
        return self._run(self._refresh(self.get(name)))

    def text(self, name, text):
        """Puts a text into the outbox; gives the message's id."""
        room, message = self.get(name), draw(16)
        pieces = cut(text.encode())
        header = {"room": room.id, "sender": self.account.uid, "message": message, "time": clock()}
        for part, piece in enumerate(pieces):
            room.sent += 1
            place = {"sequence": room.sent, "part": part, "parts": len(pieces), "epoch": 0, "previous": ZEROS}
            outgoing = RoomOutgoing(room, message, {**header, **place}, piece, room.last_sent)
            room.last_sent = self.person.outbox[frame_id_of(message, part)] = outgoing
        return message

    def texts(self, name):
        return [(received.name, received.text) for received in self.get(name).inbox.texts]

    def members(self, name):
        return sorted(member.name for member in self.get(name).members.values())

    # Running

    def start(self, procedure):
        task = Task(self.person, procedure)
        self.tasks.append(task)
        task.step()
        return task

    def _run(self, procedure):
        task = self.start(procedure)
        self.person.wait(lambda: task.done)
        if task.error:
            raise task.error
        return task.value

    def tick(self):
        """Procedures, then what could be handled since, then epochs that have to begin before a text goes."""
        busy = any([task.step() for task in list(self.tasks)])
        self.tasks = [task for task in self.tasks if not task.done]
        for room_id in list(self.lanes):
            self._drain(room_id)
        for room in {o.room.id: o.room for o in self.person.outbox.values() if isinstance(o, RoomOutgoing)}.values():
            self._make_ready(room)
        return busy

    def _make_ready(self, room):
        waits = any(
            isinstance(o, RoomOutgoing) and o.room is room and o.state == "waiting"
            for o in self.person.outbox.values()
        )
        if not waits or room.id in self.busy or room.rotating or room.untrusted or room.id not in self.by_id:
            return
        if room.refreshing:
            return
        if room.stale:
            self.start(self._refresh(room))
        elif room.closed or not room.key:
            self.start(self._begin_epoch(room))

    def _one(self, name, values):
        (answer,) = yield [(name, values)]
        return answer.code

    def _forget_after(self, command, name):
        room = self.get(name)
        code = self._run(self._one(command, {"room": room.id}))
        if code == 200:
            self._forget(room.id)
        return code

    def _forget(self, room_id):
        self.by_id.pop(room_id, None)
        self.left.add(room_id)
        for frame in [f for f, o in self.person.outbox.items() if isinstance(o, RoomOutgoing) and o.lane == room_id]:
            self.person.outbox[frame].state = "failed"

    # Making and entering

    def _create(self, name, password, common=False):
        nonce, key, account = draw(32), draw(32), self.account
        room_id = checks.room_id(account.uid, nonce)
        me = Member(account.uid, account.name, *account.moduli)
        room = Room(room_id, name, 0 if password else 1, common=common, members={account.uid: me}, keys={1: key})
        salt, auth, wrapped = bytes(16), ZEROS, checks.NO_WRAP
        if password:
            salt = draw(16)
            room.wrap_key, auth_key = checks.password_keys(password, salt, room_id)
            auth, wrapped = sha256(auth_key), checks.wrap(key, room.wrap_key, room_id, 1)
        room.head = checks.make_head(account, room_id, name, [me], key)
        block = checks.make_block(account.moduli[0], key, room.wrap_key)
        values = {"kind": room.kind, "nonce": nonce, "salt": salt, "auth": auth, **wrapped, "block": block}
        self.busy.add(room_id)
        (answer,) = yield [("crms", {**values, **room.head})]
        if answer.code == 200:
            self.by_id[room_id] = room
        self.busy.discard(room_id)
        return answer.code

    def _join(self, name, password, common=False):
        for _ in range(TRIES):
            (first,) = yield [("jrms1", {"name": name})]
            if first.status == 2:
                return first.code
            room_id = first["room"]
            wrap_key, auth_key = checks.password_keys(password, first["salt"], room_id)
            (second,) = yield [("jrms2", {"room": room_id, "auth": auth_key})]
            if second.status == 2:
                return second.code
            key = checks.unwrap(second.values, wrap_key, room_id, second["epoch"])
            room = Room(room_id, name, 0, keys={second["epoch"]: key}, wrap_key=wrap_key, common=common)
            code = yield from self._enter(room, second["epoch"], key, auth_key)
            if code != 409:
                return code
        return 409

    def _follow_invitation(self, invitation):
        room = invitation.room
        yield lambda: room.id not in self.busy and not room.refreshing
        for _ in range(TRIES):
            if room.id not in self.invitations:
                return 403
            epoch = room.epoch
            code = yield from self._enter(room, epoch, room.key, ZEROS, invitation.entry)
            if code == 409:
                yield lambda: room.epoch != epoch or room.id not in self.invitations
                continue
            if code in (200, 403):
                self.invitations.pop(room.id, None)
            return code
        return 409

    def _join_common(self, name):
        """9.13"""
        password = self.offered[name].hex()
        for _ in range(2):
            code = yield from self._join(name, password, common=True)
            if code != 401:
                break
            code = yield from self._create(name, password, common=True)
            if code != 409:
                break
        if code == 200:
            self.offered.pop(name, None)
        return code

    def _enter(self, room, epoch, key, auth, invitation=None):
        entry = checks.make_entry(self.account, room.id, epoch, key, invitation)
        block = checks.make_block(self.account.moduli[0], key, room.wrap_key)
        proofs = {name: entry[name] for name in ("time", "mac", "signature")}
        self.busy.add(room.id)
        try:
            (answer,) = yield [("jrms3", {"room": room.id, "epoch": epoch, "auth": auth, "block": block, **proofs})]
            if answer.code != 200:
                return answer.code
            if not invitation:
                return (yield from self._arrive(room, auth))
        finally:
            self.busy.discard(room.id)
        self.by_id[room.id] = room  # with the head and the members that an invitee followed
        code = yield from self._refresh(room, entering=True)
        if code != 200:
            yield from self._retreat(room)
        return code

    def _arrive(self, room, auth):
        """9.4, 9.10: state and rows, by the R of `jrms2`, which is asked for again where the epoch is another."""
        for _ in range(TRIES):
            try:
                code = yield from self._state(room, entering=True)
            except AnotherEpoch:
                (again,) = yield [("jrms2", {"room": room.id, "auth": auth})]
                if again.status == 2:
                    yield from self._retreat(room)
                    return again.code
                room.keys[again["epoch"]] = checks.unwrap(again.values, room.wrap_key, room.id, again["epoch"])
                continue
            except Refused:
                yield from self._retreat(room)
                raise
            if code == 200:
                self.by_id[room.id] = room
            return code
        return 409

    def _retreat(self, room):
        """Whoever is in by the daemon's word alone could not enter again."""
        self._forget(room.id)
        yield from self._one("lvrm", {"room": room.id})

    def _invite(self, room, contact, days):
        code = 409
        for _ in range(TRIES):
            if room.closed or not room.key:
                yield from self._begin_epoch(room)
            expires, head = clock() + days * 24 * 3600 * 1000, checks.head_hash(room.id, room.head)
            block = checks.make_block(contact.enc, room.key, room.wrap_key)
            said = checks.invitation_bytes(
                room.id, room.name, room.epoch, self.account.uid, contact.uid, contact.keys, expires,
                checks.bound_of(head, block),
            )  # fmt: skip
            values = {"room": room.id, "invitee": contact.uid, "epoch": room.epoch, "expires": expires, "head": head}
            signature = pss_sign(self.account.sig, b"invite", said)
            (answer,) = yield [("inrm", {**values, "block": block, "invitation": signature})]
            code = answer.code
            if code != 409:
                return code
            epoch, closed = room.epoch, room.closed
            yield from self._refresh(room)
            if (epoch, closed) == (room.epoch, room.closed):
                return code
        return code

    # State and rows

    def _refresh(self, room, entering=False):
        """9.10: asks for the state of a room; what comes meanwhile waits, unless it has to come first."""
        yield lambda: room.id not in self.busy and not room.refreshing
        room.refreshing = True
        try:
            while True:
                self.busy.add(room.id)
                try:
                    return (yield from self._state(room, entering))
                except Behind:
                    handled = self.handled
                finally:
                    self.busy.discard(room.id)
                yield lambda: self.handled != handled
        except Refused as error:
            room.untrusted = True
            self._tell("untrusted", room.name, "", str(error))
            return 0
        finally:
            room.stale = room.refreshing = False

    def _look(self, invitation):
        """9.7: an invitee asks for the state at once, and again where a change does not pass."""
        room = invitation.room
        code = yield from self._refresh(room)
        if room.id in self.invitations and (code != 200 or not self._inviter_is_in(invitation)):
            yield from self._end_invitation(invitation)

    def _inviter_is_in(self, invitation):
        """9.7: a member with the pinned keys."""
        inviter = invitation.room.members.get(invitation.entry["inviter"])
        contact = self.person.book.of_uid(invitation.entry["inviter"])
        return inviter and contact and inviter.fingerprint == contact.keys

    def _end_invitation(self, invitation):
        """The daemon is told as well, or nobody could invite anew."""
        del self.invitations[invitation.room.id]
        self._tell("invitation ended", invitation.name, "", "")
        yield from self._one("dcrm", {"room": invitation.room.id})

    def _state(self, room, entering=False):
        for _ in range(TRIES):
            (state,) = yield [("strm", {"room": room.id})]
            if state.status == 2:
                return state.code
            rows = yield [("mbrm", {"room": room.id, "index": index}) for index in range(state["rows"])]
            if all(row.name == "mbrmAnswer" and row["version"] == state["version"] for row in rows):
                self.take_state(room, state.values, [row.values for row in rows], entering)
                return 200
        return 409

    def take_state(self, room, state, rows, entering=False):
        """9.10: checks of a state with its rows."""
        head, book, own = checks.head_of(state), self.person.book, self.account.uid
        if head["name"] != room.name:
            raise Refused("name")
        signer = self._signer_of_head(room, state, head)
        listed = checks.check_rows(room.id, head, rows)
        key, wrap_key = self._key_of(room, state, head, signer)
        if state["kind"] != room.kind or (wrap_key and room.kind != int(wrap_key == ZEROS)):
            raise Refused("kind")
        stay = {uid: m for uid, m in listed.items() if m.state == IN_LIST}
        gone = {uid: m for uid, m in listed.items() if m.state == GONE}
        anew = head["epoch"] > room.epoch
        entered = {row["uid"]: row["mac"] for row in rows if row["state"] == ENTERED}
        still = {uid for uid, m in room.members.items() if not anew and entered.get(uid) == m.entry}
        room.was_in(room.epoch, [m for uid, m in room.members.items() if anew or uid not in {*stay, *still}])
        room.was_in(head["epoch"], gone.values())
        if own in entered:
            stay[own] = Member(own, self.account.name, *self.account.moduli, ENTERED)
        last = {uid: epoch for uid, epoch in room.last.items() if uid not in still}
        view = checks.View(room.id, room.name, room.kind, head["epoch"], key, stay, book, last, gone)
        refused = checks.sift_entries(view, [row for row in rows if row["uid"] != own])
        for uid, member in stay.items():
            if member.state == ENTERED and uid not in {*still, own}:
                room.begin_count(uid)
        for member in stay.values():
            self._warn_of_other_keys(room, member)
        for row, step in refused:
            self._tell_ghost(room, row, step)
        room.head, room.members, room.wrap_key, room.version = head, stay, wrap_key, state["version"]
        room.ghosts = {row["uid"]: row for row, _ in refused}
        if key:
            room.keys[room.epoch] = key
        room.closed, room.kept, room.untrusted = bool(state["closed"]), state["kept"], False
        room.invited = self._invited(room, rows)
        if entering:
            room.before_me = {uid for uid in [*stay, *gone] if uid != own}
        room.keep_keys()

    def _warn_of_other_keys(self, room, member):
        try:
            checks.check_pinned(self.person.book, vars(member))
        except Refused:
            self._tell("pinned", room.name, member.name, "")

    def _signer_of_head(self, room, state, head):
        """9.10: `old`, `fork`, what has to come first, and who may give R of a later epoch (None: R is known)."""
        known, ours = room.expected if room.head is None else (room.epoch, checks.head_hash(room.id, room.head))
        if head["epoch"] < known:
            raise Refused("old")
        if head["epoch"] == known:
            if ours != checks.head_hash(room.id, head):
                raise Refused("fork")
            return None
        if not known:  # one enters by the password
            if head["epoch"] not in room.keys:
                raise AnotherEpoch
            return None
        if state["behind"] or self._next_waits(room):
            raise Behind
        signer = room.members.get(head["signer"]) or self.person.book.of_uid(head["signer"])
        if not signer or not any(signer.sig):
            raise Refused("signer")
        return signer

    def _next_waits(self, room):
        """Whether the next epoch waits among what came meanwhile."""
        waiting = [struct for struct in self.lanes.get(room.id, []) if struct.name == "chrm"]
        return room.head and any(struct["epoch"] == room.epoch + 1 for struct in waiting)

    def _key_of(self, room, state, head, signer):
        """Gives (R, wrapKey): the R one has, or that of the block; R may be None in the epoch that one knows."""
        key = room.keys.get(head["epoch"])
        if key:
            if not checks.fits(room.id, head, key):
                raise Refused("key")
            return key, room.wrap_key
        if signer:
            checks.check_head_signature(room.id, head, signer.sig)
            if room.head and room.head["owner"] not in (head["owner"], signer.uid):
                raise Refused("owner")
        try:
            key, wrap_key = checks.open_block(self.account.enc, state["block"])
        except Refused:
            key, wrap_key = None, room.wrap_key
        if key and checks.fits(room.id, head, key):
            return key, wrap_key
        if signer:
            raise Refused("key")
        return None, room.wrap_key

    def _invited(self, room, rows):
        """Rows of state 3 whose invitation verifies and counts; nobody else gets a block."""
        invited, view = {}, room.view(self.person.book)
        for row in (row for row in rows if row["state"] == INVITED):
            try:
                if not checks.sound(row):
                    raise Refused("modulus")
                checks.check_inviter(view, row)
            except Refused as error:
                self._tell("invitation", room.name, row["name"], str(error))
                continue
            invited[row["uid"]] = checks.member_of(row, INVITED)
        return invited

    # New epochs

    def _begin_epoch(self, room, removed=(), owner=None, password=None):
        """9.9; goes out from the state of now, and again where somebody was first."""
        room.rotating, removed, code = True, list(removed), 409
        forced = removed or owner or password
        try:
            for again in range(TRIES):
                code = yield from self._refresh(room)
                if code != 200:
                    return code
                if not room.wrap_key and not password:
                    room.untrusted = True  # R can't be wrapped for those who know the password
                    return 0
                if again and not forced and not room.closed and room.key:
                    return 200  # somebody else began one
                code = yield from self._try_epoch(room, removed, owner, password)
                if code != 409:
                    return code
        finally:
            room.rotating = False
        return code

    def _try_epoch(self, room, removed, owner, password):
        account, epoch, key = self.account, room.epoch + 1, draw(32)
        out = [uid for uid in [*removed, *room.ghosts] if uid in room.members or uid in room.ghosts][:REMOVALS]
        wrap_key, salt, auth = room.wrap_key, bytes(16), ZEROS
        if password and room.kind == 0:
            salt = draw(16)
            wrap_key, auth_key = checks.password_keys(password, salt, room.id)
            auth = sha256(auth_key)
        wrapped = checks.NO_WRAP if room.kind else checks.wrap(key, wrap_key, room.id, epoch)
        stay = [member for uid, member in room.members.items() if uid not in out]
        head = checks.make_head(account, room.id, room.name, stay, key, room.head, owner)
        blocks = [(m.uid, checks.make_block(m.enc, key, wrap_key)) for m in [*stay, *room.invited.values()]]
        for first in range(0, len(blocks), BLOCKS):
            rows = [{"uid": uid, "block": block} for uid, block in blocks[first : first + BLOCKS]]
            (answer,) = yield [("rtrm1", {"room": room.id, "epoch": epoch, "from": first, "blocks": rows})]
            if answer.status == 2:
                return answer.code
        renewed = {"renewed": int(bool(password and room.kind == 0)), "salt": salt, "auth": auth}
        rows = [{"uid": uid} for uid in out]
        values = {"room": room.id, "version": room.version, **renewed, **wrapped, **head, "removed": rows}
        (answer,) = yield [("rtrm2", values)]
        if answer.code == 200:
            yield lambda: room.epoch >= epoch or room.id not in self.by_id
        return answer.code

    # What the daemon brings

    def on_offer(self, struct):
        self.offered[struct["name"]] = struct["secret"]

    def take(self, struct):
        """An event of 9.14; it is acknowledged when it was handled."""
        lane = self.lanes.setdefault(struct["room"], [])
        lane.append(struct)
        self.handled += 1
        self._drain(struct["room"])

    def _drain(self, room_id):
        lane = self.lanes[room_id]
        while lane and room_id not in self.busy:
            struct = lane[0]
            try:
                getattr(self, f"_on_{struct.name}")(struct)
            except NeedState as need:
                room = self.by_id[room_id]
                if struct.frame_id not in self.tried:
                    self.tried.add(struct.frame_id)
                    self.start(self._refresh(room))
                    continue
                self._refuse(struct, need.step)
            except Refused as error:
                self._refuse(struct, str(error))
            lane.pop(0)
            self.handled += 1
            self.person.acks.append(struct.frame_id)

    def _refuse(self, struct, step):
        self.person.refused.append((struct.name, step))

    def _tell(self, kind, room, who, step):
        self.notices.append((kind, room, who, step))

    def _tell_ghost(self, room, entry, step):
        if entry["uid"] not in room.ghosts:
            self._tell("ghost", room.name, entry["name"], step)

    def _room(self, struct):
        """The room of an event that is not in the state already which one took."""
        room = self.by_id.get(struct["room"])
        if not room and struct["room"] in self.invitations:
            room = self.invitations[struct["room"]].room
        return room if room and room.head and struct["version"] > room.version else None

    def _ask_again(self, room):
        """9.7, 9.9: what does not pass is looked up in the state."""
        room.stale = True
        invitation = self.invitations.get(room.id)
        self.start(self._look(invitation) if invitation else self._refresh(room))

    def _inviter_may_be_gone(self, room):
        invitation = self.invitations.get(room.id)
        if invitation and not self._inviter_is_in(invitation):
            self.start(self._end_invitation(invitation))

    def _on_ivrm(self, struct):
        contact = self.person.book.of_uid(struct["inviter"])
        if not contact or contact.relation != "open":
            raise Refused("invitation")
        enc, sig = self.account.moduli
        bound = checks.bound_of(struct["head"], struct["block"])
        entry = {"inviter": contact.uid, "invitedEpoch": struct["epoch"], "expires": struct["expires"], "bound": bound}
        entry["invitation"] = struct["invitation"]
        me = {**entry, "uid": self.account.uid, "name": self.account.name, "enc": enc, "sig": sig}
        checks.check_entry_invitation(struct["room"], struct["name"], me, contact)
        if struct["expires"] <= clock():
            raise Refused("invitation")
        try:
            key, wrap_key = checks.open_block(self.account.enc, struct["block"])
        except Refused as error:
            raise Refused("invitation") from error
        known = {"keys": {struct["epoch"]: key}, "wrap_key": wrap_key, "expected": (struct["epoch"], struct["head"])}
        room = Room(struct["room"], struct["name"], int(wrap_key == ZEROS), **known)
        invitation = self.invitations[room.id] = Invitation(room, entry)
        self._tell("invited", room.name, contact.name, "")
        self.start(self._look(invitation))

    def _on_enrm(self, struct):
        room = self._room(struct)
        if not room:
            return
        room.version = struct["version"]
        try:
            checks.check_entry(room.view(self.person.book), struct)
        except Refused as error:
            self._tell_ghost(room, struct, str(error))
            room.ghosts[struct["uid"]] = struct
            raise
        room.members[struct["uid"]] = checks.member_of(struct, ENTERED)
        room.invited.pop(struct["uid"], None)
        room.begin_count(struct["uid"])
        self._tell("entered", room.name, struct["name"], "")

    def _on_lfrm(self, struct):
        what = struct["what"]
        if what in (REMOVED, DELETED):
            return self._end(struct)
        if what == DECLINED:
            return self._on_declined(struct)
        room = self._room(struct)
        if not room:
            return None
        room.version, room.closed = struct["version"], True
        room.ghosts.pop(struct["uid"], None)
        if member := room.members.pop(struct["uid"], None):
            room.was_in(room.epoch, [member])
            self._tell("left", room.name, member.name, "")
        self._inviter_may_be_gone(room)
        return None

    def _on_declined(self, struct):
        room = self.by_id.get(struct["room"])
        if room:
            room.version = max(room.version, struct["version"])
            invited, contact = room.invited.pop(struct["uid"], None), self.person.book.of_uid(struct["uid"])
            self._tell("declined", room.name, (invited or contact or Contact("")).name, "")

    def _end(self, struct):
        """9.14: whatever the version."""
        room, kind = self.by_id.get(struct["room"]), "deleted" if struct["what"] == DELETED else "you removed"
        if room:
            self._tell(kind, room.name, "", "")
            self._forget(room.id)
        if invitation := self.invitations.pop(struct["room"], None):
            self._tell("invitation ended", invitation.name, "", "")

    def _on_chrm(self, struct):
        room = self._room(struct)
        if not room:
            return
        head, renewed = checks.head_of(struct), struct["renewed"]
        try:
            stay = checks.check_change(room.id, room, struct)
        except Refused as error:
            self._tell("change refused", room.name, "", str(error))
            self._ask_again(room)
            raise
        try:
            key, wrap_key = checks.open_block(self.account.enc, struct["block"])
        except Refused:
            key, wrap_key = None, b""
        former = room.head["owner"]
        gone = [room.members[row["uid"]].name for row in struct["removed"] if row["uid"] in room.members]
        room.take_head(head, stay)
        room.version = struct["version"]
        for name in gone:
            self._tell("removed", room.name, name, "")
        if head["owner"] != former:
            self._tell("owner", room.name, stay[head["owner"]].name, "")
        self._inviter_may_be_gone(room)
        same = wrap_key == room.wrap_key or ((renewed or not room.wrap_key) and (wrap_key == ZEROS) == room.kind)
        if key and same and checks.fits(room.id, head, key):
            room.keys[room.epoch], room.wrap_key = key, wrap_key
            return
        if renewed:
            room.wrap_key = b""
        self._tell("key", room.name, stay[head["signer"]].name, "")
        if room.id in self.invitations:
            self.start(self._end_invitation(self.invitations[room.id]))
        raise Refused("key")

    def _on_rvrm(self, struct):
        room = self.by_id.get(struct["room"])
        if not room:
            raise Refused("room")
        seen = (struct["sender"], struct["message"], struct["part"])
        if seen in room.inbox.seen:
            room.inbox.duplicates += 1
            return
        checks.check_message_header(struct)
        epoch, uid = struct["epoch"], struct["sender"]
        if epoch not in room.keys:
            raise NeedState("epoch")
        sender = room.sender(epoch, uid)
        if not sender:
            raise NeedState("sender")
        try:
            checks.check_pinned(self.person.book, vars(sender))
        except Refused as error:
            raise Refused("sender") from error
        text = checks.open_message(struct.values, room.keys[epoch], sender.sig)
        contact = self.person.book.of_uid(uid)
        if contact and contact.relation == "blocked":
            return
        count = room.counts.get(uid)
        if not count:
            count = room.counts[uid] = Contact(sender.name, uid=uid)
            if uid in room.before_me or uid == self.account.uid:
                count.highest, count.highest_hash = struct["sequence"] - 1, struct["previous"]
        room.inbox.take(count, struct.fields, struct.values, text)
