/** What the path of a message asks of the disk: a mailbox on the store, with somebody who counts and holds back. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Code, Opcode } from '../../protocol/index.js';
import { Mailbox, type MailboxHost } from '../../src/server/mailbox.js';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import type { QueueEntry } from '../../src/store/store.js';
import { account } from '../contract/cases.js';
import { watchedFiles } from '../contract/watched-files.js';
import { temporaryFolder } from '../support/temp.js';

/** Bytes of an envelope. */
const ENVELOPE = 1400;

function entry(): QueueEntry {
  return {
    id: randomBytes(16),
    opcode: Opcode.rvum,
    from: randomBytes(16),
    key: randomBytes(16),
    time: Date.now(),
    fields: randomBytes(ENVELOPE),
  };
}

/** A store with two users on a disk whose calls that write are counted; a sync waits while it is held. */
async function fixture(t: Test) {
  const counted = { write: 0, datasync: 0, other: 0 };
  const syncs: (() => void)[] = [];
  const state = { held: false, arrived: (): void => undefined };
  const files = watchedFiles(async (call) => {
    if (call === 'read' || call === 'stat' || call === 'lstat' || call === 'readdir' || call === 'open') return;
    if (call !== 'write' && call !== 'datasync') {
      counted.other++;
      return;
    }
    counted[call]++;
    if (call !== 'datasync' || !state.held) return;
    await new Promise<void>((resolve) => {
      syncs.push(resolve);
      state.arrived();
    });
  });
  const folder = join(await temporaryFolder(t), 'net');
  const store: JournalStore = await openJournalStore(folder, { now: Date.now, files });
  const [alice, bob] = [account('alice'), account('bob')];
  await store.createAccount(alice);
  await store.createAccount(bob);
  Object.assign(counted, { write: 0, datasync: 0, other: 0 });
  return {
    store,
    uid: alice.uid,
    bob: bob.uid,
    counted,
    /** Syncs wait from now on. */
    hold: () => {
      state.held = true;
    },
    /** Resolves when a sync is being held back. */
    held: () =>
      new Promise<void>((resolve) => {
        state.arrived = resolve;
        if (syncs.length > 0) resolve();
      }),
    /** Lets the sync go that is held back; later ones wait again. */
    letOne: () => syncs.shift()?.(),
    letAll: () => {
      state.held = false;
      for (const go of syncs.splice(0)) go();
    },
  };
}

/** A mailbox of which nobody's clock runs: what flies is never late, however busy the machine is. */
function newMailbox(store: JournalStore, uid: Uint8Array, push: (entry: QueueEntry) => void, ready: boolean) {
  const failed: unknown[] = [];
  let tell = (): void => undefined;
  const drained = new Promise<void>((resolve) => (tell = resolve));
  const host: MailboxHost = {
    push,
    ready: () => ready,
    drained: tell,
    delivered: () => undefined,
    failed: (error) => failed.push(error),
    now: () => 0,
    after: () => () => undefined,
  };
  const box = new Mailbox(uid, store, host, 256, 0);
  box.start();
  return { box, failed, drained };
}

/** A reader who is there, with nothing that waits. */
async function live(store: JournalStore, uid: Uint8Array, push: (entry: QueueEntry) => void) {
  const { box, failed, drained } = newMailbox(store, uid, push, true);
  await drained;
  return { box, failed };
}

