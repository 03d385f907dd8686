/** Argon2id (RFC 9106): Node's own where it has one, hash-wasm's elsewhere. Both give the same bytes. */
import { promisify } from 'node:util';
import { argon2id as wasmArgon2id } from 'hash-wasm';
import { ifItWorks, newerCrypto, type Argon2Parameters, type NewerCrypto } from './newer-node.js';

/** Version 0x13, without secret and associated data. */
export type Argon2id = (parameters: Argon2Parameters) => Promise<Uint8Array>;

/** Works on the caller's thread. */
export const wasmArgon2: Argon2id = ({ message, nonce, memory, passes, parallelism, tagLength }) =>
  wasmArgon2id({
    password: message,
    salt: nonce,
    memorySize: memory,
    iterations: passes,
    parallelism,
    hashLength: tagLength,
    outputType: 'binary',
  });

/** The least that RFC 9106 allows: whether it works at all. */
const TRIAL: Argon2Parameters = {
  message: new Uint8Array(0),
  nonce: new Uint8Array(8),
  memory: 8,
  passes: 1,
  parallelism: 1,
  tagLength: 4,
};

/** Works on a thread of libuv's. @returns undefined where that Node has no Argon2 */
export function nodeArgon2({ argon2, argon2Sync }: Partial<NewerCrypto>): Argon2id | undefined {
  if (!argon2 || !argon2Sync) return undefined;
  const derive = promisify(argon2);
  return ifItWorks<Argon2id>(
    (parameters) => derive('argon2id', parameters),
    () => argon2Sync('argon2id', TRIAL),
  );
}

export const argon2id: Argon2id = nodeArgon2(newerCrypto) ?? wasmArgon2;
