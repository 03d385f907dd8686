/** Who left a room, was removed, or whose invitation was taken back, and a daemon that plays along: they stay out (SPEC 9.10). */
import tap, { test } from 'tap';
import {
  fromHex,
  hex,
  noInvitation,
  openRoomKeys,
  openRoomMessage,
  RowKind,
  sealRoomKeys,
  signEntry,
  structs,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Row } from '../../src/server/room-state.js';
import { openCast } from '../support/room-cast.js';
import {
  altered,
  changeOf,
  failure,
  inside,
  ports,
  readAll,
  roomOf,
  rowOf,
  shown,
  tamper,
  until,
  type Inside,
} from '../support/room-hostile.js';
import { befriended, memberNames, say, told, type Guest } from '../support/room-lab.js';

const { lab, alice, bob, carol, mallory, honest, roomWith, renewed, epochOf } = await openCast(tap);
await befriended(alice, carol);
await befriended(bob, carol);

/** A room of Alice's without a password, of these. */
async function closedRoom(name: string, ...others: readonly Guest[]): Promise<void> {
  honest();
  await alice.core.call('room-create', { room: name, inviteOnly: true });
  for (const one of others) {
    await alice.core.call('room-invite', { room: name, name: one.name });
    await told(one, name, 'invited', 'alice');
    await one.core.call('room-join', { room: name });
    await told(alice, name, 'entered', one.name);
  }
}

/** The same, in its second epoch, which Bob owns: all are in the list of its head. */
async function settledRoom(name: string): Promise<void> {
  await closedRoom(name, bob, carol);
  await alice.core.call('room-owner', { room: name, name: 'bobby' });
  for (const one of [alice, bob, carol]) await until(one, async () => (await epochOf(one, name)) === 2);
  await readAll(alice, bob, carol);
}

/** As the daemon has them now. */
async function rowsOf(name: string): Promise<readonly Row[]> {
  const { id } = roomOf(await inside(lab, alice), name);
  return (await lab.server.context.rooms.load(fromHex(id)))?.state.rows ?? [];
}

async function keyFor({ uid, enc }: Inside, name: string): Promise<string | undefined> {
  const row = (await rowsOf(name)).find((one) => hex(one.uid) === hex(uid));
  const keys = row && 'block' in row ? await openRoomKeys(ports, enc, row.block) : undefined;
  return keys && hex(keys.key);
}

for (const how of ['left', 'removed'] as const)
  test(`6: a contact who ${how === 'left' ? how : 'was removed'}, with the daemon, begins an epoch: a look does not believe it`, async (t) => {
    const name = `contact${how}`;
    await roomWith(name, bob, carol);
    await renewed(name, bob, carol);
    if (how === 'left') await carol.core.call('room-leave', { room: name });
    else await alice.core.call('room-remove', { room: name, name: 'carol', password: 'six words of the room' });
    await told(bob, name, how, 'carol');
    await readAll(bob);
    const [a, b, c] = [await inside(lab, alice), await inside(lab, bob), await inside(lab, carol)];
    const room = roomOf(b, name);
    const [key, people] = [nodeSync.random(32), [a, b, c]];
    const drawn = { signer: c, to: b.enc.modulus, list: people, key };
    const { removed: _none, renewed: _not, room: _id, ...head } = await changeOf(room, drawn);
    const version = room.version + 5;
    let sealed: Values<typeof structs.srms> | undefined;
    lab.asked = async (guest, struct, values, next) => {
      if (guest === bob.storage && struct.name === 'srms') sealed = values;
      const reply = await next();
      if (guest !== bob.storage) return reply;
      if (struct.name === 'strm' && !reply.isError)
        return altered(reply, structs.strmAnswer, { ...head, version, closed: 0, rows: 3 });
      if (struct.name !== 'mbrm') return reply;
      const index = (values as { index: number }).index;
      const soul = people[index] ?? a;
      const found = index < 2 ? reply : await next({ ...values, index: 0 });
      const keys = { enc: soul.enc.modulus, sig: soul.sig.modulus };
      return altered(found, structs.mbrmAnswer, { ...rowOf(soul), ...keys, version, index, state: 0, epoch: 0 });
    };
    t.equal(await failure(bob.core.call('room-members', { room: name })), 'room-untrusted 4');
    t.same(await shown(bob, name), ['untrusted signer']);
    t.equal(await epochOf(bob, name), room.epoch);
    t.equal(await failure(say(bob, name, 'a secret')), 'room-untrusted 4');
    const read = sealed && (await openRoomMessage(ports, sealed, key, b.sig.modulus));
    t.equal(read, undefined, 'nothing was sealed for carol');
  });

