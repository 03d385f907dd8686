/** The journal: what is appended together is synced together, what fails is undone, and what a start may find. */
import { test } from 'tap';
import { Disk } from '../../src/store/journal/disk.js';
import { makeFolder, readWhole, remove, replaceFile, syncFolder } from '../../src/store/journal/durable.js';
import { Journal } from '../../src/store/journal/journal.js';
import { makeJournal, openJournal } from '../../src/store/journal/open-journal.js';
import { encodeRecords, FILE_HEADER, readHeader, RECORD_HEADER } from '../../src/store/journal/record-format.js';
import { attemptsRecord, partKey, readAttempts } from '../../src/store/journal/records.js';
import { segmentName } from '../../src/store/journal/segment.js';
import { StorageError, StoreRefusal } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import { newSeed } from '../support/random.js';
import { atCall, diskError, SimulatedDisk, storageFailure, type DiskOptions } from '../support/simulated-disk.js';

const FOLDER = '/journal';
const USER = 'u'.repeat(16);
const OTHER = 'o'.repeat(16);
const KEY = partKey('account', USER);
const SIZE = RECORD_HEADER + attemptsRecord(USER, { count: 0, last: 0 }).length;

const nothing = (): void => undefined;

function record(n: number, uid = USER): Uint8Array {
  return attemptsRecord(uid, { count: n, last: 0 });
}

function numberOf(payload: Uint8Array): number {
  return readAttempts(payload)?.count ?? NaN;
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

function pathOf(first: number): string {
  return `${FOLDER}/${segmentName(first)}`;
}

interface Opened {
  readonly simulated: SimulatedDisk;
  readonly disk: Disk;
  readonly journal: Journal;
  /** what the records that were found say */
  readonly found: number[];
  readonly notes: string[];
}

async function open(simulated: SimulatedDisk, settled = 0): Promise<Opened> {
  const disk = new Disk(simulated);
  const found: number[] = [];
  const notes: string[] = [];
  const journal = new Journal(
    FOLDER,
    disk,
    await openJournal(FOLDER, disk, settled, {
      onRecord: (payload) => found.push(numberOf(payload)),
      isHeld: false,
      onNote: (what) => notes.push(what),
    }),
  );
  return { simulated, disk, journal, found, notes };
}

async function fresh(options: DiskOptions = {}, seed = 1): Promise<Opened> {
  const simulated = new SimulatedDisk(new Draws(seed), { turns: 0, ...options });
  await makeFolder(simulated, FOLDER);
  await syncFolder(simulated, '/');
  await makeJournal(FOLDER, new Disk(simulated));
  return open(simulated);
}

async function append(journal: Journal, ...numbers: readonly number[]): Promise<void> {
  await Promise.all(numbers.map((n) => journal.append(record(n), nothing)));
}

async function inJournal(journal: Journal): Promise<number[]> {
  return (await journal.tail(KEY)).map(({ payload }) => numberOf(payload));
}

/** A journal of segments with these records, each a batch of its own, closed in order. */
async function segments(...of: readonly (readonly number[])[]): Promise<SimulatedDisk> {
  const { simulated, journal } = await fresh();
  for (const [n, numbers] of of.entries()) {
    if (n > 0) await journal.roll();
    for (const each of numbers) await append(journal, each);
  }
  await journal.close();
  return simulated;
}

async function change(disk: SimulatedDisk, path: string, how: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  await replaceFile(disk, path, how((await readWhole(disk, path)) ?? new Uint8Array(0)));
}

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => bytes.map((byte, n) => (n === at ? byte ^ 4 : byte));
}

async function contents(disk: SimulatedDisk): Promise<unknown> {
  const out: [string, string][] = [];
  for (const name of (await disk.readdir(FOLDER)).sort()) {
    const bytes = (await readWhole(disk, `${FOLDER}/${name}`)) ?? new Uint8Array(0);
    out.push([name, Buffer.from(bytes).toString('hex')]);
  }
  return out;
}

