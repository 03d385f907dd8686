/**
 * Envelopes in the hands of the daemon, of another contact, and of a contact who means ill: every class of byte
 * changed, halves of two put together, readdressed, sealed soundly around what no client would write. One opens for
 * its recipient only as it was sealed; any other is refused at the step that SPEC 7.4 says.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import {
  concat,
  copy,
  conversationId,
  ENVELOPE,
  ENVELOPE_TEXT,
  fingerprint,
  Label,
  label,
  openEnvelope,
  readEnvelopeHeader,
  samePublic,
  sealEnvelope,
  TAG,
  type AsymmetricCrypto,
  type Correspondents,
  type EnvelopeHeader,
  type EnvelopeProblem,
  type Ports,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { findsBug, fuzz, must, sound, type Case } from '../support/fuzz.js';
import { fixedAsymmetric, fixedSync, type Recording } from '../vectors/fixed-crypto.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';
import { noise } from './struct-draws.js';

const HEADER = 182;
const SEALED_AT = HEADER + 256;
const keys = await readTestKeys();
const some = new Seeded('fuzz envelope');

interface Person {
  readonly uid: Uint8Array;
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
  readonly keys: Uint8Array;
}
const person = (enc: NodeRsaPrivate, sig: NodeRsaPrivate): Person => ({
  uid: some.bytes(16),
  enc,
  sig,
  keys: fingerprint(nodeSync, { enc: enc.modulus, sig: sig.modulus }),
});
const people = [
  person(keys.senderEnc, keys.senderSig),
  person(keys.recipientEnc, keys.recipientSig),
  person(keys.server, keys.senderEnc),
] as const;
const [ann, ben, eve] = people;

const between = (from: Person, to: Person): Correspondents => ({
  recipient: to.uid,
  recipientKeys: to.keys,
  recipientEnc: to.enc,
  sender: from.uid,
  senderKeys: from.keys,
  senderSig: from.sig.modulus,
});

interface Letter {
  readonly from: Person;
  readonly to: Person;
  readonly header: EnvelopeHeader;
  readonly text: Uint8Array;
  readonly bytes: Uint8Array;
  readonly k: Uint8Array;
  readonly signature: Uint8Array;
}

async function write(
  from: Person,
  to: Person,
  text: Uint8Array,
  sequence: number,
  part = 0,
  parts = 1,
): Promise<Letter> {
  const header: EnvelopeHeader = {
    version: 1,
    suite: 1,
    conversation: conversationId(nodeSync, from.uid, to.uid),
    message: some.bytes(16),
    sender: from.uid,
    recipient: to.uid,
    senderKeys: from.keys,
    recipientKeys: to.keys,
    sequence,
    time: 1_760_000_000_000 + sequence,
    previous: sequence === 1 ? new Uint8Array(32) : some.bytes(32),
    part,
    parts,
  };
  const record: Recording = new Map();
  let signature: Uint8Array = new Uint8Array(0);
  const asymmetric: AsymmetricCrypto<NodeRsaPrivate> = fixedAsymmetric(some);
  const ports: Ports<NodeRsaPrivate> = {
    sync: fixedSync(some, record),
    asymmetric: {
      ...asymmetric,
      pssSign: async (key, of, message) => (signature = await asymmetric.pssSign(key, of, message)),
    },
  };
  const bytes = await sealEnvelope(ports, header, text, to.enc.modulus, from.sig);
  return { from, to, header, text, bytes, k: record.get('random0') ?? new Uint8Array(0), signature };
}

const lengths = [1, 2, 500, 1023, 1024];
const pairs = [
  [ann, ben],
  [ben, ann],
  [eve, ben],
  [ann, eve],
] as const;
/** The same in every run, so that a case is had again by its seed alone. */
const letters: Letter[] = [];
for (const [from, to] of pairs)
  for (const [n, length] of lengths.entries())
    letters.push(await write(from, to, new Uint8Array(length).fill(97 + n), 1 + n));

/** Parts of longer texts, which need not be UTF-8 by themselves. */
for (const [length, part, parts] of [
  [1024, 0, 2],
  [7, 1, 2],
  [1024, 62, 64],
  [1, 63, 64],
] as const)
  letters.push(await write(ann, ben, new Uint8Array(length).fill(0xbf), 70 + part, part, parts));

/** Receipts, of one message, of some, of as many as there may be. */
for (const count of [1, 5, 64]) letters.push(await write(ben, ann, some.bytes(16 * count), 80 + count, 0, 0));

