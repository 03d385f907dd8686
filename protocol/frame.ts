/**
 * DATA frames (SPEC 5): the inner AES-128-GCM seals each struct with its slot, the outer
 * AES-128-CTR keystream runs over whole reads and writes. Nothing here awaits.
 */
import { copy, samePublic } from './bytes.js';
import type { Aead, Keystream, SyncCrypto } from './crypto-port.js';
import { FRAME, FRAMES_PER_KEY, KEY, NONCE, RSA_BLOCK, STRUCT } from './limits.js';

const nothing = new Uint8Array(0);
/** A busy connection keeps a buffer of this size at most between its writes. */
const KEPT_BATCH = 64 * FRAME;

/** Inner traffic keys of one direction: key16 | iv12, as HKDF gives them (28 bytes). */
export type InnerKeys = Uint8Array;
/** Outer traffic keys of one direction: key16 | counter16 (32 bytes). */
export type OuterKeys = Uint8Array;

/** One inner key with its running sequence number, which is never sent (SPEC 5.3). */
class Inner {
  readonly aead: Aead;
  readonly #iv: Uint8Array;
  readonly #nonce: Uint8Array;
  #sequence = 0;

  constructor(crypto: SyncCrypto, keys: InnerKeys) {
    this.aead = crypto.aead(keys.subarray(0, KEY));
    this.#iv = copy(keys.subarray(KEY, KEY + NONCE));
    this.#nonce = copy(this.#iv);
  }

  get exhausted(): boolean {
    return this.#sequence >= FRAMES_PER_KEY;
  }

  /** iv XOR sequence number; the array is reused. The sequence stays below 2^32. */
  nextNonce(): Uint8Array {
    const sequence = this.#sequence++;
    for (let i = 0; i < 4; i++)
      this.#nonce[NONCE - 1 - i] = (this.#iv[NONCE - 1 - i] ?? 0) ^ ((sequence >>> (8 * i)) & 0xff);
    return this.#nonce;
  }
}

export class SendSide {
  readonly #crypto: SyncCrypto;
  readonly #outer: Keystream;
  #inner: Inner;
  #slot: Uint8Array;
  /** Made when there is something to send: most connections are idle most of the time. */
  #batch: Uint8Array = nothing;
  #length = 0;

  constructor(crypto: SyncCrypto, outer: OuterKeys, inner: InnerKeys, slot: Uint8Array) {
    this.#crypto = crypto;
    this.#outer = crypto.keystream(outer.subarray(0, KEY), outer.subarray(KEY));
    this.#inner = new Inner(crypto, inner);
    this.#slot = slot;
  }

  /** The frames sealed so far leave as they are; the next is the first under the new key. */
  rekey(inner: InnerKeys, slot: Uint8Array): void {
    this.#inner = new Inner(this.#crypto, inner);
    this.#slot = slot;
  }

  /** No frame may be added any more: the key has sealed all that it may. */
  get exhausted(): boolean {
    return this.#inner.exhausted;
  }

  /** Bytes sealed and not yet taken. */
  get pending(): number {
    return this.#length;
  }

  add(struct: Uint8Array): void {
    if (struct.length !== STRUCT) throw new RangeError('frame: a struct has 1776 bytes');
    if (this.exhausted) throw new RangeError('frame: the key is exhausted');
    if (this.#length + FRAME > this.#batch.length) {
      const larger = new Uint8Array(Math.max(2 * FRAME, 2 * this.#batch.length));
      larger.set(this.#batch.subarray(0, this.#length));
      this.#batch = larger;
    }
    this.#batch.set(this.#slot, this.#length);
    this.#inner.aead.seal(this.#inner.nextNonce(), this.#slot, struct, this.#batch, this.#length + RSA_BLOCK);
    this.#length += FRAME;
  }

  /** All added frames under the outer keystream, in one array for one write. */
  take(): Uint8Array {
    const masked = this.#outer(this.#batch.subarray(0, this.#length));
    this.#length = 0;
    if (masked.length <= 2 * FRAME || this.#batch.length > KEPT_BATCH) this.#batch = nothing;
    return masked;
  }
}

export class ReceiveSide {
  readonly #crypto: SyncCrypto;
  readonly #outer: Keystream;
  #inner: Inner;
  #slot: Uint8Array;
  #partial: Uint8Array | undefined;
  #filled = 0;

  constructor(crypto: SyncCrypto, outer: OuterKeys, inner: InnerKeys, slot: Uint8Array) {
    this.#crypto = crypto;
    this.#outer = crypto.keystream(outer.subarray(0, KEY), outer.subarray(KEY));
    this.#inner = new Inner(crypto, inner);
    this.#slot = slot;
  }

  rekey(inner: InnerKeys, slot: Uint8Array): void {
    this.#inner = new Inner(this.#crypto, inner);
    this.#slot = slot;
  }

  /** The frames sealed under the current key number as many as there may be. */
  get exhausted(): boolean {
    return this.#inner.exhausted;
  }

  /** Bytes of a frame that is not yet whole. */
  get partial(): number {
    return this.#filled;
  }

  /**
   * Opens what has arrived, whole frames at a time; `each` may call `rekey` for the frames behind
   * its own and returns false to stop. False where a frame was refused: the connection is over.
   */
  push(chunk: Uint8Array, each: (struct: Uint8Array) => boolean): boolean {
    const clear = this.#outer(chunk);
    let at = 0;
    if (this.#partial) {
      at = Math.min(FRAME - this.#filled, clear.length);
      this.#partial.set(clear.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < FRAME) return true;
      const whole = this.#partial;
      this.#partial = undefined;
      this.#filled = 0;
      if (!this.#frame(whole, 0, each)) return false;
    }
    for (; at + FRAME <= clear.length; at += FRAME) if (!this.#frame(clear, at, each)) return false;
    if (at < clear.length) {
      this.#partial = new Uint8Array(FRAME);
      this.#partial.set(clear.subarray(at));
      this.#filled = clear.length - at;
    }
    return true;
  }

  #frame(bytes: Uint8Array, at: number, each: (struct: Uint8Array) => boolean): boolean {
    const slot = bytes.subarray(at, at + RSA_BLOCK);
    /* A slot is public; another block than the session's is no error to hide but a new epoch, which closes. */
    if (this.#inner.exhausted || !samePublic(slot, this.#slot)) return false;
    const struct = this.#inner.aead.open(this.#inner.nextNonce(), slot, bytes.subarray(at + RSA_BLOCK, at + FRAME));
    return struct !== undefined && each(struct);
  }
}
