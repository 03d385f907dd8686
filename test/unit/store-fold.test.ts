/** Checkpoints as functions over files: whatever cuts one short, done again it gives files that mean the same. */
import { join } from 'node:path';
import { test } from 'tap';
import {
  checkpoint,
  makeIndex,
  readIndex,
  settleIndex,
  type CheckpointDone,
} from '../../src/store/journal/checkpoint.js';
import { Disk, type Files } from '../../src/store/journal/disk.js';
import {
  exists,
  makeFolder,
  readWhole,
  removeFolder,
  replaceFile,
  syncFolder,
} from '../../src/store/journal/durable.js';
import { beginHellos, readHellosFile } from '../../src/store/journal/hellos.js';
import { queuePath, readAccountFile, readMail, readRoomFile, roomPath } from '../../src/store/journal/part-files.js';
import { readMarked, withFile } from '../../src/store/journal/record-file.js';
import { encodeHeader, encodeRecords } from '../../src/store/journal/record-format.js';
import {
  profileRecord,
  attemptsRecord,
  consentRecord,
  deletedRecord,
  grantsRecord,
  helloRecord,
  latin1,
  queuedRecord,
  removedRecord,
  replyRecord,
  roomDeletedRecord,
  roomRecord,
  saidRecord,
} from '../../src/store/journal/records.js';
import { segmentName } from '../../src/store/journal/segment.js';
import { Code, hex } from '../../protocol/index.js';
import { MAX_UNREAD_MS, type QueueEntry } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import { drawnAccount, drawnEntry } from '../support/format1.js';
import { newSeed } from '../support/random.js';
import { atCall, diskError, SimulatedDisk } from '../support/simulated-disk.js';

const NOW = 1_800_000_000_000;
const FOLDER = '/store';

const draws = new Draws(11);
const accounts = ['alice', 'bob', 'carol', 'dave'].map((name) => drawnAccount(draws, name, NOW));
const [alice, bob, carol, dave] = accounts.map(({ uid }) => latin1(uid)) as [string, string, string, string];
const [lounge, attic] = [latin1(draws.bytes(16)), latin1(draws.bytes(16))];
const hellos = Array.from({ length: 3 }, (_, n) => ({ random: draws.bytes(32), time: NOW - n }));

function entry(length = 50, time = NOW): QueueEntry {
  return drawnEntry(draws, time, length);
}

function removed(uid: string, ...entries: readonly QueueEntry[]): Uint8Array {
  return removedRecord(
    uid,
    entries.map(({ id }) => latin1(id)),
  );
}

function reply(uid: string): Uint8Array {
  return replyRecord(uid, { frameId: draws.bytes(16), opcode: 3, code: Code.done, time: NOW });
}

function room(id: string, name: string, owner: string, version: number): Uint8Array {
  return roomRecord(id, { version, owner: Buffer.from(owner, 'latin1'), name, state: draws.bytes(300) });
}

function said(id: string): Uint8Array {
  return saidRecord(id, {
    from: draws.bytes(16),
    key: draws.bytes(16),
    message: draws.bytes(16),
    time: NOW,
    fields: draws.bytes(80),
  });
}

function account(n: number): Uint8Array {
  const found = accounts[n];
  if (!found) throw new RangeError('there are four');
  return profileRecord(found);
}

/** An empty store of which all is durable. */
async function emptyStore(seed = 1): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(new Draws(seed), { turns: 0 });
  for (const path of ['', 'users', 'rooms', 'journal']) await makeFolder(disk, join(FOLDER, path));
  await makeIndex(disk, FOLDER);
  await beginHellos(disk, FOLDER, NOW, true);
  await syncFolder(disk, FOLDER);
  await syncFolder(disk, '/');
  return disk;
}

type Segments = readonly (readonly Uint8Array[])[];

