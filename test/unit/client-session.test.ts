import { test } from 'tap';
import { Code, EPOCH_MS, hex } from '../../protocol/index.js';
import { openCore, registerCore, unfinishedOf } from '../../src/client/index.js';
import { code, friends, isNotice, isText, nextDelivery, register, reopen, secrets, unread } from './client-parties.js';
import { MemoryStorage, MovableClock } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';

test('the same bytes are sent again after a break, and arrive once', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  let first = true;
  daemon.treat = () => {
    if (!first) return Code.queued;
    first = false;
    return 'close';
  };
  const delivered = nextDelivery(a.core);
  const sent = await a.core.call('send', { to: 'bob', text: 'once' });
  t.match(sent, { state: 'waiting', trouble: { code: String } });
  await unread(b.core, isText('once'));
  await delivered;
  t.equal(daemon.envelopes.length, 2);
  t.equal(hex(daemon.envelopes[0] ?? new Uint8Array(0)), hex(daemon.envelopes[1] ?? new Uint8Array(1)));
});

test('kept while the daemon is away, also over a restart of the client', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => b.core.close());
  await a.core.close();
  daemon.down = true;
  const away = await reopen(daemon, a);
  t.equal(await code(away.core.connect()), 'no-daemon');
  const sent = await away.core.call('send', { to: 'bob', text: 'later' });
  t.match(sent, { state: 'waiting', trouble: { code: 'no-daemon', exit: 3 } });
  await away.core.close();
  daemon.down = false;
  const back = await reopen(daemon, a);
  t.teardown(() => back.core.close());
  const delivered = nextDelivery(back.core);
  await back.core.connect();
  t.match(await unread(b.core, isText('later')), { id: sent.id });
  t.equal(await delivered, sent.id);
});

test('"later" never ends an entry', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const answers: Code[] = [Code.limited, Code.storage];
  daemon.treat = () => answers.shift() ?? Code.queued;
  const sent = await a.core.call('send', { to: 'bob', text: 'patience' });
  t.match(sent, { state: 'waiting', trouble: { code: 'limited', exit: 5 } });
  await unread(b.core, isText('patience'));
  t.equal(daemon.envelopes.length, 3);
});

test('who takes no more for now holds up nobody else', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  const c = await register(daemon, 'carol');
  t.teardown(() => Promise.all([a.core.close(), b.core.close(), c.core.close()]));
  await c.core.call('add', { name: '@alice' });
  await unread(a.core, isNotice('request'));
  await a.core.call('accept', { name: 'carol' });
  const answers: Code[] = [Code.limited];
  daemon.wait = 0; // not how fast we write, but how much somebody takes
  daemon.treat = () => answers.shift() ?? Code.queued;
  t.match(await a.core.call('send', { to: 'bob', text: 'too much' }), { trouble: { code: 'limited' } });
  const sent = await a.core.call('send', { to: 'carol', text: 'not too much' });
  t.match(sent, { state: /queued|delivered/ });
  t.equal(daemon.envelopes.length, 2, 'before the one that waits is tried again');
  await unread(b.core, isText('too much'));
});

test('all parts that are too much for somebody are one refusal: tried again after a second', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  daemon.wait = 0;
  let left = 4; // as many as the window lets go at once
  daemon.treat = () => (left-- > 0 ? Code.limited : Code.queued);
  const text = 'x'.repeat(12 * 1024);
  const began = performance.now();
  const sent = a.core.call('send', { to: 'bob', text });
  await unread(b.core, isText(text));
  t.ok(performance.now() - began < 5_000, 'after a second: not after one that each of them doubled');
  t.match(await sent, { state: /waiting|queued|delivered/ });
});

test('a delivery is acknowledged only when it is on the disk', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let writing = (): void => undefined;
  const began = new Promise<void>((resolve) => (writing = resolve));
  b.storage.before = (what) => {
    if (!what.startsWith('append')) return undefined;
    writing();
    return held;
  };
  await a.core.call('send', { to: 'bob', text: 'safe' });
  await began;
  await a.core.call('status', {});
  t.equal(daemon.waiting('bob'), 1, 'not before the disk has it');
  const acked = new Promise<void>((resolve) => {
    const before = daemon.onAck;
    daemon.onAck = (id) => {
      before(id);
      resolve();
    };
  });
  release();
  await acked;
  await unread(b.core, isText('safe'));
});

