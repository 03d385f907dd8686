/** Rot is most often one bit: a file that has a sum of its own then tells which. */

/** Files longer than this, in bytes, are not tried. */
const LONGEST = 16 * 1024;

/** What `read` makes of the bytes with one bit changed; undefined where no such change makes them sound. */
export function withOneBitMended<T>(given: Uint8Array, read: (bytes: Uint8Array) => T | undefined): T | undefined {
  if (given.length > LONGEST) return undefined;
  const bytes = new Uint8Array(given);
  for (let at = 0; at < bytes.length; at++) {
    const before = bytes[at] ?? 0;
    for (let bit = 1; bit < 256; bit <<= 1) {
      bytes[at] = before ^ bit;
      const found = read(bytes);
      if (found !== undefined) return found;
    }
    bytes[at] = before;
  }
  return undefined;
}