async function writeSegments(disk: Files, segments: Segments): Promise<void> {
  let first = 1;
  for (const payloads of segments) {
    const header = { salt: first * 77, first };
    const records = encodeRecords(payloads, header.salt, first, first);
    const bytes = Buffer.concat([encodeHeader(header), records]);
    await replaceFile(disk, join(FOLDER, 'journal', segmentName(first)), bytes);
    first += payloads.length;
  }
}

/** What a start and its first checkpoint do: all that the index does not tell of goes into the files. */
async function fold(disk: Files, segments: Segments, now = NOW): Promise<CheckpointDone> {
  const found = await readIndex(disk, FOLDER);
  if (!found) throw new Error('there is an index');
  const { index, names } = found;
  await settleIndex(new Disk(disk), FOLDER, index);
  const closed: { path: string; upTo: number }[] = [];
  let first = 1;
  for (const { length } of segments) {
    const upTo = first + length - 1;
    if (upTo > index.upTo) closed.push({ path: join(FOLDER, 'journal', segmentName(first)), upTo });
    first += length;
  }
  let done: CheckpointDone = { index, notes: [] };
  for (const segment of closed) {
    const task = { folder: FOLDER, segment, index: done.index, names: names.users + names.rooms, now, sweep: false };
    const next = await checkpoint(disk, task);
    done = { index: next.index, notes: [...done.notes, ...next.notes] };
  }
  return done;
}

async function foldAll(disk: Files, segments: Segments, now = NOW): Promise<readonly string[]> {
  await writeSegments(disk, segments);
  return (await fold(disk, segments, now)).notes;
}

async function mailOf(disk: Files, uid: string, settled = 0): Promise<{ entries: string[]; replies: string[] }> {
  const path = queuePath(FOLDER, uid);
  const found = await withFile(disk, path, (file) => readMail(file, path, uid, settled));
  return {
    entries: found?.state.entries.values().map(({ payload }) => hex(payload ?? new Uint8Array(0))) ?? [],
    replies: found?.state.replies.values().map(({ payload }) => hex(payload)) ?? [],
  };
}

function kept(uid: string, ...of: readonly QueueEntry[]): string[] {
  return of.map((each) => hex(queuedRecord(uid, each)));
}

/** What the files say, not how. */
async function meaning(disk: Files): Promise<unknown> {
  const found = await readIndex(disk, FOLDER);
  const users = accounts.map(({ uid, name }) => ({ id: latin1(uid), name }));
  const out: unknown[] = [found?.index.upTo, (await disk.readdir(`${FOLDER}/users`)).sort()];
  out.push((await disk.readdir(`${FOLDER}/rooms`)).sort());
  for (const { id, name } of users) {
    const { state } = await readAccountFile(disk, FOLDER, id);
    out.push(found?.names.uid(name), state.account, state.attempts, state.grants, [...state.consents]);
    out.push(await mailOf(disk, id, found?.index.upTo));
  }
  for (const id of [lounge, attic]) {
    const { state } = await readRoomFile(disk, FOLDER, id, found?.index.upTo ?? 0);
    out.push(found?.names.room(id), state.snapshot());
  }
  const seen = await readHellosFile(disk, FOLDER);
  out.push(seen?.complete, [...new Set(seen?.hellos.map(({ random, time }) => `${hex(random)} ${time}`))]);
  return JSON.parse(JSON.stringify(out, (_key, each: unknown) => (each instanceof Uint8Array ? hex(each) : each)));
}

const entries = Array.from({ length: 6 }, () => entry());
const [e1, e2, e3, e4, e5, e6] = entries as [QueueEntry, QueueEntry, QueueEntry, QueueEntry, QueueEntry, QueueEntry];
const large = Array.from({ length: 25 }, () => entry(1400));