test('6: that somebody left is not taken back: a closed epoch stays closed', async (t) => {
  await settledRoom('reopened');
  const old = roomOf(await inside(lab, carol), 'reopened');
  await carol.core.call('room-leave', { room: 'reopened' });
  for (const one of [alice, bob]) await told(one, 'reopened', 'left', 'carol');
  await tamper(lab, old, (state) => ({ ...state, isClosed: false }));
  await memberNames(alice, 'reopened');
  t.match(await say(alice, 'reopened', 'a secret'), /queued|delivered/);
  const now = roomOf(await inside(lab, alice), 'reopened');
  t.equal(now.epoch, old.epoch + 1);
  t.not(now.secret, old.secret, 'carol does not know the key');
});

test('6: that somebody left is not taken back: they are not in the list again', async (t) => {
  await settledRoom('backagain');
  const c = await inside(lab, carol);
  await carol.core.call('room-leave', { room: 'backagain' });
  for (const one of [alice, bob]) await told(one, 'backagain', 'left', 'carol');
  await tamper(lab, roomOf(c, 'backagain'), (state) => ({
    ...state,
    rows: state.rows.map((row) =>
      row.name === 'carol' ? { ...row, kind: RowKind.settled, block: new Uint8Array(256) } : row,
    ),
  }));
  t.equal(await failure(alice.core.call('room-members', { room: 'backagain' })), 'room-untrusted 4');
  t.same(await shown(alice, 'backagain'), ['left carol', 'untrusted list']);
});

for (const what of ['invitation', 'entry'] as const)
  test(`7: invited, entered and left in one epoch: the daemon can’t use their ${what} again`, async (t) => {
    const name = `again${what}`;
    await closedRoom(name);
    await alice.core.call('room-invite', { room: name, name: 'bobby' });
    await told(bob, name, 'invited', 'alice');
    const [b, invited] = [await inside(lab, bob), await rowsOf(name)];
    await bob.core.call('room-join', { room: name });
    await told(alice, name, 'entered', 'bobby');
    const entered = await rowsOf(name);
    await bob.core.call('room-leave', { room: name });
    await told(alice, name, 'left', 'bobby');
    const theirs = (what === 'entry' ? entered : invited).filter((row) => hex(row.uid) === hex(b.uid));
    t.equal(theirs.length, 1);
    const room = roomOf(await inside(lab, alice), name);
    await tamper(lab, room, (state) => ({ ...state, rows: [...state.rows, ...theirs] }));
    t.same(await memberNames(alice, name), ['alice owner'], 'nobody else is shown');
    t.match(await say(alice, name, 'in another epoch'), /queued|delivered/);
    t.equal(await keyFor(b, name), undefined, 'and no block is made');
  });

