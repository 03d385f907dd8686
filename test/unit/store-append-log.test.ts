import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { AppendLog, MIN_GARBAGE, recordBytes } from '../../src/store/file/append-log.js';
import { Disk } from '../../src/store/file/disk.js';
import { encodeRecords, FILE_HEADER, fileHeader } from '../../src/store/file/log-format.js';
import { StoreRefusal } from '../../src/store/store.js';
import { diskError, faultyDisk, storageFailure as failure, type FaultyDisk } from '../support/faulty-disk.js';
import { temporaryFolder } from '../support/temp.js';

const nothing = (): void => undefined;

async function logFile(t: Test): Promise<string> {
  return join(await temporaryFolder(t), 'some.log');
}

async function read(path: string): Promise<string[]> {
  const out: string[] = [];
  const log = await AppendLog.open(path, new Disk(), (payload) => out.push(Buffer.from(payload).toString()));
  await log.close();
  return out;
}

function open(path: string, faulty: FaultyDisk): Promise<AppendLog> {
  return AppendLog.open(path, new Disk(faulty.open), nothing);
}

function append(log: AppendLog, text: string, undo = nothing): Promise<void> {
  return log.append(Buffer.from(text), undo);
}

test('a thousand appends share a sync or two', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  t.notOk(readdirSync(join(path, '..')).length, 'nothing is made before there is something to keep');
  await Promise.all(Array.from({ length: 1000 }, (_, n) => append(log, `record ${n}`)));
  t.ok(faulty.counts.datasync <= 2, `${faulty.counts.datasync} syncs`);
  await log.close();
  t.same(
    await read(path),
    Array.from({ length: 1000 }, (_, n) => `record ${n}`),
  );
});

test('what is appended while a sync runs shares the next one', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  await append(log, 'first');
  faulty.counts.datasync = 0;
  const late: Promise<void>[] = [];
  faulty.fault = (call) => {
    if (call === 'datasync' && late.length === 0) for (let n = 0; n < 50; n++) late.push(append(log, `late ${n}`));
    return undefined;
  };
  await append(log, 'second');
  t.equal(faulty.counts.datasync, 1, 'the late ones are not durable yet');
  await Promise.all(late);
  t.equal(faulty.counts.datasync, 2);
  await append(log, 'third');
  await log.close();
  t.equal((await read(path)).length, 53);
});

test('an append made by a continuation of the one before is not left waiting', async (t) => {
  const log = await open(await logFile(t), faultyDisk());
  for (let n = 0; n < 50; n++) await append(log, `${n}`).then(() => append(log, `${n} again`));
  t.pass('all resolved');
  await log.close();
});

test('a short write is continued', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  faulty.fault = (call) => (call === 'write' ? 3 : undefined);
  const log = await open(path, faulty);
  await append(log, 'a record of some length');
  await log.close();
  t.same(await read(path), ['a record of some length']);
});

test('a full disk: cut back, undone in reverse order, and on again when there is room', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  await append(log, 'before');
  const size = lstatSync(path).size;
  let writes = 0;
  faulty.fault = (call) => (call !== 'write' ? undefined : ++writes === 1 ? 20 : diskError('ENOSPC'));
  const undone: string[] = [];
  const lost = [append(log, 'lost 1', () => undone.push('1')), append(log, 'lost 2', () => undone.push('2'))];
  const reading = log.read(() => undone.length);
  for (const error of await Promise.all(lost.map(failure))) t.equal(error.full, true);
  t.same(undone, ['2', '1']);
  t.equal(await reading, 2, 'a read shows what is left after the undoing');
  t.equal(lstatSync(path).size, size, 'the half record is cut off');
  t.equal(await log.settled(), true);
  faulty.fault = () => undefined;
  await append(log, 'after');
  await log.close();
  t.same(await read(path), ['before', 'after']);
});

test('a full disk when the file is made leaves no file', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  faulty.fault = (call) => (call === 'write' ? diskError('ENOSPC') : undefined);
  t.equal((await failure(append(log, 'lost'))).full, true);
  t.same(readdirSync(join(path, '..')), []);
  faulty.fault = () => undefined;
  await append(log, 'kept');
  await log.close();
  t.same(await read(path), ['kept']);
});

for (const [call, code] of [
  ['datasync', 'EIO'],
  ['datasync', 'ENOSPC'],
  ['write', 'EIO'],
] as const) {
  test(`${code} of a ${call} is final`, async (t) => {
    const faulty = faultyDisk();
    const log = await open(await logFile(t), faulty);
    await append(log, 'before');
    let undone = 0;
    faulty.fault = (each) => (each === call ? diskError(code) : undefined);
    const first = await failure(append(log, 'lost', () => undone++));
    t.equal(first.full, false);
    faulty.fault = () => undefined;
    const syncs = faulty.counts.datasync;
    t.equal(await failure(append(log, 'lost too', () => undone++)), first);
    t.equal(await failure(log.settled()), first);
    t.equal(faulty.counts.datasync, syncs, 'no sync is tried again');
    t.equal(undone, 2);
    await log.close();
  });
}