const THREE: Segments = [
  [
    ...[account(0), account(1), account(2)],
    attemptsRecord(alice, { count: 2, last: NOW }),
    grantsRecord(alice, [{ hash: draws.bytes(32), ends: NOW + 5 }]),
    consentRecord(alice, bob, 'open'),
    ...[e1, e2, e3].map((each) => queuedRecord(alice, each)),
    ...large.map((each) => queuedRecord(bob, each)),
    queuedRecord(carol, entry()),
    reply(alice),
    room(lounge, 'lounge', alice, 1),
    said(lounge),
    room(attic, 'attic', bob, 1),
    helloRecord(hellos.slice(0, 2)),
  ],
  [
    removed(alice, e1, e2),
    queuedRecord(alice, e4),
    queuedRecord(alice, e5),
    removed(alice, e5),
    removed(bob, ...large.slice(1)),
    queuedRecord(carol, entry()),
    deletedRecord(carol),
    roomDeletedRecord(attic),
    room(lounge, 'lounge', bob, 2),
    account(3),
    queuedRecord(dave, e6),
    said(lounge),
    consentRecord(alice, bob, 'blocked'),
    reply(alice),
    reply(bob),
    helloRecord(hellos.slice(2)),
  ],
  [deletedRecord(dave), attemptsRecord(alice, { count: 0, last: 0 }), reply(alice), removed(alice, e3)],
];

test('what a checkpoint writes is what the journal says', async (t) => {
  const disk = await emptyStore();
  t.same(await foldAll(disk, THREE), []);
  const { state, upTo } = await readAccountFile(disk, FOLDER, alice);
  t.match(state, { account: { name: 'alice' }, attempts: { count: 0 }, grants: [{ ends: NOW + 5 }] });
  t.equal(state.consents.get(bob), 'blocked');
  t.equal(upTo, THREE.flat().length);
  const mail = await mailOf(disk, alice);
  t.same([mail.entries, mail.replies.length], [kept(alice, e4), 3]);
  t.same((await mailOf(disk, bob)).entries, kept(bob, ...large.slice(0, 1)));
  t.same(
    (await disk.readdir(`${FOLDER}/users`)).sort(),
    accounts
      .slice(0, 2)
      .map(({ uid }) => hex(uid))
      .sort(),
    'who was deleted has no folder',
  );
  t.equal((await disk.readdir(`${FOLDER}/rooms`)).length, 1);
  const names = (await readIndex(disk, FOLDER))?.names;
  t.same([names?.users, names?.rooms, names?.uid('carol'), names?.ownedBy(bob)], [2, 1, undefined, 1]);
  const inRoom = await readRoomFile(disk, FOLDER, lounge, 0);
  t.same([inRoom.state.value?.version, inRoom.state.history.messages], [2, 2]);
  t.same((await readHellosFile(disk, FOLDER))?.hellos.length, 3);
});

test('killed at any call and done again, it means the same, and is durable', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const at = new Draws(seed);
  const sound = await emptyStore();
  await foldAll(sound, THREE);
  const expected = JSON.stringify(await meaning(sound));
  let isDone = false;
  let kills = 0;
  for (let n = 1 + at.below(2); !isDone; n += 1 + at.below(3)) {
    let disk = await emptyStore(n);
    await writeSegments(disk, THREE);
    let deaths = 0;
    for (let call = n; !isDone && deaths < 3; call = at.below(250)) {
      const fault = atCall(call, 'die');
      const death = { inSync: false };
      disk.fault = (kind, path) => {
        const met = fault(kind, path);
        if (met) death.inSync = kind.endsWith('sync');
        return met;
      };
      const done = await Promise.race([fold(disk, THREE), disk.died]);
      if (done) isDone = deaths === 0;
      deaths++;
      // What a sync lost in which a process died is the power's to lose: a disk that goes on wrote it.
      disk = !death.inSync && at.chance(0.5) ? disk.kill(at) : disk.crash(at);
    }
    await fold(disk, THREE);
    const after = disk.crash(at, { data: 'none', entries: 'none' });
    if (JSON.stringify(await meaning(after)) !== expected) {
      t.same(await meaning(after), JSON.parse(expected), `killed at call ${n}, SEED=${seed}`);
      return;
    }
    kills++;
  }
  t.ok(kills > 60, `${kills} kills`);
});

