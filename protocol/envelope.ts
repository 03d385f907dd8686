/** The end-to-end envelope of a private message (SPEC 7.3): sealed to the recipient, signed by the sender. */
import { concat, copy, fromUtf8, isBelow, isZero, readUint, samePublic, writeUint } from './bytes.js';
import { readFields, writeFields } from './codec.js';
import type { RsaPrivate, SyncCrypto } from './crypto-port.js';
import { fieldsLength, type FieldValues } from './field.js';
import type { Ports } from './handshake.js';
import { label, Label } from './labels.js';
import {
  ENVELOPE,
  ENVELOPE_HEADER,
  ENVELOPE_INNER,
  ENVELOPE_TEXT,
  HASH,
  ID,
  KEY,
  NONCE,
  PARTS_MAX,
  RANDOM,
  RSA_BLOCK,
  SIGNATURE,
} from './limits.js';
import { readReceipt, RECEIPT_PARTS } from './receipt.js';

export const ENVELOPE_VERSION = 1;
/** RSA-2048-OAEP-SHA256, RSA-PSS-SHA256, AES-256-GCM. */
export const SUITE_RSA = 1;

const header = [
  { name: 'version', kind: 'uint', size: 1, max: 255 },
  { name: 'suite', kind: 'uint', size: 1, max: 255 },
  { name: 'conversation', kind: 'bytes', length: ID },
  { name: 'message', kind: 'bytes', length: ID },
  { name: 'sender', kind: 'bytes', length: ID },
  { name: 'recipient', kind: 'bytes', length: ID },
  { name: 'senderKeys', kind: 'bytes', length: HASH },
  { name: 'recipientKeys', kind: 'bytes', length: HASH },
  { name: 'sequence', kind: 'uint', size: 8 },
  { name: 'time', kind: 'uint', size: 8 },
  { name: 'previous', kind: 'bytes', length: HASH },
  { name: 'part', kind: 'uint', size: 2 },
  { name: 'parts', kind: 'uint', size: 2 },
] as const;
export const envelopeFields = header;
export type EnvelopeHeader = FieldValues<typeof header>;

const AT_MESSAGE = 2 + ID;
const AT_SENDER = AT_MESSAGE + ID;
const AT_RECIPIENT = AT_SENDER + ID;
const AT_SEALED = ENVELOPE_HEADER + RSA_BLOCK;
const AES_256_KEY = 2 * KEY;
const zeroNonce = new Uint8Array(NONCE);
const info = { key: label('pm key'), conversation: label('conversation') };

/** What a router reads: views of the envelope, 16 bytes each. */
export function envelopeSender(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(AT_SENDER, AT_RECIPIENT);
}
export function envelopeRecipient(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(AT_RECIPIENT, AT_RECIPIENT + ID);
}

/** The header as its author wrote it; nothing of it is proven before `openEnvelope`. */
export function readEnvelopeHeader(envelope: Uint8Array): EnvelopeHeader | undefined {
  if (envelope.length !== ENVELOPE) return undefined;
  for (const field of header) {
    if (field.kind === 'uint' && field.size === 8 && !Number.isSafeInteger(readUint(envelope, offset(field.name), 8)))
      return undefined;
  }
  return readFields(header, envelope, 0) as EnvelopeHeader;
}

function offset(name: string): number {
  return fieldsLength(
    header.slice(
      0,
      header.findIndex((field) => field.name === name),
    ),
  );
}

/** The same for both: H of the two uids in order, 16 bytes (SPEC 7.2). */
export function conversationId(sync: SyncCrypto, a: Uint8Array, b: Uint8Array): Uint8Array {
  const [low, high] = isBelow(a, b) ? [a, b] : [b, a];
  return sync.sha256(info.conversation, low, high).subarray(0, ID);
}

/** The frame id of the `smpu` that carries a part: the message's id, its last two bytes XORed with the part (SPEC 8.1). */
export function partFrameId(message: Uint8Array, part: number): Uint8Array {
  const id = copy(message);
  writeUint(id, ID - 2, 2, readUint(id, ID - 2, 2) ^ part);
  return id;
}

/** A text's bytes as the parts of a message carry them: 1024 bytes each, the last what is left. */
export function cutText(text: Uint8Array): Uint8Array[] {
  const parts = Math.ceil(text.length / ENVELOPE_TEXT);
  return Array.from({ length: parts }, (_, part) => text.subarray(part * ENVELOPE_TEXT, (part + 1) * ENVELOPE_TEXT));
}

/** undefined where the parts together are no UTF-8. */
export function joinText(parts: readonly Uint8Array[]): string | undefined {
  return fromUtf8(concat(...parts));
}

/** What the next envelope of this sender in this conversation names as `previous`. */
export function envelopeHash(sync: SyncCrypto, envelope: Uint8Array): Uint8Array {
  return sync.sha256(envelope);
}

function messageKey(sync: SyncCrypto, k: Uint8Array, bound: Uint8Array): Uint8Array {
  return sync.hkdf(k, sync.sha256(bound), info.key, AES_256_KEY);
}

function signedMessage(sync: SyncCrypto, hdr: Uint8Array, block: Uint8Array, text: Uint8Array): Uint8Array {
  return concat(hdr, sync.sha256(block), sync.sha256(text));
}

