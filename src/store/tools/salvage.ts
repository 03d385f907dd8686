/** What is sound in a record file that may be damaged: the records before the damage, and those behind it. */
import { lostSalt } from './lost-salt.js';
import {
  anySound,
  AT_SALT,
  FILE_HEADER,
  isRotten,
  readHeader,
  RECORD_HEADER,
  scanRecords,
  soundRecord,
  type OnRecord,
} from '../journal/record-format.js';

/** Records that are lost between sound ones, or in front of them. */
export interface Gap {
  /** the offset of the damage */
  readonly at: number;
  /** numbers of the records that are lost */
  readonly from: number;
  readonly to: number;
}

export interface Salvaged {
  /** false: the file's beginning is damaged, and was told from its records */
  readonly header: boolean;
  readonly gaps: readonly Gap[];
  /** the offset behind the last sound record */
  readonly end: number;
  /** the number behind that of the last sound record */
  readonly next: number;
}

/**
 * Hands over every sound record of a file's bytes in order, as views of them.
 * @param first the first record's number
 * @returns undefined where no record can be told, because the beginning of the file is lost
 */
export function salvage(given: Uint8Array, first: number, onRecord: OnRecord): Salvaged | undefined {
  const bytes = view(given);
  const header = readHeader(bytes);
  const salt = header?.salt ?? findSalt(bytes, first);
  if (salt === undefined) return undefined;
  const gaps: Gap[] = [];
  let { end, next } = scanRecords(bytes, FILE_HEADER, salt, first, onRecord);
  for (let found = nextSound(bytes, end, salt, next); found; found = nextSound(bytes, end, salt, next)) {
    gaps.push({ at: end, from: next, to: found.seq - 1 });
    ({ end, next } = scanRecords(bytes, found.at, salt, found.seq, onRecord));
  }
  return { header: header?.first === first, gaps, end, next };
}

/** Of a damaged beginning: if the salt in it opens any record, it is that one; otherwise the records tell. */
function findSalt(bytes: Buffer, first: number): number | undefined {
  if (bytes.length < FILE_HEADER) return undefined;
  const salt = bytes.readUInt32BE(AT_SALT);
  return anySound(bytes, salt, () => true) ? salt : lostSalt(bytes, first);
}

/** The first sound record behind the bad one at `from`, which had to be number `next`. */
function nextSound(
  bytes: Buffer,
  from: number,
  salt: number,
  next: number,
): { readonly at: number; readonly seq: number } | undefined {
  for (let at = from + 1; at + RECORD_HEADER <= bytes.length; at++) {
    const sound = soundRecord(bytes, at, salt);
    if (sound !== undefined && sound !== 'short' && sound.seq >= next) return { at, seq: sound.seq };
  }
  return undefined;
}

/** The bytes without a write at their end that was cut short, or is under way: nobody was told of it. */
export function withoutTornEnd(given: Uint8Array): Uint8Array {
  const bytes = view(given);
  const header = readHeader(bytes);
  if (!header) return bytes;
  const { end, next } = scanRecords(bytes, FILE_HEADER, header.salt, header.first, () => undefined);
  return isRotten(bytes.subarray(end), header.salt, next) ? bytes : bytes.subarray(0, end);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
