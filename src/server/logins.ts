/** Logins under way: how many at once, and each account's attempts counted one after another. */
import type { Limits } from './limits.js';
import { Places } from './places.js';

export class Logins {
  readonly #limits: Limits;
  readonly #places = new Places();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Does the costly part of a login, unless too many are under way: then undefined, at once. */
  async within<T>(source: string, work: () => Promise<T>): Promise<T | undefined> {
    if (!this.#places.take(source, this.#limits.logins, this.#limits['logins-per-source'])) return undefined;
    try {
      return await work();
    } finally {
      this.#places.give(source);
    }
  }

  /** One after another for an account, so that attempts at once can't all see the same count. */
  inTurn<T>(uidKey: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(uidKey) ?? Promise.resolve();
    const done = before.then(work);
    const turn = done
      .catch(() => undefined) // whoever asked has the failure; the next one begins anew
      .finally(() => {
        if (this.#turns.get(uidKey) === turn) this.#turns.delete(uidKey);
      });
    this.#turns.set(uidKey, turn);
    return done;
  }
}
