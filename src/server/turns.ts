/** Work that must not overlap, by what it is about. */
export class Turns {
  readonly #turns = new Map<string, Promise<unknown>>();

  /** One after another for a key, in the order of the calls. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const done = before.then(work);
    const turn = done
      .catch(() => undefined) // whoever asked has the failure; the next one begins anew
      .finally(() => {
        if (this.#turns.get(key) === turn) this.#turns.delete(key);
      });
    this.#turns.set(key, turn);
    return done;
  }
}
