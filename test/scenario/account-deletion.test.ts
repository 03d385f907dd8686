/** dlac at a running daemon: what goes with an account, for whom, and what stays (SPEC 6.14). */
import { test } from 'tap';
import { Code, Departure, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { befriend, logIn, registerUser } from '../support/raw.js';
import { codeOf, join, makeRoom } from '../support/raw-rooms.js';

const network = await makeNetwork();
const none = { factor: 0, code: new Uint8Array(0) };

test('an account is deleted by its owner, for good, also over a kill right behind the answer', async (t) => {
  let daemon = await startLavish(t, { network });
  const [first, bob] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(first.raw, first.user, bob.raw, bob.user);
  const [own, other] = [await makeRoom(first, 'own_room'), await makeRoom(bob, 'other_room')];
  t.equal(await join(bob, own), Code.done);
  t.equal(await join(first, other), Code.done);
  first.raw.close();
  bob.raw.close(); // what was pushed to somebody and not acknowledged goes with a kill: they look at their rooms anyway
  let words = new Uint8Array(32) as Uint8Array;
  const raw = await connected(t, daemon);
  await logIn(raw, first.user, { proven: (proof) => (words = proof) });
  t.equal(await codeOf(raw, structs.dlac, { words: nodeSync.random(32), ...none }), 401);
  t.equal(await codeOf(raw, structs.dlac, { words, factor: 1, code: Buffer.from('123456') }), 401);
  t.equal(await codeOf(raw, structs.dlac, { words, ...none }), 200);
  await raw.closed;
  await daemon.kill();
  daemon = await startDaemon(t, { network, data: daemon.data });

  const again = await connected(t, daemon);
  t.equal((await logIn(again, first.user)).header.code, 401, 'nobody, as any unknown name');
  const there = await enter(t, daemon, bob.user, false);
  const told: Values<typeof structs.lfrm>[] = [];
  while (told.length < 2) told.push((await there.raw.event(structs.lfrm)).values);
  t.same(
    told.map(({ what }) => what),
    [Departure.deleted, Departure.left],
    'members know; it waited for them',
  );
  t.equal(await codeOf(there.raw, structs.strm, { room: own.id }), 403);
  t.equal(await codeOf(there.raw, structs.strm, { room: other.id }), 200);
  t.equal(await codeOf(there.raw, structs.keyq, { name: 'alice' }), 404);
  const envelope = nodeSync.random(1736);
  envelope.set(bob.user.uid, 34);
  envelope.set(first.user.uid, 50);
  t.equal(await codeOf(there.raw, structs.smpu, { envelope }), 403);
  t.equal((await registerUser(again, first.user)).header.code, 200, 'the name is free');
  t.equal((await logIn(again, first.user)).header.code, 200);
  t.equal((await again.event(structs.cnnt)).values.queued, 0);
  t.equal(await codeOf(there.raw, structs.smpu, { envelope }), 403, 'the new one is somebody else');
  t.notMatch(daemon.log(), /the store failed|a handler failed/);
});

test('while it is in use: those who write to it, and wait for it, have their answers', async (t) => {
  const daemon = await startLavish(t, { network });
  const [alice, bob] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(alice.raw, alice.user, bob.raw, bob.user);
  const envelope = nodeSync.random(1736);
  envelope.set(bob.user.uid, 34);
  envelope.set(alice.user.uid, 50);
  t.equal(await codeOf(bob.raw, structs.smpu, { envelope }), 202, 'the route is known');
  alice.raw.close();
  let words = new Uint8Array(32) as Uint8Array;
  const raw = await connected(t, daemon);
  await logIn(raw, alice.user, { proven: (proof) => (words = proof) });
  await raw.event(structs.rvum); // not acknowledged: it goes back to a queue that is none
  const under = bob.raw.ask(structs.smpu, { envelope: envelope.slice() }, nodeSync.random(16));
  t.equal(await codeOf(raw, structs.dlac, { words, ...none }), 200);
  t.ok([200, 202, 403, 404].includes((await under).header.code));
  t.equal(await codeOf(bob.raw, structs.smpu, { envelope }), 403, 'nobody takes it any more');
  t.equal(await codeOf(bob.raw, structs.bloc, { uid: alice.user.uid }), 404);
  await daemon.stop();
  t.notMatch(daemon.log(), /the store failed|a handler failed/);
});
