/** Long texts from one client to another: handed over in parts, whatever the line and the daemon do (SPEC 7.3, 8.1). */
import tap, { test } from 'tap';
import {
  Code,
  ENVELOPE_TEXT,
  envelopeRecipient,
  envelopeSender,
  fromHex,
  hex,
  PARTS_MAX,
  partFrameId,
  readEnvelopeHeader,
  structs,
  TEXT_MAX,
  utf8,
  type Values,
} from '../../protocol/index.js';
import type { Item } from '../../src/client/index.js';
import { Seeded } from '../vectors/seeded.js';
import { code, friends, isNotice, isText, nextDelivery, reopen, unread } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

/** As long as a text may be; cuts go through its characters. */
const long = `a${'🔒'.repeat(TEXT_MAX / 4 - 1)}žb`;
const daemon = await MemoryDaemon.start();
let [a, b] = await friends(daemon);
/* They would come when they like, among what is counted here. */
for (const { core } of [a, b]) await core.call('receipts', { on: false });
tap.teardown(() => Promise.all([a.core.close(), b.core.close()]));

/** What was handed in from now on, until the returned function is called. */
function handedIn(): () => Uint8Array[] {
  const from = daemon.envelopes.length;
  return () => daemon.envelopes.slice(from);
}

const partOf = (envelope: Uint8Array): number => readEnvelopeHeader(envelope)?.part ?? -1;

void test('the longest text: in 64 envelopes, shown once, told once for each state', async (t) => {
  t.equal(utf8(long).length, TEXT_MAX);
  const envelopes = handedIn();
  const told: string[] = [];
  const stop = a.core.on((event) => {
    if (event.type === 'sent') told.push(event.state);
  });
  const delivered = nextDelivery(a.core);
  const sent = await a.core.call('send', { to: 'bob', text: long });
  t.equal(sent.state, 'queued');
  const item = await unread(b.core, isText(long));
  t.match(item, { id: sent.id, from: 'alice' });
  t.equal(await delivered, sent.id);
  stop();
  t.same(told, ['queued', 'delivered'], 'of the message, not of its parts');
  t.same(
    envelopes().map(partOf),
    Array.from({ length: PARTS_MAX }, (_, part) => part),
  );
  t.match(await a.core.call('history', { name: 'bob', after: 0 }), { lines: [{ state: 'delivered' }] });
  t.equal(await code(a.core.call('send', { to: 'bob', text: `${long}x` })), 'text-long');
  await b.core.call('read', { keys: [item.key] });
});

void test('a break: what is unanswered goes again with the same bytes, and nothing else', async (t) => {
  const envelopes = handedIn();
  let left = 10;
  daemon.treat = () => (left-- > 0 ? Code.queued : 'close');
  const text = `break ${'x'.repeat(20 * ENVELOPE_TEXT)}`;
  const { state, id } = await a.core.call('send', { to: 'bob', text });
  t.equal(state, 'waiting');
  daemon.treat = () => Code.queued;
  const item = await unread(b.core, isText(text)); // the client comes back by itself
  t.equal(item.type === 'message' && item.id, id);
  const byPart = new Map<number, Set<string>>();
  for (const one of envelopes()) byPart.set(partOf(one), (byPart.get(partOf(one)) ?? new Set()).add(hex(one)));
  t.equal(byPart.size, 21);
  for (const [part, bytes] of byPart) t.equal(bytes.size, 1, `part ${String(part)}: one form`);
  const answered = envelopes().slice(0, 10).map(partOf);
  for (const part of answered) t.equal(envelopes().filter((one) => partOf(one) === part).length, 1);
});

void test('all parts are on the disk before the first leaves; another start goes on', async (t) => {
  const envelopes = handedIn();
  let disk = a.storage.copy();
  daemon.treat = () => {
    disk = a.storage.copy();
    return 'close';
  };
  const text = `crash ${'y'.repeat(5 * ENVELOPE_TEXT)}`;
  await a.core.call('send', { to: 'bob', text });
  const [first] = envelopes();
  await a.core.close();
  daemon.treat = () => Code.queued;
  a = await reopen(daemon, a, disk);
  t.match(await a.core.call('status', {}), { waiting: 1 });
  const again = handedIn();
  await a.core.connect();
  await unread(b.core, isText(text));
  t.same(again().map(partOf), [0, 1, 2, 3, 4, 5]);
  t.equal(hex(again()[0] ?? new Uint8Array(0)), hex(first ?? new Uint8Array(0)), 'the same bytes');
});

