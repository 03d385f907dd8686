/** Envelopes: what their recipient opens, and that nobody else and nothing else does (SPEC 7.3, 7.4). */
import { test } from 'tap';
import {
  concat,
  conversationId,
  cutText,
  ENVELOPE,
  ENVELOPE_TEXT,
  envelopeHash,
  envelopeRecipient,
  envelopeSender,
  fingerprint,
  hex,
  joinText,
  openEnvelope,
  readEnvelopeHeader,
  readReceipt,
  RECEIPT_MAX,
  sealEnvelope,
  utf8,
  writeReceipt,
  type Correspondents,
  type EnvelopeHeader,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const some = (what: string, length: number): Uint8Array => new Seeded(`envelope unit ${what}`).bytes(length);
const keys = await readTestKeys();
const print = (enc: Uint8Array, sig: Uint8Array): Uint8Array => fingerprint(nodeSync, { enc, sig });
const who: Correspondents = {
  recipient: some('recipient', 16),
  recipientKeys: print(keys.recipientEnc.modulus, keys.recipientSig.modulus),
  recipientEnc: keys.recipientEnc,
  sender: some('sender', 16),
  senderKeys: print(keys.senderEnc.modulus, keys.senderSig.modulus),
  senderSig: keys.senderSig.modulus,
};
const header: EnvelopeHeader = {
  version: 1,
  suite: 1,
  conversation: conversationId(nodeSync, who.sender, who.recipient),
  message: some('message', 16),
  sender: who.sender,
  recipient: who.recipient,
  senderKeys: who.senderKeys,
  recipientKeys: who.recipientKeys,
  sequence: 1,
  time: 1_760_000_000_000,
  previous: new Uint8Array(32),
  part: 0,
  parts: 1,
};
const seal = (text: Uint8Array, fields: EnvelopeHeader = header): Promise<Uint8Array> =>
  sealEnvelope(ports, fields, text, keys.recipientEnc.modulus, keys.senderSig);

test('texts of every length come back', async (t) => {
  for (const text of [
    'a',
    'x'.repeat(ENVELOPE_TEXT),
    'é'.repeat(ENVELOPE_TEXT / 2),
    '🔒'.repeat(ENVELOPE_TEXT / 4),
    '\u0000\ufeff{bold}',
  ]) {
    const envelope = await seal(utf8(text));
    t.equal(envelope.length, ENVELOPE);
    const opened = await openEnvelope(ports, envelope, who);
    t.equal(opened.problem, undefined);
    if (opened.problem === undefined) t.equal(joinText([opened.text]), text);
  }
});

test('empty and too long texts are not sealed', async (t) => {
  await t.rejects(seal(new Uint8Array(0)), RangeError);
  await t.rejects(seal(new Uint8Array(ENVELOPE_TEXT + 1)), RangeError);
});

test('the header is readable on the way, and what the router reads is in it', async (t) => {
  const envelope = await seal(utf8('text'));
  const read = readEnvelopeHeader(envelope);
  t.equal(read?.sequence, 1);
  t.equal(hex(envelopeSender(envelope)), hex(who.sender));
  t.equal(hex(envelopeRecipient(envelope)), hex(who.recipient));
  t.equal(hex(envelopeHash(nodeSync, envelope)), hex(nodeSync.sha256(envelope)));
  t.equal(readEnvelopeHeader(envelope.subarray(1)), undefined);
});

test('no byte of an envelope can be changed', async (t) => {
  const envelope = await seal(utf8('text'));
  const seeded = new Seeded('envelope flips');
  const places = [
    ...Array.from({ length: 182 }, (_, i) => i),
    ...Array.from({ length: 40 }, () => 182 + seeded.below(ENVELOPE - 182)),
  ];
  for (const at of places) {
    const changed = envelope.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << seeded.below(8));
    const opened = await openEnvelope(ports, changed, who);
    if (opened.problem === undefined) t.fail(`byte ${String(at)}`);
  }
  t.pass(`${String(places.length)} places`);
});

test('two envelopes of the same text share nothing that is sealed', async (t) => {
  const [one, other] = [await seal(utf8('text')), await seal(utf8('text'))];
  t.equal(hex(one.subarray(0, 182)), hex(other.subarray(0, 182)));
  t.not(hex(one.subarray(182, 438)), hex(other.subarray(182, 438)));
  t.not(hex(one.subarray(438)), hex(other.subarray(438)));
});

