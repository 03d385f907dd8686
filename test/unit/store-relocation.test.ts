/** Reads of a queue beside everything else, while checkpoints move what they read. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'tap';
import { Disk, nodeFiles, type Files } from '../../src/store/journal/disk.js';
import { CheckpointThread } from '../../src/store/journal/checkpoint-thread.js';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import { StorageError, type QueueEntry } from '../../src/store/store.js';
import { account, entry, ids, START } from '../contract/cases.js';
import { Draws } from '../support/draws.js';
import { newSeed } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';

const seed = newSeed();

/** Some calls at once, of all kinds; what was read must be in order and whole. */
async function churn(store: JournalStore, uid: Uint8Array, draws: Draws, rounds: number): Promise<QueueEntry[]> {
  let waiting: QueueEntry[] = [];
  for (let round = 0; round < rounds; round++) {
    const more = Array.from({ length: draws.below(6) }, () => entry(randomBytes(draws.below(600))));
    const gone = waiting.filter(() => draws.chance(0.3));
    const texts = new Map(
      [...waiting, ...more].map((each) => [ids([each])[0], Buffer.from(each.fields).toString('hex')]),
    );
    const reads = [1, 2, 3].map(() => store.queued(uid, undefined, 1 + draws.below(40)));
    const calls = [
      ...more.map((each) => store.enqueue(uid, each)),
      store.acknowledge(
        uid,
        gone.map(({ id }) => id),
      ),
      ...(draws.chance(0.2) ? [store.checkpoint()] : []),
    ];
    const after = [store.queued(uid, waiting[0]?.id, 5), store.queued(uid, undefined, 100)];
    await Promise.all(calls);
    for (const page of await Promise.all([...reads, ...after])) {
      for (const each of page) {
        const text = texts.get(ids([each])[0]);
        if (text !== Buffer.from(each.fields).toString('hex')) throw new Error(`round ${round}: another text`);
      }
    }
    waiting = [...waiting.filter((each) => !gone.includes(each)), ...more];
  }
  return waiting;
}

for (const [name, way] of Object.entries({ 'in one thread': { inThread: true }, 'in two threads': {} })) {
  test(`pages read beside changes and checkpoints, ${name}, SEED=${seed}`, async (t) => {
    const folder = join(await temporaryFolder(t), 'net');
    const options = { now: () => START, segmentBytes: 3000, openParts: 2, ...way };
    let store = await openJournalStore(folder, options);
    const users = Array.from({ length: 4 }, (_, n) => account(`user${n}`));
    for (const user of users) await store.createAccount(user);
    for (let start = 0; start < 2; start++) {
      const left = await Promise.all(users.map(({ uid }, n) => churn(store, uid, new Draws(seed + n), 60)));
      await store.close();
      store = await openJournalStore(folder, options);
      for (const [n, { uid }] of users.entries()) {
        const found = await store.queued(uid, undefined, 10_000);
        t.same(ids(found), ids(left[n] ?? []), `user ${n}`);
        await store.acknowledge(uid, left[n]?.map(({ id }) => id) ?? []);
      }
    }
    await store.close();
  });
}

test('a page whose entries are acknowledged while it waits for a moved file is no failure of the disk', async (t) => {
  const folder = join(await temporaryFolder(t), 'net');
  let hold: (() => Promise<void>) | undefined;
  const files: Files = {
    ...nodeFiles,
    open: async (path, flags, mode) => {
      if (path.endsWith('/queue') && flags === 'r') await hold?.();
      return nodeFiles.open(path, flags, mode);
    },
  };
  let store = await openJournalStore(folder, { now: () => START, files });
  const alice = account('alice');
  await store.createAccount(alice);
  const all = Array.from({ length: 4 }, () => entry(randomBytes(2000)));
  for (const each of all) await store.enqueue(alice.uid, each);
  await store.checkpoint();
  await store.close();
  store = await openJournalStore(folder, { now: () => START, files });
  t.equal(await store.queueLength(alice.uid), 4);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  hold = () => held;
  const pages = [store.queued(alice.uid, undefined, 9), store.queued(alice.uid, undefined, 9)];
  await store.acknowledge(alice.uid, [all[0]?.id ?? randomBytes(16), all[2]?.id ?? randomBytes(16)]);
  hold = undefined;
  await store.checkpoint(); // writes the file anew
  release();
  for (const page of await Promise.all(pages)) {
    t.same(
      ids(page).filter((id) => ids([all[1] ?? entry(), all[3] ?? entry()]).includes(id)),
      ids([all[1] ?? entry(), all[3] ?? entry()]),
    );
  }
  t.equal(await store.enqueue(alice.uid, entry()), 'queued', 'the store works on');
  await store.close();
});

test('a thread of checkpoints that ended is begun anew, and ends at once when it is told to', async (t) => {
  const folder = join(await temporaryFolder(t), 'net');
  const store = await openJournalStore(folder, { now: () => START });
  await store.createAccount(account('alice'));
  await store.checkpoint();
  await store.close();
  const thread = new CheckpointThread();
  const index = { salt: 1, end: 0, next: 1, size: 0, upTo: 0, lastGroup: 0 };
  const task = { folder, index, names: 1, now: START, sweep: false };
  const lost = { ...task, segment: { path: join(folder, 'journal', 'none'), upTo: 9 } };
  for (let n = 0; n < 2; n++) {
    const error: unknown = await thread.run(lost).catch((reason: unknown) => reason);
    t.ok(error instanceof StorageError && !error.full, 'a damaged journal is told');
    await thread.close();
  }
  const ended = thread.run(lost).catch((reason: unknown) => reason);
  await thread.close();
  const error: unknown = await ended;
  t.ok(error instanceof StorageError && error.full, 'and says nothing about the disk');
  t.equal(new Disk(nodeFiles).failed, undefined);
  t.ok((await thread.run(lost).catch((reason: unknown) => reason)) instanceof StorageError, 'it goes on');
  await thread.close();
});
