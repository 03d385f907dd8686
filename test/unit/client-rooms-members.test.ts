/** Clients in rooms whose daemon, or a member, shows members that are none (SPEC 9). */
import tap, { test } from 'tap';
import { fromHex, hex, ROOM_REMOVED, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { entered, proofsOf } from '../../src/server/room-changes.js';
import { goesOn, openCast, PASSWORD } from '../support/room-cast.js';
import {
  altered,
  changeOf,
  entryOf,
  failure,
  ghostOf,
  inject,
  inside,
  messageOf,
  readAll,
  roomOf,
  rowOf,
  shown,
  tamper,
  type Soul,
} from '../support/room-hostile.js';
import { heard, memberNames, say, told, type Guest } from '../support/room-lab.js';

const { lab, alice, bob, carol, mallory, roomWith, renewed } = await openCast(tap);

test('1: an entry under a wrong key: refused, told once, no member, its words refused', async (t) => {
  await roomWith('ghosts', bob);
  const b = await inside(lab, bob);
  const room = roomOf(b, 'ghosts');
  const ghost = await ghostOf(lab, 'mallet');
  const entry = await entryOf(ghost, room, nodeSync.random(32));
  await inject(lab, b.uid, structs.enrm, entry);
  await inject(lab, b.uid, structs.enrm, { ...entry, version: entry.version + 1 });
  const forged = {
    ...(await entryOf(ghost, room, fromHex(room.secret ?? ''))),
    signature: new Uint8Array(256).fill(7),
  };
  t.same(await shown(bob, 'ghosts'), ['ghost mallet mac']);
  await inject(lab, b.uid, structs.enrm, { ...forged, version: entry.version + 2, uid: nodeSync.random(16) });
  await inject(lab, b.uid, structs.rvrm, await messageOf(ghost, room, 'boo', {}, ghost.sig, nodeSync.random(32)));
  await told(bob, 'ghosts', 'unreadable');
  const lines = await shown(bob, 'ghosts');
  t.same(lines, ['ghost mallet mac', 'ghost mallet mac', 'unreadable sender']);
  t.same(await memberNames(bob, 'ghosts'), ['alice owner', 'bobby member']);
  await goesOn('ghosts', alice, bob);
});

test('1: a ghost in the state of the daemon: told once, no block at the next epoch, dropped by it', async (t) => {
  await roomWith('haunted', bob, carol);
  const [m, b] = [await inside(lab, mallory), await inside(lab, bob)];
  const room = roomOf(b, 'haunted');
  const entry = await entryOf(m, room, nodeSync.random(32));
  await tamper(lab, room, (state) => entered(state, rowOf(m), new Uint8Array(256).fill(1), proofsOf(entry)));
  t.same(await memberNames(bob, 'haunted'), ['alice owner', 'bobby member', 'carol member']);
  t.same(await memberNames(bob, 'haunted'), ['alice owner', 'bobby member', 'carol member']);
  t.same(await shown(bob, 'haunted'), ['ghost mallory mac']);
  const blocks: string[] = [];
  lab.asked = (_guest, struct, values, next) => {
    if (struct.name === 'rtrm1')
      blocks.push(...(values as Values<typeof structs.rtrm1>).blocks.map(({ uid }) => hex(uid)));
    return next();
  };
  await carol.core.call('room-leave', { room: 'haunted' });
  await told(bob, 'haunted', 'left', 'carol');
  t.match(await say(bob, 'haunted', 'without ghosts'), /^(queued|delivered)$/);
  await heard(alice, 'haunted', 'without ghosts');
  t.notOk(blocks.includes(hex(m.uid)));
  t.equal(blocks.length, 2);
  const found = await lab.server.context.rooms.load(fromHex(room.id));
  t.same(found?.recipients.map(({ uid }) => hex(uid)).sort(), [hex(b.uid), hex((await inside(lab, alice)).uid)].sort());
  await goesOn('haunted', alice, bob);
});

test('1: more ghosts than a change can name keep nobody from the next epoch', async (t) => {
  await roomWith('crowded', bob, carol);
  const [b, a] = [await inside(lab, bob), await inside(lab, alice)];
  const room = roomOf(b, 'crowded');
  for (let n = 0; n < ROOM_REMOVED + 4; n++) {
    const ghost = await ghostOf(lab, `ghost${String(n)}`);
    const entry = await entryOf(ghost, room, nodeSync.random(32));
    await tamper(lab, room, (state) => entered(state, rowOf(ghost), new Uint8Array(256).fill(1), proofsOf(entry)));
  }
  await carol.core.call('room-leave', { room: 'crowded' });
  await told(bob, 'crowded', 'left', 'carol');
  t.match(await say(bob, 'crowded', 'without ghosts'), /^(queued|delivered)$/);
  await heard(alice, 'crowded', 'without ghosts');
  const found = await lab.server.context.rooms.load(fromHex(room.id));
  t.same(found?.recipients.map(({ uid }) => hex(uid)).sort(), [hex(b.uid), hex(a.uid)].sort());
  await goesOn('crowded', alice, bob);
});

test('1: a ghost among those in the list of the head: the room is not trusted, nothing is sent', async (t) => {
  await roomWith('listed', bob);
  await renewed('listed', bob);
  const [m, b] = [await inside(lab, mallory), await inside(lab, bob)];
  await tamper(lab, roomOf(b, 'listed'), (state) => ({
    ...state,
    rows: [...state.rows, { ...rowOf(m), kind: 0, block: new Uint8Array(256) }],
  }));
  t.equal(await failure(bob.core.call('room-members', { room: 'listed' })), 'room-untrusted 4');
  t.same(await shown(bob, 'listed'), ['untrusted list']);
  t.equal(await failure(bob.core.call('send', { to: '#listed', text: 'secret' })), 'room-untrusted 4');
  t.equal(await failure(bob.core.call('room-members', { room: 'listed' })), 'room-untrusted 4');
  t.same(await shown(bob, 'listed'), ['untrusted list'], 'once');
});

test('2: under the name of a contact with other keys, and under the name of a member', async (t) => {
  await roomWith('masks', bob);
  const b = await inside(lab, bob);
  const room = roomOf(b, 'masks');
  const key = fromHex(room.secret ?? '');
  const [asCarol, asAlice] = [await ghostOf(lab, 'carol'), await ghostOf(lab, 'alice')];
  await inject(lab, b.uid, structs.enrm, await entryOf(asAlice, room, key));
  t.same(await shown(bob, 'masks'), ['ghost alice pinned'], 'alice is a contact of his');
  await readAll(bob);
  const c = await inside(lab, carol);
  const again = await entryOf({ ...asAlice, name: 'alicia', uid: (await inside(lab, alice)).uid }, room, key);
  await inject(lab, b.uid, structs.enrm, { ...again, version: room.version + 2 });
  t.same(await shown(bob, 'masks'), ['ghost alicia pinned']);
  await readAll(bob);
  await inject(lab, b.uid, structs.enrm, { ...(await entryOf(c, room, key)), version: room.version + 3 });
  t.same(await shown(bob, 'masks'), ['entered carol'], 'who knows R and is a stranger may enter');
  await readAll(bob);
  await inject(lab, b.uid, structs.enrm, { ...(await entryOf(asCarol, room, key)), version: room.version + 4 });
  t.same(await shown(bob, 'masks'), ['ghost carol taken']);
});

test('2: a settled member under the name of a contact with other keys is told, and gets no belief', async (t) => {
  await roomWith('double', bob);
  await renewed('double', bob);
  const b = await inside(lab, bob);
  const impostor = { ...(await ghostOf(lab, 'alice')), uid: nodeSync.random(16) };
  await bob.core.call('room-leave', { room: 'double' });
  await renewed('double');
  await readAll(bob);
  const a = await inside(lab, alice);
  /* A daemon that knows the password makes a room of the same name, with somebody called alice in it. */
  const room = roomOf(a, 'double');
  const key = fromHex(room.secret ?? '');
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || reply.isError) return reply;
    if (struct.name === 'strm') return altered(reply, structs.strmAnswer, await headAt(room.epoch));
    if (struct.name === 'mbrm') {
      const { uid, name, fingerprint } = rowOf(impostor);
      const row = altered(reply, structs.mbrmAnswer, {});
      const index = (_values as { index: number }).index;
      if (index > 0) return row;
      return altered(row, structs.mbrmAnswer, {
        uid,
        name,
        fingerprint,
        enc: impostor.enc.modulus,
        sig: impostor.sig.modulus,
      });
    }
    return reply;
  };
  async function headAt(epoch: number) {
    const drawn = { signer: impostor, to: b.enc.modulus, list: [impostor], owner: impostor.uid, key, epoch };
    const {
      block: _block,
      removed: _removed,
      renewed: _renewed,
      version: _version,
      room: _room,
      ...head
    } = await changeOf(room, drawn);
    return head;
  }
  t.equal(await failure(bob.core.call('room-join', { room: 'double', password: PASSWORD })), 'done');
  t.same(await shown(bob, 'double'), ['ghost alice pinned']);
});

