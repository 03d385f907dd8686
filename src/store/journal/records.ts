/**
 * What a record says. Each but MARK is written to the journal first; a checkpoint copies it to the file
 * of the part that it belongs to. Payload: kind u8, then for a part of a user or room its id (16 bytes),
 * then the rest. Values are absolute, so that applying one twice changes nothing.
 */
import { HASH, ID, MODULUS, OPAQUE_RECORD, RANDOM, concat, fromUtf8, utf8 } from '../../../protocol/index.js';
import {
  noSecurity,
  SecondFactor,
  type Account,
  type Attempts,
  type Consent,
  type Grant,
  type QueueEntry,
  type Reply,
  type RoomMessage,
  type Security,
  type UsedInvitation,
} from '../store.js';

export const Kind = {
  /** in files made by checkpoints, around what one of them added: with it, all up to that LSN is in the file */
  mark: 0,
  hello: 1,
  begin: 2,
  /** as format 2 had it: without what is kept for a second factor */
  account: 10,
  attempts: 11,
  grants: 12,
  consent: 13,
  deleted: 14,
  /** an account, with all of it */
  profile: 15,
  queued: 20,
  removed: 21,
  reply: 22,
  room: 30,
  said: 31,
  roomDeleted: 32,
  /** in the index alone */
  name: 40,
  used: 41,
} as const;

/** An account as a whole, of either form. */
export const accountKinds: readonly number[] = [Kind.account, Kind.profile];

/** What a record belongs to: 'account' and 'mail' are a user's, named by the uid; 'room' is named by its id. */
export type PartKind = 'account' | 'mail' | 'room' | 'hello';

/** The key of a part in memory: a letter and the id, one character a byte. */
export type PartKey = string;

const parts: Readonly<Record<number, PartKind>> = {
  [Kind.hello]: 'hello',
  [Kind.account]: 'account',
  [Kind.profile]: 'account',
  [Kind.attempts]: 'account',
  [Kind.grants]: 'account',
  [Kind.consent]: 'account',
  [Kind.deleted]: 'account',
  [Kind.queued]: 'mail',
  [Kind.removed]: 'mail',
  [Kind.reply]: 'mail',
  [Kind.room]: 'room',
  [Kind.said]: 'room',
  [Kind.roomDeleted]: 'room',
};

export function partKey(kind: PartKind, id: string): PartKey {
  return kind + id;
}

export const HELLO_KEY = partKey('hello', '');

/** Where a payload of the journal belongs; undefined: no such record can be. */
export function partOf(payload: Uint8Array): { readonly kind: PartKind; readonly id: string } | undefined {
  const kind = parts[payload[0] ?? -1];
  if (kind === undefined) return undefined;
  if (kind === 'hello') return { kind, id: '' };
  return payload.length >= AT_BODY ? { kind, id: latin1(payload, 1, AT_BODY) } : undefined;
}

/** Where what is said about a part begins. */
const AT_BODY = 1 + ID;

/** Bytes as a string, one character a byte: for keys of maps. */
export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return view(bytes).toString('latin1', from, to);
}

