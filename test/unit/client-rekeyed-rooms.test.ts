/** Rooms after new keys, and after the end of an account (SPEC 6.12 to 6.14, 9.4, 9.9). */
import { test } from 'tap';
import { DELETION_FILE } from '../../src/client/identity.js';
import { giveCode, openRecoveryLab, recovered, renew } from '../support/recovery-lab.js';
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
import type { Teardown } from '../support/temp.js';
import { code, isNotice, secrets, unread } from './client-parties.js';

const PASSWORD = 'five words of the room';

async function cast(t: Teardown) {
  const lab = await openRecoveryLab(t);
  const [alice, bob, carol] = [
    await newGuest(t, lab.host, 'alice'),
    await newGuest(t, lab.host, 'bobby'),
    await newGuest(t, lab.host, 'carol'),
  ];
  await befriended(alice, bob);
  return { lab, alice, bob, carol };
}

async function roomOf(owner: Guest, name: string, ...others: readonly Guest[]): Promise<void> {
  await owner.core.call('room-create', { room: name, inviteOnly: false, password: PASSWORD });
  const here = [owner];
  for (const one of others) {
    await one.core.call('room-join', { room: name, password: PASSWORD });
    for (const before of here) await told(before, name, 'entered', one.name);
    here.push(one);
  }
}

const join = ({ core }: Guest, room: string) => core.call('room-join', { room, password: PASSWORD });

/** No warning about the room came to them. */
async function isCalm({ core }: Guest): Promise<string[]> {
  const { items } = await core.call('unread', {});
  const bad = new Set(['ghost', 'untrusted', 'change-refused', 'room-key', 'gap', 'unreadable']);
  return items.flatMap((item) => (item.type === 'notice' && bad.has(item.kind) ? [`${item.kind} ${item.detail}`] : []));
}

async function talk(room: string, ...all: readonly Guest[]): Promise<void> {
  for (const one of all) {
    const text = `${one.name} ${String(Math.random())}`;
    await say(one, room, text);
    for (const other of all) if (other !== one) await heard(other, room, text);
  }
}

test('who has new keys has left the room, and comes back into its next epoch', async (t) => {
  const { alice, bob, carol } = await cast(t);
  await roomOf(alice, 'garden', bob, carol);
  await renew(bob);
  await told(alice, 'garden', 'left', 'bobby');
  await told(bob, 'garden', 'you-removed');
  t.equal(await code(join(bob, 'garden')), 'room-awaits', 'others know them by the former keys');
  t.same(await memberNames(carol, 'garden'), ['alice owner', 'carol member']);
  await talk('garden', alice, carol);
  await join(bob, 'garden');
  await told(carol, 'garden', 'entered', 'bobby');
  await talk('garden', alice, bob, carol);
  for (const guest of [alice, bob, carol]) t.same(await isCalm(guest), [], guest.name);
});

test('where the owner has new keys whoever begins the next epoch owns the room', async (t) => {
  const { lab, alice, bob, carol } = await cast(t);
  await roomOf(alice, 'garden', bob, carol);
  await renew(alice);
  await told(bob, 'garden', 'left', 'alice');
  await told(carol, 'garden', 'left', 'alice');
  await leave(carol);
  await talk('garden', bob);
  await told(bob, 'garden', 'owner');
  await comeBack(lab.host, carol);
  await told(carol, 'garden', 'owner', 'bobby');
  await join(alice, 'garden');
  await told(carol, 'garden', 'entered', 'alice');
  await talk('garden', alice, bob, carol);
  t.equal(await code(alice.core.call('room-passwd', { room: 'garden', password: PASSWORD })), 'room-not-owner');
  await bob.core.call('room-passwd', { room: 'garden', password: PASSWORD });
  await bob.core.call('room-owner', { room: 'garden', name: 'alice' });
  await told(alice, 'garden', 'owner');
  await talk('garden', alice, bob, carol);
  for (const guest of [alice, bob, carol]) t.same(await isCalm(guest), [], guest.name);
});