test('where any call fails, doing it again means the same', async (t) => {
  const sound = await emptyStore();
  await foldAll(sound, THREE);
  const expected = JSON.stringify(await meaning(sound));
  const wrong: unknown[] = [];
  let kind = 'none yet';
  for (let n = 1; kind !== ''; n++) {
    const disk = await emptyStore(n);
    await writeSegments(disk, THREE);
    const fault = atCall(n, diskError(n % 2 === 0 ? 'ENOSPC' : 'EIO'));
    kind = '';
    disk.fault = (call, path) => {
      const met = fault(call, path);
      if (met) kind = `${call} ${path}`;
      return met;
    };
    const done = await fold(disk, THREE).catch(() => undefined);
    disk.fault = () => undefined;
    const isForRoom = n % 2 === 0 && (kind.includes(`${FOLDER}/index`) || kind.endsWith(FOLDER)); // without room the index stays as it is
    if (kind !== '' && done && !isForRoom) wrong.push([kind, 'nobody was told']);
    if (disk.handles > 0 && !kind.startsWith('close')) wrong.push([kind, 'a file stays open']);
    await fold(disk, THREE);
    if (JSON.stringify(await meaning(disk)) !== expected) wrong.push([kind, 'it means something else']);
  }
  t.same(wrong, []);
});

/** Flips a bit of the file. */
async function damage(disk: Files, path: string, at = 60): Promise<void> {
  const bytes = (await readWhole(disk, path)) ?? new Uint8Array(0);
  await replaceFile(
    disk,
    path,
    bytes.map((byte, n) => (n === at ? byte ^ 1 : byte)),
  );
}

async function waiting(disk: Files, path: string): Promise<string[]> {
  const out: string[] = [];
  await withFile(disk, path, (file) => readMarked(file, path, 0, hex, (each) => out.push(each)));
  return out;
}

test("what comes for a damaged file waits beside it, and everybody else's goes on", async (t) => {
  const users = `${FOLDER}/users/${hex(Buffer.from(alice, 'latin1'))}`;
  for (const [path, beside, own] of [
    [
      queuePath(FOLDER, alice),
      `${users}/mail.waiting`,
      (payload: Uint8Array) => [20, 21, 22].includes(payload[0] ?? 0),
    ],
    [
      `${users}/account.json`,
      `${users}/account.waiting`,
      (payload: Uint8Array) => [11, 12, 13].includes(payload[0] ?? 0),
    ],
  ] as const) {
    const disk = await emptyStore();
    await writeSegments(disk, THREE);
    await fold(disk, THREE.slice(0, 1));
    const other = await emptyStore();
    await foldAll(other, THREE);
    await damage(disk, path, path.endsWith('.json') ? 0 : 60);
    const before = await readWhole(disk, path);
    const { notes, index } = await fold(disk, THREE);
    t.match(notes, [/damaged/, /damaged/], 'told for each segment');
    t.ok(notes.every((note) => note.includes(path)));
    t.equal(index.upTo, THREE.flat().length, 'the journal may go');
    t.same(await readWhole(disk, path), before, 'the file stays for the repair');
    const mine = THREE.slice(1)
      .flat()
      .filter((payload) => latin1(payload, 1, 17) === alice && own(payload));
    t.same(await waiting(disk, beside), mine.map(hex), 'all that came, in order');
    t.same(await mailOf(disk, bob), await mailOf(other, bob));
    t.same((await readIndex(disk, FOLDER))?.names.uid('dave'), undefined);
    if (path.endsWith('account.json')) t.same((await mailOf(disk, alice)).entries, kept(alice, e4));
    else t.equal((await readAccountFile(disk, FOLDER, alice)).state.consents.get(bob), 'blocked');
  }
});

