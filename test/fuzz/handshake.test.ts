/**
 * HELLO and ACK in the hands of somebody on the path who has the network's key, and HELLOs of a client that means
 * ill: both sides end with the same keys and transcript, or there is no session (SPEC 4). What was changed on the way
 * never makes one; what each side refuses is what SPEC says.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import {
  answerHello,
  beginHandshake,
  Code,
  concat,
  copy,
  firstKeys,
  isTimely,
  label,
  noExporter,
  openHello,
  openInner,
  samePublic,
  Status,
  STRUCT,
  structs,
  TAG,
  Transport,
  u64,
  type Admit,
  type AnsweredHello,
  type Binding,
  type ClientHandshake,
  type OpenedHello,
  type Ports,
  type ServerKeys,
  type Session,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { noEpochs } from '../support/epochs.js';
import { findsBug, fuzz, must, sound, type Case } from '../support/fuzz.js';
import { fixedAsymmetric, fixedSync, type Recording } from '../vectors/fixed-crypto.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';
import { readBySpec } from './spec-codec.js';
import { damage, drawStruct, lineOf, noise } from './struct-draws.js';

const NOW = 1_760_000_000_000;
const keys = await readTestKeys();
const some = new Seeded('fuzz handshake');
const none = new Uint8Array(12);
type Network = ServerKeys<NodeRsaPrivate>;
const network = (key: NodeRsaPrivate): Network => ({
  networkKey: some.bytes(16),
  serverModulus: key.modulus,
  serverPrivate: key,
});
const [current, older, foreign] = [network(keys.server), network(keys.senderEnc), network(keys.recipientEnc)];
/** The daemon's generations; `foreign` is another network. */
const generations = [current, older];
const build = { build: 7, software: some.bytes(16), table: some.bytes(32) };
const bindings: readonly Binding[] = [
  { transport: Transport.tcp, exporter: noExporter },
  { transport: Transport.tls, exporter: some.bytes(32) },
  { transport: Transport.tls, exporter: some.bytes(32) },
  { transport: Transport.terminated, exporter: noExporter },
];
const limits = { window: 64 };
const hash = (...parts: readonly Uint8Array[]): Uint8Array => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return sum.digest();
};

/** th0, th1, th2 as SPEC 4.2 and 4.3 have them. */
const th0Of = ({ serverModulus }: Network, { transport, exporter }: Binding): Uint8Array =>
  hash(Buffer.from('cadenas/1'), Uint8Array.of(transport), hash(serverModulus), exporter);
const th1Of = (of: Network, binding: Binding, hello: Uint8Array): Uint8Array => hash(th0Of(of, binding), hello);

/** A handshake whose HELLO and ACK somebody has seen, and whose client still waits. */
interface Seen {
  readonly of: Network;
  readonly binding: Binding;
  readonly begun: ClientHandshake;
  readonly ack: Uint8Array;
  /** What the client derived. */
  readonly record: Recording;
}

async function begin(
  of: Network,
  binding: Binding,
  source: Seeded,
  record: Recording = new Map(),
): Promise<ClientHandshake> {
  const ports = { sync: fixedSync(source, record), asymmetric: fixedAsymmetric(source, record) };
  return beginHandshake(ports, of, binding, build, NOW);
}

/** The daemon's answer to a HELLO whose outer layer opened. */
async function respond(
  ports: Ports<NodeRsaPrivate>,
  opened: OpenedHello<NodeRsaPrivate>,
  admits: Admit = () => Code.done,
): Promise<AnsweredHello | undefined> {
  const inner = await openInner(ports, opened.keys.serverPrivate, opened, admits);
  return inner && answerHello(ports.sync, opened, inner, limits, NOW);
}

async function answer(
  ports: Ports<NodeRsaPrivate>,
  binding: Binding,
  hello: Uint8Array,
): Promise<AnsweredHello | undefined> {
  const opened = openHello(ports.sync, generations, binding, hello);
  return opened && respond(ports, opened);
}

/** The same in every run, so that a case is had again by its seed alone. */
const seen: Seen[] = [];
for (const binding of bindings)
  for (const of of [current, older, current]) {
    const record: Recording = new Map();
    const begun = await begin(of, binding, some, record);
    const fixed = { sync: fixedSync(some), asymmetric: fixedAsymmetric(some) };
    const answered = await answer(fixed, binding, begun.hello);
    if (!answered) throw new Error('an honest HELLO is refused');
    seen.push({ of, binding, begun, ack: answered.ack, record });
  }

