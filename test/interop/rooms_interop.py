#!/usr/bin/python3
"""Scenarios of rooms (SPEC 9) between this client, a daemon and the network's own client; called as interop.py is.

The daemon has `--lobby plaza` and lavish limits. The people are made once and know each other in all scenarios.
"""

import json
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unicodedata import normalize

import check_room_rules
import interop
import room_checks as checks
from crypto import draw, pss_sign
from interop import PASSWORD, WORDS, Skipped, befriend, check
from person import until
from structs import clock

OPENS = "five wörds of a list"
LOBBY = "plaza"
PATIENCE = 60
LONG = "é" * 511 + "x" + "🔒" * 1200


class Client(interop.OtherClient):
    """The network's own client; while a command of it runs, Python's people go on."""

    people = ()

    def __init__(self, world, folder):
        self.passwords, self.folder = {}, folder
        super().__init__(world, folder)

    def try_to(self, *arguments, typed=""):
        """One command; gives (exit code, its lines as objects)."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as text:
            text.write(typed), text.seek(0)
            child = subprocess.Popen([*self.command, *arguments], stdin=text, stdout=out, stderr=subprocess.PIPE)
            deadline = time.monotonic() + PATIENCE
            while child.poll() is None:
                check(time.monotonic() < deadline, f"{arguments} ends")
                go_on(*self.people, seconds=0.02)
            self.said = child.stderr.read().decode()
            child.stderr.close()
            out.seek(0)
            return child.returncode, [json.loads(line) for line in out]

    def run(self, *arguments, typed=""):
        code, lines = self.try_to(*arguments, typed=typed)
        check(code == 0, f"{' '.join(arguments)}: {code} {lines} {self.said}")
        return lines

    def knows(self, room, password):
        """Puts a room's password into the file of secrets."""
        self.passwords[room] = password
        secrets = {"password": PASSWORD, "words": WORDS, "rooms": self.passwords}
        Path(self.folder, "secrets.json").write_text(json.dumps(secrets))

    def room(self, *arguments, **more):
        return self.run("room", *arguments, **more)

    def said_in(self, room):
        return [line["text"] for line in self.run("room", "history", room) if line["type"] == "line"]

    def members(self, room):
        return sorted(line["name"] for line in self.room("members", room) if line.get("role") in ("owner", "member"))

    def notices(self, room):
        """What `receive` tells of a room: (kind, name, detail)."""
        lines = [line for line in self.run("receive") if line["type"] == "notice" and line.get("room") == room]
        return [(line["kind"], line["name"], line.get("detail", "")) for line in lines]

    def wait_notice(self, room, kind):
        deadline, told = time.monotonic() + PATIENCE, []
        while kind not in [one[0] for one in told]:
            check(time.monotonic() < deadline, f"{kind} is told, not {told}")
            told += self.notices(room)
        return told

    def wait_looked(self, room):
        """Until it has asked for state and rows of a room that it is invited to."""
        deadline = time.monotonic() + PATIENCE
        while not any(line["name"] == room and line["members"] > 0 for line in self.room("list")):
            check(time.monotonic() < deadline, f"it looks at {room}")

    def wait_said(self, room, *texts):
        deadline = time.monotonic() + PATIENCE
        while not set(texts) <= set(self.said_in(room)):
            check(time.monotonic() < deadline, f"{texts} in {room}")


def go_on(*people, seconds=0.0):
    if not any([person.tick() for person in people]):
        select.select([person.connection.transport.socket for person in people], [], [], seconds)


class Cast:
    """Two people of Python's and the network's own client, all of them in open conversations."""

    def __init__(self, world, folder):
        self.ann, self.bob = world.friends()
        self.client = Client(world, folder)
        self.client.people = self.people = [self.ann, self.bob]
        for person in self.people:
            self.client.run("add", f"@{person.account.name}")
            until(lambda: person.relation(self.client.name) == "requested", *self.people)
            person.accept(self.client.name)
        self.client.run("receive")
        self.names = sorted([self.ann.account.name, self.bob.account.name, self.client.name])

    def until(self, condition):
        until(condition, *self.people)

    def password_room(self, *members):
        """A room of Ann's, with those who joined by its password."""
        name = new_name()
        check(self.ann.rooms.create(name, OPENS) == 200, "made")
        for member in members:
            if member is self.client:
                self.client.knows(name, OPENS)
                self.client.room("join", name)
            else:
                check(member.rooms.join(name, OPENS) == 200, "joined")
        self.until(lambda: len(self.ann.rooms.members(name)) == 1 + len(members))
        return name

    def talk(self, name, people=None):
        """Each says something, and all have it."""
        people, said = people or [self.ann, self.bob], {}
        before = {person.account.name: len(person.rooms.texts(name)) for person in people}
        for person in people:
            said[person.account.name] = f"{person.account.name} says {draw(3).hex()}"
            person.rooms.text(name, said[person.account.name])
        said[self.client.name] = f"très bien {draw(3).hex()}"
        self.client.room("send", name, said[self.client.name])
        for person in people:
            mine = person.account.name
            self.until(lambda: len(person.rooms.texts(name)) >= before[mine] + len(people))
            heard = dict(person.rooms.texts(name)[before[mine] :])
            check(heard == {who: text for who, text in said.items() if who != mine}, f"{mine} hears all: {heard}")
        self.client.wait_said(name, *said.values())

    def nothing_refused(self):
        for person in self.people:
            check(not person.refused, f"nothing refused: {person.refused}")
            for room in person.rooms.by_id.values():
                check(not room.inbox.notices, f"nothing reported: {room.inbox.notices}")
                check(not any(count.missing for count in room.counts.values()), "nothing missing")


