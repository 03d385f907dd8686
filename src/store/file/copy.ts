/** A copy of the bytes. Not `slice`: of a Node Buffer that is a view, which changes with its source. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
