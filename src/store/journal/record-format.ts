/**
 * The bytes of a record file: journal segments, queues, rooms, the index.
 *
 * File: "cadenas", version u8, salt u32, first u48, CRC-32 u32 over all that, then records. Record: magic
 * u16 (0xcade XOR the salt's low half), CRC-32 u32 over all that follows, length u32, seq u48, batch u48,
 * payload. Integers are big-endian.
 *
 * `seq` counts the records of a file, or of all segments of a journal, without a gap. `batch` is the
 * `seq` of the first record that was not synced when this one was written, so it tells torn from rotten:
 * a bad record behind the last sync was never acknowledged, and its pages may have reached the disk in
 * any order; a bad record that a later one's `batch` lies behind was sound once.
 * The salt goes into each CRC, so that nobody can send a payload that looks like a record.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { utf8 } from '../../../protocol/index.js';

const NAME = utf8('cadenas');
const VERSION = 2;
export const AT_SALT = NAME.length + 1;
const AT_FIRST = AT_SALT + 4;
const AT_HEADER_CRC = AT_FIRST + 6;
export const FILE_HEADER = AT_HEADER_CRC + 4;

const MAGIC = 0xcade;
const AT_CRC = 2;
const AT_LENGTH = 6;
const AT_SEQ = 10;
const AT_BATCH = 16;
export const RECORD_HEADER = 22;
/** Bytes that one record carries at most. */
export const MAX_PAYLOAD = 1024 * 1024;

export interface FileHeader {
  readonly salt: number;
  /** the first record's `seq` */
  readonly first: number;
}

/** Nobody who sends a payload knows it: a search for records does not stop at what only looks like one. */
function magicOf(salt: number): number {
  return (MAGIC ^ salt) & 0xffff;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function newHeader(first: number): FileHeader {
  return { salt: randomBytes(4).readUInt32BE(0), first };
}

export function encodeHeader({ salt, first }: FileHeader): Uint8Array {
  const out = Buffer.alloc(FILE_HEADER);
  out.set(NAME);
  out[NAME.length] = VERSION;
  out.writeUInt32BE(salt, AT_SALT);
  out.writeUIntBE(first, AT_FIRST, 6);
  // With a salt that is wrong every record looks like a write that was cut short.
  out.writeUInt32BE(crc32(out.subarray(0, AT_HEADER_CRC)), AT_HEADER_CRC);
  return out;
}

/** undefined where this is no header. */
export function readHeader(given: Uint8Array): FileHeader | undefined {
  const bytes = view(given);
  if (bytes.length < FILE_HEADER || bytes[NAME.length] !== VERSION) return undefined;
  if (bytes.compare(NAME, 0, NAME.length, 0, NAME.length) !== 0) return undefined;
  if (crc32(bytes.subarray(0, AT_HEADER_CRC)) !== bytes.readUInt32BE(AT_HEADER_CRC)) return undefined;
  return { salt: bytes.readUInt32BE(AT_SALT), first: bytes.readUIntBE(AT_FIRST, 6) };
}

/**
 * The records of these payloads, numbered from `seq` on. `batch`: as above; 'own' where the whole file
 * is synced before it gets its name, so that each record vouches for all before it.
 */
export function encodeRecords(
  payloads: readonly Uint8Array[],
  salt: number,
  seq: number,
  batch: number | 'own',
): Uint8Array {
  let total = 0;
  for (const payload of payloads) total += RECORD_HEADER + payload.length;
  const out = Buffer.allocUnsafeSlow(total);
  let at = 0;
  let next = seq;
  for (const payload of payloads) {
    if (payload.length > MAX_PAYLOAD) throw new RangeError('store: a record is too long');
    const end = at + RECORD_HEADER + payload.length;
    out.writeUInt16BE(magicOf(salt), at);
    out.writeUInt32BE(payload.length, at + AT_LENGTH);
    out.writeUIntBE(next, at + AT_SEQ, 6);
    out.writeUIntBE(batch === 'own' ? next : batch, at + AT_BATCH, 6);
    out.set(payload, at + RECORD_HEADER);
    out.writeUInt32BE(crc32(out.subarray(at + AT_LENGTH, end), salt), at + AT_CRC);
    at = end;
    next++;
  }
  return out;
}

export interface Sound {
  /** bytes, header included */
  readonly size: number;
  readonly seq: number;
  readonly batch: number;
}

/** `short`: what is there of the record is no more than its beginning. */
export function soundRecord(bytes: Buffer, at: number, salt: number): Sound | 'short' | undefined {
  if (at + RECORD_HEADER > bytes.length) return 'short';
  if (bytes.readUInt16BE(at) !== magicOf(salt)) return undefined;
  const length = bytes.readUInt32BE(at + AT_LENGTH);
  if (length > MAX_PAYLOAD) return undefined;
  const size = RECORD_HEADER + length;
  if (at + size > bytes.length) return 'short';
  if (crc32(bytes.subarray(at + AT_LENGTH, at + size), salt) !== bytes.readUInt32BE(at + AT_CRC)) return undefined;
  return { size, seq: bytes.readUIntBE(at + AT_SEQ, 6), batch: bytes.readUIntBE(at + AT_BATCH, 6) };
}

/** @param at where the payload begins in the bytes; the payload is a view of them */
export type OnRecord = (payload: Uint8Array, seq: number, at: number, batch: number) => void;

interface Scan {
  /** the offset behind the last sound record */
  readonly end: number;
  /** what the next record's `seq` must be */
  readonly next: number;
}

/** Hands over the payloads from `at` on, up to the first record that is bad, cut or out of sequence. */
export function scanRecords(given: Uint8Array, at: number, salt: number, next: number, onRecord: OnRecord): Scan {
  const bytes = view(given);
  for (;;) {
    const sound = soundRecord(bytes, at, salt);
    if (sound === undefined || sound === 'short' || sound.seq !== next) return { end: at, next };
    onRecord(bytes.subarray(at + RECORD_HEADER, at + sound.size), sound.seq, at + RECORD_HEADER, sound.batch);
    at += sound.size;
    next++;
  }
}

/** Whether any sound record in these bytes, at whatever offset, passes the test. */
export function anySound(
  given: Uint8Array,
  salt: number,
  test: (payload: Uint8Array, batch: number) => boolean,
): boolean {
  const bytes = view(given);
  const high = magicOf(salt) >> 8;
  for (let at = bytes.indexOf(high); at >= 0; at = bytes.indexOf(high, at + 1)) {
    const sound = soundRecord(bytes, at, salt);
    if (sound === undefined || sound === 'short') continue;
    if (test(bytes.subarray(at + RECORD_HEADER, at + sound.size), sound.batch)) return true;
  }
  return false;
}

/**
 * Whether what stands behind a bad record, which had to be number `seq`, shows that it was synced once.
 * @param given the file's bytes from the bad record on
 */
export function isRotten(given: Uint8Array, salt: number, seq: number): boolean {
  return anySound(given, salt, (_payload, batch) => batch > seq);
}