test('somebody who forwards an envelope is not taken for its author, nor their reader for its recipient', async (t) => {
  const envelope = await seal(utf8('text'));
  const third = { ...who, recipient: some('third', 16), recipientEnc: keys.senderEnc };
  t.same(await openEnvelope(ports, envelope, third), { problem: 'recipient' });
  const readdressed = envelope.slice();
  readdressed.set(third.recipient, 2 + 3 * 16);
  t.equal((await openEnvelope(ports, readdressed, third)).problem, 'header', 'the conversation is of two others');
  t.equal(
    (await openEnvelope(ports, envelope, { ...who, recipientEnc: keys.senderEnc })).problem,
    'block',
    'another key',
  );
  t.equal((await openEnvelope(ports, envelope, { ...who, senderSig: keys.senderEnc.modulus })).problem, 'signature');
});

test('the opened header outlives the frame that it came in', async (t) => {
  const envelope = await seal(utf8('text'));
  const opened = await openEnvelope(ports, envelope, who);
  envelope.fill(0);
  if (opened.problem === undefined) t.equal(hex(opened.header.message), hex(header.message));
  else t.fail(opened.problem);
});

test('a conversation has one id, whoever asks', (t) => {
  const [a, b] = [some('a', 16), some('b', 16)];
  t.equal(hex(conversationId(nodeSync, a, b)), hex(conversationId(nodeSync, b, a)));
  t.not(hex(conversationId(nodeSync, a, b)), hex(conversationId(nodeSync, a, some('c', 16))));
  t.equal(conversationId(nodeSync, a, b).length, 16);
  t.end();
});

test('a text is cut into parts that are full but for the last', (t) => {
  const lengths = (length: number): number[] => cutText(new Uint8Array(length)).map((part) => part.length);
  t.same(lengths(1), [1]);
  t.same(lengths(ENVELOPE_TEXT), [ENVELOPE_TEXT]);
  t.same(lengths(2 * ENVELOPE_TEXT + 1), [ENVELOPE_TEXT, ENVELOPE_TEXT, 1]);
  const text = 'é🔒'.repeat(400);
  t.equal(joinText(cutText(new TextEncoder().encode(`x${text}`))), `x${text}`, 'wherever the cuts fall');
  t.end();
});

const ids = (count: number): Uint8Array[] => Array.from({ length: count }, (_, n) => some(`id ${String(n)}`, 16));
const receipt: EnvelopeHeader = { ...header, parts: 0 };

test('a receipt names one message or as many as there may be', async (t) => {
  for (const count of [1, 2, RECEIPT_MAX]) {
    const opened = await openEnvelope(ports, await seal(writeReceipt(ids(count)), receipt), who);
    t.equal(opened.problem, undefined);
    if (opened.problem !== undefined) continue;
    t.equal(opened.header.parts, 0);
    t.same(readReceipt(opened.text)?.map(hex), ids(count).map(hex));
  }
});

test('what is no receipt is not sealed as one', async (t) => {
  const [one] = ids(1);
  for (const bytes of [new Uint8Array(15), new Uint8Array(1023), concat(...ids(2), one ?? header.message)]) {
    t.equal(readReceipt(bytes), undefined);
    await t.rejects(seal(bytes, receipt), RangeError);
  }
  t.equal(readReceipt(new Uint8Array(0)), undefined);
  t.equal(readReceipt(writeReceipt(ids(RECEIPT_MAX + 1))), undefined);
});

test('a text is not taken for a receipt, nor a receipt for a text', async (t) => {
  const bytes = writeReceipt(ids(2));
  for (const [made, said] of [
    [receipt, header],
    [header, receipt],
  ] as const) {
    const sealed = await seal(made === header ? utf8('x'.repeat(32)) : bytes, made);
    const changed = sealed.slice();
    changed[181] = said.parts;
    t.same(await openEnvelope(ports, changed, who), { problem: 'seal' }, 'on the way');
  }
  const numbered = await seal(bytes, { ...receipt, part: 1, sequence: 2 });
  t.same(await openEnvelope(ports, numbered, who), { problem: 'header' }, 'it has no parts');
});
