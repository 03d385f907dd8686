/** A disk that fails or has no room (promises 1 and 6): who is told what, and what goes on. */
import { randomBytes } from 'node:crypto';
import { test, type Test } from 'tap';
import { openJournalStore, type JournalStoreOptions } from '../../src/store/journal/journal-store.js';
import { StorageError } from '../../src/store/store.js';
import { account, addUser, entry, ids, START } from './cases.js';
import { options, place } from './folders.js';
import { watchedFiles, type DiskCall } from './watched-files.js';

type Fault = (call: DiskCall, path: string) => string | undefined;

/** A store with alice and one entry, on a disk that fails with the code that `fault.now` gives. */
async function faulty(t: Test, more: Partial<JournalStoreOptions> = {}) {
  const folder = await place(t);
  const fault: { now: Fault | undefined } = { now: undefined };
  const files = watchedFiles((call, path) => {
    const code = fault.now?.(call, path);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${call} ${path}`), { code });
  });
  const open = () => openJournalStore(folder, { ...options, ...more, files });
  const store = await open();
  const uid = await addUser(store, 'alice');
  const first = entry();
  await store.enqueue(uid, first);
  return { store, open, fault, uid, first };
}

async function told(call: Promise<unknown>): Promise<StorageError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const inJournal = (path: string): boolean => path.includes('/journal/');

for (const failing of ['datasync', 'write'] as const) {
  test(`a ${failing} that fails is final: all calls reject, reads too, until the store is opened again`, async (t) => {
    const { store, open, fault, uid, first } = await faulty(t);
    let hasFailed = false;
    void store.failed.then(() => (hasFailed = true));
    fault.now = (call, path) => (call === failing && inJournal(path) ? 'EIO' : undefined);
    const lost = [entry(), entry()];
    const errors = await Promise.all(lost.map((each) => told(store.enqueue(uid, each))));
    t.same(
      errors.map(({ full }) => full),
      [false, false],
    );
    fault.now = undefined; // the disk seems to be well again: what a failed sync covered is in doubt all the same
    t.ok(hasFailed, 'and whoever asked is told');
    const calls: Record<string, () => Promise<unknown>> = {
      enqueue: () => store.enqueue(uid, entry()),
      queueLength: () => store.queueLength(uid),
      queued: () => store.queued(uid, undefined, 9),
      acknowledge: () => store.acknowledge(uid, [first.id]),
      accountByName: () => store.accountByName('alice'),
      createAccount: () => store.createAccount(account('bob')),
      recentHellos: () => store.recentHellos(0),
      deleteAccount: () => store.deleteAccount(uid),
      checkpoint: () => store.checkpoint(),
    };
    for (const [name, call] of Object.entries(calls)) t.equal((await told(call())).full, false, name);
    await store.close();
    const again = await open();
    const kept = ids(await again.queued(uid, undefined, 9));
    t.equal(kept[0], ids([first])[0], 'what was acknowledged is there');
    t.same(kept.slice(1), ids(lost).slice(0, kept.length - 1), 'of the others any first ones');
    for (const each of lost) await again.enqueue(uid, each);
    t.same(ids(await again.queued(uid, undefined, 9)), ids([first, ...lost]), 'doing it again is safe');
    await again.close();
  });
}

test('a disk without room: changes are refused, reads go on, and it recovers by itself', async (t) => {
  const { store, open, fault, uid, first } = await faulty(t);
  let hasFailed = false;
  void store.failed.then(() => (hasFailed = true));
  fault.now = (call) => (call === 'write' ? 'ENOSPC' : undefined);
  const refused = [entry(), entry()];
  for (const each of refused) t.equal((await told(store.enqueue(uid, each))).full, true);
  t.equal((await told(store.acknowledge(uid, [first.id]))).full, true);
  t.equal((await told(store.countAttempt(uid, START))).full, true);
  t.equal((await told(store.createAccount(account('bob')))).full, true);
  t.equal((await told(store.deleteAccount(uid))).full, true);
  t.same(ids(await store.queued(uid, undefined, 9)), ids([first]), 'nothing of it is seen');
  t.same(await store.attempts(uid), { count: 0, last: 0 });
  t.equal(await store.accountByName('bob'), undefined);
  t.equal((await store.accountByName('alice'))?.name, 'alice');
  fault.now = undefined;
  t.equal(await store.createAccount(account('bob')), 'created', 'a name that was refused is free');
  for (const each of refused) t.equal(await store.enqueue(uid, each), 'queued');
  t.same(await store.countAttempt(uid, START), { count: 1, last: START });
  t.equal(hasFailed, false);
  await store.close();
  const again = await open();
  t.same(ids(await again.queued(uid, undefined, 9)), ids([first, ...refused]));
  await again.close();
});

test('no room for checkpoints: changes go on for a while, are refused then, and go on when there is room', async (t) => {
  let now = START;
  const { store, open, fault, uid, first } = await faulty(t, { segmentBytes: 4096, now: () => now });
  fault.now = (call, path) => (call === 'write' && !inJournal(path) ? 'ENOSPC' : undefined);
  const taken = [first];
  let refused = 0;
  while (refused < 3 && taken.length < 1000) {
    const each = { ...entry(randomBytes(1000)), time: START };
    now += 1000; // a checkpoint that failed is tried again after some seconds
    const result = await store.enqueue(uid, each).catch((error: unknown) => error);
    if (result === 'queued') taken.push(each);
    else {
      t.ok(result instanceof StorageError && result.full, String(result));
      refused++;
    }
  }
  t.ok(taken.length >= 16 && taken.length < 200, `${taken.length} were taken: the journal does not grow for ever`);
  t.same(ids(await store.queued(uid, undefined, 2000)), ids(taken), 'reads go on');
  fault.now = undefined;
  await store.checkpoint().catch(() => undefined); // one that began before there was room may still fail
  now += 60_000;
  const late = entry();
  t.equal(await store.enqueue(uid, late), 'queued', 'there is room again');
  await store.checkpoint();
  await store.close();
  const again = await open();
  t.same(ids(await again.queued(uid, undefined, 2000)), ids([...taken, late]));
  await again.close();
});

test('too many open files say nothing about the disk: the call is refused, the next one is not', async (t) => {
  const { store, open, fault, uid, first } = await faulty(t);
  await store.checkpoint();
  await store.close();
  const again = await open();
  let hasFailed = false;
  void again.failed.then(() => (hasFailed = true));
  fault.now = (call) => (call === 'open' ? 'EMFILE' : undefined);
  t.equal((await told(again.queueLength(uid))).full, true);
  t.equal((await told(again.accountByUid(uid))).full, true);
  t.equal((await told(again.enqueue(uid, entry()))).full, true);
  t.equal((await told(again.checkpoint().then(() => again.recentHellos(0)))).full, true);
  fault.now = undefined;
  t.same(ids(await again.queued(uid, undefined, 9)), ids([first]));
  t.equal(await again.enqueue(uid, entry()), 'queued');
  t.equal((await again.accountByUid(uid))?.name, 'alice');
  t.equal(hasFailed, false);
  await again.close();
});

test('each sync tells how long it took, and what could not be kept is counted nowhere', async (t) => {
  const took: number[] = [];
  const { store, fault, uid } = await faulty(t, { onSync: (milliseconds) => took.push(milliseconds) });
  t.equal(took.length, 2, 'one for the account, one for the entry');
  t.ok(took.every((milliseconds) => milliseconds > 0 && milliseconds < 60_000));
  fault.now = (call, path) => (call === 'write' && inJournal(path) ? 'ENOSPC' : undefined);
  t.ok((await told(store.enqueue(uid, entry()))).full);
  t.equal(took.length, 2);
  t.equal(store.figures().queued, 1);
  fault.now = undefined;
  await Promise.all([store.enqueue(uid, entry()), store.enqueue(uid, entry())]);
  t.equal(took.length, 3, 'two changes at once share a sync');
  t.equal(store.figures().queued, 3);
  await store.close();
});