export function idBytes(id: string): Uint8Array {
  return Buffer.from(id, 'latin1');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @throws RangeError where one of these is not as long as it must be */
function mustBe(length: number, ...all: readonly Uint8Array[]): void {
  for (const bytes of all) if (bytes.length !== length) throw new RangeError(`store: ${length} bytes are needed`);
}

/** Kind and part, then `length` bytes for the rest. */
function begin(kind: number, id: string, length: number): Buffer {
  const out = Buffer.alloc(AT_BODY + length);
  out[0] = kind;
  out.write(id, 1, ID, 'latin1');
  return out;
}

/** What a checkpoint adds to a file, between the two records that name the last LSN it covers. */
export function group(payloads: readonly Uint8Array[], upTo: number): Uint8Array[] {
  return [boundary(Kind.begin, upTo), ...payloads, boundary(Kind.mark, upTo)];
}

function boundary(kind: number, upTo: number): Uint8Array {
  const out = Buffer.alloc(7);
  out[0] = kind;
  out.writeUIntBE(upTo, 1, 6);
  return out;
}

/** The LSN, where this begins or ends a group. */
export function readBoundary(payload: Uint8Array): { readonly ends: boolean; readonly upTo: number } | undefined {
  const kind = payload[0];
  if (payload.length !== 7 || (kind !== Kind.mark && kind !== Kind.begin)) return undefined;
  return { ends: kind === Kind.mark, upTo: view(payload).readUIntBE(1, 6) };
}

/** ms since 1970 take six bytes, until the year 10889. */
const TIME = 6;

/* HELLOs: random and time, one or many in a record. */
export interface Hello {
  readonly random: Uint8Array;
  readonly time: number;
}
const HELLO_ROW = RANDOM + TIME;

export function helloRecord(hellos: readonly Hello[]): Uint8Array {
  const out = Buffer.alloc(1 + hellos.length * HELLO_ROW);
  out[0] = Kind.hello;
  let at = 1;
  for (const { random, time } of hellos) {
    mustBe(RANDOM, random);
    out.set(random, at);
    writeTime(out, time, at + RANDOM);
    at += HELLO_ROW;
  }
  return out;
}

export function readHellos(payload: Uint8Array): Hello[] | undefined {
  if (payload[0] !== Kind.hello || (payload.length - 1) % HELLO_ROW !== 0) return undefined;
  const bytes = Buffer.from(payload);
  const out: Hello[] = [];
  for (let at = 1; at < bytes.length; at += HELLO_ROW) {
    out.push({ random: bytes.subarray(at, at + RANDOM), time: readTime(bytes, at + RANDOM) });
  }
  return out;
}

/** @throws RangeError where this is no time */
function writeTime(out: Buffer, time: number, at: number): void {
  out.writeUIntBE(time, at, TIME);
}

function readTime(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, TIME);
}

/* account, of format 2: created, the moduli, record, words, name */
const AT_ENC = AT_BODY + TIME;
const AT_SIG = AT_ENC + MODULUS;
const AT_RECORD = AT_SIG + MODULUS;
const AT_WORDS = AT_RECORD + OPAQUE_RECORD;
const AT_NAME = AT_WORDS + HASH;

/** Of either form. */
export function readAccount(payload: Uint8Array): Account | undefined {
  if (payload[0] === Kind.profile) return readProfile(payload)?.account;
  const bytes = Buffer.from(payload);
  const name = payload[0] === Kind.account && payload.length > AT_NAME ? fromUtf8(bytes.subarray(AT_NAME)) : undefined;
  if (name === undefined) return undefined;
  return { ...readHead(bytes), name, security: noSecurity };
}

function readHead(bytes: Buffer): Omit<Account, 'name' | 'security'> {
  return {
    uid: bytes.subarray(1, AT_BODY),
    created: readTime(bytes, AT_BODY),
    enc: bytes.subarray(AT_ENC, AT_SIG),
    sig: bytes.subarray(AT_SIG, AT_RECORD),
    record: bytes.subarray(AT_RECORD, AT_WORDS),
    words: bytes.subarray(AT_WORDS, AT_NAME),
  };
}

/*
 * profile: as an account up to the words; then factor u8, step (6 bytes), flags u8, and each with its length before it:
 * secret (u8), hashes of recovery codes (u8, their number), details (u16), name (u8); at the end, where an
 * invitation let somebody in, its id and when it ends
 */
const AT_FACTOR = AT_NAME;
const AT_STEP = AT_FACTOR + 1;
const AT_FLAGS = AT_STEP + TIME;
const AT_SECURITY = AT_FLAGS + 1;
const USED_ROW = ID + TIME;
const DETAILS_MAX = 1024;
/** Flags; before format 4 there was the first alone. */
const UNSETTLED = 1;
const DISABLED = 2;

export function profileRecord(account: Account, invitation?: UsedInvitation): Uint8Array {
  const { factor, secret, step, recovery, details, unsettled, disabled } = account.security;
  mustBe(ID, account.uid);
  mustBe(MODULUS, account.enc, account.sig);
  mustBe(OPAQUE_RECORD, account.record);
  mustBe(HASH, account.words, ...recovery);
  if (secret.length > 255 || recovery.length > 255 || details.length > DETAILS_MAX)
    throw new RangeError('store: what is kept for the security of an account is too long');
  const head = begin(Kind.profile, latin1(account.uid), TIME);
  writeTime(head, account.created, AT_BODY);
  const fixed = Buffer.alloc(1 + TIME + 1);
  fixed[0] = factor;
  writeTime(fixed, step, 1);
  fixed[1 + TIME] = (unsettled ? UNSETTLED : 0) | (disabled ? DISABLED : 0);
  const name = utf8(account.name);
  return concat(
    ...[head, account.enc, account.sig, account.record, account.words, fixed],
    ...[Uint8Array.of(secret.length), secret],
    ...[Uint8Array.of(recovery.length), ...recovery],
    ...[Uint8Array.of(details.length >> 8, details.length & 255), details],
    ...[Uint8Array.of(name.length), name],
    invitation ? usedRow(invitation) : new Uint8Array(0),
  );
}

