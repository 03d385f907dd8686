/** Receipts: who is told that a text was read, when, and what becomes of one that does not get there (SPEC 7.3, 8.1). */
import { test, type Test } from 'tap';
import {
  Code,
  envelopeSender,
  fromHex,
  hex,
  readEnvelopeHeader,
  RECEIPT_MAX,
  writeReceipt,
} from '../../protocol/index.js';
import type { ClientCore, OutgoingState } from '../../src/client/index.js';
import { openCore } from '../../src/client/index.js';
import { code, friends, isText, nextDelivery, reopen, secrets, unread, type Party } from './client-parties.js';
import type { MovableClock } from './client-support.js';
import { MemoryDaemon, type Treatment } from './memory-daemon.js';
import { Reader, Writer } from './reader.js';

interface Cast {
  readonly daemon: MemoryDaemon;
  readonly a: Party;
  readonly b: Party;
  /** receipts that were handed in */
  readonly receipts: () => Uint8Array[];
}

async function talking(t: Test): Promise<Cast> {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  return { daemon, a, b, receipts: () => daemon.envelopes.filter(isReceipt) };
}

function isReceipt(envelope: Uint8Array): boolean {
  return readEnvelopeHeader(envelope)?.parts === 0;
}

/** What the daemon does with receipts, and with nothing else. */
function treatReceipts(daemon: MemoryDaemon, treat: () => Treatment): void {
  daemon.treat = (envelope) => (isReceipt(envelope) ? treat() : Code.queued);
}

/** Begin to wait before it can come. @returns resolves with the ids in their order, when all of them are there */
function told(core: ClientCore, state: OutgoingState, count = 1): Promise<string[]> {
  const ids: string[] = [];
  return new Promise((resolve) => {
    const stop = core.on((event) => {
      if (event.type !== 'sent' || event.state !== state) return;
      if (ids.push(event.id) < count) return;
      stop();
      resolve(ids);
    });
  });
}

/** Sent and delivered. @returns its id, and the key by which its reader marks it */
async function arrive({ a, b }: Cast, text: string): Promise<{ id: string; key: string }> {
  const delivered = nextDelivery(a.core);
  const { id } = await a.core.call('send', { to: 'bob', text });
  const { key } = await unread(b.core, isText(text));
  await delivered;
  return { id, key };
}

async function states(core: ClientCore, name: string): Promise<(string | undefined)[]> {
  const { lines } = await core.call('history', { name, after: 0 });
  return lines.flatMap((line) => (line.type === 'out' ? [line.state] : []));
}

/** A text of the reader's comes behind whatever else they sent: what was to come before it came. */
async function answered({ a, b }: Cast, text: string): Promise<void> {
  await b.core.call('send', { to: 'alice', text });
  await unread(a.core, isText(text));
}

/** Time passes quickly, until what this returns is called. */
function passes(clock: MovableClock): () => void {
  const timer = setInterval(() => {
    clock.forward(1000);
  }, 20);
  return () => {
    clearInterval(timer);
  };
}

test('what is read is told to whoever wrote it, and shown nowhere', async (t) => {
  const cast = await talking(t);
  const { a, b, receipts } = cast;
  const { id, key } = await arrive(cast, 'hello');
  const before = await a.core.call('history', { name: 'bob', after: 0 });
  const read = told(a.core, 'read');
  await b.core.call('read', { keys: [key] });
  t.equal(receipts().length, 0, 'more may be read');
  b.clock.forward(1000);
  t.same(await read, [id]);
  const after = await a.core.call('history', { name: 'bob', after: 0 });
  const done = (lines: typeof after.lines) => lines.map((line) => line.type === 'out' && line.done);
  t.same(await states(a.core, 'bob'), ['read']);
  t.same(done(after.lines), done(before.lines), 'its hour is that of the delivery');
  await answered(cast, 'behind the receipt');
  t.equal((await a.core.call('unread', {})).items.filter(({ type }) => type === 'message').length, 1);
  t.match(await a.core.call('status', {}), { waiting: 0 });
  t.match(await b.core.call('status', {}), { waiting: 0 });
  t.equal((await b.core.call('history', { name: 'alice', after: 0 })).lines.length, 2, 'the texts alone');
  a.clock.forward(6000);
  t.notOk((await a.core.call('unread', {})).items.some((one) => one.type === 'notice' && one.kind === 'gap'));
  t.equal(receipts().length, 1, 'and none for the receipt');
});

