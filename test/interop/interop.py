#!/usr/bin/python3
"""Scenarios between this client and a daemon of the network: `ok NAME` or `not ok NAME: why` for each.

Exit code 1 if one failed. What needs an option that was not given is `ok NAME # skip`. A daemon for it has
`--limit epoch-frames=1024`, and room for some fifty registrations and lookups.

    interop.py HOST PORT LINKED.json [--pin HEX] [--tcp] [--only NAME] [--client COMMAND] [--vectors DIR] [--words FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

from account import Denied, fingerprint, log_in, register
from connection import Kept, TooOld, Unanswered, connect
from contacts import Contact
from crypto import Refused, draw, keep_rsa_keys, modulus_of, new_rsa_key
from frames import EARLIEST_TURN, LAST_SEQUENCE
from handshake import TCP, TLS, Handshake, UpgradeNeeded, read_linked
from inbox import Inbox
from person import Person, until
from safety import read_words, safety_words
from transport import Closed, Transport
from vectors import check_folder, check_safety_words

PASSWORD, WORDS = "corréct horse battery", "Three  quiet WORDS"


class World:
    """Where the daemon is, and what its clients are linked with."""

    def __init__(self, options):
        self.host, self.port, self.tls = options.host, options.port, not options.tcp
        self.linked, self.client = read_linked(options.linked), options.client
        self.vectors, self.words = options.vectors, options.words
        if options.pin:
            self.linked = replace(self.linked, pins=[bytes.fromhex(options.pin)])

    def transport(self):
        return Transport(self.host, self.port, self.linked.pins if self.tls else None)

    @property
    def generation(self):
        return self.linked.generations[-1]

    def handshake(self, transport, linked=None, generation=None):
        kind = TLS if self.tls else TCP
        return Handshake(linked or self.linked, generation or self.generation, kind, transport.binding())

    def connect(self, turn_at=LAST_SEQUENCE, generations=None, kept=None):
        linked = replace(self.linked, generations=generations or self.linked.generations)
        return connect(self.host, self.port, linked, kept or Kept(), tls=self.tls, turn_at=turn_at)

    def account(self):
        connection = self.connect()
        try:
            return register(connection, f"py_{draw(6).hex()}", PASSWORD, WORDS)
        finally:
            connection.close()

    def person(self, account=None, turn_at=LAST_SEQUENCE):
        return Person(account or self.account(), lambda: self.connect(turn_at)).log_in()

    def friends(self, turn_at=LAST_SEQUENCE):
        """Two people who asked and accepted."""
        ann, bob = self.person(turn_at=turn_at), self.person(turn_at=turn_at)
        befriend(ann, bob)
        return ann, bob


class Skipped(Exception):
    """What a scenario needs was not given."""


def befriend(ann, bob):
    check(ann.ask(bob.account.name) in (200, 202), "the request is taken")
    until(lambda: bob.relation(ann.account.name) == "requested", ann, bob)
    check(bob.accept(ann.account.name) in (200, 202), "the acceptance is taken")
    until(lambda: ann.relation(bob.account.name) == "open", ann, bob)


def check(truth, what):
    if not truth:
        raise AssertionError(f"not so: {what}")


def expect_closed(transport, what):
    """The daemon ends the connection and has not sent a byte."""
    try:
        transport.wait_frame()
    except Closed:
        return check(not transport.received, f"{what}: closed without a byte")
    raise AssertionError(f"{what}: was answered")


def expect_denied(code, action, *arguments):
    try:
        action(*arguments)
    except Denied as denied:
        check((denied.status, denied.code) == (2, code), f"2/{code}, not {denied.status}/{denied.code}")
        return denied
    raise AssertionError(f"{code} was expected")


def all_delivered(*people):
    return all(outgoing.state == "delivered" for person in people for outgoing in person.outbox.values())


def expect_refused(step, action, *arguments):
    try:
        action(*arguments)
    except Refused as refused:
        return check(str(refused) == step, f"{step}, not {refused}")
    raise AssertionError(f"{step} was to be refused")


# 1. The handshake


def handshake(world):
    """4.3, 4.5"""
    connection = world.connect()
    ack = connection.ack
    check((ack.status, ack.code) == (3, 200), "the ACK has 3/200")
    check(connection.call("keyq", {"name": "nobody"})[1].code == 403, "frames pass under ck2")
    check(ack["window"] > 0 and any(ack["challenge"]) and any(ack["session"]), "the ACK's fields are filled")
    connection.close()


def handshake_wrong_pin(world):
    """1.6: another key in the certificate ends it before the first byte of the protocol."""
    if not world.tls:
        raise Skipped("no TLS")
    try:
        Transport(world.host, world.port, [draw(32)])
    except Closed:
        return
    raise AssertionError("another pin was accepted")


def handshake_of_another_network(world):
    """4.4 step 1"""
    transport = world.transport()
    transport.send(world.handshake(transport, generation=replace(world.generation, network_key=draw(16))).hello())
    expect_closed(transport, "another network's HELLO")


def handshake_replayed(world):
    """4.4 step 4; over TLS another connection has another exporter, so step 1 refuses already."""
    first = world.connect()
    transport = world.transport()
    transport.send(first.hello)
    expect_closed(transport, "the HELLO again")
    first.close()


def handshake_damaged(world):
    """4.4 step 1: a bit of a HELLO flipped."""
    transport = world.transport()
    hello = bytearray(world.handshake(transport).hello())
    hello[1000] ^= 1
    transport.send(bytes(hello))
    expect_closed(transport, "a damaged HELLO")


def handshake_old_table(world):
    """4.5: another table is answered 426 and nothing else."""
    transport = world.transport()
    mine = world.handshake(transport, replace(world.linked, table=draw(32)))
    transport.send(mine.hello())
    try:
        mine.finish(transport.wait_frame())
    except UpgradeNeeded:
        return expect_closed(transport, "after 426")
    raise AssertionError("426 was expected")


def generations(world):
    """4.7: which generations are tried and what is remembered, with a key that the daemon does not have."""
    strange = lambda number: replace(world.generation, number=number, network_key=draw(16))
    real = lambda number: replace(world.generation, number=number)
    kept = Kept()
    world.connect(generations=[real(1), strange(2)], kept=kept).close()
    check(kept.number == 1, "closed under the next, answered under the current one")
    world.connect(generations=[strange(1), real(2)], kept=kept).close()
    check(kept.number == 2, "the higher one worked and is remembered")
    for generations, error in (([real(1), strange(2)], Unanswered), ([real(1)], TooOld)):
        try:
            world.connect(generations=generations, kept=kept)
        except error:
            continue
        raise AssertionError("fell back to an older generation")


# 2. Accounts


def registration_and_login(world):
    """6.2, 6.5: on one connection, then on another, typed otherwise; a name is taken once."""
    connection = world.connect()
    account = register(connection, f"py_{draw(6).hex()}", PASSWORD, WORDS)
    session = log_in(connection, account)
    check(connection.receive().name == "cnnt", "cnnt comes first")
    connection.close()
    spelled = replace(account, password=normalize("NFD", PASSWORD), words="three quiet\u2003words ")
    world.person(spelled).close()  # 6.1, 6.6: the same password and words, typed otherwise
    check(session.ends > 0 and len(session.grant) == 32, "a grant and its end")
    expect_denied(409, register, world.connect(), account.name, PASSWORD, WORDS)


def login_refused(world):
    """6.5: 401 for a wrong password, an unknown name and wrong words alike; the connection goes on."""
    account, connection = world.account(), world.connect()
    expect_denied(401, log_in, connection, replace(account, password="another"))
    expect_denied(401, log_in, connection, replace(account, words="three other words"))
    log_in(connection, account)
    connection.close()
    expect_denied(401, log_in, world.connect(), replace(account, name=f"no_{draw(6).hex()}"))


def login_before_anything(world):
    """3.5: a command that needs a login is answered 403 before one."""
    connection = world.connect()
    _, answer = connection.call("keyq", {"name": "nobody"})
    check((answer.status, answer.code) == (2, 403), "2/403")
    connection.close()


def login_continued(world):
    """6.5: a grant continues the session to its end; `quit` revokes it."""
    person = world.person()
    first = person.session
    person.close()
    person.log_in(first.grant)
    check(person.session.ends == first.ends, "the same end")
    fresh = person.session.grant
    person.quit()
    expect_gone(person)
    person.log_in(fresh)
    check(person.session.ends > first.ends, "a revoked grant opens a new session")
    person.close()


def login_taken_over(world):
    """8.5: a later login of the account ends the earlier one with `clos` 409."""
    first = world.person()
    second = world.person(first.account)
    expect_gone(first)
    check(first.closing and first.closing.code == 409, "clos 409")
    second.close()


def expect_gone(person):
    try:
        until(lambda: False, person)
    except Closed:
        return
    raise AssertionError("the daemon closes")


# 3. Conversations


def conversation(world):
    """7.1 to 7.4, 8.1: request, acceptance, messages both ways."""
    ann, bob = world.friends()
    one, two = ann.text(bob.account.name, "Bonjour, ça va ? 🔒"), bob.text(ann.account.name, "x" * 1024)
    until(lambda: ann.texts() and bob.texts(), ann, bob)
    until(lambda: {ann.state(one), bob.state(two)} == {"delivered"}, ann, bob)
    check(bob.texts() == ["Bonjour, ça va ? 🔒"] and ann.texts() == ["x" * 1024], "the texts as sent")
    check(not ann.refused + bob.refused + ann.inbox.notices + bob.inbox.notices, "nothing refused or reported")
    ann.close(), bob.close()


def receipts(world):
    """7.3, 7.4, 8.1: who sent texts is told that they were read, of a queued one too, and nobody else's are."""
    ann, bob = world.friends()
    sent = [ann.text(bob.account.name, text) for text in ("one", "two", "x" * 2000)]
    own = bob.text(ann.account.name, "bob's own")
    until(lambda: len(bob.texts()) == 3 and all(ann.state(message) == "delivered" for message in sent), ann, bob)
    receipt = bob.receipt(ann.account.name, [sent[0], sent[2], own, draw(16)])
    until(lambda: bob.state(receipt) == "delivered", ann, bob)
    check([ann.state(message) for message in sent] == ["read", "delivered", "read"], "those that it names")
    bob.hold_acks = True
    late = ann.text(bob.account.name, "queued")
    until(lambda: len(bob.texts()) == 4 and ann.state(late) == "queued", ann, bob)
    bob.receipt(ann.account.name, [late]), bob.text(ann.account.name, "behind it")
    until(lambda: len(ann.texts()) == 2, ann, bob)
    check(ann.state(late) == "read" and ann.texts() == ["bob's own", "behind it"], "read at once, and no text")
    bob.hold_acks = False
    until(lambda: not bob.acks, ann, bob)
    check(ann.state(late) == "read" and not ann.refused + bob.refused + ann.inbox.notices, "never back, nothing told")
    refused = bob.receipt(ann.account.name, [late, late])
    until(lambda: bob.state(refused) == "delivered", ann, bob)
    check(ann.refused == [("rvum", "text")], "a message twice is refused")
    ann.close(), bob.close()


