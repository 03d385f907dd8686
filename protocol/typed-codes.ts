/** Codes that a person reads and types: bytes as letters of base32 (RFC 4648 section 6), in groups. */

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const GROUP = 4;
const BITS = 5;

/** Base32 without padding, in lower case, in groups of four with a hyphen between them (SPEC 6.9). */
export function typedCode(bytes: Uint8Array): string {
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= BITS) {
      bits -= BITS;
      out += letters.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) out += letters.charAt((held << (BITS - bits)) & 31);
  return out.match(new RegExp(`.{1,${String(GROUP)}}`, 'g'))?.join('-') ?? '';
}

/**
 * The bytes of a code as somebody typed or pasted it: upper and lower case, hyphens and dashes of any kind, white space and
 * what is not seen do not matter.
 * @param length of the bytes
 * @returns undefined where it is no code of this length
 */
export function readTypedCode(typed: string, length: number): Uint8Array | undefined {
  const text = typed.toLowerCase().replace(/[\s\p{Pd}\p{Cf}]/gu, '');
  if (text.length !== Math.ceil((length * 8) / BITS)) return undefined;
  const out = new Uint8Array(length);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = letters.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << BITS) | value;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return held === 0 ? out : undefined; // each code has one text
}
