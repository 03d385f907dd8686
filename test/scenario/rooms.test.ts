/** Rooms between real clients and a real daemon (SPEC 9). */
import { test, type Test } from 'tap';
import type { Item } from '../../src/client/index.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import {
  atDaemon,
  befriended,
  comeBack,
  heard,
  leave,
  memberNames,
  newGuest,
  say,
  told,
  type Guest,
  type Host,
} from '../support/room-lab.js';
import { code } from '../unit/client-parties.js';

/** Key pairs take longer than everything else here, so one daemon and three people do for the file. */
let stage: Promise<{ daemon: Daemon; host: Host; people: Guest[] }> | undefined;
const teardowns: (() => Promise<unknown> | undefined)[] = [];
const scope = {
  teardown: (work: () => unknown) => {
    teardowns.unshift(work as () => Promise<unknown>);
  },
};

async function setUp() {
  const daemon = await startLavish(scope, { network: await makeNetwork() });
  const host = atDaemon(daemon);
  const people = await Promise.all(['alice', 'bobby', 'carol'].map((name) => newGuest(scope, host, name)));
  const [alice, bob, carol] = people as [Guest, Guest, Guest];
  await befriended(alice, bob);
  await befriended(alice, carol);
  return { daemon, host, people };
}

async function trio(): Promise<{ daemon: Daemon; host: Host; alice: Guest; bob: Guest; carol: Guest }> {
  const { daemon, host, people } = await (stage ??= setUp());
  const [alice, bob, carol] = people as [Guest, Guest, Guest];
  return { daemon, host, alice, bob, carol };
}

/** A room with a password in which all of them are. */
async function roomOf(room: string, maker: Guest, ...others: readonly Guest[]): Promise<string> {
  const { password = '' } = await maker.core.call('room-create', { room, inviteOnly: false });
  for (const guest of others) await guest.core.call('room-join', { room, password });
  return password;
}

async function texts({ core }: Guest, room: string): Promise<string[]> {
  const { items } = await core.call('unread', {});
  return items.flatMap((item) => (item.type === 'message' && item.room === room ? [`${item.from}: ${item.text}`] : []));
}

async function notices({ core }: Guest, room: string): Promise<string[]> {
  const { items } = await core.call('unread', {});
  return items.flatMap((item) =>
    item.type === 'notice' && item.room === room ? [`${item.kind} ${item.name}`.trim()] : [],
  );
}

function warned(items: readonly Item[]): string[] {
  const bad = new Set([
    'gap',
    'unreadable',
    'ghost',
    'change-refused',
    'room-key',
    'untrusted',
    'incomplete',
    'given-up',
  ]);
  return items.flatMap((item) => (item.type === 'notice' && bad.has(item.kind) ? [`${item.kind} ${item.detail}`] : []));
}

/** A slow machine makes 202 of 200: both mean that nothing is lost. */
const taken = /^(queued|delivered)$/;

/** Nobody was warned of anything. */
async function quiet(t: Test, ...people: readonly Guest[]): Promise<void> {
  for (const { name, core } of people)
    t.same(warned((await core.call('unread', {})).items), [], `${name} was not warned`);
}

test('a room with a password: made, entered, spoken in; who enters is shown what was said', async (t) => {
  const { alice, bob } = await trio();
  const made = await alice.core.call('room-create', { room: 'garden', inviteOnly: false });
  t.equal(made.password?.split(' ').length, 5, 'a password of five words is drawn');
  t.match(made, { name: 'garden', standing: 'member', kind: 'password', by: 'alice', members: 1, common: false });
  for (const text of ['one', 'two', 'three']) t.match(await say(alice, 'garden', text), taken);
  t.match(await bob.core.call('room-join', { room: 'garden', password: made.password ?? '' }), { members: 2 });
  t.same(await texts(bob, 'garden'), ['alice: one', 'alice: two', 'alice: three'], 'before join says that it is done');
  t.match(await say(bob, 'garden', 'hello'), taken);
  await heard(alice, 'garden', 'hello');
  t.same(await memberNames(alice, 'garden'), ['alice owner', 'bobby member']);
  t.same(await memberNames(bob, 'garden'), ['alice owner', 'bobby member']);
  const { lines } = await alice.core.call('history', { name: '#garden', after: 0 });
  t.same(
    lines.map((line) => (line.type === 'in' ? `${line.from} ${line.text}` : `me ${line.text}`)),
    ['me one', 'me two', 'me three', 'bobby hello'],
  );
  await quiet(t, alice, bob);
});