test('7: a spent invitation does not count again for who enters the room again', async (t) => {
  await closedRoom('spent');
  await alice.core.call('room-invite', { room: 'spent', name: 'bobby' });
  await told(bob, 'spent', 'invited', 'alice');
  const [b, rows] = [await inside(lab, bob), await rowsOf('spent')];
  const theirs = rows.filter((row) => hex(row.uid) === hex(b.uid));
  await bob.core.call('room-join', { room: 'spent' });
  await told(alice, 'spent', 'entered', 'bobby');
  await bob.core.call('room-leave', { room: 'spent' });
  await told(alice, 'spent', 'left', 'bobby');
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== alice.storage || struct.name !== 'strm') return reply;
    return altered(reply, structs.strmAnswer, { name: 'another' });
  };
  t.equal(await failure(alice.core.call('room-members', { room: 'spent' })), 'room-untrusted 4');
  honest();
  await tamper(lab, roomOf(await inside(lab, alice), 'spent'), (state) => ({
    ...state,
    isClosed: true,
    rows: [...state.rows, ...theirs],
  }));
  t.equal(await failure(alice.core.call('room-join', { room: 'spent' })), 'done');
  t.same(await memberNames(alice, 'spent'), ['alice owner']);
  t.match(await say(alice, 'spent', 'a secret'), /queued|delivered/);
  t.equal(await keyFor(b, 'spent'), undefined);
});

test('7: an invitation that its owner took back is not used by the daemon', async (t) => {
  await closedRoom('revoked');
  await alice.core.call('room-invite', { room: 'revoked', name: 'bobby' });
  await told(bob, 'revoked', 'invited', 'alice');
  const [b, rows] = [await inside(lab, bob), await rowsOf('revoked')];
  const theirs = rows.filter((row) => hex(row.uid) === hex(b.uid));
  await alice.core.call('room-remove', { room: 'revoked', name: 'bobby' });
  await tamper(lab, roomOf(await inside(lab, alice), 'revoked'), (state) => ({
    ...state,
    isClosed: true,
    rows: [...state.rows, ...theirs],
  }));
  t.same(await memberNames(alice, 'revoked'), ['alice owner']);
  t.match(await say(alice, 'revoked', 'in another epoch'), /queued|delivered/);
  t.equal(await keyFor(b, 'revoked'), undefined);
  honest();
  await alice.core.call('room-invite', { room: 'revoked', name: 'bobby' });
  await told(bob, 'revoked', 'invited', 'alice');
  t.equal(await failure(bob.core.call('room-join', { room: 'revoked' })), 'done', 'another one counts');
});

test('1: who left, and knows the key, lets nobody in by an inviter who never was', async (t) => {
  await settledRoom('puppet');
  const [c, m] = [await inside(lab, carol), await inside(lab, mallory)];
  const known = roomOf(c, 'puppet');
  await carol.core.call('room-leave', { room: 'puppet' });
  for (const one of [alice, bob]) await told(one, 'puppet', 'left', 'carol');
  const keys = { key: fromHex(known.secret ?? ''), wrapKey: fromHex(known.wrapKey) };
  const at = { room: fromHex(known.id), epoch: known.epoch };
  for (const inviter of [nodeSync.random(16), c.uid]) {
    const given = { ...noInvitation, inviter, invitedEpoch: known.epoch, expires: Date.now() + 3_600_000 };
    const self = { uid: m.uid, name: m.name, enc: m.enc.modulus, sig: m.sig.modulus, time: Date.now(), ...given };
    const entry = await signEntry(ports, at, self, m.sig, keys.key);
    const block = await sealRoomKeys(ports, m.enc.modulus, keys);
    const row = { ...entry, kind: RowKind.entered, block, fingerprint: rowOf(m).fingerprint };
    await tamper(lab, known, (state) => ({
      ...state,
      rows: [...state.rows.filter(({ name }) => name !== 'mallory'), row],
    }));
    t.same(await memberNames(alice, 'puppet'), ['bobby owner', 'alice member'], 'nobody else');
  }
  t.match(await say(alice, 'puppet', 'a secret'), /queued|delivered/);
  t.not(await keyFor(m, 'puppet'), roomOf(await inside(lab, alice), 'puppet').secret);
  t.ok((await shown(alice, 'puppet')).includes('ghost mallory inviter'));
});
