/** The second factor as the client core has it, at a real daemon. */
import { generateSync } from 'otplib';
import { test } from 'tap';
import { ClientError } from '../../src/client/index.js';
import { registered, reopened } from '../support/cores.js';
import { makeNetwork } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import { code } from '../unit/client-parties.js';

const now = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + 30 * steps });

void test('a client sets it up, is asked for a code, and goes on without one while the session lasts', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const alice = await registered(t, daemon, 'alice');
  t.match(await alice.core.call('account', {}), {
    name: 'alice',
    factor: 'none',
    codes: 0,
    sessions: [{ current: true }],
  });
  const begun = await alice.core.call('factor-begin', { kind: 'totp' });
  if (begun.kind !== 'totp') throw new Error('no secret');
  t.match(begun.secret, /^[A-Z2-7]{32}$/);
  const { searchParams, host, pathname, protocol } = new URL(begun.uri);
  t.same([protocol, host || pathname.split('/')[2]], ['otpauth:', 'totp']);
  t.equal(searchParams.get('secret'), begun.secret);
  t.equal(searchParams.get('issuer'), 'Cadenas test');
  t.match(decodeURIComponent(begun.uri), /Cadenas test:alice/);
  t.equal(await code(alice.core.call('factor-confirm', { code: '12345' })), 'bad-code');
  t.equal(await code(alice.core.call('factor-confirm', { code: now(begun.secret, 40) })), 'wrong-code');
  const { codes } = await alice.core.call('factor-confirm', { code: now(begun.secret, -1) });
  t.equal(codes.length, 10);
  for (const each of codes) t.match(each, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
  t.match(await alice.core.call('account', {}), { factor: 'totp', codes: 10 });
  t.equal(await code(alice.core.call('factor-begin', { kind: 'totp' })), 'code-needed', 'another takes a code of this');

  /* It lasts: the grant stands for the code. */
  await alice.core.close();
  const later = await reopened(t, daemon, alice);
  await later.core.connect();
  t.match(await later.core.call('status', {}), { session: 'online' });

  /* A new session asks for it, and waits for a person without trying by itself. */
  await later.core.call('logout', {});
  await later.core.close();
  const anew = await reopened(t, daemon, alice);
  t.equal(await code(anew.core.connect()), 'code-needed');
  t.match(await anew.core.call('status', {}), { session: 'waiting', trouble: { code: 'code-needed', exit: 1 } });
  t.equal(await code(anew.core.connect(undefined, now(begun.secret, 40))), 'wrong-code');
  t.equal(await code(anew.core.connect(undefined, 'nonsense')), 'bad-code');
  await anew.core.connect(undefined, now(begun.secret));
  t.match(await anew.core.call('status', {}), { session: 'online' });

  /* Recovery codes, as somebody types them. */
  const [first = '', second = ''] = codes;
  t.equal(await code(anew.core.call('recovery-codes', {})), 'code-needed');
  t.equal((await anew.core.call('recovery-codes', { code: ` ${first.toUpperCase()} ` })).codes.length, 10);
  t.equal(await code(anew.core.call('factor-disable', { code: second })), 'wrong-code', 'codes of before');
  await anew.core.call('factor-disable', { code: now(begun.secret, 1) });
  t.match(await anew.core.call('account', {}), { factor: 'none', codes: 10 });
});

void test('sessions are listed and ended', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const bob = await registered(t, daemon, 'bobby');
  const elsewhere = bob.storage.copy();
  await bob.core.call('logout', {});
  await bob.core.close();
  const [one, clock] = [await reopened(t, daemon, bob), bob.clock];
  await one.core.connect();
  await one.core.close();
  const other = await reopened(t, daemon, { storage: elsewhere, clock });
  t.equal(await code(other.core.connect()), 'done', 'the session that was ended is replaced by a new one');
  const { sessions } = await other.core.call('account', {});
  t.equal(sessions.length, 2);
  const first = sessions.find(({ current }) => !current)?.id ?? '';
  t.equal(await code(other.core.call('session-revoke', { session: 'zz' })), 'no-session');
  t.equal(await code(other.core.call('session-revoke', { session: '' })), 'no-session');
  await other.core.call('session-revoke', { session: first });
  t.match((await other.core.call('account', {})).sessions, [{ current: true }]);
  await other.core.call('session-revoke', {});
  const ended = new Promise<unknown>((resolve) => {
    other.core.on((event) => {
      if (event.type === 'ended') resolve(event.trouble.code);
    });
  });
  await other.core.call('session-revoke', { session: (await other.core.call('account', {})).sessions[0]?.id ?? '' });
  t.equal(await ended, 'session-over');
  await t.rejects(other.core.call('account', {}), ClientError);
});