test('what is refused to a person, each with its code', async (t) => {
  const { alice, bob, carol } = await trio();
  await roomOf('refusals', alice, bob);
  const join = (guest: Guest, room: string, password?: string) =>
    code(guest.core.call('room-join', { room, ...(password === undefined ? {} : { password }) }));
  t.equal(await join(carol, 'refusals', 'not the password'), 'room-refused', 'a wrong password');
  t.equal(await join(carol, 'no_such_room', 'not the password'), 'room-refused', 'no such room: the same');
  t.equal(await join(carol, 'refusals'), 'room-needs-password');
  t.equal(await join(bob, 'refusals', 'whatever it is'), 'room-joined', 'joined twice');
  t.equal(await join(carol, 'r\u0435fusals', 'whatever'), 'bad-room', 'a Cyrillic е');
  const call = bob.core;
  t.equal(await code(call.call('room-create', { room: 'refusals', inviteOnly: false })), 'room-joined');
  t.equal(await code(carol.core.call('room-create', { room: 'refusals', inviteOnly: false })), 'room-taken');
  t.equal(
    await code(carol.core.call('room-create', { room: 'short', inviteOnly: false, password: 'short' })),
    'room-weak-password',
  );
  t.equal(await code(call.call('room-remove', { room: 'refusals', name: 'alice' })), 'room-not-owner');
  t.equal(await code(call.call('room-owner', { room: 'refusals', name: 'alice' })), 'room-not-owner');
  t.equal(await code(call.call('room-passwd', { room: 'refusals' })), 'room-not-owner');
  t.equal(await code(call.call('room-delete', { room: 'refusals' })), 'room-not-owner');
  t.equal(await code(call.call('room-invite', { room: 'refusals', name: 'carol' })), 'never-asked');
  t.equal(await code(alice.core.call('room-leave', { room: 'refusals' })), 'room-owner-leaves');
  t.equal(await code(alice.core.call('room-remove', { room: 'refusals', name: 'carol' })), 'room-no-member');
  t.equal(await code(alice.core.call('room-invite', { room: 'refusals', name: 'bobby' })), 'room-has-member');
  t.equal(await code(carol.core.call('send', { to: '#refusals', text: 'let me in' })), 'room-unknown', 'a non-member');
  t.equal(await code(carol.core.call('room-decline', { room: 'refusals' })), 'room-unknown');
  await quiet(t, alice, bob, carol);
});

test('a room by invitation alone: followed, declined, and who accepts is shown the newest 20', async (t) => {
  const { alice, bob, carol } = await trio();
  await alice.core.call('room-create', { room: 'cellar', inviteOnly: true });
  for (let n = 0; n < 22; n++) await say(alice, 'cellar', `text ${String(n)}`);
  for (const name of ['bobby', 'carol']) await alice.core.call('room-invite', { room: 'cellar', name });
  await told(bob, 'cellar', 'invited', 'alice');
  await told(carol, 'cellar', 'invited', 'alice');
  t.same(await memberNames(alice, 'cellar'), ['alice owner', 'bobby invited', 'carol invited']);
  const { rooms } = await bob.core.call('rooms', {});
  t.match(
    rooms.find(({ name }) => name === 'cellar'),
    { standing: 'invited', by: 'alice', kind: 'invitation' },
  );
  await carol.core.call('room-decline', { room: 'cellar' });
  await told(alice, 'cellar', 'invitation-declined', 'carol');
  t.match(await bob.core.call('room-join', { room: 'cellar' }), { standing: 'member', members: 2 });
  t.same(
    await texts(bob, 'cellar'),
    Array.from({ length: 20 }, (_, n) => `alice: text ${String(n + 2)}`),
  );
  await told(alice, 'cellar', 'entered', 'bobby');
  t.equal(await code(bob.core.call('room-passwd', { room: 'cellar' })), 'room-not-owner');
  t.equal(await code(alice.core.call('room-passwd', { room: 'cellar' })), 'room-has-no-password');
  t.equal(await code(carol.core.call('room-join', { room: 'cellar', password: 'any password' })), 'room-refused');
  await alice.core.call('room-invite', { room: 'cellar', name: 'carol' });
  await told(carol, 'cellar', 'invited', 'alice');
  await carol.core.call('room-join', { room: 'cellar' });
  t.match(await say(carol, 'cellar', 'after all'), taken);
  await heard(bob, 'cellar', 'after all');
  await quiet(t, alice, bob, carol);
});

