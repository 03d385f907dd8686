/** The record of HELLOs: small, and honest about what it lost (SPEC 4.4). */
import { randomBytes } from 'node:crypto';
import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import { START } from './cases.js';
import { filled, options, place, segmentsOf } from './folders.js';

test('without its record of HELLOs a store says so, until none of them can be replayed', async (t) => {
  for (const checkpointed of [false, true]) {
    const { folder } = await filled(t, checkpointed);
    rmSync(join(folder, 'hellos'));
    let now = START;
    const open = (): Promise<JournalStore> => openJournalStore(folder, { ...options, now: () => now });
    let store = await open();
    t.equal(await store.recentHellos(START - 240_000), undefined);
    await store.rememberHello(randomBytes(32), START + 1);
    if (checkpointed) await store.checkpoint();
    await store.close();
    now = START + 60_000;
    store = await open();
    t.equal(await store.recentHellos(now - 120_000), undefined, 'a second start brings back nothing');
    await store.close();
    now = START + 240_000;
    store = await open();
    t.same(await store.recentHellos(now - 120_000), []);
    const random = randomBytes(32);
    await store.rememberHello(random, now);
    if (checkpointed) await store.checkpoint();
    await store.close();
    store = await open();
    t.same(
      (await store.recentHellos(now - 120_000))?.map((hello) => Buffer.from(hello.random)),
      [random],
      'and goes on',
    );
    await store.close();
  }
});

test('a record of HELLOs that is lost while the store runs is met by the next checkpoint', async (t) => {
  const { folder } = await filled(t);
  const store = await openJournalStore(folder, options);
  rmSync(join(folder, 'hellos'));
  t.equal(await store.recentHellos(START - 120_000), undefined);
  await store.rememberHello(randomBytes(32), START);
  await store.checkpoint();
  t.equal(await store.recentHellos(START - 120_000), undefined);
  t.same(await store.recentHellos(START + 120_000), []);
  await store.close();
});

test('the record of HELLOs stays small', async (t) => {
  const folder = await place(t);
  let now = START;
  const store = await openJournalStore(folder, { ...options, now: () => now });
  for (let minute = 0; minute < 60; minute++) {
    now += 60_000;
    await Promise.all(Array.from({ length: 20 }, () => store.rememberHello(randomBytes(32), now)));
    await store.checkpoint();
  }
  await store.close();
  const { size } = lstatSync(join(folder, 'hellos'));
  t.ok(size < 7 * 20 * 64, `${size} bytes after an hour hold six minutes at most`);
  const journal = segmentsOf(folder).reduce((sum, path) => sum + lstatSync(path).size, 0);
  t.ok(journal < 4096, `and the journal ${journal}`);
});

test('each HELLO is told once, whether in the file, in the journal or in both', async (t) => {
  const folder = await place(t);
  let store = await openJournalStore(folder, options);
  const all = Array.from({ length: 30 }, (_, n) => ({ random: randomBytes(32), time: START + n }));
  for (const [n, { random, time }] of all.entries()) {
    await store.rememberHello(random, time);
    if (n % 10 === 5) await store.checkpoint();
    if (n % 10 === 8) {
      await store.close();
      store = await openJournalStore(folder, options);
    }
  }
  const told = await store.recentHellos(START + 10);
  t.same(
    told?.map(({ random, time }) => ({ random: Buffer.from(random), time })),
    all.slice(10),
  );
  await store.close();
});
