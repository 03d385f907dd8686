/** Clients that were away, or behind, while people came and went: nobody is accused, and nothing is lost (SPEC 9.10). */
import tap, { test } from 'tap';
import { openCast, PASSWORD } from '../support/room-cast.js';
import { failure, inside, readAll, roomOf, shown, until } from '../support/room-hostile.js';
import {
  befriended,
  comeBack,
  heard,
  leave,
  memberNames,
  newGuest,
  say,
  told,
  type Guest,
} from '../support/room-lab.js';

const { lab, alice, bob, carol, mallory, roomWith, renewed, epochOf } = await openCast(tap);
const erin = await newGuest(tap, lab.host, 'errin');
await befriended(carol, erin);

/** The next queue that is read takes its time: a look comes before what waits in it. */
let isSlow = false;
const { store } = lab.server.context as unknown as { store: { queued: (...of: unknown[]) => Promise<unknown> } };
const queued = store.queued.bind(store);
store.queued = async (...of) => {
  const wasSlow = isSlow;
  isSlow = false;
  if (wasSlow) await new Promise((resolve) => setTimeout(resolve, 300));
  return queued(...of);
};

async function away(guest: Guest): Promise<void> {
  await leave(guest);
  await comeBack(lab.host, guest, false);
}

const alarms = async (guest: Guest, room: string): Promise<string[]> =>
  (await shown(guest, room)).filter((line) => /^(ghost|gap|untrusted|change-refused|room-key|unreadable)/.test(line));

for (const how of ['speaks', 'looks'] as const)
  test(`who was invited by somebody who came and went meanwhile is no ghost to who comes back and ${how}`, async (t) => {
    const name = `absent${how}`;
    await roomWith(name, bob);
    await away(bob);
    if (how === 'speaks') void say(bob, name, 'written away');
    await carol.core.call('room-join', { room: name, password: PASSWORD });
    await told(alice, name, 'entered', 'carol');
    await carol.core.call('room-invite', { room: name, name: 'errin' });
    await told(erin, name, 'invited', 'carol');
    await erin.core.call('room-join', { room: name });
    await told(alice, name, 'entered', 'errin');
    await carol.core.call('room-leave', { room: name });
    await told(alice, name, 'left', 'carol');
    isSlow = true;
    await bob.core.connect();
    if (how === 'speaks') await heard(alice, name, 'written away');
    else await memberNames(bob, name);
    await bob.core.call('drained', {});
    t.same(await alarms(bob, name), []);
    t.ok((await memberNames(alice, name)).includes('errin member'), 'still in');
    await say(erin, name, 'hello');
    await heard(bob, name, 'hello');
    await readAll(alice, bob, carol, erin);
  });

test('who left and came back counts from 1 again, where a look came before the event too', async (t) => {
  await roomWith('recounted', bob, carol);
  for (const text of ['one', 'two']) await say(carol, 'recounted', text);
  for (const text of ['one', 'two']) await heard(bob, 'recounted', text);
  await carol.core.call('room-leave', { room: 'recounted' });
  await told(bob, 'recounted', 'left', 'carol');
  await readAll(bob);
  await away(bob);
  void say(bob, 'recounted', 'written away');
  await carol.core.call('room-join', { room: 'recounted', password: PASSWORD });
  await told(alice, 'recounted', 'entered', 'carol');
  isSlow = true;
  await bob.core.connect();
  await heard(carol, 'recounted', 'written away');
  await bob.core.call('drained', {});
  for (const text of ['first', 'second', 'third', 'fourth']) await say(carol, 'recounted', text);
  await heard(bob, 'recounted', 'fourth');
  bob.clock.forward(6_000);
  await memberNames(bob, 'recounted');
  t.same(await alarms(bob, 'recounted'), []);
});

test('removed, invited, taken back and invited once more while away: the last invitation holds', async (t) => {
  await roomWith('backandforth', bob, mallory);
  await leave(mallory);
  for (let n = 0; n < 2; n++) {
    await alice.core.call('room-remove', { room: 'backandforth', name: 'mallory', password: PASSWORD });
    await alice.core.call('room-invite', { room: 'backandforth', name: 'mallory' });
  }
  await comeBack(lab.host, mallory);
  await told(mallory, 'backandforth', 'invited', 'alice');
  t.same(await alarms(mallory, 'backandforth'), []);
  t.equal(await failure(mallory.core.call('room-join', { room: 'backandforth' })), 'done');
  await say(mallory, 'backandforth', 'here again');
  await heard(bob, 'backandforth', 'here again');
});

test('an invitation that ends tells its invitee; who declines one knows', async (t) => {
  await roomWith('ended');
  await alice.core.call('room-invite', { room: 'ended', name: 'bobby' });
  await told(bob, 'ended', 'invited', 'alice');
  await alice.core.call('room-remove', { room: 'ended', name: 'bobby', password: PASSWORD });
  await told(bob, 'ended', 'invitation-ended');
  await alice.core.call('room-invite', { room: 'ended', name: 'bobby' });
  await until(bob, async () => (await inside(lab, bob)).state.rooms.has('#ended'));
  await readAll(bob);
  await bob.core.call('room-decline', { room: 'ended' });
  await told(alice, 'ended', 'invitation-declined', 'bobby');
  t.same(await shown(bob, 'ended'), []);
});

test('a profile of before: who had left is back in a later epoch; the password opens the room', async (t) => {
  await roomWith('restored', bob, carol);
  await renewed('restored', bob, carol);
  await carol.core.call('room-leave', { room: 'restored' });
  await told(bob, 'restored', 'left', 'carol');
  await leave(bob);
  const backup = bob.storage.copy();
  await comeBack(lab.host, bob);
  await carol.core.call('room-join', { room: 'restored', password: PASSWORD });
  await told(bob, 'restored', 'entered', 'carol');
  await renewed('restored', bob, carol);
  await mallory.core.call('room-join', { room: 'restored', password: PASSWORD });
  await told(carol, 'restored', 'entered', 'mallory');
  await mallory.core.call('room-leave', { room: 'restored' });
  await told(carol, 'restored', 'left', 'mallory');
  await say(carol, 'restored', 'begins the fourth');
  await until(bob, async () => (await epochOf(bob, 'restored')) === 4);
  await leave(bob);
  const old: Guest = { ...bob, storage: backup };
  await comeBack(lab.host, old);
  t.teardown(() => old.core.close());
  await until(old, async () => roomOf(await inside(lab, old), 'restored').untrusted === true);
  t.equal(await failure(old.core.call('room-join', { room: 'restored', password: PASSWORD })), 'done');
  await say(old, 'restored', 'here again');
  await heard(carol, 'restored', 'here again');
});
