/**
 * The making and removing of accounts and rooms: names are given once, ids too, limits hold for many calls
 * at once, and what is called about a user or room before its removal is done before it.
 */
import { IdInUse, UnknownId } from '../store.js';
import type { Journal } from './journal.js';
import type { Names } from './names.js';
import { deletedRecord, roomDeletedRecord } from './records.js';

/** By what it counts for: how many there are, and how many there may be. */
export interface Limit {
  readonly of: string;
  readonly are: () => number;
  readonly most: number;
}

/** What is to be made. */
export interface Making {
  readonly kind: 'user' | 'room';
  readonly name: string;
  readonly id: string;
  readonly record: Uint8Array;
  readonly limits: readonly Limit[];
  /** It is durable. */
  readonly done: () => void;
}

export class Roster {
  readonly #names: Names;
  readonly #journal: Journal;
  /** names that are being given or freed, behind their kind, what lets somebody in once, and ids of users and rooms that are being made or removed */
  readonly #busy = new Map<string, Promise<unknown>>();
  /** accounts and rooms that are being made, by what they count for */
  readonly #making = new Map<string, number>();
  /** what goes on about rooms of a user, by the user's uid */
  readonly #owning = new Map<string, Set<Promise<unknown>>>();

  constructor(names: Names, journal: Journal) {
    this.#names = names;
    this.#journal = journal;
  }

  /** A user or room of this id is being made or removed. */
  isBusy(id: string): boolean {
    return this.#busy.has(id);
  }

  /** Waits until the name or id is not being given or freed by whoever does it now. */
  async whenFree(what: string): Promise<void> {
    await this.#busy.get(what)?.catch(() => undefined); // its caller has the error
  }

  /** @throws IdInUse */
  async create({ kind, name, id, record, limits, done }: Making): Promise<'created' | 'taken' | 'full'> {
    const label = kind + name;
    while (this.#busy.has(label)) await this.whenFree(label);
    if ((kind === 'user' ? this.#names.uid(name) : this.#names.roomId(name)) !== undefined) return 'taken';
    if (this.#busy.has(id) || this.#names.has(id)) throw new IdInUse('store: the id is in use');
    const release = this.reserve(limits);
    if (!release) return 'full';
    await this.#occupy([label, id], async () => {
      try {
        await this.#journal.append(record, () => undefined);
      } finally {
        release();
      }
      done();
    });
    return 'created';
  }

  /** A place for one more that is being made, until it is there or is not made. undefined: there is none. */
  reserve(limits: readonly Limit[]): (() => void) | undefined {
    const making = (of: string): number => this.#making.get(of) ?? 0;
    if (limits.some(({ of, are, most }) => are() + making(of) >= most)) return undefined;
    const count = (sign: 1 | -1): void => {
      for (const { of } of limits) this.#making.set(of, making(of) + sign);
    };
    count(1);
    return () => {
      count(-1);
    };
  }

  /** Does what this label lets somebody do once, unless it was done: of two at once the second waits how the first ends. */
  async once<T>(label: string, isSpent: () => boolean, work: () => Promise<T>): Promise<T | 'used'> {
    while (this.#busy.has(label)) await this.whenFree(label);
    return isSpent() ? 'used' : this.#occupy([label], work);
  }

  /** Keeps names and ids from others while this goes on. */
  async #occupy<T>(what: readonly string[], work: () => Promise<T>): Promise<T> {
    const working = Promise.resolve().then(work);
    for (const each of what) this.#busy.set(each, working);
    try {
      return await working;
    } finally {
      for (const each of what) this.#busy.delete(each);
    }
  }

  /**
   * Something about rooms of these users, which they don't leave before it is done.
   * @throws UnknownId where one of them has no account
   */
  async asOwner<T>(owners: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const owner of owners) {
      while (this.#busy.has(owner)) await this.whenFree(owner);
      if (this.#names.name(owner) === undefined) throw new UnknownId('store: no account has the uid of this owner');
    }
    const working = work();
    for (const owner of owners) this.#owning.set(owner, (this.#owning.get(owner) ?? new Set()).add(working));
    try {
      return await working;
    } finally {
      for (const owner of owners) {
        const all = this.#owning.get(owner);
        all?.delete(working);
        if (all?.size === 0) this.#owning.delete(owner);
      }
    }
  }

  /** @param idle resolves when nothing goes on with the user's parts, with a room */
  async deleteUser(id: string, idle: (id: string) => Promise<void>): Promise<boolean> {
    while (this.#busy.has(id)) await this.whenFree(id);
    const name = this.#names.name(id);
    if (name === undefined) return false;
    await this.#occupy(['user' + name, id], async () => {
      await idle(id);
      await Promise.allSettled([...(this.#owning.get(id) ?? [])]);
      for (const room of this.#names.roomsOf(id)) await this.deleteRoom(room, idle);
      await this.#journal.append(deletedRecord(id), () => undefined);
      this.#names.removeUser(id);
    });
    return true;
  }

  async deleteRoom(id: string, idle: (id: string) => Promise<void>): Promise<boolean> {
    while (this.#busy.has(id)) await this.whenFree(id);
    const room = this.#names.room(id);
    if (!room) return false;
    await this.#occupy(['room' + room.name, id], async () => {
      await idle(id);
      await this.#journal.append(roomDeletedRecord(id), () => undefined);
      this.#names.removeRoom(id);
    });
    return true;
  }
}