test('an invitation is taken back: it can be followed no more, and another is one', async (t) => {
  const { alice, bob, carol } = await trio();
  await alice.core.call('room-create', { room: 'attic', inviteOnly: true });
  for (const name of ['bobby', 'carol']) {
    await alice.core.call('room-invite', { room: 'attic', name });
    await told(name === 'carol' ? carol : bob, 'attic', 'invited', 'alice');
  }
  await carol.core.call('room-join', { room: 'attic' });
  t.equal(await code(carol.core.call('room-remove', { room: 'attic', name: 'bobby' })), 'room-not-owner');
  await alice.core.call('room-remove', { room: 'attic', name: 'bobby' });
  t.same(await memberNames(alice, 'attic'), ['alice owner', 'carol member']);
  await told(bob, 'attic', 'invitation-ended');
  t.equal(await code(bob.core.call('room-join', { room: 'attic' })), 'room-needs-password');
  t.equal(await code(alice.core.call('room-remove', { room: 'attic', name: 'bobby' })), 'room-no-member');
  await alice.core.call('room-invite', { room: 'attic', name: 'bobby' });
  await told(bob, 'attic', 'invited', 'alice');
  await bob.core.call('room-join', { room: 'attic' });
  t.match(await say(bob, 'attic', 'after all'), taken);
  for (const one of [alice, carol]) await heard(one, 'attic', 'after all');
  await quiet(t, alice, bob, carol);
});

test('an invitee follows new epochs before the answer', async (t) => {
  const { alice, bob, carol } = await trio();
  await roomOf('moving', alice, bob);
  await alice.core.call('room-invite', { room: 'moving', name: 'carol' });
  await told(carol, 'moving', 'invited', 'alice');
  await alice.core.call('room-passwd', { room: 'moving' });
  await bob.core.call('room-leave', { room: 'moving' });
  await told(alice, 'moving', 'left', 'bobby');
  t.match(await say(alice, 'moving', 'a third epoch'), taken);
  t.match(await carol.core.call('room-join', { room: 'moving' }), { standing: 'member', members: 2 });
  t.same(await texts(carol, 'moving'), ['alice: a third epoch']);
  t.match(await say(carol, 'moving', 'here'), taken);
  await heard(alice, 'moving', 'here');
  await quiet(t, alice, carol);
});

test('who is away gets everything once, in order, through new epochs; what they wrote goes sealed anew', async (t) => {
  const { host, alice, bob, carol } = await trio();
  await roomOf('winter', alice, bob, carol);
  await say(bob, 'winter', 'before');
  await heard(alice, 'winter', 'before');
  await leave(bob);
  t.equal(await say(alice, 'winter', 'first'), 'queued', 'on the daemon’s disk for who is away');
  await carol.core.call('room-leave', { room: 'winter' });
  await told(alice, 'winter', 'left', 'carol');
  await say(alice, 'winter', 'second, in another epoch');
  await alice.core.call('room-passwd', { room: 'winter' });
  await say(alice, 'winter', 'third, in a third epoch');
  await comeBack(host, bob, false);
  t.equal((await bob.core.call('send', { to: '#winter', text: 'written while away' })).state, 'waiting');
  await bob.core.connect();
  await bob.core.call('drained', {});
  t.same(await texts(bob, 'winter'), [
    'alice: first',
    'alice: second, in another epoch',
    'alice: third, in a third epoch',
  ]);
  await heard(alice, 'winter', 'written while away');
  t.equal((await texts(alice, 'winter')).filter((text) => text.includes('written while away')).length, 1);
  await quiet(t, alice, bob);
});

