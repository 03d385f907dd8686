/** A room as the vectors and tests of SPEC 9 have it, and the pieces of its formats, written from SPEC and not by the code. */
import { concat, utf8, writeUint } from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { TestKeys } from './keys.js';
import { Seeded } from './seeded.js';

/** The same each time it is asked for. */
export const some = (what: string, length: number): Uint8Array => new Seeded(`room ${what}`).bytes(length);

export const ROOM = some('room', 16);
export const ROOM_NAME = 'library';
export const EPOCH = 3;
/** R of the epoch, that of the one before, and the wrapKey of both. */
export const R = some('R', 32);
/** R of the epoch before, for who still knows it. */
export const FORMER = some('former R', 32);
export const WRAP_KEY = some('wrapKey', 32);

export interface Member {
  readonly uid: Uint8Array;
  readonly name: string;
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
}

/** The owner, and somebody who enters. */
export function roomPeople(keys: TestKeys): { readonly ann: Member; readonly ben: Member } {
  return {
    ann: { uid: some('ann', 16), name: 'ann', enc: keys.senderEnc, sig: keys.senderSig },
    ben: {
      uid: some('ben', 16),
      name: 'ben_of_the_long_name_12345678901',
      enc: keys.recipientEnc,
      sig: keys.recipientSig,
    },
  };
}

export function uint(size: number, value: number): Uint8Array {
  const out = new Uint8Array(size);
  writeUint(out, 0, size, value);
  return out;
}

/** 32 bytes (SPEC 3.2). */
export const padded = (name: string): Uint8Array => concat(utf8(name), new Uint8Array(32 - name.length));
export const words = (text: string): Uint8Array => utf8(`cadenas/1 ${text}`);
/** room | epoch (SPEC 9.1) */
export const place = (room: Uint8Array = ROOM, epoch: number = EPOCH): Uint8Array => concat(room, uint(4, epoch));

export function hkdf(
  ikm: Uint8Array,
  salt: Uint8Array,
  info: string,
  behind: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return nodeSync.hkdf(ikm, salt, concat(words(info), behind), 32);
}

/** An HMAC of SPEC 9 under M of an epoch. */
export function macUnder(r: Uint8Array, epoch: number, label: string, data: Uint8Array): Uint8Array {
  return nodeSync.hmac(hkdf(r, ROOM, 'room mac', place(ROOM, epoch)), concat(words(label), data));
}

export function seal256(key: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + 16);
  nodeSync.aead(key).seal(new Uint8Array(12), aad, plain, out, 0);
  return out;
}

export const print = ({ enc, sig }: Pick<Member, 'enc' | 'sig'>): Uint8Array =>
  nodeSync.sha256(words('fingerprint'), enc.modulus, sig.modulus);

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}