/** Opening a block takes as long as all the rest: what opened once is remembered. */
const opened = new Map<string, Uint8Array | undefined>();
const asymmetric: AsymmetricCrypto<NodeRsaPrivate> = {
  ...nodeAsymmetric,
  async oaepOpen(key, of, block) {
    const name = createHash('sha256').update(key.modulus).update(of).update(block).digest('hex');
    if (!opened.has(name)) opened.set(name, await nodeAsymmetric.oaepOpen(key, of, block));
    const k = opened.get(name);
    return k && copy(k);
  },
};
const product: Ports<NodeRsaPrivate> = { sync: nodeSync, asymmetric };

/** What SPEC 7.4 says of bytes that nobody can have sealed, unless they are `letter`'s own. */
function expected(bytes: Uint8Array, letter: Letter, reader: Correspondents): EnvelopeProblem | 'opens' {
  if (bytes.length !== 1736) return 'header';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u64 = (at: number): boolean => view.getBigUint64(at) < 2n ** 53n;
  const is = (at: number, wanted: Uint8Array): boolean => samePublic(bytes.subarray(at, at + wanted.length), wanted);
  if (!u64(130) || !u64(138) || bytes[0] !== 1 || bytes[1] !== 1) return 'header';
  const [part, parts] = [view.getUint16(178), view.getUint16(180)];
  const inside = parts === 0 ? part === 0 : part < parts;
  if (parts > 64 || !inside || view.getBigUint64(130) <= BigInt(part)) return 'header';
  if (!is(50, reader.recipient)) return 'recipient';
  if (!is(34, reader.sender)) return 'sender';
  const [low, high] = [reader.sender, reader.recipient].sort((a, b) => Buffer.compare(a, b)) as [
    Uint8Array,
    Uint8Array,
  ];
  const conversation = createHash('sha256').update('cadenas/1 conversation').update(low).update(high).digest();
  if (!is(2, conversation.subarray(0, 16))) return 'header';
  if (!is(98, reader.recipientKeys) || !is(66, reader.senderKeys)) return 'keys';
  /* A block is sound where it is one that a letter to this reader has. */
  const block = bytes.subarray(HEADER, SEALED_AT);
  const known = letters.some(
    ({ to, bytes: own }) => to.uid === reader.recipient && samePublic(block, own.subarray(HEADER, SEALED_AT)),
  );
  if (!known) return 'block';
  return samePublic(bytes, letter.bytes) ? 'opens' : 'seal';
}

/** From, to and bit of each class of byte: fields of the header, block, ciphertext, tag. */
const classes = [
  0,
  1,
  2,
  18,
  34,
  50,
  66,
  98,
  130,
  138,
  146,
  178,
  180,
  HEADER,
  SEALED_AT,
  ENVELOPE - TAG,
  ENVELOPE,
] as const;

function flipped(draws: Draws, bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << draws.below(8));
  return bytes;
}

function tamper(draws: Draws, letter: Letter): Uint8Array {
  const bytes = letter.bytes.slice();
  if (bytes.length !== ENVELOPE) return bytes;
  const other = draws.pick(letters).bytes;
  const n = draws.below(classes.length - 1);
  const [from = 0, to = 0] = [classes[n], classes[n + 1]];
  switch (draws.below(6)) {
    case 0:
      return flipped(draws, bytes, from + draws.below(to - from));
    case 1: // a class of another envelope
      bytes.set(other.subarray(from, to), from);
      return bytes;
    case 2: // from here on another envelope
      bytes.set(other.subarray(from), from);
      return bytes;
    case 3:
      bytes.set(noise(draws, to - from), from);
      return bytes;
    case 4: // to somebody else, as from somebody else
      bytes.set(draws.pick(people).uid, draws.pick([34, 50]));
      bytes.set(draws.pick(people).keys, draws.pick([66, 98]));
      return bytes;
    default:
      return draws.pick([
        bytes.subarray(0, draws.below(ENVELOPE)),
        concat(bytes, noise(draws, 1)),
        noise(draws, ENVELOPE),
      ]);
  }
}

function opens(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const letter = draws.pick(letters);
    let bytes = letter.bytes;
    for (let left = draws.pick([0, 1, 1, 1, 1, 2]); left > 0; left--) bytes = tamper(draws, { ...letter, bytes });
    const reader = draws.chance(0.85)
      ? between(letter.from, letter.to)
      : between(draws.pick(people), draws.pick(people));
    /* An envelope that has become another whole one is that one. */
    const meant = letters.find((one) => samePublic(one.bytes, bytes)) ?? letter;
    const wanted = expected(bytes, meant, reader);
    sound('readEnvelopeHeader', () => readEnvelopeHeader(bytes));
    const before = bytes.slice();
    const result = await openEnvelope(ports, bytes, reader);
    must(samePublic(before, bytes), 'the envelope was changed');
    must((result.problem ?? 'opens') === wanted, () => `it says ${result.problem ?? 'opens'}, SPEC 7.4 ${wanted}`);
    if (result.problem) return;
    must(samePublic(result.text, meant.text), 'another text');
    must(
      samePublic(result.header.message, meant.header.message) && result.header.sequence === meant.header.sequence,
      'another header',
    );
  };
}

