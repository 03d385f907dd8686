/** Vectors of DATA frames: both directions under ck2, a login with its switch to ck3, and refused frames. */
import {
  Code,
  concat,
  encode,
  FRAME,
  Label,
  LoginTranscript,
  loginMessage,
  Opcode,
  RSA_BLOCK,
  Session,
  Status,
  structs,
  type Header,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { NOW, runHandshake, type Run } from './case-handshake.js';
import { noEpochs } from '../support/epochs.js';
import type { Case } from './case-struct.js';
import { oaepSealWith, pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import { privateHex, type TestKeys } from './keys.js';
import { loginSchedule } from './schedule.js';
import { fieldValues, Seeded } from './seeded.js';

type Side = 'client' | 'daemon';
interface Sent {
  readonly from: Side;
  readonly struct: Uint8Array;
  readonly frame: Uint8Array;
}

interface Pair {
  readonly client: Session;
  readonly daemon: Session;
  readonly start: { readonly ck2: Uint8Array; readonly th2: Uint8Array; readonly b1: Uint8Array };
}

/** Both ends behind the handshake of the vector handshake-tcp. */
async function pair(keys: TestKeys): Promise<Pair> {
  const run: Run = await runHandshake(keys, 'handshake-tcp');
  const { clientSession: client, daemonSession: daemon } = run;
  const ck2 = run.client.get('ck2');
  if (!client || !daemon || !ck2) throw new Error('the handshake gave no session');
  const b1 = oaepSealOf(run, keys);
  return { client, daemon, start: { ck2, th2: client.th2, b1 } };
}

function oaepSealOf(run: Run, keys: TestKeys): Uint8Array {
  const [seed, s1] = [run.client.get('oaepSeed'), run.client.get('random1')];
  if (!seed || !s1) throw new Error('the handshake recorded no block');
  return oaepSealWith(seed, keys.server.modulus, Label.s1, s1);
}

function send(ends: Pair, from: Side, struct: Uint8Array): Sent {
  const { send: out } = ends[from];
  out.add(struct);
  return { from, struct, frame: out.take() };
}

function made<S extends Struct>(struct: S, values: Values<S>, from: Partial<Header> = {}): Uint8Array {
  const seeded = new Seeded(`frame ${struct.name} ${String(from.step ?? struct.step)}`);
  const header = {
    opcode: struct.opcode,
    step: struct.step,
    frameId: seeded.bytes(16),
    time: NOW,
    status: 0,
    code: 0,
  } as const;
  return encode(struct, { ...header, ...from }, values);
}

function filled(struct: Struct): Uint8Array {
  const values = fieldValues(new Seeded(`frame values ${struct.name}`), struct.fields) as Values<Struct>;
  return made(struct, values);
}

async function firstFrames(keys: TestKeys): Promise<Case> {
  const ends = await pair(keys);
  const frames = [
    send(
      ends,
      'client',
      made(structs.crea1, fieldValues(new Seeded('crea1'), structs.crea1.fields) as Values<typeof structs.crea1>),
    ),
    send(ends, 'daemon', filled(structs.crea1Answer)),
    send(ends, 'client', filled(structs.crea2)),
    send(ends, 'daemon', made(structs.clos, {}, { code: Code.unavailable })),
  ];
  const what = 'the first two DATA frames of each direction, behind the handshake of handshake-tcp';
  return ['data-first', { kind: 'data', what, expect: 'accepted', ...(toJson({ ...ends.start, frames }) as object) }];
}

/** The six structs of a login. What OPAQUE and the words would fill holds seeded bytes: the wire does not care. */
function loginStructs(keys: TestKeys, th2: Uint8Array, b2: Uint8Array): readonly (readonly [Side, Uint8Array])[] {
  const seeded = new Seeded('login');
  const name = 'recipient_1';
  const ke1 = seeded.bytes(96);
  const signature = pssSignWith(seeded.bytes(32), keys.recipientSig, Label.login, loginMessage(th2, name, ke1));
  const [auth, pass] = [seeded.bytes(16), seeded.bytes(16)];
  const going = { status: Status.progress, code: Code.proceed, frameId: auth };
  const words = { opcode: Opcode.auth, step: 2, status: Status.progress, code: Code.words, frameId: auth };
  const finished = { status: Status.finished, code: Code.done, frameId: pass };
  return [
    ['client', made(structs.auth1, { name, signature, ke1 }, { frameId: auth })],
    ['daemon', made(structs.auth1Answer, { block: b2, ke2: seeded.bytes(320) }, going)],
    ['client', made(structs.auth2, { ke3: seeded.bytes(64) }, { frameId: auth })],
    ['daemon', made(structs.auth2Answer, { factor: 0 }, words)],
    ['client', made(structs.pass, { words: seeded.bytes(32), factor: 0, code: new Uint8Array(0) }, { frameId: pass })],
    ['daemon', made(structs.passAnswer, { grant: seeded.bytes(32), ends: NOW + 12 * 3600_000 }, finished)],
  ];
}

async function login(keys: TestKeys): Promise<Case> {
  const ends = await pair(keys);
  const seeded = new Seeded('login secrets');
  const [s2, opaqueSessionKey] = [seeded.bytes(32), seeded.bytes(64)];
  const b2 = oaepSealWith(seeded.bytes(32), keys.recipientEnc.modulus, Label.s2, s2);
  const transcript = new LoginTranscript();
  const before = loginStructs(keys, ends.start.th2, b2).map(([from, struct]) => {
    transcript.add(struct);
    return send(ends, from, struct);
  });
  const start = toJson(ends.start) as object; // as JSON now: the switch erases ck2
  const schedule = loginSchedule(
    ends.start.ck2,
    ends.start.th2,
    before.map((sent) => sent.struct),
    s2,
    opaqueSessionKey,
  );
  const th3 = transcript.hash(nodeSync, ends.start.th2);
  for (const end of [ends.client, ends.daemon]) end.authenticated(concat(s2, opaqueSessionKey), th3, b2, noEpochs);
  const after = [
    send(ends, 'daemon', filled(structs.cnnt)),
    send(ends, 'client', filled(structs.smpu)),
    send(ends, 'daemon', made(structs.drnd, { delivered: 0 })),
    send(ends, 'client', filled(structs.ackd)),
  ];
  const user = {
    encPrivate: privateHex(keys.recipientEnc),
    sigModulus: keys.recipientSig.modulus,
    name: 'recipient_1',
  };
  const rest = toJson({ user, s2, opaqueSessionKey, b2, before, keys: schedule, after }) as object;
  const what = 'the six frames of a login, th3 and ck3, and the first two frames of each direction under ck3';
  return ['login', { kind: 'login', what, expect: 'accepted', ...start, ...rest }];
}

interface Damage {
  readonly name: string;
  readonly what: string;
  readonly step: 'slot' | 'seal';
  /** The frame that arrives in the place of the third. */
  readonly arrives: (frames: readonly Uint8Array[], ends: Pair) => Uint8Array;
}

const flipped = (frame: Uint8Array, where: number): Uint8Array =>
  frame.map((byte, i) => (i === where ? byte ^ 1 : byte));

const damages: readonly Damage[] = [
  {
    name: 'flipped',
    what: 'one bit of the sealed part flipped',
    step: 'seal',
    arrives: ([, , third]) => flipped(third ?? none, 1000),
  },
  {
    name: 'flipped-tag',
    what: 'the last bit of the tag flipped',
    step: 'seal',
    arrives: ([, , third]) => flipped(third ?? none, FRAME - 1),
  },
  {
    name: 'flipped-slot',
    what: 'one bit of the slot flipped',
    step: 'slot',
    arrives: ([, , third]) => flipped(third ?? none, 7),
  },
  { name: 'replayed', what: 'the first frame once more', step: 'slot', arrives: ([first]) => first ?? none },
  {
    name: 'skipped',
    what: 'the fourth frame in the place of the third',
    step: 'slot',
    arrives: (frames) => frames[3] ?? none,
  },
  {
    name: 'epoch',
    what: 'a new RSA block in the slot, sealed with it, before a login',
    step: 'slot',
    arrives: (_, ends) => otherSlot(ends),
  },
  {
    name: 'sequence',
    what: 'the right slot, sealed with the number of the frame before',
    step: 'seal',
    arrives: (_, ends) => oldSequence(ends),
  },
];
const none = new Uint8Array(FRAME);

/** What the third frame would be if its sender sealed it with these: the outer keystream taken from a frame of zeros. */
function forged(ends: Pair, slot: Uint8Array, sequence: number): Uint8Array {
  const outer = nodeSync.hkdf(ends.start.ck2, ends.start.th2, Buffer.from('cadenas/1 c2s outer'), 32);
  const keys = nodeSync.hkdf(ends.start.ck2, ends.start.th2, Buffer.from('cadenas/1 c2s inner'), 28);
  const nonce = keys.slice(16);
  nonce[11] = (nonce[11] ?? 0) ^ sequence;
  const frame = new Uint8Array(FRAME);
  frame.set(slot);
  nodeSync.aead(keys.subarray(0, 16)).seal(nonce, slot, made(structs.quit, {}), frame, RSA_BLOCK);
  const stream = nodeSync.keystream(outer.subarray(0, 16), outer.subarray(16));
  stream(new Uint8Array(2 * FRAME));
  return stream(frame);
}
const otherSlot = (ends: Pair): Uint8Array => forged(ends, new Seeded('other slot').bytes(RSA_BLOCK), 2);
const oldSequence = (ends: Pair): Uint8Array => forged(ends, ends.start.b1, 1);

async function refusedFrame(keys: TestKeys, { name, what, step, arrives }: Damage): Promise<Case> {
  const ends = await pair(keys);
  const sent = [structs.keyq, structs.quit, structs.keyq, structs.quit].map((struct) =>
    send(ends, 'client', filled(struct)),
  );
  const frame = arrives(
    sent.map((one) => one.frame),
    ends,
  );
  const parts = { ...ends.start, frames: sent.slice(0, 2), frame };
  const vector = { kind: 'data', what: `the third frame refused: ${what}`, expect: 'refused', step } as const;
  return [`data-refused-${name}`, { ...vector, ...(toJson(parts) as object) }];
}

export async function frameCases(keys: TestKeys): Promise<readonly Case[]> {
  const refused = await Promise.all(damages.map((damage) => refusedFrame(keys, damage)));
  return [await firstFrames(keys), await login(keys), ...refused];
}