def new_name():
    return f"r_{draw(5).hex()}"


def expect(got, wanted, what):
    check(got == wanted, f"{what}: {wanted}, not {got}")


# Making and entering


def room_of_python(cast):
    """9.2 to 9.6, 9.8: Python makes a room, the client joins by the password, all talk and see the same list."""
    name = cast.password_room(cast.client, cast.bob)
    cast.talk(name)
    for person in cast.people:
        expect(person.rooms.members(name), cast.names, "who is in")
    expect(cast.client.members(name), cast.names, "who is in, as the client sees it")
    cast.nothing_refused()


def room_of_client(cast):
    """The same the other way round, by a password that the client draws; typed in another form of Unicode."""
    name = new_name()
    made = cast.client.room("create", name)[-1]
    check(len(made["password"].split()) == 5, "five words")
    for person in cast.people:
        expect(person.rooms.join(name, normalize("NFD", made["password"])), 200, "joins")
    cast.until(lambda: len(cast.ann.rooms.members(name)) == 3)
    cast.talk(name)
    expect(cast.bob.rooms.members(name), cast.client.members(name), "who is in")
    cast.nothing_refused()


def room_invitations(cast):
    """9.7: the client invites Python into a room without a password; one enters, one declines; then once more."""
    name, client = new_name(), cast.client
    client.room("create", name, "--invite-only")
    expect(cast.ann.rooms.join(name, OPENS), 401, "no password opens it")
    for person in cast.people:
        client.room("invite", name, f"@{person.account.name}")
    cast.until(lambda: all(person.rooms.invitation(name) for person in cast.people))
    expect(cast.ann.rooms.join(name), 200, "enters")
    expect(cast.bob.rooms.decline(name), 200, "declines")
    told = client.wait_notice(name, "invitation-declined")
    check(("invitation-declined", cast.bob.account.name, "") in told, "the client is told")
    cast.talk(name, [cast.ann])
    expect(cast.ann.rooms.invite(name, cast.bob.account.name) in (200, 202), True, "Ann invites Bob")
    cast.until(lambda: cast.bob.rooms.invitation(name))
    expect(cast.bob.rooms.join(name), 200, "enters")
    cast.until(lambda: len(cast.ann.rooms.members(name)) == 3)
    cast.talk(name)
    rows = {line["name"]: line for line in client.room("members", name)}
    expect(rows[cast.bob.account.name]["inviter"], cast.ann.account.name, "who invited Bob")
    expect(client.members(name), cast.names, "who is in")
    cast.nothing_refused()


def room_invites_client(cast):
    """9.7: Python invites the client, two epochs begin before it joins, and somebody enters; it follows all that."""
    invited_over_epochs(cast, cast.ann)


def room_invites_client_among_strangers(cast):
    """The same where somebody begins the epochs who is no contact of the client's, but was in when it was invited."""
    invited_over_epochs(cast, cast.stranger)


