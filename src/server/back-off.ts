/** How long somebody is shut out who failed too often: longer each time (SPEC 6.5, 9.4). */
import { TokenBucket } from './token-bucket.js';

/* In ms. */
const QUARTER = 15 * 60_000;
const FIRST = 60_000;
const LONGEST = 3600_000;
/** After so long without, it begins anew. */
const QUIET = 3600_000;

export class BackOff {
  /** What may fail without more, so that people who share an address have their mistakes. */
  readonly #free: TokenBucket;
  #times = 0;
  #until = -Infinity;

  /**
   * @param free failures that are free in that time
   * @param now ms of a clock that never goes back
   * @param time in ms: 15 minutes, unless it is said
   */
  constructor(free: number, now: number, time = QUARTER) {
    this.#free = new TokenBucket((1000 * free) / time, free, now);
  }

  /** 0, or the seconds in which nothing more is looked at. */
  wait(now: number): number {
    return now < this.#until ? Math.ceil((this.#until - now) / 1000) : 0;
  }

  /** Counts one. What was under way when the last one shut them out adds nothing. */
  fail(now: number): void {
    if (now < this.#until || this.#free.take(now) === 0) return;
    if (now - this.#until > QUIET) this.#times = 0;
    this.#until = now + Math.min(FIRST * 2 ** this.#times++, LONGEST);
  }

  isFull(now: number): boolean {
    return now - this.#until > QUIET && this.#free.isFull(now);
  }
}