interface Profile {
  readonly account: Account;
  readonly invitation: UsedInvitation | undefined;
}

export function readProfile(payload: Uint8Array): Profile | undefined {
  if (payload[0] !== Kind.profile || payload.length <= AT_SECURITY) return undefined;
  const bytes = Buffer.from(payload);
  let at = AT_SECURITY;
  const take = (size: number): Buffer => bytes.subarray(at, (at += size));
  const counted = (width: 1 | 2, each = 1): Buffer => {
    const length = at + width <= bytes.length ? bytes.readUIntBE(at, width) : 0;
    at += width;
    return take(each * length);
  };
  const secret = counted(1);
  const hashes = counted(1, HASH);
  const details = counted(2);
  const name = fromUtf8(counted(1));
  const rest = bytes.length - at;
  const factor = factors.find((one) => one === bytes[AT_FACTOR]);
  const flags = bytes[AT_FLAGS] ?? 0;
  if (name === undefined || factor === undefined || (flags & ~(UNSETTLED | DISABLED)) !== 0) return undefined;
  if (rest !== 0 && rest !== USED_ROW) return undefined;
  const recovery = Array.from({ length: hashes.length / HASH }, (_, n) => hashes.subarray(n * HASH, (n + 1) * HASH));
  const security: Security = {
    ...{ factor, secret, step: readTime(bytes, AT_STEP), recovery, details },
    unsettled: (flags & UNSETTLED) !== 0,
    disabled: (flags & DISABLED) !== 0,
  };
  const account = { ...readHead(bytes), name, security };
  return { account, invitation: rest === 0 ? undefined : readUsedRow(take(rest)) };
}

const factors = Object.values(SecondFactor);

function usedRow({ id, ends }: UsedInvitation): Uint8Array {
  mustBe(ID, id);
  const out = Buffer.alloc(USED_ROW);
  out.set(id);
  writeTime(out, ends, ID);
  return out;
}

function readUsedRow(row: Buffer): UsedInvitation {
  return { id: row.subarray(0, ID), ends: readTime(row, ID) };
}

export function attemptsRecord(uid: string, { count, last }: Attempts): Uint8Array {
  const out = begin(Kind.attempts, uid, 4 + TIME);
  out.writeUInt32BE(count, AT_BODY);
  writeTime(out, last, AT_BODY + 4);
  return out;
}

export function readAttempts(payload: Uint8Array): Attempts | undefined {
  if (payload.length !== AT_BODY + 4 + TIME) return undefined;
  const bytes = view(payload);
  return { count: bytes.readUInt32BE(AT_BODY), last: readTime(bytes, AT_BODY + 4) };
}

const GRANT_ROW = HASH + TIME;

export function grantsRecord(uid: string, grants: readonly Grant[]): Uint8Array {
  const out = begin(Kind.grants, uid, grants.length * GRANT_ROW);
  let at = AT_BODY;
  for (const { hash, ends } of grants) {
    mustBe(HASH, hash);
    out.set(hash, at);
    writeTime(out, ends, at + HASH);
    at += GRANT_ROW;
  }
  return out;
}

export function readGrants(payload: Uint8Array): Grant[] | undefined {
  if ((payload.length - AT_BODY) % GRANT_ROW !== 0) return undefined;
  const bytes = Buffer.from(payload);
  const out: Grant[] = [];
  for (let at = AT_BODY; at < bytes.length; at += GRANT_ROW) {
    out.push({ hash: bytes.subarray(at, at + HASH), ends: readTime(bytes, at + HASH) });
  }
  return out;
}

const consents: readonly Consent[] = ['open', 'declined', 'blocked'];

export function consentRecord(uid: string, towards: string, consent: Consent): Uint8Array {
  const out = begin(Kind.consent, uid, ID + 1);
  out.write(towards, AT_BODY, ID, 'latin1');
  out[AT_BODY + ID] = consents.indexOf(consent);
  return out;
}

export function readConsent(payload: Uint8Array): { readonly towards: string; readonly consent: Consent } | undefined {
  const consent = consents[payload[AT_BODY + ID] ?? -1];
  if (payload.length !== AT_BODY + ID + 1 || consent === undefined) return undefined;
  return { towards: latin1(payload, AT_BODY, AT_BODY + ID), consent };
}

