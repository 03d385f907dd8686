/** A room's id, its password and R: who gets it, and that nobody else does (SPEC 9.2, 9.3). */
import { test } from 'tap';
import {
  hex,
  isZero,
  Label,
  noWrap,
  openRoomKeys,
  roomAuthHash,
  roomCommitment,
  roomEpochBytes,
  roomId,
  RoomKind,
  roomMacKey,
  roomSecrets,
  sealRoomKeys,
  unwrapRoomKey,
  wrapRoomKey,
  type RoomEpoch,
  type RoomWrap,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { flipped, R, ROOM, some, WRAP_KEY } from '../vectors/room-parts.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const keys = await readTestKeys();
const at: RoomEpoch = { room: ROOM, epoch: 3 };
const both = { key: R, wrapKey: WRAP_KEY };
const problemOf = (wrap: RoomWrap, where = at, wrapKey = WRAP_KEY) =>
  unwrapRoomKey(nodeSync, where, wrapKey, wrap).problem;

test('an id is of its maker and of what they drew', (t) => {
  const [maker, nonce] = [some('maker', 16), some('nonce', 32)];
  const id = roomId(nodeSync, maker, nonce);
  t.equal(id.length, 16);
  t.equal(hex(roomId(nodeSync, maker, nonce)), hex(id), 'a try again makes no second room');
  t.not(hex(roomId(nodeSync, maker, flipped(nonce, 0))), hex(id));
  t.not(hex(roomId(nodeSync, flipped(maker, 0), nonce)), hex(id));
  t.same(RoomKind, { password: 0, invitation: 1 });
  t.end();
});

test('room and epoch are 20 bytes, of which two never are the same', (t) => {
  t.equal(hex(roomEpochBytes(at)), `${hex(ROOM)}00000003`);
  t.equal(hex(roomEpochBytes({ ...at, epoch: 2 ** 32 - 1 })), `${hex(ROOM)}ffffffff`);
  t.end();
});

test('a password gives another wrapKey and authKey in each room, and the daemon keeps neither', (t) => {
  const stretched = some('A', 32);
  const [here, there] = [ROOM, some('other', 16)].map((room) => roomSecrets(nodeSync, room, stretched));
  if (!here || !there) throw new Error('no secrets');
  const all = [here.wrapKey, here.auth, there.wrapKey, there.auth, roomAuthHash(nodeSync, here.auth)].map(hex);
  t.equal(new Set(all).size, all.length);
  t.equal(all[4], hex(nodeSync.sha256(here.auth)));
  t.end();
});

test('R under a password', (t) => {
  const wrap = wrapRoomKey(nodeSync, at, both);
  const opened = unwrapRoomKey(nodeSync, at, WRAP_KEY, wrap);
  t.equal(opened.problem === undefined && hex(opened.key), hex(R));
  t.equal(problemOf(wrap, { ...at, epoch: 4 }), 'commitment', 'of another epoch');
  t.equal(problemOf(wrap, { ...at, room: some('other', 16) }), 'commitment', 'of another room');
  t.equal(problemOf(wrap, at, some('other', 32)), 'commitment', 'another password');
  t.equal(problemOf({ ...wrap, wrapSalt: flipped(wrap.wrapSalt, 31) }), 'commitment');
  for (let byte = 0; byte < 32; byte++)
    t.equal(problemOf({ ...wrap, commitment: flipped(wrap.commitment, byte) }), 'commitment');
  for (let byte = 0; byte < 48; byte++) t.equal(problemOf({ ...wrap, wrapped: flipped(wrap.wrapped, byte) }), 'seal');
  const again = wrapRoomKey(nodeSync, at, both);
  t.not(hex(again.commitment), hex(wrap.commitment), 'each wrap draws a salt');
  t.not(hex(again.wrapped), hex(wrap.wrapped));
  t.end();
});

test('where there is no password, R lies under none, whatever the daemon says of the room', (t) => {
  const wrap = wrapRoomKey(nodeSync, at, { key: R, wrapKey: new Uint8Array(32) });
  t.same(wrap, noWrap);
  t.ok([wrap.wrapSalt, wrap.commitment, wrap.wrapped].every(isZero));
  t.equal(problemOf(wrap, at, new Uint8Array(32)), 'commitment');
  t.end();
});

test('a block opens for its member alone', async (t) => {
  const block = await sealRoomKeys(ports, keys.recipientEnc.modulus, both);
  t.equal(block.length, 256);
  const opened = await openRoomKeys(ports, keys.recipientEnc, block);
  t.equal(opened && hex(opened.key), hex(R));
  t.equal(opened && hex(opened.wrapKey), hex(WRAP_KEY));
  t.equal(await openRoomKeys(ports, keys.senderEnc, block), undefined, 'for somebody else');
  t.equal(await openRoomKeys(ports, keys.recipientEnc, flipped(block, 77)), undefined, 'changed');
  t.equal(await openRoomKeys(ports, keys.recipientEnc, new Uint8Array(256)), undefined, 'none');
  for (const [label, length] of [
    [Label.room, 32],
    [Label.room, 63],
    [Label.room, 65],
    [Label.pm, 64],
  ] as const) {
    const other = await nodeAsymmetric.oaepSeal(keys.recipientEnc.modulus, label, some('plain', length));
    t.equal(await openRoomKeys(ports, keys.recipientEnc, other), undefined, `${String(length)} bytes`);
  }
  await t.rejects(sealRoomKeys(ports, new Uint8Array(255), both), RangeError, 'no modulus');
  await t.rejects(sealRoomKeys(ports, new Uint8Array(256), both), 'that of an account that was deleted');
});

test('what a head says of R, and the key of proofs, are of one room and epoch, and not each other', (t) => {
  const places = [at, { ...at, epoch: 4 }, { ...at, room: some('other', 16) }];
  const all = places.flatMap((place) => [roomCommitment(nodeSync, place, R), roomMacKey(nodeSync, place, R)]);
  const others = [roomCommitment(nodeSync, at, flipped(R, 0)), roomMacKey(nodeSync, at, flipped(R, 0)), R];
  t.equal(new Set([...all, ...others].map(hex)).size, 9);
  t.end();
});
