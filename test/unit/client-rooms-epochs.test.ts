/** Clients in rooms: epochs, heads and blocks that a hostile daemon or member made up (SPEC 9). */
import tap, { test } from 'tap';
import { fromHex, hex, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { goesOn, openCast, PASSWORD } from '../support/room-cast.js';
import {
  altered,
  changeOf,
  changeSeen,
  failure,
  ghostOf,
  inject,
  inside,
  type Inside,
  readAll,
  roomOf,
  rowOf,
  shown,
  tamper,
  until,
} from '../support/room-hostile.js';
import { heard, memberNames, say, told } from '../support/room-lab.js';

const { lab, alice, bob, carol, mallory, roomWith, renewed, epochOf } = await openCast(tap);

test('6: changes that are made up take nothing over, and each is told once with its step', async (t) => {
  await roomWith('changes', bob, carol);
  await renewed('changes', bob, carol);
  await readAll(bob);
  const [a, b, c, m] = (await Promise.all([alice, bob, carol, mallory].map((one) => inside(lab, one)))) as [
    Inside,
    Inside,
    Inside,
    Inside,
  ];
  const room = roomOf(b, 'changes');
  const to = b.enc.modulus;
  const list = [a, b, c];
  const sound = { signer: a, to, list };
  const wrong: [string, Values<typeof structs.chrm>][] = [
    ['signer', await changeOf(room, { ...sound, signer: m })],
    ['signature', await changeOf(room, { ...sound, sig: m.sig })],
    ['right', await changeOf(room, { ...sound, signer: c, list: [b, c], owner: c.uid })],
    ['right', await changeOf(room, { ...sound, signer: c, owner: c.uid })],
    ['right', await changeOf(room, { ...sound, signer: c, list: [a, c], removed: [b] })],
    ['right', await changeOf(room, { ...sound, signer: c, change: { renewed: 1 } })],
    ['list', await changeOf(room, { ...sound, list: [a, b] })],
    ['list', await changeOf(room, { ...sound, list: [a, b, c, m] })],
    ['list', await changeOf(room, { ...sound, removed: [c] })],
    ['owner', await changeOf(room, { ...sound, owner: m.uid })],
  ];
  for (const [step, change] of wrong) {
    await inject(lab, b.uid, structs.chrm, change);
    await inject(lab, b.uid, structs.chrm, change);
    t.same(await shown(bob, 'changes'), [`change-refused ${step}`]);
    t.equal(await epochOf(bob, 'changes'), room.epoch);
    await readAll(bob);
  }
  for (const change of [
    await changeOf(room, { ...sound, previous: nodeSync.random(32) }),
    await changeOf(room, { ...sound, epoch: room.epoch }),
    await changeOf(room, { ...sound, epoch: room.epoch + 2 }),
    { ...(await changeOf(room, sound)), name: 'another' },
  ])
    await inject(lab, b.uid, structs.chrm, change);
  t.equal(await epochOf(bob, 'changes'), room.epoch);
  t.same(await shown(bob, 'changes'), []);
  await goesOn('changes', bob, carol);
});

test('6: a change by somebody who was removed, or who left', async (t) => {
  await roomWith('gone', bob, carol, mallory);
  await renewed('gone', bob, carol, mallory);
  const [a, c, m] = [await inside(lab, alice), await inside(lab, carol), await inside(lab, mallory)];
  await carol.core.call('room-leave', { room: 'gone' });
  await told(bob, 'gone', 'left', 'carol');
  await alice.core.call('room-remove', { room: 'gone', name: 'mallory', password: PASSWORD });
  await told(bob, 'gone', 'removed', 'mallory');
  await readAll(bob);
  const b = await inside(lab, bob);
  const room = roomOf(b, 'gone');
  for (const signer of [c, m]) {
    await inject(lab, b.uid, structs.chrm, await changeOf(room, { signer, to: b.enc.modulus, list: [a, b, signer] }));
    t.same(await shown(bob, 'gone'), ['change-refused signer']);
    await readAll(bob);
  }
  await goesOn('gone', alice, bob);
});

test('6: who left, with the daemon: an epoch in which nobody else is told of it', async (t) => {
  await roomWith('departed', bob, carol);
  await renewed('departed', bob, carol);
  await carol.core.call('room-leave', { room: 'departed' });
  await told(bob, 'departed', 'left', 'carol');
  const c = { ...(await inside(lab, carol)) };
  const [a, b] = [await inside(lab, alice), await inside(lab, bob)];
  const room = roomOf(b, 'departed');
  await readAll(bob);
  const head = await changeSeen(room, {
    signer: c,
    to: b.enc.modulus,
    list: [a, b, c],
  });
  const people = [a, b, c];
  lab.asked = async (guest, struct, values, next) => {
    const reply = await next();
    if (guest !== bob.storage || reply.isError) return reply;
    if (struct.name === 'strm')
      return altered(reply, structs.strmAnswer, { ...head, version: room.version + 5, closed: 0, rows: 3 });
    if (struct.name !== 'mbrm') return reply;
    const soul = people[(values as { index: number }).index];
    if (!soul) return reply;
    const keys = { enc: soul.enc.modulus, sig: soul.sig.modulus };
    return altered(reply, structs.mbrmAnswer, { ...rowOf(soul), ...keys, version: room.version + 5, state: 0 });
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'departed' })), 'room-untrusted 4');
  t.same(await shown(bob, 'departed'), ['untrusted signer']);
  t.equal(await failure(bob.core.call('send', { to: '#departed', text: 'secret' })), 'room-untrusted 4');
});

