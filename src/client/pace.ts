/** How fast the outbox hands over: not before the daemon said, and carefully after it (SPEC 8.3). */
import type { Desk } from './desk.js';

/** After an answer that means "later" without a time: doubled up to the limit. */
const LATER_MS = 1_000;
const LATER_MAX_MS = 60_000;
/** After so long without a limit it is news again, though something waits that nobody takes yet. */
const ANEW_MS = 60_000;

export class Pace {
  readonly #desk: Desk;
  readonly #go: () => void;
  #window = 1;
  /** Parts that may be under way: after a limit one, and one more for each that the daemon took. */
  most = 1;
  #delay = LATER_MS;
  #cancel: (() => void) | undefined;
  /** when the pause ends, on the clock that is never set */
  #ends = 0;
  /** A person was told that the daemon limits us, and not all has gone since. */
  #isTold = false;

  /** @param go called when a pause is over */
  constructor(desk: Desk, go: () => void) {
    this.#desk = desk;
    this.#go = go;
  }

  online(window: number): void {
    this.#window = this.most = window;
    this.#delay = LATER_MS;
    this.#isTold = false;
  }

  offline(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get isPaused(): boolean {
    return this.#cancel !== undefined;
  }

  /** Seconds for which the daemon has us wait because we are too fast; 0 where it does not. */
  get limitedFor(): number {
    const left = this.#ends - this.#desk.ports.clock.elapsed();
    return this.isPaused && this.#isTold ? Math.max(1, Math.ceil(left / 1000)) : 0;
  }

  /** The daemon has one more. @param isLast nothing else waits */
  took(isLast: boolean): void {
    this.#delay = LATER_MS;
    if (this.most < this.#window) this.most++;
    if (isLast) this.#isTold = false;
  }

  /** We are too fast: the next is tried alone, so that nothing overtakes it. @param wait in seconds */
  limited(wait: number): void {
    const now = this.#desk.ports.clock.elapsed();
    if (!this.#isTold || now - this.#ends > ANEW_MS) this.#desk.limited('messages', wait);
    this.#isTold = true;
    this.most = 1;
    this.#pause(1000 * wait);
  }

  /** The daemon has some trouble. @param wait in seconds; 0: it does not say */
  troubled(wait: number): void {
    const isFirst = !this.isPaused;
    this.#pause(wait > 0 ? 1000 * wait : this.#delay);
    if (isFirst) this.#delay = Math.min(2 * this.#delay, LATER_MAX_MS);
  }

  /** What was on its way meanwhile may make it longer, never shorter. */
  #pause(ms: number): void {
    const { clock } = this.#desk.ports;
    const ends = clock.elapsed() + ms;
    if (this.isPaused && ends <= this.#ends) return;
    this.#cancel?.();
    this.#ends = ends;
    this.#cancel = clock.after(ms, () => {
      this.#cancel = undefined;
      this.#go();
    });
  }
}