def conversation_crossing(world):
    """7.1, 7.7: requests that cross accept each other."""
    ann, bob = world.person(), world.person()
    for one, other in ((ann, bob), (bob, ann)):
        one.follow(one.book.ask(other.account.name))
    open_ = lambda: {ann.relation(bob.account.name), bob.relation(ann.account.name)} == {"open"}
    until(lambda: open_() and not ann.commands and not bob.commands, ann, bob)
    ann.text(bob.account.name, "crossed")
    until(lambda: bob.texts(), ann, bob)
    check(not ann.refused + bob.refused, "nothing refused")
    ann.close(), bob.close()


def conversation_declined(world):
    """7.1: a decline arrives and nothing passes; another request can be accepted."""
    ann, bob = world.person(), world.person()
    ann.ask(bob.account.name)
    until(lambda: bob.relation(ann.account.name) == "requested", ann, bob)
    check(bob.decline(ann.account.name) in (200, 202), "the decline is taken")
    until(lambda: ann.book.declined_by == [bob.account.name], ann, bob)
    befriend(ann, bob)
    check(ann.ask(ann.account.name) == 409, "oneself: 409")
    check(ann.ask("nobody_of_this_name") == 404, "nobody: 404")
    ann.close(), bob.close()


def conversation_blocked(world):
    """7.1, 7.7: who is blocked is answered 202 to a request and not told; asking ends a block."""
    ann, bob = world.friends()
    check(bob.block(ann.account.name) == 200, "the block is taken")
    message = ann.text(bob.account.name, "do you hear me?")
    until(lambda: ann.state(message) not in ("waiting", "sent"), ann, bob)
    check(ann.ask(bob.account.name) == 202, "a blocked request is answered 202")
    check(not bob.texts() and bob.relation(ann.account.name) == "blocked", "bob sees nothing")
    check(bob.ask(ann.account.name) in (200, 202), "bob asks again")
    until(lambda: bob.relation(ann.account.name) == "open" and not ann.commands, ann, bob)
    ann.text(bob.account.name, "again"), bob.text(ann.account.name, "again")
    until(lambda: ann.texts() == bob.texts() == ["again"], ann, bob)
    ann.close(), bob.close()


