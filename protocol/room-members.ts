/** Who is in a room, as its members say it: lists, heads, entries and invitations (SPEC 9.5 to 9.7). */
import { concat, isBelow, isZero, samePublic } from './bytes.js';
import { fingerprint } from './account.js';
import { writeFields } from './codec.js';
import type { RsaPrivate, SyncCrypto } from './crypto-port.js';
import { fieldsBetween, fieldsLength, type FieldValues } from './field.js';
import type { Ports } from './handshake.js';
import { label, Label } from './labels.js';
import { structs } from './layouts.js';
import { HASH, ID, SIGNATURE } from './limits.js';
import { roomCommitment, roomEpochBytes, roomMacKey, type RoomEpoch } from './room-key.js';
import { keyProblem } from './weak-keys.js';

const info = {
  list: label('room list'),
  head: label('room head'),
  entry: label('room entry'),
};
const bound = { head: label('room head hash'), invite: label('invitation') };

type Fields = (typeof structs)['chrm']['fields'][number] | (typeof structs)['enrm']['fields'][number];

type AllHead = FieldValues<(typeof structs)['chrm']['fields']>;
/** A head with its proofs, as it stands in structs. */
export type RoomHead = Pick<
  AllHead,
  'name' | 'epoch' | 'previous' | 'owner' | 'list' | 'key' | 'signer' | 'time' | 'signature' | 'mac'
>;
export type HeadFields = Omit<RoomHead, 'signature' | 'mac'>;
type AllEntry = FieldValues<(typeof structs)['enrm']['fields']>;
/** An entry with its proofs, as it stands in structs. */
export type RoomEntry = Omit<AllEntry, 'room' | 'version' | 'epoch'>;
export type EntryFields = Omit<RoomEntry, 'mac' | 'signature'>;

const headFields = fieldsBetween(structs.chrm.fields, 'name', 'signature');
const entryFields = fieldsBetween(structs.enrm.fields, 'uid', 'mac');

/** The state of a row (SPEC 9.10). */
export const RowKind = { settled: 0, entered: 1, left: 2, invited: 3 } as const;
/** What somebody who is told `lfrm` reads in it (SPEC 9.14). */
export const Departure = { left: 1, removed: 2, deleted: 3, declined: 4 } as const;

/** Of a member, as lists name them. */
export interface ListRow {
  readonly uid: Uint8Array;
  readonly name: string;
  /** of SPEC 7.2 */
  readonly fingerprint: Uint8Array;
}

/** Of a `ListRow`. */
export const listRow = [
  { name: 'uid', kind: 'bytes', length: ID },
  { name: 'name', kind: 'name' },
  { name: 'fingerprint', kind: 'bytes', length: HASH },
] as const;

function bytesOf(fields: readonly (Fields | (typeof listRow)[number])[], values: object): Uint8Array {
  const out = new Uint8Array(fieldsLength(fields));
  writeFields(fields, values as Readonly<Record<string, unknown>>, out, 0);
  return out;
}

/** The hash of who is in the room: all rows, the lowest uid first (SPEC 9.5). */
export function listHash(sync: SyncCrypto, room: Uint8Array, rows: readonly ListRow[]): Uint8Array {
  const sorted = [...rows].sort((a, b) => (isBelow(a.uid, b.uid) ? -1 : 1));
  return sync.sha256(info.list, room, ...sorted.map((row) => bytesOf(listRow, row)));
}

/** What the signature of a head is over: room and its fields up to there. */
export function headMessage(room: Uint8Array, head: HeadFields): Uint8Array {
  return concat(room, bytesOf(headFields, head));
}

/** What the next head names as `previous`. */
export function headHash(sync: SyncCrypto, room: Uint8Array, head: HeadFields): Uint8Array {
  return sync.sha256(bound.head, headMessage(room, head));
}

/** Before the first head. */
export const noHead = new Uint8Array(HASH);

/**
 * @param sig the signer's own key
 * @param key R of the head's epoch
 */
export async function signHead(
  ports: Ports,
  room: Uint8Array,
  fields: HeadFields,
  sig: RsaPrivate,
  key: Uint8Array,
): Promise<RoomHead> {
  const message = headMessage(room, fields);
  const { epoch } = fields;
  return {
    ...fields,
    signature: await ports.asymmetric.pssSign(sig, Label.roomHead, message),
    mac: headMac(ports.sync, { room, epoch }, key, message),
  };
}

function headMac(sync: SyncCrypto, at: RoomEpoch, key: Uint8Array, message: Uint8Array): Uint8Array {
  return sync.hmac(roomMacKey(sync, at, key), info.head, message);
}

/** @param sig the signer's `sig` modulus, as who checks knows it */
export function verifyHead(ports: Ports, room: Uint8Array, head: RoomHead, sig: Uint8Array): Promise<boolean> {
  return ports.asymmetric.pssVerify(sig, Label.roomHead, headMessage(room, head), head.signature);
}

/** The head is about this R, and was made by somebody who knows it. */
export function provesKey(sync: SyncCrypto, room: Uint8Array, head: RoomHead, key: Uint8Array): boolean {
  const at = { room, epoch: head.epoch };
  const isIts = sync.equal(roomCommitment(sync, at, key), head.key);
  return sync.equal(headMac(sync, at, key, headMessage(room, head)), head.mac) && isIts;
}

