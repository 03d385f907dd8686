/**
 * Folders of formats 2 and 3, whose accounts have nothing for a second factor, or are never disabled: they are read as
 * they are, and written as format 4.
 */
import { crc32 } from 'node:zlib';
import { test } from 'tap';
import { concat, utf8 } from '../../protocol/index.js';
import { Disk } from '../../src/store/journal/disk.js';
import { readWhole, replaceFile } from '../../src/store/journal/durable.js';
import { inspectFolder } from '../../src/store/journal/folder.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { listSegments, openJournal } from '../../src/store/journal/open-journal.js';
import { Journal } from '../../src/store/journal/journal.js';
import { userFolder } from '../../src/store/journal/layout.js';
import { latin1, profileRecord } from '../../src/store/journal/records.js';
import { noSecurity, SecondFactor, StoreRefusal, type Account } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import { drawnAccount } from '../support/format1.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

const NOW = 1_800_000_000_000;
const FOLDER = '/store';
const FORMAT = `${FOLDER}/format.json`;

/** Kind, uid, created, the moduli, record, words, name: as format 2 wrote it. */
function oldRecord({ uid, created, enc, sig, record, words, name }: Account): Uint8Array {
  const time = Buffer.alloc(6);
  time.writeUIntBE(created, 0, 6);
  return concat(Uint8Array.of(10), uid, time, enc, sig, record, words, utf8(name));
}

const open = (files: SimulatedDisk) => openJournalStore(FOLDER, { files, now: () => NOW });

type Json = Readonly<Record<string, unknown>>;

/** What an older format wrote of an account, to a file and to the journal. */
interface OldFormat {
  readonly format: number;
  readonly file: (account: Json) => Json;
  readonly record: (account: Account) => Uint8Array;
}

const format2: OldFormat = {
  format: 2,
  file: ({ security: _none, ...rest }) => rest,
  record: oldRecord,
};

const format3: OldFormat = {
  format: 3,
  file: ({ security, ...rest }) => {
    const { disabled: _none, ...had } = security as Json;
    return { ...rest, security: had };
  },
  record: profileRecord,
};

/** `alice` in a file, `bob` in the journal alone. */
async function oldStore({ format, file, record }: OldFormat, alice: Account, bob: Account): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(new Draws(5), { turns: 0 });
  const store = await open(disk);
  await store.createAccount(alice);
  await store.checkpoint();
  await store.close();
  const path = `${userFolder(FOLDER, latin1(alice.uid))}/account.json`;
  const text = Buffer.from((await readWhole(disk, path)) ?? []).toString();
  const { check: _newer, ...own } = JSON.parse(text) as Json;
  const rest = file(own);
  const check = crc32(JSON.stringify(rest)).toString(16).padStart(8, '0');
  await replaceFile(disk, path, utf8(`${JSON.stringify({ ...rest, check })}\n`));
  const journals = `${FOLDER}/journal`;
  const files = new Disk(disk);
  const [first = 1] = await listSegments(files, journals);
  const none = { onRecord: () => undefined, onSound: () => Promise.resolve(), isHeld: true, onNote: () => undefined };
  const journal = new Journal(journals, files, await openJournal(journals, files, first - 1, none));
  await journal.append(record(bob), () => undefined);
  await journal.close();
  await replaceFile(disk, FORMAT, utf8(`{"format":${String(format)}}\n`));
  return disk;
}

for (const old of [format2, format3])
  void test(`accounts of format ${String(old.format)} are there, and can get what it had not`, async (t) => {
    const draws = new Draws(6);
    const [alice, bob] = [drawnAccount(draws, 'alice', NOW - 5), drawnAccount(draws, 'bob', NOW - 4)];
    const disk = await oldStore(old, alice, bob);
    t.same(await inspectFolder(disk, FOLDER), { format: old.format });
    const file = await readWhole(disk, `${userFolder(FOLDER, latin1(alice.uid))}/account.json`);
    const more = { factor: SecondFactor.totp, secret: draws.bytes(48), step: 7, disabled: true };
    for (let round = 0; round < 3; round++) {
      const store = await open(disk);
      for (const each of [alice, bob]) {
        const found = await store.accountByName(each.name);
        t.same(Buffer.from(found?.record ?? []), Buffer.from(each.record), each.name);
        t.match(found?.security, round < 2 ? { ...noSecurity } : { factor: more.factor, step: 7, disabled: true });
      }
      if (round === 1)
        for (const { uid } of [alice, bob])
          await store.changeAccount(uid, (one) => ({ ...one, security: { ...noSecurity, ...more } }));
      await store.checkpoint();
      await store.close();
      t.equal(Buffer.from((await readWhole(disk, FORMAT)) ?? []).toString(), '{"format":4}\n');
    }
    const copy = `${FOLDER}.before-upgrade-${String(old.format)}-20270115T080000Z`;
    t.same((await disk.readdir('/')).sort(), [FOLDER.slice(1), copy.slice(1)], 'one copy is made');
    t.same(await inspectFolder(disk, copy), { format: old.format }, 'which is a store of its format');
    t.same(await readWhole(disk, `${userFolder(copy, latin1(alice.uid))}/account.json`), file);
  });

void test('a format that is newer, or that never was, is refused as it is', async (t) => {
  const draws = new Draws(8);
  const disk = await oldStore(format2, drawnAccount(draws, 'alice', NOW), drawnAccount(draws, 'bob', NOW));
  for (const [format, why] of [
    ['{"format":5}', /format 5, this program reads up to 4/],
    ['{"format":2,"from":2}', /ever was/],
    ['{"format":4,"from":3}', /ever was/],
    ['{"format":3,"from":2}', /ever was/],
    ['{"format":0}', /ever was/],
  ] as const) {
    await replaceFile(disk, FORMAT, utf8(format));
    const error: unknown = await open(disk).catch((thrown: unknown) => thrown);
    t.ok(error instanceof StoreRefusal && why.test(error.message), `${format}: ${String(error)}`);
    t.equal(Buffer.from((await readWhole(disk, FORMAT)) ?? []).toString(), format, 'untouched');
  }
});
