/** The event by which a sender learns that a queued message was delivered (SPEC 8.2). */
import { encodeFields, Opcode, structs } from '../../protocol/index.js';
import type { QueueEntry } from '../store/store.js';

/** @param message the acknowledged entry; its key is the frame id of the `smpu` that brought it */
export function deliveredEntry(id: Uint8Array, recipient: Uint8Array, message: QueueEntry, at: number): QueueEntry {
  const fields = encodeFields(structs.dlvd, { message: message.key, recipient, at });
  return { id, opcode: Opcode.dlvd, from: recipient, key: message.key, time: at, fields };
}
