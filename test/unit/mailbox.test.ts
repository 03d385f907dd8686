/** The mailbox alone, over a store in memory whose writes finish when the test says so. */
import { test } from 'tap';
import { Code, Opcode } from '../../protocol/index.js';
import { Mailbox, type MailboxHost } from '../../src/server/mailbox.js';
import { StorageError, type QueueEntry, type Store } from '../../src/store/store.js';

const uid = new Uint8Array(16);
const entry = (number: number): QueueEntry => ({
  id: Buffer.alloc(16, number),
  opcode: Opcode.rvum,
  from: Buffer.alloc(16, 0xf0),
  key: Buffer.alloc(16, number),
  time: 0,
  fields: Buffer.alloc(4, number),
});

function fixture(ready = true) {
  const queue: QueueEntry[] = [];
  const gates: (() => void)[] = [];
  const held = { on: false };
  const gate = (): Promise<void> => (held.on ? new Promise((resolve) => gates.push(resolve)) : Promise.resolve());
  const store = {
    async enqueue(_uid: Uint8Array, e: QueueEntry) {
      faulty();
      const full = queue.length >= 8;
      if (!full) queue.push(e);
      await gate();
      return full ? 'full' : 'queued';
    },
    queueLength: async () => {
      faulty();
      await gate(); // what was on its way before
      return queue.length;
    },
    undelivered: async (_uid: Uint8Array, limit: number, isFlying: (id: Uint8Array) => boolean) => {
      faulty();
      return queue.filter((e) => !isFlying(e.id)).slice(0, limit);
    },
    async acknowledge(_uid: Uint8Array, ids: readonly Uint8Array[]) {
      faulty();
      for (const id of ids) queue.splice(queue.findIndex((e) => Buffer.compare(e.id, id) === 0) >>> 0, 1);
      return [];
    },
  } as unknown as Store;
  const pushed: number[] = [];
  const delivered: number[] = [];
  const state = { ready, now: 0, failing: 0 };
  const failed: unknown[] = [];
  const faulty = (): void => {
    if (state.failing-- > 0) throw new StorageError('no', true);
  };
  const host: MailboxHost = {
    push: (e) => pushed.push(e.key[0] ?? 0),
    ready: () => state.ready,
    drained: () => undefined,
    delivered: (e) => delivered.push(e.key[0] ?? 0),
    failed: (error) => failed.push(error),
    now: () => state.now,
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => {
        clearTimeout(timer);
      };
    },
  };
  return { queue, gates, held, store, pushed, delivered, state, host, failed };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

void test('an acknowledgement that overtakes the write to disk ends as 200, and nothing stays', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  box.deliver(entry(1), (code) => codes.push(code));
  f.held.on = true;
  const closed = box.close();
  box.acknowledge([entry(1).id]);
  t.same(codes, [Code.done]);
  for (const open of f.gates) open();
  await closed;
  t.same(codes, [Code.done], 'answered once');
  t.same(f.queue, []);
  t.same(f.delivered, [], 'no event: the sender was told 200');
});

void test('a congested connection is not pushed to; order holds when it drains', async (t) => {
  const f = fixture(false);
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  for (let i = 1; i <= 4; i++) box.deliver(entry(i), (code) => codes.push(code));
  await turn();
  t.same(f.pushed, []);
  t.same(codes, Array(4).fill(Code.queued));
  f.state.ready = true;
  await box.drain();
  t.same(f.pushed, [1, 2, 3, 4]);
  box.acknowledge([entry(1).id, entry(2).id, entry(3).id, entry(4).id]);
  await turn();
  t.same(f.delivered, [1, 2, 3, 4]);
  await box.close();
});

void test('at most so many fly; a full queue answers 429', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 2, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  for (let i = 1; i <= 10; i++) box.deliver(entry(i), (code) => codes.push(code));
  await turn();
  t.same(f.pushed, [1, 2], 'no more than two without an acknowledgement');
  t.same(codes, [...Array<Code>(8).fill(Code.queued), Code.limited, Code.limited]);
  for (let i = 1; i <= 8; i++) {
    box.acknowledge([entry(i).id]);
    await turn();
    await turn();
  }
  t.same(f.pushed, [1, 2, 3, 4, 5, 6, 7, 8]);
  await box.close();
});

void test('a replay while it flies is answered with the first one’s end', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  box.deliver(entry(1), (code) => codes.push(code));
  box.deliver({ ...entry(1), id: Buffer.alloc(16, 99) }, (code) => codes.push(code));
  t.same(f.pushed, [1]);
  box.acknowledge([entry(1).id]);
  t.same(codes, [Code.done, Code.done]);
  await box.close();
});

test('a message the disk refused is tried anew when it comes again, and nobody waits for ever', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  for (let i = 10; i < 18; i++) f.queue.push(entry(i)); // the queue is full
  const codes: Code[] = [];
  box.deliver(entry(1), (code) => codes.push(code));
  f.state.ready = false; // a second one finds the client slow: both go to the disk
  box.deliver(entry(2), (code) => codes.push(code));
  await turn();
  t.same(codes, [Code.limited, Code.limited]);
  const again: Code[] = [];
  f.queue.length = 0;
  box.deliver({ ...entry(1), id: Buffer.alloc(16, 91) }, (code) => again.push(code));
  await turn();
  t.same(again, [Code.queued], 'room again: queued');
  f.state.failing = 1;
  box.deliver(entry(3), (code) => again.push(code));
  await turn();
  t.same(again, [Code.queued, Code.storage]);
  box.deliver({ ...entry(3), id: Buffer.alloc(16, 93) }, (code) => again.push(code));
  await box.close();
  t.same(again, [Code.queued, Code.storage, Code.queued], 'answered at the latest when the client goes');
  t.equal(f.failed.length, 1);
});

