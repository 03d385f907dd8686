/** What a room's message costs the daemon, and how fast one client may cause it. */
import { test } from 'tap';
import { Code, Opcode, STRUCT, type Session } from '../../protocol/index.js';
import type { Context } from '../../src/server/context.js';
import { Flusher } from '../../src/server/flusher.js';
import { Line } from '../../src/server/line.js';
import { Tally } from '../../src/server/tally.js';
import { TokenBucket } from '../../src/server/token-bucket.js';
import type { QueueEntry } from '../../src/store/store.js';
import { MemoryConnection } from './memory-connection.js';

/** Counts how often its fields are read. */
function counted(number: number): { entry: QueueEntry; reads: () => number } {
  let reads = 0;
  const bytes = Buffer.alloc(16, number);
  const fields = Buffer.alloc(1434, number);
  const entry = { id: bytes, opcode: Opcode.rvrm, from: bytes, key: bytes, time: number, fields };
  Object.defineProperty(entry, 'fields', {
    get: () => {
      reads++;
      return fields;
    },
  });
  return { entry, reads: () => reads };
}

test('a message for many is built once as a struct, and sealed for each', (t) => {
  const sealed: Uint8Array[] = [];
  const session = { send: { add: (struct: Uint8Array) => sealed.push(struct.slice()), pending: 0 } };
  const host = { stuck: () => undefined, drained: () => undefined };
  const lines = Array.from(
    { length: 100 },
    () => new Line(new MemoryConnection(), {} as Context, new Flusher(), session as unknown as Session, host),
  );
  const [one, two] = [counted(1), counted(2)];
  lines[0]?.push(one.entry);
  const once = one.reads();
  for (const line of lines) line.push(one.entry);
  t.equal(one.reads(), once, 'the others cost no writing');
  lines[0]?.push(two.entry);
  lines[1]?.push(one.entry);
  t.equal(one.reads(), 2 * once, 'written again where another came between');
  t.equal(sealed.length, 103);
  t.ok(sealed.every(({ length }) => length === STRUCT));
  t.same(new Set(sealed.map((struct) => struct[6])), new Set([1, 2]));
  t.same([sealed[101]?.[6], sealed[102]?.[6]], [2, 1], 'each what it says');
  t.end();
});

test('so many at once, then so many in a second', (t) => {
  const bucket = new TokenBucket(20, 5, 0);
  const takes = (now: number, count: number): number[] => Array.from({ length: count }, () => bucket.take(now));
  t.same(takes(0, 7), [0, 0, 0, 0, 0, 1, 1]);
  t.same(takes(100, 3), [0, 0, 1], 'a tenth of a second is two');
  t.same(takes(3_600_000, 6), [0, 0, 0, 0, 0, 1], 'a pause saves no more than the burst');
  const slow = new TokenBucket(0.1, 1, 0);
  t.same([slow.take(0), slow.take(0), slow.take(5000), slow.take(10_001)], [0, 10, 5, 0], 'the wait is told');
  t.end();
});

test('many deliveries come to one answer', (t) => {
  const cases: [Code[], Code][] = [
    [[Code.done, Code.done], Code.done],
    [[Code.done, Code.queued, Code.done], Code.queued],
    [[Code.queued, Code.storage, Code.done], Code.storage],
    [[Code.limited, Code.done], Code.done],
    [[Code.limited, Code.notFound, Code.queued], Code.queued],
  ];
  for (const [codes, answer] of cases) {
    const given: Code[] = [];
    const { settle } = new Tally(codes.length, (code) => given.push(code));
    for (const [n, code] of codes.entries()) {
      t.equal(given.length, 0, `not before the last, ${String(n)}`);
      settle(code);
    }
    t.same(given, [answer], codes.join());
  }
  t.end();
});