test('6: a block with another R: no key, told who it was; a new epoch before anything is sent', async (t) => {
  await roomWith('keyless', bob, carol);
  await renewed('keyless', bob, carol);
  await readAll(bob);
  const b = await inside(lab, bob);
  let spoilt = false;
  const blocks: Uint8Array[] = [];
  lab.asked = (guest, struct, values, next) => {
    if (guest !== alice.storage || struct.name !== 'rtrm1' || spoilt) return next();
    spoilt = true;
    const rows = (values as Values<typeof structs.rtrm1>).blocks.map((row) => {
      blocks.push(row.block);
      return hex(row.uid) === hex(b.uid) ? { uid: row.uid, block: nodeSync.random(256) } : row;
    });
    return next({ ...values, blocks: rows });
  };
  await alice.core.call('room-passwd', { room: 'keyless', password: PASSWORD });
  await told(bob, 'keyless', 'room-key', 'alice');
  const before = await epochOf(bob, 'keyless');
  t.same(await shown(bob, 'keyless'), [`room-key alice ${String(before)}`]);
  await say(alice, 'keyless', 'not for bobby');
  await told(bob, 'keyless', 'unreadable', 'alice');
  t.notOk((await shown(bob, 'keyless')).some((line) => line.includes('not for bobby')));
  const sent: number[] = [];
  const asked = lab.asked;
  lab.asked = (guest, struct, values, next) => {
    if (guest === bob.storage && struct.name === 'srms') sent.push((values as Values<typeof structs.srms>).epoch);
    return asked(guest, struct, values, next);
  };
  /* The password was set anew, and with the block he lost what lies under it: he cannot put a key there. */
  void bob.core.call('send', { to: '#keyless', text: 'me again' });
  t.equal(await failure(bob.core.call('room-invite', { room: 'keyless', name: 'alice' })), 'room-untrusted 4');
  t.same(sent, []);
  await carol.core.call('room-leave', { room: 'keyless' });
  await say(alice, 'keyless', 'for all who stay');
  await heard(bob, 'keyless', 'for all who stay');
  await heard(alice, 'keyless', 'me again');
  t.same(sent, [before + 1]);
  await goesOn('keyless', alice, bob);
});

test('6: a block with another R from a member who sets no password: the next who sends begins a new epoch', async (t) => {
  await roomWith('rekeyed', bob, carol, mallory);
  await mallory.core.call('room-leave', { room: 'rekeyed' });
  for (const one of [alice, bob, carol]) await told(one, 'rekeyed', 'left', 'mallory');
  await readAll(bob);
  const b = await inside(lab, bob);
  let spoilt = false;
  lab.asked = (guest, struct, values, next) => {
    if (guest !== carol.storage || struct.name !== 'rtrm1' || spoilt) return next();
    spoilt = true;
    const rows = (values as Values<typeof structs.rtrm1>).blocks.map((row) =>
      hex(row.uid) === hex(b.uid) ? { uid: row.uid, block: nodeSync.random(256) } : row,
    );
    return next({ ...values, blocks: rows });
  };
  await say(carol, 'rekeyed', 'without bobby');
  await told(bob, 'rekeyed', 'room-key', 'carol');
  const before = await epochOf(bob, 'rekeyed');
  t.match(await say(bob, 'rekeyed', 'anew'), /^(queued|delivered)$/);
  t.equal(await epochOf(bob, 'rekeyed'), before + 1);
  for (const one of [alice, carol]) await heard(one, 'rekeyed', 'anew');
  await goesOn('rekeyed', alice, bob);
});

