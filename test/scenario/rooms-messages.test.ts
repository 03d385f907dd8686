/** What is said in a room: who gets it, when and how often, and what of it is on the disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join as path } from 'node:path';
import { test } from 'tap';
import { concat, fingerprint, hex, RowKind, structs, type Struct, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { readState, writeState, type Row } from '../../src/server/room-state.js';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { enter, newPerson, startLavish, type Person } from '../support/people.js';
import { letter } from '../support/letters.js';
import { befriend, type Received } from '../support/raw.js';
import {
  authOf,
  codeOf,
  drawMessage,
  drawRotation,
  entering,
  join,
  look,
  makeRoom,
  rotate,
  say,
  stage,
  took,
  type RawRoom,
} from '../support/raw-rooms.js';
import type { Teardown } from '../support/temp.js';
import { noSecurity } from '../../src/store/store.js';

async function start(t: Teardown, limits: readonly string[] = [], data?: string): Promise<Daemon> {
  const args = limits.flatMap((each) => ['--limit', each]);
  return startLavish(t, { network: await makeNetwork(), args, ...(data === undefined ? {} : { data }) });
}

/** A room with these members, the first its owner; all of them begin the epoch that is current. */
async function together(t: Teardown, daemon: Daemon, ...names: readonly string[]) {
  const people: Person[] = [];
  for (const name of names) people.push(await newPerson(t, daemon, name));
  const [ann] = people;
  if (!ann) throw new Error('nobody');
  let room = await makeRoom(ann, 'lounge');
  for (const each of people.slice(1)) {
    if ((await join(each, room)) !== 200) throw new Error('did not enter');
  }
  room = (await rotate(ann, room)).room;
  for (const each of people) await past(each, ({ opcode }) => opcode === structs.chrm.opcode);
  return { room, people };
}

/** Takes events, acknowledged, up to and with the first one that passes. */
async function past({ raw }: Person, isLast: (received: Received) => boolean): Promise<Received[]> {
  const all: Received[] = [];
  for (;;) {
    const one = await raw.next(({ opcode }) => opcode < 100_000);
    if (one.opcode !== structs.drnd.opcode) raw.send(structs.ackd, { ids: [{ id: one.frameId }] });
    all.push(one);
    if (isLast(one)) return all;
  }
}

/** What waited for somebody: all events up to the end of the queue. */
async function waiting(t: Teardown, daemon: Daemon, person: Person): Promise<Received[]> {
  const back = await enter(t, daemon, person.user, false);
  const all = await past(back, ({ opcode }) => opcode === structs.drnd.opcode);
  back.raw.close();
  return all.slice(0, -1);
}

const isOf = (struct: Struct, { opcode }: Received): boolean => opcode === struct.opcode;

