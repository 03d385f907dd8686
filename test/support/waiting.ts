/** Those who wait for something to hold, told of each moment at which it may. */

interface Waiter {
  look(): void;
  fail(why: string): void;
}

export class Waiting {
  readonly #waiters = new Set<Waiter>();
  readonly #report: () => string;
  #over: string | undefined;

  /** @param report what is said besides where something never came to hold */
  constructor(report: () => string) {
    this.#report = report;
  }

  /**
   * Resolves at the first moment at which it holds, this one not included. Rejects after the deadline, at the end, and
   * with what `holds` throws.
   *
   * @param deadline ms
   */
  until(holds: () => boolean, what: string, deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
      };
      const waiter: Waiter = {
        look: () => {
          try {
            if (holds()) end(resolve);
          } catch (error) {
            end(() => reject(error instanceof Error ? error : new Error(String(error))));
          }
        },
        fail: (why) => end(() => reject(new Error(`waited for ${what}, but ${why}:\n${this.#report()}`))),
      };
      const timer = setTimeout(() => waiter.fail(`${deadline} ms went by`), deadline);
      this.#waiters.add(waiter);
      if (this.#over !== undefined) waiter.fail(this.#over);
    });
  }

  /** A moment at which something may hold that did not before. */
  look(): void {
    for (const waiter of this.#waiters) waiter.look();
  }

  /** No such moment comes any more. */
  over(why: string): void {
    this.#over = why;
    for (const waiter of this.#waiters) waiter.fail(why);
  }
}