test('what is appended in one turn, or while a sync runs, shares a write and a sync', async (t) => {
  const { simulated, journal } = await fresh({ turns: 2 });
  const before = { ...simulated.counts };
  const first = append(journal, ...upTo(1000));
  await first;
  t.equal(simulated.counts.write - before.write, 1);
  t.equal(simulated.counts.datasync - before.datasync, 1);
  let during: Promise<void> | undefined;
  simulated.fault = (call) => {
    if (call === 'datasync') during ??= append(journal, ...upTo(1000));
    return undefined;
  };
  await append(journal, 1);
  await during;
  t.equal(simulated.counts.datasync - before.datasync, 3);
  t.equal(journal.durable, 2001);
  await journal.close();
  t.equal((await open(simulated)).found.length, 2001);
});

test('a batch is written when the one before it is synced, and answered when it is', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const { simulated, journal } = await fresh({ turns: 5 }, seed);
  const draws = new Draws(seed);
  const events: string[] = [];
  simulated.trace = (line) => events.push(line.split(' ')[1] ?? '');
  const all: Promise<unknown>[] = [];
  for (let n = 1; n <= 200; n++) {
    all.push(append(journal, n).then(() => events.push(`answer ${n}`)));
    for (let turns = draws.below(12); turns > 0; turns--) await Promise.resolve();
  }
  await Promise.all(all);
  simulated.trace = undefined;
  const calls = events.filter((event) => !event.startsWith('answer'));
  const pairs = calls.length / 2;
  t.same(
    calls,
    Array.from({ length: pairs }, () => ['write', 'datasync']).flat(),
    `${pairs} batches, one after the other`,
  );
  t.same(
    events.filter((event) => event.startsWith('answer')),
    upTo(200).map((n) => `answer ${n}`),
  );
  t.ok(events.slice(0, events.indexOf('answer 1')).includes('datasync'));
  t.same(await inJournal(journal), upTo(200));
  await journal.close();
});

test('where a write fails, all that waits is undone, the latest first, and the failure is final', async (t) => {
  const { simulated, disk, journal } = await fresh({ turns: 2 });
  await append(journal, 1);
  const undone: number[] = [];
  const failures: Promise<StorageError>[] = [];
  const add = (n: number): void => {
    failures.push(storageFailure(journal.append(record(n), () => undone.push(n))));
  };
  let isIn = false;
  simulated.fault = (call) => {
    if (call !== 'datasync') return undefined;
    isIn = true;
    for (const n of [5, 6]) add(n); // while the sync runs
    return diskError('EIO');
  };
  for (const n of [2, 3, 4]) add(n);
  const errors = await Promise.all(failures.slice(0, 3));
  t.ok(isIn);
  t.same(undone, [6, 5, 4, 3, 2]);
  t.ok([...errors, ...(await Promise.all(failures))].every(({ full }) => !full));
  t.equal((await disk.whenFailed).full, false, 'it is told');
  simulated.fault = () => undefined;
  add(7);
  t.equal(undone.at(-1), 7, 'undone at once');
  t.equal((await failures.at(-1))?.full, false, 'even if the disk would do now');
  await t.rejects(journal.roll(), StorageError);
  await journal.close();
  const { found } = await open(simulated.crash(new Draws(1), { data: 'none' }));
  t.equal(found[0], 1);
});

test('a sync that fails for want of room is final, too', async (t) => {
  const { simulated, disk, journal } = await fresh();
  simulated.fault = atCall(1, diskError('ENOSPC'), ['datasync']);
  t.equal((await storageFailure(append(journal, 1))).full, false);
  t.ok(disk.failed);
  await storageFailure(append(journal, 2));
  await journal.close();
});

test('short writes are written on', async (t) => {
  const { simulated, journal } = await fresh({ shortWrites: 0.9 });
  for (let n = 0; n < 20; n++) await append(journal, ...upTo(10));
  t.ok(simulated.counts.write > 40, `${simulated.counts.write} writes`);
  await journal.close();
  const { found, notes } = await open(simulated);
  t.same([found.length, notes], [200, []]);
});

