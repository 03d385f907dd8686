/** Who wrote is told what was read, between real clients of a real daemon. */
import { test } from 'tap';
import type { Teardown } from '../support/temp.js';
import type { CliUser, Follower } from '../support/cli.js';
import { textsOf, twoUsers } from '../support/cli-users.js';
import { makeNetwork, startDaemon, type Daemon, type TestNetwork } from '../support/daemon.js';

interface Cast {
  readonly network: TestNetwork;
  readonly daemon: Daemon;
  readonly alice: CliUser;
  readonly bob: CliUser;
  /** what alice is told */
  readonly marks: Follower;
}

async function friends(t: Teardown): Promise<Cast> {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  const [alice, bob] = await twoUsers(t, daemon);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('login');
  const marks = alice.follow('receive', '--follow');
  await marks.next('notice', { kind: 'accepted' });
  return { network, daemon, alice, bob, marks };
}

/** @returns its id */
async function send({ alice }: Cast, text: string): Promise<unknown> {
  return (await alice.ask('send', '@bobby', text))[0]?.['id'];
}

async function states({ alice }: Cast): Promise<unknown[]> {
  return (await alice.ask('history', '@bobby'))
    .filter(({ direction }) => direction === 'out')
    .map(({ state }) => state);
}

test('read is told; not by whoever turned it off', async (t) => {
  const cast = await friends(t);
  const { alice, bob, marks } = cast;
  const id = await send(cast, 'told');
  t.same(textsOf(await bob.ask('receive')), ['told']);
  await marks.next('delivery', { id, state: 'read' });
  t.same(await states(cast), ['read']);
  t.match((await alice.run('history', '@bobby')).out, /me ✓✓ read: told/);

  t.match(await bob.ask('receipts'), [{ type: 'receipts', on: true }]);
  t.match(await bob.ask('receipts', 'off'), [{ on: false }]);
  t.match((await bob.run('receipts')).out, /^off: nobody is told/);
  t.equal((await bob.run('receipts', 'perhaps')).code, 1);
  await send(cast, 'not told');
  t.same(textsOf(await bob.ask('receive')), ['not told']);
  await bob.ask('send', '@alice', 'behind it');
  t.match(await marks.next('message'), { text: 'behind it', sequence: 2 }, 'one receipt was before it');
  t.same(await states(cast), ['read', 'delivered']);
  marks.child.kill('SIGTERM');
  await marks.ended;
});

test('read while the daemon is away: told when it is back', async (t) => {
  const cast = await friends(t);
  const { network, daemon, bob, marks } = cast;
  await bob.ask('login');
  const follower = bob.follow('receive', '--follow');
  await follower.next('notice', { kind: 'request' });
  await bob.ask('receipts', 'off');
  const first = await send(cast, 'before');
  await follower.next('message', { text: 'before' });
  follower.child.kill('SIGTERM');
  await follower.ended;
  await bob.ask('receipts', 'on');
  const second = await send(cast, 'read without a daemon');
  await marks.next('delivery', { id: second, state: 'delivered' });
  await daemon.kill();
  await marks.next('session', { state: 'waiting' });
  t.equal((await bob.ask('history', '@alice')).length, 2);
  t.same(await states(cast), ['delivered', 'delivered']);
  await startDaemon(t, { network, data: daemon.data, port: daemon.port });
  await marks.next('delivery', { id: second, state: 'read' });
  t.same(await states(cast), ['delivered', 'read'], 'what was read while it was off is never told');
  t.not(first, second);
  marks.child.kill('SIGTERM');
  await marks.ended;
});

test('killed between the reading and the receipt: one is sent', async (t) => {
  const cast = await friends(t);
  const { bob, marks } = cast;
  const follower = bob.follow('receive', '--follow');
  await follower.next('notice', { kind: 'request' });
  const id = await send(cast, 'before the kill');
  await follower.next('message');
  follower.child.kill('SIGKILL');
  await follower.ended;
  t.notSame(await states(cast), ['read']);
  await bob.ask('receive');
  await marks.next('delivery', { id, state: 'read' });
  await bob.ask('send', '@alice', 'behind it');
  t.match(await marks.next('message'), { text: 'behind it', sequence: 2 });
  marks.child.kill('SIGTERM');
  await marks.ended;
});
