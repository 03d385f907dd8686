/** What registration and login sign, prove and derive (SPEC 6). */
import { concat, utf8 } from './bytes.js';
import type { SyncCrypto } from './crypto-port.js';
import { label } from './labels.js';
import { HASH, KEY } from './limits.js';

const info = {
  words: label('words'),
  sig: label('sig'),
  enc: label('enc'),
  state: label('state'),
  export: label('export'),
  fingerprint: label('fingerprint'),
};

function lengthAndName(name: string): Uint8Array {
  const bytes = utf8(name);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** Signed with label `login` (SPEC 6.5). */
export function loginMessage(th2: Uint8Array, name: string, ke1: Uint8Array): Uint8Array {
  return concat(th2, lengthAndName(name), ke1);
}

/** Signed with label `keys` (SPEC 6.3). */
export function keysMessage(th2: Uint8Array, name: string, enc: Uint8Array, sig: Uint8Array): Uint8Array {
  return concat(th2, lengthAndName(name), enc, sig);
}

/** Possession of `enc`: only its owner opens the block that carries p (SPEC 6.3). */
export function possession(sync: SyncCrypto, p: Uint8Array, th2: Uint8Array, record: Uint8Array): Uint8Array {
  return sync.hmac(p, th2, record);
}

/** The password as OPAQUE and Argon2id take it: NFC, so that the same keys give the same bytes on every machine (SPEC 6.1). */
export function canonicalPassword(typed: string): string {
  return typed.normalize('NFC');
}

/** The three words as they are stretched: NFKC, lower case, single spaces (SPEC 6.6). */
export function canonicalWords(typed: string): string {
  return typed.normalize('NFKC').toLowerCase().trim().split(/\s+/u).join(' ');
}

/** @param stretched W = Argon2id(words, salt2) */
export function wordsProof(sync: SyncCrypto, exportKey: Uint8Array, stretched: Uint8Array): Uint8Array {
  return sync.hkdf(exportKey, stretched, info.words, HASH);
}

/** Keys of the client's files, from K = Argon2id(password, salt1) and W (SPEC 6.7). `state` seals the key of the state, 16 bytes. */
export function fileKeys(sync: SyncCrypto, k: Uint8Array, w: Uint8Array): { enc: Uint8Array; state: Uint8Array } {
  const both = concat(k, w);
  return {
    enc: sync.hkdf(both, new Uint8Array(0), info.enc, KEY),
    state: sync.hkdf(both, new Uint8Array(0), info.state, KEY),
  };
}

export function sigFileKey(sync: SyncCrypto, k: Uint8Array): Uint8Array {
  return sync.hkdf(k, new Uint8Array(0), info.sig, KEY);
}

/** Key of a file in which an account moves, 16 bytes (SPEC 7.10). @param stretched Argon2id(passphrase, salt) */
export function exportFileKey(sync: SyncCrypto, stretched: Uint8Array): Uint8Array {
  return sync.hkdf(stretched, new Uint8Array(0), info.export, KEY);
}

/** One hash for both public keys of a user (SPEC 7.2). */
export function fingerprint(
  sync: SyncCrypto,
  keys: { readonly enc: Uint8Array; readonly sig: Uint8Array },
): Uint8Array {
  return sync.sha256(info.fingerprint, keys.enc, keys.sig);
}
