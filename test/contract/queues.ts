/** What waits for a user. */
import { randomBytes } from 'node:crypto';
import type { QueueEntry } from '../../src/store/store.js';
import { account, addUser, again, entry, ids, plain, START, withUser, type Case } from './cases.js';

export const queues: Record<string, Case> = {
  'entries wait in the order of arrival, page by page': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = Array.from({ length: 10 }, (_, n) => entry(randomBytes(n * 100)));
    const results = await Promise.all(all.map((each) => store.enqueue(uid, each)));
    t.same(new Set(results), new Set(['queued']));
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.queued(uid, undefined, 100)), plain(all));
      t.same(ids(await store.queued(uid, undefined, 3)), ids(all.slice(0, 3)));
      t.same(ids(await store.queued(uid, all[2]?.id, 4)), ids(all.slice(3, 7)));
      t.same(await store.queued(uid, all[9]?.id, 4), []);
      t.same(await store.queued(uid, randomBytes(16), 4), [], 'an unknown id gives none');
      t.same(await store.queued(uid, undefined, 0), []);
      t.equal(await store.queueLength(uid), 10);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'what is not delivered yet is there at once, but what flies': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = Array.from({ length: 6 }, () => entry(randomBytes(100)));
    const flying = new Set<QueueEntry | undefined>();
    const isFlying = (id: Uint8Array): boolean => [...flying].some((each) => each && Buffer.compare(each.id, id) === 0);
    const undelivered = (limit: number) => store.undelivered(uid, limit, isFlying);
    const durable: Uint8Array[] = [];
    const writes = all.map((each) => store.enqueue(uid, each).then(() => durable.push(each.id)));
    t.same(plain(await undelivered(9)), plain(all));
    t.same(durable, [], 'none was synced');
    await Promise.all(writes);
    for (let round = 0; round < 3; round++) {
      t.same(plain(await undelivered(9)), plain(all), `round ${round}`);
      for (const n of [0, 2]) flying.add(all[n]);
      t.same(ids(await undelivered(3)), ids([1, 3, 4].map((n) => all[n] ?? entry())));
      t.same(await undelivered(0), []);
      flying.clear();
      store = await again(store, reopen);
    }
    const removed = store.acknowledge(
      uid,
      all.slice(0, 5).map(({ id }) => id),
    );
    t.same(plain(await undelivered(9)), plain(all.slice(5)), 'nor what is being removed');
    await removed;
    t.same(await store.undelivered(randomBytes(16), 9, isFlying), [], 'nobody has none');
    await store.close();
  },
  'a replay is known while its entry waits, and only then': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const first = entry();
    const replay = { ...first, id: randomBytes(16), fields: randomBytes(7) };
    t.same(await Promise.all([store.enqueue(uid, first), store.enqueue(uid, replay)]), ['queued', 'known']);
    store = await again(store, reopen);
    t.equal(await store.enqueue(uid, replay), 'known');
    for (const other of [{ opcode: 10002 }, { from: randomBytes(16) }, { key: randomBytes(16) }]) {
      t.equal(await store.enqueue(uid, { ...first, id: randomBytes(16), ...other }), 'queued');
    }
    t.same(plain(await store.acknowledge(uid, [first.id])), plain([first.id]));
    t.equal(await store.enqueue(uid, replay), 'queued');
    t.equal(await store.queueLength(uid), 4);
    await store.close();
  },
  'a full queue takes nothing more until something is acknowledged': async (t, reopen) => {
    const limits = { maxQueueEntries: 3 };
    let { store, uid } = await withUser(reopen, limits);
    const all = Array.from({ length: 4 }, () => entry());
    const enqueued = await Promise.all(all.map((each) => store.enqueue(uid, each)));
    t.same(enqueued, ['queued', 'queued', 'queued', 'full']);
    t.equal(
      await store.enqueue(uid, { ...entry(), ...pick(all[0]) }),
      'known',
      'a replay is known in a full queue too',
    );
    store = await again(store, reopen, limits);
    t.equal(await store.enqueue(uid, entry()), 'full');
    await store.acknowledge(uid, [all[1]?.id ?? randomBytes(16)]);
    t.equal(await store.enqueue(uid, entry()), 'queued');
    t.equal(await store.queueLength(uid), 3);
    await store.close();
  },
  'one who causes entries has half of a queue at most, and others the rest': async (t, reopen) => {
    const from = randomBytes(16);
    const caused = (bytes = 10): QueueEntry => ({ ...entry(randomBytes(bytes)), from });
    const all = { bob: { maxQueueEntries: 6 }, carol: { maxQueueBytes: 6 * 1100 } };
    for (const [name, limits] of Object.entries(all)) {
      let store = await reopen({ now: () => START, ...limits });
      const uid = await addUser(store, name);
      const first = caused(1000);
      const results = [await store.enqueue(uid, first)];
      for (let n = 0; n < 4; n++) results.push(await store.enqueue(uid, caused(1000)));
      t.same(results, ['queued', 'queued', 'queued', 'full', 'full']);
      t.equal(await store.enqueue(uid, { ...first, id: randomBytes(16) }), 'known');
      t.equal(await store.enqueue(uid, entry(randomBytes(1000))), 'queued', 'somebody else');
      store = await again(store, reopen, limits);
      t.equal(await store.enqueue(uid, caused(1000)), 'full', 'after a restart too');
      await store.acknowledge(uid, [first.id]);
      t.equal(await store.enqueue(uid, caused(1000)), 'queued', 'when one of theirs is gone');
      t.equal(await store.dequeue(uid, from), 3);
      t.equal(await store.enqueue(uid, caused(1000)), 'queued');
      await store.close();
    }
    const { store, uid } = await withUser(reopen, { maxQueueEntries: 1 });
    t.equal(await store.enqueue(uid, caused()), 'queued', 'one always has a place in an empty queue');
    await store.close();
  },
  'a queue is full by its bytes too': async (t, reopen) => {
    const { store, uid } = await withUser(reopen, { maxQueueBytes: 10_000 });
    const results: string[] = [];
    for (let n = 0; n < 12; n++) results.push(await store.enqueue(uid, entry(randomBytes(1000))));
    const fit = results.indexOf('full');
    t.ok(fit >= 8 && fit <= 10, `${fit} entries of 1,000 bytes fit 10,000`);
    t.equal(await store.enqueue(uid, entry(randomBytes(0))), fit < 10 ? 'queued' : 'full');
    await store.close();
  },
  'what is acknowledged is gone; other ids are passed over': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = Array.from({ length: 6 }, () => entry());
    for (const each of all) await store.enqueue(uid, each);
    const some = [all[4], all[0], all[2]].map((each) => each?.id ?? randomBytes(16));
    const removed = await store.acknowledge(uid, [randomBytes(16), ...some, ...some]);
    t.same(plain(removed), plain(some));
    t.same(await store.acknowledge(uid, some), []);
    t.same(await store.acknowledge(uid, []), []);
    store = await again(store, reopen);
    t.same(ids(await store.queued(uid, undefined, 9)), ids(all.filter((_, n) => n % 2 === 1 || n > 4)));
    await store.close();
  },
  'all that somebody caused is removed at once, durably; the rest stays in its order': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const from = randomBytes(16);
    const all = Array.from({ length: 9 }, (_, n) => ({ ...entry(), ...(n % 2 === 1 ? { from } : {}) }));
    for (const each of all) await store.enqueue(uid, each);
    t.equal(await store.dequeue(uid, randomBytes(16)), 0);
    store = await again(store, reopen);
    const last = { ...entry(), from };
    const calls = [
      store.enqueue(uid, last),
      store.dequeue(uid, from),
      store.dequeue(uid, from),
      store.queueLength(uid),
    ];
    t.same(await Promise.all(calls), ['queued', 5, 0, 5]);
    t.equal(await store.enqueue(uid, { ...last, id: randomBytes(16) }), 'queued', 'what is gone is not known');
    t.equal(await store.dequeue(uid, from), 1);
    for (let round = 0; round < 2; round++) {
      t.same(ids(await store.queued(uid, undefined, 99)), ids(all.filter((_, n) => n % 2 === 0)));
      store = await again(store, reopen);
    }
    t.equal(await store.dequeue(randomBytes(16), from), 0, 'of nobody');
    await store.close();
  },
  'calls that are not awaited take effect in their order': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const [a, b, c] = [entry(), entry(), entry()];
    const results = await Promise.all([
      store.enqueue(uid, a),
      store.enqueue(uid, b),
      store.queueLength(uid),
      store.acknowledge(uid, [a.id]),
      store.acknowledge(uid, [a.id]),
      store.enqueue(uid, { ...a, id: c.id }),
      store.queued(uid, undefined, 9),
      store.acknowledge(uid, [b.id, c.id]),
      store.queueLength(uid),
    ]);
    t.same([results[0], results[1], results[2], results[5], results[8]], ['queued', 'queued', 2, 'queued', 0]);
    t.same(plain(results[3]), plain([a.id]));
    t.same(results[4], []);
    t.same(ids(results[6]), ids([b, c]));
    store = await again(store, reopen);
    t.equal(await store.queueLength(uid), 0);
    await store.close();
  },
  'users do not see each other': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const bob = account('bob');
    await store.createAccount(bob);
    const each = entry();
    t.equal(await store.enqueue(uid, each), 'queued');
    t.equal(await store.enqueue(bob.uid, each), 'queued');
    await store.acknowledge(uid, [each.id]);
    t.equal(await store.queueLength(bob.uid), 1);
    await store.close();
  },
  'a queue that lives long loses nothing and keeps its order': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    let expected: QueueEntry[] = [];
    for (let round = 0; round < 40; round++) {
      const more = Array.from({ length: 25 }, () => entry());
      const gone = expected.filter((_, n) => n % 3 !== round % 3);
      const calls = [
        ...more.map((each) => store.enqueue(uid, each)),
        store.acknowledge(
          uid,
          gone.map((each) => each.id),
        ),
      ];
      expected = [...expected.filter((each) => !gone.includes(each)), ...more];
      if (round % 2 === 0) await Promise.all(calls);
      if (round % 7 === 3) store = await again(store, reopen); // some calls are under way
      t.same(ids(await store.queued(uid, undefined, 10_000)), ids(expected), `round ${round}`);
    }
    await store.close();
  },
};

/** What makes an entry a replay. */
function pick(of: QueueEntry | undefined): Partial<QueueEntry> {
  return of ? { opcode: of.opcode, from: of.from, key: of.key } : {};
}
