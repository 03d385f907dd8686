/** What a receipt says in the place of a text: ids of messages that a person was shown (SPEC 7.3). */
import { concat, hex } from './bytes.js';
import { ENVELOPE_TEXT, ID } from './limits.js';

/** Messages that one receipt names. */
export const RECEIPT_MAX = ENVELOPE_TEXT / ID;
/** What an envelope's header says where it is a receipt: `part` is 0 too. */
export const RECEIPT_PARTS = 0;

/** @param ids 1 to 64, each of 16 bytes, none twice: otherwise `sealEnvelope` throws */
export function writeReceipt(ids: readonly Uint8Array[]): Uint8Array {
  return concat(...ids);
}

/** The ids, as views; undefined where the bytes are no receipt. */
export function readReceipt(bytes: Uint8Array): Uint8Array[] | undefined {
  const { length } = bytes;
  if (length === 0 || length > ENVELOPE_TEXT || length % ID !== 0) return undefined;
  const ids = Array.from({ length: length / ID }, (_, row) => bytes.subarray(row * ID, (row + 1) * ID));
  return new Set(ids.map(hex)).size === ids.length ? ids : undefined;
}
