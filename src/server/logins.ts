/** Logins under way: how many at once, and each account's attempts counted one after another. */
import type { Limits } from './limits.js';
import { Places } from './places.js';
import { Turns } from './turns.js';

export class Logins {
  readonly #limits: Limits;
  readonly #places = new Places();
  readonly #turns = new Turns();

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
    return this.#turns.inTurn(uidKey, work);
  }
}
