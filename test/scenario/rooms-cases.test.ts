/** What a daemon refuses in rooms, and with which code: entering, inviting, new epochs. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'tap';
import {
  COMMAND_HEADER,
  hex,
  openRoomKeys,
  provesKey,
  RoomKind,
  structs,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, encodeCommand, ports, type RawUser } from '../support/raw.js';
import {
  authOf,
  codeOf,
  drawInvitation,
  drawRoom,
  drawRotation,
  entering,
  join,
  look,
  makeRoom,
  rotate,
  say,
  stage,
  took,
  type RawRoom,
  type Rotation,
} from '../support/raw-rooms.js';
import type { Teardown } from '../support/temp.js';

async function start(t: Teardown, ...limits: readonly string[]): Promise<Daemon> {
  return startLavish(t, { network: await makeNetwork(), args: limits.flatMap((each) => ['--limit', each]) });
}

async function people<const N extends readonly string[]>(
  t: Teardown,
  daemon: Daemon,
  names: N,
): Promise<{ readonly [K in keyof N]: Person }> {
  const all: Person[] = [];
  for (const name of names) all.push(await newPerson(t, daemon, name));
  return all as unknown as { readonly [K in keyof N]: Person };
}

/** The code, and the seconds to wait. */
async function waits<S extends Struct>({ raw }: Person, struct: S, values: Values<S>): Promise<[number, boolean]> {
  const { header, values: answer } = await raw.ask(struct, values);
  return [header.code, Number(answer['wait']) > 0];
}

void test('crms: 200 once, then 409; 403 for a head that is not the maker’s alone; 429 beyond the limit', async (t) => {
  const daemon = await start(t, 'rooms-per-user=2', 'rooms=3');
  const [ann, bob] = await people(t, daemon, ['ann', 'bob']);
  const { room, crms } = await drawRoom(ann, 'lounge');
  const other = (await drawRoom(bob, 'lounge')).crms;
  const bad: Record<string, Partial<typeof crms>> = {
    'another owner': { owner: bob.user.uid },
    'another signer': { signer: bob.user.uid },
    'another epoch': { epoch: 2 },
    'a head before': { previous: nodeSync.random(32) },
    'another list': { list: nodeSync.random(32) },
    'another signature': { signature: nodeSync.random(256) },
    'another time than signed': { time: 1 },
  };
  for (const [what, change] of Object.entries(bad))
    t.equal(await codeOf(ann.raw, structs.crms, { ...crms, ...change }), 403, what);
  const id = nodeSync.random(16);
  t.equal(await codeOf(ann.raw, structs.crms, crms, id), 200);
  t.equal(await codeOf(ann.raw, structs.crms, crms, id), 200, 'the same frame again: answered as before');
  t.equal(await codeOf(ann.raw, structs.crms, crms), 409, 'the name is taken');
  const renamed = await drawRoom(ann, 'garden');
  t.equal(await codeOf(ann.raw, structs.crms, renamed.crms), 200);
  t.equal(await codeOf(bob.raw, structs.crms, other), 409, 'for another too');
  t.equal(await codeOf(ann.raw, structs.crms, (await drawRoom(ann, 'third')).crms), 429, 'as many as one may own');
  t.equal(await codeOf(bob.raw, structs.crms, (await drawRoom(bob, 'third')).crms), 200);
  t.equal(await codeOf(bob.raw, structs.crms, (await drawRoom(bob, 'fourth')).crms), 429, 'as many as there may be');
  t.equal((await look(ann, room)).state.version, 1);
});

void test('rtrm: nobody is given more rooms than one may own: 429, and nothing is changed', async (t) => {
  const daemon = await start(t, 'rooms-per-user=2');
  const [ann, bob] = await people(t, daemon, ['ann', 'bob']);
  await makeRoom(bob, 'own');
  const given = [await makeRoom(ann, 'one'), await makeRoom(ann, 'two')];
  const codes: number[] = [];
  for (const room of given) {
    t.equal(await join(bob, room), 200);
    codes.push((await rotate(ann, room, { owner: bob.user.uid })).code);
  }
  t.same(codes, [200, 429]);
  const [, two] = given as [RawRoom, RawRoom];
  t.equal((await look(ann, two)).state.epoch, 1);
  t.equal((await rotate(ann, two)).code, 200, 'ann has it still');
});

