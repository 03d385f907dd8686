/** The bytes of record files: what was written is read, and what is wrong is told from what was cut short. */
import { test } from 'tap';
import type { Files } from '../../src/store/journal/disk.js';
import { makeFolder, readWhole, replaceFile } from '../../src/store/journal/durable.js';
import {
  appendMarked,
  readMarked,
  readPlaces,
  scanFile,
  withFile,
  writeMarked,
  type MarkedFile,
} from '../../src/store/journal/record-file.js';
import {
  anySound,
  encodeHeader,
  encodeRecords,
  FILE_HEADER,
  isRotten,
  MAX_PAYLOAD,
  readHeader,
  RECORD_HEADER,
  scanRecords,
} from '../../src/store/journal/record-format.js';
import { StorageError, StoreRefusal } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import { newSeed } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

const SALT = 0xfeedf00d;
const FOLDER = '/files';
const PATH = '/files/records';

function payload(length: number, byte = 0x61): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

interface Seen {
  readonly payload: string;
  readonly seq: number;
  readonly at: number;
}

function scan(bytes: Uint8Array, next: number, salt = SALT): { seen: Seen[]; end: number; next: number } {
  const seen: Seen[] = [];
  const found = scanRecords(bytes, 0, salt, next, (each, seq, at) => {
    seen.push({ payload: Buffer.from(each).toString('latin1'), seq, at });
  });
  return { seen, ...found };
}

/** Each with one bit of these bytes turned round. */
function* flipped(bytes: Uint8Array, from: number, to: number): Generator<{ bit: number; bytes: Uint8Array }> {
  for (let bit = 8 * from; bit < 8 * to; bit++) {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield { bit, bytes: copy };
  }
}

function newDisk(): SimulatedDisk {
  return new SimulatedDisk(new Draws(1), { turns: 0 });
}

/** A disk with this one file. */
async function diskWith(bytes: Uint8Array): Promise<SimulatedDisk> {
  const disk = newDisk();
  await makeFolder(disk, FOLDER);
  await replaceFile(disk, PATH, bytes);
  return disk;
}

async function bytesOf(files: Files): Promise<Uint8Array> {
  return (await readWhole(files, PATH)) ?? new Uint8Array(0);
}

test('records are read as they were written', async (t) => {
  const payloads = [payload(0), payload(1), payload(7, 0), payload(1000, 0xca), payload(3, 0xde)];
  const bytes = encodeRecords(payloads, SALT, 41, 41);
  const { seen, end, next } = scan(bytes, 41);
  t.same(
    seen.map((each) => each.payload),
    payloads.map((each) => Buffer.from(each).toString('latin1')),
  );
  t.same(
    seen.map(({ seq }) => seq),
    [41, 42, 43, 44, 45],
  );
  for (const { at, payload: text } of seen) {
    t.equal(Buffer.from(bytes.subarray(at, at + text.length)).toString('latin1'), text, 'it is where it is said to be');
  }
  t.same([end, next], [bytes.length, 46]);
  t.same(scan(bytes, 40).seen, [], 'the numbers go on from the last one');
  t.same(scan(bytes, 41, SALT + 1).seen, [], 'the salt is part of each');
});

test('a payload has a greatest length', async (t) => {
  const longest = encodeRecords([payload(MAX_PAYLOAD)], SALT, 1, 1);
  t.equal(scan(longest, 1).seen.length, 1);
  t.throws(() => encodeRecords([payload(MAX_PAYLOAD + 1)], SALT, 1, 1), RangeError);
  const longer = Buffer.concat([longest, payload(1)]);
  longer.writeUInt32BE(MAX_PAYLOAD + 1, 6);
  t.equal(scan(longer, 1).seen.length, 0);
});

test('a header is whole or none', async (t) => {
  const header = { salt: SALT, first: 2 ** 40 + 3 };
  const bytes = encodeHeader(header);
  t.same(readHeader(bytes), header);
  for (let cut = 0; cut < FILE_HEADER; cut++) t.equal(readHeader(bytes.subarray(0, cut)), undefined, `cut at ${cut}`);
  for (const { bytes: wrong } of flipped(bytes, 0, FILE_HEADER)) t.equal(readHeader(wrong), undefined);
});

