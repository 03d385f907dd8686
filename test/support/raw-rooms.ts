/** What a client does in rooms, by the protocol's own functions and step by step, so that a test can do it wrongly. */
import {
  fingerprint,
  headHash,
  invitationBound,
  listHash,
  noHead,
  noInvitation,
  noWrap,
  ROOM_BLOCKS,
  roomAuthHash,
  roomCommitment,
  roomId,
  RoomKind,
  roomSecrets,
  sealRoomKeys,
  sealRoomMessage,
  signEntry,
  signHead,
  signInvitation,
  structs,
  unwrapRoomKey,
  utf8,
  wrapRoomKey,
  type Invitation,
  type ListRow,
  type RoomHead,
  type RoomKeys,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Person } from './people.js';
import { ports, type RawConnection, type RawUser } from './raw.js';

/** What a member knows of a room. */
export interface RawRoom {
  readonly id: Uint8Array;
  readonly name: string;
  readonly kind: number;
  /** A: what stretching the password makes */
  stretched: Uint8Array;
  salt: Uint8Array;
  keys: RoomKeys;
  head: RoomHead;
}

export function listRow({ uid, name, enc, sig }: RawUser): ListRow {
  return { uid, name, fingerprint: fingerprint(nodeSync, { enc: enc.modulus, sig: sig.modulus }) };
}

export function seal(user: RawUser, keys: RoomKeys): Promise<Uint8Array> {
  return sealRoomKeys(ports, user.enc.modulus, keys);
}

/** Draws a room, and the `crms` that makes it. */
export async function drawRoom(
  { user }: Person,
  name: string,
  kind: number = RoomKind.password,
): Promise<{ room: RawRoom; crms: Values<typeof structs.crms> }> {
  const [nonce, key, stretched] = [nodeSync.random(32), nodeSync.random(32), nodeSync.random(32)];
  const id = roomId(nodeSync, user.uid, nonce);
  const isOpen = kind === RoomKind.password;
  const { wrapKey, auth } = roomSecrets(nodeSync, id, stretched);
  const keys = { key, wrapKey: isOpen ? wrapKey : new Uint8Array(32) };
  const at = { room: id, epoch: 1 };
  const fields = {
    name,
    epoch: 1,
    previous: noHead,
    owner: user.uid,
    list: listHash(nodeSync, id, [listRow(user)]),
    key: roomCommitment(nodeSync, at, key),
    signer: user.uid,
    time: Date.now(),
  };
  const head = await signHead(ports, id, fields, user.sig, key);
  const salt = isOpen ? nodeSync.random(16) : new Uint8Array(16);
  const crms = {
    ...head,
    ...(isOpen ? wrapRoomKey(nodeSync, at, keys) : noWrap),
    kind,
    nonce,
    salt,
    auth: isOpen ? roomAuthHash(nodeSync, auth) : new Uint8Array(32),
    block: await seal(user, keys),
  };
  return { room: { id, name, kind, stretched, salt, keys, head }, crms };
}

export async function makeRoom(person: Person, name: string, kind?: number): Promise<RawRoom> {
  const { room, crms } = await drawRoom(person, name, kind);
  expect(await codeOf(person.raw, structs.crms, crms), 200);
  return room;
}

export async function codeOf<S extends Struct>(
  raw: RawConnection,
  struct: S,
  values: Values<S>,
  frameId?: Uint8Array,
): Promise<number> {
  return (await raw.ask(struct, values, frameId)).header.code;
}

function expect(code: number, wanted: number): void {
  if (code !== wanted) throw new Error(`answered ${String(code)}, not ${String(wanted)}`);
}

export function authOf(room: RawRoom): Uint8Array {
  return roomSecrets(nodeSync, room.id, room.stretched).auth;
}

/** `jrms3`, by the password unless there is an invitation. */
export async function entering(
  { user }: Person,
  room: RawRoom,
  invitation?: Invitation,
): Promise<Values<typeof structs.jrms3>> {
  const at = { room: room.id, epoch: room.head.epoch };
  const { uid, name, enc, sig } = user;
  const said = { ...noInvitation, ...invitation };
  const fields = { uid, name, enc: enc.modulus, sig: sig.modulus, time: Date.now(), ...said };
  const { time, mac, signature } = await signEntry(ports, at, fields, sig, room.keys.key);
  const auth = invitation ? new Uint8Array(32) : authOf(room);
  return { ...at, auth, block: await seal(user, room.keys), time, mac, signature };
}

