/** One for each who takes: a new connection has what the one before it left. */

/** Looked at for each new one: more go than come. */
const LOOKS = 2;

export interface Fading {
  /** It says no more than a new one would. */
  isFull(now: number): boolean;
}

export class PerKey<T extends Fading> {
  readonly #make: (now: number) => T;
  readonly #all = new Map<string, T>();

  /** @param make a full one */
  constructor(make: (now: number) => T) {
    this.#make = make;
  }

  get size(): number {
    return this.#all.size;
  }

  /** @param now ms of a clock that never goes back */
  get(key: string, now: number): T {
    const known = this.#all.get(key);
    if (known) return known;
    for (const [other, one] of [...this.#first()]) {
      this.#all.delete(other);
      if (!one.isFull(now)) this.#all.set(other, one); // to the end
    }
    const made = this.#make(now);
    this.#all.set(key, made);
    return made;
  }

  *#first(): Generator<readonly [string, T]> {
    let looks = 0;
    for (const each of this.#all) {
      if (++looks > LOOKS) return;
      yield each;
    }
  }
}
