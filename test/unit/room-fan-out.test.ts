/** What a room's message costs the daemon, and how fast one client may cause it. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { Code, ID, Opcode, STRUCT, structs, type Session, type Values } from '../../protocol/index.js';
import type { Context, Deliver } from '../../src/server/context.js';
import { Flusher } from '../../src/server/flusher.js';
import type { Caller } from '../../src/server/handler.js';
import { say } from '../../src/server/handlers/room-message.js';
import { idKey } from '../../src/server/keys.js';
import { Line } from '../../src/server/line.js';
import { Mailbox, type MailboxHost } from '../../src/server/mailbox.js';
import { Reply } from '../../src/server/reply.js';
import { Tally } from '../../src/server/tally.js';
import type { QueueEntry, Store } from '../../src/store/store.js';
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
  const host = {
    stuck: () => undefined,
    drained: () => undefined,
    forbidden: () => undefined,
    answered: () => undefined,
  };
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

const MANY = 100;
const nothing = (): void => undefined;

/** Somebody who is there, as far as a delivery to them goes. */
function reader(n: number, store: Store, seal: (struct: Uint8Array) => void, took: (entry: QueueEntry) => void) {
  const uid = Buffer.alloc(ID, n);
  const session = { send: { add: seal, pending: 0 } };
  const host = { stuck: nothing, drained: nothing, forbidden: nothing, answered: nothing };
  const line = new Line(new MemoryConnection(), {} as Context, new Flusher(), session as unknown as Session, host);
  const push = (entry: QueueEntry): void => {
    took(entry);
    line.push(entry);
  };
  const rest = {
    ready: () => true,
    drained: nothing,
    delivered: nothing,
    failed: nothing,
    now: () => 0,
    after: () => nothing,
  };
  const mailbox = new Mailbox(uid, store, { push, ...rest } satisfies MailboxHost, MANY, 0);
  mailbox.start();
  return { uid, key: idKey(uid), mailbox };
}

test('srms for many: one struct, a seal for each of them, no copy besides, one answer', async (t) => {
  const kept: Uint8Array[] = [];
  const store = {
    queueLength: () => Promise.resolve(0),
    undelivered: () => Promise.resolve([]),
    say: (_room: Uint8Array, { fields }: { fields: Uint8Array }) => Promise.resolve(kept.push(fields)),
  } as unknown as Store;
  const [sealed, taken]: [Uint8Array[], QueueEntry[]] = [[], []];
  const seal = (struct: Uint8Array): void => {
    /* A mark behind the fields is gone where the struct is written once more. */
    if (sealed.push(struct) === 1) struct[STRUCT - 1] = 1;
  };
  const people = Array.from({ length: MANY + 1 }, (_, n) => reader(n, store, seal, (entry) => taken.push(entry)));
  await turn(); // their queues are found empty
  const [me] = people;
  const bytes = Buffer.alloc(STRUCT, 7);
  const byKey = new Map(people.map((person) => [person.key, person]));
  const deliver: Deliver = (_to, entry, settle, key = '') => byKey.get(key)?.mailbox.deliver(entry, settle);
  let hashes = 0;
  const room = {
    id: Buffer.alloc(ID, 255),
    recipients: people,
    member: () => true,
    epoch: 1,
    state: {},
    stir: () => undefined,
  };
  const context = {
    ...{ store, deliver, limits: { window: 1 }, rooms: { known: () => room, deliveries: 0 } },
    ...{
      nextId: () => Buffer.alloc(ID, 254),
      now: () => 1,
      sync: { sha256: () => Buffer.alloc(32, ++hashes) },
    },
  } as unknown as Context;
  const peer = { account: { uid: me?.uid }, uidKey: me?.key, unanswered: 0 };
  const codes: Code[] = [];
  const outlet = {
    answer: (_: unknown, _status: unknown, code: Code) => codes.push(code),
    answerWith: nothing,
    now: () => 1,
  };
  const request = { bytes, opcode: Opcode.srms, step: 0, frameId: bytes.subarray(6, 6 + ID) };
  const values = { room: room.id, epoch: 1, sender: me?.uid, message: bytes.subarray(0, ID) };
  const reply = new Reply(outlet, request);
  await say(context, peer as unknown as Caller, values as unknown as Values<typeof structs.srms>, reply, request);
  t.equal(sealed.length, MANY, 'one seal for each, none for who said it');
  t.equal(new Set(sealed).size, 1, 'of the same bytes');
  t.equal(sealed.at(-1)?.[STRUCT - 1], 1, 'which were written once');
  t.equal(new Set(taken).size, 1, 'one entry for all');
  t.ok(
    taken.every(({ fields }) => fields.buffer === bytes.buffer),
    'a view of what came',
  );
  t.equal(hashes, 1);
  t.same([kept.length, kept[0]?.buffer === bytes.buffer], [1, true], 'handed to the store once');
  for (const { mailbox } of people.slice(1)) {
    await turn();
    t.same(codes, [], 'not before all have it');
    mailbox.acknowledge([Buffer.alloc(ID, 254)]);
  }
  t.same(codes, [Code.done]);
  for (const { mailbox } of people) await mailbox.close();
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