/** Enters by the password, as somebody who knows nothing but name and password. @returns the code of the last step */
export async function join(person: Person, room: RawRoom): Promise<number> {
  const { raw } = person;
  const found = await raw.ask(structs.jrms1, { name: room.name });
  if (found.header.code !== 200) return found.header.code;
  const { room: id } = found.values as Values<typeof structs.jrms1Answer>;
  const { wrapKey, auth } = roomSecrets(nodeSync, id, room.stretched);
  const unlocked = await raw.ask(structs.jrms2, { room: id, auth });
  if (unlocked.header.code !== 200) return unlocked.header.code;
  const wrap = unlocked.values as Values<typeof structs.jrms2Answer>;
  const opened = unwrapRoomKey(nodeSync, { room: id, epoch: wrap.epoch }, wrapKey, wrap);
  if (opened.problem) throw new Error(`R under the password: ${opened.problem}`);
  const known = { ...room, keys: { key: opened.key, wrapKey }, head: { ...room.head, epoch: wrap.epoch } };
  return codeOf(raw, structs.jrms3, await entering(person, known));
}

export interface Said {
  readonly state: Values<typeof structs.strmAnswer>;
  readonly rows: readonly Values<typeof structs.mbrmAnswer>[];
}

/** State and all rows. */
export async function look({ raw }: Person, room: RawRoom): Promise<Said> {
  for (;;) {
    const answer = await raw.ask(structs.strm, { room: room.id });
    expect(answer.header.code, 200);
    const state = answer.values as Values<typeof structs.strmAnswer>;
    const rows: Values<typeof structs.mbrmAnswer>[] = [];
    for (let index = 0; index < state.rows; index++) {
      const row = await raw.ask(structs.mbrm, { room: room.id, index });
      rows.push(row.values as Values<typeof structs.mbrmAnswer>);
    }
    if (rows.every(({ version }) => version === state.version)) return { state, rows };
  }
}

export interface Rotation {
  readonly removed?: readonly RawUser[];
  readonly owner?: Uint8Array;
  readonly renewed?: boolean;
  /** people without a block, and some who get one too many */
  readonly skip?: readonly RawUser[];
  readonly add?: readonly RawUser[];
  readonly epoch?: number;
  readonly head?: Partial<RoomHead>;
}

/** Draws the next epoch; what is sent of it is the caller's. */
export async function drawRotation({ user }: Person, room: RawRoom, { state, rows }: Said, how: Rotation = {}) {
  const { removed = [], skip = [], add = [] } = how;
  const isOf = (users: readonly RawUser[], uid: Uint8Array): boolean =>
    users.some((each) => Buffer.compare(each.uid, uid) === 0);
  const epoch = how.epoch ?? state.epoch + 1;
  const at = { room: room.id, epoch };
  const stretched = how.renewed ? nodeSync.random(32) : room.stretched;
  const secrets = roomSecrets(nodeSync, room.id, stretched);
  const keys = { key: nodeSync.random(32), wrapKey: how.renewed ? secrets.wrapKey : room.keys.wrapKey };
  const stays = rows.filter((row) => row.state < 2 && !isOf(removed, row.uid));
  const fields = {
    name: room.name,
    epoch,
    previous: headHash(nodeSync, room.id, state),
    owner: how.owner ?? state.owner,
    list: listHash(nodeSync, room.id, stays),
    key: roomCommitment(nodeSync, at, keys.key),
    signer: user.uid,
    time: Date.now(),
    ...how.head,
  };
  const head = await signHead(ports, room.id, fields, user.sig, keys.key);
  const getting = [...stays, ...rows.filter((row) => row.state === 3)].filter(({ uid }) => !isOf(skip, uid));
  const blocks = await Promise.all(
    [...getting, ...add.map((each) => ({ uid: each.uid, enc: each.enc.modulus }))].map(async ({ uid, enc }) => ({
      uid,
      block: await sealRoomKeys(ports, enc, keys),
    })),
  );
  const salt = how.renewed ? nodeSync.random(16) : new Uint8Array(16);
  const rtrm2: Values<typeof structs.rtrm2> = {
    ...head,
    ...(room.kind === RoomKind.password ? wrapRoomKey(nodeSync, at, keys) : noWrap),
    room: room.id,
    version: state.version,
    renewed: Number(how.renewed ?? false),
    salt,
    auth: how.renewed ? roomAuthHash(nodeSync, secrets.auth) : new Uint8Array(32),
    removed: removed.map(({ uid }) => ({ uid })),
  };
  const after: RawRoom = { ...room, keys, head, stretched, salt: how.renewed ? salt : room.salt };
  return { epoch, blocks, rtrm2, after };
}

