/** Vectors of epochs (SPEC 5.5): a link right behind its login, whose directions turn. */
import {
  concat,
  EPOCH_ACCEPT_MS,
  EPOCH_CLOSE_MS,
  EPOCH_MS,
  FRAME,
  Label,
  RSA_BLOCK,
  Session,
  structs,
  encode,
  type EpochStart,
  type Struct,
  type SyncCrypto,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Case } from './case-struct.js';
import { oaepSealWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import { privateHex, type TestKeys } from './keys.js';
import { epochSchedule } from './schedule.js';
import { fieldValues, headerFor, Seeded } from './seeded.js';

type Side = 'client' | 'daemon';

/** What both sides have when a login is finished. */
function beginning(keys: TestKeys) {
  const seeded = new Seeded('epochs');
  const [ck2, th2, b1, th3] = [seeded.bytes(32), seeded.bytes(32), seeded.bytes(256), seeded.bytes(32)];
  const [s2, opaqueSessionKey] = [seeded.bytes(32), seeded.bytes(64)];
  const b2 = oaepSealWith(seeded.bytes(32), keys.recipientEnc.modulus, Label.s2, s2);
  return { ck2, th2, b1, th3, s2, opaqueSessionKey, b2 };
}

interface Sent {
  readonly from: Side;
  /** ms since the switch to ck3, on the clocks of both */
  readonly elapsed: number;
  readonly struct: Uint8Array;
  readonly frame: Uint8Array;
  /** of a frame that turns: what came of it */
  readonly turn?: object;
}

/** One sending side with its randomness written down. */
class Sender {
  readonly #from: Side;
  readonly #session: Session;
  readonly #clock: { elapsed: number };
  readonly #drawn = new Map<string, Uint8Array>();
  readonly #schedule: ReturnType<typeof epochSchedule>;
  #count = 0;

  constructor(from: Side, keys: TestKeys, start: ReturnType<typeof beginning>, clock: { elapsed: number }) {
    this.#from = from;
    this.#clock = clock;
    const theirs = from === 'client' ? keys.server : keys.recipientEnc;
    const seeded = new Seeded(`epochs of ${from}`);
    const sync: SyncCrypto = {
      ...nodeSync,
      random: (length) => this.#draw('secret', seeded.bytes(length)),
      oaepSeal: (modulus, label, plain) =>
        this.#draw('block', oaepSealWith(this.#draw('oaepSeed', seeded.bytes(32)), modulus, label, plain)),
    };
    this.#session = new Session(sync, from, start.ck2.slice(), start.th2, start.b1);
    const epochs: EpochStart = {
      keys: { theirs: theirs.modulus, open: () => Promise.resolve(undefined) },
      host: { elapsed: () => clock.elapsed, hold: () => undefined, refused: () => undefined },
    };
    this.#session.authenticated(concat(start.s2, start.opaqueSessionKey), start.th3, start.b2, epochs);
    this.#schedule = epochSchedule(from === 'client' ? 'c2s' : 's2c', start);
  }

  #draw(what: string, bytes: Uint8Array): Uint8Array {
    this.#drawn.set(what, bytes.slice());
    return bytes;
  }

  send(struct: Struct): Sent {
    const { elapsed } = this.#clock;
    this.#drawn.clear();
    const seeded = new Seeded(`epochs of ${this.#from}, frame ${String(this.#count++)}`);
    const header = headerFor(seeded, struct);
    const bytes = encode(struct, header, fieldValues(seeded, struct.fields) as Values<Struct>);
    this.#session.send.add(bytes);
    const sent = { from: this.#from, elapsed, struct: bytes, frame: this.#session.send.take() };
    const secret = this.#drawn.get('secret');
    if (!secret) return sent;
    return { ...sent, turn: { ...Object.fromEntries(this.#drawn), ...this.#schedule(secret) } };
  }
}

function both(keys: TestKeys) {
  const start = beginning(keys);
  const clock = { elapsed: 0 };
  return {
    start,
    clock,
    client: new Sender('client', keys, start, clock),
    daemon: new Sender('daemon', keys, start, clock),
  };
}

const privates = (keys: TestKeys): object => ({
  serverPrivate: privateHex(keys.server),
  encPrivate: privateHex(keys.recipientEnc),
});

function turning(keys: TestKeys): Case {
  const { start, clock, client, daemon } = both(keys);
  const frames: Sent[] = [client.send(structs.keyq), daemon.send(structs.drnd)];
  clock.elapsed = EPOCH_MS;
  frames.push(
    client.send(structs.keyq),
    client.send(structs.quit),
    daemon.send(structs.drnd),
    daemon.send(structs.clos),
  );
  clock.elapsed = 3 * EPOCH_MS;
  frames.push(
    daemon.send(structs.drnd),
    client.send(structs.keyq),
    client.send(structs.quit),
    daemon.send(structs.clos),
  );
  const what = 'both directions turn twice, an hour and then two after each other; frames cross';
  return [
    'epochs',
    { kind: 'epochs', what, expect: 'accepted', ...(toJson({ ...privates(keys), ...start, frames }) as object) },
  ];
}

interface Refused {
  readonly name: string;
  readonly what: string;
  readonly step: 'slot' | 'seal' | 'block';
  /** when the frame is made, and when it comes */
  readonly made: number;
  readonly comes: number;
  readonly change?: (frame: Uint8Array, keys: TestKeys, start: ReturnType<typeof beginning>) => Uint8Array;
}

/** The outer keystream of the second frame c2s is XORed in and out again by whoever knows it. */
function resealed(start: ReturnType<typeof beginning>, block: Uint8Array): Uint8Array {
  const outer = nodeSync.hkdf(start.ck2, start.th2, Buffer.from('cadenas/1 c2s outer'), 32);
  const ck3 = nodeSync.hkdf(
    concat(start.s2, start.opaqueSessionKey),
    start.ck2,
    Buffer.concat([Buffer.from('cadenas/1 ck3'), start.th3]),
    32,
  );
  const keys = nodeSync.hkdf(ck3, start.th3, Buffer.from('cadenas/1 c2s inner'), 28);
  const nonce = keys.slice(16);
  nonce[11] = (nonce[11] ?? 0) ^ 1;
  const frame = new Uint8Array(FRAME);
  frame.set(block);
  const struct = encode(structs.quit, headerFor(new Seeded('resealed'), structs.quit), {});
  nodeSync.aead(keys.subarray(0, 16)).seal(nonce, block, struct, frame, RSA_BLOCK);
  const stream = nodeSync.keystream(outer.subarray(0, 16), outer.subarray(16));
  stream(new Uint8Array(FRAME));
  return stream(frame);
}

const refusals: readonly Refused[] = [
  {
    name: 'early',
    what: 'a block in the second frame of a key that is a millisecond too young',
    step: 'slot',
    made: EPOCH_MS,
    comes: EPOCH_ACCEPT_MS - 1,
  },
  {
    name: 'late',
    what: 'a frame without a block under a key of 70 minutes',
    step: 'slot',
    made: EPOCH_MS - 1,
    comes: EPOCH_CLOSE_MS,
  },
  {
    name: 'flipped',
    what: 'one bit of the block flipped: it is not authentic and costs no operation with a private key',
    step: 'seal',
    made: EPOCH_MS,
    comes: EPOCH_MS,
    change: (frame) => frame.map((byte, i) => (i === 77 ? byte ^ 1 : byte)),
  },
  {
    name: 'label',
    what: 'a block sealed under the label of B1',
    step: 'block',
    made: EPOCH_MS,
    comes: EPOCH_MS,
    change: (_, keys, start) => {
      const seeded = new Seeded('another label');
      return resealed(start, oaepSealWith(seeded.bytes(32), keys.server.modulus, Label.s1, seeded.bytes(32)));
    },
  },
  {
    name: 'short',
    what: 'a block that opens to 31 bytes',
    step: 'block',
    made: EPOCH_MS,
    comes: EPOCH_MS,
    change: (_, keys, start) => {
      const seeded = new Seeded('a short secret');
      return resealed(start, oaepSealWith(seeded.bytes(32), keys.server.modulus, Label.epoch, seeded.bytes(31)));
    },
  },
];

function refused(keys: TestKeys, { name, what, step, made, comes, change }: Refused): Case {
  const { start, clock, client } = both(keys);
  const frames = [client.send(structs.keyq)];
  clock.elapsed = made;
  const second = client.send(structs.quit).frame;
  const parts = { ...privates(keys), ...start, frames, elapsed: comes, frame: change?.(second, keys, start) ?? second };
  return [`epochs-refused-${name}`, { kind: 'epochs', what, expect: 'refused', step, ...(toJson(parts) as object) }];
}

export function epochCases(keys: TestKeys): readonly Case[] {
  return [turning(keys), ...refusals.map((one) => refused(keys, one))];
}
