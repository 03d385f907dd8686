/** A room: the state that its records lead to. */
import { ID } from '../../../protocol/index.js';
import type { RoomMessage } from '../store.js';
import { Kind, latin1, readRoom, readSaid, type RoomValue } from './records.js';

/** Messages of a room that stay. */
const HISTORY = 20;

interface Said {
  readonly message: RoomMessage;
  readonly payload: Uint8Array;
  readonly replay: string;
}

export class RoomState {
  /** undefined: there is no room, or none any more */
  value: RoomValue | undefined;
  /** the record that made it so */
  payload: Uint8Array | undefined;
  said: readonly Said[] = [];

  /** False where this is no record of a room. */
  apply(payload: Uint8Array): boolean {
    if (payload[0] === Kind.room) {
      this.value = readRoom(payload);
      this.payload = payload;
      return this.value !== undefined;
    }
    if (payload[0] === Kind.said) {
      const said = readSaidRecord(payload);
      if (said && !this.knows(said.replay)) this.said = [...this.said, said].slice(-HISTORY);
      return said !== undefined;
    }
    if (payload[0] !== Kind.roomDeleted || payload.length !== 1 + ID) return false;
    this.value = undefined;
    this.payload = undefined;
    this.said = [];
    return true;
  }

  knows(replay: string): boolean {
    return this.said.some((said) => said.replay === replay);
  }

  /** The records of all this. */
  snapshot(): Uint8Array[] {
    return [...(this.payload ? [this.payload] : []), ...this.said.map((said) => said.payload)];
  }

  /** bytes of memory, about */
  get bytes(): number {
    return this.snapshot().reduce((sum, { length }) => sum + length + 200, 200);
  }
}

export function replayOf(message: RoomMessage): string {
  return latin1(message.from) + latin1(message.key);
}

function readSaidRecord(payload: Uint8Array): Said | undefined {
  const message = readSaid(payload);
  return message && { message, payload, replay: replayOf(message) };
}
