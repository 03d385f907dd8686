/**
 * The bytes of a log. File: "cadenas", version u8, salt u32, then records. Record: magic u16,
 * length u32, synced u48, CRC-32 u32 over length, synced and payload, then the payload.
 *
 * `synced` is the offset up to which the file was synced when the record was written. It tells torn
 * from rotten: what is bad behind the last sync was never acknowledged, and its pages may have reached
 * the disk in any order; what is bad before a later record's `synced` was sound once.
 * The salt goes into each CRC, so that nobody can send a payload that looks like a record.
 */
import { crc32 } from 'node:zlib';
import { readUint, samePublic, utf8, writeUint } from '../../../protocol/index.js';

const NAME = utf8('cadenas');
const VERSION = 1;
const MAGIC = 0xcade;
const AT_LENGTH = 2;
const AT_SYNCED = 6;
const AT_CRC = 12;

export const FILE_HEADER = NAME.length + 1 + 4;
export const RECORD_HEADER = 16;
/** Bytes that one record carries at most. */
export const MAX_PAYLOAD = 256 * 1024;

export function fileHeader(salt: number): Uint8Array {
  const out = new Uint8Array(FILE_HEADER);
  out.set(NAME);
  out[NAME.length] = VERSION;
  writeUint(out, NAME.length + 1, 4, salt);
  return out;
}

/** The file's salt, or undefined where this is no header. */
export function readSalt(bytes: Uint8Array): number | undefined {
  if (bytes.length < FILE_HEADER || bytes[NAME.length] !== VERSION) return undefined;
  return samePublic(bytes.subarray(0, NAME.length), NAME) ? readUint(bytes, NAME.length + 1, 4) : undefined;
}

function checksum(salt: number, bytes: Uint8Array, at: number, length: number): number {
  const head = crc32(bytes.subarray(at + AT_LENGTH, at + AT_CRC), salt);
  return crc32(bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length), head);
}

/**
 * Records for the place `at` in the file, behind what is synced up to `synced`; 'own' where the whole
 * file is synced before it gets its name, so that each record vouches for all before it.
 */
export function encodeRecords(
  payloads: readonly Uint8Array[],
  salt: number,
  at: number,
  synced: number | 'own',
): Uint8Array {
  let total = 0;
  for (const payload of payloads) total += RECORD_HEADER + payload.length;
  const out = new Uint8Array(total);
  let to = 0;
  for (const payload of payloads) {
    if (payload.length > MAX_PAYLOAD) throw new RangeError('log: a record is too long');
    writeUint(out, to, 2, MAGIC);
    writeUint(out, to + AT_LENGTH, 4, payload.length);
    writeUint(out, to + AT_SYNCED, 6, synced === 'own' ? at + to : synced);
    out.set(payload, to + RECORD_HEADER);
    writeUint(out, to + AT_CRC, 4, checksum(salt, out, to, payload.length));
    to += RECORD_HEADER + payload.length;
  }
  return out;
}

/** The length of the sound record at this offset, header included; 0 where there is none. */
function soundRecord(bytes: Uint8Array, at: number, salt: number): number {
  if (at + RECORD_HEADER > bytes.length || readUint(bytes, at, 2) !== MAGIC) return 0;
  const length = readUint(bytes, at + AT_LENGTH, 4);
  if (length > MAX_PAYLOAD || at + RECORD_HEADER + length > bytes.length) return 0;
  return checksum(salt, bytes, at, length) === readUint(bytes, at + AT_CRC, 4) ? RECORD_HEADER + length : 0;
}

interface Scan {
  /** the offset behind the last sound record */
  readonly end: number;
  /** offset of a bad record that was synced once */
  readonly rotten?: number;
}

/** Hands over the payloads, views of `bytes`, up to the first bad record. */
export function scanRecords(bytes: Uint8Array, salt: number, onRecord: (payload: Uint8Array) => void): Scan {
  let at = FILE_HEADER;
  for (let size = soundRecord(bytes, at, salt); size > 0; size = soundRecord(bytes, at, salt)) {
    onRecord(bytes.subarray(at + RECORD_HEADER, at + size));
    at += size;
  }
  for (let later = at + 1; later + RECORD_HEADER <= bytes.length; later++) {
    if (bytes[later] !== MAGIC >> 8) continue;
    const synced = readUint(bytes, later + AT_SYNCED, 6);
    if (synced > at && synced <= later && soundRecord(bytes, later, salt) > 0) return { end: at, rotten: at };
  }
  return { end: at };
}
