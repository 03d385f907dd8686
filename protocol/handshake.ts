/**
 * The handshake (SPEC 4): HELLO, ACK, and the keys that follow from them. A state machine without
 * I/O; cryptography is handed in.
 */
import { concat, copy, isZero, readUint, samePublic, u64, utf8 } from './bytes.js';
import { decode, encode, type Header } from './codec.js';
import type { AsymmetricCrypto, KeyAgreement, RsaPrivate, SyncCrypto } from './crypto-port.js';
import { innerKeys, ReceiveEpochs, SendEpochs, type EpochStart } from './epoch.js';
import { ReceiveSide, SendSide } from './frame.js';
import { label, Label } from './labels.js';
import { structs, type Values } from './layouts.js';
import {
  FRAME,
  HASH,
  HELLO_WINDOW_MS,
  ID,
  KEY,
  MLKEM_CT,
  NONCE,
  RANDOM,
  RSA_BLOCK,
  STRUCT,
  TAG,
  X25519_KEY,
} from './limits.js';
import { Code, Status } from './status.js';

export const Transport = { tcp: 0, tls: 1, webSocket: 2, terminated: 3 } as const;
export type Transport = (typeof Transport)[keyof typeof Transport];

/** What the handshake binds of the connection under it. */
export interface Binding {
  readonly transport: Transport;
  /** The TLS exporter's 32 bytes on `tls`, zeros elsewhere (RFC 9266). */
  readonly exporter: Uint8Array;
}

export const noExporter: Uint8Array = new Uint8Array(HASH);

/** The public half of one generation of a network's keys. */
export interface NetworkKeys {
  readonly networkKey: Uint8Array;
  readonly serverModulus: Uint8Array;
}

export interface ServerKeys<Private extends RsaPrivate> extends NetworkKeys {
  readonly serverPrivate: Private;
}

export interface Ports<Private extends RsaPrivate = RsaPrivate> {
  readonly sync: SyncCrypto;
  readonly asymmetric: AsymmetricCrypto<Private>;
}

const info = {
  ck0: label('ck0'),
  ck1: label('ck1'),
  ck2: label('ck2'),
  ck3: label('ck3'),
  helloOuter: label('hello outer'),
  helloInner: label('hello inner'),
  ack: label('ack'),
  c2sOuter: label('c2s outer'),
  s2cOuter: label('s2c outer'),
};
const zeroNonce = new Uint8Array(NONCE);
const HELLO_SEALED = RANDOM;
const HELLO_INNER = 8 + RSA_BLOCK;

function sealOnce(sync: SyncCrypto, key: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + TAG);
  sync.aead(key).seal(zeroNonce, aad, plain, out, 0);
  return out;
}
function openOnce(sync: SyncCrypto, key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  return sync.aead(key).open(zeroNonce, aad, sealed);
}

/** th0 and ck0 of a connection under one generation of keys (SPEC 4.2). */
export function firstKeys(sync: SyncCrypto, keys: NetworkKeys, binding: Binding): { th0: Uint8Array; ck0: Uint8Array } {
  const th0 = sync.sha256(
    utf8('cadenas/1'),
    Uint8Array.of(binding.transport),
    sync.sha256(keys.serverModulus),
    binding.exporter,
  );
  return { th0, ck0: sync.hkdf(keys.networkKey, th0, info.ck0, HASH) };
}

/** What both sides hold after the ACK: ck2 with its transcript, and the two directions. */
export class Session {
  readonly #sync: SyncCrypto;
  readonly #ck2: Uint8Array;
  readonly #role: 'client' | 'daemon';
  /** The c→s slot: the RSA block of the HELLO. */
  readonly #b1: Uint8Array;
  #epochs: { readonly send: SendEpochs; readonly receive: ReceiveEpochs } | undefined;
  readonly th2: Uint8Array;
  readonly send: SendSide;
  readonly receive: ReceiveSide;

