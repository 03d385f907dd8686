/** DATA frames: sealing and opening, however they are cut, and everything that must close the connection (SPEC 5). */
import { test } from 'tap';
import {
  FRAME,
  FRAMES_PER_KEY,
  ReceiveSide,
  RSA_BLOCK,
  SendSide,
  STRUCT,
  TAG,
  hex,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { Seeded } from '../vectors/seeded.js';

const some = (what: string, length: number): Uint8Array => new Seeded(`frame ${what}`).bytes(length);
const struct = (i: number): Uint8Array => some(`struct ${String(i)}`, STRUCT);
const slot = some('slot', RSA_BLOCK);
const [outer, inner] = [some('outer', 32), some('inner', 28)];

const sender = (): SendSide => new SendSide(nodeSync, outer, inner, slot);
const receiver = (): ReceiveSide => new ReceiveSide(nodeSync, outer, inner, slot);

function sealed(count: number): Uint8Array {
  const send = sender();
  for (let i = 0; i < count; i++) send.add(struct(i));
  return send.take();
}

/** What arrives, as hexadecimal, and whether all was sound. */
function open(receive: ReceiveSide, ...chunks: readonly Uint8Array[]): { sound: boolean; got: string[] } {
  const got: string[] = [];
  const sound = chunks.every((chunk) => receive.push(chunk, (one) => got.push(hex(one)) > 0));
  return { sound, got };
}
const expected = (count: number): string[] => Array.from({ length: count }, (_, i) => hex(struct(i)));
const frameOf = (bytes: Uint8Array, i: number): Uint8Array => bytes.subarray(i * FRAME, (i + 1) * FRAME);

test('frames arrive however they are cut', (t) => {
  const bytes = sealed(5);
  t.equal(bytes.length, 5 * FRAME);
  t.same(open(receiver(), bytes), { sound: true, got: expected(5) }, 'in one chunk');
  t.same(
    open(receiver(), ...Array.from(bytes, (byte) => Uint8Array.of(byte))),
    { sound: true, got: expected(5) },
    'byte by byte',
  );
  const seeded = new Seeded('cuts');
  for (let round = 0; round < 20; round++) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = seeded.below(3 * FRAME);
      chunks.push(bytes.subarray(at, at + length));
      at += length;
    }
    t.same(open(receiver(), ...chunks), { sound: true, got: expected(5) }, `${String(chunks.length)} chunks`);
  }
  t.end();
});

test('many batches keep one keystream, and a large one does not keep its memory', (t) => {
  const [send, receive] = [sender(), receiver()];
  const got: string[] = [];
  let sent = 0;
  for (const batch of [1, 0, 3, 100, 1]) {
    for (let i = 0; i < batch; i++) send.add(struct(sent++));
    t.equal(send.pending, batch * FRAME);
    t.ok(receive.push(send.take(), (one) => got.push(hex(one)) > 0));
    t.equal(send.pending, 0);
  }
  t.same(got, expected(sent));
  t.end();
});

test('a flipped bit anywhere closes, and nothing behind it is looked at', (t) => {
  const bytes = sealed(3);
  for (const at of [0, RSA_BLOCK - 1, RSA_BLOCK, 1000, FRAME - TAG, FRAME - 1]) {
    const damaged = bytes.slice();
    damaged[FRAME + at] = (damaged[FRAME + at] ?? 0) ^ 0x10;
    t.same(open(receiver(), damaged), { sound: false, got: expected(1) }, `byte ${String(at)} of the second frame`);
  }
  t.end();
});

test('a frame replayed, left out, put first or cut short closes', (t) => {
  const bytes = sealed(3);
  const [first, second, third] = [0, 1, 2].map((i) => frameOf(bytes, i)) as [Uint8Array, Uint8Array, Uint8Array];
  t.same(open(receiver(), first, first), { sound: false, got: expected(1) }, 'replayed');
  t.same(open(receiver(), first, third), { sound: false, got: expected(1) }, 'left out');
  t.same(open(receiver(), second, first), { sound: false, got: [] }, 'reordered');
  t.same(open(receiver(), first, second.subarray(1), third), { sound: false, got: expected(1) }, 'one byte lost');
  t.end();
});

test('a frame sent back to its sender closes', (t) => {
  const back = new ReceiveSide(nodeSync, some('outer back', 32), some('inner back', 28), slot);
  t.same(open(back, sealed(1)), { sound: false, got: [] });
  t.end();
});

/** A sender that has the keys and seals another slot: what a new epoch would look like. */
test('before a login another slot closes though it is sealed rightly', (t) => {
  const send = new SendSide(nodeSync, outer, inner, some('other slot', RSA_BLOCK));
  send.add(struct(0));
  t.same(open(receiver(), send.take()), { sound: false, got: [] });
  t.end();
});

test('a handler that says stop gets no further frame', (t) => {
  let seen = 0;
  const sound = receiver().push(sealed(3), () => ++seen < 2);
  t.equal(sound, false);
  t.equal(seen, 2);
  t.end();
});

test('only whole structs are sealed', (t) => {
  t.throws(() => {
    sender().add(new Uint8Array(STRUCT - 1));
  }, RangeError);
  t.end();
});

/** Both ports' real work left out: what remains is the counting. The nonces are kept to see that none comes twice. */
function counting(nonces: Set<string>): SyncCrypto {
  return {
    ...nodeSync,
    keystream: () => (chunk) => chunk.slice(),
    aead: () => ({
      seal: (nonce) => {
        nonces.add(Buffer.from(nonce).toString('latin1'));
      },
      open: () => none,
    }),
  };
}
const none = new Uint8Array(STRUCT);

test('before a login a key seals and opens 2^20 frames, each with its own nonce, and then no more', (t) => {
  const nonces = new Set<string>();
  const crypto = counting(nonces);
  const send = new SendSide(crypto, outer, inner, slot);
  const receive = new ReceiveSide(crypto, outer, inner, slot);
  const BATCH = 64;
  let opened = 0;
  for (let i = 0; i < FRAMES_PER_KEY; i += BATCH) {
    for (let j = 0; j < BATCH; j++) send.add(none);
    if (!receive.push(send.take(), () => ++opened > 0)) break;
  }
  t.equal(opened, FRAMES_PER_KEY);
  t.equal(nonces.size, FRAMES_PER_KEY);
  t.throws(() => {
    send.add(none);
  }, RangeError);
  const one = new Uint8Array(FRAME);
  one.set(slot);
  t.notOk(
    receive.push(one, () => true),
    'one frame more closes',
  );
  t.end();
});
