/** Texts in many parts, between two real clients. */
import { test } from 'tap';
import { textsOf, twoUsers } from '../support/cli-users.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';

test('64 KiB: to a reader who is there, and to one who is away while the daemon restarts', async (t) => {
  const network = await makeNetwork();
  const first = await startDaemon(t, { network });
  const [alice, bob] = await twoUsers(t, first);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('login');
  await bob.ask('login');
  /* Cuts every 1024 bytes go through characters. */
  const long = `x${'🔒漢ž'.repeat(7281)}`.slice(0, -1);
  const text = long + 'y'.repeat(65_536 - Buffer.byteLength(long));
  const send = async (): Promise<unknown> => {
    const { code, json, err } = await alice.command(['--json', 'send', '@bobby', '-'], text);
    t.equal(code, 0, err);
    return json[0]?.['state'];
  };
  const marks = alice.follow('receive', '--follow');
  await marks.next('notice', { kind: 'accepted' });
  const follower = bob.follow('receive', '--follow');
  t.ok(['queued', 'delivered'].includes(String(await send())));
  t.equal((await follower.next('message'))['text'], text, 'there');
  await marks.next('delivery', { state: 'read' });
  follower.child.kill('SIGTERM');
  await follower.ended;
  await bob.ask('logout');

  t.equal(await send(), 'queued');
  t.equal((await bob.ask('history', '@alice')).length, 1);
  await first.kill();
  await marks.next('session', { state: 'waiting' });
  bob.where = await startDaemon(t, { network, data: first.data, port: first.port });
  await marks.next('session', { state: 'online' });
  t.same(textsOf(await bob.ask('receive')), [text], 'away');
  await marks.next('delivery', { state: 'read' });
  const notices = (await bob.ask('receive')).filter((line) => line['type'] === 'notice');
  t.same(notices, [], 'nothing is missing');
  marks.child.kill('SIGTERM');
  await marks.ended;
});
