/** An hour after reading nothing of a text is on the disk, whatever happens to the client and its clock (SPEC 7.9). */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { FileStorage } from '../../src/client-node/index.js';
import type { ClientCore, ClientPorts } from '../../src/client/index.js';
import { openCore, registerCore } from '../../src/client/index.js';
import type { Desk } from '../../src/client/desk.js';
import { Expiry } from '../../src/client/expiry.js';
import { Journal } from '../../src/client/journal.js';
import type { Event } from '../../src/client/reducer.js';
import { filesHolding, recordsWith, stateKeyOf, type Files } from './client-disk.js';
import { code, friends, isNotice, isText, nextDelivery, register, reopen, secrets, unread } from './client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Time passes as it does: a minute at a time, and what it sets off is done before the next. */
async function pass(clock: MovableClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= MINUTE) {
    clock.forward(Math.min(left, MINUTE));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function history(core: ClientCore, name: string): Promise<string[]> {
  return (await core.call('history', { name, after: 0 })).lines.map((line) => line.text);
}

async function talking(t: Test) {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  /* They would be written to the disk at times of their own. */
  for (const { core } of [a, b]) await core.call('receipts', { on: false });
  return { daemon, a, b };
}

/** Sent, delivered and read. */
async function exchange({ a, b }: Awaited<ReturnType<typeof talking>>, text: string): Promise<void> {
  const delivered = nextDelivery(a.core);
  await a.core.call('send', { to: 'bob', text });
  const item = await unread(b.core, isText(text));
  await delivered;
  await b.core.call('read', { keys: [item.key] });
}

function filesOf(folder: string): Files {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(entries.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name))]));
}

