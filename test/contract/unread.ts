/** What waits longer than 21 days is gone: no call gives it. */
import { randomBytes } from 'node:crypto';
import { MAX_UNREAD_MS, type QueueEntry } from '../../src/store/store.js';
import { again, DAY, entry, ids, START, withUser, type Case } from './cases.js';

function at(time: number, fields?: Uint8Array): QueueEntry {
  return { ...entry(fields), time };
}

export const unread: Record<string, Case> = {
  'what waits for 21 days stays, what waits longer is gone': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    const all = [at(START), at(START + 1), at(START + DAY)];
    for (const each of all) await store.enqueue(uid, each);
    now = START + MAX_UNREAD_MS;
    t.same(ids(await store.queued(uid, undefined, 9)), ids(all));
    store = await again(store, reopen, clock);
    t.equal(await store.queueLength(uid), 3, 'to the millisecond');
    now += 1;
    for (let round = 0; round < 2; round++) {
      t.equal(await store.queueLength(uid), 2);
      t.same(ids(await store.queued(uid, undefined, 9)), ids(all.slice(1)));
      store = await again(store, reopen, clock);
    }
    now = START + MAX_UNREAD_MS + DAY + 1;
    t.equal(await store.queueLength(uid), 0);
    t.same(await store.queued(uid, undefined, 9), []);
    await store.enqueue(uid, at(now));
    store = await again(store, reopen, clock);
    t.equal(await store.queueLength(uid), 1, 'and the queue goes on');
    await store.close();
  },
  'what is gone can’t be acknowledged, and is no place to read on from': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    const [old, young] = [at(START), at(START + DAY)];
    for (const each of [old, young]) await store.enqueue(uid, each);
    for (let round = 0; round < 2; round++) {
      now = START + MAX_UNREAD_MS + 1;
      t.same(await store.acknowledge(uid, [old.id]), []);
      t.same(await store.queued(uid, old.id, 9), []);
      t.same(ids(await store.queued(uid, undefined, 9)), ids([young]));
      store = await again(store, reopen, clock);
    }
    await store.close();
  },
  'its replay is new': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    const old = at(START);
    await store.enqueue(uid, old);
    now = START + MAX_UNREAD_MS;
    const replay = { ...old, id: randomBytes(16), time: now + 1 };
    t.equal(await store.enqueue(uid, replay), 'known');
    store = await again(store, reopen, clock);
    now += 1;
    t.equal(await store.enqueue(uid, replay), 'queued');
    t.equal(await store.enqueue(uid, { ...replay, id: randomBytes(16) }), 'known');
    t.same(ids(await store.queued(uid, undefined, 9)), ids([replay]));
    store = await again(store, reopen, clock);
    t.same(ids(await store.queued(uid, undefined, 9)), ids([replay]));
    await store.close();
  },
  'it frees room, of entries and of bytes': async (t, reopen) => {
    let now = START;
    for (const limits of [{ maxQueueEntries: 3 }, { maxQueueBytes: 4000 }]) {
      now = START;
      const options = { now: () => now, ...limits };
      let store = await reopen(options);
      const uid = await store.accountByName('alice').then((found) => found?.uid);
      if (uid) await store.deleteAccount(uid);
      await store.close();
      const made = await withUser(reopen, options);
      store = made.store;
      for (let n = 0; n < 3; n++) t.equal(await store.enqueue(made.uid, at(START + n, randomBytes(1200))), 'queued');
      t.equal(await store.enqueue(made.uid, at(START + 3, randomBytes(1200))), 'full');
      now = START + MAX_UNREAD_MS + 1;
      store = await again(store, reopen, options);
      t.equal(await store.enqueue(made.uid, at(now, randomBytes(1200))), 'queued', 'one went, one comes');
      t.equal(await store.enqueue(made.uid, at(now, randomBytes(1200))), 'full');
      now += 2;
      t.equal(await store.enqueue(made.uid, at(now, randomBytes(1200))), 'queued');
      await store.close();
    }
  },
  'also behind what bears a later time: a clock may have been put right': async (t, reopen) => {
    let now = START + 40 * DAY;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    const ahead = at(now);
    await store.enqueue(uid, ahead);
    now = START;
    const right = at(START);
    await store.enqueue(uid, right);
    now = START + MAX_UNREAD_MS + DAY;
    for (let round = 0; round < 2; round++) {
      t.same(ids(await store.queued(uid, undefined, 9)), ids([ahead]));
      t.equal(await store.queueLength(uid), 1);
      store = await again(store, reopen, clock);
    }
    await store.close();
  },
};
