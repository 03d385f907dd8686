/** What every store must do: the promises of store.ts. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { Code } from '../../protocol/index.js';
import type { Account, QueueEntry, Reply, Store } from '../../src/store/store.js';

interface ContractOptions {
  readonly now: () => number;
  readonly maxQueueEntries?: number;
  readonly maxQueueBytes?: number;
}

/** A place for one store: each call opens what the one before left, which is closed by then. */
type Reopen = (options: ContractOptions) => Promise<Store>;
/** Makes an empty place. */
type NewPlace = (t: Test) => Reopen;

export const START = 1_800_000_000_000;
const DAY = 24 * 3600_000;

export function account(name: string): Account {
  return {
    uid: randomBytes(16),
    name,
    enc: randomBytes(256),
    sig: randomBytes(256),
    record: randomBytes(192),
    words: randomBytes(32),
    created: START,
  };
}

export function entry(fields: Uint8Array = randomBytes(1400)): QueueEntry {
  return { id: randomBytes(16), opcode: 10001, from: randomBytes(16), key: randomBytes(16), time: START + 5, fields };
}

export function ids(entries: readonly QueueEntry[]): string[] {
  return entries.map((each) => Buffer.from(each.id).toString('hex'));
}

/** Bytes as such, whatever class carries them. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => {
      const bytes = each as { type?: unknown; data?: unknown } | Uint8Array | null;
      if (bytes instanceof Uint8Array) return Buffer.from(bytes).toString('hex');
      if (bytes && typeof bytes === 'object' && 'type' in bytes && bytes.type === 'Buffer') {
        return Buffer.from(bytes.data as number[]).toString('hex');
      }
      return each;
    }),
  ) as unknown;
}

type Case = (t: Test, reopen: Reopen) => Promise<void>;

/** Opens with the clock at START, and makes one user. */
async function withUser(
  reopen: Reopen,
  options: Partial<ContractOptions> = {},
): Promise<{ store: Store; uid: Uint8Array }> {
  const store = await reopen({ now: () => START, ...options });
  const alice = account('alice');
  await store.createAccount(alice);
  return { store, uid: alice.uid };
}

/** Closes, opens again. */
async function again(store: Store, reopen: Reopen, options: Partial<ContractOptions> = {}): Promise<Store> {
  await store.close();
  return reopen({ now: () => START, ...options });
}

const accounts: Record<string, Case> = {
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
    await t.rejects(store.accountByUid(randomBytes(15)), refused);
    await store.close();
  },
};

const logins: Record<string, Case> = {
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
    await store.close();
  },
};

function reply(n: number, time = START): Reply {
  const frameId = Buffer.alloc(16);
  frameId.writeUInt32BE(n, 4);
  return { frameId, opcode: 100007, code: Code.queued, time };
}

const replies: Record<string, Case> = {
  'a reply is found by its frame id, also after reopening': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await store.keepReply(uid, reply(1));
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.reply(uid, reply(1).frameId)), plain(reply(1)));
      t.equal(await store.reply(uid, reply(2).frameId), undefined);
      store = await again(store, reopen);
    }
    await store.keepReply(uid, { ...reply(1), code: Code.done });
    store = await again(store, reopen);
    t.equal((await store.reply(uid, reply(1).frameId))?.code, Code.done, 'the second takes the place of the first');
    await store.close();
  },
  'the newest 1,024 replies stay': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await Promise.all(Array.from({ length: 5000 }, (_, n) => store.keepReply(uid, reply(n))));
    for (let round = 0; round < 2; round++) {
      t.equal(await store.reply(uid, reply(5000 - 1025).frameId), undefined);
      t.same(plain(await store.reply(uid, reply(5000 - 1024).frameId)), plain(reply(5000 - 1024)));
      t.same(plain(await store.reply(uid, reply(4999).frameId)), plain(reply(4999)));
      store = await again(store, reopen);
    }
    await store.close();
  },
  'a reply is forgotten after 21 days': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    await store.keepReply(uid, reply(1));
    await store.keepReply(uid, reply(2, START + DAY));
    now = START + 21 * DAY;
    t.ok(await store.reply(uid, reply(1).frameId));
    now++;
    t.equal(await store.reply(uid, reply(1).frameId), undefined);
    store = await again(store, reopen, clock);
    t.equal(await store.reply(uid, reply(1).frameId), undefined);
    t.ok(await store.reply(uid, reply(2).frameId));
    await store.close();
  },
};

const queues: Record<string, Case> = {
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
    t.same(ids(await store.acknowledge(uid, [first.id])), ids([first]));
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
    t.same(plain(removed), plain([all[4], all[0], all[2]]));
    t.same(await store.acknowledge(uid, some), []);
    t.same(await store.acknowledge(uid, []), []);
    store = await again(store, reopen);
    t.same(ids(await store.queued(uid, undefined, 9)), ids(all.filter((_, n) => n % 2 === 1 || n > 4)));
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
    t.same(ids(results[3]), ids([a]));
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

const whole: Record<string, Case> = {
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

function views(of: object): Uint8Array[] {
  return Object.values(of).filter((value): value is Uint8Array => value instanceof Uint8Array);
}

export async function storeContract(t: Test, newPlace: NewPlace): Promise<void> {
  for (const [name, run] of Object.entries({ ...accounts, ...logins, ...replies, ...queues, ...whole })) {
    await t.test(name, (each) => run(each, newPlace(each)));
  }
}
