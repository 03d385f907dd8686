import { test } from 'tap';
import { concat, ENVELOPE, fromUtf8, hex, PARTS_MAX, TEXT_MAX, utf8 } from '../../protocol/index.js';
import { ClientError } from '../../src/client/index.js';
import { Journal } from '../../src/client/journal.js';
import type { ClientPorts } from '../../src/client/index.js';
import type { Event } from '../../src/client/reducer.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const key = new Uint8Array(16).fill(7);

async function portsOf(storage: MemoryStorage): Promise<ClientPorts> {
  const unused = (): Promise<never> => Promise.reject(new Error('no network here'));
  const linked = {} as ClientPorts['linked'];
  const server = { host: 'h', port: 1 };
  const clock = new MovableClock();
  return { linked, server, connect: unused, crypto: await clientCrypto(), storage, clock, log: () => undefined };
}

const text = (id: string): Event => ({ t: 'text', id, to: 'bob', text: `text ${id}`, at: 1 });
const ids = (journal: Journal): string[] => [...journal.state.outgoing.keys()];

test('what was appended is there again, and nothing of it is readable', async (t) => {
  const storage = new MemoryStorage();
  const ports = await portsOf(storage);
  const journal = await Journal.open(ports, key);
  await Promise.all([journal.append(text('a'), text('b')), journal.append(text('c'))]);
  t.same(ids(await Journal.open(ports, key)), ['a', 'b', 'c']);
  const bytes = storage.files.get(storage.stateLog) ?? new Uint8Array(0);
  t.notOk(hex(bytes).includes(hex(utf8('text a'))));
  await t.rejects(Journal.open(ports, new Uint8Array(16)), { code: 'damaged-state' }, 'another key');
});

test('a torn tail is cut, at every length', async (t) => {
  const storage = new MemoryStorage();
  const ports = await portsOf(storage);
  const journal = await Journal.open(ports, key);
  await journal.append(text('a'));
  const name = storage.stateLog;
  const whole = storage.files.get(name)?.length ?? 0;
  await journal.append(text('b'));
  const full = storage.files.get(name) ?? new Uint8Array(0);
  for (let length = whole; length < full.length; length++) {
    const torn = storage.copy();
    torn.files.set(name, full.slice(0, length));
    const opened = await Journal.open(await portsOf(torn), key);
    await opened.append(text('c'));
    const again = ids(await Journal.open(await portsOf(torn), key));
    if (again.join() !== 'a,c') t.fail(`cut at ${String(length)}: ${again.join()}`);
  }
  t.pass('all lengths');
});

test('records can not be changed, reordered, dropped or repeated', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  const name = storage.stateLog;
  const cuts = [0];
  for (const id of ['a', 'b', 'c']) {
    await journal.append(text(id));
    cuts.push(storage.files.get(name)?.length ?? 0);
  }
  const full = storage.files.get(name) ?? new Uint8Array(0);
  const [a, b, c] = [0, 1, 2].map((i) => full.slice(cuts[i], cuts[i + 1])) as [Uint8Array, Uint8Array, Uint8Array];
  const flipped = a.slice();
  flipped[20] = (flipped[20] ?? 0) ^ 1;
  const damaged = { flipped: [flipped, b, c], reordered: [b, a, c], dropped: [a, c, c], repeated: [a, a, b] };
  for (const [what, records] of Object.entries(damaged)) {
    const copy = storage.copy();
    copy.files.set(name, concat(...records));
    await t.rejects(Journal.open(await portsOf(copy), key), { code: 'damaged-state' }, what);
    t.ok(copy.files.has(name), 'the damaged file stays as it is');
  }
});

test('a compaction keeps what lives, and survives a crash at each of its steps', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  await journal.append(text('a'), text('b'), text('c'));
  await journal.append({ t: 'expired', keys: ['b'] });
  t.equal(fromUtf8(storage.files.get('current') ?? new Uint8Array(0)), '2', 'what goes takes the log with it');
  const crashes: MemoryStorage[] = [];
  storage.before = () => {
    crashes.push(storage.copy());
  };
  const during = [journal.compact(), journal.append(text('d'))];
  await Promise.all(during);
  await journal.append(text('e'));
  crashes.push(storage.copy());
  t.ok(crashes.length >= 5);
  for (const [step, crashed] of crashes.entries()) {
    const found = ids(await Journal.open(await portsOf(crashed), key));
    t.same(found.slice(0, 2), ['a', 'c'], `step ${String(step)}`);
  }
  t.same(ids(await Journal.open(await portsOf(storage), key)), ['a', 'c', 'd', 'e']);
  t.equal([...storage.files.keys()].filter((name) => name.startsWith('state-')).length, 1, 'the old log is gone');
  t.equal(fromUtf8(storage.files.get('current') ?? new Uint8Array(0)), '3');
});

