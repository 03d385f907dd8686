/** Who is in a room: heads, entries and invitations, each proof refused by itself (SPEC 9.5 to 9.7). */
import { test } from 'tap';
import {
  checkEntry,
  entryMessage,
  fieldLength,
  fingerprint,
  headHash,
  headMessage,
  hex,
  invitationBound,
  isZero,
  listHash,
  listRowOf,
  noInvitation,
  provesKey,
  roomCommitment,
  signEntry,
  signHead,
  signInvitation,
  structs,
  verifyHead,
  verifyInvitation,
  type EntryFields,
  type EntryProblem,
  type HeadFields,
  type Invitation,
  type RoomEntry,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { EPOCH, flipped, FORMER, R, ROOM, ROOM_NAME, roomPeople, some, type Member } from '../vectors/room-parts.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const { ann, ben } = roomPeople(await readTestKeys());
const at = { room: ROOM, epoch: EPOCH, name: ROOM_NAME };
const own = (of: Member) => ({ uid: of.uid, name: of.name, enc: of.enc.modulus, sig: of.sig.modulus });
const rows = [ann, ben].map((one) => listRowOf(nodeSync, own(one)));
const [first, second] = rows;
if (!first || !second) throw new Error('no rows');

const head: HeadFields = {
  name: ROOM_NAME,
  epoch: EPOCH,
  previous: some('previous', 32),
  owner: ann.uid,
  list: listHash(nodeSync, ROOM, rows),
  key: roomCommitment(nodeSync, at, R),
  signer: ben.uid,
  time: 1_760_000_000_000,
};
/** Another value of the same kind. */
const other = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return flipped(value, value.length - 1);
  return typeof value === 'number' ? value + 1 : `${String(value).slice(0, 5)}x`;
};

test('a list is of who is in the room, in whatever order they are named', (t) => {
  const hash = hex(listHash(nodeSync, ROOM, rows));
  t.equal(hex(listHash(nodeSync, ROOM, [second, first])), hash);
  const third = { ...first, uid: some('third', 16) };
  const others = [[first], [], [...rows, third], [{ ...first, name: 'anna' }, second]];
  others.push([
    { ...first, fingerprint: second.fingerprint },
    { ...second, fingerprint: first.fingerprint },
  ]);
  const hashes = others.map((list) => hex(listHash(nodeSync, ROOM, list)));
  t.equal(new Set([hash, ...hashes]).size, 6, 'another list has another hash');
  t.not(hex(listHash(nodeSync, some('other room', 16), rows)), hash);
  t.equal(hex(first.fingerprint), hex(fingerprint(nodeSync, own(ann))));
  t.end();
});

test('uids count as numbers, from their first byte on', (t) => {
  const uids = [0x00, 0x0a, 0x80, 0xff].map((byte) => new Uint8Array(16).fill(byte));
  const some4 = uids.map((uid) => ({ ...first, uid }));
  const sorted = nodeSync.sha256(
    Buffer.from('cadenas/1 room list'),
    ROOM,
    ...uids.flatMap((uid) => [uid, Buffer.from('ann'.padEnd(32, '\0')), first.fingerprint]),
  );
  const shuffled = [some4[2], some4[0], some4[3], some4[1]].filter((row) => row !== undefined);
  t.equal(hex(listHash(nodeSync, ROOM, shuffled)), hex(sorted));
  t.end();
});

test('a head says who signed it, and that they know R', async (t) => {
  const signed = await signHead(ports, ROOM, head, ben.sig, R);
  t.equal(await verifyHead(ports, ROOM, signed, ben.sig.modulus), true);
  t.equal(await verifyHead(ports, ROOM, signed, ann.sig.modulus), false, 'not somebody else');
  t.equal(await verifyHead(ports, some('other room', 16), signed, ben.sig.modulus), false, 'in no other room');
  t.equal(provesKey(nodeSync, ROOM, signed, R), true);
  t.equal(provesKey(nodeSync, ROOM, signed, FORMER), false);
  t.equal(provesKey(nodeSync, some('other room', 16), signed, R), false);
  t.equal(provesKey(nodeSync, ROOM, { ...signed, mac: flipped(signed.mac, 0) }, R), false, 'R without a proof');
  const elsewhere = await signHead(ports, ROOM, { ...head, key: some('of another R', 32) }, ben.sig, R);
  t.equal(provesKey(nodeSync, ROOM, elsewhere, R), false, 'a proof of an R that the head is not about');
});

test('each field of a head is in what is signed, and in its hash', async (t) => {
  const signed = await signHead(ports, ROOM, head, ben.sig, R);
  const messages = new Set([hex(headMessage(ROOM, head)), hex(headMessage(some('other room', 16), head))]);
  const hashes = new Set([hex(headHash(nodeSync, ROOM, head))]);
  for (const [name, value] of Object.entries(head)) {
    const changed = { ...signed, [name]: other(value) };
    messages.add(hex(headMessage(ROOM, changed)));
    hashes.add(hex(headHash(nodeSync, ROOM, changed)));
    t.equal(await verifyHead(ports, ROOM, changed, ben.sig.modulus), false, name);
    t.equal(provesKey(nodeSync, ROOM, changed, R), false, name);
  }
  t.equal(messages.size, 10);
  t.equal(hashes.size, 9);
  t.equal(headMessage(ROOM, head).length, 188);
});

// ---- entries and invitations