const product: Ports<NodeRsaPrivate> = { sync: nodeSync, asymmetric: nodeAsymmetric };

// ---- on the path

function flipAt(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

function flipped(draws: Draws, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const at = draws.pick([
    0,
    31,
    32,
    39,
    40,
    295,
    296,
    out.length - 17,
    out.length - 16,
    out.length - 1,
    draws.below(out.length),
  ]);
  out[at] = (out[at] ?? 0) ^ (1 << draws.below(8));
  return out;
}

/** Bytes of one, from somewhere on of another. */
function spliced(draws: Draws, one: Uint8Array, other: Uint8Array): Uint8Array {
  const at = draws.pick([32, 40, 296, draws.below(one.length)]);
  return concat(one.subarray(0, at), other.subarray(at));
}

const cut = (draws: Draws, bytes: Uint8Array): Uint8Array =>
  draws.pick([
    bytes.subarray(0, draws.below(bytes.length)),
    concat(bytes, noise(draws, 1)),
    noise(draws, bytes.length),
    new Uint8Array(2048),
  ]);

const outerKey = (of: Network, binding: Binding, cr: Uint8Array): Uint8Array =>
  nodeSync.hkdf(firstKeys(nodeSync, of, binding).ck0, cr, label('hello outer'), 16);

/** What the outer layer is around: time, B1, inner. */
function plainOf({ of, binding, begun: { hello } }: Seen): Uint8Array {
  const cr = hello.subarray(0, 32);
  const plain = nodeSync.aead(outerKey(of, binding, cr)).open(none, cr, hello.subarray(32));
  if (!plain) throw new Error('a HELLO that was seen does not open');
  return plain;
}
const innerOf = (one: Seen): Uint8Array => plainOf(one).subarray(264);

/** What whoever has the network's key can do to a HELLO: open its outer layer, change what is in it, seal it again. */
function resealed(draws: Draws, one: Seen, other: Seen): Uint8Array {
  const { hello } = one.begun;
  const cr = hello.subarray(0, 32);
  const foreignPlain = plainOf(other);
  const changed = copy(plainOf(one));
  switch (draws.below(5)) {
    case 0: // a fresh time, for a HELLO that was kept
      changed.set(u64(NOW + draws.pick([-1, 1, 120_000, 10 ** 9])));
      break;
    case 1:
      changed.set(foreignPlain.subarray(8, 264), 8);
      break;
    case 2:
      changed.set(foreignPlain.subarray(264), 264);
      break;
    case 3:
      flipAt(changed, draws.below(changed.length));
      break;
    default: // nothing but the random
  }
  const random = draws.chance(0.5) ? cr : draws.pick([noise(draws, 32), other.begun.hello.subarray(0, 32)]);
  const out = concat(random, new Uint8Array(changed.length + TAG));
  nodeSync
    .aead(outerKey(one.of, draws.pick([one.binding, one.binding, other.binding]), random))
    .seal(none, random, changed, out, 32);
  return out;
}

function changedHello(draws: Draws, one: Seen, other: Seen): Uint8Array {
  switch (draws.below(6)) {
    case 0:
    case 1:
      return flipped(draws, one.begun.hello);
    case 2:
      return spliced(draws, one.begun.hello, other.begun.hello);
    case 3:
      return cut(draws, one.begun.hello);
    case 4:
      return draws.pick([one.ack, other.ack]);
    default:
      return resealed(draws, one, other);
  }
}

/** A HELLO that was seen, on a connection of whichever kind, changed or not. */
function onPath(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const [one, other] = [draws.pick(seen), draws.pick(seen)];
    const hello = draws.chance(0.95) ? changedHello(draws, one, other) : one.begun.hello;
    const binding = draws.chance(0.8) ? one.binding : draws.pick(bindings);
    const whose = seen.find((each) => samePublic(each.begun.hello, hello));
    const opened = sound('openHello', () => openHello(ports.sync, generations, binding, hello));
    const bound = whose !== undefined && sameBinding(whose.binding, binding);
    must(opened !== undefined || !bound, 'a HELLO as it was sent does not open');
    const answered = opened && (await respond(ports, opened));
    must(answered !== undefined || !bound, 'a HELLO as it was sent is refused');
    if (!answered) return;
    must(answered.session !== undefined, 'no session');
    must(samePublic(answered.session.th2, hash(th1Of(opened.keys, binding, hello), answered.ack)), 'th2');
    if (bound) return;
    /* The outer layer alone may be another's, who takes a HELLO to another connection: its client refuses that ACK. */
    const author = seen.find(({ begun }) => samePublic(begun.hello.subarray(0, 32), hello.subarray(0, 32)));
    must(author !== undefined && samePublic(opened.inner, innerOf(author)), 'a HELLO that nobody sent is answered');
    must((await author.begun.finish(answered.ack))?.session === undefined, 'a session over two connections');
  };
}
const sameBinding = (a: Binding, b: Binding): boolean =>
  a.transport === b.transport && samePublic(a.exporter, b.exporter);

