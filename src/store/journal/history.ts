/** What was said in a room last: the newest messages, each with all its parts. */
import { MAX_SAID, MAX_SAID_PARTS, type RoomMessage } from '../store.js';
import { Ordered, type Item } from './ordered.js';
import { latin1, readSaid } from './records.js';

export interface Said {
  readonly message: RoomMessage;
  readonly payload: Uint8Array;
  readonly replay: string;
  /** what its other parts have in common with it */
  readonly whole: string;
}

/** What an entry takes in memory besides its payload, about. */
const MEMORY = 400;

export class History {
  readonly #said = new Ordered<Said>();
  /** replays of each message's parts; the message that began first is the first */
  #parts = new Map<string, Set<string>>();
  /** bytes of memory, about */
  bytes = 0;

  knows(replay: string): boolean {
    return this.#said.get(replay) !== undefined;
  }

  /** Messages, whatever the number of their parts. */
  get messages(): number {
    return this.#parts.size;
  }

  /** The oldest first. */
  all(): Said[] {
    return this.#said.values();
  }

  /** Gives what went for it. It is not known yet. */
  add(said: Said): Item<Said>[] {
    this.#said.add(said.replay, said);
    this.#count(said, 1);
    this.#enter(said);
    const gone: Item<Said>[] = [];
    const own = this.#parts.get(said.whole) ?? new Set();
    if (own.size > MAX_SAID_PARTS) {
      gone.push(...this.#drop(said.whole, [...own].slice(0, own.size - MAX_SAID_PARTS)));
      this.#arrange();
    }
    while (this.#parts.size > MAX_SAID) {
      const [first = ['', new Set<string>()]] = this.#parts;
      gone.push(...this.#drop(first[0], [...first[1]]));
    }
    return gone;
  }

  /** As it was before `said` was added. */
  undo(said: Said, gone: readonly Item<Said>[]): void {
    this.#drop(said.whole, [said.replay]);
    this.#said.restore(gone);
    for (const { value } of gone) this.#count(value, 1);
    this.#arrange();
  }

  /** A message stands where the first of its parts that stays does, as it would after the next start. */
  #arrange(): void {
    this.#parts = new Map();
    for (const each of this.all()) this.#enter(each);
  }

  #enter({ whole, replay }: Said): void {
    const own = this.#parts.get(whole);
    if (own) own.add(replay);
    else this.#parts.set(whole, new Set([replay]));
  }

  #drop(whole: string, replays: readonly string[]): Item<Said>[] {
    const own = this.#parts.get(whole);
    const gone: Item<Said>[] = [];
    for (const replay of replays) {
      const item = this.#said.remove(replay);
      if (!item) continue;
      gone.push(item);
      this.#count(item.value, -1);
      own?.delete(replay);
    }
    if (own?.size === 0) this.#parts.delete(whole);
    return gone;
  }

  #count({ payload }: Said, sign: 1 | -1): void {
    this.bytes += sign * (payload.length + MEMORY);
  }
}

/** undefined: this is no record of something that was said. */
export function readSaidRecord(payload: Uint8Array): Said | undefined {
  const message = readSaid(payload);
  return message && { message, payload, ...namesOf(message) };
}

/** What tells a replay, and what tells the parts of one message. */
export function namesOf({ from, key, message }: RoomMessage): { readonly replay: string; readonly whole: string } {
  const sender = latin1(from);
  return { replay: sender + latin1(key), whole: sender + latin1(message) };
}