export async function stage(
  { raw }: Person,
  room: RawRoom,
  epoch: number,
  blocks: Values<typeof structs.rtrm1>['blocks'],
): Promise<number> {
  for (let from = 0; from < Math.max(1, blocks.length); from += ROOM_BLOCKS) {
    const code = await codeOf(raw, structs.rtrm1, {
      room: room.id,
      epoch,
      from,
      blocks: blocks.slice(from, from + ROOM_BLOCKS),
    });
    if (code !== 200) return code;
  }
  return 200;
}

/** Begins a new epoch. @returns the code, and the room as it is after 200 */
export async function rotate(
  person: Person,
  room: RawRoom,
  how: Rotation = {},
): Promise<{ code: number; room: RawRoom }> {
  const { epoch, blocks, rtrm2, after } = await drawRotation(person, room, await look(person, room), how);
  const staged = await stage(person, room, epoch, blocks);
  if (staged !== 200) return { code: staged, room };
  const code = await codeOf(person.raw, structs.rtrm2, rtrm2);
  return { code, room: code === 200 ? after : room };
}

/** `inrm`, with what the invitee then says of it. */
export async function drawInvitation(
  { user }: Person,
  invitee: RawUser,
  room: RawRoom,
  expires = Date.now() + 3600_000,
): Promise<{ inrm: Values<typeof structs.inrm>; invitation: Invitation }> {
  const block = await seal(invitee, room.keys);
  const head = headHash(nodeSync, room.id, room.head);
  const { epoch } = room.head;
  const said = { inviter: user.uid, invitedEpoch: epoch, expires, bound: invitationBound(nodeSync, head, block) };
  const who = { uid: invitee.uid, enc: invitee.enc.modulus, sig: invitee.sig.modulus };
  const signed = await signInvitation(ports, { room: room.id, name: room.name }, who, said, user.sig);
  const inrm = { room: room.id, invitee: invitee.uid, epoch, expires, head, block, invitation: signed };
  return { inrm, invitation: { ...said, invitation: signed } };
}

let sequence = 0;

/** One sealed part of a message of this person's. */
export function drawMessage(
  { user }: Person,
  room: RawRoom,
  text: string,
  change: Partial<Values<typeof structs.srms>> = {},
): Promise<Values<typeof structs.srms>> {
  const fields = {
    room: room.id,
    epoch: room.head.epoch,
    sender: user.uid,
    message: nodeSync.random(16),
    sequence: ++sequence,
    time: Date.now(),
    previous: new Uint8Array(32),
    part: 0,
    parts: 1,
    ...change,
  };
  return sealRoomMessage(ports, fields, utf8(text), room.keys.key, user.sig);
}

export async function say(
  person: Person,
  room: RawRoom,
  text: string,
  change: Partial<Values<typeof structs.srms>> = {},
  frameId?: Uint8Array,
): Promise<number> {
  return codeOf(person.raw, structs.srms, await drawMessage(person, room, text, change), frameId);
}

/** The next event of this kind, acknowledged. */
export async function took<S extends Struct>({ raw }: Person, struct: S): Promise<Values<S>> {
  const { header, values } = await raw.event(struct);
  raw.send(structs.ackd, { ids: [{ id: header.frameId }] });
  return values;
}