test('several in one, and the next a second later', async (t) => {
  const cast = await talking(t);
  const { a, b, daemon, receipts } = cast;
  const times: number[] = [];
  treatReceipts(daemon, () => {
    times.push(b.clock.elapsed());
    return Code.queued;
  });
  const sent = [];
  for (const text of ['one', 'two', 'three', 'four']) sent.push(await arrive(cast, text));
  const first = told(a.core, 'read', 3);
  for (const { key } of sent.slice(0, 3)) await b.core.call('read', { keys: [key] });
  b.clock.forward(1000);
  t.same(
    await first,
    sent.slice(0, 3).map(({ id }) => id),
  );
  const second = told(a.core, 'read');
  await b.core.call('read', { keys: [sent[3]?.key ?? ''] });
  await answered(cast, 'not held back by it');
  b.clock.forward(1000);
  t.same(await second, [sent[3]?.id]);
  t.equal(receipts().length, 2);
  const [one = 0, other = 0] = times;
  t.ok(other - one > 500, `${String(other - one)} ms, but for what sealing took`);
});

test('more than one names: the rest in the next', async (t) => {
  const cast = await talking(t);
  const { a, b, receipts } = cast;
  const count = RECEIPT_MAX + 6;
  const delivered = told(a.core, 'delivered', count);
  for (let n = 0; n < count; n++) await a.core.call('send', { to: 'bob', text: String(n) });
  await delivered;
  const all = told(a.core, 'read', count);
  const { items } = await b.core.call('unread', {});
  const passing = passes(b.clock);
  await b.core.call('read', { keys: items.flatMap((item) => (item.type === 'message' ? [item.key] : [])) });
  await all;
  passing();
  t.equal(receipts().length, 2);
});

test('read while away: told after the next login', async (t) => {
  const cast = await talking(t);
  const { a, b, daemon, receipts } = cast;
  const sent = [await arrive(cast, 'one'), await arrive(cast, 'two')];
  await b.core.close();
  const again = await reopen(daemon, b);
  t.teardown(() => again.core.close());
  for (const { key } of sent) await again.core.call('read', { keys: [key] });
  b.clock.forward(5000);
  t.equal(receipts().length, 0);
  const read = told(a.core, 'read', 2);
  await again.core.connect();
  t.same(
    await read,
    sent.map(({ id }) => id),
  );
  t.equal(receipts().length, 1);
});

test('turned off: nothing is told, also not of what was read before; what others tell is shown', async (t) => {
  const cast = await talking(t);
  const { a, b, receipts } = cast;
  t.same(await b.core.call('receipts', {}), { on: true });
  const early = await arrive(cast, 'read before');
  await b.core.call('read', { keys: [early.key] });
  t.same(await b.core.call('receipts', { on: false }), { on: false });
  const late = await arrive(cast, 'read after');
  await b.core.call('read', { keys: [late.key] });
  b.clock.forward(1000);
  await answered(cast, 'an answer');
  t.equal(receipts().length, 0);
  t.same(await states(a.core, 'bob'), ['delivered', 'delivered']);
  const read = told(b.core, 'read');
  await a.core.call('read', { keys: [(await unread(a.core, isText('an answer'))).key] });
  a.clock.forward(1000);
  await read;
  t.same(await states(b.core, 'alice'), ['read']);
  await b.core.close();
  const again = await reopen(cast.daemon, b);
  t.same(await again.core.call('receipts', {}), { on: false }, 'over a restart');
  t.same(await again.core.call('receipts', { on: true }), { on: true });
  await again.core.close();
  t.equal(await code(again.core.call('receipts', {})), 'session-over');
});

