/** A room's id, its password and its key R, one for each epoch (SPEC 9.2 to 9.4). */
import { concat, isZero, writeUint } from './bytes.js';
import type { RsaPrivate, SyncCrypto } from './crypto-port.js';
import type { Ports } from './handshake.js';
import { label, Label } from './labels.js';
import { HASH, ID, KEY, NONCE, RANDOM, TAG } from './limits.js';

const info = {
  id: label('room id'),
  wrapKey: label('room wrap'),
  authKey: label('room auth'),
  wrap: label('wrap'),
  commit: label('commit'),
  key: label('room key'),
  mac: label('room mac'),
};
const zeroNonce = new Uint8Array(NONCE);
const AES_256_KEY = 2 * KEY;

/** What a room has: `open` to whoever knows its password, or by invitation alone. */
export const RoomKind = { password: 0, invitation: 1 } as const;

/** A room at one time of its life: what keys, wraps and messages are bound to. */
export interface RoomEpoch {
  /** 16 bytes */
  readonly room: Uint8Array;
  /** from 1 */
  readonly epoch: number;
}

/** What every member knows of an epoch. */
export interface RoomKeys {
  /** R, 32 bytes */
  readonly key: Uint8Array;
  /** 32 bytes, under which R lies for whoever knows the password; zeros in a room without one */
  readonly wrapKey: Uint8Array;
}

/** room | epoch: 20 bytes. */
export function roomEpochBytes({ room, epoch }: RoomEpoch): Uint8Array {
  const out = new Uint8Array(ID + 4);
  out.set(room);
  writeUint(out, ID, 4, epoch);
  return out;
}

/** 16 bytes. @param nonce 32 random bytes of the maker's: nobody chooses an id, and a try again has the same (SPEC 9.2) */
export function roomId(sync: SyncCrypto, maker: Uint8Array, nonce: Uint8Array): Uint8Array {
  return sync.sha256(info.id, maker, nonce).subarray(0, ID);
}

/** @param stretched A = Argon2id(password, salt), 32 bytes */
export function roomSecrets(
  sync: SyncCrypto,
  room: Uint8Array,
  stretched: Uint8Array,
): { readonly wrapKey: Uint8Array; readonly auth: Uint8Array } {
  return {
    wrapKey: sync.hkdf(stretched, room, info.wrapKey, RANDOM),
    auth: sync.hkdf(stretched, room, info.authKey, RANDOM),
  };
}

/** What the daemon keeps of authKey. */
export function roomAuthHash(sync: SyncCrypto, auth: Uint8Array): Uint8Array {
  return sync.sha256(auth);
}

/** R under the password. */
export interface RoomWrap {
  /** 32 bytes */
  readonly wrapSalt: Uint8Array;
  /** 32 bytes */
  readonly commitment: Uint8Array;
  /** 48 bytes */
  readonly wrapped: Uint8Array;
}

/** What stands there in a room without a password. */
export const noWrap: RoomWrap = {
  wrapSalt: new Uint8Array(RANDOM),
  commitment: new Uint8Array(HASH),
  wrapped: new Uint8Array(RANDOM + TAG),
};

function wrapKeys(sync: SyncCrypto, at: RoomEpoch, wrapKey: Uint8Array, salt: Uint8Array) {
  return {
    key: sync.hkdf(wrapKey, salt, concat(info.wrap, roomEpochBytes(at)), AES_256_KEY),
    commitment: sync.hkdf(wrapKey, salt, concat(info.commit, roomEpochBytes(at)), HASH),
  };
}

/**
 * In a room without a password there is no wrap, whatever the daemon says of its kind: under a wrapKey of zeros R
 * would lie open to anybody (SPEC 9.2).
 */
export function wrapRoomKey(sync: SyncCrypto, at: RoomEpoch, { key, wrapKey }: RoomKeys): RoomWrap {
  if (isZero(wrapKey)) return noWrap;
  const wrapSalt = sync.random(RANDOM);
  const derived = wrapKeys(sync, at, wrapKey, wrapSalt);
  const wrapped = new Uint8Array(RANDOM + TAG);
  sync.aead(derived.key).seal(zeroNonce, roomEpochBytes(at), key, wrapped, 0);
  return { wrapSalt, commitment: derived.commitment, wrapped };
}

/** R; or the step at which the wrap is refused: a key that opens it without being committed to is none (SPEC 9.3). */
export function unwrapRoomKey(
  sync: SyncCrypto,
  at: RoomEpoch,
  wrapKey: Uint8Array,
  wrap: RoomWrap,
): { readonly problem?: undefined; readonly key: Uint8Array } | { readonly problem: 'commitment' | 'seal' } {
  const derived = wrapKeys(sync, at, wrapKey, wrap.wrapSalt);
  if (!sync.equal(derived.commitment, wrap.commitment)) return { problem: 'commitment' };
  const key = sync.aead(derived.key).open(zeroNonce, roomEpochBytes(at), wrap.wrapped);
  return key ? { key } : { problem: 'seal' };
}

/** R and the wrapKey for one member or invitee, 256 bytes. @param enc their `enc` modulus @throws Error where it is none, as the zeros of a deleted account */
export function sealRoomKeys(ports: Ports, enc: Uint8Array, { key, wrapKey }: RoomKeys): Promise<Uint8Array> {
  return ports.asymmetric.oaepSeal(enc, Label.room, concat(key, wrapKey));
}

/** undefined where the block does not open to 64 bytes. Nothing says yet that a member made it: `roomCommitment` does. */
export async function openRoomKeys(ports: Ports, enc: RsaPrivate, block: Uint8Array): Promise<RoomKeys | undefined> {
  if (isZero(block)) return undefined;
  const both = await ports.asymmetric.oaepOpen(enc, Label.room, block);
  if (both?.length !== 2 * RANDOM) return undefined;
  return { key: both.slice(0, RANDOM), wrapKey: both.slice(RANDOM) };
}

/** What a head says of R, so that a block with another one is told: 32 bytes. It gives R away to nobody. */
export function roomCommitment(sync: SyncCrypto, at: RoomEpoch, key: Uint8Array): Uint8Array {
  return sync.hkdf(key, at.room, concat(info.key, roomEpochBytes(at)), HASH);
}

/** Under which members show that they know R: 32 bytes. */
export function roomMacKey(sync: SyncCrypto, at: RoomEpoch, key: Uint8Array): Uint8Array {
  return sync.hkdf(key, at.room, concat(info.mac, roomEpochBytes(at)), RANDOM);
}