test('a damaged room, and a user or a room whose folder is lost, stop nobody else', async (t) => {
  const cases: Record<string, (disk: Files) => Promise<unknown>> = {
    'a damaged room': (disk) => damage(disk, roomPath(FOLDER, lounge)),
    'a lost room': (disk) => removeFolder(disk, join(roomPath(FOLDER, lounge), '..')),
    'a lost user': (disk) => removeFolder(disk, join(queuePath(FOLDER, alice), '..')),
  };
  for (const [what, spoil] of Object.entries(cases)) {
    const disk = await emptyStore();
    const only = [THREE[0] ?? [], [queuedRecord(alice, e4), said(lounge), removed(bob, ...large.slice(2))]];
    await writeSegments(disk, only);
    await fold(disk, only.slice(0, 1));
    await spoil(disk);
    const done = await fold(disk, only).catch((error: unknown) => error as Error);
    if (done instanceof Error) {
      t.fail(`${what}: ${done.message}`);
      continue;
    }
    t.equal(done.notes.length, 1, what);
    t.equal((await mailOf(disk, bob)).entries.length, 2, 'the others go on');
    const own = what.includes('room') ? join(roomPath(FOLDER, lounge), '..') : join(queuePath(FOLDER, alice), '..');
    const path = join(own, what.includes('room') ? 'room.waiting' : 'mail.waiting');
    const after = disk.crash(new Draws(1), { data: 'none', entries: 'none' });
    t.ok((await waiting(after, path)).length === 1, 'what came waits, durably');
  }
});

test('a queue is written anew when most of it is dead', async (t) => {
  const disk = await emptyStore();
  const many = Array.from({ length: 40 }, () => entry(2000));
  const segments = [
    [account(0), ...many.map((each) => queuedRecord(alice, each))],
    [removed(alice, ...many.slice(0, 5))],
    [removed(alice, ...many.slice(5, 38))],
  ];
  await writeSegments(disk, segments);
  const sizes: number[] = [];
  for (const n of [1, 2, 3]) {
    await fold(disk, segments.slice(0, n));
    sizes.push((await disk.lstat(queuePath(FOLDER, alice))).size);
  }
  const [first = 0, second = 0, third = 0] = sizes;
  t.ok(second > first && second - first < 300, 'a few ids are appended');
  t.ok(third < 3 * 2200, `${third} bytes for two entries`);
  t.same((await mailOf(disk, alice)).entries, kept(alice, ...many.slice(38)));
});

test('what was queued and removed between two checkpoints never comes to a file', async (t) => {
  const disk = await emptyStore();
  await foldAll(disk, [[account(0), queuedRecord(alice, e1), queuedRecord(alice, e2), removed(alice, e1)]]);
  const bytes = Buffer.from((await readWhole(disk, queuePath(FOLDER, alice))) ?? new Uint8Array(0));
  t.equal(bytes.includes(Buffer.from(e1.fields)), false);
  t.ok(bytes.includes(Buffer.from(e2.fields)));

  const none = await emptyStore();
  await foldAll(none, [[account(0), queuedRecord(alice, e1), removed(alice, e1)]]);
  t.equal(await exists(none, queuePath(FOLDER, alice)), false);
});

test('an id that comes again is the newer entry', async (t) => {
  const again = { ...entry(), id: e1.id };
  const segments = [
    [account(0), queuedRecord(alice, e2)],
    [queuedRecord(alice, e1), queuedRecord(alice, e3), removed(alice, e1), queuedRecord(alice, again)],
    [removed(alice, again), queuedRecord(alice, e1)],
  ];
  const disk = await emptyStore();
  await writeSegments(disk, segments);
  await fold(disk, segments.slice(0, 2));
  t.same((await mailOf(disk, alice)).entries, kept(alice, e2, e3, again));
  await fold(disk, segments);
  t.same((await mailOf(disk, alice)).entries, kept(alice, e2, e3, e1));
});