test('somebody is removed: another key and another password for those who stay', async (t) => {
  const { alice, bob, carol } = await trio();
  const before = await roomOf('tower', alice, bob, carol);
  const removed = await alice.core.call('room-remove', { room: 'tower', name: 'bobby' });
  t.not(removed.password, undefined, 'a new password is drawn');
  t.not(removed.password, before);
  await told(bob, 'tower', 'you-removed');
  await told(carol, 'tower', 'removed', 'bobby');
  t.equal(await code(bob.core.call('send', { to: '#tower', text: 'still here?' })), 'room-unknown');
  t.match(await say(alice, 'tower', 'without bob'), taken);
  await heard(carol, 'tower', 'without bob');
  t.equal(await code(bob.core.call('room-join', { room: 'tower', password: before })), 'room-refused');
  await bob.core.call('room-join', { room: 'tower', password: removed.password ?? '' });
  t.same(await texts(bob, 'tower'), ['alice: without bob'], 'with the new password they are shown the new epoch');
  t.same(await notices(carol, 'tower'), ['removed bobby', 'entered bobby']);
  await quiet(t, alice, bob, carol);
});

test('a room is handed over; the former owner leaves; the new one may do what owners do', async (t) => {
  const { alice, bob, carol } = await trio();
  await roomOf('harbour', alice, bob, carol);
  t.match(await alice.core.call('room-owner', { room: 'harbour', name: 'bobby' }), { by: 'bobby' });
  await told(bob, 'harbour', 'owner');
  await told(carol, 'harbour', 'owner', 'bobby');
  t.equal(await code(alice.core.call('room-delete', { room: 'harbour' })), 'room-not-owner');
  await alice.core.call('room-leave', { room: 'harbour' });
  await told(bob, 'harbour', 'left', 'alice');
  t.same(
    (await alice.core.call('rooms', {})).rooms.filter(({ name }) => name === 'harbour'),
    [],
  );
  await bob.core.call('room-remove', { room: 'harbour', name: 'carol' });
  await told(carol, 'harbour', 'you-removed');
  t.same(await memberNames(bob, 'harbour'), ['bobby owner']);
  await bob.core.call('room-delete', { room: 'harbour' });
  t.equal(await code(bob.core.call('room-members', { room: 'harbour' })), 'room-unknown');
  await quiet(t, alice, bob, carol);
});

test('a deleted room is gone for everybody, and its name is free', async (t) => {
  const { host, alice, bob, carol } = await trio();
  await roomOf('shed', alice, bob, carol);
  await leave(carol);
  await say(alice, 'shed', 'nobody will read this later');
  await heard(bob, 'shed', 'nobody will read this later');
  await alice.core.call('room-delete', { room: 'shed' });
  await told(bob, 'shed', 'room-deleted');
  await comeBack(host, carol);
  await told(carol, 'shed', 'room-deleted');
  t.same(await texts(carol, 'shed'), [], 'what waited for who was away is gone');
  t.same(await texts(bob, 'shed'), [], 'and so is what was there');
  await bob.core.call('room-create', { room: 'shed', inviteOnly: true });
  t.same(await memberNames(bob, 'shed'), ['bobby owner']);
  await quiet(t, alice, bob, carol);
});

test('a text of 64 KiB, and texts of many at once', async (t) => {
  const { alice, bob, carol } = await trio();
  await roomOf('stage', alice, bob, carol);
  const long = 'ä'.repeat(32 * 1024);
  t.match(await say(alice, 'stage', long), taken);
  for (const guest of [bob, carol]) await heard(guest, 'stage', long);
  t.equal(await code(alice.core.call('send', { to: '#stage', text: `${long}!` })), 'text-long');
  const all = [alice, bob, carol].flatMap((guest) =>
    [1, 2, 3, 4, 5].map((n) => ({ guest, text: `${guest.name} ${String(n)}` })),
  );
  await Promise.all(all.map(({ guest, text }) => say(guest, 'stage', text)));
  for (const guest of [alice, bob, carol])
    for (const { guest: from, text } of all) if (from !== guest) await heard(guest, 'stage', text);
  for (const guest of [alice, bob, carol]) {
    const heardTexts = (await texts(guest, 'stage')).filter((text) => !text.includes('ä'));
    for (const from of [alice, bob, carol].filter((one) => one !== guest))
      t.same(
        heardTexts.filter((text) => text.startsWith(from.name)),
        [1, 2, 3, 4, 5].map((n) => `${from.name}: ${from.name} ${String(n)}`),
        `${guest.name} heard ${from.name} in order, each once`,
      );
  }
  await quiet(t, alice, bob, carol);
});

