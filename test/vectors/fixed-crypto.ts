/**
 * Both ports with randomness from a seed, so that vectors can be made again to the byte. OAEP and PSS are
 * written out here (RFC 8017) because node:crypto does not take their seed and salt: a second implementation
 * beside the one that the product uses. For tests alone.
 */
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  privateEncrypt,
  publicEncrypt,
} from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat, hex, type AsymmetricCrypto, type SyncCrypto, type X25519Pair } from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { mlkem, MLKEM_SEED } from '../../src/crypto/mlkem.js';
import type { Source } from './script.js';

const HASH = 32;
const BLOCK = 256;
const raw = { padding: constants.RSA_NO_PADDING };
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function mgf1(seed: Uint8Array, length: number): Uint8Array {
  const counter = (i: number): Uint8Array => Uint8Array.of(i >>> 24, i >>> 16, i >>> 8, i);
  const blocks = Array.from({ length: Math.ceil(length / HASH) }, (_, i) => sha256(seed, counter(i)));
  return concat(...blocks).subarray(0, length);
}

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0));

/** RFC 8017 section 7.1.1 with a chosen seed of 32 bytes. */
export function oaepSealWith(seed: Uint8Array, modulus: Uint8Array, label: Uint8Array, plain: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(BLOCK - 2 * HASH - 2 - plain.length);
  const block = concat(sha256(label), zeros, Uint8Array.of(1), plain);
  const masked = xor(block, mgf1(seed, block.length));
  const maskedSeed = xor(seed, mgf1(masked, HASH));
  const n = Buffer.from(modulus).toString('base64url');
  const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
  return Uint8Array.from(publicEncrypt({ key, ...raw }, concat(Uint8Array.of(0), maskedSeed, masked)));
}

/** RFC 8017 section 8.1.1 with a chosen salt. */
export function pssSignWith(salt: Uint8Array, key: NodeRsaPrivate, label: Uint8Array, message: Uint8Array): Uint8Array {
  const hashed = sha256(new Uint8Array(8), sha256(label, message), salt);
  const block = concat(new Uint8Array(BLOCK - HASH - 2 - salt.length), Uint8Array.of(1), salt);
  const masked = xor(block, mgf1(hashed, block.length));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Uint8Array.from(privateEncrypt({ key: key.key, ...raw }, concat(masked, hashed, Uint8Array.of(0xbc))));
}

/** @param secret the 32 bytes of the private key (RFC 7748) */
export function x25519From(secret: Uint8Array): X25519Pair {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: Uint8Array.from(spki.subarray(SPKI_X25519.length)),
    agree: (peer) => {
      const publicKey = createPublicKey({ key: Buffer.concat([SPKI_X25519, peer]), format: 'der', type: 'spki' });
      return Promise.resolve(Uint8Array.from(diffieHellman({ privateKey, publicKey })));
    },
  };
}

/** What a recorded run drew and derived, by name: the last value of each. */
export type Recording = Map<string, Uint8Array>;

export function fixedAsymmetric(seeded: Source, record: Recording = new Map()): AsymmetricCrypto<NodeRsaPrivate> {
  const draw = (what: string, length: number): Uint8Array => {
    const bytes = seeded.bytes(length);
    record.set(what, bytes);
    return bytes;
  };
  return {
    ...nodeAsymmetric,
    oaepSeal: (modulus, label, plain) => Promise.resolve(oaepSealWith(draw('oaepSeed', HASH), modulus, label, plain)),
    pssSign: (key, label, message) => Promise.resolve(pssSignWith(draw('pssSalt', HASH), key, label, message)),
    x25519: () => Promise.resolve(x25519From(draw('x25519Private', HASH))),
    mlkem: () => Promise.resolve(mlkem.pair(draw('mlkemSeed', MLKEM_SEED))),
    async agree(peer, mlkemKey) {
      const own = x25519From(draw('x25519Private', HASH));
      const first = await own.agree(peer);
      // noble's in any case: Node's own draws the message itself
      const kem = ml_kem768.encapsulate(mlkemKey, draw('mlkemMessage', HASH));
      if (!first) return undefined;
      record.set('x25519Shared', first);
      record.set('mlkemShared', kem.sharedSecret);
      return { x25519: own.publicKey, mlkem: kem.cipherText, secret: concat(first, kem.sharedSecret) };
    },
  };
}

const PREFIX = 'cadenas/1 ';

/** Records each derived key by its info, without the prefix and the transcript behind it; and all random by its turn. */
export function fixedSync(seeded: Source, record: Recording = new Map()): SyncCrypto {
  let drawn = 0;
  return {
    ...nodeSync,
    random(length) {
      const bytes = seeded.bytes(length);
      record.set(`random${String(drawn++)}`, bytes.slice());
      return bytes;
    },
    hkdf(ikm, salt, info, length) {
      const out = nodeSync.hkdf(ikm, salt, info, length);
      const text = Buffer.from(info).toString('latin1');
      const name = /^[a-z0-9 ]+/.exec(text.slice(PREFIX.length))?.[0] ?? hex(info);
      record.set(/^ck[0-9]/.test(name) ? name.slice(0, 3) : name, out.slice());
      return out;
    },
  };
}
