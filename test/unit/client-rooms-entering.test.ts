/** Clients that enter a room by a password or an invitation, and a daemon that has them enter another (SPEC 9). */
import tap, { test } from 'tap';
import { fromHex, hex, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { goesOn, openCast, PASSWORD } from '../support/room-cast.js';
import {
  altered,
  changeOf,
  failure,
  inject,
  inside,
  invitationOf,
  readAll,
  roomOf,
  shown,
  tamper,
  until,
} from '../support/room-hostile.js';
import { heard, memberNames, say, told } from '../support/room-lab.js';

const { lab, alice, bob, carol, roomWith, lastTo } = await openCast(tap);

test('7: R under the password that it is not committed to, and another R: nothing is entered', async (t) => {
  await roomWith('wrapped');
  const room = roomOf(await inside(lab, alice), 'wrapped');
  for (const [change, step] of [
    [{ commitment: nodeSync.random(32) }, 'commitment'],
    [{ wrapped: nodeSync.random(48) }, 'seal'],
    [{ epoch: room.epoch + 1 }, 'commitment'],
  ] as const) {
    lab.asked = async (_guest, struct, _values, next) => {
      const reply = await next();
      return struct.name === 'jrms2' && !reply.isError ? altered(reply, structs.jrms2Answer, change) : reply;
    };
    const entering = bob.core.call('room-join', { room: 'wrapped', password: PASSWORD });
    t.equal(await failure(entering), 'room-wrap 4');
    t.ok(await entering.catch((thrown: unknown) => String(thrown).includes(`(${step})`)));
    t.notOk((await inside(lab, bob)).state.rooms.has('#wrapped'));
  }
  lab.asked = (_guest, _struct, _values, next) => next();
  await bob.core.call('room-join', { room: 'wrapped', password: PASSWORD });
  await goesOn('wrapped', alice, bob);
});

test('7: an invitation counts once: for somebody who was removed the daemon can’t use it again', async (t) => {
  lab.asked = (_guest, _struct, _values, next) => next();
  await alice.core.call('room-create', { room: 'once', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'once', name: 'bobby' });
  await told(bob, 'once', 'invited', 'alice');
  const b = await inside(lab, bob);
  const room = roomOf(await inside(lab, alice), 'once');
  const { rooms } = lab.server.context;
  const invited = (await rooms.load(fromHex(room.id)))?.state.rows.filter((row) => hex(row.uid) === hex(b.uid)) ?? [];
  t.equal(invited.length, 1);
  await bob.core.call('room-join', { room: 'once' });
  await told(alice, 'once', 'entered', 'bobby');
  await alice.core.call('room-remove', { room: 'once', name: 'bobby' });
  await told(bob, 'once', 'you-removed');
  await tamper(lab, room, (state) => ({ ...state, rows: [...state.rows, ...invited] }));
  t.same(await memberNames(alice, 'once'), ['alice owner'], 'nobody is shown as invited');
  await tamper(lab, room, (state) => ({ ...state, isClosed: true }));
  t.match(await say(alice, 'once', 'in another epoch'), /^(queued|delivered)$/);
  const after = (await rooms.load(fromHex(room.id)))?.state.rows.map(({ uid }) => hex(uid));
  t.same(after, [hex((await inside(lab, alice)).uid)], 'and no block was made');
});

test('8: invitations that are not for me', async (t) => {
  await readAll(alice, bob, carol);
  lab.drop = () => false;
  lab.asked = (_guest, _struct, _values, next) => next();
  const [a, b, c] = [await inside(lab, alice), await inside(lab, bob), await inside(lab, carol)];
  await alice.core.call('room-create', { room: 'salon', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'salon', name: 'mallory' });
  await alice.core.call('room-invite', { room: 'salon', name: 'bobby' });
  await told(bob, 'salon', 'invited', 'alice');
  const all = lab.passed.filter(({ name }) => name === 'ivrm');
  const theirs = all.at(-2)?.values as Values<typeof structs.ivrm>;
  const mine = all.at(-1)?.values as Values<typeof structs.ivrm>;
  await readAll(bob);
  await inject(lab, b.uid, structs.ivrm, theirs);
  t.same(await shown(bob, 'salon'), ['invitation-refused alice invitation'], 'of another');
  await inject(lab, b.uid, structs.ivrm, theirs);
  t.equal((await shown(bob, 'salon')).length, 1, 'once');
  await readAll(bob);
  await bob.core.call('room-decline', { room: 'salon' });
  const room = roomOf(await inside(lab, alice), 'salon');
  const spoil: readonly [string, Partial<Values<typeof structs.ivrm>>][] = [
    ['stranger', { inviter: c.uid }],
    ['alice invitation', { name: 'saloon' }],
    ['alice invitation', { room: nodeSync.random(16) }],
    ['alice invitation', { epoch: 2 }],
    ['alice invitation', { expires: mine.expires + 1 }],
    ['alice invitation', { head: nodeSync.random(32) }],
    ['alice invitation', { block: nodeSync.random(256) }],
    ['alice kind', { kind: 0 }],
  ];
  for (const [line, change] of spoil) {
    const event = { ...(await invitationOf(a, b, room)), ...change };
    await inject(lab, b.uid, structs.ivrm, event);
    t.same(await shown(bob, event.name), [`invitation-refused ${line}`]);
    await readAll(bob);
  }
  await inject(lab, b.uid, structs.ivrm, mine);
  t.same(await shown(bob, 'salon'), [], 'declined: it does not come back');
  t.notOk((await inside(lab, bob)).state.rooms.has('#salon'));
  t.ok(a.state.contacts.has('bobby'));
});

test('8: expired; a damaged block that its inviter signed; a room that I know under another name', async (t) => {
  await roomWith('known', bob);
  await say(alice, 'known', 'said once');
  await heard(bob, 'known', 'said once');
  await readAll(bob);
  const [a, b] = [await inside(lab, alice), await inside(lab, bob)];
  const room = roomOf(b, 'known');
  const elsewhere = () => ({ ...room, id: hex(nodeSync.random(16)) });
  const said = lastTo(b, structs.rvrm);
  await inject(
    lab,
    b.uid,
    structs.ivrm,
    await invitationOf(a, b, elsewhere(), { name: 'expired', expires: Date.now() - 1 }),
  );
  t.same(await shown(bob, 'expired'), ['invitation-refused alice expired']);
  await inject(
    lab,
    b.uid,
    structs.ivrm,
    await invitationOf(a, b, elsewhere(), { name: 'damaged', block: nodeSync.random(256) }),
  );
  t.same(await shown(bob, 'damaged'), ['invitation-refused alice block']);
  await inject(lab, b.uid, structs.ivrm, await invitationOf(a, b, room, { name: 'other' }));
  t.same(await shown(bob, 'other'), ['invitation-refused alice taken']);
  await failure(bob.core.call('room-decline', { room: 'other' }));
  await inject(lab, b.uid, structs.rvrm, said);
  t.same(await shown(bob, 'known'), [], 'what was said there is still known');
  await inject(lab, b.uid, structs.ivrm, await invitationOf(a, b, elsewhere(), { name: 'known' }));
  t.same(await shown(bob, 'known'), ['invitation-refused alice taken'], 'another room of a name that I know');
  await goesOn('known', alice, bob);
});

test('8: somebody who left, and knows the key, does not lead an invitee to a room of their own', async (t) => {
  await roomWith('led', carol);
  await alice.core.call('room-invite', { room: 'led', name: 'bobby' });
  await told(bob, 'led', 'invited', 'alice');
  await until(bob, async () => (await inside(lab, bob)).state.members.has('#led@carol'));
  await carol.core.call('room-leave', { room: 'led' });
  await until(bob, async () => !(await inside(lab, bob)).state.members.has('#led@carol'));
  await readAll(bob);
  const [a, b, c] = [await inside(lab, alice), await inside(lab, bob), await inside(lab, carol)];
  const room = { ...roomOf(b, 'led'), owner: hex(a.uid) };
  const led = await changeOf(room, { signer: c, to: b.enc.modulus, list: [a, c] });
  await inject(lab, b.uid, structs.chrm, led);
  t.same(await shown(bob, 'led'), ['change-refused signer']);
  t.equal(roomOf(await inside(lab, bob), 'led').epoch, room.epoch, 'the invitation is what it was');
  t.equal(await failure(bob.core.call('room-join', { room: 'led' })), 'done');
  await goesOn('led', alice, bob);
});
