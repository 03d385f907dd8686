import { test, type Test } from 'tap';
import { Code, structs, type Struct, type Values } from '../../protocol/index.js';
import { code, friends, isNotice, isText, register, reopen, unread } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

interface Passed {
  readonly uid: Uint8Array;
  readonly struct: Struct;
  readonly values: Values<Struct>;
}

/** Notes what the daemon puts into queues, and leaves out what `drop` says. */
function tapQueues(daemon: MemoryDaemon): { passed: Passed[]; drop: (one: Passed) => boolean; release: () => void } {
  const original = daemon.queue.bind(daemon);
  const dropped: Passed[] = [];
  const tapped = {
    passed: [] as Passed[],
    drop: (_one: Passed): boolean => false,
    release: (): void => {
      for (const one of dropped.splice(0)) original(one.uid, one.struct, one.values);
    },
  };
  daemon.queue = (uid, struct, values) => {
    const one = { uid, struct, values: structuredClone(values) as Values<Struct> };
    tapped.passed.push(one);
    if (tapped.drop(one)) dropped.push(one);
    else original(uid, struct, values);
  };
  return tapped;
}

async function talking(t: Test) {
  const daemon = await MemoryDaemon.start();
  const queues = tapQueues(daemon);
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  return { daemon, queues, a, b };
}

test('a request that comes again, and one that is forged, add nothing', async (t) => {
  const daemon = await MemoryDaemon.start();
  const { passed } = tapQueues(daemon);
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await Promise.all([a.core.call('add', { name: 'bob' }), b.core.call('add', { name: 'alice' })]);
  await Promise.all([unread(a.core, isNotice('accepted')), unread(b.core, isNotice('accepted'))]);
  await a.core.call('send', { to: 'bob', text: 'after the acceptances' });
  const request = passed.find(
    (one) => one.struct.name === 'rjmp' && (one.values as Values<typeof structs.rjmp>).to === 'bob',
  )?.values as Values<typeof structs.rjmp>;
  await daemon.inject('bob', structs.rjmp, request);
  await b.core.call('drained', {});
  const acceptances = (): number => passed.filter((one) => one.struct.name === 'ramp').length;
  const before = acceptances();
  for (let i = 0; i < 3; i++) await daemon.inject('bob', structs.rjmp, request);
  await b.core.call('drained', {});
  t.equal(acceptances(), before);
  const acceptance = passed.find((one) => one.struct.name === 'ramp')?.values as Values<typeof structs.ramp>;
  for (let i = 0; i < 3; i++) {
    await daemon.inject('bob', structs.rjmp, { ...request, signature: new Uint8Array(256).fill(1) });
    await daemon.inject('bob', structs.ramp, { ...acceptance, signature: new Uint8Array(256).fill(1) });
  }
  const { items } = await b.core.call('unread', {});
  t.same(
    items.filter(isNotice('unreadable')).map((one) => one.type === 'notice' && one.detail),
    ['request', 'acceptance'],
  );
});

test('what never came is told to somebody who only looks in, also later', async (t) => {
  const { daemon, queues, a, b } = await talking(t);
  queues.drop = (one) => one.struct.name === 'rvum';
  for (const text of ['one', 'two']) await a.core.call('send', { to: 'bob', text });
  queues.drop = () => false;
  await a.core.call('send', { to: 'bob', text: 'three' });
  await unread(b.core, isText('three'));
  await b.core.close();
  b.clock.offset = 6_000;
  daemon.down = true;
  const again = await reopen(daemon, b);
  t.teardown(() => again.core.close());
  const { items } = await again.core.call('unread', {});
  t.match(items.filter(isNotice('gap')), [{ name: 'alice', detail: '1-2' }], 'once, as a range');
});

test('what comes late takes its place and is not missing', async (t) => {
  const { queues, a, b } = await talking(t);
  queues.drop = (one) => one.struct.name === 'rvum';
  await a.core.call('send', { to: 'bob', text: 'one' });
  queues.drop = () => false;
  await a.core.call('send', { to: 'bob', text: 'two' });
  await unread(b.core, isText('two'));
  queues.release();
  await unread(b.core, isText('one'));
  b.clock.forward(6_000);
  const { items } = await b.core.call('unread', {});
  t.same(items.filter(isNotice('gap')), []);
  const texts = items.flatMap((item) => (item.type === 'message' ? [item.text] : []));
  t.same(texts, ['one', 'two']);
  const { lines } = await b.core.call('history', { name: 'alice', after: 0 });
  t.same(
    lines.map((line) => line.text),
    ['one', 'two'],
  );
  const last = lines.at(-1);
  t.same((await b.core.call('history', { name: 'alice', after: last?.order ?? 0 })).lines, [], 'nothing behind it');
});

