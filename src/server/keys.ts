/** Ids as keys of maps: latin-1 keeps 16 bytes in 16 characters, one byte each. */
export function idKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
