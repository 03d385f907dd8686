/** Clients that enter a room by a password or an invitation, and a daemon that has them enter another (SPEC 9). */
import tap, { test } from 'tap';
import { Code, fromHex, hex, structs, type Values } from '../../protocol/index.js';
import { registerCore } from '../../src/client/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { goesOn, openCast, PASSWORD } from '../support/room-cast.js';
import {
  altered,
  answerOf,
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
import { befriended, heard, memberNames, say, told, type Guest } from '../support/room-lab.js';
import { secrets } from './client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const { lab, alice, bob, carol, mallory, roomWith, lastTo } = await openCast(tap);

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
  await until(bob, async () => (await inside(lab, bob)).state.members.get('#led@carol')?.left === true);
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

test('11: another epoch begins while the daemon counts what it keeps: head and block are of one epoch', async (t) => {
  await roomWith('counted');
  await say(alice, 'counted', 'a text');
  const { store } = lab.server.context as unknown as { store: { said: (id: Uint8Array) => Promise<unknown> } };
  const said = store.said.bind(store);
  let isAsked = false;
  lab.asked = (guest, struct, _values, next) => {
    if (guest === bob.storage && struct.name === 'strm' && !isAsked) {
      isAsked = true;
      store.said = async (id) => {
        store.said = said;
        const result = await said(id);
        await alice.core.call('room-passwd', { room: 'counted', password: PASSWORD });
        return result;
      };
    }
    return next();
  };
  t.equal(await failure(bob.core.call('room-join', { room: 'counted', password: PASSWORD })), 'done');
  t.equal(store.said, said, 'it came to that');
  await goesOn('counted', alice, bob);
});

test('12: a new password is set while the answer to the right one waits: it is refused, and nobody accused', async (t) => {
  await roomWith('paced');
  lab.asked = async (guest, struct, _values, next) => {
    if (guest !== bob.storage || struct.name !== 'jrms2') return next();
    lab.asked = (_guest, _struct, _value, other) => other();
    const reply = next(); // the daemon has looked at the password, and waits
    await new Promise((resolve) => setTimeout(resolve, 5));
    await alice.core.call('room-passwd', { room: 'paced', password: 'another password' });
    return reply;
  };
  t.equal(await failure(bob.core.call('room-join', { room: 'paced', password: PASSWORD })), 'room-refused 1');
});

test('10: a room that could not be entered again is what it was, with its texts and what waits for it', async (t) => {
  await roomWith('later', bob);
  await say(alice, 'later', 'a text');
  await heard(bob, 'later', 'a text');
  const { uid } = await inside(lab, bob);
  lab.drop = (to) => hex(to) === hex(uid);
  await mallory.core.call('room-join', { room: 'later', password: PASSWORD });
  await carol.core.call('room-join', { room: 'later', password: PASSWORD });
  await carol.core.call('room-leave', { room: 'later' });
  await told(mallory, 'later', 'left', 'carol');
  await say(mallory, 'later', 'begins an epoch');
  lab.drop = () => false;
  const waits = say(bob, 'later', 'waits');
  await until(bob, async () => roomOf(await inside(lab, bob), 'later').untrusted === true);
  const texts = async (): Promise<readonly string[]> =>
    (await bob.core.call('history', { name: '#later', after: 0 })).lines.map(({ text }) => text);
  for (const [step, code, what] of [
    ['jrms3', Code.storage, 'unavailable 3'],
    ['jrms3', Code.limited, 'room-full 5'],
    ['jrms2', Code.limited, 'limited 5'],
    ['jrms2', Code.authentication, 'room-refused 1'],
  ] as const) {
    let isAsked = false;
    lab.asked = async (guest, struct, _values, next) => {
      const reply = await next();
      if (guest !== bob.storage) return reply;
      isAsked ||= struct.name === step;
      return struct.name === step || (isAsked && struct.name === 'strm') ? answerOf(reply, code) : reply;
    };
    t.equal(await failure(bob.core.call('room-join', { room: 'later', password: PASSWORD })), what);
    t.ok(isAsked);
    t.equal(roomOf(await inside(lab, bob), 'later').untrusted, true, what);
    t.same(await texts(), ['a text', 'waits'], what);
  }
  lab.asked = (_guest, _struct, _values, next) => next();
  t.equal(await failure(bob.core.call('room-join', { room: 'later', password: PASSWORD })), 'done');
  await heard(alice, 'later', 'waits');
  t.match(await waits, /waiting|delivered|queued/);
  t.same((await texts()).slice(0, 2), ['a text', 'waits']);
  await goesOn('later', alice, bob);
});

test('10: who was removed from a room that they do not trust enters it anew', async (t) => {
  await roomWith('outside', bob);
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || struct.name !== 'strm') return reply;
    return altered(reply, structs.strmAnswer, { key: nodeSync.random(32) });
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'outside' })), 'room-untrusted 4');
  lab.asked = (_guest, _struct, _values, next) => next();
  lab.drop = (_to, name) => name === 'lfrm';
  await alice.core.call('room-remove', { room: 'outside', name: 'bobby', password: PASSWORD });
  lab.drop = () => false;
  t.equal(await failure(bob.core.call('room-join', { room: 'outside', password: PASSWORD })), 'done');
  await goesOn('outside', alice, bob);
});

test('9: somebody enters while an invitation is followed: what was said before comes', async (t) => {
  const [storage, clock, crypto] = [new MemoryStorage(), new MovableClock(), await clientCrypto()];
  let gate: Promise<void> | undefined;
  let [isHeld, open] = [(): void => undefined, (): void => undefined];
  const { asymmetric } = crypto;
  const pssVerify: typeof asymmetric.pssVerify = async (...args) => {
    if (gate) isHeld();
    await gate;
    return asymmetric.pssVerify(...args);
  };
  const slow = { ...crypto, asymmetric: { ...asymmetric, pssVerify } };
  const core = await registerCore({ ...lab.host, crypto: slow, storage, clock, log: () => undefined }, 'dave', secrets);
  t.teardown(() => core.close());
  const dave: Guest = { name: 'dave', storage, clock, core };
  await befriended(alice, dave);
  await roomWith('crossing', bob);
  await say(bob, 'crossing', 'said before');
  await alice.core.call('room-invite', { room: 'crossing', name: 'dave' });
  await told(dave, 'crossing', 'invited', 'alice');
  await until(dave, async () => roomOf(await inside(lab, dave), 'crossing').owner !== '');
  const held = new Promise<void>((resolve) => (isHeld = resolve));
  let looks = 0;
  lab.asked = async (guest, struct, _values, next) => {
    if (guest !== storage) return next();
    if (struct.name === 'strm' && ++looks === 2) {
      /* The look before the entry; behind it Carol enters, and while that is looked at the entry leaves. */
      const reply = await next();
      gate = new Promise((resolve) => (open = resolve));
      void carol.core.call('room-join', { room: 'crossing', password: PASSWORD });
      await held;
      gate = undefined;
      setTimeout(open, 50);
      return reply;
    }
    return next();
  };
  t.equal(await failure(core.call('room-join', { room: 'crossing' })), 'done');
  t.ok(looks > 2);
  await heard(dave, 'crossing', 'said before');
  await told(alice, 'crossing', 'entered', 'dave');
  await goesOn('crossing', alice, dave);
});