test('what has waited too long leaves the file', async (t) => {
  const old = Array.from({ length: 30 }, () => entry(1400, NOW - 1000));
  const segments = [
    [account(0), ...old.map((each) => queuedRecord(alice, each)), reply(alice)],
    [queuedRecord(alice, { ...e1, time: NOW + MAX_UNREAD_MS })],
  ];
  const disk = await emptyStore();
  await writeSegments(disk, segments);
  await fold(disk, segments.slice(0, 1));
  t.equal((await mailOf(disk, alice)).entries.length, 30);
  await fold(disk, segments, NOW + MAX_UNREAD_MS + 1);
  const left = await mailOf(disk, alice);
  t.same(left.entries, kept(alice, { ...e1, time: NOW + MAX_UNREAD_MS }));
  t.same(left.replies, [], 'answers too');
  t.ok((await disk.lstat(queuePath(FOLDER, alice))).size < 1000);
});

test('HELLOs are kept together, and go when nobody can replay them', async (t) => {
  const hello = (minutes: number, byte: number): { random: Uint8Array; time: number } => ({
    random: new Uint8Array(32).fill(byte),
    time: NOW + minutes * 60_000,
  });
  const segments = [
    [helloRecord([hello(0, 1)]), helloRecord([hello(1, 2)])],
    [helloRecord([hello(4, 3)])],
    [helloRecord([hello(6, 4)])],
  ];
  const disk = await emptyStore();
  await writeSegments(disk, segments);
  const after = async (n: number, minutes: number): Promise<unknown> => {
    await fold(disk, segments.slice(0, n), NOW + minutes * 60_000);
    const found = await readHellosFile(disk, FOLDER);
    return [found?.complete, found?.hellos.map(({ random }) => random[0])];
  };
  t.same(await after(1, 1), [0, [1, 2]]);
  t.same(await after(2, 5), [0, [1, 2, 3]], 'five minutes are kept');
  t.same(await after(3, 6.5), [0, [3, 4]]);

  const lost = await emptyStore();
  await lost.unlink(`${FOLDER}/hellos`);
  await foldAll(lost, segments);
  t.equal((await readHellosFile(lost, FOLDER))?.complete, NOW + 120_000, 'a lost record begins anew, incomplete');
});

test('the index is written anew when most of it is dead', async (t) => {
  const disk = await emptyStore();
  const segments: Uint8Array[][] = [[account(0)]];
  for (let n = 0; n < 40; n++) segments.push(Array.from({ length: 40 }, () => deletedRecord(latin1(draws.bytes(16)))));
  await foldAll(disk, segments);
  const found = await readIndex(disk, FOLDER);
  t.same([found?.names.users, found?.names.uid('alice')], [1, alice]);
  t.equal(found?.index.upTo, 1 + 40 * 40);
  t.ok((found?.index.size ?? 0) < 300, `${found?.index.size} bytes`);
});

test('a journal that lacks records, or is damaged, changes no file', async (t) => {
  const path = join(FOLDER, 'journal', segmentName(1));
  for (const spoil of [
    (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1),
    (bytes: Uint8Array) => bytes.map((byte, n) => (n === 40 ? byte ^ 1 : byte)),
    (bytes: Uint8Array) => bytes.map((byte, n) => (n === 10 ? byte ^ 1 : byte)),
  ]) {
    const disk = await emptyStore();
    await writeSegments(disk, THREE);
    await replaceFile(disk, path, spoil((await readWhole(disk, path)) ?? new Uint8Array(0)));
    const before = await meaning(disk);
    await t.rejects(fold(disk, THREE), { name: 'StoreRefusal' });
    t.same(await meaning(disk), before);
  }
});

test('a damaged record of HELLOs stops no checkpoint; what was in it counts as missing', async (t) => {
  const disk = await emptyStore();
  await damage(disk, `${FOLDER}/hellos`, 30);
  const notes = await foldAll(disk, [[helloRecord(hellos)]]);
  t.match(notes.join(), /hellos is damaged/);
  const found = await readHellosFile(disk, FOLDER);
  t.equal(found?.hellos.length, 3);
  t.ok((found?.complete ?? 0) > NOW, 'not known from before');
});
