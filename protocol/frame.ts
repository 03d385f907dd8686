/**
 * DATA frames (SPEC 5): the inner AES-128-GCM seals each struct with its slot, the outer
 * AES-128-CTR keystream runs over whole reads and writes. Nothing here awaits.
 */
import { copy, samePublic } from './bytes.js';
import type { Aead, Keystream, SyncCrypto } from './crypto-port.js';
import { mayStay, mayTurn, type ReceiveEpochs, type SendEpochs } from './epoch.js';
import { FRAME, FRAMES_PER_KEY, KEY, NONCE, RSA_BLOCK, STRUCT } from './limits.js';

const nothing = new Uint8Array(0);
/** A busy connection keeps a buffer of this size at most between its writes. */
const KEPT_BATCH = 64 * FRAME;
const LEAST_BATCH = 2 * FRAME;
/** Buffers of connections that had little to send, for the next ones that have: what they hold is sealed. */
const spare: Uint8Array[] = [];
const MOST_SPARE = 256;

/** Inner traffic keys of one direction: key16 | iv12, as HKDF gives them (28 bytes). */
export type InnerKeys = Uint8Array;
/** Outer traffic keys of one direction: key16 | counter16 (32 bytes). */
export type OuterKeys = Uint8Array;

/** One inner key with its running sequence number, which is never sent (SPEC 5.3). */
class Inner {
  readonly aead: Aead;
  readonly #nonce: Uint8Array;
  readonly #view: DataView;
  /** The iv's last four bytes, which alone a sequence number changes. */
  readonly #last: number;
  #sequence = 0;

  constructor(crypto: SyncCrypto, keys: InnerKeys) {
    this.aead = crypto.aead(keys.subarray(0, KEY));
    this.#nonce = copy(keys.subarray(KEY, KEY + NONCE));
    this.#view = new DataView(this.#nonce.buffer);
    this.#last = this.#view.getUint32(NONCE - 4);
  }

  /** Of the next frame. */
  get sequence(): number {
    return this.#sequence;
  }

  /** iv XOR sequence number; the array is reused. The sequence stays below 2^32. */
  nextNonce(): Uint8Array {
    this.#view.setUint32(NONCE - 4, this.#last ^ this.#sequence++);
    return this.#nonce;
  }
}

export class SendSide {
  readonly #crypto: SyncCrypto;
  readonly #outer: Keystream;
  #inner: Inner;
  #slot: Uint8Array;
  #epochs: SendEpochs | undefined;
  /** Made when there is something to send: most connections are idle most of the time. */
  #batch: Uint8Array = nothing;
  #length = 0;

  constructor(crypto: SyncCrypto, outer: OuterKeys, inner: InnerKeys, slot: Uint8Array) {
    this.#crypto = crypto;
    this.#outer = crypto.keystream(outer.subarray(0, KEY), outer.subarray(KEY));
    this.#inner = new Inner(crypto, inner);
    this.#slot = slot;
  }

  /**
   * The frames sealed so far leave as they are; the next is the first under the new key.
   * @param epochs from now on keys follow one another by themselves
   */
  rekey(inner: InnerKeys, slot: Uint8Array, epochs: SendEpochs): void {
    this.#inner = new Inner(this.#crypto, inner);
    this.#slot = slot;
    this.#epochs = epochs;
  }

  /** Bytes sealed and not yet taken. */
  get pending(): number {
    return this.#length;
  }