/** An ACK that was changed, or is another connection's. */
function backPath(): Case {
  return async (draws) => {
    const [one, other] = [draws.pick(seen), draws.pick(seen)];
    const ack = [
      () => flipped(draws, one.ack),
      () => spliced(draws, one.ack, other.ack),
      () => cut(draws, one.ack),
      () => other.ack,
      () => draws.pick([one, other]).begun.hello,
      () => madeAck(draws, one),
    ][draws.below(6)]?.();
    if (!ack || samePublic(ack, one.ack)) return;
    const taken = await one.begun.finish(ack);
    must(taken?.session === undefined, 'an ACK that the daemon did not send makes a session');
    const own = openedAck(one, ack);
    const refuses = own?.[30] === 2 && samePublic(own.subarray(6, 22), frameId(one)) && isAck(own);
    must(
      (taken !== undefined) === refuses,
      refuses ? 'a refusal is not taken' : 'what is no ACK is taken for a refusal',
    );
  };
}

const isAck = (struct: Uint8Array): boolean => readBySpec(lineOf(structs.ack), struct).step === undefined;

function drawn({ record }: Seen, what: 'ck1' | 'random2'): Uint8Array {
  const found = record.get(what);
  if (!found) throw new Error(`${what} is not on record`);
  return found;
}
/** The third thing that a client draws. */
const frameId = (one: Seen): Uint8Array => drawn(one, 'random2');
const ackKey = (one: Seen, sr: Uint8Array): Uint8Array => nodeSync.hkdf(drawn(one, 'ck1'), sr, label('ack'), 16);
const ackAad = ({ of, binding, begun }: Seen, sr: Uint8Array): Uint8Array =>
  concat(sr, th1Of(of, binding, begun.hello));

/** What only the server's key makes: an ACK that opens, around a struct that begins no session. */
function madeAck(draws: Draws, one: Seen): Uint8Array {
  let struct = drawStruct(draws, structs.ack);
  if (draws.chance(0.7)) struct.set(frameId(one), 6);
  if (draws.chance(0.5)) struct = damage(draws, lineOf(structs.ack), struct);
  if (struct.length !== 2000) struct = noise(draws, 2000);
  if (struct[30] === 3) struct[30] = draws.pick([0, 1, 2, 4]);
  const sr = noise(draws, 32);
  const out = concat(sr, new Uint8Array(struct.length + TAG));
  nodeSync.aead(ackKey(one, sr)).seal(none, ackAad(one, sr), struct, out, 32);
  return out;
}

function openedAck(one: Seen, ack: Uint8Array): Uint8Array | undefined {
  const sr = ack.subarray(0, 32);
  return ack.length === 2048 ? nodeSync.aead(ackKey(one, sr)).open(none, ackAad(one, sr), ack.subarray(32)) : undefined;
}

// ---- both ends

/** A struct goes from one to the other as it is. */
function passes(from: Session, to: Session, struct: Uint8Array): boolean {
  from.send.add(struct);
  let got: Uint8Array | undefined;
  const open = to.receive.push(from.send.take(), (one) => {
    got = one;
    return true;
  });
  return open && got !== undefined && samePublic(got, struct);
}