void test('inrm: an invitation that ends while it is written is malformed: 400', async (t) => {
  const daemon = await start(t);
  const [ann, bob] = await people(t, daemon, ['ann', 'bob']);
  await befriend(ann.raw, ann.user, bob.raw, bob.user);
  const room = await makeRoom(ann, 'brief');
  const codes = new Set<number>();
  for (let n = 0; n < 40; n++) {
    const { inrm } = await drawInvitation(ann, bob.user, room, Date.now() + 1 + (n % 3));
    codes.add(await codeOf(ann.raw, structs.inrm, inrm));
  }
  t.same(
    [...codes].filter((code) => ![200, 202, 400, 409].includes(code)),
    [],
  );
  t.notMatch(daemon.log(), /handler failed/);
});

void test('strm: the block is that of the head, whatever happens meanwhile', async (t) => {
  const daemon = await start(t);
  const [ann, bob, carl] = await people(t, daemon, ['ann', 'bob', 'carl']);
  let room = await makeRoom(ann, 'busy');
  for (const one of [bob, carl]) t.equal(await join(one, room), 200);
  let goesOn = true;
  let asked = 0;
  const looking = async (): Promise<void> => {
    for (; goesOn; asked++) {
      const { state } = await look(bob, room);
      const opened = await openRoomKeys(ports, bob.user.enc, state.block);
      if (!opened || !provesKey(nodeSync, room.id, state, opened.key))
        throw new Error(`a block of another epoch than ${String(state.epoch)}`);
    }
  };
  const talking = async (): Promise<void> => {
    while (goesOn) await say(carl, room, 'x');
  };
  const both = Promise.all([looking(), talking()]);
  for (let n = 0; n < 30; n++) ({ room } = await rotate(ann, room));
  goesOn = false;
  await both;
  t.ok(asked > 10);
});

void test('a name that only looks like another is malformed: 400', async (t) => {
  const daemon = await start(t);
  const [ann] = await people(t, daemon, ['ann']);
  const { crms } = await drawRoom(ann, 'common');
  const cyrillic = Buffer.from('cоmmоn'); // both о are Cyrillic
  const asks = async <S extends Struct>(struct: S, values: Values<S>, at: number): Promise<number> => {
    const id = nodeSync.random(16);
    const bytes = encodeCommand(struct, values, id);
    bytes.fill(0, at, at + 32);
    bytes.set(cyrillic, at);
    ann.raw.sendStruct(bytes);
    return (await ann.raw.answerTo(id)).header.code;
  };
  t.equal(await asks(structs.jrms1, { name: 'common' }, COMMAND_HEADER), 400, 'jrms1');
  const bytes = Buffer.from(encodeCommand(structs.crms, crms, nodeSync.random(16)));
  t.equal(await asks(structs.crms, crms, bytes.indexOf('common')), 400, 'crms');
  t.equal(await codeOf(ann.raw, structs.jrms1, { name: 'common' }), 200, 'and nothing was made');
});

void test('a wrong password is 401, and an unknown room looks the same, also by its time', async (t) => {
  const daemon = await start(t);
  const [ann, bob] = await people(t, daemon, ['ann', 'bob']);
  await makeRoom(ann, 'lounge');
  await makeRoom(ann, 'closed', RoomKind.invitation);
  const kinds = ['lounge', 'nowhere', 'closed'];
  const shapes = new Map<string, Set<string>>();
  const times = new Map<string, number[]>();
  for (let round = 0; round < 15; round++) {
    for (const name of kinds) {
      const began = performance.now();
      const found = await bob.raw.ask(structs.jrms1, { name });
      const between = performance.now();
      const { room, salt } = found.values as Values<typeof structs.jrms1Answer>;
      t.ok(salt.some((byte) => byte !== 0) && room.some((byte) => byte !== 0), name);
      const refused = await bob.raw.ask(structs.jrms2, { room, auth: nodeSync.random(32) });
      const ended = performance.now();
      const shape = [found, refused].map(({ bytes, header: { status, code } }) =>
        [bytes.length, status, code].join(' '),
      );
      shapes.set(name, (shapes.get(name) ?? new Set()).add(`${hex(room)} ${hex(salt)} ${shape.join(' | ')}`));
      times.set(`${name} 1`, [...(times.get(`${name} 1`) ?? []), between - began]);
      times.set(`${name} 2`, [...(times.get(`${name} 2`) ?? []), ended - between]);
    }
  }
  for (const name of kinds) t.equal(shapes.get(name)?.size, 1, `${name}: id and salt are the same each time`);
  const seen = new Set([...shapes.values()].flatMap((all) => [...all].map((each) => each.slice(66))));
  t.same([...seen], ['1776 0 200 | 1776 2 401']);
  const medians = [...times].map(([kind, ms]) => {
    const median = [...ms].sort((x, y) => x - y)[Math.floor(ms.length / 2)] ?? 0;
    t.comment(`${kind}: ${median.toFixed(1)} ms`);
    t.ok(median >= 24, `${kind}: not before 25 ms`);
    return median;
  });
  t.ok(Math.max(...medians) - Math.min(...medians) < 12, 'and none a step later than another');
});

