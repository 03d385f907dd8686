/** What an operator watches and changes while the store is in use. */
import type { Store } from '../../src/store/store.js';
import { account, addUser, again, DAY, entry, plain, room, START, withUser, type Case } from './cases.js';

/** The figures that don't hang on what the disk does meanwhile. */
function counted(store: Store): unknown {
  const { accounts, rooms, queued, queuesKnown } = store.figures();
  return { accounts, rooms, queued, queuesKnown };
}

export const figures: Record<string, Case> = {
  'figures count accounts, rooms and what waits': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    t.same(counted(store), { accounts: 2, rooms: 1, queued: 0, queuesKnown: 0 });
    const all = [entry(), entry(), entry()];
    for (const each of all) await store.enqueue(uid, each);
    await store.enqueue(bob, entry());
    t.same(counted(store), { accounts: 2, rooms: 1, queued: 4, queuesKnown: 2 });
    await store.acknowledge(uid, [all[0]?.id ?? new Uint8Array(16)]);
    await store.dequeue(uid, all[1]?.from ?? new Uint8Array(16));
    t.same(counted(store), { accounts: 2, rooms: 1, queued: 2, queuesKnown: 2 });
    await store.deleteAccount(bob);
    await store.deleteRoom(lounge.id);
    t.same(counted(store), { accounts: 1, rooms: 0, queued: 1, queuesKnown: 1 });
    await store.close();
  },
  'after reopening a queue counts from its first use on': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await store.enqueue(uid, entry());
    await store.enqueue(uid, entry());
    store = await again(store, reopen);
    t.same(counted(store), { accounts: 1, rooms: 0, queued: 0, queuesKnown: 0 });
    t.equal(await store.queueLength(uid), 2);
    t.same(counted(store), { accounts: 1, rooms: 0, queued: 2, queuesKnown: 1 });
    await store.close();
  },
  'what waits for too long counts no more after the next use': async (t, reopen) => {
    let now = START;
    const { store, uid } = await withUser(reopen, { now: () => now });
    await store.enqueue(uid, entry());
    now += 22 * DAY;
    t.equal(await store.queueLength(uid), 0);
    t.equal(store.figures().queued, 0);
    await store.close();
  },
  'figures tell of the journal and of what waits for it': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const calls = [store.enqueue(uid, entry()), store.enqueue(uid, entry())];
    t.ok(store.figures().journalSegments >= 1);
    await Promise.all(calls);
    const { journalBytes, writesWaiting, bytesWaiting } = store.figures();
    t.ok(journalBytes > 0);
    t.same([writesWaiting, bytesWaiting], [0, 0]);
    await store.close();
  },
  'other limits hold at once, and what there is beyond them stays': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    await store.createRoom(room('lounge', uid));
    for (let n = 0; n < 3; n++) await store.enqueue(uid, entry());
    store.setLimits({ maxAccounts: 1, maxRooms: 1, maxQueueEntries: 2 });
    t.equal(await store.createAccount(account('bob')), 'full');
    t.equal(await store.createRoom(room('garden', uid)), 'full');
    t.equal(await store.enqueue(uid, entry()), 'full');
    t.equal(await store.queueLength(uid), 3);
    store.setLimits({ maxAccounts: 2, maxRooms: 9, maxRoomsPerUser: 1 });
    t.equal(await store.createAccount(account('bob')), 'created');
    t.equal(await store.createRoom(room('garden', uid)), 'full', 'too many of one owner');
    t.equal(await store.enqueue(uid, entry()), 'full', 'what was not named stays as it was');
    store.setLimits({ maxRoomsPerUser: 2, maxQueueEntries: 9, maxQueueBytes: 1 });
    t.equal(await store.createRoom(room('garden', uid)), 'created');
    t.equal(await store.enqueue(uid, entry()), 'full', 'too many bytes');
    store.setLimits({ maxQueueBytes: 1_000_000 });
    t.equal(await store.enqueue(uid, entry()), 'queued');
    await store.close();
  },
  'rooms() gives every room, and none that went meanwhile': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = ['attic', 'garden', 'lounge'].map((name) => room(name, uid));
    for (const each of all) await store.createRoom(each);
    for (let round = 0; round < 2; round++) {
      const found: unknown[] = [];
      for await (const each of store.rooms()) found.push(plain(each));
      t.same(new Set(found), new Set(all.map((each) => plain({ ...each, version: 1 }))));
      store = await again(store, reopen);
    }
    const names: string[] = [];
    for await (const { name } of store.rooms()) {
      names.push(name);
      if (names.length === 1) for (const each of all) if (each.name !== name) await store.deleteRoom(each.id);
    }
    t.equal(names.length, 1);
    await store.close();
  },
};
