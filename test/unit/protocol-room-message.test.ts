/** A room's messages: what its members open, and that nothing of them can be changed or said elsewhere (SPEC 9.8). */
import { test } from 'tap';
import {
  concat,
  cutText,
  encodeFields,
  hex,
  joinText,
  Label,
  openRoomMessage,
  ROOM_MESSAGE,
  ROOM_TEXT,
  roomMessageHash,
  sealRoomMessage,
  structs,
  utf8,
  type RoomMessage,
  type RoomMessageHeader,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { EPOCH, flipped, hkdf, place, R, ROOM, roomPeople, seal256, some, uint } from '../vectors/room-parts.js';
import { Seeded } from '../vectors/seeded.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const { ann, ben } = roomPeople(await readTestKeys());
const header: RoomMessageHeader = {
  room: ROOM,
  epoch: EPOCH,
  sender: ann.uid,
  message: some('message', 16),
  sequence: 1,
  time: 1_760_000_000_000,
  previous: new Uint8Array(32),
  part: 0,
  parts: 1,
};
const seal = (text: Uint8Array, fields: Partial<RoomMessageHeader> = {}): Promise<RoomMessage> =>
  sealRoomMessage(ports, { ...header, ...fields }, text, R, ann.sig);
const problemOf = async (message: RoomMessage, key = R, sig = ann.sig.modulus) =>
  (await openRoomMessage(ports, message, key, sig)).problem;

test('texts of every length come back', async (t) => {
  const texts = [
    'a',
    'x'.repeat(ROOM_TEXT),
    'é'.repeat(ROOM_TEXT / 2),
    '🔒'.repeat(ROOM_TEXT / 4),
    '\u0000\ufeff{bold}',
  ];
  for (const text of texts) {
    const opened = await openRoomMessage(ports, await seal(utf8(text)), R, ann.sig.modulus);
    t.equal(opened.problem === undefined && joinText([opened.text]), text);
  }
});

test('parts of a longer text need not be UTF-8 by themselves', async (t) => {
  const text = `x${'ž'.repeat(1200)}`;
  const parts = cutText(utf8(text));
  const came: Uint8Array[] = [];
  for (const [part, bytes] of parts.entries()) {
    const opened = await openRoomMessage(
      ports,
      await seal(bytes, { part, parts: parts.length, sequence: 5 + part }),
      R,
      ann.sig.modulus,
    );
    if (opened.problem === undefined) came.push(opened.text);
  }
  t.equal(joinText(came), text);
});

test('empty and too long texts are not sealed', async (t) => {
  await t.rejects(seal(new Uint8Array(0)), RangeError);
  await t.rejects(seal(new Uint8Array(ROOM_TEXT + 1)), RangeError);
});

test('a header that says what no client would', async (t) => {
  const text = new Uint8Array(ROOM_TEXT).fill(97);
  t.equal(await problemOf(await seal(text, { parts: 65 })), 'header');
  t.equal(await problemOf(await seal(text, { parts: 64 })), undefined);
  t.equal(await problemOf(await seal(text, { part: 2, parts: 2, sequence: 9 })), 'header');
  t.equal(await problemOf(await seal(text, { parts: 0 })), 'header');
  t.equal(await problemOf(await seal(text, { part: 1, parts: 3, sequence: 1 })), 'header');
  t.equal(await problemOf(await seal(text, { part: 1, parts: 3, sequence: 2 })), undefined);
});

test('no bit of a message can be changed', async (t) => {
  const message = await seal(utf8('text'));
  const draws = new Seeded('room message flips');
  for (const [name, value] of Object.entries(message)) {
    if (typeof value === 'number') {
      const wanted = name === 'sequence' || name === 'part' || name === 'parts' ? ['header', 'seal'] : ['seal'];
      for (const changed of [value + 1, value - 1].filter((number) => number >= 0))
        t.ok(wanted.includes((await problemOf({ ...message, [name]: changed })) ?? ''), `${name} ${String(changed)}`);
      continue;
    }
    for (let n = 0; n < 40; n++) {
      const changed = Uint8Array.from(value);
      const at = draws.below(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << draws.below(8));
      t.equal(await problemOf({ ...message, [name]: changed }), 'seal', `${name} ${String(at)}`);
    }
  }
  t.equal(await problemOf(message, flipped(R, 31)), 'seal', 'another R');
  t.equal(await problemOf(message, R, ben.sig.modulus), 'signature', 'another sender');
});

/** By somebody who knows R and seals what they like. */
function sealedBy(inner: Uint8Array, fields: Partial<RoomMessageHeader> = {}, key = R): RoomMessage {
  const salt = some('salt', 32);
  const message = { ...header, ...fields, salt, sealed: new Uint8Array(1298) };
  const hdr = encodeFields(structs.srms, message).subarray(0, 104);
  return {
    ...message,
    sealed: seal256(hkdf(key, salt, 'room message', nodeSync.sha256(hdr)), concat(hdr, salt), inner),
  };
}
const innerOf = (signature: Uint8Array, text: Uint8Array, length = text.length, behind = 0): Uint8Array =>
  concat(signature, uint(2, length), text, new Uint8Array(1024 - text.length).fill(behind, 0, 1));
const signatureOf = (text: Uint8Array, fields: Partial<RoomMessageHeader> = {}, key = R, by = ann) => {
  const said = { ...header, ...fields, salt: new Uint8Array(32), sealed: new Uint8Array(1298) };
  const hdr = encodeFields(structs.srms, said).subarray(0, 104);
  const commitment = hkdf(key, said.room, 'room key', place(said.room, said.epoch));
  return nodeAsymmetric.pssSign(by.sig, Label.room, concat(hdr, commitment, nodeSync.sha256(text)));
};

test('a member who seals something else than a text', async (t) => {
  const text = utf8('text');
  const signature = await signatureOf(text);
  t.equal(await problemOf(sealedBy(innerOf(signature, text))), undefined, 'this is how it is done');
  t.equal(await problemOf(sealedBy(innerOf(signature, text, 0))), 'text');
  t.equal(await problemOf(sealedBy(innerOf(signature, text, 1025))), 'text');
  t.equal(await problemOf(sealedBy(innerOf(signature, text, 65535))), 'text');
  t.equal(await problemOf(sealedBy(innerOf(signature, text, 4, 1))), 'text', 'a byte behind it');
  t.equal(await problemOf(sealedBy(innerOf(signature, Uint8Array.of(0xff)))), 'text', 'no UTF-8');
  t.equal(
    await problemOf(sealedBy(innerOf(signature, text), { parts: 2 })),
    'text',
    'a short part that is not the last',
  );
});

test('a member who hands on what another said', async (t) => {
  const text = utf8('text');
  for (const [what, signature] of [
    ['in another room', await signatureOf(text, { room: some('other room', 16) })],
    ['in another epoch', await signatureOf(text, { epoch: EPOCH - 1 })],
    ['in an epoch of this number with another R', await signatureOf(text, {}, some('other R', 32))],
    ['of somebody else', await signatureOf(text, { sender: ben.uid }, R, ben)],
    ['earlier', await signatureOf(text, { sequence: 2 })],
    ['as another part', await signatureOf(text, { parts: 2 })],
    ['behind something else', await signatureOf(text, { previous: some('previous', 32) })],
    ['of another text', await signatureOf(utf8('texts'))],
  ] as const)
    t.equal(await problemOf(sealedBy(innerOf(signature, text))), 'signature', what);
});

test('two sealings of a text share nothing that is sealed, and have two hashes', async (t) => {
  const [one, two] = [await seal(utf8('text')), await seal(utf8('text'))];
  t.not(hex(one.salt), hex(two.salt));
  t.not(hex(one.sealed.subarray(0, 32)), hex(two.sealed.subarray(0, 32)));
  t.not(hex(roomMessageHash(nodeSync, one)), hex(roomMessageHash(nodeSync, two)));
  t.equal(hex(roomMessageHash(nodeSync, one)), hex(nodeSync.sha256(encodeFields(structs.srms, one))));
  t.equal(encodeFields(structs.srms, one).length, ROOM_MESSAGE);
});

test('the text outlives the frame that it came in', async (t) => {
  const message = await seal(utf8('text'));
  const opened = await openRoomMessage(ports, message, R, ann.sig.modulus);
  message.sealed.fill(0);
  t.equal(opened.problem === undefined && joinText([opened.text]), 'text');
});

/**
 * PSS puts the label in front of the message, with nothing between: "room" begins "room head" and "room entry". What is
 * signed under each has one length, so that no signature of one is a signature of another.
 */
test('no signature under one label is one under another', (t) => {
  const lengths = {
    room: Label.room.length + 104 + 32 + 32,
    roomHead: Label.roomHead.length + 188,
    roomEntry: Label.roomEntry.length + 904 + 32,
    invite: Label.invite.length + 156,
  };
  t.equal(new Set(Object.values(lengths)).size, 4);
  const all = Object.entries(Label).map(([name, label]) => [name, Buffer.from(label).toString()] as const);
  const begins = all.flatMap(([, short]) => all.filter(([, long]) => long !== short && long.startsWith(short)));
  t.same(
    begins.map(([name]) => name),
    ['roomHead', 'roomEntry'],
    'no other label is the beginning of one',
  );
  t.end();
});