/** What is MACed of an entry: room, epoch and its fields up to there. The signature is over this and the mac, so that it is of one R. */
export function entryMessage(at: RoomEpoch, entry: EntryFields): Uint8Array {
  return concat(roomEpochBytes(at), bytesOf(entryFields, entry));
}

export async function signEntry(
  ports: Ports,
  at: RoomEpoch,
  fields: EntryFields,
  sig: RsaPrivate,
  key: Uint8Array,
): Promise<RoomEntry> {
  const message = entryMessage(at, fields);
  const mac = entryMac(ports.sync, at, key, message);
  return { ...fields, mac, signature: await ports.asymmetric.pssSign(sig, Label.roomEntry, concat(message, mac)) };
}

function entryMac(sync: SyncCrypto, at: RoomEpoch, key: Uint8Array, message: Uint8Array): Uint8Array {
  return sync.hmac(roomMacKey(sync, at, key), info.entry, message);
}

/** The step at which an entry is refused, in the order of SPEC 9.6; undefined where it is sound. */
export type EntryProblem = 'modulus' | 'mac' | 'signature' | 'inviter' | 'invitation';

/**
 * @param key R of the epoch in which they entered
 * @param inviterSig finds the `sig` modulus of a member; undefined where there is no such member
 * @param byInvitation the room has no password
 */
export async function checkEntry(
  ports: Ports,
  at: RoomEpoch & { readonly name: string },
  entry: RoomEntry,
  key: Uint8Array,
  inviterSig: (uid: Uint8Array) => Uint8Array | undefined,
  byInvitation: boolean,
): Promise<EntryProblem | undefined> {
  if (keyProblem(entry)) return 'modulus';
  const message = entryMessage(at, entry);
  if (!ports.sync.equal(entryMac(ports.sync, at, key, message), entry.mac)) return 'mac';
  const signed = concat(message, entry.mac);
  if (!(await ports.asymmetric.pssVerify(entry.sig, Label.roomEntry, signed, entry.signature))) return 'signature';
  if (isZero(entry.inviter)) return byInvitation ? 'inviter' : undefined;
  /* Whoever is entered already where rows are looked at anew (SPEC 9.10) is no member by their own word. */
  const sig = samePublic(entry.inviter, entry.uid) ? undefined : inviterSig(entry.inviter);
  if (!sig) return 'inviter';
  return (await verifyInvitation(ports, at, entry, entry, sig)) ? undefined : 'invitation';
}

/** What an inviter signs besides who and where. */
export type Invitation = Pick<EntryFields, 'inviter' | 'invitedEpoch' | 'expires' | 'bound' | 'invitation'>;
/** Of the invitee. */
export type Invited = Pick<EntryFields, 'uid' | 'enc' | 'sig'>;

/** Ties an invitation to a head and to the block that came with it. */
export function invitationBound(sync: SyncCrypto, head: Uint8Array, block: Uint8Array): Uint8Array {
  return sync.sha256(bound.invite, head, block);
}

const invitationFields = [
  { name: 'room', kind: 'bytes', length: ID },
  { name: 'name', kind: 'name' },
  { name: 'invitedEpoch', kind: 'uint', size: 4 },
  { name: 'inviter', kind: 'bytes', length: ID },
  { name: 'uid', kind: 'bytes', length: ID },
  { name: 'fingerprint', kind: 'bytes', length: HASH },
  { name: 'expires', kind: 'uint', size: 8 },
  { name: 'bound', kind: 'bytes', length: HASH },
] as const;

function invitationMessage(
  sync: SyncCrypto,
  where: { readonly room: Uint8Array; readonly name: string },
  { uid, enc, sig }: Invited,
  invitation: Omit<Invitation, 'invitation'>,
): Uint8Array {
  const { inviter, invitedEpoch, expires } = invitation;
  const values = { room: where.room, name: where.name, invitedEpoch, inviter, uid, expires, bound: invitation.bound };
  const out = new Uint8Array(fieldsLength(invitationFields));
  writeFields(invitationFields, { ...values, fingerprint: fingerprint(sync, { enc, sig }) }, out, 0);
  return out;
}

export async function signInvitation(
  ports: Ports,
  where: { readonly room: Uint8Array; readonly name: string },
  invited: Invited,
  fields: Omit<Invitation, 'invitation'>,
  sig: RsaPrivate,
): Promise<Uint8Array> {
  return ports.asymmetric.pssSign(sig, Label.invite, invitationMessage(ports.sync, where, invited, fields));
}

/** @param sig the inviter's `sig` modulus */
export function verifyInvitation(
  ports: Ports,
  where: { readonly room: Uint8Array; readonly name: string },
  invited: Invited,
  invitation: Invitation,
  sig: Uint8Array,
): Promise<boolean> {
  const message = invitationMessage(ports.sync, where, invited, invitation);
  return ports.asymmetric.pssVerify(sig, Label.invite, message, invitation.invitation);
}

/** What stands in an entry without an invitation. */
export const noInvitation: Invitation = {
  inviter: new Uint8Array(ID),
  invitedEpoch: 0,
  expires: 0,
  bound: new Uint8Array(HASH),
  invitation: new Uint8Array(SIGNATURE),
};

/** Somebody with known keys, as a list names them. */
export function listRowOf(
  sync: SyncCrypto,
  { uid, name, enc, sig }: Pick<RoomEntry, 'uid' | 'name' | 'enc' | 'sig'>,
): ListRow {
  return { uid, name, fingerprint: fingerprint(sync, { enc, sig }) };
}
