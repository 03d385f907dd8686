/** The comparison of the fault test catches what it is for: each bug planted here is found by some seed. */
import { test } from 'tap';
import type { Files } from '../../src/store/journal/disk.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import type { Account, QueueEntry, Store } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import { StoreCalls, type StoreCall } from '../support/store-calls.js';
import { StoreModel, type Begun } from '../support/store-model.js';
import { runSchedule, type Opener } from '../support/store-schedule.js';
import { noSecurity } from '../../src/store/store.js';

const NOW = 1_800_000_000_000;
/** Seeds in which a planted bug must show. */
const SEEDS = 80;

interface Scene {
  readonly model: StoreModel;
  readonly calls: StoreCalls;
  readonly alice: Account;
  readonly begin: (call: StoreCall) => Begun;
  readonly done: (call: StoreCall, result: unknown) => void;
  /** Whether these results fit what was done before. */
  readonly fits: (...results: readonly (readonly [StoreCall, unknown])[]) => boolean;
}

const draws = new Draws(1);

function account(name: string): Account {
  return {
    uid: draws.bytes(16),
    name,
    enc: draws.bytes(256),
    sig: draws.bytes(256),
    record: draws.bytes(192),
    words: draws.bytes(32),
    created: NOW,
    security: noSecurity,
  };
}

function entry(of: Partial<QueueEntry> = {}): QueueEntry {
  return {
    id: draws.bytes(16),
    opcode: 1,
    from: draws.bytes(16),
    key: draws.bytes(16),
    time: NOW,
    fields: draws.bytes(9),
    ...of,
  };
}

function hexOf(...entries: readonly QueueEntry[]): string {
  return entries.map(({ id }) => Buffer.from(id).toString('hex')).join();
}

/** With one user. */
function scene(): Scene {
  const model = new StoreModel();
  const calls = new StoreCalls(model, () => NOW, 3);
  const alice = account('alice');
  const begin = (call: StoreCall): Begun => model.begin(call.text, call.steps);
  const done = (call: StoreCall, result: unknown): void => {
    begin(call).done(result);
    model.settle();
  };
  done(calls.createAccount(alice), 'created');
  const fits: Scene['fits'] = (...results) => {
    for (const [call, result] of results) begin(call).done(result);
    try {
      model.settle();
      return true;
    } catch {
      return false;
    }
  };
  return { model, calls, alice, begin, done, fits };
}

test('what was acknowledged must be there, once and in order', (t) => {
  const [a, b] = [entry(), entry()];
  for (const [found, fits] of [
    [hexOf(a, b), true],
    [hexOf(b), false],
    [hexOf(b, a), false],
    [hexOf(a, a, b), false],
    ['', false],
  ] as const) {
    const { calls, alice, done, fits: fit } = scene();
    done(calls.enqueue(alice.uid, a), 'queued');
    done(calls.enqueue(alice.uid, b), 'queued');
    t.equal(fit([calls.queued(alice.uid, undefined, 9), found]), fits, found);
  }
  t.end();
});

test('what is pending or rejected may be there, once, until a read tells', (t) => {
  const [a, b, c] = [entry(), entry(), entry()];
  for (const [found, fits] of [
    [hexOf(a), true],
    [hexOf(a, b), true],
    [hexOf(a, c), true],
    [hexOf(a, b, c), true],
    [hexOf(a, c, b), false],
    [hexOf(b, c), false],
  ] as const) {
    const { model, calls, alice, begin, done, fits: fit } = scene();
    done(calls.enqueue(alice.uid, a), 'queued');
    begin(calls.enqueue(alice.uid, b)).doubt();
    begin(calls.enqueue(alice.uid, c));
    model.died();
    model.settle();
    const read = calls.queued(alice.uid, undefined, 9);
    t.equal(fit([read, found]), fits, found);
    if (fits) t.notOk(fit([read, found === hexOf(a) ? hexOf(a, b) : hexOf(a)]), 'what was read stays so');
  }
  t.end();
});

test('doing again what was rejected has one effect', (t) => {
  const a = entry();
  const again = entry({ from: a.from, key: a.key });
  for (const [answer, found, fits] of [
    ['queued', again, true],
    ['known', a, true],
    ['queued', a, false],
    ['known', again, false],
  ] as const) {
    const { calls, alice, begin, fits: fit } = scene();
    begin(calls.enqueue(alice.uid, a)).doubt();
    const results = [
      [calls.enqueue(alice.uid, again), answer],
      [calls.queued(alice.uid, undefined, 9), hexOf(found)],
    ] as const;
    t.equal(fit(...results), fits, `${answer} ${hexOf(found)}`);
  }
  t.end();
});

test('what was removed does not come back', (t) => {
  const { calls, alice, done, fits } = scene();
  const a = entry();
  done(calls.enqueue(alice.uid, a), 'queued');
  done(calls.acknowledge(alice.uid, [a.id]), hexOf(a));
  t.notOk(fits([calls.queueLength(alice.uid), 1]));
  t.end();
});