/** Files under data/ that hold these bytes, as they are, in hexadecimal or in base64. */
async function holding(daemon: Daemon, bytes: Uint8Array): Promise<string[]> {
  const found: string[] = [];
  const forms = [
    Buffer.from(bytes),
    Buffer.from(hex(bytes)),
    Buffer.from(Buffer.from(bytes).toString('base64').slice(0, -3)),
  ];
  for (const name of await readdir(daemon.data, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const content = await readFile(path(name.parentPath, name.name)).catch(() => Buffer.alloc(0)); // gone meanwhile
    if (forms.some((form) => content.includes(form))) found.push(name.name);
  }
  return found;
}

/** Ends the daemon and starts it again, so that everything closed is in files: a segment is closed when it is long enough. */
async function settle(t: Teardown, daemon: Daemon, isDone: () => Promise<boolean>): Promise<void> {
  const { raw } = await newPerson(t, daemon, `filler${hex(nodeSync.random(4))}`);
  while (!(await isDone()))
    await raw
      .ask(structs.bloc, { uid: nodeSync.random(16) })
      .then(() => raw.ask(structs.dcrm, { room: nodeSync.random(16) }));
}

void test('a message is 200 when all have it, 202 when it waits, and comes once however often it is sent', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol');
  const [ann, bob, carol] = people as [Person, Person, Person];
  const first = say(ann, room, 'first');
  for (const each of [bob, carol]) t.equal((await took(each, structs.rvrm)).epoch, 2);
  t.equal(await first, 200);
  carol.raw.close();
  const message = await drawMessage(ann, room, 'second');
  const id = nodeSync.random(16);
  const codes: number[] = [];
  for (let n = 0; n < 3; n++) {
    const sent = codeOf(ann.raw, structs.srms, message, id);
    t.equal(hex((await took(bob, structs.rvrm)).sealed), hex(message.sealed), 'who is there may get it again');
    codes.push(await sent);
  }
  t.same(codes, [202, 202, 202]);
  const other = await drawMessage(bob, room, 'third');
  const sent = codeOf(bob.raw, structs.srms, other, id);
  t.equal(
    hex((await took(ann, structs.rvrm)).sealed),
    hex(other.sealed),
    'another’s message with the same frame id is another',
  );
  t.equal(await sent, 202);
  const waited = await waiting(t, daemon, carol);
  t.same(
    waited.map(({ values }) => hex((values as Values<typeof structs.rvrm>).sealed)),
    [hex(message.sealed), hex(other.sealed)],
    'once, in order',
  );
  t.same(await waiting(t, daemon, carol), []);
});

void test('403, 409 and 429: whoever is no member, another sender, an older epoch, too fast', async (t) => {
  const daemon = await start(t, ['messages-per-second=1', 'message-burst=7']);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  const carol = await newPerson(t, daemon, 'carol');
  t.equal(await say(carol, room, 'from outside'), 403);
  t.equal(await say(ann, room, 'in another’s name', { sender: bob.user.uid }), 403);
  t.equal(await say(ann, room, 'elsewhere', { room: nodeSync.random(16) }), 403);
  t.equal(await say(ann, room, 'before', { epoch: 1 }), 409);
  t.equal(await say(ann, room, 'later', { epoch: 3 }), 409, 'each of these counts');
  bob.raw.close();
  const all = await Promise.all(Array.from({ length: 4 }, () => drawMessage(ann, room, 'much')));
  const answers = await Promise.all(all.map((each) => ann.raw.ask(structs.srms, each)));
  t.same(
    answers.map(({ header, values }) => [header.code, values['wait']]),
    [
      [202, 0],
      [202, 0],
      [202, 0],
      [429, 1],
    ],
  );
});

void test('who comes back may say no more than who stays', async (t) => {
  const daemon = await start(t, ['messages-per-second=1', 'message-burst=3']);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  bob.raw.close();
  const codes: number[] = [];
  for (let who = ann, n = 0; n < 3; n++) {
    for (let m = 0; m < 3; m++) codes.push(await say(who, room, `text ${String(n)}`));
    who = await enter(t, daemon, ann.user, false);
  }
  t.ok(codes.filter((code) => code === 202).length <= 6, codes.join());
});

void test('a repetition of what is kept is answered for it, also in another epoch: nobody seals it anew', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann] = people as [Person, Person];
  const [kept, other] = [await drawMessage(ann, room, 'kept'), await drawMessage(ann, room, 'never came')];
  const frame = nodeSync.random(16);
  const first = ann.raw.ask(structs.srms, kept, frame);
  t.match((await first).header.code, /^20[02]$/);
  await rotate(ann, room);
  t.equal(await codeOf(ann.raw, structs.srms, kept, frame), 202, 'the daemon has it');
  t.equal(await codeOf(ann.raw, structs.srms, other), 409, 'this one it has not');
});

