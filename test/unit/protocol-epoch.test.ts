/** Epochs of a link: fresh keys in the midst of frames, each direction for itself (SPEC 5.5). */
import { test } from 'tap';
import {
  EPOCH_ACCEPT_FRAMES,
  EPOCH_ACCEPT_MS,
  EPOCH_CLOSE_MS,
  EPOCH_MS,
  FRAME,
  FRAMES_PER_KEY,
  hex,
  RSA_BLOCK,
  Session,
  STRUCT,
  type EpochStart,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { epochs } from '../support/epochs.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const keys = await readTestKeys();
const some = (what: string, length: number): Uint8Array => new Seeded(`epoch ${what}`).bytes(length);
const struct = some('struct', STRUCT);
const [secret, th3, b2, b1] = [some('secret', 96), some('th3', 32), some('b2', 256), some('b1', 256)];

interface End {
  readonly session: Session;
  readonly got: string[];
  opened: number;
  held: boolean;
  holds: number;
  refused: unknown[];
  frames: number;
  each: (struct: Uint8Array) => boolean;
}

/** Both ends of a logged-in link on one clock. */
class Pair {
  now = 0;
  readonly client: End;
  readonly daemon: End;

  constructor(
    frames: { client?: number; daemon?: number } = {},
    sync: SyncCrypto = nodeSync,
    start?: Partial<EpochStart>,
  ) {
    this.client = this.#end('client', keys.server, keys.recipientEnc, frames.client, sync, start);
    this.daemon = this.#end('daemon', keys.recipientEnc, keys.server, frames.daemon, sync, start);
  }

  #end(
    role: 'client' | 'daemon',
    theirs: NodeRsaPrivate,
    own: NodeRsaPrivate,
    frames: number | undefined,
    sync: SyncCrypto,
    start: Partial<EpochStart> = {},
  ): End {
    const session = new Session(sync, role, some('ck2', 32), some('th2', 32), b1);
    const got: string[] = [];
    const end: End = {
      session,
      got,
      opened: 0,
      held: false,
      holds: 0,
      refused: [],
      frames: 0,
      each: (one) => {
        end.frames++;
        if (got.length < 4096) got.push(hex(one.subarray(0, 4)));
        return true;
      },
    };
    const more = {
      elapsed: () => this.now,
      hold: (held: boolean) => {
        end.held = held;
        if (held) end.holds++;
      },
      refused: (cause: unknown) => end.refused.push(cause),
      opened: () => {
        end.opened++;
      },
      ...(frames ? { frames } : {}),
    };
    session.authenticated(secret, th3, b2, { ...epochs(theirs, own, more), ...start });
    return end;
  }
}

/** What a struct says of its number. */
const number = (i: number): string => hex(Uint8Array.of(i >>> 24, i >>> 16, i >>> 8, i));

function add(end: End, from: number, count: number): Uint8Array {
  const one = struct.slice();
  for (let i = from; i < from + count; i++) {
    one.set([i >>> 24, i >>> 16, i >>> 8, i]);
    end.session.send.add(one);
  }
  return end.session.send.take();
}