test('read last: told before a clean end, without a wait', async (t) => {
  const cast = await talking(t);
  const { a, b } = cast;
  const { id, key } = await arrive(cast, 'the last one');
  const read = told(a.core, 'read');
  await b.core.call('read', { keys: [key] });
  await b.core.close();
  t.same(await read, [id]);
});

test('killed between reading and receipt, or before its answer: one receipt, the same bytes', async (t) => {
  const cast = await talking(t);
  const { daemon, a, b, receipts } = cast;
  const { id, key } = await arrive(cast, 'before the kill');
  await b.core.call('read', { keys: [key] });
  const owed = b.storage.copy();
  b.storage.before = () => {
    throw new Error('killed');
  };
  let handedIn = (): void => undefined;
  const silent = new Promise<void>((resolve) => (handedIn = resolve));
  treatReceipts(daemon, () => {
    handedIn();
    return 'silence';
  });
  const second = await reopen(daemon, b, owed);
  await second.core.connect();
  await silent;
  const sealed = owed.copy();
  owed.before = b.storage.before;
  treatReceipts(daemon, () => Code.queued);
  const read = told(a.core, 'read');
  const third = await reopen(daemon, b, sealed);
  await third.core.connect();
  t.same(await read, [id]);
  t.equal(receipts().length, 2);
  t.equal(new Set(receipts().map(hex)).size, 1, 'sealed once');
  await third.core.close();
  const fourth = await reopen(daemon, b, sealed);
  await fourth.core.connect();
  await fourth.core.call('drained', {});
  await answered({ ...cast, b: fourth }, 'behind all of it');
  t.equal(receipts().length, 2, 'and not again');
  await Promise.all([second, fourth].map(({ core }) => core.close()));
});

test('refused for good: dropped and logged, and nobody is told', async (t) => {
  const cast = await talking(t);
  const { daemon, a, b } = cast;
  await b.core.close();
  const lines: string[] = [];
  const ports = { ...(await daemon.ports(b.storage, b.clock)), log: (line: string) => lines.push(line) };
  const core = await openCore(ports, 'default', secrets);
  t.teardown(() => core.close());
  await core.connect();
  const both = { ...cast, b: { ...b, core } };
  const { key } = await arrive(both, 'a text');
  treatReceipts(daemon, () => Code.malformed);
  await core.call('read', { keys: [key] });
  b.clock.forward(1000);
  await answered(both, 'behind it');
  t.same(
    lines.filter((line) => line.includes('receipt')),
    [`a receipt was not taken: ${String(Code.malformed)}`],
  );
  t.match(await core.call('status', {}), { waiting: 0, unread: 1 }, 'the request of then, and no notice since');
  t.same(await states(a.core, 'bob'), ['delivered']);
});

test('told to wait: it is no text that waits, and the next do not pile up behind it', async (t) => {
  const cast = await talking(t);
  const { daemon, a, b, receipts } = cast;
  const one = await arrive(cast, 'one');
  const other = await arrive(cast, 'other');
  treatReceipts(daemon, () => Code.internal);
  await b.core.call('read', { keys: [one.key] });
  b.clock.forward(1000);
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (receipts().length > 0) resolve();
      else setImmediate(look);
    };
    look();
  });
  await b.core.call('read', { keys: [other.key] });
  t.match(await b.core.call('status', {}), { waiting: 0 });
  t.equal((await b.core.call('history', { name: 'alice', after: 0 })).lines.length, 2);
  const read = told(a.core, 'read', 2);
  treatReceipts(daemon, () => Code.queued);
  const passing = passes(b.clock);
  t.same(await read, [one.id, other.id]);
  passing();
  t.equal(new Set(receipts().map(hex)).size, 2);
});

