/** One room in use. */
import type { KeptRoom, RoomChange, RoomMessage } from '../store.js';
import type { Changes } from './changes.js';
import type { Part } from './pool.js';
import { idBytes, roomRecord, saidRecord } from './records.js';
import { replayOf, type RoomState } from './room.js';

export class RoomPart implements Part {
  readonly #id: string;
  readonly #state: RoomState;
  readonly #changes: Changes;

  constructor(id: string, state: RoomState, changes: Changes) {
    this.#id = id;
    this.#state = state;
    this.#changes = changes;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  room(): Promise<KeptRoom | undefined> {
    return this.#changes.read(() => this.#state.value && { id: idBytes(this.#id), ...this.#state.value });
  }

  async change(version: number, { owner, state }: RoomChange): Promise<'changed' | 'stale'> {
    const before = this.#state.value;
    if (before?.version !== version) {
      return (await this.#changes.settled()) ? 'stale' : this.change(version, { owner, state });
    }
    await this.#append(roomRecord(this.#id, { version: version + 1, owner, name: before.name, state }));
    return 'changed';
  }

  async say(message: RoomMessage): Promise<'said' | 'known'> {
    if (this.#state.knows(replayOf(message))) return (await this.#changes.settled()) ? 'known' : this.say(message);
    await this.#append(saidRecord(this.#id, message));
    return 'said';
  }

  said(): Promise<readonly RoomMessage[]> {
    return this.#changes.read(() => this.#state.said.map(({ message }) => message));
  }

  #append(record: Uint8Array): Promise<void> {
    const { value, payload, said } = this.#state;
    this.#state.apply(record);
    return this.#changes.append(record, () => {
      Object.assign(this.#state, { value, payload, said });
    });
  }
}