/** Until what was held is opened. */
async function settled(end: End): Promise<void> {
  while (end.held && end.refused.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('a block comes with the frame that is due, and what is behind it waits for it', async (t) => {
  const { client, daemon } = new Pair({ client: EPOCH_ACCEPT_FRAMES });
  const all = add(client, 0, EPOCH_ACCEPT_FRAMES + 40);
  t.ok(daemon.session.receive.push(all, daemon.each));
  t.equal(daemon.frames, EPOCH_ACCEPT_FRAMES, 'the frame with the block is the last before');
  t.ok(daemon.held, 'reading stops');
  t.ok(daemon.session.receive.push(add(client, EPOCH_ACCEPT_FRAMES + 40, 10).subarray(0, 5 * FRAME + 7), daemon.each));
  t.equal(daemon.frames, EPOCH_ACCEPT_FRAMES, 'and what comes all the same waits');
  await settled(daemon);
  t.equal(daemon.frames, EPOCH_ACCEPT_FRAMES + 45);
  t.equal(daemon.got.at(-1), number(EPOCH_ACCEPT_FRAMES + 44), 'in order');
  t.equal(daemon.opened, 1);
  t.same(daemon.refused, []);
});

test('a thousand epochs in both directions at once lose nothing', async (t) => {
  const FRAMES = 520_000;
  const { client, daemon } = new Pair({ client: EPOCH_ACCEPT_FRAMES, daemon: EPOCH_ACCEPT_FRAMES }, cheap());
  const draw = new Seeded('crossing');
  let [up, down] = [0, 0];
  let [inOrderUp, inOrderDown] = [0, 0];
  const counting =
    (next: () => number) =>
    (one: Uint8Array): boolean =>
      new DataView(one.buffer, one.byteOffset).getUint32(0) === next();
  const eachUp = counting(() => inOrderUp++);
  const eachDown = counting(() => inOrderDown++);
  while (up < FRAMES || down < FRAMES) {
    const [a, b] = [1 + draw.below(900), 1 + draw.below(900)];
    const [toDaemon, toClient] = [add(client, up, a), add(daemon, down, b)];
    up += a;
    down += b;
    if (!daemon.session.receive.push(toDaemon, eachUp) || !client.session.receive.push(toClient, eachDown)) break;
    if (draw.below(4) === 0) await Promise.all([settled(daemon), settled(client)]);
  }
  await Promise.all([settled(daemon), settled(client)]);
  t.equal(inOrderUp, up);
  t.equal(inOrderDown, down);
  t.equal(daemon.opened + client.opened, Math.floor(up / EPOCH_ACCEPT_FRAMES) + Math.floor(down / EPOCH_ACCEPT_FRAMES));
  t.ok(daemon.opened + client.opened > 1_000, String(daemon.opened + client.opened));
  t.same([...daemon.refused, ...client.refused], []);
});

/** Real blocks and real key derivation; frames are only copied, with a check of key, number and slot. */
function cheap(): SyncCrypto {
  return {
    ...nodeSync,
    keystream: () => (chunk) => chunk.slice(),
    aead: (key) => {
      const mark = Buffer.from(nodeSync.sha256(key)).readUInt32BE(0);
      const word = (bytes: Uint8Array, at: number): number =>
        ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      const tag = (nonce: Uint8Array, slot: Uint8Array): number => mark ^ word(nonce, 8) ^ word(slot, 100);
      return {
        seal: (nonce, slot, plain, out, at) => {
          out.set(plain, at);
          const value = tag(nonce, slot);
          for (let i = 0; i < 4; i++) out[at + STRUCT + i] = value >>> (24 - 8 * i);
        },
        open: (nonce, slot, sealed) =>
          word(sealed, STRUCT) === tag(nonce, slot) ? sealed.subarray(0, STRUCT) : undefined,
      };
    },
  };
}

test('an idle hour: the next frame brings a block, whenever it comes', async (t) => {
  const pair = new Pair();
  const { client, daemon } = pair;
  for (const [round, ms] of [EPOCH_MS, 5 * EPOCH_MS, EPOCH_MS].entries()) {
    t.ok(daemon.session.receive.push(add(client, 2 * round, 1), daemon.each));
    t.equal(daemon.opened, round, 'not before');
    pair.now += ms;
    t.ok(daemon.session.receive.push(add(client, 2 * round + 1, 1), daemon.each));
    await settled(daemon);
    t.equal(daemon.opened, round + 1);
  }
  t.equal(daemon.frames, 6);
  pair.now += EPOCH_MS - 1;
  t.ok(daemon.session.receive.push(add(client, 6, 1), daemon.each));
  t.equal(daemon.opened, 3, 'each key has an hour of its own');
});

test('a direction turns alone, and crossing turns do not disturb each other', async (t) => {
  const pair = new Pair();
  const { client, daemon } = pair;
  pair.now += EPOCH_MS;
  const [up, down] = [add(client, 0, 3), add(daemon, 0, 3)];
  t.ok(daemon.session.receive.push(up, daemon.each));
  t.ok(client.session.receive.push(down, client.each));
  t.ok(daemon.held && client.held);
  await Promise.all([settled(daemon), settled(client)]);
  t.same([daemon.frames, client.frames, daemon.opened, client.opened], [3, 3, 1, 1]);
  t.ok(daemon.session.receive.push(add(client, 3, 1), daemon.each));
  t.ok(client.session.receive.push(add(daemon, 3, 1), client.each));
  t.equal(daemon.got.at(-1), number(3));
});

test('too early: closed before any operation with the private key', (t) => {
  const eager = new Pair();
  const hasty = new Pair();
  hasty.now = EPOCH_MS;
  const early = add(hasty.client, 0, 1);
  eager.now = EPOCH_ACCEPT_MS - 1;
  t.notOk(eager.daemon.session.receive.push(early, eager.daemon.each));
  t.same([eager.daemon.frames, eager.daemon.opened], [0, 0]);
  const due = new Pair();
  due.now = EPOCH_ACCEPT_MS;
  t.ok(due.daemon.session.receive.push(early, due.daemon.each), 'a little later it is right');
  t.end();
});

test('a key that is too old, or has sealed too much, opens nothing without a block', (t) => {
  const pair = new Pair();
  const frame = add(pair.client, 0, 1);
  pair.now = EPOCH_CLOSE_MS;
  t.notOk(pair.daemon.session.receive.push(frame, pair.daemon.each));
  const just = new Pair();
  const other = add(just.client, 0, 1);
  just.now = EPOCH_CLOSE_MS - 1;
  t.ok(just.daemon.session.receive.push(other, just.daemon.each));
  t.end();
});

test('the frame that is number 2^20 brings the block', async (t) => {
  const { client, daemon } = new Pair({}, cheap());
  const BATCH = 1024;
  for (let i = 0; i < FRAMES_PER_KEY; i += BATCH) {
    if (daemon.opened > 0) break;
    if (!daemon.session.receive.push(add(client, 0, BATCH), daemon.each)) break;
  }
  t.equal(daemon.frames, FRAMES_PER_KEY);
  await settled(daemon);
  t.equal(daemon.opened, 1);
  t.ok(daemon.session.receive.push(add(client, 7, 1), daemon.each), 'and the link goes on');
  t.equal(daemon.frames, FRAMES_PER_KEY + 1);
});

test('a sender without blocks is closed at frame 2^20', (t) => {
  const daemon = new Pair({}, cheap()).daemon;
  /* As a client of an older protocol would: the same keys, no epochs. */
  const crypto = cheap();
  const ck3 = crypto.hkdf(secret, some('ck2', 32), Buffer.concat([Buffer.from('cadenas/1 ck3'), th3]), 32);
  const inner = crypto.hkdf(ck3, th3, Buffer.from('cadenas/1 c2s inner'), 28);
  const aead = crypto.aead(inner.subarray(0, 16));
  const frame = new Uint8Array(FRAME);
  frame.set(b1);
  const nonce = inner.slice(16);
  for (let i = 0; i < FRAMES_PER_KEY; i++) {
    const own = nonce.slice();
    for (let j = 0; j < 4; j++) own[11 - j] = (own[11 - j] ?? 0) ^ ((i >>> (8 * j)) & 0xff);
    aead.seal(own, b1, struct, frame, RSA_BLOCK);
    if (!daemon.session.receive.push(frame, daemon.each)) break;
  }
  t.equal(daemon.frames, FRAMES_PER_KEY - 1);
  t.end();
});

test('a block that does not open, is damaged or says too little ends the link', async (t) => {
  const refusing: Record<string, Partial<EpochStart>> = {
    'another key': { keys: { ...epochs(keys.senderEnc, keys.server).keys, open: () => Promise.resolve(undefined) } },
    'a short secret': { keys: { theirs: keys.server.modulus, open: () => Promise.resolve(new Uint8Array(31)) } },
    'a failing worker': { keys: { theirs: keys.server.modulus, open: () => Promise.reject(new Error('worker')) } },
  };
  for (const [what, start] of Object.entries(refusing)) {
    const pair = new Pair({}, nodeSync, start);
    pair.now = EPOCH_MS;
    t.ok(pair.daemon.session.receive.push(add(pair.client, 0, 3), pair.daemon.each));
    await settled(pair.daemon);
    t.equal(pair.daemon.refused.length, 1, what);
    t.equal(pair.daemon.frames, 1, 'nothing behind the block is looked at');
    t.equal(pair.daemon.refused[0] instanceof Error, what === 'a failing worker');
  }
  for (const at of [0, 100, RSA_BLOCK - 1]) {
    const pair = new Pair();
    pair.now = EPOCH_MS;
    const bytes = add(pair.client, 0, 1).slice();
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    t.notOk(pair.daemon.session.receive.push(bytes, pair.daemon.each), `byte ${String(at)} of the slot flipped`);
    t.equal(pair.daemon.opened, 0, 'no operation with the private key for what is not authentic');
  }
});

test('a frame that was held and does not open ends the link', async (t) => {
  const pair = new Pair();
  pair.now = EPOCH_MS;
  const bytes = add(pair.client, 0, 4).slice();
  bytes[2 * FRAME + 1000] = (bytes[2 * FRAME + 1000] ?? 0) ^ 1;
  t.ok(pair.daemon.session.receive.push(bytes, pair.daemon.each));
  await settled(pair.daemon);
  t.equal(pair.daemon.refused.length, 1);
  t.equal(pair.daemon.frames, 2);
});

test('the old key opens nothing behind a block, and an old block is no new one', async (t) => {
  const pair = new Pair();
  pair.now = EPOCH_MS;
  const turn = add(pair.client, 0, 1);
  t.ok(pair.daemon.session.receive.push(turn, pair.daemon.each));
  await settled(pair.daemon);
  t.notOk(pair.daemon.session.receive.push(turn, pair.daemon.each), 'the frame with the block again');
});

test('a link that ended meanwhile opens nothing more', async (t) => {
  const pair = new Pair();
  pair.now = EPOCH_MS;
  t.ok(pair.daemon.session.receive.push(add(pair.client, 0, 3), pair.daemon.each));
  pair.daemon.session.forget();
  await new Promise((resolve) => setImmediate(resolve)); // the block is open by then
  t.equal(pair.daemon.frames, 1);
  t.same(pair.daemon.refused, []);
  t.notOk(pair.daemon.session.receive.push(add(pair.client, 3, 1), pair.daemon.each));
});

test('a handler that stops inside what was held', async (t) => {
  const pair = new Pair();
  pair.now = EPOCH_MS;
  let seen = 0;
  t.ok(pair.daemon.session.receive.push(add(pair.client, 0, 4), () => ++seen < 2));
  await settled(pair.daemon);
  t.equal(seen, 2);
  t.equal(pair.daemon.refused.length, 1, 'its host knows already');
});

test('limits that are none', (t) => {
  for (const frames of [1, EPOCH_ACCEPT_FRAMES - 1, FRAMES_PER_KEY + 1])
    t.throws(() => new Pair({ client: frames }), RangeError);
  t.end();
});
