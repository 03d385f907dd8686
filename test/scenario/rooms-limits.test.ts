/** What a room takes, and how a client lives with it. */
import { test } from 'tap';
import { makeNetwork } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import { atDaemon, heard, newGuest, say } from '../support/room-lab.js';
import { code } from '../unit/client-parties.js';

test('who says too much too fast is told, waits by itself, and nothing is lost', async (t) => {
  const limits = ['messages-per-second=20', 'message-burst=5', 'rooms-per-user=2', 'room-members=2'];
  const args = limits.flatMap((limit) => ['--limit', limit]);
  const host = atDaemon(await startLavish(t, { network: await makeNetwork(), args }));
  const [alice, bob, carol] = await Promise.all(['alice', 'bobby', 'carol'].map((name) => newGuest(t, host, name)));
  if (!alice || !bob || !carol) throw new Error('nobody');
  const { password = '' } = await alice.core.call('room-create', { room: 'crowd', inviteOnly: false });
  await bob.core.call('room-join', { room: 'crowd', password });
  const texts = Array.from({ length: 24 }, (_, n) => `text ${String(n)}`);
  const sent = texts.map((text) => alice.core.call('send', { to: '#crowd', text }));
  await heard(bob, 'crowd', 'text 23');
  const { items } = await bob.core.call('unread', {});
  t.same(
    items.flatMap((item) => (item.type === 'message' ? [item.text] : [])),
    texts,
    'all of it, each once, in order',
  );
  t.ok(
    (await Promise.all(sent)).some(({ trouble }) => trouble?.code === 'limited'),
    'it was told',
  );
  t.same(items.filter(({ type }) => type === 'notice').length, 0, 'nobody was warned');

  t.equal(await code(carol.core.call('room-join', { room: 'crowd', password })), 'room-full');
  t.equal((await carol.core.call('rooms', {})).rooms.length, 0, 'nothing is kept of a room that one could not enter');
  await alice.core.call('room-create', { room: 'second', inviteOnly: true });
  t.equal(await code(alice.core.call('room-create', { room: 'third', inviteOnly: true })), 'rooms-full');
  t.match(await say(bob, 'crowd', 'all is well'), /^(queued|delivered)$/);
});
