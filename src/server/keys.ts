/** Ids as keys of maps: latin-1 keeps each byte in one character. On the path of each frame: no view is made of a Buffer. */
export function idKey(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', from, to);
}
