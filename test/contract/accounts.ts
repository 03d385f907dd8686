/** Accounts: made once, found by name and uid, as many as there may be. */
import { randomBytes } from 'node:crypto';
import { account, again, entry, plain, reply, room, START, type Case } from './cases.js';

export const accounts: Record<string, Case> = {
  'an account is found by name and uid, also after reopening': async (t, reopen) => {
    let store = await reopen({ now: () => START });
    const alice = account('alice');
    t.equal(await store.accountByName('alice'), undefined);
    t.equal(await store.accountByUid(alice.uid), undefined);
    t.equal(await store.createAccount(alice), 'created');
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.accountByName('alice')), plain(alice));
      t.same(plain(await store.accountByUid(alice.uid)), plain(alice));
      t.equal(await store.accountByName('alic'), undefined);
      store = await again(store, reopen);
    }
    t.equal(await store.createAccount(account('alice')), 'taken');
    await store.close();
  },
  'of many calls for one name at once exactly one creates': async (t, reopen) => {
    let store = await reopen({ now: () => START });
    const all = Array.from({ length: 5 }, () => account('alice'));
    const results = await Promise.all(all.map((each) => store.createAccount(each)));
    t.equal(results.filter((result) => result === 'created').length, 1);
    t.equal(results.filter((result) => result === 'taken').length, 4);
    const winner = all[results.indexOf('created')];
    store = await again(store, reopen);
    t.same(plain(await store.accountByName('alice')), plain(winner));
    await store.close();
  },
  'one uid is never given twice, and the first account stays': async (t, reopen) => {
    const store = await reopen({ now: () => START });
    const alice = account('alice');
    const [first, second] = await Promise.allSettled([
      store.createAccount(alice),
      store.createAccount({ ...account('bob'), uid: alice.uid }),
    ]);
    t.equal(first.status, 'fulfilled');
    t.equal(second.status === 'rejected' && second.reason instanceof RangeError, true);
    t.same(plain(await store.accountByUid(alice.uid)), plain(alice));
    t.equal(await store.accountByName('bob'), undefined);
    await store.close();
  },
  'a uid without an account reads as empty and takes no change': async (t, reopen) => {
    const store = await reopen({ now: () => START });
    const uid = randomBytes(16);
    t.same(await store.attempts(uid), { count: 0, last: 0 });
    t.same(await store.grants(uid), []);
    t.equal(await store.consent(uid, randomBytes(16)), undefined);
    t.equal(await store.reply(uid, randomBytes(16)), undefined);
    t.same(await store.queued(uid, undefined, 9), []);
    t.equal(await store.queueLength(uid), 0);
    t.same(await store.acknowledge(uid, [randomBytes(16)]), []);
    const refused = { name: 'RangeError' };
    await t.rejects(store.enqueue(uid, entry()), refused);
    await t.rejects(store.countAttempt(uid, START), refused);
    await t.rejects(store.setConsent(uid, uid, 'open'), refused);
    await t.rejects(store.keepReply(uid, reply(1)), refused);
    await t.rejects(store.clearAttempts(uid), refused);
    await t.rejects(store.saveGrant(uid, { hash: randomBytes(32), ends: START }, START), refused);
    await t.rejects(store.revokeGrant(uid, randomBytes(32)), refused);
    await t.rejects(store.createRoom(room('lounge', uid)), refused);
    t.equal(await store.deleteAccount(uid), false);
    t.equal(await store.accountByUid(uid), undefined);
    await store.close();
  },
  'no more accounts than there may be, and one that goes makes room': async (t, reopen) => {
    const limits = { now: () => START, maxAccounts: 3 };
    let store = await reopen(limits);
    const all = ['alice', 'bob', 'carol'].map(account);
    for (const each of all) t.equal(await store.createAccount(each), 'created');
    for (let round = 0; round < 2; round++) {
      t.equal(await store.createAccount(account('dave')), 'full');
      t.equal(await store.createAccount(account('alice')), 'taken', 'a name that is taken is told first');
      t.equal(await store.accountByName('dave'), undefined);
      store = await again(store, reopen, limits);
    }
    await store.countAttempt(all[0]?.uid ?? randomBytes(16), START);
    t.ok(await store.deleteAccount(all[1]?.uid ?? randomBytes(16)));
    t.equal(await store.createAccount(account('dave')), 'created');
    t.equal(await store.createAccount(account('erin')), 'full');
    await store.close();
  },
  'of many at once no more are made than there may be': async (t, reopen) => {
    const limits = { now: () => START, maxAccounts: 3 };
    let store = await reopen(limits);
    const all = Array.from({ length: 8 }, (_, n) => account(`user${n}`));
    const results = await Promise.all(all.map((each) => store.createAccount(each)));
    t.same(results, ['created', 'created', 'created', 'full', 'full', 'full', 'full', 'full']);
    store = await again(store, reopen, limits);
    const there = await Promise.all(all.map(({ uid }) => store.accountByUid(uid)));
    t.equal(there.filter((each) => each !== undefined).length, 3);
    await store.close();
  },
};