/** What the daemon shows somebody who looks: an epoch that this member began, with these in its list. */
async function showing(to: Guest, name: string, by: Guest, list: readonly Soul[], key: Uint8Array, closed = 0) {
  const [me, signer] = [await inside(lab, to), await inside(lab, by)];
  const room = roomOf(me, name);
  const drawn = { signer, to: me.enc.modulus, list, key };
  const { removed: _none, renewed: _not, room: _id, ...head } = await changeOf(room, drawn);
  const version = room.version + 5;
  lab.asked = async (guest, struct, values, next) => {
    if (guest !== to.storage) return next();
    if (struct.name === 'strm')
      return altered(await next(), structs.strmAnswer, { ...head, version, closed, rows: list.length });
    if (struct.name !== 'mbrm') return next();
    const { index } = values as { index: number };
    const soul = list[index] ?? me;
    const keys = { enc: soul.enc.modulus, sig: soul.sig.modulus };
    const said = { ...rowOf(soul), ...keys, version, index, state: 0, epoch: 0 };
    return altered(await next({ ...values, index: 0 }), structs.mbrmAnswer, said);
  };
}

test('2: a member, with the daemon, puts other keys under another member: a look does not believe it', async (t) => {
  await roomWith('imposed', bob, carol, mallory);
  const [a, b, c, m] = [
    await inside(lab, alice),
    await inside(lab, bob),
    await inside(lab, carol),
    await inside(lab, mallory),
  ];
  const fake = { ...(await ghostOf(lab, b.name)), uid: b.uid };
  const key = nodeSync.random(32);
  await readAll(carol);
  await showing(carol, 'imposed', mallory, [a, fake, c, m], key);
  t.equal(await failure(carol.core.call('room-members', { room: 'imposed' })), 'room-untrusted 4');
  const now = roomOf(await inside(lab, carol), 'imposed');
  await inject(lab, c.uid, structs.rvrm, await messageOf(fake, now, 'not said by bob', {}, fake.sig, key));
  t.same(await shown(carol, 'imposed'), ['untrusted list', 'unreadable bobby seal']);
});