test('somebody leaves, and the others speak at once: one new epoch', async (t) => {
  const { alice, bob, carol } = await trio();
  for (let round = 0; round < 5; round++) {
    const room = `quarrel${String(round)}`;
    await roomOf(room, alice, bob, carol);
    await carol.core.call('room-leave', { room });
    await Promise.all([told(alice, room, 'left', 'carol'), told(bob, room, 'left', 'carol')]);
    await Promise.all([say(alice, room, 'from alice'), say(bob, room, 'from bob')]);
    await Promise.all([heard(alice, room, 'from bob'), heard(bob, room, 'from alice')]);
  }
  await quiet(t, alice, bob);
});

test('who invited somebody may leave at once: nobody takes the invitee for a ghost', async (t) => {
  const { alice, bob, carol } = await trio();
  const password = await roomOf('porch', bob, alice);
  await alice.core.call('room-invite', { room: 'porch', name: 'carol' });
  await told(carol, 'porch', 'invited', 'alice');
  await carol.core.call('room-join', { room: 'porch' });
  await alice.core.call('room-leave', { room: 'porch' });
  await told(carol, 'porch', 'left', 'alice');
  await alice.core.call('room-join', { room: 'porch', password });
  t.same(await memberNames(alice, 'porch'), ['bobby owner', 'alice member', 'carol member']);
  t.match(await say(alice, 'porch', 'back again'), taken);
  await heard(carol, 'porch', 'back again');
  t.same(await memberNames(bob, 'porch'), ['bobby owner', 'alice member', 'carol member']);
  await quiet(t, alice, bob, carol);
});

test('who comes back is heard behind what they said before', async (t) => {
  const { alice, bob } = await trio();
  const password = await roomOf('gate', alice, bob);
  for (const text of ['one', 'two', 'three']) await say(bob, 'gate', text);
  await heard(alice, 'gate', 'three');
  await bob.core.call('room-leave', { room: 'gate' });
  await bob.core.call('room-join', { room: 'gate', password });
  for (const text of ['four', 'five']) await say(bob, 'gate', text);
  await heard(alice, 'gate', 'five');
  t.same(
    await texts(alice, 'gate'),
    ['one', 'two', 'three', 'four', 'five'].map((text) => `bobby: ${text}`),
  );
  await quiet(t, alice, bob);
});

test('after everything: the daemon is stopped, and its clients end', async (t) => {
  const { daemon } = await trio();
  for (const work of teardowns) await work();
  t.notMatch(daemon.log(), /error/i, 'the daemon had no trouble');
});

test('the common room: offered at each login until one enters it or it is offered no more', async (t) => {
  const args = ['--lobby', 'plaza'];
  const daemon = await startLavish(t, { network: await makeNetwork(), args });
  const ann = await newGuest(t, atDaemon(daemon), 'ann');
  await told(ann, 'plaza', 'offered');
  const offered = async (): Promise<string[]> => {
    const { rooms } = await ann.core.call('rooms', {});
    return rooms.map(({ name, standing }) => `${name} ${standing}`);
  };
  for (let login = 0; login < 5; login++) {
    t.same(await offered(), ['plaza offered']);
    await leave(ann);
    await comeBack(atDaemon(daemon), ann);
  }
  await leave(ann);
  await daemon.stop();
  const { network, data } = daemon;
  const without = await startLavish(t, { network, data });
  await comeBack(atDaemon(without), ann);
  t.same(await offered(), [], 'without --lobby');
  t.equal(await code(ann.core.call('room-join', { room: 'plaza' })), 'room-needs-password');
  await leave(ann);
  await without.stop();
  const again = await startLavish(t, { network, data, args });
  await comeBack(atDaemon(again), ann);
  t.match(await ann.core.call('room-join', { room: 'plaza' }), { standing: 'member', members: 1 });
  t.same(await offered(), ['plaza member']);
});