void test('all that concerns a room comes in the order in which it was done: a chrm before its epoch’s messages', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol');
  const [ann, bob, carol] = people as [Person, Person, Person];
  carol.raw.close();
  let now: RawRoom = room;
  const taking = past(bob, ({ opcode, values }) => opcode === structs.rvrm.opcode && values['epoch'] === 6);
  for (let n = 0; n < 4; n++) {
    const burst = await Promise.all(Array.from({ length: 5 }, () => drawMessage(ann, now, 'before')));
    const { epoch, blocks, rtrm2, after } = await drawRotation(ann, now, await look(ann, now));
    t.equal(await stage(ann, now, epoch, blocks), 200);
    const sent = burst.map((each) => codeOf(ann.raw, structs.srms, each));
    const turned = codeOf(ann.raw, structs.rtrm2, rtrm2);
    const late = codeOf(ann.raw, structs.srms, await drawMessage(ann, after, 'at once behind it'));
    t.equal(await turned, 200);
    t.same(new Set(await Promise.all([...sent, late])), new Set([202]));
    now = after;
  }
  for (const events of [await taking, await waiting(t, daemon, carol)]) {
    let epoch = 2;
    let wrong = 0;
    for (const { opcode, values } of events) {
      if (opcode === structs.chrm.opcode) epoch++;
      if (values['epoch'] !== epoch) wrong++;
    }
    t.same([wrong, epoch], [0, 6]);
    t.equal(events.filter((each) => isOf(structs.chrm, each)).length, 4);
  }
});

void test('a room that fills its half of a queue is in nobody’s way, and leaves the other', async (t) => {
  const daemon = await start(t, ['queue-entries=10']);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol');
  const [ann, bob, carol] = people as [Person, Person, Person];
  await befriend(ann.raw, ann.user, carol.raw, carol.user);
  carol.raw.close();
  for (let n = 0; n < 8; n++) {
    const sent = say(ann, room, `message ${String(n)}`);
    await took(bob, structs.rvrm);
    t.equal(await sent, n < 5 ? 202 : 200, 'those with room for it got it');
  }
  t.equal(
    (await ann.raw.ask(structs.smpu, { envelope: letter(ann.user, carol.user, 1) })).header.code,
    202,
    'a friend',
  );
  t.equal((await waiting(t, daemon, carol)).length, 6, 'and a gap behind what was said');
});

void test('who enters gets what was said in this epoch: 20 messages, each with all its parts', async (t) => {
  const daemon = await start(t, ['journal-bytes=1']);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  bob.raw.close();
  const old = await drawMessage(ann, room, 'of the epoch before');
  t.equal(await codeOf(ann.raw, structs.srms, old), 202);
  const now = (await rotate(ann, room)).room;
  const long = nodeSync.random(16);
  const parts = await Promise.all(
    Array.from({ length: 10 }, (_, part) =>
      drawMessage(ann, now, 'x'.repeat(1024), { message: long, part, parts: 10 }),
    ),
  );
  const gone = await drawMessage(ann, now, 'the 21st');
  const short = await Promise.all(Array.from({ length: 19 }, (_, n) => drawMessage(ann, now, `short ${String(n)}`)));
  const kept = [...parts, ...short];
  for (const each of [gone, ...kept]) t.equal(await codeOf(ann.raw, structs.srms, each), 202);
  t.equal(await codeOf(ann.raw, structs.srms, short[3] ?? gone), 202, 'again, with another frame id: another entry');
  const carol = await newPerson(t, daemon, 'carol');
  t.equal(await join(carol, now), 200);
  const came = await past(carol, ({ values }) => values['sequence'] === short[18]?.sequence);
  t.equal(came[0]?.opcode, structs.enrm.opcode, 'behind their own entry');
  const sealed = came.slice(1).map(({ values }) => hex((values as Values<typeof structs.rvrm>).sealed));
  t.same(
    sealed,
    kept.map((each) => hex(each.sealed)),
    'oldest first',
  );
  t.equal((await waiting(t, daemon, bob)).length, 34, 'what waited for Bob is his: not the history, the queue');
  const isGone = async (bytes: Uint8Array): Promise<boolean> => (await holding(daemon, bytes)).length === 0;
  await settle(t, daemon, async () => (await isGone(gone.sealed)) && (await isGone(old.sealed)));
  t.notSame(await holding(daemon, parts[0]?.sealed ?? gone.sealed), [], 'the newest are there');
});

