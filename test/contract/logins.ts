/** What logins leave: attempts, grants, consents. */
import { randomBytes } from 'node:crypto';
import { account, again, DAY, plain, START, withUser, type Case } from './cases.js';

export const logins: Record<string, Case> = {
  'attempts are counted, last and cleared': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    t.same(await store.attempts(uid), { count: 0, last: 0 });
    t.same(await store.countAttempt(uid, START + 1), { count: 1, last: START + 1 });
    const results = await Promise.all([2, 3, 4].map((n) => store.countAttempt(uid, START + n)));
    t.same(
      results.map((result) => result.count),
      [2, 3, 4],
      'each call sees the one before',
    );
    store = await again(store, reopen);
    t.same(await store.attempts(uid), { count: 4, last: START + 4 });
    await store.clearAttempts(uid);
    await store.clearAttempts(uid);
    store = await again(store, reopen);
    t.same(await store.attempts(uid), { count: 0, last: 0 });
    await store.close();
  },
  'grants: ended ones go, sixteen stay, one can be revoked': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const grants = Array.from({ length: 18 }, (_, n) => ({ hash: randomBytes(32), ends: START + 1000 + n }));
    for (const grant of grants) await store.saveGrant(uid, grant, START);
    store = await again(store, reopen);
    t.same(plain(await store.grants(uid)), plain(grants.slice(2)), 'the oldest go first');
    await store.revokeGrant(uid, grants[10]?.hash ?? randomBytes(32));
    await store.revokeGrant(uid, randomBytes(32));
    const left = grants.filter((_, n) => n >= 2 && n !== 10);
    t.same(plain(await store.grants(uid)), plain(left));
    const last = { hash: randomBytes(32), ends: START + DAY };
    await store.saveGrant(uid, last, START + 1015);
    store = await again(store, reopen);
    t.same(plain(await store.grants(uid)), plain([...grants.slice(15), last]), 'what ends at this moment stays');
    const longer = { ...last, ends: START + 2 * DAY };
    await store.saveGrant(uid, longer, START + 2000);
    t.same(plain(await store.grants(uid)), plain([longer]), 'one hash stands once');
    await store.close();
  },
  'consent is of one towards another, and the last word counts': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = account('bob');
    await store.createAccount(bob);
    t.equal(await store.consent(uid, bob.uid), undefined);
    const said = [store.setConsent(uid, bob.uid, 'open'), store.setConsent(uid, bob.uid, 'blocked')];
    t.equal(await store.consent(uid, bob.uid), 'blocked', 'a read sees the calls before it, awaited or not');
    await Promise.all(said);
    await store.setConsent(bob.uid, uid, 'declined');
    store = await again(store, reopen);
    t.equal(await store.consent(uid, bob.uid), 'blocked');
    t.equal(await store.consent(bob.uid, uid), 'declined');
    t.equal(await store.consent(bob.uid, bob.uid), undefined);
    t.same(await store.openTowards(uid), []);
    const others = [randomBytes(16), randomBytes(16)];
    await Promise.all(others.map((other) => store.setConsent(uid, other, 'open')));
    store = await again(store, reopen);
    const sorted = (uids: readonly Uint8Array[]) => uids.map((each) => Buffer.from(each).toString('hex')).sort();
    t.same(sorted(await store.openTowards(uid)), sorted(others));
    t.same(await store.openTowards(randomBytes(16)), []);
    await store.close();
  },
};