def blocked_before_the_answer(world):
    """7.7: somebody who was asked and blocked is blocked at the daemon when the answer brings the uid."""
    ann, bob = world.person(), world.person()
    ann.ask(bob.account.name)
    check(ann.block(bob.account.name) is None, "no uid to block yet")
    until(lambda: bob.relation(ann.account.name) == "requested", ann, bob)
    bob.accept(ann.account.name)
    until(lambda: ann.book.get(bob.account.name).uid and not ann.commands, ann, bob)
    message = bob.text(ann.account.name, "hello?")
    until(lambda: bob.state(message) not in ("waiting", "sent"), ann, bob)
    check(ann.relation(bob.account.name) == "blocked" and not ann.texts(), "nothing is taken")
    ann.close(), bob.close()


def delivery_later(world):
    """8.1, 8.2: 202 for somebody away, delivery at the next login, then `dlvd`; all of it in order."""
    ann, bob = world.friends()
    bob.close()
    sent = [ann.text(bob.account.name, f"later {n}") for n in range(10)]
    until(lambda: all(ann.state(message) == "queued" for message in sent), ann)
    check({ann.outbox[message].code for message in sent} == {202}, "202")
    bob.log_in()
    until(lambda: len(bob.texts()) == 10, ann, bob)
    check(bob.greeting["queued"] == 10, "cnnt tells how many wait")
    until(lambda: all(ann.state(message) == "delivered" for message in sent), ann, bob)
    check(bob.texts() == [f"later {n}" for n in range(10)], "in order")
    ann.close(), bob.close()


