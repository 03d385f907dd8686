/** What one source or user may cost in a time. Not on the path of a message. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limits } from './limits.js';

export type Budget =
  | 'registrations'
  | 'keyChanges'
  | 'logins'
  | 'sourceLogins'
  | 'lookups'
  | 'sourceLookups'
  | 'mails'
  | 'strangeMails'
  | 'mailsOfSource'
  | 'mailsToOne';

export class Budgets {
  readonly #limiters: Readonly<Record<Budget, RateLimiterMemory>>;

  constructor(limits: Limits) {
    this.#limiters = {
      registrations: new RateLimiterMemory({ points: limits['registrations-per-hour'], duration: 3600 }),
      keyChanges: new RateLimiterMemory({ points: limits['key-changes-per-day'], duration: 24 * 3600 }),
      mails: new RateLimiterMemory({ points: limits['mails-per-hour'], duration: 3600 }),
      /* Half of them: so many are left for codes that accounts have sent to their own addresses. */
      strangeMails: new RateLimiterMemory({ points: Math.ceil(limits['mails-per-hour'] / 2), duration: 3600 }),
      mailsOfSource: new RateLimiterMemory({ points: limits['mails-per-hour-per-source'], duration: 3600 }),
      mailsToOne: new RateLimiterMemory({ points: limits['mails-per-hour-to-one'], duration: 3600 }),
      logins: new RateLimiterMemory({ points: limits['logins-per-minute'], duration: 60 }),
      sourceLogins: new RateLimiterMemory({ points: limits['source-logins-per-minute'], duration: 60 }),
      lookups: new RateLimiterMemory({ points: limits['lookups-per-minute'], duration: 60 }),
      sourceLookups: new RateLimiterMemory({ points: limits['source-lookups-per-minute'], duration: 60 }),
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
}