test('without room nothing stays of what is refused, and it goes on when there is some', async (t) => {
  const { simulated, disk, journal } = await fresh();
  await append(journal, 1, 2);
  for (let room = 0; room < 3 * SIZE; room += 7) {
    simulated.capacity = simulated.used + room;
    const size = (await readWhole(simulated, pathOf(1)))?.length ?? 0;
    const undone: number[] = [];
    const all = [3, 4, 5].map((n) => storageFailure(journal.append(record(n), () => undone.push(n))));
    const errors = await Promise.all(all);
    t.ok(errors.every(({ full }) => full));
    t.same(undone, [5, 4, 3]);
    t.equal((await readWhole(simulated, pathOf(1)))?.length, size, 'cut back');
  }
  simulated.capacity = simulated.used + SIZE;
  await append(journal, 3);
  await storageFailure(append(journal, 4));
  simulated.capacity = Infinity;
  await append(journal, 4);
  t.equal(disk.failed, undefined);
  t.same(await inJournal(journal), upTo(4));
  await journal.close();
  t.same((await open(simulated)).found, upTo(4));
});

test('without room for what cuts it back the failure is final', async (t) => {
  const { simulated, disk, journal } = await fresh();
  simulated.capacity = simulated.used + 5;
  simulated.fault = atCall(1, diskError('EIO'), ['truncate']);
  t.equal((await storageFailure(append(journal, 1))).full, false);
  t.ok(disk.failed);
  await journal.close();
});

test('what can be no record is refused alone', async (t) => {
  const { journal } = await fresh();
  let undone = 0;
  await t.rejects(
    journal.append(new Uint8Array(1024 * 1024 + 1), () => undone++),
    RangeError,
  );
  await append(journal, 1);
  t.same([undone, await inJournal(journal)], [1, [1]]);
  await journal.close();
  await t.rejects(
    journal.append(record(2), () => undone++),
    /closed/,
  );
  t.equal(undone, 2);
});

test('it goes on in a new segment, and closed ones go when all of them is in files', async (t) => {
  const { simulated, journal } = await fresh();
  t.equal(await journal.roll(), 0, 'an empty one is not closed');
  await append(journal, 1, 2, 3);
  t.equal(await journal.roll(), 3);
  t.equal(await journal.roll(), 3);
  await journal.append(record(99, OTHER), nothing);
  const [last] = await Promise.all([journal.roll(), append(journal, 5)]);
  t.equal(last, 4);
  t.same(
    journal.closed(0).map(({ first, next }) => [first, next]),
    [
      [1, 4],
      [4, 5],
    ],
  );
  t.equal(journal.closed(3).length, 1);
  t.ok(journal.bytesBehind(0) > journal.bytesBehind(3));
  t.same(await inJournal(journal), [1, 2, 3, 5]);
  t.same(
    (await journal.tail(KEY)).map(({ lsn }) => lsn),
    [1, 2, 3, 5],
  );
  await journal.drop(2);
  t.equal((await simulated.readdir(FOLDER)).length, 3, 'one that is needed stays');
  await journal.drop(100);
  t.same(await simulated.readdir(FOLDER), [segmentName(5)], 'the one in use stays');
  t.same(await inJournal(journal), [5]);
  await journal.close();
  const again = await open(simulated, 4);
  t.same(again.found, [5]);
  await append(again.journal, 6);
  t.equal(again.journal.durable, 6);
  await again.journal.close();
});

test('a new segment that finds no room is not there, and comes later', async (t) => {
  for (const call of ['open', 'write', 'fchmod'] as const) {
    const { simulated, journal } = await fresh();
    await append(journal, 1);
    simulated.fault = (each, path) => (each === call && path === pathOf(2) ? diskError('ENOSPC') : undefined);
    t.ok((await storageFailure(journal.roll())).full, call);
    t.same(await simulated.readdir(FOLDER), [segmentName(1)]);
    await append(journal, 2);
    simulated.fault = () => undefined;
    t.equal(await journal.roll(), 2);
    await append(journal, 3);
    await journal.close();
    t.same((await open(simulated)).found, [1, 2, 3]);
  }
});

async function refuses(simulated: SimulatedDisk, settled = 0): Promise<string> {
  const before = await contents(simulated);
  const error: unknown = await open(simulated, settled).catch((reason: unknown) => reason);
  if (!(error instanceof StoreRefusal)) return `it opens, or fails otherwise: ${String(error)}`;
  if (JSON.stringify(await contents(simulated)) !== JSON.stringify(before)) return 'it touched something';
  if (simulated.handles > 0) return 'it leaves a file open';
  return error.message;
}