def delivery_again(world):
    """8.2: what is not acknowledged comes again and is acknowledged again; 7.4: duplicates are dropped."""
    ann, bob = world.friends()
    bob.hold_acks = True
    message = ann.text(bob.account.name, "twice")
    until(lambda: bob.texts(), ann, bob)
    frames = list(bob.acks)
    bob.close()
    until(lambda: ann.state(message) == "queued", ann)
    bob.log_in()
    until(lambda: bob.inbox.duplicates == 1, ann, bob)
    check(bob.acks == frames, "the same frame id")
    check(bob.texts() == ["twice"] and ann.state(message) == "queued", "seen once, not delivered yet")
    bob.hold_acks = False
    until(lambda: ann.state(message) == "delivered", ann, bob)
    ann.outbox[message].state = "waiting"  # 8.1: the same bytes again, as after a break
    until(lambda: bob.inbox.duplicates == 2 and ann.state(message) == "delivered", ann, bob)
    check(bob.texts() == ["twice"], "still once")
    ann.close(), bob.close()


# 4. Epochs


def epochs(world):
    """5.5: this client turns at once when it may and follows the daemon, while both directions carry messages."""
    ann, bob = world.friends(turn_at=EARLIEST_TURN)
    total = 2600
    for n in range(total):
        ann.text(bob.account.name, f"a{n}"), bob.text(ann.account.name, f"b{n}")
    until(lambda: all_delivered(ann, bob), ann, bob, timeout=300)
    check(bob.texts() == [f"a{n}" for n in range(total)], "nothing lost from ann")
    check(ann.texts() == [f"b{n}" for n in range(total)], "nothing lost from bob")
    for person in (ann, bob):
        check(person.connection.sender.turns >= 2, "the client turned")
        check(person.connection.receiver.turns >= 2, "the daemon turned")
        check(not person.refused + person.inbox.notices, "nothing refused or reported")
    ann.close(), bob.close()


def commands_again(world):
    """8.3: a command without an answer is sent again with its frame id, and has one effect."""
    ann, bob = world.person(), world.person()
    requests, handle = [], bob.book.on_request
    bob.book.on_request = lambda struct: requests.append(struct) or handle(struct)
    ann.follow(ann.book.ask(bob.account.name))
    frame_id, command = next(iter(ann.commands.items()))
    ann.close(), ann.log_in()
    until(lambda: not ann.commands, ann, bob)
    ann.commands[frame_id] = command  # as if its answer had been lost
    ann.close(), ann.log_in()
    until(lambda: not ann.commands, ann, bob)
    check(bob.accept(ann.account.name) in (200, 202) and len(requests) == 1, "one request")
    ann.close(), bob.close()


def window_exceeded(world):
    """8.4: one message more than `window` without an answer is answered 429, and it can be sent later."""
    ann, bob = world.friends()
    bob.hold_acks, window = True, ann.connection.window
    ann.connection.window += 8
    sent = [ann.text(bob.account.name, f"{n}") for n in range(window + 8)]
    until(lambda: all(ann.state(message) in ("queued", "delivered") for message in sent), ann)
    check(ann.put_off > 0, "429")
    bob.hold_acks = False
    until(lambda: len(bob.texts()) == len(sent), ann, bob)
    ann.close(), bob.close()