  constructor(sync: SyncCrypto, role: 'client' | 'daemon', ck2: Uint8Array, th2: Uint8Array, b1: Uint8Array) {
    this.#sync = sync;
    this.#ck2 = ck2;
    this.#role = role;
    this.#b1 = b1;
    this.th2 = th2;
    const c2s = { outer: sync.hkdf(ck2, th2, info.c2sOuter, 2 * KEY), inner: innerKeys(sync, 'c2s', ck2, th2) };
    const s2c = { outer: sync.hkdf(ck2, th2, info.s2cOuter, 2 * KEY), inner: innerKeys(sync, 's2c', ck2, th2) };
    const b2 = new Uint8Array(RSA_BLOCK);
    const [sent, received] = role === 'client' ? [c2s, s2c] : [s2c, c2s];
    const [sentSlot, receivedSlot] = role === 'client' ? [b1, b2] : [b2, b1];
    this.send = new SendSide(sync, sent.outer, sent.inner, sentSlot);
    this.receive = new ReceiveSide(sync, received.outer, received.inner, receivedSlot);
  }

  /**
   * The switch to ck3 after the answer that finishes a login (SPEC 4.6); from it on keys follow one another (5.5).
   * @param secret s2 (32) | OPAQUE session key (64)
   * @param b2 the RSA block that carried s2
   */
  authenticated(secret: Uint8Array, th3: Uint8Array, b2: Uint8Array, start: EpochStart): void {
    const sync = this.#sync;
    const ck3 = sync.hkdf(secret, this.#ck2, concat(info.ck3, th3), HASH);
    const [sent, received] = this.#role === 'client' ? (['c2s', 's2c'] as const) : (['s2c', 'c2s'] as const);
    const [sentSlot, receivedSlot] = this.#role === 'client' ? [this.#b1, b2] : [b2, this.#b1];
    const send = new SendEpochs(sync, sent, ck3, th3, start);
    const receive = new ReceiveEpochs(sync, received, ck3, th3, start);
    this.#epochs = { send, receive };
    this.send.rekey(innerKeys(sync, sent, ck3, th3), sentSlot, send);
    this.receive.rekey(innerKeys(sync, received, ck3, th3), receivedSlot, receive);
    ck3.fill(0);
    this.#ck2.fill(0);
  }

  /** The connection is over: nothing more is opened, and no chaining key stays. */
  forget(): void {
    this.#ck2.fill(0);
    this.#epochs?.send.forget();
    this.#epochs?.receive.forget();
    this.receive.stop();
  }
}

/** th3: the frames of a login, whole plaintext structs in order (SPEC 4.6). */
export class LoginTranscript {
  readonly #structs: Uint8Array[] = [];
  add(struct: Uint8Array): void {
    if (struct.length !== STRUCT) throw new RangeError('handshake: a struct has 1776 bytes');
    this.#structs.push(copy(struct));
  }
  hash(sync: SyncCrypto, th2: Uint8Array): Uint8Array {
    return sync.sha256(th2, ...this.#structs);
  }
}

// ---- the client's side

/** Who the client is, linked at build time. */
export interface ClientBuild {
  readonly build: number;
  readonly software: Uint8Array;
  readonly table: Uint8Array;
}

export interface Ack {
  readonly header: Header;
  readonly values: Values<typeof structs.ack>;
  /** undefined where the daemon refused: header.code says why */
  readonly session: Session | undefined;
}

export interface ClientHandshake {
  readonly hello: Uint8Array;
  /** undefined where the ACK does not open or does not hold: close. */
  finish(ack: Uint8Array): Promise<Ack | undefined>;
}

/** @param now ms since 1970, the client's clock */
export async function beginHandshake(
  ports: Ports,
  keys: NetworkKeys,
  binding: Binding,
  who: ClientBuild,
  now: number,
): Promise<ClientHandshake> {
  const { sync, asymmetric } = ports;
  const [x25519, mlkem] = await Promise.all([asymmetric.x25519(), asymmetric.mlkem()]);
  const { th0, ck0 } = firstKeys(sync, keys, binding);
  const cr = sync.random(RANDOM);
  const s1 = sync.random(RANDOM);
  const time = u64(now);
  const b1 = await asymmetric.oaepSeal(keys.serverModulus, Label.s1, s1);
  const frameId = sync.random(ID);
  const header: Header = {
    opcode: structs.helo.opcode,
    step: 0,
    frameId,
    time: now,
    status: Status.valid,
    code: Code.none,
  };
  const struct = encode(structs.helo, header, { ...who, x25519: x25519.publicKey, mlkem: mlkem.encapsulationKey });
  const inner = sealOnce(sync, sync.hkdf(s1, cr, info.helloInner, KEY), concat(cr, time, b1), struct);
  const outer = sealOnce(sync, sync.hkdf(ck0, cr, info.helloOuter, KEY), cr, concat(time, b1, inner));
  const hello = concat(cr, outer);
  const th1 = sync.sha256(th0, hello);
  const ck1 = sync.hkdf(s1, ck0, concat(info.ck1, th1), HASH);
  for (const spent of [s1, ck0]) spent.fill(0);

  async function finish(ack: Uint8Array): Promise<Ack | undefined> {
    if (ack.length !== FRAME) return undefined;
    const opened = openAck(sync, ck1, th1, ack);
    if (!opened) return undefined;
    const { header, values } = opened;
    if (!samePublic(header.frameId, frameId)) return undefined;
    if (header.status === Status.error) return { header, values, session: undefined };
    if (header.status !== Status.finished || header.code !== Code.done) return undefined;
    const shared = await x25519.agree(values.x25519);
    if (!shared) return undefined;
    const secret = concat(shared, await mlkem.decapsulate(values.mlkem));
    const th2 = sync.sha256(th1, ack);
    const ck2 = sync.hkdf(secret, ck1, concat(info.ck2, th2), HASH);
    for (const spent of [ck1, shared, secret]) spent.fill(0);
    return { header, values, session: new Session(sync, 'client', ck2, th2, b1) };
  }
  return { hello, finish };
}

function openAck(sync: SyncCrypto, ck1: Uint8Array, th1: Uint8Array, ack: Uint8Array) {
  const sr = ack.subarray(0, RANDOM);
  const key = sync.hkdf(ck1, sr, info.ack, KEY);
  const struct = openOnce(sync, key, concat(sr, th1), ack.subarray(RANDOM));
  if (!struct) return undefined;
  const decoded = decode(structs.ack, struct);
  return decoded.problem ? undefined : decoded;
}

// ---- the daemon's side

/** A HELLO whose outer layer opened: its sender has the network's key. No RSA was done yet. */
export interface OpenedHello<Private extends RsaPrivate> {
  readonly keys: ServerKeys<Private>;
  readonly cr: Uint8Array;
  /** ms since 1970, the client's clock */
  readonly time: number;
  readonly b1: Uint8Array;
  readonly inner: Uint8Array;
  readonly aad: Uint8Array;
  readonly th1: Uint8Array;
  readonly ck0: Uint8Array;
}

/** Tries each generation of keys; undefined where none opens it (SPEC 4.4, step 1). */
export function openHello<Private extends RsaPrivate>(
  sync: SyncCrypto,
  generations: readonly ServerKeys<Private>[],
  binding: Binding,
  hello: Uint8Array,
): OpenedHello<Private> | undefined {
  if (hello.length !== FRAME) return undefined;
  const cr = hello.subarray(0, HELLO_SEALED);
  for (const keys of generations) {
    const { th0, ck0 } = firstKeys(sync, keys, binding);
    const plain = openOnce(sync, sync.hkdf(ck0, cr, info.helloOuter, KEY), cr, hello.subarray(HELLO_SEALED));
    if (!plain) continue;
    return {
      keys,
      cr,
      time: readUint(plain, 0, 8),
      b1: copy(plain.subarray(8, HELLO_INNER)),
      inner: plain.subarray(HELLO_INNER),
      aad: concat(cr, plain.subarray(0, HELLO_INNER)),
      th1: sync.sha256(th0, hello),
      ck0,
    };
  }
  return undefined;
}

/** SPEC 4.4, step 2. Both in ms. */
export function isTimely(time: number, now: number): boolean {
  return Math.abs(time - now) <= HELLO_WINDOW_MS;
}

export interface AnsweredHello {
  readonly ack: Uint8Array;
  readonly client: ClientBuild;
  /** undefined where the ACK refuses: send it and close */
  readonly session: Session | undefined;
}

export type Admit = (client: ClientBuild) => typeof Code.done | typeof Code.upgrade;

/** What lies under the inner layer of a HELLO, and the answering half of its key agreement. */
export interface InnerHello {
  readonly s1: Uint8Array;
  readonly frameId: Uint8Array;
  readonly client: ClientBuild;
  readonly code: typeof Code.done | typeof Code.upgrade;
  /** undefined where the client is not admitted */
  readonly agreed: KeyAgreement | undefined;
}

/**
 * The expensive half of an answer, RSA and key agreement: bytes in, bytes out, so that a daemon can have it done in a
 * worker as one piece. undefined where the inner layer does not open: close without a byte.
 * @param admit the code of the ACK for this client build: 200, or 426
 */
export async function openInner<Private extends RsaPrivate>(
  { sync, asymmetric }: Ports<Private>,
  key: Private,
  { cr, b1, inner, aad }: Pick<OpenedHello<Private>, 'cr' | 'b1' | 'inner' | 'aad'>,
  admit: Admit,
): Promise<InnerHello | undefined> {
  const s1 = await asymmetric.oaepOpen(key, Label.s1, b1);
  if (s1?.length !== RANDOM) return undefined;
  const struct = openOnce(sync, sync.hkdf(s1, cr, info.helloInner, KEY), aad, inner);
  if (!struct) return undefined;
  const hello = decode(structs.helo, struct);
  if (hello.problem) return undefined;
  const { build, software, table, x25519, mlkem } = hello.values;
  const client: ClientBuild = { build, software: copy(software), table: copy(table) };
  const code = admit(client);
  const agreed = code === Code.done ? await asymmetric.agree(x25519, mlkem) : undefined;
  if (code === Code.done && !agreed) return undefined;
  return { s1, frameId: copy(hello.header.frameId), client, code, agreed };
}

/** The ACK to what `openInner` found, and the session that begins with it. */
export function answerHello(
  sync: SyncCrypto,
  opened: Pick<OpenedHello<RsaPrivate>, 'b1' | 'th1' | 'ck0'>,
  { s1, frameId, client, code, agreed }: InnerHello,
  limits: { readonly window: number },
  now: number,
): AnsweredHello {
  const ck1 = sync.hkdf(s1, opened.ck0, concat(info.ck1, opened.th1), HASH);
  for (const spent of [s1, opened.ck0]) spent.fill(0);
  const header: Header = {
    opcode: structs.ack.opcode,
    step: 0,
    frameId,
    time: now,
    status: agreed ? Status.finished : Status.error,
    code,
  };
  const ackStruct = encode(structs.ack, header, {
    x25519: agreed?.x25519 ?? new Uint8Array(X25519_KEY),
    mlkem: agreed?.mlkem ?? new Uint8Array(MLKEM_CT),
    challenge: agreed ? sync.random(RANDOM) : new Uint8Array(RANDOM),
    session: agreed ? sync.random(ID) : new Uint8Array(ID),
    window: limits.window,
  });
  const sr = sync.random(RANDOM);
  const ack = concat(sr, sealOnce(sync, sync.hkdf(ck1, sr, info.ack, KEY), concat(sr, opened.th1), ackStruct));
  if (!agreed) {
    ck1.fill(0);
    return { ack, client, session: undefined };
  }
  const th2 = sync.sha256(opened.th1, ack);
  const ck2 = sync.hkdf(agreed.secret, ck1, concat(info.ck2, th2), HASH);
  for (const spent of [ck1, agreed.secret]) spent.fill(0);
  return { ack, client, session: new Session(sync, 'daemon', ck2, th2, opened.b1) };
}

/** A session key or share of zeros is never used; for the crypto providers. */
export function isContributory(shared: Uint8Array): boolean {
  return !isZero(shared);
}
