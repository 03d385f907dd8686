/** RSA with a public key, which is quick enough to be done where it is needed. */
import { constants, createPublicKey, publicEncrypt, type KeyObject } from 'node:crypto';
import { MODULUS } from '../../protocol/index.js';

const EXPONENT = 'AQAB'; // 65537

/** @throws RangeError where the modulus has not 256 bytes */
export function publicKey(modulus: Uint8Array): KeyObject {
  if (modulus.length !== MODULUS) throw new RangeError('a modulus has 256 bytes');
  const n = Buffer.from(modulus).toString('base64url');
  return createPublicKey({ key: { kty: 'RSA', n, e: EXPONENT }, format: 'jwk' });
}

/** The padding of RSAES-OAEP with SHA-256 and a label (RFC 8017 section 7.1). */
export function oaep(label: Uint8Array) {
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from(label) };
}

export function oaepSeal(modulus: Uint8Array, label: Uint8Array, plain: Uint8Array): Uint8Array {
  return publicEncrypt({ key: publicKey(modulus), ...oaep(label) }, plain);
}