def invited_over_epochs(cast, owner):
    name, eve, ann, client = new_name(), cast.stranger, cast.ann, cast.client
    people = {eve.account.name: eve, ann.account.name: ann}
    check(people.pop(owner.account.name).rooms.create(name, OPENS) == 200, "made")
    (other,) = people.values()
    expect(other.rooms.join(name, OPENS), 200, "another enters")
    check(ann.rooms.invite(name, client.name) in (200, 202), "Ann invites")
    client.wait_notice(name, "invited")
    client.wait_looked(name)
    expect(owner.rooms.begin_epoch(name), 200, "another epoch")
    expect(owner.rooms.set_password(name, OPENS + " anew"), 200, "and another")
    until(lambda: all(person.rooms.get(name).epoch == 3 for person in (ann, eve)), *cast.people, eve)
    expect(cast.bob.rooms.join(name, OPENS + " anew"), 200, "Bob enters meanwhile")
    client.room("join", name)
    cast.until(lambda: len(ann.rooms.members(name)) == 4)
    cast.talk(name)
    expect(client.members(name), sorted([*cast.names, eve.account.name]), "who is in")
    told = [one for one in client.notices(name) if one[0] not in ("entered", "owner")]
    expect(told, [], "no complaint of the client's")
    expect(owner.rooms.delete(name), 200, "deleted")
    until(lambda: not any(person.rooms.has(name) for person in (ann, cast.bob, eve)), *cast.people, eve)
    cast.nothing_refused()


# Epochs


def room_removed_by_client(cast):
    """9.9: the client removes Bob; Ann checks the new epoch and talks on; Bob can't come back by the old password."""
    name, client = new_name(), cast.client
    client.knows(name, OPENS)
    client.room("create", name)
    for person in cast.people:
        check(person.rooms.join(name, OPENS) == 200, "joins")
    client.knows(name, OPENS + " anew")
    client.room("remove", name, f"@{cast.bob.account.name}")
    cast.until(lambda: not cast.bob.rooms.has(name) and cast.ann.rooms.get(name).epoch == 2)
    expect(cast.ann.rooms.members(name), sorted([cast.ann.account.name, client.name]), "who is in")
    cast.talk(name, [cast.ann])
    expect(cast.bob.rooms.join(name, OPENS), 401, "the old password")
    expect(cast.bob.rooms.join(name, OPENS + " anew"), 200, "the new one")
    client.room("owner", name, f"@{cast.ann.account.name}")
    cast.until(lambda: cast.ann.rooms.get(name).head["owner"] == cast.ann.account.uid)
    cast.until(lambda: cast.bob.rooms.get(name).epoch == 3)
    expect(cast.ann.rooms.remove(name, cast.bob.account.name, OPENS + " again"), 200, "Ann removes Bob")
    client.wait_notice(name, "removed")
    cast.talk(name, [cast.ann])
    cast.nothing_refused()


def room_left(cast):
    """9.9: Bob leaves, and Ann's next text begins an epoch that the client follows; the client leaves, Ann again."""
    name = cast.password_room(cast.bob, cast.client)
    expect(cast.bob.rooms.leave(name), 200, "leaves")
    cast.until(lambda: cast.ann.rooms.get(name).closed)
    cast.talk(name, [cast.ann])
    expect(cast.ann.rooms.get(name).epoch, 2, "another epoch")
    told = cast.client.notices(name)
    check(("left", cast.bob.account.name, "") in told, f"the client tells who left: {told}")
    expect(cast.bob.rooms.join(name, OPENS), 200, "comes back")
    expect(cast.bob.rooms.leave(name), 200, "leaves again")
    expect(cast.bob.rooms.join(name, OPENS), 200, "enters the closed epoch")
    cast.client.room("send", name, "the client begins one")
    cast.until(lambda: cast.ann.rooms.get(name).epoch == 3 == cast.bob.rooms.get(name).epoch)
    cast.talk(name)
    cast.client.room("leave", name)
    cast.until(lambda: cast.ann.rooms.get(name).closed)
    cast.ann.rooms.text(name, "alone with Bob")
    cast.until(lambda: cast.bob.rooms.texts(name)[-1][1] == "alone with Bob")
    cast.nothing_refused()


def room_inviter_gone(cast):
    """9.6, 9.10: who was invited by somebody that entered, and perhaps left, in the same epoch is no ghost."""
    name, eve, client = new_name(), cast.stranger, cast.client
    check(eve.rooms.create(name, OPENS) == 200, "made")
    expect(cast.bob.rooms.join(name, OPENS), 200, "Bob enters")
    check(cast.bob.rooms.invite(name, cast.ann.account.name) in (200, 202), "Bob invites Ann")
    cast.until(lambda: cast.ann.rooms.invitation(name))
    expect(cast.ann.rooms.join(name), 200, "Ann enters")
    client.knows(name, OPENS)
    client.room("join", name)
    expect(client.members(name), sorted([*cast.names, eve.account.name]), "the client sees all")
    client.room("leave", name)
    expect(cast.bob.rooms.leave(name), 200, "Bob leaves")
    client.room("join", name)
    expect(client.notices(name), [], "no complaint of the client's")
    expect(cast.bob.rooms.join(name, OPENS), 200, "Bob comes anew")
    expect(cast.bob.rooms.members(name), sorted([*cast.names, eve.account.name]), "Bob sees all")
    client.room("send", name, "Ann, are you there?")
    until(lambda: cast.ann.rooms.texts(name) and cast.bob.rooms.texts(name), *cast.people, eve)
    expect(cast.ann.rooms.get(name).epoch, 2, "the client began an epoch, with Ann and Bob in it")
    expect(eve.rooms.delete(name), 200, "deleted")
    cast.until(lambda: not cast.bob.rooms.has(name) and not cast.ann.rooms.has(name))
    cast.nothing_refused()


