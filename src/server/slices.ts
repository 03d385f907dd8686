/** Long reckoning, cut so that nobody else waits for it. */
import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 1;

export class Slices {
  #began = performance.now();

  /** Lets everybody else have the loop, where this one had it for a millisecond. */
  async pause(): Promise<void> {
    if (performance.now() - this.#began < SLICE_MS) return;
    await setImmediate();
    this.#began = performance.now();
  }
}