test('a text of somebody with whom there is no conversation is not shown', async (t) => {
  const { queues, a, b } = await talking(t);
  await b.core.call('block', { name: 'alice' });
  queues.drop = (one) => one.struct.name === 'rjmp';
  t.match(await b.core.call('add', { name: 'alice' }), { relation: 'asked' });
  await a.core.call('send', { to: 'bob', text: 'uninvited' });
  t.match(await unread(b.core, isNotice('unreadable')), { name: 'alice', detail: 'stranger' });
  t.notOk((await b.core.call('unread', {})).items.some(isText('uninvited')));
});

test('after a block and a new request, a text that comes before the acceptance is not lost', async (t) => {
  const { queues, a, b } = await talking(t);
  await a.core.call('send', { to: 'bob', text: 'before' });
  await unread(b.core, isText('before'));
  await b.core.call('block', { name: 'alice' });
  queues.drop = (one) => one.struct.name === 'rjmp';
  t.match(await b.core.call('add', { name: 'alice' }), { relation: 'asked' });
  await a.core.call('send', { to: 'bob', text: 'after' });
  t.match(await unread(b.core, isText('after')), { from: 'alice' });
});

test('a frame that nobody sealed is a fault of the line', async (t) => {
  const { daemon, b } = await talking(t);
  const seen: string[] = [];
  const back = new Promise<void>((resolve) => {
    b.core.on((event) => {
      if (event.type === 'session') seen.push(`${event.state} ${event.trouble?.code ?? ''}`);
      else if (event.type === 'ended') seen.push('ended');
      if (seen.length > 1 || event.type === 'ended') resolve();
    });
  });
  [...daemon.peers.values()].at(-1)?.junk();
  [...daemon.peers.values()].at(0)?.junk();
  await back;
  t.same(seen, ['waiting disconnected', 'online ']);
});

test('a write that fails ends the client; the next one has what the disk has', async (t) => {
  const { daemon, a } = await talking(t);
  const ended = new Promise<string>((resolve) => {
    a.core.on((event) => {
      if (event.type === 'ended') resolve(event.trouble.code);
    });
  });
  a.storage.before = () => {
    throw new Error('disk full');
  };
  t.equal(await code(a.core.call('send', { to: 'bob', text: 'lost' })), 'storage');
  t.equal(await code(a.core.call('status', {})), 'storage', 'what was not written is not shown');
  t.equal(await ended, 'storage');
  await a.core.close();
  a.storage.before = () => undefined;
  const again = await reopen(daemon, a);
  t.teardown(() => again.core.close());
  t.match(await again.core.call('status', {}), { waiting: 0 });
});

test('a logout ends the client even where it cannot be written', async (t) => {
  const { a } = await talking(t);
  const ended = new Promise<void>((resolve) => {
    a.core.on((event) => {
      if (event.type === 'ended') resolve();
    });
  });
  a.storage.before = () => {
    throw new Error('disk full');
  };
  t.equal(await code(a.core.call('logout', {})), 'storage');
  await ended;
});

test('a declined request leaves the book, and does not come back', async (t) => {
  const daemon = await MemoryDaemon.start();
  const { passed } = tapQueues(daemon);
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  t.match(await b.core.call('decline', { name: 'alice' }), { relation: 'declined', pending: false });
  t.same(await b.core.call('contacts', { check: false }), { contacts: [] });
  const request = passed.find((one) => one.struct.name === 'rjmp')?.values as Values<typeof structs.rjmp>;
  await daemon.inject('bob', structs.rjmp, request);
  t.same(await b.core.call('contacts', { check: false }), { contacts: [] });
});

test('a session never lasts longer than twelve hours, whatever the daemon says', async (t) => {
  const daemon = await MemoryDaemon.start();
  daemon.sessionMs = 1000 * 3600_000;
  daemon.treat = () => Code.queued;
  const a = await register(daemon, 'alice');
  t.teardown(() => a.core.close());
  const { ends } = await a.core.call('status', {});
  t.ok(ends <= Date.now() + 12 * 3600_000);
});

test('a time that no calendar can show is the arrival', async (t) => {
  const { a, b } = await talking(t);
  a.clock.offset = 8_700_000_000_000_000;
  await a.core.call('send', { to: 'bob', text: 'from far away' });
  const item = await unread(b.core, isText('from far away'));
  t.equal(item.type === 'message' && item.time, item.at);
});
