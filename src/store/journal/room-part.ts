/** One room in use. */
import type { KeptRoom, RoomChange, RoomMessage } from '../store.js';
import type { Changes } from './changes.js';
import type { Part } from './pool.js';
import { idBytes, roomRecord, saidRecord } from './records.js';
import { namesOf, readSaidRecord } from './history.js';
import type { RoomState } from './room.js';

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
    const { payload } = this.#state;
    const record = roomRecord(this.#id, { version: version + 1, owner, name: before.name, state });
    this.#state.apply(record);
    await this.#changes.append(record, () => {
      Object.assign(this.#state, { value: before, payload });
    });
    return 'changed';
  }

  async say(message: RoomMessage): Promise<'said' | 'known'> {
    const { history } = this.#state;
    if (history.knows(namesOf(message).replay)) return (await this.#changes.settled()) ? 'known' : this.say(message);
    const record = saidRecord(this.#id, message);
    const said = readSaidRecord(record);
    if (!said) throw new RangeError('store: no such message can be');
    const gone = history.add(said);
    await this.#changes.append(record, () => {
      history.undo(said, gone);
    });
    return 'said';
  }

  said(): Promise<readonly RoomMessage[]> {
    return this.#changes.read(() => this.#state.history.all().map(({ message }) => message));
  }
}