test('running: no file of either profile holds anything of it', async (t) => {
  const daemon = await MemoryDaemon.start();
  const folder = mkdtempSync(join(tmpdir(), 'cadenas-expiry-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  let rewritten = (): void => undefined;
  class WatchedStorage extends FileStorage {
    override async remove(name: string): Promise<void> {
      await super.remove(name);
      if (name.startsWith('state-')) rewritten();
    }
  }
  const [storage, clock] = [new WatchedStorage(folder), new MovableClock()];
  const b = await registerCore(await daemon.ports(storage, clock), 'bob', secrets);
  const a = await register(daemon, 'alice');
  t.teardown(() => Promise.all([a.core.close(), b.close().then(() => storage.close())]));
  await a.core.call('add', { name: 'bob' });
  await unread(b, isNotice('request'));
  await b.call('accept', { name: 'alice' });
  await unread(a.core, isNotice('accepted'));
  const delivered = nextDelivery(a.core);
  await a.core.call('send', { to: 'bob', text: 'gone in an hour' });
  const { key } = await unread(b, isText('gone in an hour'));
  await delivered;
  await b.call('read', { keys: [key] });

  const theirs = await stateKeyOf(filesOf(folder), daemon.linked);
  const ours = await stateKeyOf(a.storage.files, daemon.linked);
  const before = [
    recordsWith('gone in an hour', filesOf(folder), theirs),
    recordsWith('gone in an hour', a.storage.files, ours),
  ] as const;
  t.ok(before[0].length > 0 && before[1].length > 0, 'it was there');
  clock.forward(HOUR - 2000);
  t.same(await history(b, 'alice'), ['gone in an hour']);
  const done = new Promise<void>((resolve) => (rewritten = resolve));
  clock.forward(MINUTE);
  await done;
  await pass(a.clock, HOUR + MINUTE);
  for (const [files, sealed, stateKey] of [
    [filesOf(folder), before[0], theirs],
    [a.storage.files, before[1], ours],
  ] as const) {
    t.same(filesHolding('gone in an hour', sealed, files), []);
    t.same(recordsWith('gone in an hour', files, stateKey), []);
  }
  t.same(await history(b, 'alice'), []);
  t.same(await history(a.core, 'bob'), []);
});

test('stopped: gone at the start, before anything is shown', async (t) => {
  const both = await talking(t);
  await exchange(both, 'read, then stopped');
  const { daemon, a, b } = both;
  await Promise.all([a.core.close(), b.core.close()]);
  daemon.down = true;
  for (const [party, name] of [
    [a, 'bob'],
    [b, 'alice'],
  ] as const) {
    const key = await stateKeyOf(party.storage.files, daemon.linked);
    const sealed = recordsWith('read, then stopped', party.storage.files, key);
    party.clock.offset = HOUR - MINUTE;
    const early = await reopen(daemon, party);
    t.same(await history(early.core, name), ['read, then stopped'], 'not before its time');
    await early.core.close();
    party.clock.offset = HOUR + 1;
    const core = await openCore(await daemon.ports(party.storage, party.clock), 'default', secrets);
    t.same(filesHolding('read, then stopped', sealed, party.storage.files), []);
    t.same(recordsWith('read, then stopped', party.storage.files, key), []);
    t.same(await history(core, name), []);
    await core.close();
  }
});

test('killed at any step of the rewrite: the next start ends it', async (t) => {
  const both = await talking(t);
  await exchange(both, 'killed meanwhile');
  await both.a.core.call('send', { to: 'bob', text: 'not read yet' });
  await unread(both.b.core, isText('not read yet'));
  const { daemon, b } = both;
  const key = await stateKeyOf(b.storage.files, daemon.linked);
  const sealed = recordsWith('killed meanwhile', b.storage.files, key);
  const crashes: MemoryStorage[] = [];
  b.storage.before = () => {
    crashes.push(b.storage.copy());
  };
  await pass(b.clock, HOUR + MINUTE);
  crashes.push(b.storage.copy());
  t.equal(crashes.length, 4, 'new log, pointer, removal, end');
  daemon.down = true;
  for (const [step, storage] of crashes.entries()) {
    const again = await reopen(daemon, b, storage);
    t.same(await history(again.core, 'alice'), ['not read yet'], `step ${String(step)}`);
    t.same(filesHolding('killed meanwhile', sealed, storage.files), [], `step ${String(step)}: old bytes`);
    t.same(recordsWith('killed meanwhile', storage.files, key), [], `step ${String(step)}: opened`);
    t.equal([...storage.files.keys()].filter((name) => name.startsWith('state-')).length, 1);
    await again.core.close();
  }
});

test('a clock set back keeps nothing for ever: an hour more at most', async (t) => {
  for (const running of [true, false]) {
    const both = await talking(t);
    await exchange(both, 'read today');
    const { daemon, b } = both;
    await pass(b.clock, 10 * MINUTE);
    if (!running) await b.core.close();
    daemon.down = true;
    b.clock.skew = -30 * 24 * HOUR;
    const { core } = running ? b : await reopen(daemon, b);
    t.same(await history(core, 'alice'), ['read today']);
    await pass(b.clock, HOUR - MINUTE);
    t.same(await history(core, 'alice'), ['read today'], 'the hour began anew');
    await pass(b.clock, 3 * MINUTE);
    t.same(await history(core, 'alice'), []);
    const key = await stateKeyOf(b.storage.files, daemon.linked);
    t.same(recordsWith('read today', b.storage.files, key), []);
    await core.close();
  }
});

test('the hour that began anew is remembered: starting again and again does not prolong it', async (t) => {
  const both = await talking(t);
  await exchange(both, 'read once');
  const { daemon, b } = both;
  await b.core.close();
  daemon.down = true;
  b.clock.skew = -24 * HOUR;
  for (let start = 0; start < 4; start++) {
    const { core } = await reopen(daemon, b);
    t.same(await history(core, 'alice'), start < 3 ? ['read once'] : []);
    await core.close();
    b.clock.offset += 25 * MINUTE;
  }
});

test('a clock set forward and back: what was not read stays, what was read meanwhile has its hour', async (t) => {
  const both = await talking(t);
  const { a, b } = both;
  await exchange(both, 'read before');
  await a.core.call('send', { to: 'bob', text: 'never read' });
  await unread(b.core, isText('never read'));
  b.clock.skew = 24 * HOUR;
  await pass(b.clock, 2 * MINUTE);
  t.same(await history(b.core, 'alice'), ['never read'], 'the only clock there is said that an hour is over');
  await exchange(both, 'read meanwhile');
  b.clock.skew = 0;
  await pass(b.clock, HOUR - 2 * MINUTE);
  t.same(await history(b.core, 'alice'), ['never read', 'read meanwhile']);
  await pass(b.clock, 4 * MINUTE);
  t.same(await history(b.core, 'alice'), ['never read']);
});

test('a text that failed goes too: sealed for keys that are not theirs any more, or for nobody', async (t) => {
  const { daemon, a, b } = await talking(t);
  await b.core.close();
  const key = await stateKeyOf(a.storage.files, daemon.linked);
  const left = () => recordsWith('to the former', a.storage.files, key);
  await a.core.call('send', { to: 'bob', text: 'to the former' });
  daemon.accounts.delete('bob');
  const other = await register(daemon, 'bob');
  t.teardown(() => other.core.close());
  await other.core.call('add', { name: 'alice' });
  await unread(a.core, isNotice('changed'));
  await a.core.call('verify', { name: 'bob' });
  t.match(await a.core.call('confirm', { name: 'bob' }), { again: 1 });
  t.ok(left().length > 0);
  await pass(a.clock, HOUR + 2 * MINUTE);
  t.same(await history(a.core, 'bob'), []);
  t.same(left(), []);

  let sent: Promise<unknown> | undefined;
  a.storage.before = () => {
    sent ??= a.core.call('send', { to: 'ghost', text: 'to nobody' }); // the request is on its way to the disk
  };
  t.equal(await code(a.core.call('add', { name: 'ghost' })), 'unknown-name');
  await sent;
  t.match(await a.core.call('status', {}), { waiting: 0 }, 'it failed');
  t.ok(recordsWith('to nobody', a.storage.files, key).length > 0);
  await pass(a.clock, HOUR + 2 * MINUTE);
  t.same(recordsWith('to nobody', a.storage.files, key), []);
});

test('a clock that is corrected by seconds costs no write', async (t) => {
  const both = await talking(t);
  await exchange(both, 'read');
  const { b } = both;
  b.clock.skew = -30_000;
  const writes: string[] = [];
  b.storage.before = (what) => {
    writes.push(what);
  };
  await pass(b.clock, 2 * MINUTE);
  t.same(writes, []);
});

test('thousands at once', async (t) => {
  const ports = { crypto: await clientCrypto(), storage: new MemoryStorage(), clock: new MovableClock() };
  const journal = await Journal.open({ ...ports, log: () => undefined } as unknown as ClientPorts, new Uint8Array(16));
  const record = (...events: Event[]): Promise<void> => journal.append(...events);
  const expiry = new Expiry({ ports, journal, record } as unknown as Desk);
  t.teardown(() => {
    expiry.close();
  });
  const keys = Array.from({ length: 3000 }, (_, i) => `${'0'.repeat(64)}:${String(i)}`);
  const chain = { sequence: 1, hash: '' };
  const rest = { t: 'message', id: '', from: 'bob', text: 'x', time: 1, at: 1, chain } as const;
  await journal.append(...keys.map((key) => ({ ...rest, key })));
  for (let at = 0; at < keys.length; at += 256)
    await journal.append({ t: 'read', keys: keys.slice(at, at + 256), at: 1 });
  await expiry.look();
  t.equal(journal.state.incoming.size, 0);
  t.equal(journal.state.seen.size, keys.length, 'their ids stay');
});

test('what is due within a minute shares one rewrite, and goes within a minute', async (t) => {
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  const ports = { crypto: await clientCrypto(), storage, clock };
  const journal = await Journal.open({ ...ports, log: () => undefined } as unknown as ClientPorts, new Uint8Array(16));
  let background: Promise<unknown> = Promise.resolve();
  const expiry = new Expiry({
    ports,
    journal,
    record: (...events: Event[]) => journal.append(...events),
    background: (work: Promise<unknown>) => (background = Promise.all([background, work])),
  } as unknown as Desk);
  t.teardown(() => {
    expiry.close();
  });
  const second = async (): Promise<void> => {
    clock.forward(1000);
    await background;
  };
  const SECONDS = 150;
  for (let i = 0; i < SECONDS; i++) {
    const key = String(i);
    const chain = { sequence: i + 1, hash: '' };
    await journal.append({ t: 'message', key, id: key, from: 'bob', text: 'x', time: 1, at: 1, chain });
    await journal.append({ t: 'read', keys: [key], at: clock.now() });
    expiry.plan();
    await second();
  }
  let rewrites = 0;
  storage.before = (what) => {
    if (what.startsWith('replace state-')) rewrites++;
  };
  let longest = 0;
  for (let i = 0; i < 3600; i++) {
    await second();
    for (const { read = 0 } of journal.state.incoming.values()) longest = Math.max(longest, clock.now() - read - HOUR);
  }
  t.equal(journal.state.incoming.size, 0);
  t.ok(
    rewrites >= 2 && rewrites <= 1 + Math.ceil(SECONDS / 50),
    `${String(rewrites)} rewrites of ${String(SECONDS)} texts`,
  );
  t.ok(longest < MINUTE, `${String(longest)} ms late`);
});
