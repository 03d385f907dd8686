/** How fast one may do what is done often: so many at once, then so many in a second. On the path of a message. */

/** Who takes now and then keeps their bucket: making one costs more than looking it up. */
const IDLE_MS = 60_000;

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;
  /** Until then nothing is given. */
  #shut = -Infinity;

  /** @param now ms of a clock that never goes back */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /**
   * Takes one; 0, or the seconds to wait where nothing is left. Who was told to wait gets nothing before: what was on its
   * way behind the one that was refused would overtake it otherwise.
   */
  take(now: number): number {
    if (now < this.#shut) return Math.ceil((this.#shut - now) / 1000);
    this.#fill(now);
    if (this.#tokens < 1) {
      const wait = Math.ceil((1 - this.#tokens) / this.#perSecond);
      this.#shut = now + 1000 * wait;
      return wait;
    }
    this.#tokens--;
    return 0;
  }

  /** It says no more than a new one would, and nobody took of it lately. */
  isFull(now: number): boolean {
    if (now - this.#at < IDLE_MS || now < this.#shut) return false;
    return this.#tokens + ((now - this.#at) / 1000) * this.#perSecond >= this.#burst;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }
}