void test('who enters gets nothing of a message of which a part was said in the epoch before', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  bob.raw.close();
  const half = { message: nodeSync.random(16), parts: 2 };
  const first = await drawMessage(ann, room, 'x'.repeat(1024), { ...half, part: 0 });
  t.equal(await codeOf(ann.raw, structs.srms, first), 202);
  const now = (await rotate(ann, room)).room;
  const second = await drawMessage(ann, now, 'nobody can read this alone', { ...half, part: 1 });
  const whole = await drawMessage(ann, now, 'whole');
  for (const each of [second, whole]) t.equal(await codeOf(ann.raw, structs.srms, each), 202);
  const carol = await newPerson(t, daemon, 'carol');
  t.equal(await join(carol, now), 200);
  const came = await past(carol, ({ values }) => values['sequence'] === whole.sequence);
  t.same(
    came.map(({ opcode }) => opcode),
    [structs.enrm.opcode, structs.rvrm.opcode],
  );
  t.equal((await look(carol, now)).state.kept, 1, 'and what is announced is what comes');
});

void test('who enters while others speak misses nothing from there on, and gets nothing twice', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  const carol = await newPerson(t, daemon, 'carol');
  const all = await Promise.all(Array.from({ length: 60 }, (_, n) => drawMessage(ann, room, `text ${String(n)}`)));
  const sequences = all.map(({ sequence }) => sequence);
  const last = sequences.at(-1);
  const taking = past(bob, ({ values }) => values['sequence'] === last);
  const coming = past(carol, ({ values }) => values['sequence'] === last);
  const jrms3 = await entering(carol, room);
  const sent: Promise<number>[] = [];
  let entered: Promise<number> | undefined;
  for (const [n, each] of all.entries()) {
    sent.push(codeOf(ann.raw, structs.srms, each));
    if (n === 30) entered = codeOf(carol.raw, structs.jrms3, jrms3);
    await sent[n - 5]; // five are always under way
  }
  t.equal(await entered, 200);
  t.notOk((await Promise.all(sent)).some((code) => code > 202));
  await taking;
  const came = (await coming).filter((each) => isOf(structs.rvrm, each)).map(({ values }) => values['sequence']);
  t.ok(came.length > 20, `${String(came.length)} of 60: some of them live`);
  t.same(came, sequences.slice(-came.length), 'without a gap, in order');
});

void test('a deleted room leaves nothing behind: no file, no history, no copy in a queue', async (t) => {
  const daemon = await start(t, ['journal-bytes=1']);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol', 'dave');
  const [ann, bob, carol, dave] = people as [Person, Person, Person, Person];
  for (const each of [bob, carol]) each.raw.close();
  const all = await Promise.all(Array.from({ length: 6 }, (_, n) => drawMessage(ann, room, `text ${String(n)}`)));
  for (const each of all.slice(0, 3)) t.equal(await codeOf(ann.raw, structs.srms, each), 202);
  /* Carol is removed while something waits for her; Dave has what he does not acknowledge. */
  const removed = await rotate(ann, room, { removed: [carol.user] });
  t.equal(removed.code, 200);
  for (const each of all.slice(3)) {
    const sealed = await drawMessage(ann, removed.room, 'text', { message: each.message });
    all.push(sealed);
    t.equal(await codeOf(ann.raw, structs.srms, sealed), 202);
  }
  t.not((await holding(daemon, all[0]?.sealed ?? new Uint8Array(1))).length, 0);
  const [, late] = await Promise.all([
    codeOf(ann.raw, structs.dlrm, { room: room.id }).then((code) => t.equal(code, 200)),
    codeOf(ann.raw, structs.srms, await drawMessage(ann, removed.room, 'while it goes')),
  ]);
  t.ok([200, 202, 403].includes(late));
  t.equal(await say(ann, removed.room, 'after'), 403);
  const kinds = (events: readonly Received[]) => events.map(({ opcode, values }) => [opcode, values['what']]);
  t.same(kinds(await waiting(t, daemon, bob)), [[structs.lfrm.opcode, 3]], 'of a member nothing but the end waits');
  t.same(kinds(await waiting(t, daemon, carol)), [[structs.lfrm.opcode, 2]], 'of who was removed, too');
  dave.raw.close();
  const again = kinds(await waiting(t, daemon, dave));
  t.same(again, [[structs.lfrm.opcode, 3]], 'what was in flight is not written when he goes');
  const rests = [...all.slice(0, 3), ...all.slice(6)].map((each) => each.sealed);
  const left = async (): Promise<number> => {
    let files = 0;
    for (const bytes of [...rests, Buffer.from('lounge')]) files += (await holding(daemon, bytes)).length;
    return files;
  };
  await settle(t, daemon, async () => (await left()) === 0);
  t.equal(await codeOf(ann.raw, structs.strm, { room: room.id }), 403);
  t.equal((await makeRoom(ann, 'lounge')).name, 'lounge', 'the name is free');
});