/** An honest handshake; the daemon may answer twice; then the login's switch with the same, or not the same, secrets. */
function honest(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const [of, binding] = [draws.pick([...generations, foreign]), draws.pick(bindings)];
    const begun = await begin(of, binding, new Seeded(`honest ${String(draws.below(2 ** 32))}`));
    const answered = await answer(ports, binding, begun.hello);
    must((answered === undefined) === (of === foreign), 'answered by the network that it is for, and by no other');
    if (!answered) return;
    const again = draws.chance(0.3) ? await answer(ports, binding, begun.hello) : undefined;
    const [taken, left] = again && draws.chance(0.5) ? [again, answered] : [answered, again];
    const client = (await begun.finish(taken.ack))?.session;
    const daemon = taken.session;
    must(client !== undefined && daemon !== undefined, 'no session');
    const th2 = hash(th1Of(of, binding, begun.hello), taken.ack);
    must(samePublic(client.th2, th2) && samePublic(daemon.th2, th2), 'th2');
    if (left?.session)
      must(!passes(client, left.session, noise(draws, STRUCT)), 'two sessions of one HELLO have the same keys');
    const fresh = left ? undefined : ([client, daemon] as const);
    if (!fresh) return;
    for (let n = draws.below(4); n > 0; n--) {
      must(passes(client, daemon, noise(draws, STRUCT)), 'c2s');
      must(passes(daemon, client, noise(draws, STRUCT)), 's2c');
    }
    const proof = [noise(draws, 96), noise(draws, 32), noise(draws, 256)] as const;
    const other = proof.map((part) => part.slice());
    const changed = draws.pick([undefined, 0, 1, 2] as const);
    const part = changed === undefined ? undefined : other[changed];
    if (part) flipAt(part, draws.below(part.length));
    client.authenticated(...proof, noEpochs);
    daemon.authenticated(...(other as [Uint8Array, Uint8Array, Uint8Array]), noEpochs);
    /* c2s the slot stays, and B2 is no secret: another one there changes only what s2c is expected to have. */
    must(
      passes(client, daemon, noise(draws, STRUCT)) === (changed === undefined || changed === 2),
      'c2s after the switch',
    );
    must(passes(daemon, client, noise(draws, STRUCT)) === (changed === undefined), 's2c after the switch');
  };
}

// ---- a client that means ill

const field = (bytes: Uint8Array, name: 'x25519' | 'mlkem'): Uint8Array =>
  name === 'x25519' ? bytes.subarray(82, 114) : bytes.subarray(114, 1298);

/** RFC 7748: shares of small order, which give a secret of zeros. */
const smallOrder = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((text) => Uint8Array.from(Buffer.from(text, 'hex')));

/** FIPS 203 section 7.2: 768 numbers of 12 bits, each below 3329. */
function passesModulusCheck(key: Uint8Array): boolean {
  for (let at = 0; at < 1152; at += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(at, at + 3);
    if ((a | ((b & 15) << 8)) >= 3329 || ((b >> 4) | (c << 4)) >= 3329) return false;
  }
  return true;
}

function hostileStruct(draws: Draws, share: Uint8Array, key: Uint8Array): Uint8Array {
  let struct = drawStruct(draws, structs.helo);
  struct.set(draws.chance(0.2) ? draws.pick(smallOrder) : share, 82);
  struct.set(key, 114);
  if (draws.chance(0.2)) {
    const at = 114 + 3 * draws.below(384);
    struct.set(
      [draws.pick([0x00, 0x01, 0xff]), draws.pick([0x0d, 0x10, 0xdd, 0xff]), draws.pick([0xd0, 0xcf, 0xff])],
      at,
    );
  }
  if (draws.chance(0.4)) struct = damage(draws, lineOf(structs.helo), struct);
  return struct;
}

const shares = await Promise.all(
  Array.from({ length: 4 }, async () => ({
    share: (await fixedAsymmetric(some).x25519()).publicKey,
    key: (await fixedAsymmetric(some).mlkem()).encapsulationKey,
  })),
);

