/**
 * The logs of format 1, for reading alone. File: "cadenas", version u8, salt u32, then records. Record:
 * magic u16, length u32, synced u48, CRC-32 u32 over length, synced and payload, then the payload.
 *
 * `synced` is the offset up to which the file was synced when the record was written. It tells torn
 * from rotten: what is bad behind the last sync was never acknowledged; what is bad before a later
 * record's `synced` was sound once. The salt goes into each CRC.
 */
import { crc32 } from 'node:zlib';
import { utf8 } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';

const NAME = utf8('cadenas');
const VERSION = 1;
const AT_SALT = NAME.length + 1;
const FILE_HEADER = AT_SALT + 4;

const MAGIC = 0xcade;
const MAGIC_HIGH = MAGIC >> 8;
const AT_LENGTH = 2;
const AT_SYNCED = 6;
const AT_CRC = 12;
const RECORD_HEADER = 16;
const MAX_PAYLOAD = 256 * 1024;

/**
 * Hands over the payloads of a log, views of its bytes, in order. A tail that was cut short is passed over.
 * @throws StoreRefusal where a record that was synced once is bad
 */
export function readOldLog(path: string, given: Uint8Array, onRecord: (payload: Uint8Array) => void): void {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  const salt = readSalt(bytes);
  if (salt === undefined) {
    // The header was synced before the first record was written: without a sound one nothing was ever kept here.
    if (bytes.length <= FILE_HEADER) return;
    throw new StoreRefusal(`${path} is damaged at its beginning: restore it from a backup`);
  }
  let at = FILE_HEADER;
  for (let size = soundRecord(bytes, at, salt); size > 0; size = soundRecord(bytes, at, salt)) {
    onRecord(bytes.subarray(at + RECORD_HEADER, at + size));
    at += size;
  }
  if (isRotten(bytes, at, salt)) {
    throw new StoreRefusal(`${path} is damaged at byte ${at}, before sound records: restore it from a backup`);
  }
}

/** undefined where this is no header. */
function readSalt(bytes: Buffer): number | undefined {
  if (bytes.length < FILE_HEADER || bytes[NAME.length] !== VERSION) return undefined;
  return bytes.compare(NAME, 0, NAME.length, 0, NAME.length) === 0 ? bytes.readUInt32BE(AT_SALT) : undefined;
}

/** The length of the sound record at this offset, header included; 0 where there is none. */
function soundRecord(bytes: Buffer, at: number, salt: number): number {
  if (at + RECORD_HEADER > bytes.length || bytes.readUInt16BE(at) !== MAGIC) return 0;
  const length = bytes.readUInt32BE(at + AT_LENGTH);
  const end = at + RECORD_HEADER + length;
  if (length > MAX_PAYLOAD || end > bytes.length) return 0;
  const head = crc32(bytes.subarray(at + AT_LENGTH, at + AT_CRC), salt);
  const sum = crc32(bytes.subarray(at + RECORD_HEADER, end), head);
  return sum === bytes.readUInt32BE(at + AT_CRC) ? RECORD_HEADER + length : 0;
}

/** Whether a record behind the bad one at `at` says that it was synced once. */
function isRotten(bytes: Buffer, at: number, salt: number): boolean {
  for (let later = bytes.indexOf(MAGIC_HIGH, at + 1); later >= 0; later = bytes.indexOf(MAGIC_HIGH, later + 1)) {
    if (later + RECORD_HEADER > bytes.length) return false;
    const synced = bytes.readUIntBE(later + AT_SYNCED, 6);
    if (synced > at && synced <= later && soundRecord(bytes, later, salt) > 0) return true;
  }
  return false;
}
