/**
 * Epochs (SPEC 5.5): how one direction of a link goes on to fresh keys. The sender puts a new RSA block
 * into the slot of a frame that is still sealed under the old key; the next frame is the first under the
 * key that came from the block's secret and from all secrets before it.
 */
import { concat, copy } from './bytes.js';
import type { SyncCrypto } from './crypto-port.js';
import { label, Label } from './labels.js';
import {
  EPOCH_ACCEPT_FRAMES,
  EPOCH_ACCEPT_MS,
  EPOCH_CLOSE_MS,
  EPOCH_MS,
  FRAMES_PER_KEY,
  HASH,
  KEY,
  NONCE,
  RANDOM,
} from './limits.js';

export type Direction = 'c2s' | 's2c';

const infos = {
  c2s: { inner: label('c2s inner'), epoch: label('epoch c2s') },
  s2c: { inner: label('s2c inner'), epoch: label('epoch s2c') },
};

/** Inner traffic keys of one direction from a chaining key and its transcript: key16 | iv12 (SPEC 4.6). */
export function innerKeys(sync: SyncCrypto, direction: Direction, ck: Uint8Array, th: Uint8Array): Uint8Array {
  return sync.hkdf(ck, th, infos[direction].inner, KEY + NONCE);
}

/** One direction's chaining key: ck3 first, then one for each epoch. */
class Chain {
  readonly #sync: SyncCrypto;
  readonly #direction: Direction;
  readonly #th3: Uint8Array;
  #key: Uint8Array;

  constructor(sync: SyncCrypto, direction: Direction, ck3: Uint8Array, th3: Uint8Array) {
    this.#sync = sync;
    this.#direction = direction;
    this.#th3 = th3;
    this.#key = copy(ck3);
  }

  /** The inner keys of the next epoch; the secret is erased. */
  next(secret: Uint8Array): Uint8Array {
    const before = this.#key;
    this.#key = this.#sync.hkdf(secret, before, concat(infos[this.#direction].epoch, this.#th3), HASH);
    before.fill(0);
    secret.fill(0);
    return innerKeys(this.#sync, this.#direction, this.#key, this.#th3);
  }

  forget(): void {
    this.#key.fill(0);
  }
}

/** The RSA keys of a logged-in link's two sides, as one of them has them. */
export interface EpochKeys {
  /** 256 bytes: the modulus to which this side seals its blocks */
  readonly theirs: Uint8Array;
  /** The secret of a block from the other side, sealed under the label "epoch"; undefined where it does not open. */
  open(block: Uint8Array): Promise<Uint8Array | undefined>;
}

/** What epochs need of whoever has the connection. */
export interface EpochHost {
  /** ms on a clock that is never set */
  elapsed(): number;
  /** A block is being opened: what is read meanwhile only waits. */
  hold(held: boolean): void;
  /** The block did not open, or a frame that waited behind it. The connection is over. */
  refused(cause?: unknown): void;
}

/** What both directions of a link start from when the login is finished. */
export interface EpochStart {
  readonly keys: EpochKeys;
  readonly host: EpochHost;
  /** Frames that this side seals under one key at most: from 1,024 to 2^20. */
  readonly frames?: number;
}

export class SendEpochs {
  readonly #sync: SyncCrypto;
  readonly #chain: Chain;
  readonly #start: EpochStart;
  readonly #frames: number;
  #since: number;

  constructor(sync: SyncCrypto, direction: Direction, ck3: Uint8Array, th3: Uint8Array, start: EpochStart) {
    this.#sync = sync;
    this.#chain = new Chain(sync, direction, ck3, th3);
    this.#start = start;
    this.#frames = start.frames ?? FRAMES_PER_KEY;
    if (this.#frames < EPOCH_ACCEPT_FRAMES || this.#frames > FRAMES_PER_KEY)
      throw new RangeError('epoch: a key seals 1,024 to 2^20 frames');
    this.#since = start.host.elapsed();
  }

  /**
   * Whether the next frame brings a block.
   * @param sequence of that frame under the key in use
   * @param startsBatch the clock is read for these frames alone
   */
  isDue(sequence: number, startsBatch: boolean): boolean {
    return sequence >= this.#frames - 1 || (startsBatch && this.#start.host.elapsed() - this.#since >= EPOCH_MS);
  }

  /** The block for the next frame's slot, and the inner keys for the frames behind it. */
  next(): { readonly block: Uint8Array; readonly keys: Uint8Array } {
    const secret = this.#sync.random(RANDOM);
    const block = this.#sync.oaepSeal(this.#start.keys.theirs, Label.epoch, secret);
    this.#since = this.#start.host.elapsed();
    return { block, keys: this.#chain.next(secret) };
  }

  forget(): void {
    this.#chain.forget();
  }
}

export class ReceiveEpochs {
  readonly #chain: Chain;
  readonly #keys: EpochKeys;
  readonly #elapsed: () => number;
  readonly host: EpochHost;
  #since: number;

  constructor(sync: SyncCrypto, direction: Direction, ck3: Uint8Array, th3: Uint8Array, start: EpochStart) {
    this.#chain = new Chain(sync, direction, ck3, th3);
    this.#keys = start.keys;
    this.host = start.host;
    this.#elapsed = () => start.host.elapsed();
    this.#since = this.#elapsed();
  }

  /** ms for which the key in use has been in use. */
  age(): number {
    return this.#elapsed() - this.#since;
  }

  /** A frame with a block was authentic: its key's time is over, whenever the block is open. */
  turn(): void {
    this.#since = this.#elapsed();
  }

  /** The inner keys behind a block, or undefined where it does not hold a secret. */
  async open(block: Uint8Array): Promise<Uint8Array | undefined> {
    const secret = await this.#keys.open(block);
    return secret?.length === RANDOM ? this.#chain.next(secret) : undefined;
  }

  forget(): void {
    this.#chain.forget();
  }
}

/** Whether a frame may come without a block, or with one. `sequence` counts from 0, `age` is in ms. */
export function mayStay(sequence: number, age: number): boolean {
  return sequence < FRAMES_PER_KEY - 1 && age < EPOCH_CLOSE_MS;
}
export function mayTurn(sequence: number, age: number): boolean {
  return sequence >= EPOCH_ACCEPT_FRAMES - 1 || age >= EPOCH_ACCEPT_MS;
}
