/** Randomness that can be had again: a test that draws prints its seed and takes another from SEED. */
import { randomInt } from 'node:crypto';

/** In [0, 1), the same numbers for the same seed (mulberry32). */
export type Random = () => number;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** SEED of the environment, or a new one. */
export function newSeed(): number {
  return Number(process.env['SEED'] ?? randomInt(2 ** 32));
}