test('what is of no more use does not make the log grow without end', async (t) => {
  const storage = new MemoryStorage();
  const ports = await portsOf(storage);
  const journal = await Journal.open(ports, key);
  await journal.append(text('a'));
  const one = storage.files.get(storage.stateLog)?.length ?? 0;
  for (let i = 0; i < 3000; i++) await journal.append({ t: 'settled', frame: 'f' });
  t.ok((storage.files.get(storage.stateLog)?.length ?? 0) < 1100 * one);
  t.same(ids(await Journal.open(ports, key)), ['a']);
});

test('a damaged length in the middle is damage, not the end', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  await journal.append(text('a'));
  const name = storage.stateLog;
  const second = storage.files.get(name)?.length ?? 0;
  await journal.append(text('b'));
  await journal.append(text('c'));
  for (const length of [
    [0, 0, 0, 0],
    [255, 255, 255, 255],
    [0, 0, 255, 0],
  ]) {
    const copy = storage.copy();
    copy.files.get(name)?.set(length, second);
    await t.rejects(Journal.open(await portsOf(copy), key), { code: 'damaged-state' }, length.join());
  }
});

test('after a failed write nothing more is written', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  storage.before = () => {
    throw new Error('disk full');
  };
  await t.rejects(journal.append(text('a')), { code: 'storage', exit: 3 });
  storage.before = () => undefined;
  await t.rejects(journal.append(text('b')), ClientError);
  t.same(ids(await Journal.open(await portsOf(storage), key)), []);
});

test('the longest text with its sealed parts is one record, in the log and in a snapshot', async (t) => {
  const storage = new MemoryStorage();
  const ports = await portsOf(storage);
  const journal = await Journal.open(ports, key);
  const worst = '\u0001'.repeat(TEXT_MAX);
  const envelope = 'ff'.repeat(PARTS_MAX * ENVELOPE);
  await journal.append({ t: 'text', to: 'bob', id: 'a', at: 1, text: worst, envelope });
  await journal.compact();
  const again = await Journal.open(ports, key);
  t.ok(again.state.outgoing.get('a')?.text === worst);
  t.ok(again.state.outgoing.get('a')?.envelope === envelope);
});

test('one write is never longer than what a start would cut as unfinished, and nothing of it is lost', async (t) => {
  const storage = new MemoryStorage();
  const ports = await portsOf(storage);
  const journal = await Journal.open(ports, key);
  const sizes: number[] = [];
  let before = 0;
  storage.before = () => {
    const now = storage.files.get(storage.stateLog)?.length ?? 0;
    sizes.push(now - before);
    before = now;
  };
  const body = 'x'.repeat(TEXT_MAX);
  const all = Array.from({ length: 150 }, (_, i) => `m${String(i)}`);
  await Promise.all(all.map((id) => journal.append({ t: 'text', id, to: 'bob', text: body, at: 1 })));
  await storage.before(''); // the last write
  t.ok(sizes.length > 2);
  t.ok(Math.max(...sizes) <= 4 * 1024 * 1024, `${String(Math.max(...sizes))} bytes`);
  t.same(ids(await Journal.open(ports, key)), all);
});

test('long records of no more use do not make the log grow without end', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  const body = 'x'.repeat(TEXT_MAX);
  let most = 0;
  for (let i = 0; i < 900; i++) {
    await journal.append({ t: 'text', id: 'a', to: 'bob', text: body, at: 1 });
    most = Math.max(most, storage.files.get(storage.stateLog)?.length ?? 0);
  }
  t.ok(most < 20 * 1024 * 1024, `${String(most)} bytes`);
});

test('more rows than a call takes arguments are written and read', async (t) => {
  const storage = new MemoryStorage();
  const journal = await Journal.open(await portsOf(storage), key);
  const ROWS = 200_000;
  for (let i = 0; i < ROWS; i++) journal.state.seen.set(`sender:${String(i)}:0`, 1);
  await journal.compact();
  await journal.append(text('behind them'));
  const again = await Journal.open(await portsOf(storage), key);
  t.equal(again.state.seen.size, ROWS);
  t.same(ids(again), ['behind them']);
});