  add(struct: Uint8Array): void {
    if (struct.length !== STRUCT) throw new RangeError('frame: a struct has 1776 bytes');
    if (this.#inner.sequence >= FRAMES_PER_KEY) throw new RangeError('frame: the key is exhausted');
    if (this.#length + FRAME > this.#batch.length) this.#grow();
    const next = this.#epochs?.isDue(this.#inner.sequence, this.#length === 0) ? this.#epochs.next() : undefined;
    if (next) this.#slot = next.block;
    this.#batch.set(this.#slot, this.#length);
    this.#inner.aead.seal(this.#inner.nextNonce(), this.#slot, struct, this.#batch, this.#length + RSA_BLOCK);
    this.#length += FRAME;
    if (next) this.#inner = new Inner(this.#crypto, next.keys);
  }

  #grow(): void {
    if (this.#batch.length === 0) {
      this.#batch = spare.pop() ?? new Uint8Array(LEAST_BATCH);
      return;
    }
    const larger = new Uint8Array(2 * this.#batch.length);
    larger.set(this.#batch.subarray(0, this.#length));
    this.#batch = larger;
  }

  /** All added frames under the outer keystream, in one array for one write. */
  take(): Uint8Array {
    const masked = this.#outer(this.#batch.subarray(0, this.#length));
    this.#length = 0;
    if (masked.length <= LEAST_BATCH || this.#batch.length > KEPT_BATCH) {
      if (this.#batch.length === LEAST_BATCH && spare.length < MOST_SPARE) spare.push(this.#batch);
      this.#batch = nothing;
    }
    return masked;
  }
}

export class ReceiveSide {
  readonly #crypto: SyncCrypto;
  readonly #outer: Keystream;
  #inner: Inner;
  #slot: Uint8Array;
  #epochs: ReceiveEpochs | undefined;
  /** ms for which the inner key has been in use: read once for what arrives together. */
  #age = 0;
  #partial: Uint8Array | undefined;
  #filled = 0;
  /** A block is being opened; what arrived behind it waits, without its outer layer. */
  #opening = false;
  #held: Uint8Array[] = [];
  #each!: (struct: Uint8Array) => boolean;
  #over = false;

  constructor(crypto: SyncCrypto, outer: OuterKeys, inner: InnerKeys, slot: Uint8Array) {
    this.#crypto = crypto;
    this.#outer = crypto.keystream(outer.subarray(0, KEY), outer.subarray(KEY));
    this.#inner = new Inner(crypto, inner);
    this.#slot = slot;
  }

  rekey(inner: InnerKeys, slot: Uint8Array, epochs: ReceiveEpochs): void {
    this.#inner = new Inner(this.#crypto, inner);
    this.#slot = slot;
    this.#epochs = epochs;
    this.#age = 0;
  }

  /** Nothing is opened after this. */
  stop(): void {
    this.#over = true;
    this.#held = [];
    this.#partial = undefined;
  }

  /**
   * Opens what has arrived, whole frames at a time; `each` may call `rekey` for the frames behind
   * its own and returns false to stop. False where a frame was refused: the connection is over.
   * Behind a block frames wait until it is open; `each` gets them then.
   */
  push(chunk: Uint8Array, each: (struct: Uint8Array) => boolean): boolean {
    const clear = this.#outer(chunk);
    this.#each = each;
    return this.#take(clear);
  }

  #take(clear: Uint8Array): boolean {
    if (this.#over) return false;
    if (this.#opening) {
      this.#held.push(clear);
      return true;
    }
    if (this.#epochs) this.#age = this.#epochs.age();
    let at = 0;
    if (this.#partial) {
      at = Math.min(FRAME - this.#filled, clear.length);
      this.#partial.set(clear.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < FRAME) return true;
      const whole = this.#partial;
      this.#partial = undefined;
      if (!this.#frame(whole, 0)) return false;
    }
    for (; at + FRAME <= clear.length; at += FRAME) {
      if (this.#isOpening()) break;
      if (!this.#frame(clear, at)) return false;
    }
    if (at === clear.length) return true;
    if (this.#isOpening()) this.#held.push(clear.subarray(at));
    else {
      this.#partial = new Uint8Array(FRAME);
      this.#partial.set(clear.subarray(at));
      this.#filled = clear.length - at;
    }
    return true;
  }

  #frame(bytes: Uint8Array, at: number): boolean {
    const slot = bytes.subarray(at, at + RSA_BLOCK);
    const { sequence } = this.#inner;
    /* A slot is public. Another block than the key's is a new epoch, which comes when it may, or closes. */
    const turns = !samePublic(slot, this.#slot);
    if (turns ? !this.#epochs || !mayTurn(sequence, this.#age) : !this.#mayStay(sequence)) return false;
    const struct = this.#inner.aead.open(this.#inner.nextNonce(), slot, bytes.subarray(at + RSA_BLOCK, at + FRAME));
    if (!struct) return false;
    /* Only a block that its sender sealed for us costs an operation with the private key. */
    if (turns && this.#epochs) this.#turn(this.#epochs, copy(slot));
    return this.#each(struct);
  }

  #mayStay(sequence: number): boolean {
    return this.#epochs ? mayStay(sequence, this.#age) : sequence < FRAMES_PER_KEY;
  }
  #isOpening(): boolean {
    return this.#opening;
  }

  #turn(epochs: ReceiveEpochs, block: Uint8Array): void {
    this.#slot = block;
    this.#opening = true;
    epochs.turn();
    epochs.host.hold(true);
    epochs.open(block).then(
      (keys) => {
        if (this.#over) return;
        if (keys && this.#resume(keys)) {
          if (!this.#opening) epochs.host.hold(false);
        } else epochs.host.refused();
      },
      (cause: unknown) => {
        if (!this.#over) epochs.host.refused(cause);
      },
    );
  }

  /** The next epoch's keys are there: what waited is opened under them. */
  #resume(keys: InnerKeys): boolean {
    this.#inner = new Inner(this.#crypto, keys);
    this.#opening = false;
    return this.#held.splice(0).every((chunk) => this.#take(chunk));
  }
}