def room_back(cast):
    """9.5, 9.10: who is in the head's list, left and came back is in, for those who enter then as well."""
    name = cast.password_room(cast.bob)
    expect(cast.ann.rooms.begin_epoch(name), 200, "an epoch with Bob in its list")
    cast.until(lambda: cast.bob.rooms.get(name).epoch == 2)
    cast.bob.rooms.text(name, "before")
    cast.until(lambda: cast.ann.rooms.texts(name))
    expect(cast.bob.rooms.leave(name), 200, "leaves")
    expect(cast.bob.rooms.join(name, OPENS), 200, "comes back")
    cast.client.knows(name, OPENS)
    cast.client.room("join", name)
    cast.until(lambda: len(cast.ann.rooms.members(name)) == 3)
    for person in cast.people:
        expect(person.rooms.members(name), cast.names, "who is in")
    expect(cast.client.members(name), cast.names, "who is in, as the client sees it")
    cast.bob.rooms.text(name, "after")
    cast.until(lambda: len(cast.ann.rooms.texts(name)) == 2)
    cast.client.wait_said(name, "before", "after")
    expect(cast.client.notices(name), [], "no complaint of the client's")
    cast.nothing_refused()


def room_outbox(cast):
    """7.3, 9.8: long texts; what the client and Ann wrote while the other was away, and an epoch began, comes whole."""
    name, client, ann = cast.password_room(cast.client), cast.client, cast.ann
    client.room("send", name, "-", typed=LONG)
    cast.until(lambda: ann.rooms.texts(name) == [(client.name, LONG)])
    client.run("logout")
    mine = "first", LONG + "?", "last"
    for text in mine:
        code, _ = client.try_to("room", "send", name, "-", "--server", "127.0.0.1:1", typed=text)
        expect(code, 3, "kept in the outbox")
    first = ann.rooms.text(name, LONG + "!")
    cast.until(lambda: ann.state(first) == "queued")
    expect(ann.rooms.begin_epoch(name), 200, "another epoch")
    client.run("login")
    cast.until(lambda: len(ann.rooms.texts(name)) == 4)
    expect([text for _, text in ann.rooms.texts(name)], [LONG, *mine], "in order")
    client.wait_said(name, LONG + "!")
    ann.close()
    client.people = [cast.bob]
    client.room("send", name, "while Ann is away")
    client.people = cast.people
    ann.log_in(ann.session.grant)
    cast.until(lambda: len(ann.rooms.texts(name)) == 5)
    cast.talk(name, [ann])
    cast.nothing_refused()


def room_invited_before(cast):
    """9.7: Python is invited, the client sets another password, and Python follows and enters."""
    name, client, bob = new_name(), cast.client, cast.bob
    client.room("create", name)
    client.room("invite", name, f"@{bob.account.name}")
    cast.until(lambda: bob.rooms.invitation(name))
    expect(bob.call("strm", {"room": bob.rooms.invitation(name).room.id}).code, 200, "an invitee may ask for the state")
    drawn = client.room("passwd", name)[-1]["password"]
    cast.until(lambda: bob.rooms.invitation(name).epoch == 2)
    expect(bob.rooms.join(name), 200, "enters")
    expect(cast.ann.rooms.join(name, drawn), 200, "the new password opens it")
    cast.until(lambda: len(bob.rooms.members(name)) == 3)
    cast.talk(name)
    cast.nothing_refused()


def room_epoch_while_entering(cast):
    """9.10: who enters and finds the next epoch asks for R anew, and is not confused by what comes of it."""
    name, rooms = cast.password_room(cast.client), cast.bob.rooms
    state = rooms._state

    def late(room, entering=False):
        rooms._state = state
        expect(cast.ann.rooms.begin_epoch(name), 200, "another epoch")
        return (yield from state(room, entering))

    rooms._state = late
    expect(rooms.join(name, OPENS), 200, "enters")
    expect(rooms.get(name).epoch, 2, "the next epoch")
    cast.talk(name)
    cast.nothing_refused()