def broken_connections(world):
    """8.1, 8.2: connections break while messages are on their way; nothing is lost and nothing is read twice."""
    ann, bob = world.friends()
    total = 300
    for n in range(total):
        ann.text(bob.account.name, f"a{n}"), bob.text(ann.account.name, f"b{n}")
    for at in (60, 120, 180):
        until(lambda: len(bob.texts()) >= at, ann, bob)
        ann.close(), ann.log_in(ann.session.grant)
        until(lambda: len(ann.texts()) >= at, ann, bob)
        bob.close(), bob.log_in(bob.session.grant)
    until(lambda: all_delivered(ann, bob), ann, bob, timeout=60)
    check(bob.texts() == [f"a{n}" for n in range(total)], "all from ann, once, in order")
    check(ann.texts() == [f"b{n}" for n in range(total)], "all from bob, once, in order")
    check(not ann.inbox.notices + bob.inbox.notices, "nothing reported")
    ann.close(), bob.close()


def epochs_too_early(world):
    """5.5: a block before the 1,024th frame is refused by closing."""
    person = world.person()
    person.connection.sender.turn_at = 0
    person.connection.send("keyq", {"name": person.account.name})
    expect_gone(person)


# Hostile input


def flipped(position):
    def change(frames):
        damaged = bytearray(frames[0])
        damaged[position] ^= 1
        return [bytes(damaged)]

    return change


TAMPERING = [
    ("slot", flipped(10)),
    ("seal", flipped(1000)),
    ("seal", flipped(2047)),
    ("slot", lambda frames: frames[1:]),
    ("slot", lambda frames: frames[::-1]),
]


def tampered_ack(world):
    """4.5: an ACK that does not open makes the client close."""
    for position in (0, 1000, 2047):
        transport = world.transport()
        mine = world.handshake(transport)
        transport.send(mine.hello())
        expect_refused("seal", mine.finish, flipped(position)([transport.wait_frame()])[0])
        transport.close()


def tampered_frames(world):
    """5.4: a bit flipped, a frame lost, two frames crossed: the step is named and the connection is over."""
    account = world.account()
    for step, change in TAMPERING:
        person = world.person(account)
        transport = person.connection.transport
        for _ in range(2):
            person.command("keyq", {"name": account.name})
        frames = iter(change([transport.wait_frame(), transport.wait_frame()]))
        transport.frame = lambda: next(frames, None)
        expect_refused(step, person.tick)
        check(not transport.open, "the client closed")


def vectors(world):
    """11: what a client refuses and by which step."""
    if not world.vectors:
        raise Skipped("no --vectors")
    check(check_folder(world.vectors) > 0, "there are vectors")
    if world.words:
        check(check_safety_words(world.vectors, read_words(world.words)) > 0, "there are vectors with words")


# Texts in parts

LONG = "é" * 511 + "x" + "🔒" * 16128  # 65,535 bytes; cuts fall into characters
LONGEST = LONG + "!"


def parts(world):
    """7.3, 7.4, 8.1: texts of one byte to 64 KiB, in their order, nothing refused."""
    ann, bob = world.friends()
    wanted = ["x", LONGEST, "y" * 1025, "z", LONG, "y" * 2048]
    for text in wanted:
        ann.text(bob.account.name, text)
    sent = [bob.text(ann.account.name, text) for text in wanted]
    until(lambda: len(ann.texts()) == len(bob.texts()) == len(wanted), ann, bob, timeout=60)
    until(lambda: all(bob.state(message) == "delivered" for message in sent), ann, bob)
    check(ann.texts() == bob.texts() == wanted, "the texts as sent")
    check(not ann.refused + bob.refused + ann.inbox.notices + bob.inbox.notices, "nothing refused or told")
    ann.close(), bob.close()


def parts_later(world):
    """8.1, 8.2: parts wait in the queue and come at the next login; `dlvd` for each of them."""
    ann, bob = world.friends()
    bob.close()
    message = ann.text(bob.account.name, LONG)
    until(lambda: ann.state(message) == "queued", ann)
    bob.log_in()
    check(bob.greeting["queued"] == len(ann.parts(message)), "each part is an entry of the queue")
    until(lambda: ann.state(message) == "delivered", ann, bob)
    check(bob.texts() == [LONG] and not bob.inbox.unfinished, "one text")
    ann.close(), bob.close()


