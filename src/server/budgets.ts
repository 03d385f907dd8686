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

const HOUR = 3600;

/** For each: seconds, and how many in them. */
function allowed(limits: Limits): Readonly<Record<Budget, readonly [duration: number, points: number]>> {
  return {
    registrations: [HOUR, limits['registrations-per-hour']],
    keyChanges: [24 * HOUR, limits['key-changes-per-day']],
    mails: [HOUR, limits['mails-per-hour']],
    /* Half of them: so many are left for codes that accounts have sent to their own addresses. */
    strangeMails: [HOUR, Math.ceil(limits['mails-per-hour'] / 2)],
    mailsOfSource: [HOUR, limits['mails-per-hour-per-source']],
    mailsToOne: [HOUR, limits['mails-per-hour-to-one']],
    logins: [60, limits['logins-per-minute']],
    sourceLogins: [60, limits['source-logins-per-minute']],
    lookups: [60, limits['lookups-per-minute']],
    sourceLookups: [60, limits['source-lookups-per-minute']],
  };
}

export class Budgets {
  readonly #limiters: Readonly<Record<Budget, RateLimiterMemory>>;

  constructor(limits: Limits) {
    const made = Object.entries(allowed(limits)).map(([budget, [duration, points]]) => [
      budget,
      new RateLimiterMemory({ duration, points }),
    ]);
    this.#limiters = Object.fromEntries(made) as Record<Budget, RateLimiterMemory>;
  }

  /** Other limits from now on; what was taken stays taken. */
  become(limits: Limits): void {
    for (const [budget, [, points]] of Object.entries(allowed(limits)))
      this.#limiters[budget as Budget].points = points;
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
