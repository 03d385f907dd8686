/** How many entries wait, as far as queues were used: a queue that nobody uses is not read for it. */
export class Waiting {
  /** by uid */
  readonly #queues = new Map<string, number>();
  #entries = 0;

  /** In all of those. */
  get entries(): number {
    return this.#entries;
  }

  /** Queues that were used. */
  get queues(): number {
    return this.#queues.size;
  }

  set(uid: string, entries: number): void {
    this.#entries += entries - (this.#queues.get(uid) ?? 0);
    this.#queues.set(uid, entries);
  }

  /** The user is gone, and what waited, too. */
  forget(uid: string): void {
    this.#entries -= this.#queues.get(uid) ?? 0;
    this.#queues.delete(uid);
  }
}
