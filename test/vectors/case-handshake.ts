/** Vectors of the handshake: two whole ones, and one for each way in which a HELLO or an ACK is refused. */
import {
  answerHello,
  beginHandshake,
  Code,
  concat,
  encode,
  firstKeys,
  MLKEM_EK,
  noExporter,
  openHello,
  openInner,
  Status,
  structs,
  Transport,
  u64,
  type Binding,
  type ClientBuild,
  type NetworkKeys,
  type Session,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { mlkem, MLKEM_SEED } from '../../src/crypto/mlkem.js';
import type { Case } from './case-struct.js';
import { fixedAsymmetric, fixedSync, oaepSealWith, x25519From, type Recording } from './fixed-crypto.js';
import { toJson } from './format.js';
import { privateHex, type TestKeys } from './keys.js';
import { handshakeSchedule } from './schedule.js';
import { Seeded } from './seeded.js';

/** ms since 1970 */
export const NOW = 1_760_000_000_000;
const WINDOW = 64;
const overTcp: Binding = { transport: Transport.tcp, exporter: noExporter };

function testNetwork(keys: TestKeys): NetworkKeys {
  return { networkKey: new Seeded('network key').bytes(16), serverModulus: keys.server.modulus };
}
function testBuild(): ClientBuild {
  const seeded = new Seeded('client build');
  return { build: 1, software: seeded.bytes(16), table: seeded.bytes(32) };
}
const networkJson = (keys: TestKeys) => ({ ...testNetwork(keys), serverPrivate: privateHex(keys.server) });

function recorded(record: Recording, name: string): Uint8Array {
  const bytes = record.get(name);
  if (!bytes) throw new Error(`the run recorded no ${name}`);
  return bytes;
}

export interface Run {
  readonly hello: Uint8Array;
  readonly ack: Uint8Array;
  readonly client: Recording;
  readonly daemon: Recording;
  readonly clientSession: Session | undefined;
  readonly daemonSession: Session | undefined;
}

/** A handshake between the code's two sides, with all randomness from the seed. */
export async function runHandshake(
  keys: TestKeys,
  seed: string,
  binding = overTcp,
  code: typeof Code.done | typeof Code.upgrade = Code.done,
): Promise<Run> {
  const client: Recording = new Map();
  const daemon: Recording = new Map();
  const side = (name: string, record: Recording) => ({
    sync: fixedSync(new Seeded(`${seed} ${name} random`), record),
    asymmetric: fixedAsymmetric(new Seeded(`${seed} ${name} keys`), record),
  });
  const network = testNetwork(keys);
  const begun = await beginHandshake(side('client', client), network, binding, testBuild(), NOW);
  const opened = openHello(nodeSync, [{ ...network, serverPrivate: keys.server }], binding, begun.hello);
  if (!opened) throw new Error('the HELLO did not open');
  const limits = { window: WINDOW };
  const ports = side('daemon', daemon);
  const inner = await openInner(ports, opened.keys.serverPrivate, opened, () => code);
  if (!inner) throw new Error('the HELLO was not answered');
  const answered = answerHello(ports.sync, opened, inner, limits, NOW + 25);
  const finished = await begun.finish(answered.ack);
  if (!finished) throw new Error('the ACK did not open');
  const sessions = { clientSession: finished.session, daemonSession: answered.session };
  return { hello: begun.hello, ack: answered.ack, client, daemon, ...sessions };
}

function helloParts(run: Run) {
  const { client } = run;
  return {
    now: NOW,
    ...testBuild(),
    cr: recorded(client, 'random0'),
    s1: recorded(client, 'random1'),
    frameId: recorded(client, 'random2'),
    oaepSeed: recorded(client, 'oaepSeed'),
    x25519Private: recorded(client, 'x25519Private'),
    mlkemSeed: recorded(client, 'mlkemSeed'),
  };
}

async function whole(keys: TestKeys, file: string, what: string, binding: Binding): Promise<Case> {
  const run = await runHandshake(keys, file, binding);
  const { daemon } = run;
  const x25519Shared = recorded(daemon, 'x25519Shared');
  const mlkemShared = recorded(daemon, 'mlkemShared');
  const client = helloParts(run);
  const schedule = handshakeSchedule({
    ...testNetwork(keys),
    ...binding,
    s1: client.s1,
    hello: run.hello,
    ack: run.ack,
    shared: concat(x25519Shared, mlkemShared),
  });
  const answering = {
    now: NOW + 25,
    window: WINDOW,
    challenge: recorded(daemon, 'random0'),
    session: recorded(daemon, 'random1'),
    sr: recorded(daemon, 'random2'),
    x25519Private: recorded(daemon, 'x25519Private'),
    mlkemMessage: recorded(daemon, 'mlkemMessage'),
  };
  const parts = {
    network: networkJson(keys),
    binding,
    client,
    daemon: answering,
    keys: { ...schedule, x25519Shared, mlkemShared },
    hello: run.hello,
    ack: run.ack,
  };
  return [file, { kind: 'handshake', what, expect: 'accepted', ...(toJson(parts) as object) }];
}

type Answer = 'outer' | 'time' | 'block' | 'inner' | 'struct' | 'agreement';

interface HelloChange {
  readonly name: string;
  readonly what: string;
  readonly step: Answer;
  readonly networkKey?: Uint8Array;
  readonly time?: number;
  readonly blockLabel?: string;
  readonly x25519?: Uint8Array;
  readonly mlkem?: Uint8Array;
  readonly struct?: (bytes: Uint8Array) => void;
  readonly inner?: (bytes: Uint8Array) => void;
  readonly frame?: (bytes: Uint8Array) => void;
}

const flip =
  (where: number) =>
  (bytes: Uint8Array): void => {
    bytes[where] = (bytes[where] ?? 0) ^ 1;
  };

const helloChanges: readonly HelloChange[] = [
  {
    name: 'network',
    what: 'sealed with the key of another network',
    step: 'outer',
    networkKey: new Seeded('other').bytes(16),
  },
  { name: 'flipped', what: 'one bit of the sealed part flipped', step: 'outer', frame: flip(1000) },
  { name: 'early', what: 'a clock 120,001 ms ahead', step: 'time', time: NOW + 120_001 },
  { name: 'late', what: 'a clock 120,001 ms behind', step: 'time', time: NOW - 120_001 },
  { name: 'block', what: 'the RSA block under another label', step: 'block', blockLabel: 'cadenas/1 s2' },
  { name: 'inner', what: 'one bit of the inner layer flipped, the outer one sound', step: 'inner', inner: flip(100) },
  { name: 'struct', what: 'a struct of version 2 inside', step: 'struct', struct: (bytes) => void bytes.fill(2, 0, 1) },
  { name: 'x25519-zero', what: 'an X25519 share of zeros', step: 'agreement', x25519: new Uint8Array(32) },
  {
    name: 'mlkem-modulus',
    what: 'an ML-KEM key whose coefficients are not below 3329',
    step: 'agreement',
    mlkem: new Uint8Array(MLKEM_EK).fill(0xff),
  },
];

function seal(key: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + 16);
  nodeSync.aead(key).seal(new Uint8Array(12), aad, plain, out, 0);
  return out;
}

