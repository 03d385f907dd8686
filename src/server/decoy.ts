/**
 * What an unknown name, or a wrong signature, is answered with: the same for the same name, and like
 * an account to whoever can't open it (SPEC 6.5); and what a room's name that is unknown is.
 */
import { HASH, ID, KEY, label, RSA_BLOCK, type SyncCrypto } from '../../protocol/index.js';

const info = {
  identifier: label('decoy identifier'),
  modulus: label('decoy modulus'),
  room: label('decoy room'),
};

/** What `jrms1` says of a name that no room with a password has (SPEC 9.4). */
export function decoyRoom(
  sync: SyncCrypto,
  secret: Uint8Array,
  name: string,
): { readonly room: Uint8Array; readonly salt: Uint8Array } {
  const drawn = sync.hmac(secret, info.room, Buffer.from(name));
  return { room: drawn.subarray(0, ID), salt: drawn.subarray(ID, ID + KEY) };
}

/** Compared where there is no such room: nothing that a client sends has this hash. */
export const noAuth = new Uint8Array(HASH);

export function decoyIdentifier(sync: SyncCrypto, secret: Uint8Array, name: string): Uint8Array {
  return sync.hmac(secret, info.identifier, Buffer.from(name)).subarray(0, ID);
}

/** Random below the name's pseudo-modulus, as an OAEP block is below a real one. */
export function decoyBlock(sync: SyncCrypto, secret: Uint8Array, name: string): Uint8Array {
  const seed = sync.hmac(secret, info.modulus, Buffer.from(name));
  const modulus = sync.hkdf(seed, new Uint8Array(0), info.modulus, RSA_BLOCK);
  modulus[0] = (modulus[0] ?? 0) | 0xc0;
  modulus[RSA_BLOCK - 1] = (modulus[RSA_BLOCK - 1] ?? 0) | 1;
  for (;;) {
    const block = sync.random(RSA_BLOCK);
    if (Buffer.compare(block, modulus) < 0) return block;
  }
}