test('a rewrite takes in what waits, and what comes meanwhile follows', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  let live: string[] = [];
  const add = (text: string): Promise<void> => {
    live.push(text);
    return append(log, text);
  };
  const big = 'x'.repeat(10_000);
  for (let n = 0; n < 10; n++) await add(`${n} ${big}`);
  live = ['kept'];
  const late: Promise<void>[] = [];
  faulty.fault = (call, file) => {
    if (call === 'sync' && file.endsWith('.tmp') && late.length === 0) late.push(add('late'), add('later'));
    return undefined;
  };
  const waiting = add('waiting');
  log.tidy(recordBytes(Buffer.from('kept')), () => live.map((text) => Buffer.from(text)));
  await waiting;
  t.equal(late.length, 2, 'the rewrite was under way');
  await Promise.all(late);
  await add('last');
  await log.close();
  t.same(await read(path), ['kept', 'waiting', 'late', 'later', 'last']);
  t.ok(lstatSync(path).size < 1000);
  t.equal(lstatSync(path).mode & 0o777, 0o600);
});

test('a rewrite without room leaves the file as it is and loses nothing', async (t) => {
  const path = await logFile(t);
  const faulty = faultyDisk();
  const log = await open(path, faulty);
  const big = randomBytes(MIN_GARBAGE + 100).toString('hex');
  await append(log, big);
  faulty.fault = (call, file) => (call === 'write' && file.endsWith('.tmp') ? diskError('ENOSPC') : undefined);
  const waiting = append(log, 'waiting');
  log.tidy(0, () => [Buffer.from('waiting')]);
  await waiting;
  await log.close();
  t.same(await read(path), [big, 'waiting']);
  t.same(readdirSync(join(path, '..')), ['some.log']);
});

test('a log that is alive, or small, is not rewritten', async (t) => {
  const faulty = faultyDisk();
  const log = await open(await logFile(t), faulty);
  await append(log, 'x'.repeat(MIN_GARBAGE - 100));
  const opens = faulty.counts.open;
  const never = (): Uint8Array[] => t.fail('rewritten') as never;
  log.tidy(0, never);
  await append(log, 'x'.repeat(MIN_GARBAGE));
  log.tidy(MIN_GARBAGE + 200, never);
  await append(log, 'end');
  t.equal(faulty.counts.open, opens);
  await log.close();
});

/** A file of these records, each with what was synced when it was written. */
function made(salt: number, records: readonly (readonly [text: string, synced: number])[]): Buffer {
  const parts: Uint8Array[] = [fileHeader(salt)];
  let at = FILE_HEADER;
  for (const [text, synced] of records) {
    const bytes = encodeRecords([Buffer.from(text)], salt, at, synced);
    parts.push(bytes);
    at += bytes.length;
  }
  return Buffer.concat(parts);
}

test('pages of one unsynced batch may be lost in any order: that is torn, not rotten', async (t) => {
  const path = await logFile(t);
  const bytes = made(7, [
    ['one', 12],
    ['two', 31],
    ['three', 31],
    ['four', 31],
  ]);
  const two = bytes.indexOf('two');
  bytes.fill(0, two, two + 3);
  writeFileSync(path, bytes);
  t.same(await read(path), ['one']);
  t.equal(lstatSync(path).size, 31, 'cut behind the last sound record');
});

test('a bad record before a sync that a later one vouches for is rotten', async (t) => {
  const path = await logFile(t);
  const bytes = made(7, [
    ['one', 12],
    ['two', 31],
    ['three', 31],
    ['four', 71],
  ]);
  const three = bytes.indexOf('three');
  bytes.fill(0, three, three + 3);
  writeFileSync(path, bytes);
  await t.rejects(read(path), StoreRefusal);
  t.same(readFileSync(path), bytes, 'left as it is');
});

test('a payload that looks like a record vouches for nothing', async (t) => {
  const path = await logFile(t);
  const forged = Buffer.from(encodeRecords([Buffer.from('forged')], 8, 40, 13)).toString('latin1');
  const log = made(7, [['one', 12]]);
  const torn = encodeRecords(
    [Buffer.concat([Buffer.from(forged, 'latin1'), Buffer.alloc(50, 1)])],
    7,
    log.length,
    log.length,
  );
  writeFileSync(path, Buffer.concat([log, torn.subarray(0, torn.length - 10)]));
  t.same(await read(path), ['one']);
});

test('zeros behind the last record are torn; a file that never got its header is empty', async (t) => {
  const path = await logFile(t);
  const log = made(7, [['one', 12]]);
  writeFileSync(path, Buffer.concat([log, Buffer.alloc(5000)]));
  t.same(await read(path), ['one']);
  for (let length = 0; length < FILE_HEADER; length++) {
    writeFileSync(path, log.subarray(0, length));
    t.same(await read(path), []);
  }
  writeFileSync(path, Buffer.alloc(FILE_HEADER));
  t.same(await read(path), []);
  writeFileSync(path, Buffer.concat([Buffer.alloc(FILE_HEADER), log.subarray(FILE_HEADER)]));
  await t.rejects(read(path), StoreRefusal, 'records behind no header');
});

test('what waits is bounded, and a record too', async (t) => {
  const log = await open(await logFile(t), faultyDisk());
  const payload = Buffer.alloc(256 * 1024);
  const calls = Array.from({ length: 257 }, () => log.append(payload, nothing));
  const results = await Promise.allSettled(calls);
  t.equal(results.filter((result) => result.status === 'fulfilled').length, 256);
  t.equal((await failure(calls[256] ?? Promise.resolve())).full, true);
  await t.rejects(log.append(Buffer.alloc(256 * 1024 + 1), nothing), RangeError);
  await log.close();
  await t.rejects(append(log, 'late'), /closed/);
});