test('a room in which only its owner was is gone with the former keys', async (t) => {
  const { lab, alice, bob } = await cast(t);
  await roomOf(alice, 'alone');
  await alice.core.call('room-create', { room: 'waiting', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'waiting', name: 'bobby' });
  await told(bob, 'waiting', 'invited');
  const typed = await giveCode(lab, 'alice');
  await leave(alice);
  const again = await recovered(t, lab, 'alice', typed);
  await told(bob, 'waiting', 'invitation-ended');
  for (const name of ['alone', 'waiting']) t.equal(await lab.daemon.store.roomByName(name), undefined, name);
  await again.core.call('room-create', { room: 'alone', inviteOnly: true });
});

test('into a room of invitations, who has new keys is invited anew', async (t) => {
  const { alice, bob } = await cast(t);
  await alice.core.call('room-create', { room: 'closed', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'closed', name: 'bobby' });
  await told(bob, 'closed', 'invited');
  await bob.core.call('room-join', { room: 'closed' });
  await told(alice, 'closed', 'entered', 'bobby');
  await renew(bob);
  await told(alice, 'closed', 'left', 'bobby');
  await unread(alice.core, isNotice('renewed'));
  await bob.core.call('drained', {});
  await told(bob, 'closed', 'you-removed');
  await alice.core.call('room-invite', { room: 'closed', name: 'bobby' });
  await unread(bob.core, (item) => item.type === 'notice' && item.kind === 'invited' && item.order > 3);
  await bob.core.call('room-join', { room: 'closed' });
  await talk('closed', alice, bob);
  for (const guest of [alice, bob]) t.same(await isCalm(guest), [], guest.name);
});

test('an account is deleted by its owner: rooms, name, words of others', async (t) => {
  const { lab, alice, bob, carol } = await cast(t);
  await roomOf(alice, 'owned', bob);
  await roomOf(carol, 'joined', alice, bob);
  const over = new Promise((resolve) => {
    alice.core.on((event) => {
      if (event.type === 'ended') resolve(event.trouble.code);
    });
  });
  t.equal(await code(alice.core.call('delete-account', { ...secrets, words: 'not these words' })), 'wrong-words');
  t.notOk(alice.storage.files.has(DELETION_FILE));
  await alice.core.call('delete-account', secrets);
  t.equal(await over, 'account-gone');
  await told(bob, 'owned', 'room-deleted');
  await told(carol, 'joined', 'left', 'alice');
  await talk('joined', bob, carol);
  const { state, trouble } = await bob.core.call('send', { to: 'alice', text: 'to nobody' });
  t.match([state, trouble?.code], ['waiting', 'not-accepted']);
  t.equal((await bob.core.call('contacts', { check: true })).contacts[0]?.check, 'unknown');
  await leave(alice);
  await t.rejects(comeBack(lab.host, alice), { code: 'login-refused' });
  t.ok(alice.storage.files.has(DELETION_FILE), 'whoever looks knows why');
  await leave(alice);
  const next = await newGuest(t, lab.host, 'alice');
  t.same((await next.core.call('contacts', { check: false })).contacts, []);
  t.equal(lab.daemon.troubles.length, 0);
});

test('the answer to a deletion is lost: a login that is refused is one', async (t) => {
  const { lab, bob } = await cast(t);
  const { store } = lab.daemon;
  const own = store.deleteAccount.bind(store);
  Object.assign(store, {
    deleteAccount: async (uid: Uint8Array) => {
      const done = await own(uid);
      lab.daemon.context.presence.get(Buffer.from(uid).toString('latin1'))?.close(503);
      return done;
    },
  });
  await bob.core.call('delete-account', secrets);
  Object.assign(store, { deleteAccount: own });
  t.equal(await store.accountByName('bobby'), undefined);
});
