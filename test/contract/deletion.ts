/** Accounts that go, with all that was kept for them. */
import { randomBytes } from 'node:crypto';
import type { Store } from '../../src/store/store.js';
import {
  account,
  addUser,
  again,
  DAY,
  ended,
  entry,
  ids,
  message,
  plain,
  reply,
  room,
  START,
  withUser,
  type Case,
} from './cases.js';

/** One of everything that is kept for a user. */
async function fill(store: Store, uid: Uint8Array, other: Uint8Array): Promise<void> {
  await Promise.all([
    store.countAttempt(uid, START),
    store.saveGrant(uid, { hash: randomBytes(32), ends: START + DAY }, START),
    store.setConsent(uid, other, 'open'),
    store.keepReply(uid, reply(1)),
    store.enqueue(uid, entry()),
  ]);
}

/** All that reads tell of a user. */
async function told(store: Store, uid: Uint8Array, other: Uint8Array): Promise<unknown> {
  return plain({
    account: await store.accountByUid(uid),
    attempts: await store.attempts(uid),
    grants: await store.grants(uid),
    consent: await store.consent(uid, other),
    reply: await store.reply(uid, reply(1).frameId),
    queued: await store.queued(uid, undefined, 9),
    length: await store.queueLength(uid),
  });
}

const nothing = { attempts: { count: 0, last: 0 }, grants: [], queued: [], length: 0 };

