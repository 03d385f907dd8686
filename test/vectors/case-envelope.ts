/** Vectors of the envelope, sealed here from SPEC 7.3 and not by the code: one sound, one for each reason to refuse. */
import {
  concat,
  conversationId,
  ENVELOPE_HEADER,
  ENVELOPE_TEXT,
  envelopeFields,
  fingerprint,
  Label,
  utf8,
  writeFields,
  writeUint,
  type EnvelopeHeader,
  type EnvelopeProblem,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { oaepSealWith, pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import { privateHex, type TestKeys } from './keys.js';
import { Seeded } from './seeded.js';

interface Change {
  readonly name: string;
  readonly what: string;
  readonly step: EnvelopeProblem;
  readonly header?: Partial<EnvelopeHeader>;
  readonly label?: string;
  readonly length?: number;
  readonly tail?: number;
  readonly text?: Uint8Array;
  readonly signed?: (message: Uint8Array) => Uint8Array;
  readonly sealed?: (envelope: Uint8Array) => void;
}

const some = (what: string, length: number): Uint8Array => new Seeded(`envelope ${what}`).bytes(length);
const flip =
  (where: number) =>
  (bytes: Uint8Array): void => {
    bytes[where] = (bytes[where] ?? 0) ^ 1;
  };
const AT_BLOCK = ENVELOPE_HEADER;
const AT_SEALED = ENVELOPE_HEADER + 256;

const receipt = { parts: 0, part: 0 };
/** What a receipt of so many messages says. */
const ids = (count: number): Uint8Array => some('ids', 16 * count);
/** The same message as its author signs it who wrote a text of one part. */
const asText = (message: Uint8Array): Uint8Array => {
  const signed = message.slice();
  writeUint(signed, ENVELOPE_HEADER - 2, 2, 1);
  return signed;
};

const changes: readonly Change[] = [
  { name: 'version', what: 'envelope version 2', step: 'header', header: { version: 2 } },
  { name: 'suite', what: 'suite 0', step: 'header', header: { suite: 0 } },
  { name: 'part', what: 'part 1 of 1, counted from 0', step: 'header', header: { part: 1 } },
  { name: 'parts-65', what: 'a message of 65 parts', step: 'header', header: { parts: 65 }, text: some('text', 1024) },
  {
    name: 'sequence',
    what: 'part 7, counted from 0, with sequence 7: the first would have 0',
    step: 'header',
    header: { part: 7, parts: 8 },
  },
  {
    name: 'conversation',
    what: 'the id of another conversation',
    step: 'header',
    header: { conversation: some('conversation', 16) },
  },
  {
    name: 'recipient',
    what: 'made for another recipient',
    step: 'recipient',
    header: { recipient: some('other', 16) },
  },
  { name: 'sender', what: 'from another sender than said', step: 'sender', header: { sender: some('other', 16) } },
  {
    name: 'recipient-keys',
    what: 'made for keys that the recipient does not have',
    step: 'keys',
    header: { recipientKeys: some('keys', 32) },
  },
  {
    name: 'sender-keys',
    what: 'keys of the sender that are not the pinned ones',
    step: 'keys',
    header: { senderKeys: some('keys', 32) },
  },
  { name: 'block', what: 'the RSA block under another label', step: 'block', label: 'cadenas/1 s2' },
  { name: 'block-flipped', what: 'one bit of the RSA block flipped', step: 'block', sealed: flip(AT_BLOCK + 100) },
  { name: 'time', what: 'the time changed on the way', step: 'seal', sealed: flip(ENVELOPE_HEADER - 37) },
  { name: 'seal', what: 'one bit of the sealed part flipped', step: 'seal', sealed: flip(AT_SEALED + 300) },
  { name: 'text-empty', what: 'a text of no bytes', step: 'text', text: new Uint8Array(0) },
  { name: 'text-length', what: 'a length of 1,025', step: 'text', length: ENVELOPE_TEXT + 1 },
  { name: 'text-padding', what: 'a byte behind the text', step: 'text', tail: 1 },
  { name: 'text-utf8', what: 'a text that is not UTF-8', step: 'text', text: Uint8Array.of(0x61, 0xff) },
  {
    name: 'text-short',
    what: 'a part of 1,023 bytes that is not the last',
    step: 'text',
    header: { parts: 2 },
    text: some('text', ENVELOPE_TEXT - 1),
  },
  {
    name: 'receipt-part',
    what: 'a receipt that says it is part 1',
    step: 'header',
    header: { parts: 0, part: 1 },
    text: ids(2),
  },
  { name: 'receipt-empty', what: 'a receipt of no ids', step: 'text', header: receipt, text: ids(0) },
  { name: 'receipt-cut', what: 'a receipt of 31 bytes', step: 'text', header: receipt, text: ids(2).subarray(1) },
  { name: 'receipt-long', what: 'a receipt of 65 ids', step: 'text', header: receipt, text: ids(64), length: 1040 },
  {
    name: 'receipt-twice',
    what: 'a receipt that names a message twice',
    step: 'text',
    header: receipt,
    text: concat(ids(3), ids(1)),
  },
  {
    name: 'receipt-signature',
    what: 'a text whose header was made that of a receipt: the sealing is right, the signature is of the text',
    step: 'signature',
    header: receipt,
    text: utf8('16 bytes of text'),
    signed: asText,
  },
  {
    name: 'signature',
    what: 'a signature over another header: the sealing is right',
    step: 'signature',
    signed: (m) => concat(m.subarray(1), m.subarray(0, 1)),
  },
];

const uids = { sender: some('sender', 16), recipient: some('recipient', 16) };

function correspondents(keys: TestKeys) {
  const prints = {
    senderKeys: fingerprint(nodeSync, { enc: keys.senderEnc.modulus, sig: keys.senderSig.modulus }),
    recipientKeys: fingerprint(nodeSync, { enc: keys.recipientEnc.modulus, sig: keys.recipientSig.modulus }),
  };
  return { ...uids, ...prints, recipientEncPrivate: privateHex(keys.recipientEnc), senderSig: keys.senderSig.modulus };
}

function soundHeader(keys: TestKeys): EnvelopeHeader {
  const { senderKeys, recipientKeys } = correspondents(keys);
  return {
    version: 1,
    suite: 1,
    conversation: conversationId(nodeSync, uids.sender, uids.recipient),
    message: some('message', 16),
    ...uids,
    senderKeys,
    recipientKeys,
    sequence: 7,
    time: NOW,
    previous: some('previous', 32),
    part: 0,
    parts: 1,
  };
}

function sealed(keys: TestKeys, header: EnvelopeHeader, text: Uint8Array, change: Partial<Change>): Uint8Array {
  const hdr = new Uint8Array(ENVELOPE_HEADER);
  writeFields(envelopeFields, header, hdr, 0);
  const k = some('k', 32);
  const label = change.label === undefined ? Label.pm : utf8(change.label);
  const block = oaepSealWith(some('seed', 32), keys.recipientEnc.modulus, label, k);
  const message = concat(hdr, nodeSync.sha256(block), nodeSync.sha256(text));
  const inner = new Uint8Array(256 + 2 + ENVELOPE_TEXT);
  inner.set(pssSignWith(some('salt', 32), keys.senderSig, Label.pm, change.signed?.(message) ?? message));
  writeUint(inner, 256, 2, change.length ?? text.length);
  inner.set(text, 258);
  if (change.tail !== undefined) inner[258 + text.length] = change.tail;
  const bound = concat(hdr, block);
  const out = concat(bound, new Uint8Array(inner.length + 16));
  const key = nodeSync.hkdf(k, nodeSync.sha256(bound), utf8('cadenas/1 pm key'), 32);
  nodeSync.aead(key).seal(new Uint8Array(12), bound, inner, out, bound.length);
  change.sealed?.(out);
  return out;
}

const TEXT = 'Bonjour, ça va ? 🔒';

/** The second of two parts: the cut goes through a character. */
function part(keys: TestKeys): Case[1] {
  const header = { ...soundHeader(keys), sequence: 8, part: 1, parts: 2 };
  const bytes = utf8(`x${'ž'.repeat(600)}`).subarray(ENVELOPE_TEXT);
  const frame = some('message', 16);
  frame[15] = (frame[15] ?? 0) ^ 1;
  const values = { who: correspondents(keys), k: some('k', 32), header, frame, bytes };
  const what = 'the last of two parts: it begins within a character';
  const envelope = sealed(keys, header, bytes, {});
  return { kind: 'envelope', what, expect: 'accepted', ...(toJson({ ...values, envelope }) as object) };
}

/** The eighth envelope of its sender: what was read of the other's. */
function readReceipt(keys: TestKeys): Case[1] {
  const header = { ...soundHeader(keys), ...receipt, sequence: 8 };
  const values = { who: correspondents(keys), k: some('k', 32), header, frame: some('message', 16), bytes: ids(3) };
  const envelope = sealed(keys, header, ids(3), {});
  return {
    kind: 'envelope',
    what: 'a receipt for three messages',
    expect: 'accepted',
    ...(toJson({ ...values, envelope }) as object),
  };
}

export function envelopeCases(keys: TestKeys): readonly Case[] {
  const who = correspondents(keys);
  const envelope = sealed(keys, soundHeader(keys), utf8(TEXT), {});
  const what = 'an envelope that its recipient opens';
  const whole = { who, k: some('k', 32), header: soundHeader(keys), frame: some('message', 16), text: TEXT, envelope };
  const sound = { kind: 'envelope', what, expect: 'accepted', ...(toJson(whole) as object) } as const;
  const refused = changes.map((change): Case => {
    const header = { ...soundHeader(keys), ...change.header };
    const bytes = sealed(keys, header, change.text ?? utf8(TEXT), change);
    const vector = {
      kind: 'envelope',
      what: `an envelope refused: ${change.what}`,
      expect: 'refused',
      step: change.step,
    } as const;
    return [`envelope-refused-${change.name}`, { ...vector, ...(toJson({ who, envelope: bytes }) as object) }];
  });
  return [['envelope', sound], ['envelope-part', part(keys)], ['envelope-receipt', readReceipt(keys)], ...refused];
}