test('every bit of a record counts', async (t) => {
  const [first, second, third] = [1, 2, 3].map((seq) => encodeRecords([payload(20, seq)], SALT, seq, 1));
  const bytes = joined(first as Uint8Array, second as Uint8Array, third as Uint8Array);
  const size = RECORD_HEADER + 20;
  const wrong: number[] = [];
  for (const { bit, bytes: bad } of flipped(bytes, size, 2 * size)) {
    const { seen, end, next } = scan(bad, 1);
    if (seen.length !== 1 || end !== size || next !== 2) wrong.push(bit);
  }
  t.same(wrong, []);
});

test('of records that are cut anywhere the whole ones count', async (t) => {
  const bytes = encodeRecords([payload(5), payload(0), payload(30)], SALT, 1, 1);
  const ends = [RECORD_HEADER + 5, 2 * RECORD_HEADER + 5, bytes.length];
  for (let cut = 0; cut <= bytes.length; cut++) {
    const whole = ends.filter((end) => end <= cut);
    const { seen, end, next } = scan(bytes.subarray(0, cut), 1);
    if (seen.length === whole.length && end === (whole.at(-1) ?? 0) && next === 1 + whole.length) continue;
    t.fail(`cut at ${cut}`);
  }
  t.pass('each cut');
});

test('a bad record is torn or rotten, as later ones tell', async (t) => {
  const batches = [
    encodeRecords([payload(9), payload(9)], SALT, 1, 1),
    encodeRecords([payload(9), payload(9), payload(9)], SALT, 3, 3),
  ];
  const size = RECORD_HEADER + 9;
  const both = joined(...batches);
  const only = batches[0] as Uint8Array;
  const damage = (bytes: Uint8Array, n: number): Uint8Array =>
    bytes.map((byte, at) => (at === n * size + 25 ? byte ^ 1 : byte));
  const verdict = (bytes: Uint8Array): boolean => {
    const { end, next } = scan(bytes, 1);
    return isRotten(bytes.subarray(end), SALT, next);
  };
  t.equal(verdict(damage(only, 0)), false, 'one of the same batch follows');
  t.equal(verdict(damage(both, 0)), true, 'a later batch follows');
  t.equal(verdict(damage(both, 1)), true, 'a later batch follows at once');
  t.equal(verdict(damage(both, 2)), false);
  t.equal(verdict(damage(both, 3)), false);
  t.equal(verdict(damage(both, 4)), false, 'nothing follows');
  t.equal(verdict(damage(damage(both, 0), 2)), true, 'any of a later batch tells');
  t.equal(verdict(joined(both.subarray(0, size), both.subarray(2 * size))), true, 'one that is missing is a bad one');
  t.equal(verdict(joined(only.subarray(0, size + 3), batches[1] as Uint8Array)), true, 'wherever the later one begins');
  const own = encodeRecords([payload(9), payload(9), payload(9)], SALT, 1, 'own');
  t.equal(verdict(damage(own, 0)), true, 'in a file that was made whole any later one tells');
  t.equal(verdict(damage(own, 2)), false);
});

test('what a user sends is never taken for a record', async (t) => {
  const forged = encodeRecords([payload(4)], SALT + 1, 900, 900);
  const bytes = encodeRecords([forged, payload(3)], SALT, 1, 1);
  t.equal(scan(bytes, 1).seen.length, 2);
  const torn = bytes.subarray(0, RECORD_HEADER + forged.length - 1);
  t.equal(isRotten(torn, SALT, 1), false);
  t.equal(
    anySound(torn.subarray(1), SALT, () => true),
    false,
  );
});

/** The groups' payloads as text, and what the file is. */
async function read(
  files: Files,
  settled: number,
  parse = (each: Uint8Array): string | undefined => Buffer.from(each).toString('latin1'),
): Promise<{ taken: string[]; found: MarkedFile | undefined }> {
  const taken: string[] = [];
  const found = await withFile(files, PATH, (file) =>
    readMarked(file, PATH, settled, parse, (each) => taken.push(each)),
  );
  return { taken, found };
}