export function deletedRecord(uid: string): Uint8Array {
  return begin(Kind.deleted, uid, 0);
}

/* queued: id, opcode, from, key, time, fields */
const AT_OPCODE = AT_BODY + ID;
const AT_FROM = AT_OPCODE + 4;
const AT_KEY = AT_FROM + ID;
const AT_TIME = AT_KEY + ID;
const AT_FIELDS = AT_TIME + TIME;
/** bytes of an entry's payload before its fields */
export const QUEUED_HEAD = AT_FIELDS;
/** Where `from` is in what tells a replay. */
export const REPLAY_FROM = AT_FROM - AT_OPCODE;
/** Ids that one record removes at most. */
export const IDS_PER_RECORD = 4096;

/** The record of an entry: a copy of all its bytes. */
export function queuedRecord(uid: string, entry: QueueEntry): Uint8Array {
  mustBe(ID, entry.id, entry.from, entry.key);
  const out = Buffer.allocUnsafe(AT_FIELDS + entry.fields.length); // it leaves memory as soon as it is durable
  out[0] = Kind.queued;
  out.write(uid, 1, ID, 'latin1');
  out.set(entry.id, AT_BODY);
  out.writeUInt32BE(entry.opcode, AT_OPCODE);
  out.set(entry.from, AT_FROM);
  out.set(entry.key, AT_KEY);
  writeTime(out, entry.time, AT_TIME);
  out.set(entry.fields, AT_FIELDS);
  return out;
}

export function readQueued(payload: Uint8Array): QueueEntry {
  const bytes = view(payload);
  return {
    id: bytes.subarray(AT_BODY, AT_OPCODE),
    opcode: bytes.readUInt32BE(AT_OPCODE),
    from: bytes.subarray(AT_FROM, AT_KEY),
    key: bytes.subarray(AT_KEY, AT_TIME),
    time: readTime(bytes, AT_TIME),
    fields: bytes.subarray(AT_FIELDS),
  };
}

/** What a queue keeps in memory of an entry. */
export interface QueuedHead {
  readonly id: string;
  /** opcode, from and key: what a replay has in common with it */
  readonly replay: string;
  /** ms since 1970 */
  readonly time: number;
}

export function readQueuedHead(payload: Uint8Array): QueuedHead | undefined {
  if (payload.length < AT_FIELDS) return undefined;
  const bytes = view(payload);
  return {
    id: bytes.toString('latin1', AT_BODY, AT_OPCODE),
    replay: bytes.toString('latin1', AT_OPCODE, AT_TIME),
    time: readTime(bytes, AT_TIME),
  };
}

export function removedRecord(uid: string, ids: readonly string[]): Uint8Array {
  const out = begin(Kind.removed, uid, ids.length * ID);
  let at = AT_BODY;
  for (const id of ids) at += out.write(id, at, ID, 'latin1');
  return out;
}

export function readRemoved(payload: Uint8Array): string[] | undefined {
  if ((payload.length - AT_BODY) % ID !== 0) return undefined;
  const out: string[] = [];
  for (let at = AT_BODY; at < payload.length; at += ID) out.push(latin1(payload, at, at + ID));
  return out;
}

/* reply: frame id, opcode, code, time */
const AT_REPLY_OPCODE = AT_BODY + ID;
const AT_CODE = AT_REPLY_OPCODE + 4;
const AT_REPLY_TIME = AT_CODE + 2;
const REPLY_RECORD = AT_REPLY_TIME + TIME;

export function replyRecord(uid: string, reply: Reply): Uint8Array {
  mustBe(ID, reply.frameId);
  const out = begin(Kind.reply, uid, REPLY_RECORD - AT_BODY);
  out.set(reply.frameId, AT_BODY);
  out.writeUInt32BE(reply.opcode, AT_REPLY_OPCODE);
  out.writeUInt16BE(reply.code, AT_CODE);
  writeTime(out, reply.time, AT_REPLY_TIME);
  return out;
}

export function readReply(payload: Uint8Array): Reply | undefined {
  if (payload.length !== REPLY_RECORD) return undefined;
  const bytes = Buffer.from(payload);
  return {
    frameId: bytes.subarray(AT_BODY, AT_REPLY_OPCODE),
    opcode: bytes.readUInt32BE(AT_REPLY_OPCODE),
    code: bytes.readUInt16BE(AT_CODE) as Reply['code'],
    time: readTime(bytes, AT_REPLY_TIME),
  };
}