test('a segment that is missing refuses, unless all of it is in files', async (t) => {
  const three = (): Promise<SimulatedDisk> => segments([1, 2], [3, 4], [5]);
  const middle = await three();
  await remove(middle, pathOf(3));
  t.match(await refuses(middle), /lacks records from 3 on/);
  t.match(await refuses(middle, 3), /lacks records from/);
  t.same((await open(middle, 4)).found, [5], 'a settled one may be gone while an older one is still there');

  const beginning = await three();
  await remove(beginning, pathOf(1));
  t.match(await refuses(beginning), /lacks records from 1 on/);
  t.match(await refuses(beginning, 1), /lacks records from 2 on/);
  t.same((await open(beginning, 2)).found, [3, 4, 5]);

  const all = await three();
  for (const first of [1, 3, 5]) await remove(all, pathOf(first));
  t.match(await refuses(all, 5), /holds no journal/);

  const end = await three();
  await remove(end, pathOf(5));
  t.same((await open(end)).found, [1, 2, 3, 4], 'one at the end has left no trace');
});

test('a last segment whose making was cut short is made again', async (t) => {
  const header = (await readWhole(await segments([1]), pathOf(1)))?.subarray(0, FILE_HEADER) ?? new Uint8Array(0);
  for (let cut = 0; cut < FILE_HEADER; cut++) {
    const simulated = await segments([1, 2]);
    await replaceFile(simulated, pathOf(3), header.subarray(0, cut));
    const { journal, found } = await open(simulated);
    t.same(found, [1, 2], `cut at ${cut}`);
    await append(journal, 3);
    await journal.roll();
    await append(journal, 4);
    await journal.close();
    t.same((await open(simulated)).found, upTo(4));
  }
});

test('a damaged beginning refuses', async (t) => {
  for (const first of [1, 3]) {
    const simulated = await segments([1, 2], [3, 4]);
    await change(simulated, pathOf(first), flip(2));
    t.match(await refuses(simulated), /damaged at its beginning/);
  }
  const swapped = await segments([1, 2], [3, 4]);
  await change(swapped, pathOf(3), flip(FILE_HEADER - 1));
  t.match(await refuses(swapped), /damaged at its beginning/, 'a segment of another number');
  const last = await segments([1, 2]);
  for (let at = 0; at < FILE_HEADER; at++) {
    await change(last, pathOf(1), flip(at));
    t.match(await refuses(last), /damaged at its beginning/, `byte ${at}`);
    await change(last, pathOf(1), flip(at));
  }
});

test('any bit of a closed segment counts', async (t) => {
  const simulated = await segments([1, 2, 3], [4]);
  const sound = (await readWhole(simulated, pathOf(1))) ?? new Uint8Array(0);
  const unnoticed: number[] = [];
  for (let at = 0; at < sound.length; at++) {
    await replaceFile(simulated, pathOf(1), flip(at)(sound));
    if (!(await refuses(simulated)).includes('damaged')) unnoticed.push(at);
  }
  t.same(unnoticed, []);
  for (let cut = FILE_HEADER; cut < sound.length; cut++) {
    await replaceFile(simulated, pathOf(1), sound.subarray(0, cut));
    if (!/damaged|lacks records/.test(await refuses(simulated))) unnoticed.push(cut);
  }
  t.same(unnoticed, [], 'and it is whole');
  await replaceFile(simulated, pathOf(1), sound);
  t.same((await open(simulated)).found, upTo(4));
});

test('in the last segment, what a later batch vouches for must be sound, and the rest is cut', async (t) => {
  const sound = (await readWhole(await segments([1, 2, 3]), pathOf(1))) ?? new Uint8Array(0);
  for (let n = 0; n < 3; n++) {
    const simulated = await segments([1]);
    await replaceFile(simulated, pathOf(1), flip(FILE_HEADER + n * SIZE + 30)(sound));
    if (n < 2) t.match(await refuses(simulated), new RegExp(`damaged at byte ${FILE_HEADER + n * SIZE}`));
    else {
      const { found, notes } = await open(simulated);
      t.same([found, notes.length], [[1, 2], 1], 'the last record may never have been synced');
    }
  }
  const salt = readHeader(sound)?.salt ?? 0;
  const batch = encodeRecords(
    [4, 5, 6, 7].map((n) => record(n)),
    salt,
    4,
    4,
  );
  for (let n = 0; n < 4; n++) {
    const simulated = await segments([1]);
    const torn = flip(n * SIZE + 30)(batch);
    await replaceFile(simulated, pathOf(1), Buffer.concat([sound, torn]));
    const { found, notes, journal } = await open(simulated);
    t.same(found, upTo(3 + n), 'of a batch that was never synced any record may be bad');
    t.match(notes, [new RegExp(`cut off the last ${(4 - n) * SIZE} bytes`)]);
    await append(journal, 4 + n);
    await journal.close();
    t.same((await open(simulated)).found, upTo(4 + n));
  }
});