test('a store that failed once is asked again', async (t) => {
  const f = fixture();
  for (let i = 1; i <= 3; i++) f.queue.push(entry(i));
  const box = new Mailbox(uid, f.store, f.host, 16, 3);
  f.state.failing = 1;
  box.start();
  await turn();
  t.same(f.pushed, [], 'the queue could not be read');
  await until(() => f.pushed.length >= 3);
  f.state.failing = 1;
  box.acknowledge([entry(1).id]);
  box.deliver(entry(4), () => undefined);
  await until(() => f.pushed.includes(4));
  t.same(f.pushed.slice(0, 3), [1, 2, 3]);
  await box.close();
});

/** Looks each turn of the loop; the mailbox's own timer is what it waits for. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await turn();
}

test('what is forgotten is neither written nor waited for, and the rest goes on', async (t) => {
  const f = fixture();
  const from = Buffer.alloc(16, 0xd0);
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  const gone = [
    { ...entry(1), from },
    { ...entry(3), from },
  ];
  box.deliver(gone[0] ?? entry(1), (code) => codes.push(code));
  box.deliver(entry(2), (code) => codes.push(code));
  box.deliver(gone[1] ?? entry(3), (code) => codes.push(code));
  box.forget(from.toString('latin1'));
  t.same(codes, [Code.notFound, Code.notFound]);
  await box.close();
  t.same(
    f.queue.map((each) => each.key[0]),
    [2],
  );
  t.same(codes, [Code.notFound, Code.notFound, Code.queued]);
});

test('a page that is read while its room is forgotten brings nothing of it', async (t) => {
  const f = fixture();
  const from = Buffer.alloc(16, 0xd0);
  f.queue.push({ ...entry(1), from }, entry(2));
  const box = new Mailbox(uid, f.store, f.host, 16, 2);
  box.start(); // reads the page
  box.forget(from.toString('latin1'));
  f.queue.shift();
  await until(() => f.pushed.length > 0);
  await turn();
  t.same(f.pushed, [2]);
  await box.close();
});

test('a slow disk holds up nobody: what waits for it is pushed meanwhile, in order, and then all is live again', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: [number, Code][] = [];
  const say = (n: number): void => {
    box.deliver(entry(n), (code) => codes.push([n, code]));
  };
  f.held.on = true;
  f.state.ready = false;
  for (const n of [1, 2]) say(n);
  f.state.ready = true;
  say(3);
  await turn();
  t.same(f.pushed, [1, 2, 3], 'none of them is written yet');
  say(4);
  t.same(f.pushed, [1, 2, 3, 4], 'at once');
  box.acknowledge([1, 3, 4].map((n) => entry(n).id));
  t.same(
    codes,
    [1, 3, 4].map((n) => [n, Code.done]),
    'and acknowledged before the disk is done',
  );
  for (const open of f.gates) open();
  await turn();
  t.same(codes.slice(3), [[2, Code.queued]]);
  t.same(f.delivered, [], 'nobody who was told 200 hears of it again');
  box.acknowledge([entry(2).id]);
  await turn();
  t.same([f.delivered, f.queue], [[2], []]);
  await box.close();
});

test('who acknowledges late gets what comes from the disk as well, until nothing is overdue', async (t) => {
  const f = fixture();
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  box.deliver(entry(1), (code) => codes.push(code));
  f.state.now = 1000;
  await until(() => codes.length === 1);
  box.deliver(entry(2), (code) => codes.push(code));
  await turn();
  t.same(
    [codes, f.pushed],
    [
      [Code.queued, Code.queued],
      [1, 2],
    ],
    'its sender does not wait for it',
  );
  t.notOk(box.isLive);
  box.acknowledge([entry(1).id]);
  await turn();
  t.ok(box.isLive, 'the second one has its time yet');
  box.deliver(entry(3), (code) => codes.push(code));
  box.acknowledge([entry(3).id]);
  t.same(codes.slice(2), [Code.done]);
  f.state.failing = 1;
  box.deliver(entry(4), () => undefined);
  box.acknowledge([entry(2).id]);
  await turn();
  t.notOk(box.isLive, 'what could not be removed stands in the queue');
  await until(() => f.pushed.length >= 5);
  t.same(f.pushed, [1, 2, 3, 4, 2]);
  await box.close();
});

test('what could not be removed does not come again with each acknowledgement, but after a while', async (t) => {
  const f = fixture();
  for (let i = 1; i <= 3; i++) f.queue.push(entry(i));
  const box = new Mailbox(uid, f.store, f.host, 16, 3);
  box.start();
  await until(() => f.pushed.length === 3);
  f.state.failing = 1;
  box.acknowledge([entry(1).id]);
  await turn();
  box.acknowledge([entry(2).id]);
  box.deliver(entry(4), () => undefined);
  await turn();
  t.same(f.pushed, [1, 2, 3]);
  await until(() => f.pushed.length === 5);
  t.same(f.pushed, [1, 2, 3, 1, 4]);
  await box.close();
});

test('a replay of what waits for the disk is answered with its end', async (t) => {
  const f = fixture(false);
  const box = new Mailbox(uid, f.store, f.host, 16, 0);
  box.start();
  await turn();
  const codes: Code[] = [];
  f.held.on = true;
  box.deliver(entry(1), (code) => codes.push(code));
  box.deliver({ ...entry(1), id: Buffer.alloc(16, 99) }, (code) => codes.push(code));
  f.state.ready = true;
  await box.drain();
  t.same(f.pushed, [1]);
  box.acknowledge([entry(1).id]);
  t.same(codes, [Code.done, Code.done]);
  for (const open of f.gates) open();
  await box.close();
  t.same([f.queue, f.delivered], [[], []]);
});