/** A file of three groups, up to LSN 5, 9 and 20, and the offsets where they end. */
async function threeGroups(): Promise<{ disk: SimulatedDisk; bytes: Uint8Array; ends: number[]; last: MarkedFile }> {
  const disk = newDisk();
  await makeFolder(disk, FOLDER);
  const first = await writeMarked(disk, PATH, [payload(3, 0x61), payload(8, 0x62)], 5);
  const second = await appendMarked(disk, PATH, first, [payload(5, 0x63)], 9);
  const last = await appendMarked(disk, PATH, second, [payload(2, 0x64), payload(9, 0x65)], 20);
  return { disk, bytes: await bytesOf(disk), ends: [first.end, second.end, last.end], last };
}

const TAKEN = ['aaa', 'bbbbbbbb', 'ccccc', 'dd', 'eeeeeeeee'];

test('groups are read back, and what the writer says of the file is what a reader finds', async (t) => {
  const { disk, last } = await threeGroups();
  t.same(await read(disk, 20), { taken: TAKEN, found: last });
  t.equal(last.upTo, 20);
  t.equal(await withFile(disk, '/files/other', () => Promise.resolve(1)), undefined);
  const empty = await writeMarked(disk, PATH, [], 0);
  t.same(await read(disk, 0), { taken: [], found: empty });
});

test('a last group that is cut anywhere does not count, and the next takes its place', async (t) => {
  const { bytes, ends } = await threeGroups();
  const [, second = 0, third = 0] = ends;
  for (let cut = second; cut < third; cut++) {
    const disk = await diskWith(bytes.subarray(0, cut));
    const { taken, found } = await read(disk, 9);
    if (!found) throw new Error('the file is there');
    if (taken.join() !== TAKEN.slice(0, 3).join() || found.upTo !== 9 || found.end !== second) {
      t.fail(`cut at ${cut}`);
    }
    const appended = await appendMarked(disk, PATH, found, [payload(1, 0x66)], 30);
    const again = await read(disk, 30);
    t.same(again.taken, [...TAKEN.slice(0, 3), 'f'], `cut at ${cut}`);
    t.same(again.found, appended);
  }
});

test('what a checkpoint that was entered wrote must be whole', async (t) => {
  const { bytes, ends } = await threeGroups();
  const [, second = 0, third = 0] = ends;
  const silent: number[] = [];
  for (let cut = second; cut < third; cut++) {
    const disk = await diskWith(bytes.subarray(0, cut));
    const isTold = await read(disk, 20).then(
      () => false,
      (error: unknown) => error instanceof StoreRefusal,
    );
    if (!isTold) silent.push(cut);
  }
  const begins = RECORD_HEADER + 7;
  t.same(
    silent,
    Array.from({ length: begins }, (_, n) => second + n),
    'told by the record that begins the group',
  );
  const unnoticed: number[] = [];
  for (const { bit, bytes: bad } of flipped(bytes, 0, bytes.length)) {
    const disk = await diskWith(bad);
    if (await read(disk, 20).then(Boolean, (error: unknown) => !(error instanceof StoreRefusal))) unnoticed.push(bit);
  }
  t.same(unnoticed, [], 'every bit');
});

test('damage before the last group refuses, whatever is settled', async (t) => {
  const { bytes, ends } = await threeGroups();
  const unnoticed: number[] = [];
  for (const { bit, bytes: bad } of flipped(bytes, FILE_HEADER, ends[1] ?? 0)) {
    const disk = await diskWith(bad);
    if (await read(disk, 9).then(Boolean, (error: unknown) => !(error instanceof StoreRefusal))) unnoticed.push(bit);
  }
  t.same(unnoticed, []);
  for (let cut = 0; cut < (ends[0] ?? 0); cut++) {
    const disk = await diskWith(bytes.subarray(0, cut));
    await t.rejects(read(disk, 0), StoreRefusal, `a file is made with its first group: cut at ${cut}`);
  }
});

test('an unknown record refuses', async (t) => {
  const { disk } = await threeGroups();
  const parse = (each: Uint8Array): string | undefined => (each[0] === 0x64 ? undefined : 'known');
  await t.rejects(read(disk, 20, parse), { name: 'StoreRefusal', message: /holds an unknown record at byte/ });
});