test('2: said to have left, nobody comes back with other keys, or another under their name', async (t) => {
  await roomWith('reborn', bob, carol, mallory);
  const [b, c] = [await inside(lab, bob), await inside(lab, carol)];
  const room = roomOf(c, 'reborn');
  await readAll(carol);
  await inject(lab, c.uid, structs.lfrm, { room: fromHex(room.id), version: room.version + 1, uid: b.uid, what: 1 });
  const spare = await ghostOf(lab, b.name);
  const fakes = [{ ...spare, uid: b.uid }, spare];
  for (const [n, fake] of fakes.entries()) {
    const entry = await entryOf(fake, room, fromHex(room.secret ?? ''), { version: room.version + 2 + n });
    await inject(lab, c.uid, structs.enrm, entry);
    await inject(lab, c.uid, structs.rvrm, await messageOf(fake, room, 'not said by bob', { sequence: n + 1 }));
  }
  const lines = await shown(carol, 'reborn');
  t.same(lines.slice(0, 3), ['left bobby', 'ghost bobby taken', 'unreadable bobby signature']);
  t.notOk(lines.some((line) => line.startsWith('bobby: ')));
});

test('2: somebody whose keys are none is in no list', async (t) => {
  for (const [what, first, last] of [
    ['zeros', 0, 0],
    ['even', 0x80, 2],
    ['one', 0, 1],
  ] as const) {
    const name = `no${what}`;
    await roomWith(name, bob, mallory);
    const [a, b, m] = [await inside(lab, alice), await inside(lab, bob), await inside(lab, mallory)];
    const modulus = new Uint8Array(256);
    [modulus[0], modulus[255]] = [first, last];
    const none = { ...(await ghostOf(lab, 'weird')), enc: { modulus }, sig: { modulus } } as unknown as Soul;
    let ended = false;
    const stop = bob.core.on(({ type }) => (ended ||= type === 'ended'));
    await showing(bob, name, mallory, [a, b, m, none], nodeSync.random(32), 1);
    t.equal(await failure(bob.core.call('room-members', { room: name })), 'room-untrusted 4', what);
    t.equal(await failure(say(bob, name, 'x')), 'room-untrusted 4');
    t.notOk(ended, 'the client goes on');
    stop();
  }
});
