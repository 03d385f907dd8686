/**
 * What an unknown name, or a wrong signature, is answered with: the same for the same name, and like
 * an account to whoever can't open it (SPEC 6.5).
 */
import { ID, label, RSA_BLOCK, type SyncCrypto } from '../../protocol/index.js';

const info = { identifier: label('decoy identifier'), modulus: label('decoy modulus') };

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
