/** Private messages as far as the daemon can see them: an envelope with a sound header and a number. */
import {
  conversationId,
  ENVELOPE,
  ENVELOPE_HEADER,
  envelopeFields,
  readEnvelopeHeader,
  structs,
  SUITE_RSA,
  writeFields,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { RawConnection, RawUser, Received } from './raw.js';

/** @param id the message's, 16 bytes; default: random. It is also what the sealed part is filled with. */
export function letter(from: RawUser, to: RawUser, number: number, id = nodeSync.random(16)): Buffer {
  const bytes = Buffer.alloc(ENVELOPE, id);
  const none = new Uint8Array(32);
  const fields = {
    version: 1,
    suite: SUITE_RSA,
    conversation: conversationId(nodeSync, from.uid, to.uid),
    message: id,
    sender: from.uid,
    recipient: to.uid,
    senderKeys: none,
    recipientKeys: none,
    sequence: number,
    time: 0,
    previous: none,
    part: 0,
    parts: 1,
  };
  writeFields(envelopeFields, fields, bytes.subarray(0, ENVELOPE_HEADER), 0);
  return bytes;
}

/** The number of a delivered message; -1 where its header is none. */
export function numberOf({ values }: Received): number {
  return readEnvelopeHeader((values as Values<typeof structs.rvum>).envelope)?.sequence ?? -1;
}

export function acknowledge(raw: RawConnection, ...ids: Uint8Array[]): void {
  raw.send(structs.ackd, { ids: ids.map((id) => ({ id })) });
}
