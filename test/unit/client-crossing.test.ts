/** Requests that cross, in whatever state either side is: one open conversation, one notice each. And blocking. */
import { test, type Test } from 'tap';
import { signRequest, structs, SUITE_RSA, type Struct, type Values } from '../../protocol/index.js';
import type { ClientCore } from '../../src/client/index.js';
import { filesHolding, recordsWith, stateKeyOf } from './client-disk.js';
import { code, friends, isNotice, isText, register, reopen, unread, type Party } from './client-parties.js';
import { clientCrypto } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';
import { nextRsa } from '../support/rsa-pairs.js';

async function strangers(t: Test) {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  return { daemon, a, b };
}

async function restarted(t: Test, daemon: MemoryDaemon, party: Party): Promise<Party> {
  await party.core.close();
  const again = await reopen(daemon, party);
  t.teardown(() => again.core.close());
  return again;
}

const kinds = async (core: ClientCore): Promise<string[]> =>
  (await core.call('unread', {})).items.flatMap((item) => (item.type === 'notice' ? [item.kind] : []));

/** All that was under way is over: both are drained, answer nothing, and wait for nothing. */
async function quiet(daemon: MemoryDaemon, ...parties: readonly Party[]): Promise<void> {
  const idle = async (): Promise<boolean> => {
    for (const { core } of parties) await core.call('drained', {});
    return daemon.waiting('alice') + daemon.waiting('bob') === 0;
  };
  for (let calm = 0; calm < 3; calm = (await idle()) ? calm + 1 : 0)
    await new Promise((resolve) => setImmediate(resolve));
}

/** One open conversation, and a text in each direction. */
async function isOpen(t: Test, daemon: MemoryDaemon, a: Party, b: Party, told: readonly string[][]): Promise<void> {
  await quiet(daemon, a, b);
  for (const [i, { core }] of [a, b].entries()) {
    const { contacts } = await core.call('contacts', { check: false });
    t.same(
      contacts.map((one) => one.relation),
      ['open'],
    );
    t.same(await kinds(core), told[i]);
  }
  await a.core.call('send', { to: 'bob', text: 'from alice' });
  await b.core.call('send', { to: 'alice', text: 'from bob' });
  await Promise.all([unread(b.core, isText('from alice')), unread(a.core, isText('from bob'))]);
}

const once = [['accepted'], ['accepted']];

test('both ask at once', async (t) => {
  const { daemon, a, b } = await strangers(t);
  await Promise.all([a.core.call('add', { name: 'bob' }), b.core.call('add', { name: 'alice' })]);
  await isOpen(t, daemon, a, b, once);
});

test('both ask while neither is connected, and start anew in between', async (t) => {
  const { daemon, a, b } = await strangers(t);
  daemon.down = true;
  const [offlineA, offlineB] = [await restarted(t, daemon, a), await restarted(t, daemon, b)];
  for (const [party, name] of [
    [offlineA, 'bob'],
    [offlineB, 'alice'],
  ] as const)
    t.match(await party.core.call('add', { name }), { relation: 'asked', pending: true });
  const [a2, b2] = [await restarted(t, daemon, offlineA), await restarted(t, daemon, offlineB)];
  daemon.down = false;
  await Promise.all([a2.core.connect(), b2.core.connect()]);
  await isOpen(t, daemon, a2, b2, once);
});

test('one asks while away from the daemon, the other meanwhile', async (t) => {
  const { daemon, a, b } = await strangers(t);
  daemon.down = true;
  const away = await restarted(t, daemon, a);
  await away.core.call('add', { name: 'bob' });
  t.match(await b.core.call('add', { name: 'alice' }), { relation: 'asked', pending: false });
  daemon.down = false;
  await away.core.connect();
  await isOpen(t, daemon, away, b, once);
});

test('a client that starts anew between its request and the other’s', async (t) => {
  const { daemon, a, b } = await strangers(t);
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  await a.core.close();
  await b.core.call('add', { name: 'alice' });
  const again = await restarted(t, daemon, a);
  await again.core.connect();
  await isOpen(t, daemon, again, b, [['accepted'], ['request']]);
});

test('one declined, and thinks better of it while the other asks again', async (t) => {
  const { daemon, a, b } = await strangers(t);
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  await b.core.call('decline', { name: 'alice' });
  await unread(a.core, isNotice('declined'));
  await Promise.all([a.core.call('add', { name: 'bob' }), b.core.call('add', { name: 'alice' })]);
  await isOpen(t, daemon, a, b, [
    ['declined', 'accepted'],
    ['request', 'accepted'],
  ]);
});