/* room: version, owner, length of the name, name, state */
const AT_OWNER = AT_BODY + 4;
const AT_NAME_LENGTH = AT_OWNER + ID;
const AT_ROOM_NAME = AT_NAME_LENGTH + 1;

export interface RoomValue {
  readonly version: number;
  readonly owner: Uint8Array;
  readonly name: string;
  readonly state: Uint8Array;
}

export function roomRecord(id: string, { version, owner, name, state }: RoomValue): Uint8Array {
  mustBe(ID, owner);
  const text = utf8(name);
  const head = begin(Kind.room, id, AT_ROOM_NAME - AT_BODY);
  head.writeUInt32BE(version, AT_BODY);
  head.set(owner, AT_OWNER);
  head.writeUInt8(text.length, AT_NAME_LENGTH);
  return concat(head, text, state);
}

export function readRoom(payload: Uint8Array): RoomValue | undefined {
  const bytes = Buffer.from(payload);
  const end = AT_ROOM_NAME + (bytes[AT_NAME_LENGTH] ?? 0);
  const name = end <= bytes.length ? fromUtf8(bytes.subarray(AT_ROOM_NAME, end)) : undefined;
  if (name === undefined) return undefined;
  return {
    version: bytes.readUInt32BE(AT_BODY),
    owner: bytes.subarray(AT_OWNER, AT_NAME_LENGTH),
    name,
    state: bytes.subarray(end),
  };
}

/* said: from, key, message, time, fields */
const AT_SAID_KEY = AT_BODY + ID;
const AT_SAID_MESSAGE = AT_SAID_KEY + ID;
const AT_SAID_TIME = AT_SAID_MESSAGE + ID;
const AT_SAID_FIELDS = AT_SAID_TIME + TIME;

export function saidRecord(id: string, { from, key, message, time, fields }: RoomMessage): Uint8Array {
  mustBe(ID, from, key, message);
  const head = begin(Kind.said, id, AT_SAID_FIELDS - AT_BODY);
  head.set(from, AT_BODY);
  head.set(key, AT_SAID_KEY);
  head.set(message, AT_SAID_MESSAGE);
  writeTime(head, time, AT_SAID_TIME);
  return concat(head, fields);
}

export function readSaid(payload: Uint8Array): RoomMessage | undefined {
  if (payload.length < AT_SAID_FIELDS) return undefined;
  const bytes = Buffer.from(payload);
  return {
    from: bytes.subarray(AT_BODY, AT_SAID_KEY),
    key: bytes.subarray(AT_SAID_KEY, AT_SAID_MESSAGE),
    message: bytes.subarray(AT_SAID_MESSAGE, AT_SAID_TIME),
    time: readTime(bytes, AT_SAID_TIME),
    fields: bytes.subarray(AT_SAID_FIELDS),
  };
}

export function roomDeletedRecord(id: string): Uint8Array {
  return begin(Kind.roomDeleted, id, 0);
}

/* name: of an account, in the index */
export function nameRecord(uid: string, name: string): Uint8Array {
  return concat(begin(Kind.name, uid, 0), utf8(name));
}

export function readName(payload: Uint8Array): string | undefined {
  return fromUtf8(payload.subarray(AT_BODY));
}

/* used: an invitation, and its account where this is what the making of the account says */
export function usedRecord(
  { id, ends }: UsedInvitation,
  user?: { readonly uid: string; readonly name: string },
): Uint8Array {
  const head = begin(Kind.used, latin1(id), TIME);
  writeTime(head, ends, AT_BODY);
  return user ? concat(head, idBytes(user.uid), utf8(user.name)) : head;
}

const AT_USER = AT_BODY + TIME;
const AT_USER_NAME = AT_USER + ID;

export function readUsed(
  payload: Uint8Array,
): { readonly id: string; readonly ends: number; readonly uid?: string; readonly name?: string } | undefined {
  if (payload.length < AT_USER || (payload.length > AT_USER && payload.length <= AT_USER_NAME)) return undefined;
  const used = { id: idOf(payload), ends: readTime(view(payload), AT_BODY) };
  if (payload.length === AT_USER) return used;
  const name = fromUtf8(payload.subarray(AT_USER_NAME));
  return name === undefined ? undefined : { ...used, uid: latin1(payload, AT_USER, AT_USER_NAME), name };
}

/** The 16 bytes of the part, as a key. */
export function idOf(payload: Uint8Array): string {
  return latin1(payload, 1, AT_BODY);
}