test('a receipt of a contact is believed of own texts to them that were sealed, and of nothing else', async (t) => {
  const [alice, carol] = [new Writer('alice', 9), new Writer('carol', 30)];
  const bob = await Reader.of(alice, carol);
  t.teardown(() => {
    bob.close();
  });
  const id = (byte: number): string => hex(new Uint8Array(16).fill(byte));
  const chain = { sequence: 1, hash: '00'.repeat(32) };
  const sealed = { envelope: 'ee', chain };
  await bob.record({ t: 'text', id: id(1), to: 'alice', text: 'queued', at: 1, ...sealed });
  await bob.record({ t: 'sent', id: id(1), state: 'queued', at: 2 });
  await bob.record({ t: 'text', id: id(2), to: 'alice', text: 'its answer was lost', at: 1, ...sealed });
  await bob.record({ t: 'text', id: id(3), to: 'alice', text: 'not sealed', at: 1 });
  await bob.record({ t: 'text', id: id(4), to: 'carol', text: 'to another', at: 1, ...sealed });
  await bob.record({ t: 'text', id: id(5), to: 'alice', text: 'not named', at: 1, ...sealed });
  const about = writeReceipt([1, 2, 3, 4, 6].map((byte) => fromHex(id(byte))));
  const receipt = await alice.seal(about, { parts: 0 });
  await bob.take(receipt, receipt);
  const now = (): unknown[] => [1, 2, 3, 4, 5].map((byte) => bob.state.outgoing.get(id(byte))?.state);
  t.same(now(), ['read', 'read', 'waiting', 'waiting', 'waiting']);
  t.type(bob.state.outgoing.get(id(1))?.done, 'number', 'nobody knew of its delivery');
  await bob.record({ t: 'sent', id: id(1), state: 'delivered', at: 9 });
  t.equal(now()[0], 'read', 'never back');
  t.same([bob.notices(), await bob.items()], [[], []]);
  await bob.restart(bob.storage.copy());
  await bob.take(receipt, ...(await alice.write('behind it')));
  t.same([now()[0], bob.notices(), bob.history('alice').texts.at(-1)], ['read', [], 'behind it']);
});

test('a receipt that does not come is missing as any envelope is, and one twice is one', async (t) => {
  const alice = new Writer('alice', 9);
  const bob = await Reader.of(alice);
  t.teardown(() => {
    bob.close();
  });
  const message = new Uint8Array(16).fill(7);
  const receipt = (): Promise<Uint8Array> => alice.seal(writeReceipt([message]), { parts: 0 });
  const [first, lost] = [await receipt(), await receipt()];
  await bob.take(first);
  await bob.take(...(await alice.write('behind both')));
  await bob.later(6000);
  t.same(bob.notices(), ['gap alice 2']);
  await bob.take(lost, lost);
  const again = readEnvelopeHeader(first)?.message ?? message;
  await bob.take(await alice.seal(new Uint8Array(1024).fill(97), { message: again, part: 1, parts: 2 }));
  t.same(bob.notices(), ['gap alice 2', 'unreadable alice parts'], 'a receipt has no further parts');
  t.equal(hex(envelopeSender(first)), hex(alice.uid));
});

test('a torn log: the receipt comes again, and what it says is not lost', async (t) => {
  const alice = new Writer('alice', 9);
  const bob = await Reader.of(alice);
  t.teardown(() => {
    bob.close();
  });
  const id = '07'.repeat(16);
  await bob.record({ t: 'text', id, to: 'alice', text: 'x', at: 1, envelope: 'ee', chain: { sequence: 1, hash: '' } });
  const receipt = await alice.seal(writeReceipt([fromHex(id)]), { parts: 0 });
  const before = bob.logBytes;
  await bob.take(receipt);
  const whole = bob.storage.files.get(bob.storage.stateLog) ?? new Uint8Array(0);
  for (let length = before; length < whole.length; length += 7) {
    const torn = bob.storage.copy();
    torn.files.set(torn.stateLog, whole.slice(0, length));
    const again = new Reader();
    await again.restart(torn);
    await again.take(receipt);
    if (again.state.outgoing.get(id)?.state !== 'read') t.fail(`cut at ${String(length - before)}`);
    again.close();
  }
  t.ok(whole.length > before + 100);
});
