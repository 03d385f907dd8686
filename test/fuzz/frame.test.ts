/**
 * Streams of DATA frames in the hands of somebody on the path, who may also know the outer key: frames cut, flipped,
 * dropped, replayed, swapped, reflected, made up. What is delivered is an unbroken beginning of what was sent, to the
 * byte, and the first frame that is another closes the connection (SPEC 5).
 */
import { createDecipheriv } from 'node:crypto';
import {
  concat,
  copy,
  FRAME,
  hex,
  ReceiveEpochs,
  ReceiveSide,
  RSA_BLOCK,
  samePublic,
  SendEpochs,
  SendSide,
  STRUCT,
  TAG,
  type InnerKeys,
  type OuterKeys,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { findsBug, fuzz, must, sound, type Case } from '../support/fuzz.js';
import { noise } from './struct-draws.js';

interface Keys {
  readonly outer: OuterKeys;
  readonly inner: InnerKeys;
  readonly slot: Uint8Array;
}
type Receiver = Pick<ReceiveSide, 'push' | 'rekey'>;

interface Subject {
  readonly crypto: SyncCrypto;
  readonly receiver: (crypto: SyncCrypto, keys: Keys) => Receiver;
  /** The keys of the two directions. */
  readonly keys: (draws: Draws) => readonly [Keys, Keys];
  /** What the receiver has of the clock. */
  readonly clock: (ms: number) => number;
  /** What opening gives for a block that holds no secret. */
  readonly unopened: Uint8Array | undefined;
}

const drawKeys = (draws: Draws): Keys => ({
  outer: noise(draws, 32),
  inner: noise(draws, 28),
  slot: noise(draws, RSA_BLOCK),
});

const product: Subject = {
  crypto: nodeSync,
  receiver: (crypto, { outer, inner, slot }) => new ReceiveSide(crypto, outer, inner, slot),
  keys: (draws) => [drawKeys(draws), drawKeys(draws)],
  clock: (ms) => ms,
  unopened: undefined,
};

const MINUTE = 60_000;
const [ck3, th3] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

/** Blocks that open without RSA: who seals one puts its secret on record. */
class Blocks {
  readonly #draws: Draws;
  readonly #secrets = new Map<string, Uint8Array>();
  made = 0;
  constructor(draws: Draws) {
    this.#draws = draws;
  }
  readonly seal = (_modulus: Uint8Array, _label: Uint8Array, secret: Uint8Array): Uint8Array => {
    const block = noise(this.#draws, RSA_BLOCK);
    this.made++;
    if (!this.#draws.chance(0.1)) this.#secrets.set(hex(block), copy(secret));
    return block;
  };
  secret(block: Uint8Array): Uint8Array | undefined {
    const secret = this.#secrets.get(hex(block));
    return secret && copy(secret);
  }
}

interface Sent {
  readonly stream: Uint8Array;
  /** Of each frame: when it arrives, on the receiver's clock, and the block that it brings. */
  readonly at: readonly number[];
  readonly blocks: readonly (Uint8Array | undefined)[];
}

/**
 * Frames as sent; from frame `switched` on with epochs, as after a login. Time goes by between them, for the receiver
 * not always the same.
 */
function send(
  crypto: SyncCrypto,
  keys: Keys,
  next: Keys,
  structs: readonly Uint8Array[],
  switched: number,
  draws: Draws,
  blocks: Blocks,
): Sent {
  const sealing = { ...crypto, oaepSeal: blocks.seal };
  const side = new SendSide(sealing, keys.outer, keys.inner, keys.slot);
  const clear = crypto.keystream(keys.outer.subarray(0, 16), keys.outer.subarray(16));
  let [own, theirs] = [0, 0];
  const host = { elapsed: () => own, hold: () => undefined, refused: () => undefined };
  const opens = { theirs: new Uint8Array(256), open: () => Promise.resolve(undefined) };
  const at: number[] = [];
  const brought: (Uint8Array | undefined)[] = [];
  const writes: Uint8Array[] = [];
  const patient = draws.chance(0.5);
  for (const [n, struct] of structs.entries()) {
    if (n === switched)
      side.rekey(next.inner, next.slot, new SendEpochs(sealing, 'c2s', ck3, th3, { keys: opens, host }));
    const pause = patient ? draws.pick([0, 1, 30, 54, 55, 59, 60, 61, 69, 70, 75]) * MINUTE : 0;
    own += pause;
    theirs += Math.max(0, pause + draws.pick([0, 0, 0, 0, -1, 1, -6, 9, -MINUTE]) * (patient ? MINUTE : 0));
    at.push(theirs);
    const made = blocks.made;
    side.add(struct);
    const write = side.take();
    writes.push(write);
    brought.push(blocks.made > made ? clear(write).slice(0, RSA_BLOCK) : (clear(write), undefined));
  }
  return { stream: concat(...writes), at, blocks: brought };
}

const framesOf = (stream: Uint8Array): Uint8Array[] =>
  Array.from({ length: stream.length / FRAME }, (_, n) => stream.slice(n * FRAME, (n + 1) * FRAME));

/** Changes whole frames: what somebody does who knows where they begin, and maybe what is under the keystream. */
function disturb(draws: Draws, frames: Uint8Array[], other: readonly Uint8Array[]): void {
  const at = draws.below(frames.length);
  const frame = frames[at];
  if (!frame) return;
  switch (draws.below(8)) {
    case 0: {
      const where = draws.pick([
        0,
        RSA_BLOCK - 1,
        RSA_BLOCK,
        FRAME - TAG - 1,
        FRAME - TAG,
        FRAME - 1,
        draws.below(FRAME),
      ]);
      frame[where] = (frame[where] ?? 0) ^ (1 << draws.below(8));
      return;
    }
    case 1:
      frames.splice(at, 1 + draws.below(2));
      return;
    case 2: // again, at once or later
      frames.splice(at + draws.below(frames.length - at) + 1, 0, frame.slice());
      return;
    case 3: {
      const with_ = draws.below(frames.length);
      [frames[at], frames[with_]] = [frames[with_] ?? frame, frame];
      return;
    }
    case 4: // the other direction's, in its place or between
      frames.splice(at, draws.below(2), draws.pick(other).slice());
      return;
    case 5: // the slot of one, what is sealed of another
      frame.set(draws.pick(frames).subarray(0, RSA_BLOCK));
      return;
    case 6:
      frames.splice(at, draws.below(2), noise(draws, FRAME));
      return;
    default:
      frame.set(draws.pick(frames).subarray(RSA_BLOCK), RSA_BLOCK);
  }
}

/** Changes bytes wherever they are: what somebody does who sees only a stream. */
function cutAbout(draws: Draws, stream: Uint8Array): Uint8Array {
  const at = draws.below(stream.length);
  switch (draws.below(4)) {
    case 0:
      return stream.subarray(0, at);
    case 1:
      return concat(stream.subarray(0, at), stream.subarray(at + 1 + draws.below(40)));
    case 2:
      return concat(stream.subarray(0, at), noise(draws, 1 + draws.below(40)), stream.subarray(at));
    default:
      stream[at] = (stream[at] ?? 0) ^ (1 + draws.below(255));
      return stream;
  }
}

function chunksOf(draws: Draws, stream: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const length = draws.pick([0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, draws.below(3 * FRAME)]);
    chunks.push(stream.slice(at, at + length));
    at += length;
  }
  return chunks;
}

const same = (one: Uint8Array, other: Uint8Array, n: number): boolean =>
  samePublic(one.subarray(n * FRAME, (n + 1) * FRAME), other.subarray(n * FRAME, (n + 1) * FRAME));

/** SPEC 5.5: whether a frame of few before it under its key may come, with a block or without. `age` in ms. */
const mayCome = (brings: boolean, age: number): boolean => (brings ? age >= 55 * MINUTE : age < 70 * MINUTE);

function arrives({ crypto, receiver, keys, clock, unopened }: Subject): Case {
  return async (draws) => {
    const [own, back] = keys(draws);
    const next = { ...own, inner: noise(draws, 28), slot: draws.chance(0.5) ? own.slot : noise(draws, RSA_BLOCK) };
    const structs = Array.from({ length: 1 + draws.below(7) }, () => noise(draws, STRUCT));
    const switched = draws.below(2 * structs.length);
    const blocks = new Blocks(draws);
    const sent = send(crypto, own, next, structs, switched, draws, blocks);
    const others = [noise(draws, STRUCT), noise(draws, STRUCT)];
    const other = framesOf(send(crypto, back, back, others, -1, draws, blocks).stream);

    /* Under the keystream first, then above it. */
    const mask = (frames: readonly Uint8Array[], { outer }: Keys): Uint8Array[] =>
      framesOf(crypto.keystream(outer.subarray(0, 16), outer.subarray(16))(concat(...frames)));
    const clear = mask(framesOf(sent.stream), own);
    if (draws.chance(0.5)) disturb(draws, clear, mask(other, back));
    const masked = mask(clear, own);
    if (draws.chance(0.2) && masked.length > 0) disturb(draws, masked, other);
    let stream = concat(...masked);
    if (draws.chance(0.2) && stream.length > 0) stream = cutAbout(draws, stream);

    /* What SPEC 5 says that comes of it, chunk by chunk. */
    let now = 0;
    let since = 0;
    let due = 0;
    const spec = { over: false };
    const expect = (n: number): void => {
      if (spec.over) return;
      const brings = sent.blocks[n];
      spec.over =
        n >= structs.length ||
        !same(stream, sent.stream, n) ||
        (n >= switched && !mayCome(brings !== undefined, now - since));
      if (spec.over) return;
      due++;
      if (due === switched || brings) since = now;
      if (brings && blocks.secret(brings) === undefined) spec.over = true;
    };

    const side = receiver(crypto, own);
    const link = { refused: false, held: false };
    const host = {
      elapsed: () => clock(now),
      hold: (on: boolean) => {
        link.held = on;
      },
      refused: () => {
        link.refused = true;
      },
    };
    const opens = {
      theirs: new Uint8Array(256),
      open: (block: Uint8Array) => Promise.resolve(blocks.secret(block) ?? unopened),
    };
    const turn = (): void => {
      side.rekey(next.inner, next.slot, new ReceiveEpochs(crypto, 'c2s', ck3, th3, { keys: opens, host }));
    };
    let got = 0;
    if (switched === 0) turn();
    const each = (struct: Uint8Array): boolean => {
      must(got < due, () => `${String(got + 1)} structs are delivered of ${String(due)}`);
      must(samePublic(struct, structs[got] ?? new Uint8Array(0)), `struct ${String(got)} is another than was sent`);
      if (++got === switched) turn();
      return true;
    };
    let pushed = 0;
    for (const chunk of chunksOf(draws, stream)) {
      const whole = Math.floor(pushed / FRAME);
      pushed += chunk.length;
      now = Math.max(now, sent.at[Math.min(Math.ceil(pushed / FRAME), sent.at.length) - 1] ?? 0);
      for (let n = whole; n < Math.floor(pushed / FRAME); n++) expect(n);
      const open = sound('push', () => side.push(chunk, each));
      if (!open) link.refused = true;
      while (link.held && !link.refused) await new Promise<void>((resolve) => setImmediate(resolve));
      must(got === due, () => `${String(got)} structs are delivered of ${String(due)}`);
      must(
        link.refused === spec.over,
        link.refused ? 'sound frames close the connection' : 'a bad frame leaves the connection open',
      );
      if (spec.over) return;
    }
  };
}

fuzz('an unbroken beginning arrives, and the first bad frame or block closes', 15_000, arrives(product));

fuzz('whoever takes a struct may end the connection with it', 500, (draws) => {
  const [own] = product.keys(draws);
  const structs = Array.from({ length: 5 }, () => noise(draws, STRUCT));
  const last = draws.below(5);
  const side = product.receiver(nodeSync, own);
  let got = 0;
  const { stream } = send(nodeSync, own, own, structs, -1, draws, new Blocks(draws));
  const open = side.push(stream, () => got++ < last);
  must(!open && got === last + 1, `${String(got)} structs are delivered, ${String(last + 1)} were taken`);
});

// ---- the fuzzer sees what it is for

const withCrypto = (aead: SyncCrypto['aead']): Subject => ({ ...product, crypto: { ...nodeSync, aead } });
const still = new Uint8Array(12);

const bugs: Readonly<Record<string, Subject>> = {
  'tags are not looked at': withCrypto((key) => ({
    ...nodeSync.aead(key),
    open: (nonce, _aad, sealed) =>
      createDecipheriv('aes-128-gcm', key, nonce).update(sealed.subarray(0, sealed.length - TAG)),
  })),
  'the sequence number stands still': withCrypto((key) => {
    const aead = nodeSync.aead(key);
    return {
      seal: (_nonce, aad, plain, out, at) => {
        aead.seal(still, aad, plain, out, at);
      },
      open: (_nonce, aad, sealed) => aead.open(still, aad, sealed),
    };
  }),
  'both directions have the same keys': { ...product, keys: (draws) => Array(2).fill(drawKeys(draws)) as [Keys, Keys] },
  'a byte that comes alone is lost': {
    ...product,
    receiver: (crypto, keys) => {
      const side = product.receiver(crypto, keys);
      return {
        rekey: (...of) => {
          side.rekey(...of);
        },
        push: (chunk, each) => chunk.length === 1 || side.push(chunk, each),
      };
    },
  },
  'what comes in one chunk with a bad frame is lost with it': {
    ...product,
    receiver: (crypto, keys) => {
      const side = product.receiver(crypto, keys);
      return {
        rekey: (...of) => {
          side.rekey(...of);
        },
        push: (chunk, each) => {
          const got: Uint8Array[] = [];
          const open = side.push(chunk, (struct) => got.push(struct) > 0);
          return open && got.every(each);
        },
      };
    },
  },
  'a receiver’s clock stands still': { ...product, clock: () => 0 },
  'a receiver’s clock is twice as fast': { ...product, clock: (ms) => 2 * ms },
  'a block that does not open is zeros': { ...product, unopened: new Uint8Array(32) },
};
for (const [name, subject] of Object.entries(bugs)) findsBug(name, 5_000, arrives(subject));