test('one had blocked the other, who asked meanwhile', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const told = [await kinds(a.core), await kinds(b.core)];
  await b.core.call('block', { name: 'alice' });
  await a.core.call('block', { name: 'bob' });
  await a.core.call('add', { name: 'bob' });
  await quiet(daemon, a, b);
  t.same(await kinds(b.core), told[1], 'bob is not asked by somebody whom he blocked');
  await b.core.call('add', { name: 'alice' });
  await isOpen(t, daemon, a, b, [
    [...(told[0] ?? []), 'accepted'],
    [...(told[1] ?? []), 'accepted'],
  ]);
});

test('asked twice while the first request waits: the answer to the first is one to both', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => a.core.close());
  const told = await kinds(a.core);
  await b.core.close();
  const original = daemon.queue.bind(daemon);
  let asked = 0;
  daemon.queue = (uid, struct, values) => {
    if (struct.name !== 'rjmp' || asked++ === 0) original(uid, struct, values); // the daemon adds nothing to what waits
  };
  for (let i = 0; i < 2; i++) {
    await a.core.call('block', { name: 'bob' });
    await a.core.call('add', { name: 'bob' });
  }
  const again = await restarted(t, daemon, b);
  await again.core.connect();
  await isOpen(t, daemon, a, again, [[...told, 'accepted'], ['request']]);
});

/** What the daemon put into queues. */
function tapped(daemon: MemoryDaemon): { name: string; values: Values<Struct> }[] {
  const original = daemon.queue.bind(daemon);
  const passed: { name: string; values: Values<Struct> }[] = [];
  daemon.queue = (uid, struct, values) => {
    passed.push({ name: struct.name, values: structuredClone(values) });
    original(uid, struct, values);
  };
  return passed;
}

test('of somebody blocked nothing is shown or kept, and all is acknowledged', async (t) => {
  const daemon = await MemoryDaemon.start();
  const passed = tapped(daemon);
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await b.core.call('block', { name: 'alice' });
  t.match(await b.core.call('block', { name: 'alice' }), { relation: 'blocked', pending: false });
  const before = await kinds(b.core);
  t.equal(await code(b.core.call('send', { to: 'alice', text: 'x' })), 'blocked');
  await a.core.call('send', { to: 'bob', text: 'into the void' });
  const request = passed.find((one) => one.name === 'rjmp')?.values as Values<typeof structs.rjmp>;
  await daemon.inject('bob', structs.rjmp, request);
  await daemon.inject('bob', structs.rjmp, { ...request, signature: new Uint8Array(256).fill(1) });
  const [enc, sig] = await Promise.all([nextRsa(), nextRsa()]);
  const bundle = { uid: request.uid, name: 'alice', enc: enc.modulus, sig: sig.modulus, time: 1, suite: SUITE_RSA };
  await daemon.inject('bob', structs.rjmp, await signRequest(await clientCrypto(), sig, { to: 'bob', ...bundle }));
  await quiet(daemon, a, b);
  t.equal(daemon.waiting('bob'), 0, 'acknowledged');
  t.same(await kinds(b.core), before);
  t.notOk((await b.core.call('unread', {})).items.some((item) => item.type === 'message'));
  const key = await stateKeyOf(b.storage.files, daemon.linked);
  t.same(recordsWith('into the void', b.storage.files, key), []);
  t.same(filesHolding('into the void', [], b.storage.files), []);
  const again = await restarted(t, daemon, b);
  t.match(await again.core.call('contacts', { check: false }), { contacts: [{ name: 'alice', relation: 'blocked' }] });
});

test('somebody who was asked and has not answered is blocked when they do', async (t) => {
  const { daemon, a, b } = await strangers(t);
  const blocked: Uint8Array[] = [];
  daemon.onBlock = (uid) => blocked.push(uid.slice());
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  t.match(await a.core.call('block', { name: 'bob' }), { relation: 'blocked', pending: false });
  t.equal(blocked.length, 0, 'nobody knows the uid yet');
  await b.core.call('accept', { name: 'alice' });
  await b.core.call('send', { to: 'alice', text: 'hello' });
  await quiet(daemon, a, b);
  t.same(blocked, [daemon.accounts.get('bob')?.uid]);
  t.same((await a.core.call('unread', {})).items, []);
  t.match(await a.core.call('contacts', { check: false }), { contacts: [{ relation: 'blocked' }] });
});