/** Its own HELLO, soundly sealed around whatever struct, with whatever time. */
function hostile(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const [of, binding] = [draws.pick(generations), draws.pick(bindings)];
    const { share, key } = draws.pick(shares);
    const struct = hostileStruct(draws, share, key);
    const time = draws.pick([
      BigInt(NOW) + BigInt(draws.pick([0, 120_000, 120_001, -120_000, -120_001])),
      0n,
      2n ** 53n,
      2n ** 64n - 1n,
    ]);
    const clock = new Uint8Array(8);
    new DataView(clock.buffer).setBigUint64(0, time);
    const cr = noise(draws, 32);
    const s1 = noise(draws, draws.chance(0.9) ? 32 : draws.below(100));
    const b1 = draws.chance(0.9)
      ? await fixedAsymmetric(new Seeded(String(draws.below(1000)))).oaepSeal(of.serverModulus, label('s1'), s1)
      : noise(draws, 256);
    const sealedBlock = await nodeAsymmetric.oaepOpen(of.serverPrivate, label('s1'), b1);
    const inner = new Uint8Array(1736);
    if (struct.length === 1720)
      nodeSync
        .aead(nodeSync.hkdf(s1, cr, label('hello inner'), 16))
        .seal(none, concat(cr, clock, b1), struct, inner, 0);
    const plain = concat(clock, b1, inner);
    const hello = concat(cr, new Uint8Array(plain.length + TAG));
    nodeSync.aead(outerKey(of, binding, cr)).seal(none, cr, plain, hello, 32);

    const opened = sound('openHello', () => openHello(ports.sync, generations, binding, hello));
    must(opened !== undefined, 'the outer layer does not open');
    const late = time > BigInt(NOW) ? time - BigInt(NOW) : BigInt(NOW) - time;
    must(isTimely(opened.time, NOW) === late <= 120_000n, `a time of ${String(time)}`);
    const admitted = draws.chance(0.8);
    const answered = await respond(ports, opened, () => (admitted ? Code.done : Code.upgrade));
    const readable =
      sealedBlock?.length === 32 &&
      struct.length === 1720 &&
      readBySpec(lineOf(structs.helo), struct).step === undefined;
    const small = smallOrder.some((point) => samePublic(point, clamped(field(struct, 'x25519'))));
    const agreeable = !small && passesModulusCheck(field(struct, 'mlkem'));
    const wanted = !readable ? 'nothing' : !admitted ? 'upgrade' : agreeable ? 'session' : 'nothing';
    const got = !answered ? 'nothing' : answered.session ? 'session' : 'upgrade';
    must(got === wanted, `the daemon gives ${got}, SPEC 4.4 ${wanted}`);
    if (!answered) return;
    const th1 = th1Of(of, binding, hello);
    const ck1 = nodeSync.hkdf(s1, firstKeys(nodeSync, of, binding).ck0, concat(label('ck1'), th1), 32);
    const sr = answered.ack.subarray(0, 32);
    const ack = nodeSync
      .aead(nodeSync.hkdf(ck1, sr, label('ack'), 16))
      .open(none, concat(sr, th1), answered.ack.subarray(32));
    must(ack !== undefined && readBySpec(lineOf(structs.ack), ack).step === undefined, 'the ACK is none');
    must(ack[30] === (answered.session ? Status.finished : Status.error), 'its status');
    must(samePublic(ack.subarray(6, 22), struct.subarray(6, 22)), 'its frame id');
    const empty = ack.subarray(33, 1201).every((byte) => byte === 0);
    must(empty === (answered.session === undefined), 'a refusal has zeros in all fields but the window');
  };
}
/** The highest bit of a share does not count (RFC 7748 section 5). */
const clamped = (share: Uint8Array): Uint8Array => share.map((byte, at) => (at === 31 ? byte & 0x7f : byte));

fuzz('a HELLO is answered as it was sent, and makes a session where it was sent alone', 10_000, onPath(product));
fuzz('a changed ACK makes no session', 15_000, backPath());
fuzz('both ends of a handshake have the same keys, through the switch of a login', 200, honest(product));
fuzz('a HELLO that means ill gets what SPEC 4.4 and 4.5 say', 800, hostile(product));

// ---- the fuzzer sees what it is for

const withSync = (sync: Partial<SyncCrypto>): Ports<NodeRsaPrivate> => ({
  sync: { ...nodeSync, ...sync },
  asymmetric: nodeAsymmetric,
});
const unbound: SyncCrypto['aead'] = (key) => ({
  ...nodeSync.aead(key),
  open: (nonce, _aad, sealed) =>
    createDecipheriv('aes-128-gcm', key, nonce).update(sealed.subarray(0, sealed.length - TAG)),
});
/** th0 has four parts, th1 and th2 two. */
const forgets = (parts: number, last: number): Partial<SyncCrypto> => ({
  sha256: (...of) => nodeSync.sha256(...(of.length === parts ? of.slice(0, last) : of)),
});
findsBug('tags are not looked at', 5_000, onPath(withSync({ aead: unbound })));
findsBug('th0 leaves the exporter out', 5_000, onPath(withSync(forgets(4, 3))));
findsBug('transcripts leave the frames out', 500, onPath(withSync(forgets(2, 1))));
findsBug(
  'a key that ML-KEM refuses is taken',
  500,
  hostile({
    sync: nodeSync,
    asymmetric: {
      ...nodeAsymmetric,
      agree: async (...of) =>
        (await nodeAsymmetric.agree(...of)) ?? {
          x25519: new Uint8Array(32),
          mlkem: new Uint8Array(1088),
          secret: new Uint8Array(64),
        },
    },
  }),
);