test('without room an appended group leaves nothing, and goes in later', async (t) => {
  const { disk, last } = await threeGroups();
  disk.capacity = disk.used + 100;
  const error: unknown = await appendMarked(disk, PATH, last, [payload(400)], 40).catch((reason: unknown) => reason);
  t.equal((error as { code?: string }).code, 'ENOSPC');
  t.same(await read(disk, 20), { taken: TAKEN, found: last });
  disk.capacity = Infinity;
  await appendMarked(disk, PATH, last, [payload(2, 0x67)], 40);
  t.same((await read(disk, 40)).taken, [...TAKEN, 'gg']);
});

test('a sync of a group that fails is final, even for want of room', async (t) => {
  const { disk, last } = await threeGroups();
  disk.fault = (call) => (call === 'datasync' ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : undefined);
  const error: unknown = await appendMarked(disk, PATH, last, [payload(4)], 40).catch((reason: unknown) => reason);
  t.ok(error instanceof StorageError && !error.full);
  t.equal(disk.handles, 0);
});

test('records are found across the chunks in which a file is read', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const draws = new Draws(seed);
  const lengths = [...Array.from({ length: 90 }, () => draws.below(80_000)), MAX_PAYLOAD, MAX_PAYLOAD, 0, 1];
  const payloads = draws.shuffled(lengths).map((length, n) => payload(length, n));
  const salt = draws.below(2 ** 32);
  const bytes = joined(encodeHeader({ salt, first: 7 }), encodeRecords(payloads, salt, 7, 'own'));
  const disk = await diskWith(bytes);
  const file = await disk.open(PATH, 'r');
  const places: { at: number; length: number }[] = [];
  const wrong: number[] = [];
  const found = await scanFile(file, PATH, (each, seq, at) => {
    const expected = payloads[seq - 7];
    if (!expected || Buffer.compare(each, expected) !== 0) wrong.push(seq);
    places.push({ at, length: each.length });
  });
  t.same(wrong, []);
  t.match(found, { salt, end: bytes.length, next: 7 + payloads.length, size: bytes.length });
  const some = places.filter(() => draws.chance(0.5));
  const read = await readPlaces(file, PATH, some);
  t.ok(
    read.length === some.length &&
      read.every((each, n) => {
        const { at, length } = some[n] ?? { at: 0, length: 0 };
        return Buffer.compare(each, bytes.subarray(at, at + length)) === 0;
      }),
    'and read by their places',
  );
  await t.rejects(readPlaces(file, PATH, [{ at: bytes.length - 1, length: 2 }]), StoreRefusal);
  await file.close();

  for (let n = 0; n < 6; n++) {
    const bad = draws.below(payloads.length - 1);
    const { at = 0 } = places[bad] ?? {};
    const rotten = Uint8Array.from(bytes);
    const header = at - 1 - draws.below(RECORD_HEADER);
    rotten[header] = (rotten[header] ?? 0) ^ 0x42;
    const damaged = await diskWith(rotten);
    const opened = await damaged.open(PATH, 'r');
    await t.rejects(
      scanFile(opened, PATH, () => undefined),
      { name: 'StoreRefusal', message: new RegExp(`damaged at byte ${at - RECORD_HEADER},`) },
      `record ${bad} of ${payloads.length}`,
    );
    const cut = await diskWith(bytes.subarray(0, at + draws.below(3) - 2));
    const short = await cut.open(PATH, 'r');
    const seen: number[] = [];
    const { end } = await scanFile(short, PATH, (_each, seq) => seen.push(seq));
    t.ok(seen.length <= bad + 1 && seen.length >= bad && end <= at + 2, `cut in record ${bad}`);
  }
});

test('a payload made to look like records does not hold up the search for them', (t) => {
  /* Before the salt was in the magic, each of these cost a CRC over a mebibyte: twenty seconds. */
  const pattern = Buffer.from('cade000000000010000000000000', 'hex');
  const hostile = Buffer.concat(Array.from({ length: (2 * MAX_PAYLOAD) / pattern.length }, () => pattern));
  const began = performance.now();
  t.notOk(isRotten(hostile, SALT, 1));
  const ms = performance.now() - began;
  t.ok(ms < 2000, `${Math.round(ms)} ms`);
  t.end();
});
