import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { Disk } from '../../src/store/file/disk.js';
import { Document, type Format } from '../../src/store/file/document.js';
import { StorageError, StoreRefusal } from '../../src/store/store.js';
import { diskError, faultyDisk, storageFailure as failure } from '../support/faulty-disk.js';
import { temporaryFolder } from '../support/temp.js';

const format: Format<number> = {
  empty: 0,
  toJson: (value) => value,
  fromJson: (json) => (Number.isSafeInteger(json) ? (json as number) : undefined),
};
const next = (value: number): number => value + 1;

test('changes that come while a replacement runs share the next', async (t) => {
  const path = join(await temporaryFolder(t), 'n.json');
  const faulty = faultyDisk();
  const document = await Document.open(path, new Disk(faulty.open), format);
  t.equal(await document.read(), 0);
  const results = await Promise.all(Array.from({ length: 100 }, () => document.change(next)));
  t.same(results.slice(-2), [99, 100]);
  t.ok(faulty.counts.sync <= 2, `${faulty.counts.sync} replacements`);
  t.equal(readFileSync(path, 'utf8'), '100\n');
  t.equal(lstatSync(path).mode & 0o777, 0o600);
});

test('a change that changes nothing writes nothing, but waits for what it rests on', async (t) => {
  const path = join(await temporaryFolder(t), 'n.json');
  const faulty = faultyDisk();
  const document = await Document.open(path, new Disk(faulty.open), format);
  await document.change((value) => value);
  t.equal(faulty.counts.open, 0);
  let failing = true;
  faulty.fault = (call) => (call === 'write' && failing ? diskError('ENOSPC') : undefined);
  const first = document.change(() => 7);
  const second = document.change(() => 7);
  const [lost, rested] = await Promise.all([failure(first), failure(second)]);
  t.same([lost.full, rested.full], [true, true]);
  failing = false;
  t.equal(await document.change(() => 7), 7);
  t.equal(readFileSync(path, 'utf8'), '7\n');
});

test('a full disk leaves the old value; a failed sync is final', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'n.json');
  const faulty = faultyDisk();
  const document = await Document.open(path, new Disk(faulty.open), format);
  await document.change(next);
  faulty.fault = (call) => (call === 'write' ? diskError('ENOSPC') : undefined);
  const lost = document.change(next);
  const reading = document.read();
  t.equal((await failure(lost)).full, true);
  t.equal(await reading, 1);
  t.same(readdirSync(folder), ['n.json'], 'no temporary stays');
  faulty.fault = () => undefined;
  t.equal(await document.change(next), 2);
  faulty.fault = (call) => (call === 'sync' ? diskError('EIO') : undefined);
  t.equal((await failure(document.change(next))).full, false);
  faulty.fault = () => undefined;
  await t.rejects(document.change(next), StorageError);
  await t.rejects(document.read(), StorageError);
  t.equal(readFileSync(path, 'utf8'), '2\n');
});

test('a file that holds something else is refused by name', async (t) => {
  const path = join(await temporaryFolder(t), 'n.json');
  for (const content of ['', '{', '"7"', '1.5', Buffer.of(0x31, 0xff)]) {
    writeFileSync(path, content);
    await t.rejects(
      Document.open(path, new Disk(), format),
      new StoreRefusal(`${path} is damaged: restore it from a backup`),
    );
  }
});

test('a value that could not be read back is never written', async (t) => {
  const path = join(await temporaryFolder(t), 'n.json');
  const document = await Document.open(path, new Disk(), format);
  await t.rejects(
    document.change(() => 0.5),
    RangeError,
  );
  t.equal(await document.read(), 0);
});