/** A reader whose connection takes nothing: all goes to the queue. */
function away(store: JournalStore, uid: Uint8Array): Mailbox {
  return newMailbox(store, uid, () => undefined, false).box;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Some turns of the loop: what is only waiting for a turn has happened then. */
async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

test('a message that is acknowledged at once does not touch the disk, and only then its sender is told 200', async (t) => {
  const { store, uid, counted } = await fixture(t);
  const pushed: QueueEntry[] = [];
  const { box, failed } = await live(store, uid, (each) => pushed.push(each));
  const codes: Code[] = [];
  const early: number[] = [];
  for (let n = 0; n < 1000; n++) {
    box.deliver(entry(), (code) => codes.push(code));
    if (n % 100 === 0) await turns(3); // the acknowledgement is under way for a while
    if (codes.length !== n) early.push(n);
    const last = pushed.at(-1);
    if (last) box.acknowledge([last.id]);
    if (codes.length !== n + 1) early.push(n);
  }
  t.same(early, [], 'each is settled by its acknowledgement, not before');
  t.same(new Set(codes), new Set([Code.done]));
  t.equal(pushed.length, 1000);
  await box.close();
  t.same(counted, { write: 0, datasync: 0, other: 0 }, 'no write, no sync, no file made or removed');
  t.equal(await store.queueLength(uid), 0);
  t.same(failed, []);
  await store.close();
});

test('many that fly at once and are acknowledged out of order do not touch the disk either', async (t) => {
  const { store, uid, counted } = await fixture(t);
  const pushed: QueueEntry[] = [];
  const { box } = await live(store, uid, (each) => pushed.push(each));
  const codes: Code[] = [];
  for (let n = 0; n < 200; n++) box.deliver(entry(), (code) => codes.push(code));
  await turns();
  t.same(codes, [], 'nobody is told before');
  box.acknowledge(pushed.reverse().map(({ id }) => id));
  t.equal(codes.filter((code) => code === Code.done).length, 200);
  await box.close();
  t.same(counted, { write: 0, datasync: 0, other: 0 });
  await store.close();
});

test('for a reader that is away, no 202 comes before the sync that covers it, and many share one', async (t) => {
  const { store, uid, counted, hold, held, letOne, letAll } = await fixture(t);
  const box = away(store, uid);
  hold();
  const codes: (Code | undefined)[] = Array.from({ length: 500 }, () => undefined);
  const told = (): number => codes.filter((code) => code !== undefined).length;
  const deliver = (from: number, to: number): void => {
    for (let n = from; n < to; n++) box.deliver(entry(), (code) => (codes[n] = code));
  };
  deliver(0, 10);
  await held();
  await turns();
  t.same([told(), counted.datasync], [0, 1], 'written, and not synced: nobody is told');
  deliver(10, 500); // these come while the sync of the first ten runs
  await turns();
  t.same(
    [told(), counted.write, counted.datasync],
    [0, 1, 1],
    'the next batch is written only when this one is synced',
  );
  letOne();
  await held();
  await turns();
  t.same([told(), counted.datasync], [10, 2], 'the sync that returned covers ten');
  t.same(new Set(codes.slice(0, 10)), new Set([Code.queued]));
  letAll();
  await box.close();
  t.same(new Set(codes), new Set([Code.queued]));
  t.same(counted, { write: 2, datasync: 2, other: 0 }, '490 share the second one');
  t.equal(await store.queueLength(uid), 500);
  await store.close();
});

test('what flies when its reader breaks off is synced before its senders are told', async (t) => {
  const { store, uid, counted, hold, held, letAll } = await fixture(t);
  const pushed: QueueEntry[] = [];
  const { box } = await live(store, uid, (each) => pushed.push(each));
  const codes: Code[] = [];
  for (let n = 0; n < 50; n++) box.deliver(entry(), (code) => codes.push(code));
  t.equal(pushed.length, 50);
  hold();
  const closed = box.close();
  await held();
  await turns();
  t.same([codes.length, counted.datasync], [0, 1]);
  letAll();
  await closed;
  t.same(codes, Array(50).fill(Code.queued));
  t.same(counted, { write: 1, datasync: 1, other: 0 });
  await store.close();
});

test('nobody else’s reads wait for a sync, and one’s own show nothing before it', async (t) => {
  const { store, uid, bob, hold, held, letAll } = await fixture(t);
  const waiting = entry();
  await store.enqueue(bob, waiting);
  hold();
  const enqueued = store.enqueue(uid, entry());
  await held();
  let length: number | undefined;
  const own = store.queueLength(uid).then((count) => (length = count));
  t.equal(await store.queueLength(bob), 1, 'a read of another user goes on');
  t.equal((await store.queued(bob, undefined, 9)).length, 1);
  t.equal((await store.accountByName('bob'))?.name, 'bob');
  t.equal((await store.accountByName('alice'))?.name, 'alice', 'and of another part of this one');
  t.same(await store.attempts(uid), { count: 0, last: 0 });
  await turns();
  t.equal(length, undefined, 'what is not durable is shown to nobody');
  letAll();
  t.equal(await enqueued, 'queued');
  t.equal(await own, 1);
  await store.close();
});