/** From another address than everybody else. */
async function fromElsewhere(t: Teardown, daemon: Daemon): Promise<Daemon> {
  const server = createServer((near) => {
    const far = connect({ host: daemon.host, port: daemon.port, localAddress: '127.0.0.2' });
    for (const end of [near, far]) end.on('error', () => undefined);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { ...daemon, port: (server.address() as AddressInfo).port };
}

void test('too many wrong passwords are 429 with a wait, for the room and for the source', async (t) => {
  const daemon = await start(t, 'room-failures-per-quarter=3', 'failures-per-quarter=3');
  const elsewhere = await fromElsewhere(t, daemon);
  const [ann] = await people(t, daemon, ['ann']);
  const bob = await newPerson(t, elsewhere, 'bob');
  const [lounge, garden] = [await makeRoom(ann, 'lounge'), await makeRoom(ann, 'garden')];
  const wrong = { room: lounge.id, auth: nodeSync.random(32) };
  for (let n = 0; n < 4; n++) t.same(await waits(ann, structs.jrms2, wrong), [401, false]);
  t.same(await waits(ann, structs.jrms2, wrong), [429, true], 'the fifth');
  t.same(await waits(ann, structs.jrms2, { ...wrong, room: garden.id }), [429, true], 'for other rooms too');
  t.same(await waits(ann, structs.jrms1, { name: 'nowhere' }), [429, true]);
  t.same(await waits(bob, structs.jrms1, { name: 'lounge' }), [429, true], 'that room is shut for others too');
  t.same(await waits(bob, structs.jrms2, { room: lounge.id, auth: authOf(lounge) }), [429, true]);
  t.same(await waits(bob, structs.jrms3, await entering(bob, lounge)), [429, true]);
  t.equal(await join(bob, garden), 200, 'no other room is');
  const kate = await newPerson(t, elsewhere, 'kate');
  await befriend(ann.raw, ann.user, kate.raw, kate.user);
  const { inrm, invitation } = await drawInvitation(ann, kate.user, lounge);
  const invited = codeOf(ann.raw, structs.inrm, inrm);
  await took(kate, structs.ivrm);
  t.equal(await invited, 200);
  t.equal(
    await codeOf(kate.raw, structs.jrms3, await entering(kate, lounge, invitation)),
    200,
    'who needs no password',
  );
  const nowhere = nodeSync.random(16);
  const late = await newPerson(t, await fromElsewhere(t, daemon), 'late');
  for (const code of [401, 401, 401, 401, 429])
    t.equal(
      await codeOf(late.raw, structs.jrms2, { room: nowhere, auth: nodeSync.random(32) }),
      code,
      'nor an unknown',
    );
  t.match(daemon.log(), /room password/);
});

void test('jrms3: 409 twice or in another epoch, 401 by another password, 403 uninvited, 429 when full', async (t) => {
  const daemon = await start(t, 'room-members=2');
  const [ann, bob, carol] = await people(t, daemon, ['ann', 'bob', 'carol']);
  const room = await makeRoom(ann, 'lounge');
  const enters = (person: Person, change: Partial<Values<typeof structs.jrms3>>) =>
    entering(person, room).then((values) => codeOf(person.raw, structs.jrms3, { ...values, ...change }));
  t.equal(await enters(bob, { epoch: 2 }), 409, 'an epoch to come');
  t.equal(await enters(bob, { auth: nodeSync.random(32) }), 401);
  t.equal(await enters(bob, { room: nodeSync.random(16) }), 401, 'no such room');
  t.equal(await enters(bob, { auth: new Uint8Array(32) }), 403, 'nobody invited');
  t.equal(await enters(bob, { auth: new Uint8Array(32), room: nodeSync.random(16) }), 403);
  t.equal(await join(bob, room), 200);
  t.equal(await join(bob, room), 409, 'a member already');
  t.equal(await enters(ann, {}), 409, 'the owner too');
  t.equal(await join(carol, room), 429, 'the room is full');
  t.equal(await codeOf(bob.raw, structs.lvrm, { room: room.id }), 200);
  t.equal(await join(carol, room), 200, 'a closed epoch is entered too');
  t.equal(
    (await look(ann, room)).rows.find(({ name }) => name === 'bob'),
    undefined,
    'who entered and left is in no row',
  );
  t.equal(await codeOf(bob.raw, structs.mbrm, { room: room.id, index: 0 }), 403);
  t.equal(await codeOf(bob.raw, structs.lvrm, { room: room.id }), 403, 'twice');
  t.equal(await codeOf(ann.raw, structs.mbrm, { room: room.id, index: 2 }), 404);
});

void test('invitations: asked for, declined, followed, and when they end', async (t) => {
  const daemon = await start(t);
  const [ann, bob, carol] = await people(t, daemon, ['ann', 'bob', 'carol']);
  const room = await makeRoom(ann, 'closed', RoomKind.invitation);
  const invites = async (who: Person, whom: RawUser, change: Partial<Values<typeof structs.inrm>> = {}) =>
    codeOf(who.raw, structs.inrm, { ...(await drawInvitation(who, whom, room)).inrm, ...change });
  t.equal(await invites(ann, bob.user), 403, 'no conversation is open');
  await befriend(ann.raw, ann.user, bob.raw, bob.user);
  await befriend(bob.raw, bob.user, carol.raw, carol.user);
  t.equal(await invites(bob, carol.user), 403, 'by nobody who is a member');
  t.equal(await invites(ann, { ...bob.user, uid: nodeSync.random(16) }), 404);
  t.equal(await invites(ann, bob.user, { epoch: 2 }), 409);
  t.equal(await invites(ann, bob.user, { expires: Date.now() - 1 }), 400, 'past');
  t.equal(await invites(ann, bob.user, { expires: Date.now() + 22 * 24 * 3600_000 }), 400, 'too far');
  const asked = invites(ann, bob.user);
  const first = await took(bob, structs.ivrm);
  t.equal(await asked, 200, 'delivered');
  t.same([first.name, first.kind, hex(first.inviter)], ['closed', 1, hex(ann.user.uid)]);
  t.equal(await invites(ann, bob.user), 409, 'invited already');
  t.equal((await look(bob, room)).state.rows, 2, 'an invitee may look');
  t.equal(await say(bob, room, 'hello'), 403, 'and says nothing');
  t.equal(await codeOf(bob.raw, structs.dcrm, { room: room.id }), 200);
  t.same([(await took(ann, structs.lfrm)).what], [4]);
  t.equal(await codeOf(bob.raw, structs.dcrm, { room: room.id }), 403, 'twice');
  const { inrm, invitation } = await drawInvitation(ann, bob.user, room);
  bob.raw.close();
  t.equal(await codeOf(ann.raw, structs.inrm, inrm), 202, 'it waits');
  const back = await enter(t, daemon, bob.user);
  await took(back, structs.ivrm);
  const shown = (await look(back, room)).rows.find(({ state }) => state === 3);
  t.same([shown?.name, shown?.online, shown?.invitedEpoch], ['bob', 0, 1]);
  t.equal(await codeOf(back.raw, structs.jrms3, await entering(back, room, invitation)), 200);
  const entry = await took(ann, structs.enrm);
  t.same([hex(entry.inviter), hex(entry.bound)], [hex(ann.user.uid), hex(invitation.bound)]);
  t.equal(await codeOf(ann.raw, structs.jrms1, { name: 'closed' }), 200);
  t.equal(await codeOf(carol.raw, structs.jrms2, { room: room.id, auth: nodeSync.random(32) }), 401, 'no password');
  /* Bob invites Carol; when he leaves, his invitation ends. */
  const second = await drawInvitation(back, carol.user, room);
  const sent = codeOf(back.raw, structs.inrm, second.inrm);
  await took(carol, structs.ivrm);
  t.equal(await sent, 200);
  t.equal(await codeOf(back.raw, structs.lvrm, { room: room.id }), 200);
  t.equal(await codeOf(carol.raw, structs.jrms3, await entering(carol, room, second.invitation)), 403);
  t.equal(await invites(ann, bob.user), 409, 'the epoch is closed');
  const turned = await rotate(ann, room);
  t.equal(turned.code, 200);
  const brief = await drawInvitation(ann, bob.user, turned.room, Date.now() + 1000);
  const given = codeOf(ann.raw, structs.inrm, brief.inrm);
  await took(back, structs.ivrm);
  t.equal(await given, 200);
  while (Date.now() < brief.inrm.expires) await back.raw.ask(structs.keyq, { name: 'ann' }); // its time is what is waited for
  t.equal(await codeOf(back.raw, structs.jrms3, await entering(back, turned.room, brief.invitation)), 403, 'by time');
});

void test('invitees follow a new epoch with their block, and without one are invitees no more', async (t) => {
  const daemon = await start(t);
  const [ann, bob] = await people(t, daemon, ['ann', 'bob']);
  await befriend(ann.raw, ann.user, bob.raw, bob.user);
  const room = await makeRoom(ann, 'lounge');
  const { inrm, invitation } = await drawInvitation(ann, bob.user, room);
  const asked = codeOf(ann.raw, structs.inrm, inrm);
  await took(bob, structs.ivrm);
  t.equal(await asked, 200);
  const second = await rotate(ann, room);
  t.equal(second.code, 200);
  t.equal((await took(bob, structs.chrm)).epoch, 2);
  t.equal(await codeOf(bob.raw, structs.jrms3, await entering(bob, room, invitation)), 409, 'the epoch before');
  t.equal((await rotate(ann, second.room, { skip: [bob.user] })).code, 200);
  t.equal(await codeOf(bob.raw, structs.strm, { room: room.id }), 403);
});

void test('rtrm: who may what, what has to fit, and of two at once the first', async (t) => {
  const daemon = await start(t);
  const [ann, bob, carol, dave] = await people(t, daemon, ['ann', 'bob', 'carol', 'dave']);
  let room = await makeRoom(ann, 'lounge');
  t.equal(await join(bob, room), 200);
  room = (await rotate(ann, room)).room;
  t.equal(await join(carol, room), 200);
  const tries = async (who: Person, how: Rotation, change: Partial<Values<typeof structs.rtrm2>> = {}) => {
    const drawn = await drawRotation(who, room, await look(who, room), how);
    t.equal(await stage(who, room, drawn.epoch, drawn.blocks), 200);
    return codeOf(who.raw, structs.rtrm2, { ...drawn.rtrm2, ...change });
  };
  t.equal(await tries(bob, { removed: [ann.user] }), 403, 'the owner is not removed');
  t.equal(await tries(carol, { removed: [bob.user] }), 403, 'nor who was in before, by another member');
  t.equal(await tries(bob, { owner: bob.user.uid }), 403);
  t.equal(await tries(bob, { renewed: true }), 403);
  t.equal(await codeOf(dave.raw, structs.rtrm1, { room: room.id, epoch: 3, from: 0, blocks: [] }), 403);
  t.equal(await tries(ann, { epoch: 4 }), 409);
  t.equal(await tries(ann, {}, { version: 1 }), 409);
  t.equal(await tries(ann, { skip: [bob.user] }), 400, 'a block is missing');
  t.equal(await tries(ann, { add: [dave.user] }), 400, 'one for somebody else');
  t.equal(await tries(ann, { removed: [bob.user], add: [bob.user] }), 400, 'one for who is removed');
  t.equal(await tries(ann, { removed: [dave.user] }), 400, 'who is removed is no member');
  t.equal(await tries(ann, { removed: [ann.user] }), 400, 'nobody removes themselves');
  t.equal(await tries(ann, { owner: dave.user.uid }), 400, 'the owner is a member');
  for (const head of [{ name: 'other' }, { previous: nodeSync.random(32) }, { signer: bob.user.uid }])
    t.equal(await tries(ann, { head }), 400, Object.keys(head).join());
  t.equal(await tries(ann, { head: { list: nodeSync.random(32) } }), 400, 'list');
  t.equal(await tries(ann, {}, { signature: nodeSync.random(256) }), 400, 'signature');
  t.equal(
    await codeOf(ann.raw, structs.rtrm1, { room: room.id, epoch: 3, from: 6, blocks: [] }),
    409,
    'not what was sent',
  );
  const drawn = await drawRotation(ann, room, await look(ann, room));
  t.equal(await codeOf(ann.raw, structs.rtrm2, drawn.rtrm2), 400, 'no blocks at all');
  t.equal((await look(ann, room)).state.epoch, 2, 'nothing of all that was done');

  const rivals = await Promise.all([ann, bob].map(async (who) => ({ who, at: await look(who, room) })));
  const codes = await Promise.all(
    rivals.map(async ({ who, at }) => {
      const { epoch, blocks, rtrm2 } = await drawRotation(who, room, at);
      t.equal(await stage(who, room, epoch, blocks), 200);
      return codeOf(who.raw, structs.rtrm2, rtrm2);
    }),
  );
  t.same([...codes].sort(), [200, 409], 'two at once');
  t.equal((await look(ann, room)).state.epoch, 3);
});

void test('removing, handing over and a new password; members drop who entered in this epoch', async (t) => {
  const daemon = await start(t);
  const [ann, bob, carol] = await people(t, daemon, ['ann', 'bob', 'carol']);
  let room = await makeRoom(ann, 'lounge');
  t.equal(await join(bob, room), 200);
  room = (await rotate(ann, room)).room;
  t.equal(await join(carol, room), 200);
  const dropped = await rotate(bob, room, { removed: [carol.user] });
  t.equal(dropped.code, 200, 'by a member: she entered in this epoch');
  t.same([(await took(carol, structs.lfrm)).what], [2]);
  t.equal(await say(carol, room, 'still here'), 403);
  t.equal(await say(carol, dropped.room, 'still here'), 403);
  t.equal(await join(carol, room), 200, 'she knows the password');
  const unnamed = await drawRotation(bob, dropped.room, await look(bob, room), { removed: [carol.user] });
  t.equal(await stage(bob, room, unnamed.epoch, unnamed.blocks), 200);
  t.equal(
    await codeOf(bob.raw, structs.rtrm2, { ...unnamed.rtrm2, removed: [] }),
    200,
    'without a block she is out too',
  );
  dropped.room = unnamed.after;
  t.equal(await join(carol, room), 200);
  const renewed = await rotate(ann, dropped.room, { removed: [carol.user], renewed: true });
  t.equal(renewed.code, 200);
  t.equal(await join(carol, dropped.room), 401, 'it is another now');
  t.equal(await join(carol, renewed.room), 200);
  const handed = await rotate(ann, renewed.room, { owner: bob.user.uid });
  t.equal(handed.code, 200);
  t.equal((await look(bob, room)).state.owner.join(), bob.user.uid.join());
  t.equal(await codeOf(ann.raw, structs.dlrm, { room: room.id }), 403, 'no more hers');
  t.equal(await codeOf(ann.raw, structs.lvrm, { room: room.id }), 200, 'so she may leave');
  const { rows } = await look(bob, room);
  t.same(
    rows.map(({ name, state }) => [name, state]),
    [
      ['ann', 2],
      ['bob', 0],
      ['carol', 0],
    ],
  );
  t.equal(await codeOf(bob.raw, structs.dlrm, { room: room.id }), 200);
});

void test('the common room is offered until one is in it', async (t) => {
  const args = ['--lobby', 'common'];
  const daemon = await startLavish(t, { network: await makeNetwork(), args });
  const ann = await newPerson(t, daemon, 'ann');
  const offer = await ann.raw.event(structs.ofrm);
  t.equal(offer.values.name, 'common');
  t.equal(await codeOf(ann.raw, structs.jrms1, { name: 'common' }), 200);
  const room: RawRoom = await makeRoom(ann, 'common');
  const bob = await newPerson(t, daemon, 'bob');
  t.same((await bob.raw.event(structs.ofrm)).values, offer.values, 'the same to everybody');
  t.equal(await join(bob, room), 200);
  await daemon.stop();
  const next = await startLavish(t, { network: daemon.network, data: daemon.data, args });
  const back = await enter(t, next, bob.user);
  const carol = await newPerson(t, next, 'carol');
  t.same((await carol.raw.event(structs.ofrm)).values, offer.values, 'also after a restart');
  const offered = back.raw.event(structs.ofrm).then(() => 'offered');
  const answered = codeOf(back.raw, structs.keyq, { name: 'ann' });
  t.equal(await Promise.race([offered, answered]), 200, 'nothing came of it before');
});
