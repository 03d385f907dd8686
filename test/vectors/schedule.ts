/** The key schedule of SPEC 4 once more, from its formulas alone: what the vectors are compared with. */
import { createHash, hkdfSync } from 'node:crypto';

const text = (ascii: string): Buffer => Buffer.from(ascii, 'ascii');
const info = (what: string, ...more: readonly Uint8Array[]): Buffer =>
  Buffer.concat([text(`cadenas/1 ${what}`), ...more]);
const hash = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(Buffer.concat(parts)).digest());
const hkdf = (ikm: Uint8Array, salt: Uint8Array, what: Uint8Array, length = 32): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', ikm, salt, what, length));

interface HandshakeSecrets {
  readonly networkKey: Uint8Array;
  readonly serverModulus: Uint8Array;
  readonly transport: number;
  readonly exporter: Uint8Array;
  readonly s1: Uint8Array;
  readonly hello: Uint8Array;
  readonly ack: Uint8Array;
  /** x25519 | mlkem */
  readonly shared: Uint8Array;
}

/** Every value on the way from the network key to the traffic keys, under the names that the vectors use. */
export function handshakeSchedule(from: HandshakeSecrets) {
  const cr = from.hello.subarray(0, 32);
  const sr = from.ack.subarray(0, 32);
  const th0 = hash(text('cadenas/1'), Uint8Array.of(from.transport), hash(from.serverModulus), from.exporter);
  const ck0 = hkdf(from.networkKey, th0, info('ck0'));
  const th1 = hash(th0, from.hello);
  const ck1 = hkdf(from.s1, ck0, info('ck1', th1));
  const th2 = hash(th1, from.ack);
  const ck2 = hkdf(from.shared, ck1, info('ck2', th2));
  return {
    th0,
    ck0,
    helloOuter: hkdf(ck0, cr, info('hello outer'), 16),
    helloInner: hkdf(from.s1, cr, info('hello inner'), 16),
    th1,
    ck1,
    ackKey: hkdf(ck1, sr, info('ack'), 16),
    th2,
    ck2,
    c2sOuter: hkdf(ck2, th2, info('c2s outer'), 32),
    s2cOuter: hkdf(ck2, th2, info('s2c outer'), 32),
    ...innerKeys(ck2, th2),
  };
}

function innerKeys(ck: Uint8Array, th: Uint8Array) {
  return { c2sInner: hkdf(ck, th, info('c2s inner'), 28), s2cInner: hkdf(ck, th, info('s2c inner'), 28) };
}

/** @param structs the six plaintext structs of a login, in order */
export function loginSchedule(
  ck2: Uint8Array,
  th2: Uint8Array,
  structs: readonly Uint8Array[],
  s2: Uint8Array,
  opaque: Uint8Array,
) {
  const th3 = hash(th2, ...structs);
  const ck3 = hkdf(Buffer.concat([s2, opaque]), ck2, info('ck3', th3));
  return { th3, ck3, ...innerKeys(ck3, th3) };
}

/** What follows from each secret of one direction, in turn (SPEC 5.5). */
export function epochSchedule(
  direction: 'c2s' | 's2c',
  start: {
    readonly ck2: Uint8Array;
    readonly th3: Uint8Array;
    readonly s2: Uint8Array;
    readonly opaqueSessionKey: Uint8Array;
  },
): (secret: Uint8Array) => { readonly chain: Uint8Array; readonly inner: Uint8Array } {
  const { th3 } = start;
  let chain = hkdf(Buffer.concat([start.s2, start.opaqueSessionKey]), start.ck2, info('ck3', th3));
  return (secret) => {
    chain = hkdf(secret, chain, info(`epoch ${direction}`, th3));
    return { chain, inner: hkdf(chain, th3, info(`${direction} inner`), 28) };
  };
}
