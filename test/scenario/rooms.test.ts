/** Rooms between real clients and a real daemon (SPEC 9). */
import { test } from 'tap';
import { makeNetwork } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import { atDaemon, befriended, heard, memberNames, newGuest, say, told } from '../support/room-lab.js';

test('a room with a password: made, entered, spoken in; who enters is shown what was said', async (t) => {
  const host = atDaemon(await startLavish(t, { network: await makeNetwork() }));
  const [alice, bob] = await Promise.all([newGuest(t, host, 'alice'), newGuest(t, host, 'bobby')]);
  const made = await alice.core.call('room-create', { room: 'garden', inviteOnly: false });
  t.equal(made.password?.split(' ').length, 5, 'a password of five words is drawn');
  t.match(made, { name: 'garden', standing: 'member', kind: 'password', by: 'alice', members: 1, common: false });
  for (const text of ['one', 'two', 'three']) t.equal(await say(alice, 'garden', text), 'delivered');
  t.match(await bob.core.call('room-join', { room: 'garden', password: made.password ?? '' }), { members: 2 });
  for (const text of ['one', 'two', 'three']) await heard(bob, 'garden', text);
  t.equal(await say(bob, 'garden', 'hello'), 'delivered');
  await heard(alice, 'garden', 'hello');
  t.same(await memberNames(alice, 'garden'), ['alice owner', 'bobby member']);
  t.same(await memberNames(bob, 'garden'), ['alice owner', 'bobby member']);
});

test('a room by invitation alone', async (t) => {
  const host = atDaemon(await startLavish(t, { network: await makeNetwork() }));
  const [alice, bob] = await Promise.all([newGuest(t, host, 'alice'), newGuest(t, host, 'bobby')]);
  await befriended(alice, bob);
  await alice.core.call('room-create', { room: 'cellar', inviteOnly: true });
  for (let n = 0; n < 22; n++) await say(alice, 'cellar', `text ${String(n)}`);
  await alice.core.call('room-invite', { room: 'cellar', name: 'bobby' });
  await told(bob, 'cellar', 'invited', 'alice');
  t.match(await bob.core.call('room-join', { room: 'cellar' }), { standing: 'member', members: 2 });
  await heard(bob, 'cellar', 'text 21');
  const { items } = await bob.core.call('unread', {});
  t.same(
    items.flatMap((item) => (item.type === 'message' ? [item.text] : [])),
    Array.from({ length: 20 }, (_, n) => `text ${String(n + 2)}`),
  );
  await told(alice, 'cellar', 'entered', 'bobby');
});
