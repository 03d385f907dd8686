/** A text made into envelopes, one for each part, each naming the one before; or a receipt into one (SPEC 7.3). */
import {
  concat,
  conversationId,
  cutText,
  ENVELOPE_TEXT,
  ENVELOPE_VERSION,
  envelopeHash,
  fingerprint,
  fromHex,
  hex,
  RECEIPT_PARTS,
  sealEnvelope,
  SUITE_RSA,
  TEXT_MAX,
  utf8,
  writeReceipt,
} from '../../protocol/index.js';
import { cryptoOf, type Desk } from './desk.js';
import { error } from './errors.js';
import { noChain, type Chain, type Contact, type Outgoing } from './state.js';

/** A receipt has no text, and goes in one. */
export function partsOf(text: string): number {
  return Math.max(1, Math.ceil(utf8(text).length / ENVELOPE_TEXT));
}

/** In how many parts it goes. @throws ClientError where it can't be sent */
export function checkText(text: string): number {
  const { length } = utf8(text);
  if (length === 0) throw error('text-empty');
  if (length > TEXT_MAX) throw error('text-long', String(length), String(TEXT_MAX));
  if (hasLoneSurrogate(text)) throw error('text-invalid');
  return partsOf(text);
}

function hasLoneSurrogate(text: string): boolean {
  return /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

/** A text before it is sealed; or a receipt, of no text, for the messages with these ids. */
export type Draft = Pick<Outgoing, 'id' | 'text' | 'at'> & { readonly receipt?: readonly string[] };

export interface Sealed {
  /** of all parts, one behind the other */
  readonly envelope: string;
  /** where the conversation's chain stands behind the last part */
  readonly chain: Chain;
}

/** The draft's id is the message's, its time the same in all parts. */
export async function sealDraft(desk: Desk, contact: Contact, draft: Draft): Promise<Sealed> {
  const { id, text, at: time, receipt } = draft;
  const { me } = desk;
  const { keys } = contact;
  if (!keys) throw error('never-asked', contact.name);
  const ports = cryptoOf(desk);
  const recipient = fromHex(keys.uid);
  const enc = fromHex(keys.enc);
  const parts = receipt ? [writeReceipt(receipt.map(fromHex))] : cutText(utf8(text));
  const header = {
    version: ENVELOPE_VERSION,
    suite: SUITE_RSA,
    conversation: conversationId(ports.sync, me.uid, recipient),
    message: fromHex(id),
    sender: me.uid,
    recipient,
    senderKeys: fingerprint(ports.sync, { enc: me.enc.modulus, sig: me.sig.modulus }),
    recipientKeys: fingerprint(ports.sync, { enc, sig: fromHex(keys.sig) }),
    time,
    parts: receipt ? RECEIPT_PARTS : parts.length,
  };
  let chain = contact.sent.sequence === 0 ? noChain : contact.sent;
  const envelopes: Uint8Array[] = [];
  for (const [part, bytes] of parts.entries()) {
    const sequence = chain.sequence + 1;
    const fields = { ...header, sequence, previous: fromHex(chain.hash), part };
    const envelope = await sealEnvelope(ports, fields, bytes, enc, me.sig);
    envelopes.push(envelope);
    chain = { sequence, hash: hex(envelopeHash(ports.sync, envelope)) };
  }
  return { envelope: hex(concat(...envelopes)), chain };
}
