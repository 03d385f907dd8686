/** The events of a room (SPEC 9.14), as entries of queues. */
import {
  ANSWER_HEADER,
  encodeFields,
  fieldOffset,
  readUint,
  RSA_BLOCK,
  structs,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import type { QueueEntry, RoomMessage } from '../store/store.js';
import { idKey } from './keys.js';
import type { Room } from './room.js';
import type { EnteredRow, InvitedRow } from './room-state.js';

/** What makes an event one of its own. */
export interface Ids {
  readonly nextId: () => Uint8Array;
  readonly now: () => number;
}

/** Events of one change may be one entry for many: each is told by its own id. */
function entry<S extends Struct>({ nextId, now }: Ids, room: Room, struct: S, values: Values<S>): QueueEntry {
  const id = nextId();
  return { id, opcode: struct.opcode, from: room.id, key: id, time: now(), fields: encodeFields(struct, values) };
}

/** @param keys the moduli of who entered */
export function enteredEvent(
  ids: Ids,
  room: Room,
  row: EnteredRow,
  keys: { readonly enc: Uint8Array; readonly sig: Uint8Array },
): QueueEntry {
  const { id, version, epoch } = room;
  const { enc, sig } = keys;
  return entry(ids, room, structs.enrm, { ...row, room: id, version, epoch, enc, sig });
}

export function leftEvent(ids: Ids, room: Room, uid: Uint8Array, what: number): QueueEntry {
  return entry(ids, room, structs.lfrm, { room: room.id, version: room.version, uid, what });
}

/** @param head the hash that the inviter named */
export function invitedEvent(ids: Ids, room: Room, row: InvitedRow, head: Uint8Array): QueueEntry {
  const { id, name, epoch } = room;
  return entry(ids, room, structs.ivrm, { ...row, room: id, name, kind: room.state.kind, epoch, head });
}

const AT_BLOCK = fieldOffset(structs.chrm, 'block') - ANSWER_HEADER;

/** Makes the event of a new epoch for whoever has this block. */
export function changedEvents(
  ids: Ids,
  room: Room,
  renewed: number,
  removed: readonly { readonly uid: Uint8Array }[],
): (block: Uint8Array) => QueueEntry {
  const { id, version, state } = room;
  const none = new Uint8Array(RSA_BLOCK);
  const values = { ...state.head, room: id, version, renewed, block: none, removed };
  const all = entry(ids, room, structs.chrm, values);
  return (block) => {
    const own = ids.nextId();
    const fields = all.fields.slice();
    fields.set(block, AT_BLOCK);
    return { ...all, id: own, key: own, fields };
  };
}

const atEpoch = fieldOffset(structs.rvrm, 'epoch') - ANSWER_HEADER;

/** Of what is kept, what somebody can read who has the keys of this epoch alone: messages of which no part is older. */
export function readableIn(epoch: number, said: readonly RoomMessage[]): readonly RoomMessage[] {
  const isOlder = ({ fields }: RoomMessage): boolean => readUint(fields, atEpoch, 4) < epoch;
  const name = ({ from, message }: RoomMessage): string => idKey(from) + idKey(message);
  const older = new Set(said.filter(isOlder).map(name));
  return said.filter((each) => !older.has(name(each)));
}
