/** What holds for all calls: bytes handed in and out, HELLOs, closing. */
import { randomBytes } from 'node:crypto';
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
  views,
  withUser,
  type Case,
} from './cases.js';

export const whole: Record<string, Case> = {
  'bytes handed in may change when the call has returned': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await store.enqueue(uid, entry()); // so that both the first use and later ones are met
    store = await again(store, reopen);
    const alice = Uint8Array.from(uid);
    const bob = account('bob');
    const each = entry();
    const grant = { hash: randomBytes(32), ends: START + DAY };
    const said = reply(1);
    const random = randomBytes(32);
    const before = plain({ bob, each, grant, said, random });
    const calls = [
      store.createAccount(bob),
      store.enqueue(alice, each),
      store.saveGrant(alice, grant, START),
      store.keepReply(alice, said),
      store.setConsent(alice, bob.uid, 'open'),
      store.rememberHello(random, START),
    ];
    const kept = Uint8Array.from(bob.uid);
    for (const bytes of [...views(bob), ...views(each), ...views(grant), ...views(said), random, alice]) bytes.fill(0);
    await Promise.all(calls);
    store = await again(store, reopen);
    const after = {
      bob: await store.accountByName('bob'),
      each: (await store.queued(uid, undefined, 9))[1],
      grant: (await store.grants(uid))[0],
      said: await store.reply(uid, reply(1).frameId),
      random: (await store.recentHellos(START))?.[0]?.random,
    };
    t.same(plain(after), before);
    t.equal(await store.consent(uid, kept), 'open');
    const id = Uint8Array.from(after.each?.id ?? []);
    const call = store.acknowledge(uid, [id]);
    id.fill(0);
    t.equal((await call).length, 1);
    await store.close();
  },
  'and so may bytes that only name something': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const bob = await addUser(store, 'bob');
    const carol = await addUser(store, 'carol');
    const [first, second] = [entry(), entry()];
    const grant = { hash: randomBytes(32), ends: START + DAY };
    await store.enqueue(uid, first);
    await store.enqueue(uid, second);
    await store.saveGrant(uid, grant, START);
    await store.setConsent(uid, bob, 'open');
    await store.keepReply(uid, reply(1));
    store = await again(store, reopen);
    const results = await Promise.all([
      spoiling(uid, (given) => store.accountByUid(given)).then((found) => found?.name),
      spoiling(first.id, (given) => store.queued(uid, given, 9)).then(ids),
      spoiling(uid, (given) => store.queueLength(given)),
      spoiling(bob, (given) => store.consent(uid, given)),
      spoiling(reply(1).frameId, (given) => store.reply(uid, given)).then((found) => found?.code),
      spoiling(grant.hash, (given) => store.revokeGrant(uid, given)).then(() => store.grants(uid)),
      spoiling(uid, (given) => store.countAttempt(given, START)).then(({ count }) => count),
      spoiling(carol, (given) => store.deleteAccount(given)),
    ]);
    t.same(results, ['alice', ids([second]), 2, 'open', 202, [], 1, true]);
    t.equal(await store.accountByUid(carol), undefined);
    t.ok(await store.accountByUid(bob));
    await store.close();
  },
  'and those of rooms': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const [lounge, garden, attic] = [room('lounge', uid), room('garden', uid), room('attic', uid)];
    await store.createRoom(lounge);
    await store.createRoom(attic);
    store = await again(store, reopen);
    const [change, words] = [{ owner: uid, state: randomBytes(77) }, message()];
    const results = await Promise.all([
      handing(garden, (given) => store.createRoom(given)),
      handing(change, (given) => spoiling(lounge.id, (id) => store.changeRoom(id, 1, given))),
      handing(words, (given) => spoiling(lounge.id, (id) => store.say(id, given))),
      spoiling(lounge.id, (given) => store.roomById(given)).then((found) => found?.version),
      spoiling(lounge.id, (given) => store.said(given)).then((all) => all.length),
      spoiling(attic.id, (given) => store.deleteRoom(given)),
    ]);
    t.same(results, ['created', 'changed', 'said', 2, 1, true]);
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.roomByName('garden')), plain({ ...garden, version: 1 }));
      t.same(plain(await store.roomById(lounge.id)), plain({ ...lounge, ...change, version: 2 }));
      t.same(plain(await store.said(lounge.id)), plain([words]));
      store = await again(store, reopen);
    }
    await store.close();
  },
  'bytes handed out stay what they were': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const lounge = room('lounge', uid);
    const waiting = Array.from({ length: 5 }, () => entry());
    await store.createRoom(lounge);
    await store.say(lounge.id, message());
    for (const each of waiting) await store.enqueue(uid, each);
    store = await again(store, reopen);
    const out = {
      account: await store.accountByUid(uid),
      queued: await store.queued(uid, undefined, 9),
      room: await store.roomById(lounge.id),
      said: await store.said(lounge.id),
    };
    const before = plain(out);
    await store.changeRoom(lounge.id, 1, { owner: uid, state: randomBytes(300) });
    for (let n = 0; n < 25; n++) await store.say(lounge.id, message());
    await store.acknowledge(
      uid,
      waiting.map(({ id }) => id),
    );
    for (let n = 0; n < 5; n++) await store.enqueue(uid, entry());
    await store.deleteAccount(uid);
    await store.close();
    t.same(plain(out), before);
  },
  'bytes of a wrong length are refused, and nothing is kept': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const [carol, each, lounge, words] = [account('carol'), entry(), room('lounge', uid), message()];
    const standing = room('standing', uid);
    await store.createRoom(standing);
    const [short, long] = [randomBytes(15), randomBytes(33)];
    const grant = { hash: randomBytes(32), ends: START + DAY };
    const calls: Record<string, (bad: Uint8Array) => Promise<unknown>> = {
      uid: (bad) => store.createAccount({ ...carol, uid: bad }),
      enc: (bad) => store.createAccount({ ...carol, enc: bad }),
      sig: (bad) => store.createAccount({ ...carol, sig: bad }),
      record: (bad) => store.createAccount({ ...carol, record: bad }),
      words: (bad) => store.createAccount({ ...carol, words: bad }),
      'uid to delete': (bad) => store.deleteAccount(bad),
      'uid to find': (bad) => store.accountByUid(bad),
      'uid of attempts': (bad) => store.countAttempt(bad, START),
      grant: (bad) => store.saveGrant(uid, { ...grant, hash: bad }, START),
      'grant to revoke': (bad) => store.revokeGrant(uid, bad),
      consent: (bad) => store.setConsent(uid, bad, 'open'),
      reply: (bad) => store.keepReply(uid, { ...reply(1), frameId: bad }),
      id: (bad) => store.enqueue(uid, { ...each, id: bad }),
      from: (bad) => store.enqueue(uid, { ...each, from: bad }),
      key: (bad) => store.enqueue(uid, { ...each, key: bad }),
      room: (bad) => store.createRoom({ ...lounge, id: bad }),
      'owner of a new room': (bad) => store.createRoom({ ...lounge, owner: bad }),
      'room to change': (bad) => store.changeRoom(bad, 1, lounge),
      'new owner': (bad) => store.changeRoom(standing.id, 1, { ...lounge, owner: bad }),
      'from in a room': (bad) => store.say(standing.id, { ...words, from: bad }),
      'key in a room': (bad) => store.say(standing.id, { ...words, key: bad }),
      'message in a room': (bad) => store.say(standing.id, { ...words, message: bad }),
      'from of what is dequeued': (bad) => store.dequeue(uid, bad),
      'room to delete': (bad) => store.deleteRoom(bad),
      hello: (bad) => store.rememberHello(bad, START),
    };
    for (const [what, call] of Object.entries(calls)) {
      for (const bad of [short, long, new Uint8Array(0)]) t.equal(await ended(call(bad)), 'RangeError', what);
    }
    for (let round = 0; round < 2; round++) {
      t.equal(await store.accountByName('carol'), undefined);
      t.equal(await store.roomByName('lounge'), undefined);
      t.same(plain(await store.roomById(standing.id)), plain({ ...standing, version: 1 }));
      t.same([await store.said(standing.id), await store.grants(uid), await store.recentHellos(0)], [[], [], []]);
      t.equal(await store.queueLength(uid), 0);
      store = await again(store, reopen);
    }
    await store.close();
  },
  'HELLOs are remembered over a restart, by time': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let store = await reopen(clock);
    t.same(await store.recentHellos(START - 1000), [], 'a new store misses none');
    const hellos = Array.from({ length: 50 }, (_, n) => ({ random: randomBytes(32), time: START + n }));
    await Promise.all(hellos.map(({ random, time }) => store.rememberHello(random, time)));
    t.same(plain(await store.recentHellos(0)), plain(hellos));
    store = await again(store, reopen, clock);
    t.same(plain(await store.recentHellos(START + 40)), plain(hellos.slice(40)));
    for (let minute = 1; minute <= 30; minute++) {
      now = START + minute * 60_000;
      await store.rememberHello(randomBytes(32), now);
      if (minute % 11 === 0) store = await again(store, reopen, clock);
      const since = now - 240_000;
      const kept = await store.recentHellos(since);
      t.equal(kept?.filter((hello) => hello.time > START + 49).length, Math.min(minute, 5), `minute ${minute}`);
    }
    await store.close();
  },
  'closing waits for calls under way, and later ones reject': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    const all = Array.from({ length: 20 }, () => entry());
    const calls = Promise.all(all.map((each) => store.enqueue(uid, each)));
    await store.close();
    await calls;
    await t.rejects(store.queueLength(uid));
    store = await reopen({ now: () => START });
    t.same(ids(await store.queued(uid, undefined, 99)), ids(all));
    await store.close();
  },
};

/** Makes the call with a copy that is written over when the call has returned. */
function spoiling<R>(bytes: Uint8Array, call: (given: Uint8Array) => R): R {
  const given = Uint8Array.from(bytes);
  const result = call(given);
  given.fill(0);
  return result;
}

/** The same for a value with bytes in it. */
function handing<T extends object, R>(value: T, call: (given: T) => R): R {
  const given = { ...value };
  for (const [key, each] of Object.entries(given)) {
    if (each instanceof Uint8Array) Object.assign(given, { [key]: Uint8Array.from(each) });
  }
  const result = call(given);
  for (const bytes of views(given)) bytes.fill(0);
  return result;
}