void test('killed right after 202: message, room and history are there', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  bob.raw.close();
  const all = await Promise.all(Array.from({ length: 25 }, (_, n) => drawMessage(ann, room, `text ${String(n)}`)));
  t.same(new Set(await Promise.all(all.map((each) => codeOf(ann.raw, structs.srms, each)))), new Set([202]));
  await daemon.kill();
  const next = await start(t, [], daemon.data);
  const waited = await waiting(t, next, bob);
  t.same(
    waited.map(({ values }) => hex((values as Values<typeof structs.rvrm>).sealed)),
    all.map((each) => hex(each.sealed)),
  );
  const carol = await newPerson(t, next, 'carol');
  t.equal(await join(carol, room), 200);
  const came = await past(carol, ({ values }) => values['sequence'] === all[24]?.sequence);
  t.equal(came.length, 21);
  t.equal((await look(carol, room)).state.epoch, 2);
});

void test('who has no account any more has left; nobody’s message fails for it', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol');
  const [, bob, carol] = people as [Person, Person, Person];
  await daemon.stop();
  const where = ['--network', daemon.network.name, '--data', daemon.data];
  for (const [name, standing] of [
    ['ann', 'owner'],
    ['bob', 'member'],
  ] as const) {
    const { rooms } = JSON.parse((await cadenasd('export', `@${name}`, ...where)).out) as { rooms: object[] };
    t.match(rooms, [{ name: 'lounge', standing, said: 0 }], 'who asks what is kept is told of rooms of others too');
  }
  t.equal((await cadenasd('delete', '@bob', '--yes', ...where)).code, 0);
  const next = await start(t, [], daemon.data);
  const ann = await enter(t, next, (people[0] ?? carol).user);
  t.ok([200, 202, 409].includes(await say(ann, room, 'hello')));
  const left = await took(ann, structs.lfrm);
  t.same([hex(left.uid), left.what], [hex(bob.user.uid), 1]);
  const { state, rows } = await look(ann, room);
  const row = rows.find(({ name }) => name === 'bob');
  t.same([state.closed, row?.state, row?.enc.some((byte) => byte !== 0)], [1, 2, false]);
  const turned = await rotate(ann, room);
  t.equal(turned.code, 200);
  t.equal(await say(ann, turned.room, 'hello'), 202);
});