def room_epoch_meanwhile(cast):
    """9.8: a text sealed for an epoch that is over is answered 409, sealed anew, and read once."""
    name = cast.password_room(cast.bob, cast.client)
    room = cast.bob.rooms.get(name)
    old = room.head, dict(room.keys)
    for text in ("first", LONG, "last"):
        cast.bob.rooms.text(name, text)
    cast.bob.rooms.busy.add(room.id)  # Bob does not see the new epoch yet
    expect(cast.ann.rooms.begin_epoch(name), 200, "another epoch")
    check(room.head is old[0], "Bob is behind")
    cast.until(lambda: any(outgoing.state == "waiting" and outgoing.code == 409 for outgoing in of(cast.bob, room)))
    cast.bob.rooms.busy.discard(room.id)
    cast.until(lambda: len(cast.ann.rooms.texts(name)) == 3)
    cast.client.wait_said(name, "first", LONG, "last")
    check(not [one for one in cast.client.notices(name) if one[0] in ("gap", "unreadable")], "no gap")
    cast.nothing_refused()


def of(person, room):
    return [outgoing for outgoing in person.outbox.values() if outgoing.lane == room.id]


# Messages


def room_history(cast):
    """9.4, 9.11: who enters gets the newest 20 of the epoch, with all their parts, and no complaint."""
    name = cast.password_room(cast.client)
    for n in range(11):
        cast.ann.rooms.text(name, f"a{n}")
    cast.ann.rooms.text(name, LONG)
    cast.until(lambda: all(o.state in ("delivered", "queued") for o in of(cast.ann, cast.ann.rooms.get(name))))
    cast.client.room("send", name, "of the client")
    for n in range(12):
        cast.ann.rooms.text(name, f"b{n}")
    cast.until(lambda: all(o.state in ("delivered", "queued") for o in of(cast.ann, cast.ann.rooms.get(name))))
    wanted = [*[f"a{n}" for n in range(5, 11)], LONG, *[f"b{n}" for n in range(12)]]
    expect(cast.bob.rooms.join(name, OPENS), 200, "joins")
    room = cast.bob.rooms.get(name)
    cast.until(lambda: len(cast.bob.rooms.texts(name)) == 20)
    mine = [text for who, text in cast.bob.rooms.texts(name) if who == cast.ann.account.name]
    expect(mine, wanted, "Ann's newest")
    expect(room.kept, 19 + len(LONG.encode()) // 1024 + 1, "the parts that are kept")
    cast.nothing_refused()


def room_history_of_client(cast):
    """The same for the client that enters."""
    name = cast.password_room(cast.bob)
    for n in range(21):
        cast.ann.rooms.text(name, f"{n}")
    cast.ann.rooms.text(name, LONG)
    cast.until(lambda: len(cast.bob.rooms.texts(name)) == 22)
    cast.client.knows(name, OPENS)
    cast.client.room("join", name)
    expect(cast.client.said_in(name), [*[f"{n}" for n in range(2, 21)], LONG], "the newest 20")
    expect(cast.client.notices(name), [], "no complaint")


def room_again(cast):
    """8.1, 8.3, 9.8: repetitions of a text and of commands have one effect, also behind another epoch."""
    name = cast.password_room(cast.bob, cast.client)
    message = cast.ann.rooms.text(name, "once")
    cast.until(lambda: cast.ann.state(message) == "delivered")
    outgoing = cast.ann.outbox[message]
    outgoing.state = "waiting"
    cast.until(lambda: outgoing.state == "delivered")
    expect(len(cast.bob.rooms.texts(name)), 1, "read once")
    expect(cast.ann.rooms.begin_epoch(name), 200, "another epoch")
    outgoing.state = "waiting"
    cast.until(lambda: outgoing.state in ("delivered", "queued"))
    expect(outgoing.code, 202, "kept as it was")
    cast.ann.rooms.text(name, "twice")
    cast.until(lambda: len(cast.bob.rooms.texts(name)) == 2)
    expect([text for _, text in cast.bob.rooms.texts(name)], ["once", "twice"], "read once")
    cast.client.wait_said(name, "once", "twice")
    expect([one for one in cast.client.notices(name) if one[0] == "gap"], [], "no gap")
    cast.nothing_refused()
    values, _ = made_room(cast.ann)
    frame = draw(16)
    expect([again(cast.ann, "crms", values, frame) for _ in "12"], [200, 200], "answered as it was")
    expect(cast.ann.call("crms", values).code, 409, "another frame id")


def made_room(person):
    """The values of a `crms` without a password, and its room's id."""
    nonce, account = draw(32), person.account
    room_id, me = checks.room_id(account.uid, nonce), checks.Member(account.uid, account.name, *account.moduli)
    empty = {"kind": 1, "nonce": nonce, "salt": bytes(16), "auth": bytes(32), **checks.NO_WRAP, "block": draw(256)}
    return {**empty, **checks.make_head(account, room_id, new_name(), [me], draw(32))}, room_id


def again(person, name, values, frame):
    """A command with a frame id of one's own choice; gives the code of its answer."""
    person.commands[frame] = name, values
    person.connection.send(name, values, frame)
    until(lambda: frame in person.answers, *person.beside)
    return person.answers.pop(frame).code


def room_deleted(cast):
    """9.9: each deletes one; nothing is left with the others, also not in the queue."""
    name, client = cast.password_room(cast.client, cast.bob), cast.client
    expect(cast.bob.rooms.delete(name), 403, "the owner alone")
    expect(cast.ann.rooms.leave(name), 409, "the owner can't leave")
    cast.bob.close()
    message = cast.ann.rooms.text(name, "never to be read")
    until(lambda: cast.ann.state(message) in ("queued", "delivered"), cast.ann)
    expect(cast.ann.rooms.delete(name), 200, "deleted")
    cast.bob.log_in(cast.bob.session.grant)
    check(not cast.bob.rooms.has(name) and not cast.bob.refused, "Bob is told, and gets no message")
    client.wait_notice(name, "room-deleted")
    theirs = new_name()
    client.knows(theirs, OPENS)
    client.room("create", theirs)
    expect(cast.ann.rooms.join(theirs, OPENS), 200, "joins")
    client.room("delete", theirs, "--yes")
    cast.until(lambda: not cast.ann.rooms.has(theirs))
    expect(cast.ann.rooms.join(theirs, OPENS), 401, "there is none")
    cast.nothing_refused()


def room_common(cast):
    """9.13: the network's room; the client makes it, then Ann does, and the others join, none with a password."""
    client = cast.client
    client.room("join", LOBBY)
    check(all(LOBBY in person.rooms.offered for person in cast.people), "offered before drnd")
    for person in cast.people:
        expect(person.rooms.join(LOBBY), 200, "joins")
    expect(cast.ann.rooms.get(LOBBY).head["owner"], cast.ann.book.by_name[client.name].uid, "the client made it")
    cast.until(lambda: len(cast.ann.rooms.members(LOBBY)) == 3)
    cast.talk(LOBBY)
    cast.bob.close()
    cast.bob.rooms.offered.clear()
    cast.bob.log_in(cast.bob.session.grant)
    check(not cast.bob.rooms.offered, "no offer to who is in")
    client.room("delete", LOBBY, "--yes")
    client.run("logout")
    cast.until(lambda: not any(person.rooms.has(LOBBY) for person in cast.people))
    for person in cast.people:
        person.close()
        person.log_in(person.session.grant)
        check(LOBBY in person.rooms.offered, "offered again")
        expect(person.rooms.join(LOBBY), 200, "made by Ann, joined by Bob")
    client.run("login")
    client.room("join", LOBBY)
    cast.until(lambda: len(cast.ann.rooms.members(LOBBY)) == 3)
    client.room("send", LOBBY, "made anew")
    cast.until(lambda: all(person.rooms.texts(LOBBY) for person in cast.people))
    cast.nothing_refused()


# Refusals


def room_refusals(cast):
    """What the daemon refuses a member, and who knows nothing: codes of 9.4 and 9.7 to 9.10."""
    name, ann, bob = cast.password_room(cast.bob), cast.ann, cast.bob
    room, call, eve = bob.rooms.get(name), bob.call, cast.stranger
    for who in (name, new_name()):
        first = [eve.call("jrms1", {"name": who}).values for _ in range(2)]
        check(first[0] == first[1] and any(first[0]["salt"]), "the same id and salt each time")
        expect(eve.rooms.join(who, "wrong password"), 401, "401 alike")
    hdr = header(bob, room, room.epoch)
    forged = checks.seal_message(bob.account, room.key, {**hdr, "sender": ann.account.uid}, b"as Ann")
    expect(send(bob, forged), 403, "in another's name")
    expect(send(bob, checks.seal_message(bob.account, room.key, {**hdr, "epoch": 2}, b"early")), 409, "a later epoch")
    expect(send(bob, {**forged, "room": draw(16)}), 403, "an unknown room")
    expect(bob.rooms._run(bob.rooms._begin_epoch(room, [ann.account.uid])), 403, "Bob removes Ann")
    expect(bob.rooms.hand_over(name, bob.account.name), 403, "Bob makes himself the owner")
    expect(bob.rooms.set_password(name, "of Bob's own"), 403, "Bob sets a password")
    expect(call("rtrm2", change(bob, room, {"version": room.version + 1})).code, 409, "another version")
    expect(call("rtrm2", change(bob, room, {"previous": draw(32)})).code, 400, "no blocks, another previous")
    expect(call("mbrm", {"room": room.id, "index": 7}).code, 404, "no such row")
    expect(call("strm", {"room": draw(16)}).code, 403, "an unknown room's state")
    expect(call("dlrm", {"room": room.id}).code, 403, "deleting")
    expect(call("dcrm", {"room": room.id}).code, 403, "nothing to decline")
    expect(eve.call("lvrm", {"room": room.id}).code, 403, "leaving where one is not")
    expect(call("rtrm1", {"room": room.id, "epoch": 2, "from": 6, "blocks": []}).code, 409, "blocks in between")
    for field in ("owner", "signature", "list", "previous"):
        values, _ = made_room(bob)
        expect(call("crms", {**values, field: draw(len(values[field]))}).code, 403, f"making with another {field}")
    invited = {"room": room.id, "invitee": draw(16), "epoch": 1, "expires": clock() + 10**6, "head": draw(32)}
    invited |= {"block": draw(256), "invitation": draw(256)}
    expect(call("inrm", invited).code, 404, "no such invitee")
    expect(call("inrm", {**invited, "invitee": ann.account.uid}).code, 409, "a member already")
    expect(ann.rooms.begin_epoch(name), 200, "another epoch")
    old = checks.seal_message(bob.account, draw(32), {**hdr, "epoch": 1}, b"late")
    expect(send(bob, old), 409, "an epoch that is over")
    enter = {"room": room.id, "epoch": 2, "auth": bytes(32), "block": draw(256), "time": clock()}
    expect(eve.call("jrms3", {**enter, "mac": draw(32), "signature": draw(256)}).code, 403, "not invited")
    expect(eve.call("strm", {"room": room.id}).code, 403, "no member")
    cast.nothing_refused()


def header(person, room, epoch, sequence=None):
    room.sent += 1
    numbers = {"sequence": sequence or room.sent, "previous": bytes(32), "part": 0, "parts": 1}
    return {"room": room.id, "epoch": epoch, "sender": person.account.uid, "message": draw(16), "time": clock()} | numbers


def send(person, values):
    return again(person, "srms", values, values["message"])


def change(person, room, values):
    """A head of the person's for the next epoch, without blocks."""
    head = checks.make_head(person.account, room.id, room.name, room.members.values(), draw(32), room.head)
    empty = {"room": room.id, "version": room.version, "renewed": 0, "salt": bytes(16), "auth": bytes(32)}
    return {**empty, **checks.NO_WRAP, **head, "removed": [], **values}


def room_hostile_member(cast):
    """9.6 to 9.9: what the daemon can't see, the client refuses, and says so."""
    name, bob, client = cast.password_room(cast.client, cast.bob), cast.bob, cast.client
    client.notices(name)
    room = bob.rooms.get(name)
    hdr = header(bob, room, 1)
    other = checks.seal_message(cast.ann.account, room.key, hdr, b"signed by Ann")
    check(send(bob, other) in (200, 202), "the daemon can't see it")
    check(("unreadable", bob.account.name, "signature") in client.wait_notice(name, "unreadable"), "signature")
    cast.until(lambda: ("rvrm", "signature") in cast.ann.refused)
    check(send(bob, checks.seal_message(bob.account, draw(32), header(bob, room, 1), b"another key")) in (200, 202), "")
    check(("unreadable", bob.account.name, "seal") in client.wait_notice(name, "unreadable"), "seal")
    hdr = header(bob, room, 1)
    check(send(bob, checks.seal_message(bob.account, room.key, {**hdr, "part": 1}, b"no part")) in (200, 202, 400), "")
    ghost = cast.stranger
    wrap_key, auth = checks.password_keys(OPENS, ghost.call("jrms1", {"name": name})["salt"], room.id)
    entry = checks.make_entry(ghost.account, room.id, 1, draw(32))
    values = {"room": room.id, "epoch": 1, "auth": auth, "block": draw(256), "time": entry["time"]}
    expect(ghost.call("jrms3", {**values, "mac": entry["mac"], "signature": entry["signature"]}).code, 200, "a ghost")
    check(("ghost", ghost.account.name, "mac") in client.wait_notice(name, "ghost"), "the client tells of a ghost")
    cast.until(lambda: ("enrm", "mac") in cast.ann.refused)
    check(ghost.account.name not in client.members(name), "the ghost is not in the list")
    expect(bob.rooms.begin_epoch(name), 200, "Bob, who is no owner, begins an epoch without the ghost")
    cast.until(lambda: cast.ann.rooms.get(name).epoch == 2 and not cast.ann.rooms.get(name).ghosts)
    client.room("send", name, "still here")
    cast.until(lambda: (client.name, "still here") in cast.ann.rooms.texts(name))


def room_hostile_inviter(cast):
    """9.7: an invitation that does not verify is refused by the client."""
    name, ann = new_name(), cast.ann
    check(ann.rooms.create(name) == 200, "made")
    room, contact = ann.rooms.get(name), ann.book.by_name[cast.client.name]
    values = {"room": room.id, "invitee": contact.uid, "epoch": 1, "expires": clock() + 10**7}
    values |= {"head": checks.head_hash(room.id, room.head), "block": draw(256)}
    signature = pss_sign(ann.account.sig, b"invite", draw(32))
    check(ann.call("inrm", {**values, "invitation": signature}).code in (200, 202), "the daemon can't see it")
    cast.client.wait_notice(name, "invitation-refused")
    code, _ = cast.client.try_to("room", "join", name)
    check(code != 0, "it can't be followed")


def room_entered_without_key(cast):
    """9.9, 9.10: two have no R of an epoch that somebody entered; one begins another without her; she comes again."""
    name, client, eve = cast.password_room(cast.client, cast.bob), cast.client, cast.stranger
    make_block, bob = checks.make_block, cast.bob.account.moduli[0]
    checks.make_block = lambda to, key, wrap: make_block(to, key if to == bob else draw(32), wrap)
    try:
        expect(cast.bob.rooms.begin_epoch(name), 200, "an epoch with a key of each one's own")
    finally:
        checks.make_block = make_block
    told = {one[:2] for one in client.wait_notice(name, "room-key")}
    check(("room-key", cast.bob.account.name) in told, "the client has no key, and says whose it is")
    expect(eve.rooms.join(name, OPENS), 200, "somebody enters")
    cast.until(lambda: ("enrm", "mac") in cast.ann.refused)
    client.room("send", name, "with a key again")
    cast.until(lambda: all((client.name, "with a key again") in p.rooms.texts(name) for p in cast.people))
    until(lambda: not eve.rooms.has(name), *cast.people, eve)
    expect(eve.rooms.join(name, OPENS), 200, "comes again")
    eve.rooms.text(name, "here I am")
    until(lambda: all((eve.account.name, "here I am") in p.rooms.texts(name) for p in cast.people), *cast.people, eve)
    client.wait_said(name, "here I am")
    expect(client.members(name), sorted([*cast.names, eve.account.name]), "who is in")


def forget(people):
    """What a scenario before this one refused is not this one's."""
    for person in people:
        person.refused.clear()
        for room in person.rooms.by_id.values():
            room.inbox.notices.clear()
            for count in room.counts.values():
                count.missing.clear()


def room_checks(_cast):
    """9.3 to 9.10 without a daemon: what members refuse, and by which step."""
    problems = [f"{what}: {problem}" for what, problem in check_room_rules.results() if problem]
    check(not problems, "; ".join(problems))


SCENARIOS = [
    room_checks,
    room_of_python,
    room_of_client,
    room_invitations,
    room_invites_client,
    room_invites_client_among_strangers,
    room_removed_by_client,
    room_left,
    room_inviter_gone,
    room_back,
    room_outbox,
    room_invited_before,
    room_epoch_while_entering,
    room_epoch_meanwhile,
    room_history,
    room_history_of_client,
    room_again,
    room_deleted,
    room_common,
    room_refusals,
    room_hostile_member,
    room_hostile_inviter,
    room_entered_without_key,
]


def with_cast(scenario, kept):
    def run(world):
        if not world.client:
            raise Skipped("no --client")
        if "cast" not in kept:
            kept["cast"] = cast = Cast(world, kept["folder"])
            cast.stranger = world.person()
            for person in (*cast.people, cast.stranger):
                person.beside = cast.people
        forget([*kept["cast"].people, kept["cast"].stranger])
        scenario(kept["cast"])

    run.__name__ = scenario.__name__
    return run


def main():
    with tempfile.TemporaryDirectory() as folder:
        kept = {"folder": folder}
        try:
            return interop.main([with_cast(scenario, kept) for scenario in SCENARIOS])
        finally:
            if "cast" in kept:
                kept["cast"].client.people = ()
                kept["cast"].client.try_to("logout")


if __name__ == "__main__":
    sys.exit(main())