const where = { room: ROOM, name: ROOM_NAME };
const given: Omit<Invitation, 'invitation'> = {
  inviter: ann.uid,
  invitedEpoch: 2,
  expires: 1_760_000_000_000,
  bound: invitationBound(nodeSync, some('head', 32), some('block', 256)),
};
const invite = (invitee: Member, by: Member = ann, fields = given): Promise<Uint8Array> =>
  signInvitation(ports, where, own(invitee), fields, by.sig);
const invitation: Invitation = { ...given, invitation: await invite(ben) };
const byPassword: EntryFields = { ...own(ben), time: 1_760_000_000_001, ...noInvitation };
const byInvitation: EntryFields = { ...byPassword, ...invitation };
const members = new Map([[hex(ann.uid), ann.sig.modulus]]);
const problemOf = (entry: RoomEntry, alone = false, place = at, key = R): Promise<EntryProblem | undefined> =>
  checkEntry(ports, place, entry, key, (uid) => members.get(hex(uid)), alone);
const sign = (fields: EntryFields, by: Member = ben, key = R): Promise<RoomEntry> =>
  signEntry(ports, at, fields, by.sig, key);

test('entries that are sound', async (t) => {
  t.equal(await problemOf(await sign(byPassword)), undefined, 'by the password');
  t.equal(await problemOf(await sign(byInvitation)), undefined, 'invited to a room with a password');
  t.equal(await problemOf(await sign(byInvitation), true), undefined, 'by invitation alone');
  t.equal(entryMessage(at, byPassword).length, 904);
});

test('each way in which an entry is refused', async (t) => {
  const sound = await sign(byInvitation);
  const even = flipped(ben.enc.modulus, 255);
  t.equal(await problemOf({ ...sound, enc: even }), 'modulus');
  t.equal(await problemOf({ ...sound, sig: even }), 'modulus');
  t.equal(await problemOf({ ...sound, enc: sound.sig }), 'modulus', 'one for both');
  t.equal(await problemOf(sound, true, at, FORMER), 'mac', 'another R');
  t.equal(await problemOf(sound, true, { ...at, epoch: EPOCH + 1 }), 'mac', 'another epoch');
  t.equal(await problemOf(sound, true, { ...at, room: some('other room', 16) }), 'mac', 'another room');
  t.equal(await problemOf(await sign(byInvitation, ann)), 'signature', 'signed by somebody else');
  t.equal(await problemOf({ ...sound, signature: flipped(sound.signature, 5) }), 'signature');
  const elsewhere = await sign(byInvitation, ben, FORMER);
  t.equal(await problemOf({ ...elsewhere, mac: sound.mac }), 'signature', 'signed where this epoch had another R');
  t.equal(await problemOf(await sign(byPassword), true), 'inviter', 'nobody invited them');
  t.equal(await problemOf(await sign({ ...byInvitation, inviter: some('stranger', 16) })), 'inviter');
  t.equal(await problemOf(sound, true, { ...at, name: 'lounge' }), 'invitation', 'to a room of another name');
  t.equal(await problemOf(await sign({ ...byInvitation, expires: given.expires + 1 })), 'invitation');
  t.equal(await problemOf(await sign({ ...byInvitation, invitation: await invite(ann) })), 'invitation');
});

test('nobody invites themselves, though they stand among the rows already', async (t) => {
  members.set(hex(ben.uid), ben.sig.modulus);
  const fields = { ...given, inviter: ben.uid };
  const self = await sign({ ...byPassword, ...fields, invitation: await invite(ben, ben, fields) });
  t.equal(await problemOf(self, true), 'inviter');
  members.delete(hex(ben.uid));
});

test('each field of an entry is in what is proven', async (t) => {
  const sound = await sign(byInvitation);
  for (const name of Object.keys(byInvitation) as (keyof EntryFields)[]) {
    const problem = await problemOf({ ...sound, [name]: other(sound[name]) }, true);
    t.equal(problem, name === 'enc' || name === 'sig' ? 'modulus' : 'mac', name);
  }
  const layout = structs.enrm.fields.slice(3, -2).reduce((sum, field) => sum + fieldLength(field), 20);
  t.equal(entryMessage(at, sound).length, layout);
});

test('an invitation is of one invitee with their keys, one room, one head and block', async (t) => {
  const holds = (invited = own(ben), place = where, fields: Partial<Invitation> = {}, sig = ann.sig.modulus) =>
    verifyInvitation(ports, place, invited, { ...invitation, ...fields }, sig);
  t.equal(await holds(), true);
  t.equal(await holds(own(ann)), false, 'another invitee');
  t.equal(await holds({ ...own(ben), uid: ann.uid }), false);
  t.equal(await holds({ ...own(ben), enc: ann.enc.modulus }), false);
  t.equal(await holds(own(ben), { ...where, room: some('other room', 16) }), false);
  t.equal(await holds(own(ben), { ...where, name: 'lounge' }), false);
  for (const [name, value] of Object.entries(invitation))
    t.equal(await holds(own(ben), where, { [name]: other(value) }), false, name);
  t.equal(await holds(own(ben), where, {}, ben.sig.modulus), false, 'another inviter');
  const bounds = [
    invitationBound(nodeSync, some('head', 32), some('other block', 256)),
    invitationBound(nodeSync, some('other head', 32), some('block', 256)),
  ];
  t.equal(new Set([given.bound, ...bounds].map(hex)).size, 3);
});

test('an entry without an invitation has zeros in its place', (t) => {
  const { inviter, bound, invitation: signature, ...numbers } = noInvitation;
  t.ok([inviter, bound, signature].every(isZero));
  t.same(numbers, { invitedEpoch: 0, expires: 0 });
  t.end();
});