void test('one part refused for good: the message failed, and is told', async (t) => {
  daemon.treat = (envelope) => (partOf(envelope) === 2 ? Code.malformed : Code.queued);
  const sent = await a.core.call('send', { to: 'bob', text: 'z'.repeat(4 * ENVELOPE_TEXT) });
  t.match(sent, { state: 'failed', trouble: { code: 'not-taken' } });
  daemon.treat = () => Code.queued;
  t.match(await a.core.call('send', { to: 'bob', text: 'after the failure' }), { state: 'queued' });
  await unread(b.core, isText('after the failure'));
});

const seed = process.env['SEED'] ?? String(Date.now());
void test(`a daemon that doubles, reorders and drops parts (SEED=${seed})`, async (t) => {
  const seeded = new Seeded(`daemon ${seed}`);
  const original = daemon.queue.bind(daemon);
  const held: Uint8Array[] = [];
  const bob = daemon.accounts.get('bob')?.uid ?? new Uint8Array(16);
  daemon.queue = (uid, struct, values) => {
    if (struct.name !== 'rvum') original(uid, struct, values);
    else held.push((values as Values<typeof structs.rvum>).envelope.slice());
  };
  const text = `server ${'🔒'.repeat(8 * 256)}`;
  const sent = await a.core.call('send', { to: 'bob', text });
  daemon.queue = original;
  t.equal(held.length, 9);
  const lost = held.splice(seeded.below(held.length), 1);
  const rows = [...held, ...held, ...held].map((one) => [seeded.below(1 << 30), one] as const);
  for (const [, envelope] of rows.sort((x, y) => x[0] - y[0])) original(bob, structs.rvum, { envelope });
  await daemon.inject('bob', structs.rvum, { envelope: held[0] ?? new Uint8Array(0) });
  b.clock.forward(6_000);
  const incomplete = (item: Item): boolean =>
    isNotice('incomplete')(item) && item.type === 'notice' && item.detail === '8/9';
  t.match(await unread(b.core, incomplete), { name: 'alice' });
  for (const envelope of lost) original(bob, structs.rvum, { envelope });
  t.match(await unread(b.core, isText(text)), { id: sent.id });
  const { items } = await b.core.call('unread', {});
  t.notOk(items.some(isNotice('unreadable')));
  t.notOk(items.some(incomplete), 'nothing is missing any more');
  t.equal(items.filter(isText(text)).length, 1);
});

void test('a delivery note is for the part that it names', async (t) => {
  daemon.treat = () => Code.queued;
  const original = daemon.queue.bind(daemon);
  daemon.queue = (uid, struct, values) => {
    if (struct.name === 'rvum') return; // nobody takes it: the test tells of deliveries
    original(uid, struct, values);
  };
  const envelopes = handedIn();
  const { id } = await a.core.call('send', { to: 'bob', text: 'q'.repeat(3 * ENVELOPE_TEXT) });
  daemon.queue = original;
  const [one] = envelopes();
  if (!one) throw new Error('nothing was handed in');
  const note = (frame: Uint8Array) =>
    daemon.inject('alice', structs.dlvd, { message: frame, recipient: envelopeRecipient(one), at: 1 });
  const state = async (): Promise<unknown> => {
    const { lines } = await a.core.call('history', { name: 'bob', after: 0 });
    const line = lines.find((row) => row.id === id);
    return line?.type === 'out' && line.state;
  };
  for (const part of [0, 0, 2, 3, 63]) await note(partFrameId(fromHex(id), part));
  t.equal(await state(), 'queued', 'not while a part is queued');
  await note(partFrameId(fromHex(id), 1));
  t.equal(await state(), 'delivered');
  t.equal(hex(envelopeSender(one)), hex(daemon.accounts.get('alice')?.uid ?? new Uint8Array(0)));
});
