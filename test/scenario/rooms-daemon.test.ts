/** Rooms against a running daemon: made, entered, spoken in, left, deleted. */
import { test } from 'tap';
import { hex, openRoomKeys, openRoomMessage, structs, verifyHead } from '../../protocol/index.js';
import { makeNetwork } from '../support/daemon.js';
import { enter, newPerson, startLavish } from '../support/people.js';
import { ports } from '../support/raw.js';
import { codeOf, join, look, makeRoom, rotate, say, took } from '../support/raw-rooms.js';

void test('a room is made, entered by its password, spoken in, rotated and left', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const ann = await newPerson(t, daemon, 'ann');
  const bob = await newPerson(t, daemon, 'bob');
  const room = await makeRoom(ann, 'lounge');
  t.equal(await join(bob, room), 200);
  for (const each of [ann, bob]) {
    const entry = await took(each, structs.enrm);
    t.same([entry.name, entry.epoch, entry.version], ['bob', 1, 2]);
  }
  const { state, rows } = await look(bob, room);
  t.same([state.rows, state.closed, state.kind, state.version], [2, 0, 0, 2]);
  t.same(
    rows.map(({ name, state: of, online }) => [name, of, online]),
    [
      ['ann', 0, 1],
      ['bob', 1, 1],
    ],
  );
  const said = say(ann, room, 'good evening');
  const message = await took(bob, structs.rvrm);
  t.equal(await said, 200, 'acknowledged by the only other member');
  const opened = await openRoomMessage(ports, message, room.keys.key, ann.user.sig.modulus);
  t.equal(opened.problem, undefined);
  t.equal(Buffer.from(opened.problem ? '' : opened.text).toString(), 'good evening');
  const turned = await rotate(bob, room);
  t.equal(turned.code, 200);
  for (const each of [ann, bob]) {
    const change = await took(each, structs.chrm);
    t.same([change.epoch, change.renewed, change.removed.length], [2, 0, 0]);
    t.same(await openRoomKeys(ports, each.user.enc, change.block), turned.room.keys, 'with one’s own block');
    t.ok(await verifyHead(ports, room.id, change, bob.user.sig.modulus));
  }
  t.equal(await say(ann, room, 'too late'), 409, 'the epoch before');
  t.equal(await codeOf(ann.raw, structs.lvrm, { room: room.id }), 409, 'the owner can’t leave');
  t.equal(await codeOf(bob.raw, structs.lvrm, { room: room.id }), 200);
  const left = await took(ann, structs.lfrm);
  t.same([hex(left.uid), left.what], [hex(bob.user.uid), 1]);
  t.equal((await look(ann, room)).state.closed, 1);
  t.equal(await say(ann, turned.room, 'to nobody'), 409, 'the epoch is closed');
  t.equal(await say(bob, turned.room, 'from outside'), 403);
  const again = await rotate(ann, turned.room);
  t.equal(again.code, 200);
  t.equal(await say(ann, again.room, 'alone'), 200);
  t.equal(await codeOf(bob.raw, structs.dlrm, { room: room.id }), 403);
  t.equal(await codeOf(ann.raw, structs.dlrm, { room: room.id }), 200);
  t.equal((await took(ann, structs.lfrm)).what, 3);
  t.equal(await codeOf(ann.raw, structs.strm, { room: room.id }), 403);
  await daemon.logged('room deleted');
  t.notOk(daemon.log().includes('lounge'), 'the log has no names');
  await enter(t, daemon, ann.user);
});
