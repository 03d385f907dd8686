import { test } from 'tap';
import { structs } from '../../protocol/index.js';
import { code, friends, isNotice, isText, nextDelivery, register, reopen, unread } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

test('request, a text before the acceptance, acceptance, answer, delivery', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  t.equal(await code(a.core.call('send', { to: 'bob', text: 'x' })), 'never-asked');
  t.match(await a.core.call('add', { name: 'Bob' }), { name: 'bob', relation: 'asked', pending: false });
  const early = await a.core.call('send', { to: 'bob', text: 'early' });
  t.match(early, { state: 'waiting', trouble: undefined });
  t.equal(daemon.envelopes.length, 0, 'nothing leaves before there are keys');
  await unread(b.core, isNotice('request'));
  t.equal(await code(b.core.call('send', { to: 'alice', text: 'x' })), 'accept-first');
  const delivered = nextDelivery(a.core);
  await b.core.call('accept', { name: '@alice' });
  const got = await unread(b.core, isText('early'));
  t.match(got, { from: 'alice' });
  t.equal(await delivered, early.id);
  t.match(await b.core.call('send', { to: 'alice', text: 'answer' }), { state: 'queued' });
  await unread(a.core, isText('answer'));
  await b.core.call('read', { keys: [got.key] });
  const { items } = await b.core.call('unread', {});
  t.notOk(items.some(isText('early')), 'read');
});

test('crossing requests accept each other', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await Promise.all([a.core.call('add', { name: 'bob' }), b.core.call('add', { name: 'alice' })]);
  await Promise.all([unread(a.core, isNotice('accepted')), unread(b.core, isNotice('accepted'))]);
  t.match(await a.core.call('send', { to: 'bob', text: 'hi' }), { state: 'queued' });
  await unread(b.core, isText('hi'));
});

test('declined', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  await b.core.call('decline', { name: 'alice' });
  await unread(a.core, isNotice('declined'));
  t.equal(await code(a.core.call('send', { to: 'bob', text: 'x' })), 'declined');
  t.equal(await code(a.core.call('add', { name: 'nobody' })), 'unknown-name');
  t.match(
    await a.core.call('contacts', { check: false }),
    { contacts: [{ name: 'bob' }] },
    'nothing is kept of nobody',
  );
  t.equal(await code(a.core.call('add', { name: 'alice' })), 'self');
  t.equal(await code(a.core.call('add', { name: 'al ice' })), 'bad-name');
});

test('a duplicate delivery is acknowledged again and shown once', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => a.core.close());
  const before = b.storage.copy(); // a crash right before the message leaves this disk
  const sent = await a.core.call('send', { to: 'bob', text: 'twin' });
  await unread(b.core, isText('twin'));
  const entry = { envelope: daemon.envelopes.at(-1) ?? new Uint8Array(0) };
  const account = daemon.accounts.get('bob');
  const acked = new Promise<void>(
    (resolve) =>
      (daemon.onAck = () => {
        resolve();
      }),
  );
  daemon.queue(account?.uid ?? new Uint8Array(16), structs.rvum, entry);
  await acked;
  const { items } = await b.core.call('unread', {});
  t.equal(items.filter(isText('twin')).length, 1);
  t.equal(items.filter(isNotice('unreadable')).length, 0);
  await b.core.close();
  daemon.queue(account?.uid ?? new Uint8Array(16), structs.rvum, entry);
  const restored = await reopen(daemon, b, before);
  t.teardown(() => restored.core.close());
  await restored.core.connect();
  t.match(await unread(restored.core, isText('twin')), { id: sent.id }, 'a client that forgot it takes it again');
});

test('what does not open is told, never shown, and acknowledged', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await a.core.call('send', { to: 'bob', text: 'genuine' });
  await unread(b.core, isText('genuine'));
  const forged = (daemon.envelopes.at(-1) ?? new Uint8Array(0)).slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const acked = new Promise<void>(
    (resolve) =>
      (daemon.onAck = () => {
        resolve();
      }),
  );
  daemon.queue(daemon.accounts.get('bob')?.uid ?? new Uint8Array(16), structs.rvum, { envelope: forged });
  t.match(await unread(b.core, isNotice('unreadable')), { name: 'alice', detail: 'seal' });
  await acked;
});

test('other keys under a known name stop sending', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  daemon.accounts.delete('bob');
  const impostor = await register(daemon, 'bob');
  t.teardown(() => impostor.core.close());
  await impostor.core.call('add', { name: 'alice' });
  t.match(await unread(a.core, isNotice('changed')), { name: 'bob' });
  t.equal(await code(a.core.call('send', { to: 'bob', text: 'secret' })), 'changed');
  t.match(await a.core.call('contacts', { check: false }), { contacts: [{ name: 'bob', changed: true }] });
});

test('texts leave the disk an hour after they were read or delivered', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const delivered = nextDelivery(a.core);
  await a.core.call('send', { to: 'bob', text: 'brief' });
  const item = await unread(b.core, isText('brief'));
  await delivered;
  await b.core.call('read', { keys: [item.key] });
  const log = b.storage.stateLog;
  b.clock.forward(3599_000);
  t.match(await b.core.call('history', { name: 'alice', after: 0 }), { lines: [{ text: 'brief' }] });
  const rewritten = new Promise<void>((resolve) => {
    b.storage.before = (what) => {
      if (what === `remove ${log}`) resolve();
    };
  });
  b.clock.forward(60_000);
  await rewritten;
  t.same((await b.core.call('history', { name: 'alice', after: 0 })).lines, []);
  a.clock.offset = 3601_000;
  await a.core.close();
  const again = await reopen(daemon, a);
  t.teardown(() => again.core.close());
  t.same(
    (await again.core.call('history', { name: 'bob', after: 0 })).lines,
    [],
    'a stopped client deletes before its next output',
  );
});
