/** Bytes without Node and without DOM: what an ES2022 program has. Integers are big-endian (SPEC 1.2). */

/* TextEncoder and TextDecoder are in Node and in every browser, but in neither's share of ES2022. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text, or undefined where the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // fatal decoder: the only thing it throws is "not valid UTF-8"
  }
}

/** For as many as there may be: the arguments of a call are limited to some 100,000. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return join(parts);
}

/** A copy of its own memory. Not `slice`: on Node's Buffer that is a view, which keeps a whole frame alive. */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Four bytes at a time, since the padding of each frame is looked at, and no sooner done where one is not zero. */
export function isZero(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [sum, at] = [0, 0];
  for (; at + 4 <= bytes.length; at += 4) sum |= view.getInt32(at);
  for (; at < bytes.length; at++) sum |= view.getUint8(at);
  return sum === 0;
}

/** Not constant-time: for public values only. Secrets go through `SyncCrypto.equal`. */
export function samePublic(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const DIGITS = '0123456789abcdef';

export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15);
  return out;
}

/** As big-endian numbers of the same length. */
export function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  return hex(a) < hex(b);
}

/** @throws RangeError where the text is not an even number of lower-case hexadecimal digits. */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new RangeError('not hexadecimal');
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function readUint(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

export function writeUint(bytes: Uint8Array, at: number, size: number, value: number): void {
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export function u64(value: number): Uint8Array {
  const out = new Uint8Array(8);
  writeUint(out, 0, 8, value);
  return out;
}