test('a later login takes over and the earlier client stays away', async (t) => {
  const daemon = await MemoryDaemon.start();
  const a = await register(daemon, 'alice');
  const ended = new Promise<string>((resolve) => {
    a.core.on((event) => {
      if (event.type === 'ended') resolve(event.trouble.code);
    });
  });
  const twin = await reopen(daemon, a, a.storage.copy());
  t.teardown(() => Promise.all([a.core.close(), twin.core.close()]));
  await twin.core.connect();
  t.equal(await ended, 'taken-over');
  t.equal(await code(a.core.connect()), 'taken-over');
});

test('an hour later both sides go on with fresh keys, on the same link', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const states: string[] = [];
  a.core.on((event) => {
    if (event.type === 'session') states.push(event.state);
  });
  for (const round of [1, 2, 3]) {
    a.clock.forward(EPOCH_MS);
    await a.core.call('send', { to: 'bob', text: `hour ${String(round)}` });
    await unread(b.core, isText(`hour ${String(round)}`));
    await b.core.call('send', { to: 'alice', text: `answer ${String(round)}` });
    await unread(a.core, isText(`answer ${String(round)}`));
    t.equal(daemon.turns, round);
  }
  t.same(states, [], 'nothing was connected anew');
});

test('wrong secrets, taken names, other builds', async (t) => {
  const daemon = await MemoryDaemon.start();
  const a = await register(daemon, 'alice');
  await a.core.close();
  const ports = await daemon.ports(a.storage, a.clock);
  t.equal(await code(openCore(ports, 'p', { ...secrets, password: 'wrong horse' })), 'wrong-password');
  t.equal(await code(openCore(ports, 'p', { ...secrets, words: 'river stone lump' })), 'wrong-words');
  t.equal(await code(registerCore(ports, 'alice', secrets)), 'registered');
  const fresh = await daemon.ports(new MemoryStorage(), a.clock);
  t.equal(await code(openCore(fresh, 'p', secrets)), 'no-profile');
  t.equal(await code(registerCore(fresh, 'alice', secrets)), 'name-taken');
  t.equal(await code(registerCore(fresh, 'al', secrets)), 'bad-name');
  t.equal(await code(registerCore(fresh, 'carol', { ...secrets, password: 'short' })), 'weak-password');
  t.equal(await code(registerCore(fresh, 'carol', { ...secrets, words: 'two words' })), 'bad-words');
  daemon.upgrade = true;
  t.equal(await code(registerCore(fresh, 'carol', secrets)), 'too-old');
});

test('weak keys of one’s own are not shown to anybody; keys that the network refuses leave nothing', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  const ports = await daemon.ports(storage, clock);
  const { keys } = ports.crypto;
  const same = await keys.generate();
  const broken = { ...ports, crypto: { ...ports.crypto, keys: { ...keys, generate: () => Promise.resolve(same) } } };
  await t.rejects(registerCore(broken, 'alice', secrets), {
    code: 'weak-keys',
    message: /made on this machine are weak \(shared\)/,
    hint: /update Node/,
  });
  t.notOk(daemon.accounts.has('alice'));
  for (const step of ['crea1', 'crea2'] as const) {
    daemon.refusesAt = step;
    await t.rejects(
      registerCore(ports, 'alice', secrets),
      { code: 'keys-refused', message: /there is no account/ },
      step,
    );
    t.notOk(daemon.accounts.has('alice'));
    t.equal(await unfinishedOf(ports), undefined, 'the next try begins anew');
  }
  daemon.refusesAt = undefined;
  const core = await registerCore(ports, 'alice', secrets);
  t.teardown(() => core.close());
});

test('a registration whose last answer was lost is taken up', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  storage.before = (what) => {
    if (what === 'replace identity') throw new Error('power cut');
  };
  t.equal(await code(registerCore(await daemon.ports(storage, clock), 'alice', secrets)), 'Error: power cut');
  t.ok(daemon.accounts.has('alice'));
  const core = await registerCore(await daemon.ports(storage.copy(), clock), 'alice', secrets);
  t.teardown(() => core.close());
  t.match(await core.call('status', {}), { name: 'alice', session: 'online' });
});
