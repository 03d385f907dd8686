/** What a schedule of a fault test draws, from a seed. */
import { seededRandom, type Random } from './random.js';

export class Draws {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    // Neighbouring seeds begin alike without this.
    for (let n = 0; n < 4; n++) this.#random();
  }

  /** A whole number from 0 to below the bound. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** @throws RangeError of an empty list */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('draws: nothing to pick from');
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** The same things in another order. */
  shuffled<T>(of: readonly T[]): T[] {
    const left = [...of];
    return of.map(() => left.splice(this.below(left.length), 1)[0] as T);
  }
}