test('6: the state rolled back to an older epoch, and a fork of the same: refused', async (t) => {
  await roomWith('rollback', bob);
  await renewed('rollback', bob);
  const older = await lab.server.context.rooms.load(fromHex(roomOf(await inside(lab, bob), 'rollback').id));
  const [head, rows] = [older?.state.head, older?.state.rows];
  await renewed('rollback', bob);
  await readAll(bob);
  const room = roomOf(await inside(lab, bob), 'rollback');
  let version = room.version + 1;
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || reply.isError) return reply;
    if (struct.name === 'strm')
      return altered(reply, structs.strmAnswer, { ...head, version, rows: rows?.length ?? 0 });
    return struct.name === 'mbrm' ? altered(reply, structs.mbrmAnswer, { version }) : reply;
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'rollback' })), 'room-untrusted 4');
  t.same(await shown(bob, 'rollback'), ['untrusted old']);
  t.equal(await failure(bob.core.call('send', { to: '#rollback', text: 'secret' })), 'room-untrusted 4');

  await roomWith('rolled', bob);
  await renewed('rolled', bob);
  version = roomOf(await inside(lab, bob), 'rolled').version - 1;
  await readAll(bob);
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || reply.isError) return reply;
    if (struct.name === 'strm') return altered(reply, structs.strmAnswer, { version });
    return struct.name === 'mbrm' ? altered(reply, structs.mbrmAnswer, { version }) : reply;
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'rolled' })), 'room-untrusted 4', 'an older version');
  t.same(await shown(bob, 'rolled'), ['untrusted old']);

  await roomWith('fork', bob);
  await renewed('fork', bob);
  await readAll(bob);
  const [a, b] = [await inside(lab, alice), await inside(lab, bob)];
  const fork = roomOf(b, 'fork');
  const {
    removed: _r,
    renewed: _n,
    room: _i,
    version: _v,
    ...other
  } = await changeOf(fork, { signer: a, to: b.enc.modulus, list: [a, b], epoch: fork.epoch });
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    return guest === bob.storage && struct.name === 'strm' && !reply.isError
      ? altered(reply, structs.strmAnswer, other)
      : reply;
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'fork' })), 'room-untrusted 4');
  t.same(await shown(bob, 'fork'), ['untrusted fork']);
});

test('6: coming back to a room that is not trusted any more: to an epoch that a known member began, nobody else', async (t) => {
  await roomWith('again', bob, carol);
  await renewed('again', bob, carol);
  const { rooms } = lab.server.context;
  const older = (await rooms.load(fromHex(roomOf(await inside(lab, bob), 'again').id)))?.state;
  if (!older) throw new Error('no such room at the daemon');
  await renewed('again', bob, carol);
  await carol.core.call('room-leave', { room: 'again' });
  for (const one of [alice, bob]) await told(one, 'again', 'left', 'carol');
  await alice.core.call('room-passwd', { room: 'again', password: PASSWORD });
  await until(bob, async () => (await memberNames(bob, 'again')).length === 2);
  const room = roomOf(await inside(lab, bob), 'again');

  const [b, c] = [await inside(lab, bob), await inside(lab, carol)];
  const ghost = await ghostOf(lab, 'mallet');
  for (const [signer, epoch] of [
    [ghost, room.epoch],
    [ghost, room.epoch + 1],
    [c, room.epoch],
    [c, room.epoch + 1],
  ] as const) {
    const people = [signer, b];
    const drawn = { signer, to: b.enc.modulus, list: people, owner: signer.uid, epoch };
    const { removed: _r, renewed: _n, room: _i, ...head } = await changeOf(room, drawn);
    const version = room.version + 5;
    lab.asked = async (guest, struct, values, next) => {
      const reply = await next();
      if (guest !== bob.storage || reply.isError) return reply;
      if (struct.name === 'strm')
        return altered(reply, structs.strmAnswer, { ...head, version, closed: 0, rows: people.length });
      const soul = people[(values as { index: number }).index];
      if (struct.name !== 'mbrm' || !soul) return reply;
      const keys = { enc: soul.enc.modulus, sig: soul.sig.modulus };
      return altered(reply, structs.mbrmAnswer, { ...rowOf(soul), ...keys, version, state: 0 });
    };
    await failure(bob.core.call('room-members', { room: 'again' }));
    const which = `${signer.name}, epoch ${String(epoch - room.epoch)}`;
    t.equal(await failure(bob.core.call('room-join', { room: 'again' })), 'room-needs-password 1', which);
    t.equal(await failure(bob.core.call('send', { to: '#again', text: 'secret' })), 'room-untrusted 4', which);
    t.equal(roomOf(await inside(lab, bob), 'again').secret, room.secret, 'what was known of it stays');
  }

  /* A restored backup: the older state is all that the daemon has. */
  lab.asked = (_guest, _struct, _values, next) => next();
  await tamper(lab, room, () => older);
  for (const one of [alice, bob]) {
    await failure(one.core.call('room-members', { room: 'again' }));
    t.equal(await failure(one.core.call('send', { to: '#again', text: 'not yet' })), 'room-untrusted 4');
    t.match(await one.core.call('room-join', { room: 'again' }), { standing: 'member' }, 'no password is asked for');
  }
  t.same(await memberNames(bob, 'again'), ['alice owner', 'bobby member', 'carol member'], 'who is back is shown');
  await goesOn('again', alice, bob);
});

