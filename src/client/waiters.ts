/** Promises by key, each with a deadline: how a command waits for an answer that may come later than it wants to wait. */
import type { Clock } from './ports.js';

export class Waiters<T> {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<(value: T | undefined) => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** undefined after `ms`, or when everybody is told to go. */
  wait(key: string, ms: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const all = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, all);
      const settle = (value: T | undefined): void => {
        cancel();
        all.delete(settle);
        if (all.size === 0 && this.#waiting.get(key) === all) this.#waiting.delete(key);
        resolve(value);
      };
      const cancel = this.#clock.after(ms, () => {
        settle(undefined);
      });
      all.add(settle);
    });
  }

  /** True where somebody waited. */
  tell(key: string, value: T): boolean {
    const all = this.#waiting.get(key);
    for (const settle of [...(all ?? [])]) settle(value);
    return all !== undefined;
  }

  dismiss(): void {
    for (const all of [...this.#waiting.values()]) for (const settle of [...all]) settle(undefined);
  }
}