fuzz('one opens for its recipient only as it was sealed', 40_000, opens(product));

// ---- a contact with sound keys

const utf8Wrong = [[0xff], [0xc1, 0xa1], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]];

function hostile(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const letter = draws.pick(letters);
    const { from, to, k } = letter;
    const bound = letter.bytes.slice(0, SEALED_AT);
    const inner = new Uint8Array(256 + 2 + ENVELOPE_TEXT);
    const text = draws.pick([
      letter.text,
      letter.text.subarray(draws.pick([1, 15, 16])),
      concat(letter.text.subarray(16, 32), letter.text.subarray(0, 960), letter.text.subarray(0, 16)),
      noise(draws, draws.below(1025)),
      Uint8Array.from(draws.pick(utf8Wrong)),
      new Uint8Array(0),
    ]);
    const length = draws.pick([text.length, text.length, text.length, 0, 1, 1024, 1025, 65535, text.length + 1]);
    const signature =
      draws.chance(0.5) && text === letter.text
        ? letter.signature
        : draws.chance(0.5)
          ? noise(draws, 256)
          : await nodeAsymmetric.pssSign(
              from.sig,
              Label.pm,
              concat(bound.subarray(0, HEADER), hash(bound.subarray(HEADER)), hash(text)),
            );
    inner.set(signature);
    inner[256] = length >> 8;
    inner[257] = length;
    inner.set(text, 258);
    if (draws.chance(0.2)) inner[inner.length - 1 - draws.below(4)] = draws.below(2);
    const bytes = concat(bound, new Uint8Array(inner.length + TAG));
    const key = nodeSync.hkdf(k, hash(bound), label('pm key'), 32);
    nodeSync.aead(key).seal(new Uint8Array(12), bound, inner, bytes, SEALED_AT);

    const said = inner.subarray(258, 258 + length);
    const { part, parts } = letter.header;
    const long = part + 1 < parts ? length === 1024 : length >= 1 && length <= 1024;
    const zeros = !inner.subarray(258 + length).some((byte) => byte !== 0);
    const right = parts === 0 ? isReceipt(said) : parts > 1 || isUtf8(said);
    const sane = long && zeros && right;
    const message = concat(bound.subarray(0, HEADER), hash(bound.subarray(HEADER)), hash(said));
    const signed = sane && (await nodeAsymmetric.pssVerify(from.sig.modulus, Label.pm, message, signature));
    const wanted = !sane ? 'text' : signed ? 'opens' : 'signature';
    const result = await openEnvelope(ports, bytes, between(from, to));
    must((result.problem ?? 'opens') === wanted, () => `it says ${result.problem ?? 'opens'}, SPEC 7.4 ${wanted}`);
    must(result.problem !== undefined || samePublic(result.text, said), 'another text');
  };
}
const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
function isReceipt(bytes: Uint8Array): boolean {
  const ids = Buffer.from(bytes)
    .toString('hex')
    .match(/.{1,32}/g);
  return bytes.length % 16 === 0 && new Set(ids).size === ids?.length;
}
const isUtf8 = (bytes: Uint8Array): boolean => samePublic(Buffer.from(Buffer.from(bytes).toString('utf8')), bytes);

fuzz('a contact’s envelope opens only around a text that is one, signed', 5_000, hostile(product));

// ---- the fuzzer sees what it is for

const withSync = (sync: Partial<SyncCrypto>): Ports<NodeRsaPrivate> => ({ sync: { ...nodeSync, ...sync }, asymmetric });
const unchecked: SyncCrypto['aead'] = (key) => ({
  ...nodeSync.aead(key),
  open: (nonce, _aad, sealed) =>
    createDecipheriv('aes-256-gcm', key, nonce).update(sealed.subarray(0, sealed.length - TAG)),
});
const unsigned: Ports<NodeRsaPrivate> = {
  sync: nodeSync,
  asymmetric: { ...asymmetric, pssVerify: () => Promise.resolve(true) },
};
const anyBlock: Ports<NodeRsaPrivate> = {
  sync: nodeSync,
  asymmetric: { ...asymmetric, oaepOpen: async (...of) => (await asymmetric.oaepOpen(...of)) ?? new Uint8Array(32) },
};

findsBug('tags are not looked at', 5_000, opens(withSync({ aead: unchecked })));
findsBug('a block that does not open is zeros', 5_000, opens(anyBlock));
findsBug('signatures are not looked at', 5_000, hostile(unsigned));