test('a tail that is cut anywhere is cut off, told of, and written over', async (t) => {
  const sound = (await readWhole(await segments([1, 2]), pathOf(1))) ?? new Uint8Array(0);
  for (let cut = sound.length - SIZE; cut < sound.length; cut++) {
    const simulated = await segments([1]);
    await replaceFile(simulated, pathOf(1), sound.subarray(0, cut));
    const { journal, found, notes } = await open(simulated);
    t.same([found, notes.length], [[1], cut === sound.length - SIZE ? 0 : 1], `cut at ${cut}`);
    await append(journal, 7);
    await journal.close();
    const again = await open(simulated);
    t.same([again.found, again.notes], [[1, 7], []]);
  }
});

test('an unknown record refuses', async (t) => {
  const simulated = await segments([1]);
  const sound = (await readWhole(simulated, pathOf(1))) ?? new Uint8Array(0);
  for (const payload of [Uint8Array.of(200, 1, 2), Uint8Array.of(11), new Uint8Array(0)]) {
    const more = encodeRecords([payload], readHeader(sound)?.salt ?? 0, 2, 2);
    await replaceFile(simulated, pathOf(1), Buffer.concat([sound, more]));
    t.match(await refuses(simulated), /unknown record/);
  }
});

test('what a killed process wrote without a sync is synced before a start vouches for it', async (t) => {
  const { simulated, journal } = await fresh();
  await append(journal, 1);
  simulated.fault = atCall(1, 'die', ['datasync']);
  void append(journal, 2);
  await simulated.died;
  const next = simulated.kill(new Draws(2));
  const { found } = await open(next);
  t.ok(found.length >= 1);
  const after = next.crash(new Draws(3), { data: 'none', entries: 'none' });
  t.same((await open(after)).found, found);
});

test('a start that fails leaves no file open, and the next one finds the same', async (t) => {
  for (let n = 1; ; n++) {
    const simulated = await segments([1, 2], [3], [4]);
    const before = await contents(simulated);
    let failed = '';
    const fault = atCall(n, diskError('EIO'));
    simulated.fault = (call, path) => {
      const met = fault(call, path);
      if (met) failed = call;
      return met;
    };
    const opened = await open(simulated).catch((error: unknown) => error);
    simulated.fault = () => undefined;
    if (failed === '') break;
    t.ok(opened instanceof Error || failed === 'close', `${failed} is told`);
    if (failed === 'close') continue; // it may still be open then
    if (simulated.handles > 0) t.fail(`${failed}, call ${n}, leaves a file open`);
    t.same(await contents(simulated), before);
  }
});

test('a journal that ends before what the index says takes no new record', async (t) => {
  const simulated = await segments([1, 2, 3]);
  await t.rejects(open(simulated, 5), {
    name: 'StoreRefusal',
    message: /ends at record 3, the index at 5: run cadenasd/,
  });
  t.same((await open(simulated, 3)).found, [], 'where all is settled nothing is left to read');
});

test('while somebody reads the journal, a start removes nothing of it', async (t) => {
  const simulated = await segments([1, 2], [3, 4], [5]);
  const disk = new Disk(simulated);
  const visitor = { onRecord: nothing, onNote: nothing };
  const { file } = await openJournal(FOLDER, disk, 4, { ...visitor, isHeld: true });
  await file.close();
  t.same((await simulated.readdir(FOLDER)).sort(), [1, 3, 5].map(segmentName));
  await (await openJournal(FOLDER, disk, 4, { ...visitor, isHeld: false })).file.close();
  t.same(await simulated.readdir(FOLDER), [segmentName(5)]);
});