/** A HELLO built from SPEC 4.3, with one thing wrong. */
async function refusedHello(keys: TestKeys, change: HelloChange): Promise<Case> {
  const seeded = new Seeded(`hello ${change.name}`);
  const network = testNetwork(keys);
  const [cr, s1, frameId] = [seeded.bytes(32), seeded.bytes(32), seeded.bytes(16)];
  const time = change.time ?? NOW;
  const header = { opcode: structs.helo.opcode, step: 0, frameId, time, status: Status.valid, code: Code.none };
  const own = x25519From(seeded.bytes(32)).publicKey;
  const kem = mlkem.pair(seeded.bytes(MLKEM_SEED)).encapsulationKey;
  const share = { x25519: change.x25519 ?? own, mlkem: change.mlkem ?? kem };
  const struct = encode(structs.helo, header, { ...testBuild(), ...share });
  change.struct?.(struct);
  const label = Buffer.from(change.blockLabel ?? 'cadenas/1 s1');
  const b1 = oaepSealWith(seeded.bytes(32), network.serverModulus, label, s1);
  const { ck0 } = firstKeys(nodeSync, { ...network, networkKey: change.networkKey ?? network.networkKey }, overTcp);
  const innerKey = nodeSync.hkdf(s1, cr, Buffer.from('cadenas/1 hello inner'), 16);
  const inner = seal(innerKey, concat(cr, u64(time), b1), struct);
  change.inner?.(inner);
  const outerKey = nodeSync.hkdf(ck0, cr, Buffer.from('cadenas/1 hello outer'), 16);
  const hello = concat(cr, seal(outerKey, cr, concat(u64(time), b1, inner)));
  change.frame?.(hello);
  const parts = { network: networkJson(keys), binding: overTcp, now: NOW, hello };
  const what = `a HELLO refused: ${change.what}`;
  const vector = { kind: 'hello', what, expect: 'refused', step: change.step, ...(toJson(parts) as object) } as const;
  return Promise.resolve([`hello-refused-${change.name}`, vector]);
}

async function acks(keys: TestKeys): Promise<readonly Case[]> {
  const run = await runHandshake(keys, 'ack');
  const common = { network: networkJson(keys), binding: overTcp, client: helloParts(run), hello: run.hello };
  const flipped = run.ack.slice();
  flip(1000)(flipped);
  const old = await runHandshake(keys, 'ack', overTcp, Code.upgrade);
  const cases = [
    ['ack-refused-flipped', 'an ACK with one bit flipped', 'seal', flipped],
    ['ack-refused-other', 'the ACK of another handshake', 'seal', (await runHandshake(keys, 'another')).ack],
    ['ack-refused-426', 'the ACK that refuses an unlisted opcode table: status 2, code 426', 'upgrade', old.ack],
  ] as const;
  return cases.map(([file, what, step, ack]) => {
    return [file, { kind: 'ack', what, expect: 'refused', step, ...(toJson({ ...common, ack }) as object) }];
  });
}

export async function handshakeCases(keys: TestKeys): Promise<readonly Case[]> {
  const overTls: Binding = { transport: Transport.tls, exporter: new Seeded('exporter').bytes(32) };
  return [
    await whole(keys, 'handshake-tcp', 'a whole handshake over plain TCP', overTcp),
    await whole(keys, 'handshake-tls', 'a whole handshake over TLS, bound to its exporter', overTls),
    ...(await Promise.all(helloChanges.map((change) => refusedHello(keys, change)))),
    ...(await acks(keys)),
  ];
}