test('6: a room of invitations that the daemon calls one of a password: R is not put under a key that it knows', async (t) => {
  await readAll(alice, bob, carol);
  lab.drop = () => false;
  lab.asked = (_guest, _struct, _values, next) => next();
  await alice.core.call('room-create', { room: 'private', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'private', name: 'bobby' });
  await told(bob, 'private', 'invited', 'alice');
  await bob.core.call('room-join', { room: 'private' });
  await told(alice, 'private', 'entered', 'bobby');
  const wraps: Values<typeof structs.rtrm2>[] = [];
  lab.asked = async (_guest, struct, values, next) => {
    if (struct.name === 'rtrm2') wraps.push(values);
    const reply = await next();
    return struct.name === 'strm' && !reply.isError ? altered(reply, structs.strmAnswer, { kind: 0 }) : reply;
  };
  await bob.core.call('room-leave', { room: 'private' });
  await told(alice, 'private', 'left', 'bobby');
  await readAll(alice);
  void alice.core.call('send', { to: '#private', text: 'for me alone' });
  await told(alice, 'private', 'untrusted');
  t.ok(
    wraps.every(({ wrapped }) => wrapped.every((byte) => byte === 0)),
    'nothing lies under zeros',
  );
  t.same(await shown(alice, 'private'), ['untrusted kind']);
});

test('6: who takes a room over, together with the daemon, is not believed by a look either', async (t) => {
  await roomWith('seized', bob, carol);
  await renewed('seized', bob, carol);
  const [a, b, c] = [await inside(lab, alice), await inside(lab, bob), await inside(lab, carol)];
  const room = roomOf(b, 'seized');
  const head = await changeSeen(room, {
    signer: c,
    to: b.enc.modulus,
    list: [a, b, c],
    owner: c.uid,
  });
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || reply.isError) return reply;
    if (struct.name === 'strm') return altered(reply, structs.strmAnswer, { ...head, version: room.version + 5 });
    return struct.name === 'mbrm' ? altered(reply, structs.mbrmAnswer, { version: room.version + 5 }) : reply;
  };
  t.equal(await failure(bob.core.call('room-members', { room: 'seized' })), 'room-untrusted 4');
  t.same(await shown(bob, 'seized'), ['untrusted owner']);
});

test('6: who was given a wrong block begins a new epoch without those whose entry nobody can prove to them', async (t) => {
  await roomWith('spoilt', bob, carol);
  const b = await inside(lab, bob);
  await carol.core.call('room-leave', { room: 'spoilt' });
  for (const one of [alice, bob]) await told(one, 'spoilt', 'left', 'carol');
  lab.asked = (guest, struct, values, next) => {
    if (guest !== alice.storage || struct.name !== 'rtrm1') return next();
    const rows = (values as Values<typeof structs.rtrm1>).blocks.map((row) =>
      hex(row.uid) === hex(b.uid) ? { uid: row.uid, block: nodeSync.random(256) } : row,
    );
    return next({ ...values, blocks: rows });
  };
  await say(alice, 'spoilt', 'not for bobby');
  await told(bob, 'spoilt', 'room-key', 'alice');
  lab.asked = (_guest, _struct, _values, next) => next();
  await carol.core.call('room-join', { room: 'spoilt', password: PASSWORD });
  await told(alice, 'spoilt', 'entered', 'carol');
  await readAll(bob, alice);
  t.match(await say(bob, 'spoilt', 'can you hear me?'), /^(queued|delivered)$/);
  await heard(alice, 'spoilt', 'can you hear me?');
  await told(carol, 'spoilt', 'you-removed');
  await carol.core.call('room-join', { room: 'spoilt', password: PASSWORD });
  await goesOn('spoilt', carol, bob);
  t.notOk(
    (await shown(bob, 'spoilt')).some((line) => /ghost|refused/.test(line)),
    'nobody is accused',
  );
});