export const deletion: Record<string, Case> = {
  'a deleted account leaves nothing, and its name is free': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    await fill(store, uid, bob);
    await fill(store, bob, uid);
    t.notSame(await told(store, uid, bob), nothing);
    const before = await told(store, bob, uid);
    t.equal(await store.deleteAccount(uid), true);
    for (let round = 0; round < 3; round++) {
      t.equal(await store.accountByName('alice'), undefined);
      t.same(await told(store, uid, bob), nothing);
      t.same(await told(store, bob, uid), before, 'what others keep about it stays theirs');
      t.equal(await store.deleteAccount(uid), false);
      await t.rejects(store.enqueue(uid, entry()), { name: 'RangeError' });
      await t.rejects(store.countAttempt(uid, START), { name: 'RangeError' });
      store = await again(store, reopen);
    }
    const second = account('alice');
    t.equal(await store.createAccount(second), 'created');
    store = await again(store, reopen);
    t.same(plain(await store.accountByName('alice')), plain(second));
    t.same(await told(store, second.uid, bob), { account: plain(second), ...nothing });
    t.same(await told(store, uid, bob), nothing);
    await store.close();
  },
  'the rooms that a deleted account owned are gone, others stay': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const [one, two, given, taken] = ['one_room', 'two_room', 'given', 'taken'].map((name) => room(name, uid));
    if (!one || !two || !given || !taken) throw new Error('four rooms');
    const bobs = room('bobs_room', bob);
    for (const each of [one, two, given, bobs]) t.equal(await store.createRoom(each), 'created');
    await store.createRoom({ ...taken, owner: bob });
    for (const each of [one, given, bobs]) await store.say(each.id, message());
    await store.changeRoom(given.id, 1, { owner: bob, state: randomBytes(9) });
    await store.changeRoom(taken.id, 1, { owner: uid, state: randomBytes(9) });
    store = await again(store, reopen);
    t.equal(await store.deleteAccount(uid), true);
    for (let round = 0; round < 2; round++) {
      for (const each of [one, two, taken]) {
        t.equal(await store.roomById(each.id), undefined, each.name);
        t.equal(await store.roomByName(each.name), undefined, each.name);
        t.same(await store.said(each.id), []);
      }
      t.equal((await store.roomById(given.id))?.name, 'given', 'a room that was handed over is the new owner’s');
      t.equal((await store.said(given.id)).length, 1);
      t.equal((await store.said(bobs.id)).length, 1);
      store = await again(store, reopen);
    }
    t.equal(await store.createRoom(room('one_room', bob)), 'created', 'names of rooms are free again too');
    await store.close();
  },
  'of two deletions at once one tells of it': async (t, reopen) => {
    const { store, uid } = await withUser(reopen);
    const results = await Promise.all([store.deleteAccount(uid), store.deleteAccount(uid), store.deleteAccount(uid)]);
    t.same(results, [true, false, false]);
    t.equal(await store.accountByUid(uid), undefined);
    await store.close();
  },
  'a name that is being freed is given again': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const second = account('alice');
    const results = await Promise.all([store.deleteAccount(uid), store.createAccount(second)]);
    t.same(results, [true, 'created']);
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.accountByName('alice')), plain(second));
      t.equal(await store.accountByUid(uid), undefined);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'calls take effect before a deletion or after it, in the order in which they were made': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const waiting = [entry(), entry()];
    for (const each of waiting) await store.enqueue(uid, each);
    for (const opened of [false, true]) {
      store = await again(store, reopen);
      if (opened) {
        uid = await addUser(store, 'alice');
        for (const each of waiting) await store.enqueue(uid, each);
        await fill(store, uid, bob);
      }
      const calls = (): Promise<unknown>[] => [
        store.enqueue(uid, entry()),
        store.queueLength(uid),
        store.queued(uid, undefined, 1).then((page) => page.length),
        store.acknowledge(uid, [waiting[1]?.id ?? randomBytes(16)]).then((removed) => removed.length),
        store.setConsent(uid, bob, 'blocked'),
        store.consent(uid, bob),
        store.clearAttempts(uid),
        store.countAttempt(uid, START).then(({ count }) => count),
        store.attempts(uid).then(({ count }) => count),
        store.keepReply(uid, reply(2)),
        store.reply(uid, reply(2).frameId).then((each) => each?.code),
        store.accountByName('alice').then((each) => each?.name),
        store.accountByUid(uid).then((each) => each?.name),
      ];
      const before = calls().map(ended);
      const deleted = store.deleteAccount(uid);
      const after = calls().map(ended);
      const length = opened ? 4 : 3;
      const all = ['queued', length, 1, 1, undefined, 'blocked', undefined, 1, 1, undefined, 202, 'alice', 'alice'];
      t.same(await Promise.all(before), all, opened ? 'before, in use' : 'before, at first use');
      t.equal(await deleted, true);
      const [no, none] = ['RangeError', undefined];
      t.same(await Promise.all(after), [no, 0, 0, 0, no, none, no, no, 0, no, none, none, none], 'after');
    }
    store = await again(store, reopen);
    t.same(await told(store, uid, bob), nothing);
    await store.close();
  },
  'a room that is being made goes with its owner': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const made = room('made', uid);
    t.same(await Promise.all([store.createRoom(made), store.deleteAccount(uid)]), ['created', true]);
    for (let round = 0; round < 2; round++) {
      t.equal(await store.roomById(made.id), undefined);
      t.equal(await store.roomByName('made'), undefined);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'a room that is being handed over goes with its new owner': async (t, reopen) => {
    for (const opened of [true, false]) {
      let { store, uid } = await withUser(reopen);
      uid = (await store.accountByName('alice'))?.uid ?? uid;
      const bob = await addUser(store, 'bob');
      const lounge = room('lounge', uid);
      await store.createRoom(lounge);
      if (!opened) store = await again(store, reopen);
      const change = { owner: bob, state: randomBytes(4) };
      const results = await Promise.all([store.changeRoom(lounge.id, 1, change), store.deleteAccount(bob)].map(ended));
      t.same(results, ['changed', true]);
      for (let round = 0; round < 2; round++) {
        t.equal(await store.roomById(lounge.id), undefined, opened ? 'in use' : 'at first use');
        store = await again(store, reopen);
      }
      await store.close();
    }
  },
  'and stays when the old one goes': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const lounge = room('lounge', uid);
    await store.createRoom(lounge);
    const change = { owner: bob, state: randomBytes(4) };
    const results = await Promise.all([store.changeRoom(lounge.id, 1, change), store.deleteAccount(uid)].map(ended));
    t.same(results, ['changed', true]);
    for (let round = 0; round < 2; round++) {
      const found = await store.roomByName('lounge');
      t.same(plain({ ...found }), plain({ ...lounge, ...change, version: 2 }));
      store = await again(store, reopen);
    }
    await store.close();
  },
  'no room is made for an owner who goes meanwhile': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const [before, next] = [room('lounge', bob), room('lounge', uid)];
    await store.createRoom(before);
    // The second room has to wait until the name is free.
    const calls = [store.deleteRoom(before.id), store.createRoom(next), store.deleteAccount(uid)];
    const results = await Promise.all(calls.map(ended));
    t.ok(results[1] === 'created' || results[1] === 'RangeError', String(results[1]));
    t.same([results[0], results[2]], [true, true]);
    for (let round = 0; round < 2; round++) {
      t.equal(await store.roomByName('lounge'), undefined);
      t.equal(await store.roomById(next.id), undefined);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'users come and go, and those that stay lose nothing': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const kept = [entry(), entry()];
    for (const each of kept) await store.enqueue(uid, each);
    for (let round = 0; round < 6; round++) {
      const guests = Array.from({ length: 6 }, (_, n) => account(`guest${n}`));
      t.same(new Set(await Promise.all(guests.map((each) => store.createAccount(each)))), new Set(['created']));
      await Promise.all(guests.map((each) => fill(store, each.uid, uid)));
      if (round % 2 === 0) store = await again(store, reopen);
      const gone = await Promise.all(guests.map((each) => store.deleteAccount(each.uid)));
      t.same(new Set(gone), new Set([true]), `round ${round}`);
      if (round % 3 === 0) store = await again(store, reopen);
    }
    t.equal(await store.accountByName('guest3'), undefined);
    t.same(ids(await store.queued(uid, undefined, 9)), ids(kept));
    await store.close();
  },
};