test('attempts are between those acknowledged and those begun', (t) => {
  for (const [found, fits] of [
    [`1/${NOW}`, true],
    [`3/${NOW + 2}`, true],
    [`2/${NOW + 2}`, true],
    ['0/0', false],
    [`4/${NOW + 2}`, false],
  ] as const) {
    const { calls, alice, begin, done, fits: fit } = scene();
    done(calls.countAttempt(alice.uid, NOW), `1/${NOW}`);
    begin(calls.countAttempt(alice.uid, NOW + 1)).doubt();
    begin(calls.countAttempt(alice.uid, NOW + 2)).doubt();
    t.equal(fit([calls.attempts(alice.uid), found]), fits, found);
  }
  t.end();
});

test('a name has one owner, and an account is there whole or not at all', (t) => {
  const whole = scene();
  whole.done(whole.calls.countAttempt(whole.alice.uid, NOW), `1/${NOW}`);
  whole.begin(whole.calls.deleteAccount(whole.alice)).doubt();
  const uid = Buffer.from(whole.alice.uid).toString('hex');
  const read = whole.calls.accountByName('alice');
  t.notOk(whole.fits([read, uid], [whole.calls.attempts(whole.alice.uid), '0/0']), 'there, and its attempts are gone');

  const { calls, begin, fits } = scene();
  const other = account('alice');
  t.notOk(fits([calls.createAccount(other), 'created']), 'two of one name');
  begin(calls.deleteAccount(whole.alice)).doubt();
  t.end();
});

/* Planted bugs: a store or a disk with one fault of its own, in whole schedules. */

/** The same object, with some of its methods replaced. */
function replaced<T extends object>(target: T, some: Partial<T>): T {
  return new Proxy(target, {
    get: (_target, name) => {
      const value = some[name as keyof T] ?? target[name as keyof T];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function sabotaged(sabotage: (store: Store, draws: Draws) => Partial<Store>): Opener {
  return async (folder, disk, options) => {
    const store = await openJournalStore(folder, { ...options, files: disk });
    return {
      store: replaced<Store>(store, sabotage(store, new Draws(disk.calls))),
      checkpoint: () => store.checkpoint(),
    };
  };
}

/** A disk whose syncs of these paths only say that they were done. */
function lying(isLie: (path: string) => boolean): Opener {
  return async (folder, disk, options) => {
    const files = replaced<Files>(disk, {
      open: async (path, flags, mode) => {
        const file = await disk.open(path, flags, mode);
        const nothing = async (): Promise<void> => {
          await file.stat().catch(() => undefined);
        };
        return isLie(path) ? { ...file, sync: nothing, datasync: nothing } : file;
      },
    });
    const store = await openJournalStore(folder, { ...options, files });
    return { store, checkpoint: () => store.checkpoint() };
  };
}

const isFolder = (path: string): boolean => !/\.\w+$|(index|hellos|queue|room)$/.test(path);

const planted: Record<string, Opener> = {
  'syncs of files do nothing': lying((path) => !isFolder(path)),
  'syncs of the journal do nothing': lying((path) => path.endsWith('.log')),
  'syncs of folders do nothing': lying(isFolder),
  'some entries are lost': sabotaged((store, chance) => ({
    enqueue: (uid, each) =>
      chance.chance(0.1) ? store.queueLength(uid).then(() => 'queued') : store.enqueue(uid, each),
  })),
  'some attempts count twice': sabotaged((store, chance) => ({
    countAttempt: async (uid, now) => {
      const id = Uint8Array.from(uid);
      const counted = await store.countAttempt(id, now);
      if (chance.chance(0.2)) await store.countAttempt(id, now);
      return counted;
    },
  })),
  'some acknowledged entries stay': sabotaged((store, chance) => ({
    acknowledge: async (uid, ids) => {
      const wanted = new Set(ids.map((id) => Buffer.from(id).toString('hex')));
      if (chance.chance(0.7)) return store.acknowledge(uid, ids);
      const waiting = await store.queued(uid, undefined, 1000);
      return waiting.map(({ id }) => id).filter((id) => wanted.has(Buffer.from(id).toString('hex')));
    },
  })),
  'what was handed in is read late': sabotaged((store) => ({
    keepReply: async (uid, reply) => {
      const id = Uint8Array.from(uid);
      await Promise.resolve();
      return store.keepReply(id, reply);
    },
  })),
  'a deleted room leaves what was said': sabotaged((store) => ({
    deleteRoom: async (id) => (await store.roomById(id)) !== undefined,
  })),
  'a refused change is told as done': sabotaged((store) => ({
    setConsent: (of, towards, consent) => store.setConsent(of, towards, consent).catch(() => undefined),
  })),
  'a room has a second chance at a stale version': sabotaged((store) => ({
    changeRoom: async (id, version, change) => {
      const [room, kept] = [
        Uint8Array.from(id),
        { owner: Uint8Array.from(change.owner), state: Uint8Array.from(change.state) },
      ];
      const result = await store.changeRoom(room, version, kept);
      return result === 'stale' ? store.changeRoom(room, version - 1, kept) : result;
    },
  })),
};

for (const [name, open] of Object.entries(planted)) {
  test(`it is found out when ${name}`, async (t) => {
    let wrong: string | undefined;
    let seed = 0;
    while (wrong === undefined && seed < SEEDS) wrong = await runSchedule(seed++, open);
    t.ok(wrong, `by seed ${seed - 1}: ${wrong?.split('\n').slice(0, 3).join(' ') ?? ''}`);
  });
}