def parts_broken(world):
    """8.1, 8.2: breaks on either side between the parts; they come twice, and the text once."""
    ann, bob = world.friends()
    message = ann.text(bob.account.name, LONGEST)
    bob.hold_acks = True
    until(lambda: len(bob.acks) >= 10, ann, bob)
    ann.close(), ann.log_in(ann.session.grant)
    until(lambda: len(bob.acks) >= 30, ann, bob)
    bob.close(), bob.log_in(bob.session.grant)
    bob.hold_acks = False
    until(lambda: ann.state(message) == "delivered", ann, bob, timeout=60)
    check(bob.texts() == [LONGEST] and bob.inbox.duplicates >= 10, "one text, though parts came twice")
    check(not bob.refused + bob.inbox.notices, "nothing refused or told")
    ann.close(), bob.close()


def parts_hostile(world):
    """7.4: the step `parts`, texts in the place of their first part, at most 32 unfinished ones; without a daemon."""
    inbox, contact, message = Inbox(), Contact("eve_1", uid=bytes(16)), draw(16)

    def take(sequence, part, count, text, message=message):
        header = {"sender": contact.uid, "message": message, "sequence": sequence, "previous": bytes(32)}
        inbox.take(contact, draw(16), {**header, "part": part, "parts": count}, text)

    full = b"a" * 1024
    take(4, 1, 3, full)
    take(4, 1, 3, full)
    check(inbox.duplicates == 1, "the same part twice is one")
    expect_refused("parts", take, 3, 0, 2, full)
    expect_refused("parts", take, 4, 0, 3, full)
    expect_refused("parts", take, 4, 1, 3, b"b" * 1024)
    take(6, 0, 1, b"behind", draw(16))
    take(5, 2, 3, b"!")
    take(3, 0, 3, full)
    check([len(text.text) for text in inbox.texts] == [2049, 6], "in the place of the first part")
    expect_refused("parts", take, 6, 3, 4, full)
    expect_refused("text", lambda: [take(7 + part, part, 2, b"\xff" * 1024, bytes(16)) for part in (0, 1)])
    for n in range(40):
        take(10 + 2 * n, 0, 2, full, draw(16))
    check(len(inbox.unfinished) == 32 and inbox.notices.count(("given up", "eve_1")) == 8, "32 are kept")
    check(len(inbox.tell_unfinished(0)) == 32 and not inbox.tell_unfinished(0), "each is told once")
    take(2**53 - 1, 0, 1, b"far", draw(16))
    check(len(contact.missing) < 50, "what is missing is kept as ranges")
    inbox.expire(contact, 0)
    check(not inbox.unfinished and len(inbox.given_up) == 40, "all are given up in the end")


# 5. The network's own client


