/** A room: the state that its records lead to. */
import { ID } from '../../../protocol/index.js';
import { History, readSaidRecord } from './history.js';
import { Kind, readRoom, type RoomValue } from './records.js';

export class RoomState {
  /** undefined: there is no room, or none any more */
  value: RoomValue | undefined;
  /** the record that made it so */
  payload: Uint8Array | undefined;
  history = new History();

  /** False where this is no record of a room. */
  apply(payload: Uint8Array): boolean {
    if (payload[0] === Kind.room) {
      this.value = readRoom(payload);
      this.payload = payload;
      return this.value !== undefined;
    }
    if (payload[0] === Kind.said) {
      const said = readSaidRecord(payload);
      if (said && !this.history.knows(said.replay)) this.history.add(said);
      return said !== undefined;
    }
    if (payload[0] !== Kind.roomDeleted || payload.length !== 1 + ID) return false;
    this.value = undefined;
    this.payload = undefined;
    this.history = new History();
    return true;
  }

  /** The records of all this. */
  snapshot(): Uint8Array[] {
    return [...(this.payload ? [this.payload] : []), ...this.history.all().map((said) => said.payload)];
  }

  /** bytes of memory, about */
  get bytes(): number {
    return 400 + (this.payload?.length ?? 0) + this.history.bytes;
  }
}
