/**
 * The salt of a file whose beginning is damaged, from its first two records. A CRC runs backwards too:
 * from what it came to, and the bytes, one gets what it began with. Only the record at the file's
 * fixed place is asked, and the one behind it must agree: what users send has no say in it.
 */
import { FILE_HEADER, MAX_PAYLOAD, RECORD_HEADER, soundRecord } from '../journal/record-format.js';

/* Where in a record: record-format.ts */
const AT_CRC = 2;
const AT_LENGTH = 6;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});
const byHighByte = new Map(Array.from(table, (value, index) => [value >>> 24, index]));

/** The value with which a CRC-32 over these bytes began that came to `crc`. */
function beginningOf(crc: number, bytes: Uint8Array): number {
  let value = ~crc >>> 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const index = byHighByte.get(value >>> 24) ?? 0;
    value = (((value ^ (table[index] ?? 0)) << 8) | (index ^ (bytes[at] ?? 0))) >>> 0;
  }
  return ~value >>> 0;
}

/** @param first number of the file's first record. @returns undefined where two records don't agree */
export function lostSalt(bytes: Buffer, first: number): number | undefined {
  if (bytes.length < FILE_HEADER + RECORD_HEADER) return undefined;
  const size = RECORD_HEADER + bytes.readUInt32BE(FILE_HEADER + AT_LENGTH);
  const end = FILE_HEADER + size;
  if (size > RECORD_HEADER + MAX_PAYLOAD || end > bytes.length) return undefined;
  const salt = beginningOf(bytes.readUInt32BE(FILE_HEADER + AT_CRC), bytes.subarray(FILE_HEADER + AT_LENGTH, end));
  const numbers = [FILE_HEADER, end].map((at) => soundRecord(bytes, at, salt));
  const agree = numbers.every((sound, n) => sound !== undefined && sound !== 'short' && sound.seq === first + n);
  return agree ? salt : undefined;
}