/**
 * @param text 1 to 1024 bytes: UTF-8, one part of a longer text that is, or what a receipt says
 * @param recipientEnc the recipient's `enc` modulus, pinned
 * @param senderSig the sender's own `sig` key
 * @throws RangeError where the text is empty or too long, or is none of a receipt where the header says so
 */
export async function sealEnvelope(
  ports: Ports,
  fields: EnvelopeHeader,
  text: Uint8Array,
  recipientEnc: Uint8Array,
  senderSig: RsaPrivate,
): Promise<Uint8Array> {
  if (text.length < 1 || text.length > ENVELOPE_TEXT) throw new RangeError('envelope: text length');
  if (fields.parts === RECEIPT_PARTS && !readReceipt(text)) throw new RangeError('envelope: receipt');
  const { sync, asymmetric } = ports;
  const envelope = new Uint8Array(ENVELOPE);
  writeFields(header, fields, envelope, 0);
  const hdr = envelope.subarray(0, ENVELOPE_HEADER);
  const k = sync.random(RANDOM);
  const block = await asymmetric.oaepSeal(recipientEnc, Label.pm, k);
  envelope.set(block, ENVELOPE_HEADER);
  const inner = new Uint8Array(ENVELOPE_INNER);
  inner.set(await asymmetric.pssSign(senderSig, Label.pm, signedMessage(sync, hdr, block, text)));
  writeUint(inner, SIGNATURE, 2, text.length);
  inner.set(text, SIGNATURE + 2);
  const bound = envelope.subarray(0, AT_SEALED);
  sync.aead(messageKey(sync, k, bound)).seal(zeroNonce, bound, inner, envelope, AT_SEALED);
  k.fill(0);
  return envelope;
}

/** The step at which an envelope is refused, in the order of SPEC 7.4. */
export type EnvelopeProblem = 'header' | 'recipient' | 'sender' | 'keys' | 'block' | 'seal' | 'text' | 'signature';

export interface Correspondents {
  readonly recipient: Uint8Array;
  readonly recipientKeys: Uint8Array;
  readonly recipientEnc: RsaPrivate;
  readonly sender: Uint8Array;
  readonly senderKeys: Uint8Array;
  readonly senderSig: Uint8Array;
}

export type OpenedEnvelope =
  /** `text`: the bytes of this part; the ids of a receipt, where `header.parts` is 0 */
  | { readonly problem?: undefined; readonly header: EnvelopeHeader; readonly text: Uint8Array }
  | { readonly problem: EnvelopeProblem };

export async function openEnvelope(ports: Ports, envelope: Uint8Array, who: Correspondents): Promise<OpenedEnvelope> {
  const { sync, asymmetric } = ports;
  const fields = readEnvelopeHeader(envelope);
  if (fields?.version !== ENVELOPE_VERSION || fields.suite !== SUITE_RSA) return { problem: 'header' };
  if (fields.parts > PARTS_MAX || fields.part >= Math.max(fields.parts, 1)) return { problem: 'header' };
  if (fields.sequence <= fields.part) return { problem: 'header' }; // the first part's would be below 1
  if (!samePublic(fields.recipient, who.recipient)) return { problem: 'recipient' };
  if (!samePublic(fields.sender, who.sender)) return { problem: 'sender' };
  if (!samePublic(fields.conversation, conversationId(sync, who.sender, who.recipient))) return { problem: 'header' };
  if (!samePublic(fields.recipientKeys, who.recipientKeys)) return { problem: 'keys' };
  if (!samePublic(fields.senderKeys, who.senderKeys)) return { problem: 'keys' };
  const bound = envelope.subarray(0, AT_SEALED);
  const block = envelope.subarray(ENVELOPE_HEADER, AT_SEALED);
  const k = await asymmetric.oaepOpen(who.recipientEnc, Label.pm, block);
  if (k?.length !== RANDOM) return { problem: 'block' };
  const inner = sync.aead(messageKey(sync, k, bound)).open(zeroNonce, bound, envelope.subarray(AT_SEALED));
  k.fill(0);
  if (!inner) return { problem: 'seal' };
  const length = readUint(inner, SIGNATURE, 2);
  if (length < 1 || length > ENVELOPE_TEXT || !isZero(inner.subarray(SIGNATURE + 2 + length)))
    return { problem: 'text' };
  if (fields.part + 1 < fields.parts && length !== ENVELOPE_TEXT) return { problem: 'text' };
  const text = inner.subarray(SIGNATURE + 2, SIGNATURE + 2 + length);
  /* A part of several may begin and end within a character: those are checked when joined. */
  if (fields.parts === 1 && joinText([text]) === undefined) return { problem: 'text' };
  if (fields.parts === RECEIPT_PARTS && !readReceipt(text)) return { problem: 'text' };
  const message = signedMessage(sync, envelope.subarray(0, ENVELOPE_HEADER), block, text);
  if (!(await asymmetric.pssVerify(who.senderSig, Label.pm, message, inner.subarray(0, SIGNATURE))))
    return { problem: 'signature' };
  return { header: copied(fields), text };
}

/** The header's views copied, so that it outlives the frame it came in. */
function copied(fields: EnvelopeHeader): EnvelopeHeader {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'number' ? value : copy(value)]),
  ) as unknown as EnvelopeHeader;
}