void test('a room with 500 people turns, and each gets their block', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob');
  const [ann, bob] = people as [Person, Person];
  await daemon.stop();
  const store = await openJournalStore(path(daemon.data, daemon.network.name), { now: Date.now });
  const kept = await store.roomById(room.id);
  if (!kept) throw new Error('no room');
  const before = readState(kept.state);
  const keys = { enc: ann.user.enc.modulus, sig: ann.user.sig.modulus };
  const rows: Row[] = [...before.rows];
  const print = fingerprint(nodeSync, keys);
  const proofs = {
    time: 1,
    inviter: new Uint8Array(16),
    invitedEpoch: 0,
    expires: 0,
    bound: new Uint8Array(32),
    invitation: new Uint8Array(256),
    mac: new Uint8Array(32),
    signature: new Uint8Array(256),
  };
  for (let n = 2; n < 500; n++) {
    const [uid, name] = [nodeSync.random(16), `person${String(n)}`];
    await store.createAccount({
      uid,
      name,
      ...keys,
      record: nodeSync.random(192),
      words: nodeSync.random(32),
      created: 1,
      security: noSecurity,
    });
    rows.push({ ...proofs, kind: RowKind.entered, uid, name, fingerprint: print, block: nodeSync.random(256) });
  }
  const state = writeState({ ...before, rows });
  t.comment(`${String(state.length)} bytes, 498 of 500 entered since`);
  t.equal(await store.changeRoom(room.id, kept.version, { owner: kept.owner, state }), 'changed');
  await store.close();
  const next = await start(t, [], daemon.data);
  const [one, other] = [await enter(t, next, ann.user), await enter(t, next, bob.user)];
  const carol = await newPerson(t, next, 'carol');
  t.equal(await join(carol, room), 429, 'full');
  const seen = await look(one, room);
  t.equal(seen.rows.length, 500);
  const { epoch, blocks, rtrm2, after } = await drawRotation(one, room, seen);
  const began = performance.now();
  t.equal(await stage(one, room, epoch, blocks), 200);
  const staged = performance.now();
  t.equal(await codeOf(one.raw, structs.rtrm2, rtrm2), 200);
  const ended = performance.now();
  t.comment(`rtrm1 ${(staged - began).toFixed(0)} ms, rtrm2 ${(ended - staged).toFixed(0)} ms`);
  const change = await took(other, structs.chrm);
  const own = blocks.find(({ uid }) => Buffer.compare(uid, bob.user.uid) === 0);
  t.equal(hex(change.block), hex(own?.block ?? new Uint8Array(0)));
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    const at = performance.now();
    const sent = say(one, after, 'to 499');
    await took(other, structs.rvrm);
    t.equal(await sent, 202);
    times.push(performance.now() - at);
  }
  const many = await Promise.all(
    [one, other].flatMap((who) =>
      Array.from({ length: 64 }, async () => ({ who, said: await drawMessage(who, after, 'x') })),
    ),
  );
  const codes = await Promise.all(many.map(({ who, said }) => codeOf(who.raw, structs.srms, said)));
  t.same(
    codes.filter((code) => code !== 202 && code !== 429),
    [],
    'a window of two members at once is more than the disk takes',
  );
  t.ok(codes.includes(202) && codes.includes(429), codes.join());
  t.comment(`srms to 499 of whom 498 are away: ${(times.sort((a, b) => a - b)[10] ?? 0).toFixed(1)} ms to 202`);
});

void test('nothing that opens a room or a text is on the daemon’s disk', async (t) => {
  const daemon = await start(t);
  const { room, people } = await together(t, daemon, 'ann', 'bob', 'carol');
  const [ann, bob, carol] = people as [Person, Person, Person];
  carol.raw.close();
  const texts: string[] = [];
  const secrets: Uint8Array[] = [];
  let now = room;
  for (let n = 0; n < 4; n++) {
    secrets.push(now.keys.key, now.keys.wrapKey, authOf(now), now.stretched);
    texts.push(`a very private text, the ${String(n)}th of all`);
    const sent = say(ann, now, texts.at(-1) ?? '');
    await took(bob, structs.rvrm);
    t.equal(await sent, 202);
    now = (await rotate(ann, now, { renewed: n % 2 === 0 })).room;
  }
  t.not((await holding(daemon, Buffer.from('lounge'))).length, 0, 'what is looked for would be found');
  for (const bytes of [...secrets, ...texts.map((text) => Buffer.from(text)), concat(...secrets.slice(0, 2))])
    t.same(await holding(daemon, bytes), []);
  t.notOk(texts.some((text) => daemon.log().includes(text)) || daemon.log().includes('lounge'));
});
