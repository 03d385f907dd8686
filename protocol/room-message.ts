/** A message in a room: sealed under the epoch's key, signed inside by its sender (SPEC 9.8). */
import { concat, copy, isZero, readUint, writeUint } from './bytes.js';
import { encodeFields, writeFields } from './codec.js';
import type { RsaPrivate, SyncCrypto } from './crypto-port.js';
import { joinText } from './envelope.js';
import { fieldsLength, type FieldValues } from './field.js';
import type { Ports } from './handshake.js';
import { label, Label } from './labels.js';
import { structs } from './layouts.js';
import { roomCommitment, type RoomEpoch } from './room-key.js';
import { KEY, NONCE, PARTS_MAX, RANDOM, ROOM_TEXT, SIGNATURE, TAG } from './limits.js';

/** As `srms` and `rvrm` carry it. */
export type RoomMessage = FieldValues<(typeof structs)['srms']['fields']>;
/** What stands outside the seal, in the clear for the daemon: all but salt and sealed. */
export type RoomMessageHeader = Omit<RoomMessage, 'salt' | 'sealed'>;

const header = structs.srms.fields.filter(({ name }) => name !== 'salt' && name !== 'sealed');
const HEADER = fieldsLength(header);
/** Bytes of the fields of one part. */
export const ROOM_MESSAGE = fieldsLength(structs.srms.fields);
const info = label('room message');
const zeroNonce = new Uint8Array(NONCE);
const INNER = SIGNATURE + 2 + ROOM_TEXT;

function headerBytes(fields: RoomMessageHeader): Uint8Array {
  const out = new Uint8Array(HEADER);
  writeFields(header, fields, out, 0);
  return out;
}

function messageKey(sync: SyncCrypto, key: Uint8Array, bound: Uint8Array, salt: Uint8Array): Uint8Array {
  return sync.hkdf(key, salt, concat(info, sync.sha256(bound)), 2 * KEY);
}

/** Two epochs of one number, as a daemon can make a room fall in two, have another R: what was said in one is not said in the other. */
function signed(sync: SyncCrypto, at: RoomEpoch, key: Uint8Array, hdr: Uint8Array, text: Uint8Array): Uint8Array {
  return concat(hdr, roomCommitment(sync, at, key), sync.sha256(text));
}

/**
 * @param text 1 to 1024 bytes: UTF-8, or one part of a longer text that is
 * @param key R of the epoch, 32 bytes
 * @param sig the sender's own `sig` key
 * @throws RangeError where the text is empty or too long
 */
export async function sealRoomMessage(
  ports: Ports,
  fields: RoomMessageHeader,
  text: Uint8Array,
  key: Uint8Array,
  sig: RsaPrivate,
): Promise<RoomMessage> {
  if (text.length < 1 || text.length > ROOM_TEXT) throw new RangeError('room message: text length');
  const { sync, asymmetric } = ports;
  const salt = sync.random(RANDOM);
  const hdr = headerBytes(fields);
  const inner = new Uint8Array(INNER);
  inner.set(await asymmetric.pssSign(sig, Label.room, signed(sync, fields, key, hdr, text)));
  writeUint(inner, SIGNATURE, 2, text.length);
  inner.set(text, SIGNATURE + 2);
  const sealed = new Uint8Array(INNER + TAG);
  const bound = concat(hdr, salt);
  sync.aead(messageKey(sync, key, hdr, salt)).seal(zeroNonce, bound, inner, sealed, 0);
  return { ...fields, salt, sealed };
}

/** The step at which a message is refused, in the order of SPEC 9.8. */
export type RoomMessageProblem = 'header' | 'seal' | 'text' | 'signature';

export type OpenedRoomMessage =
  { readonly problem?: undefined; readonly text: Uint8Array } | { readonly problem: RoomMessageProblem };

/** @param key R of the message's epoch @param sig the `sig` modulus of its sender, a member of the room */
export async function openRoomMessage(
  ports: Ports,
  message: RoomMessage,
  key: Uint8Array,
  sig: Uint8Array,
): Promise<OpenedRoomMessage> {
  const { sync, asymmetric } = ports;
  const { salt, part, parts } = message;
  if (parts > PARTS_MAX || part >= parts || message.sequence <= part) return { problem: 'header' };
  const hdr = headerBytes(message);
  const inner = sync.aead(messageKey(sync, key, hdr, salt)).open(zeroNonce, concat(hdr, salt), message.sealed);
  if (!inner) return { problem: 'seal' };
  const length = readUint(inner, SIGNATURE, 2);
  if (length < 1 || length > ROOM_TEXT || !isZero(inner.subarray(SIGNATURE + 2 + length))) return { problem: 'text' };
  if (part + 1 < parts && length !== ROOM_TEXT) return { problem: 'text' };
  const text = inner.subarray(SIGNATURE + 2, SIGNATURE + 2 + length);
  if (parts === 1 && joinText([text]) === undefined) return { problem: 'text' };
  const said = signed(sync, message, key, hdr, text);
  if (!(await asymmetric.pssVerify(sig, Label.room, said, inner.subarray(0, SIGNATURE))))
    return { problem: 'signature' };
  return { text: copy(text) };
}

/** What the next message of this sender in this room names as `previous`: of all fields as they were sent. */
export function roomMessageHash(sync: SyncCrypto, message: RoomMessage): Uint8Array {
  return sync.sha256(encodeFields(structs.srms, message));
}
