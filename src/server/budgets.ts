/** What one source or user may cost in a time. Not on the path of a message. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limits } from './limits.js';

export type Budget = 'registrations' | 'failures' | 'lookups' | 'roomPasswords';

export class Budgets {
  readonly #limiters: Readonly<Record<Budget, RateLimiterMemory>>;

  constructor(limits: Limits) {
    this.#limiters = {
      registrations: new RateLimiterMemory({ points: limits['registrations-per-hour'], duration: 3600 }),
      failures: new RateLimiterMemory({ points: limits['failures-per-quarter'], duration: 900 }),
      roomPasswords: new RateLimiterMemory({ points: limits['room-failures-per-quarter'], duration: 900 }),
      lookups: new RateLimiterMemory({ points: limits['lookups-per-minute'], duration: 60 }),
    };
  }

  /** Takes one; 0, or the seconds to wait where nothing is left. */
  async take(budget: Budget, key: string): Promise<number> {
    try {
      await this.#limiters[budget].consume(key);
      return 0;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw refused;
    }
  }

  /** The seconds to wait, without taking any. */
  async wait(budget: Budget, key: string): Promise<number> {
    const state = await this.#limiters[budget].get(key);
    return state && state.remainingPoints <= 0 ? Math.max(1, Math.ceil(state.msBeforeNext / 1000)) : 0;
  }
}
