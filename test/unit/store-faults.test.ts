/** The whole file store over a disk that fails. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { openFileStore } from '../../src/store/file/file-store.js';
import { StorageError, type Account, type QueueEntry, type Store } from '../../src/store/store.js';
import { account, entry, ids, START } from '../contract/store-contract.js';
import {
  diskError,
  faultyDisk,
  storageFailure as failure,
  type DiskCall,
  type FaultyDisk,
} from '../support/faulty-disk.js';
import { temporaryFolder } from '../support/temp.js';

interface Scene {
  readonly folder: string;
  readonly faulty: FaultyDisk;
  readonly store: Store;
  readonly alice: Account;
}

async function scene(t: Test, now = (): number => START): Promise<Scene> {
  const folder = join(await temporaryFolder(t), 'data');
  const faulty = faultyDisk();
  const store = await openFileStore(folder, { now, openFile: faulty.open });
  const alice = account('alice');
  await store.createAccount(alice);
  return { folder, faulty, store, alice };
}

function reopen(folder: string): Promise<Store> {
  return openFileStore(folder, { now: () => START });
}

test('a thousand pipelined entries for one user share the syncs', async (t) => {
  const { faulty, store, alice } = await scene(t);
  faulty.counts.datasync = 0;
  const results = await Promise.all(Array.from({ length: 1000 }, () => store.enqueue(alice.uid, entry())));
  t.same(new Set(results), new Set(['queued']));
  t.ok(faulty.counts.datasync <= 3, `${faulty.counts.datasync} syncs`);
  await store.close();
});

test('HELLOs close together share the syncs', async (t) => {
  const { faulty, store } = await scene(t);
  faulty.counts.datasync = 0;
  await Promise.all(Array.from({ length: 300 }, () => store.rememberHello(randomBytes(32), START)));
  t.ok(faulty.counts.datasync <= 3, `${faulty.counts.datasync} syncs`);
  await store.close();
});

test('no room: what was refused is gone, order and duplicates are right, and doing it again works', async (t) => {
  const { folder, faulty, store, alice } = await scene(t);
  const [a, b, c] = [entry(), entry(), entry()];
  await store.enqueue(alice.uid, a);
  await store.enqueue(alice.uid, b);
  faulty.fault = (call) => (call === 'write' ? diskError('ENOSPC') : undefined);
  const calls = [
    store.acknowledge(alice.uid, [a.id]),
    store.enqueue(alice.uid, c),
    store.enqueue(alice.uid, { ...c, id: randomBytes(16) }),
    store.enqueue(alice.uid, { ...a, id: randomBytes(16) }),
    store.keepReply(alice.uid, { frameId: a.id, opcode: 1, code: 200, time: START }),
    store.countAttempt(alice.uid, START),
    store.setConsent(alice.uid, alice.uid, 'open'),
    store.rememberHello(randomBytes(32), START),
    store.createAccount(account('bob')),
  ];
  const reads = [store.queued(alice.uid, undefined, 9), store.queueLength(alice.uid)] as const;
  for (const error of await Promise.all(calls.map((call) => failure(call)))) t.equal(error.full, true);
  t.same(ids(await reads[0]), ids([a, b]), 'reads are served, and show what is durable');
  t.equal(await reads[1], 2);
  t.equal(await store.reply(alice.uid, a.id), undefined);
  t.equal(await store.consent(alice.uid, alice.uid), undefined);
  t.equal(await store.accountByName('bob'), undefined);
  faulty.fault = () => undefined;
  t.equal(await store.createAccount(account('bob')), 'created');
  t.equal(await store.enqueue(alice.uid, { ...a, id: randomBytes(16) }), 'known');
  t.equal(await store.enqueue(alice.uid, c), 'queued');
  t.equal((await store.countAttempt(alice.uid, START)).count, 1);
  t.same(ids(await store.acknowledge(alice.uid, [a.id])), ids([a]));
  await store.close();
  const after = await reopen(folder);
  t.same(ids(await after.queued(alice.uid, undefined, 9)), ids([b, c]));
  await after.close();
});

test('a failed sync ends everything, and says so each time', async (t) => {
  const { folder, faulty, store, alice } = await scene(t);
  const kept = entry();
  await store.enqueue(alice.uid, kept);
  faulty.fault = (call) => (call === 'datasync' ? diskError('EIO') : undefined);
  t.equal((await failure(store.enqueue(alice.uid, entry()))).full, false);
  faulty.fault = () => undefined;
  const counts = { ...faulty.counts };
  for (const call of [
    () => store.enqueue(alice.uid, entry()),
    () => store.countAttempt(alice.uid, START),
    () => store.rememberHello(randomBytes(32), START),
    () => store.queueLength(alice.uid),
    () => store.createAccount(account('bob')),
  ]) {
    t.equal((await failure(call())).full, false);
  }
  t.same(faulty.counts, counts, 'the disk is left alone');
  await store.close();
  const after = await reopen(folder);
  t.same(ids(await after.queued(alice.uid, undefined, 1)), ids([kept]));
  await after.close();
});

test('what a killed process left is synced before anybody is told of it', async (t) => {
  const { folder, store, alice } = await scene(t);
  const each = entry();
  await store.enqueue(alice.uid, each);
  await store.close();
  const faulty = faultyDisk();
  const synced: string[] = [];
  faulty.fault = (call, path) => {
    if (call.endsWith('sync')) synced.push(path.slice(folder.length).replace(/[0-9a-f]{32}/, 'alice'));
    return undefined;
  };
  const after = await openFileStore(folder, { now: () => START, openFile: faulty.open });
  t.same(synced.sort(), ['', '/hellos-1.log', '/users']);
  synced.length = 0;
  t.equal(await after.enqueue(alice.uid, { ...each, id: randomBytes(16) }), 'known');
  t.same(synced.sort(), ['/users/alice', '/users/alice/consents', '/users/alice/queue.log']);
  synced.length = 0;
  await after.attempts(alice.uid);
  t.same(synced, [], 'once');
  await after.close();
});

test('a failure at any step of making an account leaves a whole one or none', async (t) => {
  for (let step = 1; ; step++) {
    const { folder, faulty, store } = await scene(t);
    let calls = 0;
    faulty.fault = () => (++calls === step ? diskError('EIO') : undefined);
    const bob = account('bob');
    const made = await store.createAccount(bob).catch((error: unknown) => error);
    await store.close();
    const after = await reopen(folder);
    const found = await after.accountByName('bob');
    t.equal(found !== undefined, made === 'created', `step ${step}`);
    t.equal(readdirSync(join(folder, 'users')).length, made === 'created' ? 2 : 1);
    await after.close();
    if (made === 'created') {
      t.ok(step > 3, `${step - 1} steps can fail`);
      return;
    }
    t.ok(made instanceof StorageError);
  }
});

test('HELLOs are taken while their record changes files, with room and without', async (t) => {
  let now = START;
  const { folder, faulty, store } = await scene(t, () => now);
  await store.rememberHello(randomBytes(32), now);
  now += 3600_000;
  faulty.fault = (call, path) => (call === 'write' && path.endsWith('.tmp') ? diskError('ENOSPC') : undefined);
  await Promise.all(Array.from({ length: 5 }, () => store.rememberHello(randomBytes(32), now)));
  t.equal((await store.recentHellos(now))?.length, 5);
  t.notOk(existsSync(join(folder, 'hellos-2.log')));
  faulty.fault = () => undefined;
  await Promise.all(Array.from({ length: 5 }, () => store.rememberHello(randomBytes(32), now)));
  t.equal((await store.recentHellos(now))?.length, 10);
  t.ok(existsSync(join(folder, 'hellos-2.log')));
  await store.close();
});

/** A generator that gives the same numbers for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('many schedules of faults: acknowledged entries are there once and in order', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const { folder, faulty, store, alice } = await scene(t);
    const code = seed % 4 === 0 ? 'EIO' : 'ENOSPC';
    const failing = (call: DiskCall): boolean => call === 'write' || (code === 'EIO' && call === 'datasync');
    faulty.fault = (call) => {
      if (!failing(call)) return undefined;
      const dice = random();
      if (dice < 0.15) return diskError(code);
      return dice < 0.4 && call === 'write' ? 1 + Math.floor(random() * 3000) : undefined;
    };
    const model = await drive(store, alice.uid, random);
    await store.close();
    const after = await reopen(folder);
    const found = ids(await after.queued(alice.uid, undefined, 10_000));
    await after.close();
    t.same(
      found.filter((id) => model.sure.has(id)),
      [...model.sure],
      `seed ${seed}: all that was acknowledged`,
    );
    t.same(
      found.filter((id) => !model.sure.has(id) && !model.doubtful.has(id)),
      [],
      `seed ${seed}: and nothing else`,
    );
    t.equal(new Set(found).size, found.length);
    if (code === 'ENOSPC') t.same(found, [...model.sure], 'no room: refused means gone');
  }
});

/** Adds and removes; returns what must be in the queue and what may be. */
async function drive(
  store: Store,
  uid: Uint8Array,
  random: () => number,
): Promise<{ sure: Set<string>; doubtful: Set<string> }> {
  const sure = new Map<string, QueueEntry>();
  const doubtful = new Set<string>();
  for (let round = 0; round < 30; round++) {
    const more = Array.from({ length: 1 + Math.floor(random() * 8) }, () => entry(randomBytes(1700)));
    const gone = [...sure.values()].filter(() => random() < 0.7);
    const goneIds = ids(gone);
    const removing = store.acknowledge(
      uid,
      gone.map((each) => each.id),
    );
    const adding = more.map((each) => store.enqueue(uid, each));
    const [removed, ...added] = await Promise.allSettled([removing, ...adding]);
    for (const id of goneIds) {
      if (removed.status !== 'fulfilled' && !finalError(removed)) continue;
      sure.delete(id);
      if (finalError(removed)) doubtful.add(id);
    }
    more.forEach((each, n) => {
      const id = ids([each])[0] ?? '';
      if (added[n]?.status === 'fulfilled') sure.set(id, each);
      else if (finalError(added[n])) doubtful.add(id);
    });
  }
  return { sure: new Set(sure.keys()), doubtful };
}

function finalError(result: PromiseSettledResult<unknown> | undefined): boolean {
  return result?.status === 'rejected' && result.reason instanceof StorageError && !result.reason.full;
}
