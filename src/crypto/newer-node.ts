/**
 * What a newer Node has itself, and Node 20 and 22 have not: ML-KEM and Argon2, both since 24.7. The types of the
 * oldest supported Node don't know them: so much as is used is declared here, and looked for here alone.
 */
import crypto, { type KeyObject } from 'node:crypto';

export interface NewerCrypto {
  encapsulate(publicKey: KeyObject): { readonly ciphertext: Uint8Array; readonly sharedKey: Uint8Array };
  decapsulate(privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array;
  argon2(algorithm: 'argon2id', parameters: Argon2Parameters, done: (error: unknown, tag: Uint8Array) => void): void;
  argon2Sync(algorithm: 'argon2id', parameters: Argon2Parameters): Uint8Array;
}

export interface Argon2Parameters {
  readonly message: Uint8Array;
  readonly nonce: Uint8Array;
  /** KiB */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  /** bytes */
  readonly tagLength: number;
}

export const newerCrypto: Partial<NewerCrypto> = crypto as object;

/** What works here, or undefined: a Node over an older OpenSSL has the functions without what they need. */
export function ifItWorks<T>(made: T, trial: (made: T) => unknown): T | undefined {
  try {
    trial(made);
    return made;
  } catch {
    return undefined;
  }
}
