/** Accounts: made once, found by name and uid, as many as there may be. */
import { randomBytes } from 'node:crypto';
import { SecondFactor, type Security } from '../../src/store/store.js';
import { account, again, DAY, entry, plain, reply, room, START, type Case } from './cases.js';

const secured: Security = {
  factor: SecondFactor.totp,
  secret: randomBytes(48),
  step: 58_000_000,
  recovery: [randomBytes(32), randomBytes(32)],
  details: randomBytes(300),
  unsettled: true,
  disabled: true,
};

export const accounts: Record<string, Case> = {
  'an account changes whole, durably, and keeps uid, name and the time of its making': async (t, reopen) => {
    let store = await reopen({ now: () => START });
    const alice = account('alice');
    await store.createAccount(alice);
    await store.createAccount(account('bob'));
    const next = { ...account('other'), security: secured };
    const changed = await store.changeAccount(alice.uid, () => ({ ...next, created: 5 }));
    const { uid, name, created } = alice;
    const due = { ...next, uid, name, created };
    t.same(plain(changed), plain(due));
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.accountByName('alice')), plain(due));
      t.equal(await store.accountByName('other'), undefined);
      store = await again(store, reopen);
    }
    t.equal(await store.changeAccount(uid, () => undefined), undefined, 'refused');
    t.same(plain(await store.accountByUid(uid)), plain(due));
    t.equal(await store.createAccount(account('alice')), 'taken');
    await t.rejects(
      store.changeAccount(randomBytes(16), (one) => one),
      { name: 'RangeError' },
    );
    for (const bad of [{ recovery: [randomBytes(31)] }, { secret: randomBytes(256) }, { details: randomBytes(1025) }]) {
      const change = store.changeAccount(uid, (one) => ({ ...one, security: { ...one.security, ...bad } }));
      await t.rejects(change, { name: 'RangeError' }, Object.keys(bad).join());
    }
    t.same(plain(await store.accountByUid(uid)), plain(due), 'and nothing of it is kept');
    await store.close();
  },
  'of changes at once each sees what the one before made': async (t, reopen) => {
    let store = await reopen({ now: () => START });
    const alice = account('alice');
    await store.createAccount(alice);
    const spend = () =>
      store.changeAccount(alice.uid, (one) =>
        one.security.step < 3 ? { ...one, security: { ...one.security, step: one.security.step + 1 } } : undefined,
      );
    const results = await Promise.all(Array.from({ length: 6 }, spend));
    t.same(
      results.map((one) => one?.security.step),
      [1, 2, 3, undefined, undefined, undefined],
    );
    store = await again(store, reopen);
    t.equal((await store.accountByUid(alice.uid))?.security.step, 3);
    await store.close();
  },
  'an invitation lets one in, and is used by the account that it made': async (t, reopen) => {
    let now = START;
    let store = await reopen({ now: () => now });
    const invitation = { id: randomBytes(16), ends: START + DAY };
    t.equal(await store.isUsed(invitation.id), false);
    t.equal(await store.createAccount(account('alice')), 'created');
    t.equal(await store.createAccount(account('alice'), invitation), 'taken');
    t.equal(await store.isUsed(invitation.id), false, 'a name that was taken uses up nothing');
    const named = await Promise.all(
      ['alice', 'zoe'].map((name) => store.createAccount(account(name), { ...invitation, id: randomBytes(16) })),
    );
    t.same(named, ['taken', 'created']);
    const shared = { ...invitation, id: randomBytes(16) };
    const one = await Promise.all(['alice', 'eve'].map((name) => store.createAccount(account(name), shared)));
    t.same(one, ['taken', 'created'], 'nor from somebody who comes at the same time');
    const both = await Promise.all(['bob', 'carol'].map((name) => store.createAccount(account(name), invitation)));
    t.same(both.sort(), ['created', 'used']);
    for (let round = 0; round < 3; round++) {
      t.equal(await store.isUsed(invitation.id), true);
      t.equal(await store.createAccount(account('dave'), invitation), 'used');
      const made = (await store.accountByName('bob')) ?? (await store.accountByName('carol'));
      t.ok(made, 'the account is there');
      if (round === 1 && made) await store.deleteAccount(made.uid);
      if (round === 1) break;
      await store.close();
      store = await reopen({ now: () => now });
    }
    await store.close();
    store = await reopen({ now: () => now });
    t.equal(await store.createAccount(account('dave'), invitation), 'used', 'also when its account is gone');
    for (const late of [invitation.ends, invitation.ends + 1]) {
      now = late;
      t.equal(await store.createAccount(account('erin'), invitation), 'used', 'its hour ended meanwhile');
    }
    const other = { id: randomBytes(16), ends: now };
    t.equal(await store.createAccount(account('erin'), other), 'used', 'also where it let nobody in');
    t.equal(await store.createAccount(account('erin'), { ...other, ends: now + 1 }), 'created');
    t.equal(await store.isUsed(invitation.id), false, 'forgotten when it counts no more');
    await store.close();
  },
  'all accounts are gone through': async (t, reopen) => {
    const store = await reopen({ now: () => START });
    const all = ['alice', 'bob', 'carol'].map((name) => account(name));
    for (const each of all) await store.createAccount(each);
    const found: string[] = [];
    for await (const { name, uid } of store.accounts()) {
      found.push(name);
      if (name === 'alice') await store.deleteAccount(all[1]?.uid ?? uid);
    }
    t.same(found.sort(), ['alice', 'carol']);
    await store.close();
  },
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
  'all accounts are told, those deleted are not': async (t, reopen) => {
    let store = await reopen({ now: () => START });
    const names = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const each of store.accounts()) found.push(each.name);
      return found.sort();
    };
    t.same(await names(), []);
    const all = ['alice', 'bob', 'carol'].map(account);
    for (const each of all) await store.createAccount(each);
    t.same(await names(), ['alice', 'bob', 'carol']);
    await store.deleteAccount(all[1]?.uid ?? randomBytes(16));
    t.same(await names(), ['alice', 'carol']);
    store = await again(store, reopen);
    t.same(await names(), ['alice', 'carol']);
    const [first] = all;
    for await (const each of store.accounts()) if (each.name === 'alice' && first) t.same(plain(each), plain(first));
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