class OtherClient:
    """A profile of the network's own command-line client in a folder of its own."""

    def __init__(self, world, folder):
        secrets = Path(folder, "secrets.json")
        secrets.touch(0o600)
        secrets.write_text(json.dumps({"password": PASSWORD, "words": WORDS}))
        self.name = f"nc_{draw(6).hex()}"
        self.command = [*world.client.split(), "--server", f"{world.host}:{world.port}"]
        self.command += ["--home", str(Path(folder, "home")), "--profile", "interop"]
        self.command += ["--secrets-file", str(secrets), "--json"]
        self.command += [] if world.tls else ["--disable-ssl"]
        self.run("register", f"@{self.name}")
        self.run("login")

    def run(self, *arguments, typed=""):
        """One command; gives its lines as objects."""
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, timeout=60, input=typed)
        check(done.returncode == 0, f"{arguments[0]}: {done.stdout} {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def texts(self):
        return [line["text"] for line in self.run("receive") if line["type"] == "message"]


def with_other_client(world, scenario):
    if not world.client:
        raise Skipped("no --client")
    with tempfile.TemporaryDirectory() as folder:
        other = OtherClient(world, folder)
        try:
            scenario(other)
        finally:
            other.run("logout")


def other_client_is_asked(world):
    """7.1, 7.3, 8.1: this client asks, the other accepts; texts both ways, the other away and back."""

    def scenario(other):
        ann = world.person()
        check(ann.ask(other.name) in (200, 202), "the request is taken")
        other.run("accept", f"@{ann.account.name}")
        until(lambda: ann.relation(other.name) == "open", ann)
        exchange(ann, other)
        ann.close()

    with_other_client(world, scenario)


def other_client_asks(world):
    """The same the other way round."""

    def scenario(other):
        ann = world.person()
        other.run("add", f"@{ann.account.name}")
        until(lambda: ann.relation(other.name) == "requested", ann)
        check(ann.accept(other.name) in (200, 202), "the acceptance is taken")
        exchange(ann, other)
        same_keys(world, ann, other)
        ann.close()

    with_other_client(world, scenario)


def same_keys(world, ann, other):
    """7.2, 7.5: both clients name the same keys of each other, and the same safety number."""
    theirs = next(line for line in other.run("contacts") if line.get("name") == ann.account.name)
    check(theirs["fingerprint"] == fingerprint(*ann.account.moduli).hex(), "my fingerprint as the other sees it")
    mine = next(line for line in other.run("status") if line["type"] == "status")
    check(mine["fingerprint"] == ann.book.get(other.name).keys.hex(), "the other's as I see it")
    shown = next(line for line in other.run("verify", f"@{ann.account.name}") if line["type"] == "safety")
    check(shown["number"] == ann.book.show_safety_number(other.name), "the same safety number")
    if world.words:
        check(shown["words"] == safety_words(shown["number"], read_words(world.words)), "the same words")


def other_client_parts(world):
    """7.3, 7.4, 8.1: 64 KiB each way; the other away for one of them."""

    def scenario(other):
        ann = world.person()
        other.run("add", f"@{ann.account.name}")
        until(lambda: ann.relation(other.name) == "requested", ann)
        check(ann.accept(other.name) in (200, 202), "the acceptance is taken")
        first = ann.text(other.name, LONGEST)
        until(lambda: ann.state(first) == "delivered", ann)
        check(other.texts() == [LONGEST], "the other reads 64 KiB")
        other.run("send", f"@{ann.account.name}", "-", typed=LONGEST)
        until(lambda: ann.texts() == [LONGEST], ann)
        other.run("logout")
        second = ann.text(other.name, LONG)
        until(lambda: ann.state(second) == "queued", ann)
        other.run("login")
        until(lambda: ann.state(second) == "delivered", ann)
        check(other.texts() == [LONG] and not ann.refused + ann.inbox.notices, "and 64 KiB from the queue")
        ann.close()

    with_other_client(world, scenario)


def other_client_receipts(world):
    """7.3, 8.1: each client tells the other what was read; where the other's person says so, it does not."""

    def scenario(other):
        ann = world.person()
        other.run("add", f"@{ann.account.name}")
        until(lambda: ann.relation(other.name) == "requested", ann)
        check(ann.accept(other.name) in (200, 202), "the acceptance is taken")
        sent = [ann.text(other.name, text) for text in ("one", "x" * 3000)]
        until(lambda: all(ann.state(message) == "delivered" for message in sent), ann)
        other.texts()
        until(lambda: all(ann.state(message) == "read" for message in sent), ann)
        own = other.run("send", f"@{ann.account.name}", "an answer")[0]["id"]
        until(lambda: ann.texts() == ["an answer"], ann)
        receipt = ann.receipt(other.name, [bytes.fromhex(own)])
        until(lambda: ann.state(receipt) == "delivered", ann)
        states = {line["id"]: line["state"] for line in other.run("history", f"@{ann.account.name}") if "state" in line}
        check(states == {own: "read"}, "and is told itself")
        other.run("receipts", "off")
        silent = ann.text(other.name, "not told")
        until(lambda: ann.state(silent) == "delivered", ann)
        check(other.texts() == ["not told"], "it is read")
        other.run("send", f"@{ann.account.name}", "behind it")
        until(lambda: len(ann.texts()) == 2, ann)
        check(ann.state(silent) == "delivered" and not ann.refused + ann.inbox.notices, "nothing is told")
        ann.close()

    with_other_client(world, scenario)


def exchange(ann, other):
    mine = [ann.text(other.name, text) for text in ("Bonjour, ça va ? 🔒", "é" * 512)]
    until(lambda: all(ann.state(message) == "delivered" for message in mine), ann)
    check(other.texts() == ["Bonjour, ça va ? 🔒", "é" * 512], "the other reads the texts")
    other.run("send", f"@{ann.account.name}", "très bien")
    other.run("send", f"@{ann.account.name}", "z" * 1024)
    until(lambda: len(ann.texts()) == 2, ann)
    check(ann.texts() == ["très bien", "z" * 1024], "this client reads the texts")
    check(not ann.refused + ann.inbox.notices, "nothing refused or reported")


# 6. Trust


def safety(world):
    """7.5: both see the same number."""
    ann, bob = world.friends()
    number = ann.book.show_safety_number(bob.account.name)
    check(len(number) == 60 and number == bob.book.show_safety_number(ann.account.name), "the same 60 digits")
    if world.words:
        check(len(safety_words(number, read_words(world.words))) == 18, "18 words")
    ann.close(), bob.close()


def changed_keys(world):
    """7.6: other keys are warned of, not believed and sent nothing, until a person confirms what was shown."""
    ann, bob = world.friends()
    contact, name = ann.book.get(bob.account.name), bob.account.name
    contact.sig = modulus_of(new_rsa_key())  # as if bob had had another key before
    contact.sent = 7
    unread = bob.text(ann.account.name, "not to be read")
    until(lambda: bob.state(unread) == "delivered", ann, bob)
    check(ann.refused == [("rvum", "keys")] and not ann.texts(), "refused by the step `keys`")
    check(bob.ask(ann.account.name) in (200, 202), "bob asks with the keys of now")
    until(lambda: ann.book.warnings == [name], ann, bob)
    unsent = ann.text(name, "for the former keys")
    check(ann.ask("nobody_of_this_name") == 404 and ann.state(unsent) == "waiting", "nothing is sent")
    expect_refused("changed keys", ann.ask, name)
    expect_refused("shown", ann.confirm, name)
    number = ann.book.show_safety_number(name)
    check(number == bob.book.show_safety_number(ann.account.name), "the number of the new keys")
    check(ann.confirm(name) in (200, 202), "confirmed, and answered with `ampu`")
    check(ann.state(unsent) == "failed" and contact.sent == 0, "the text failed, the sequence begins anew")
    ann.text(name, "for the keys of now")
    until(lambda: bob.texts() == ["for the keys of now"], ann, bob)
    ann.close(), bob.close()


def strangers(world):
    """7.1, 8.1: no message without acceptance or in somebody else's name: 403."""
    ann, bob = world.friends()
    eve = world.person()
    eve.book.by_name[bob.account.name] = ann.book.get(bob.account.name)
    message = eve.text(bob.account.name, "let me in")
    until(lambda: eve.state(message) == "refused", eve, bob)
    check(eve.outbox[message].code == 403, "403 for a stranger")
    eve.account = replace(eve.account, uid=ann.account.uid)
    message = eve.text(bob.account.name, "I am ann")
    until(lambda: eve.state(message) == "refused", eve, bob)
    check(eve.outbox[message].code == 403 and not bob.texts(), "403 for another's name")
    ann.close(), bob.close(), eve.close()


SCENARIOS = [
    handshake,
    handshake_wrong_pin,
    handshake_of_another_network,
    handshake_replayed,
    handshake_damaged,
    handshake_old_table,
    generations,
    registration_and_login,
    login_refused,
    login_before_anything,
    login_continued,
    login_taken_over,
    conversation,
    receipts,
    conversation_crossing,
    conversation_declined,
    conversation_blocked,
    blocked_before_the_answer,
    delivery_later,
    delivery_again,
    commands_again,
    window_exceeded,
    broken_connections,
    epochs,
    epochs_too_early,
    parts,
    parts_later,
    parts_broken,
    parts_hostile,
    tampered_ack,
    tampered_frames,
    vectors,
    other_client_is_asked,
    other_client_asks,
    other_client_parts,
    other_client_receipts,
    safety,
    changed_keys,
    strangers,
]


def main(scenarios):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("linked")
    parser.add_argument("--pin", help="the accepted SHA-256 of the daemon's key, instead of the linked ones")
    parser.add_argument("--tcp", action="store_true", help="no TLS")
    parser.add_argument("--only", help="scenarios whose name has this in it")
    parser.add_argument("--client", help="the network's own client: a command line")
    parser.add_argument("--vectors", type=Path, help="the folder of the vectors")
    parser.add_argument("--words", type=Path, help="words.txt of 7.5")
    parser.add_argument("--keys", type=Path, help="RSA pairs that are used before any is made")
    parser.add_argument("--debug", action="store_true", help="print where it failed")
    options = parser.parse_args()
    if options.keys:
        keep_rsa_keys(options.keys)
    world, failed = World(options), False
    for scenario in scenarios:
        if options.only and options.only not in scenario.__name__:
            continue
        try:
            scenario(world)
            print(f"ok {scenario.__name__}", flush=True)
        except Skipped as why:
            print(f"ok {scenario.__name__} # skip {why}", flush=True)
        except Exception as error:
            failed = True
            print(f"not ok {scenario.__name__}: {type(error).__name__} {error}", flush=True)
            if options.debug:
                traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(SCENARIOS))
