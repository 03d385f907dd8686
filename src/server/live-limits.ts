/** Limits of a daemon that runs: what is set counts at once, where it can. */
import type { Store, StoreLimits } from '../store/store.js';
import type { Budgets } from './budgets.js';
import { limitRange, limitTable, type LimitName, type Limits } from './limits.js';
import type { Rates } from './rates.js';

/** What clients were told at their handshake. */
const atStart: ReadonlySet<LimitName> = new Set<LimitName>(['window']);

export function storeLimits(limits: Limits): StoreLimits {
  return {
    maxAccounts: limits.accounts,
    segmentBytes: limits['journal-bytes'],
    maxRooms: limits.rooms,
    maxRoomsPerUser: limits['rooms-per-user'],
    maxQueueEntries: limits['queue-entries'],
    maxQueueBytes: limits['queue-bytes'],
  };
}

const keys = Object.keys(limitTable) as LimitName[];

interface Holders {
  readonly store: Pick<Store, 'setLimits'>;
  readonly budgets: Pick<Budgets, 'become'>;
  readonly rates: Pick<Rates, 'become'>;
}

export class LiveLimits {
  /** As they are now: whoever looks a limit up when it is used needs nothing else. */
  readonly now: Limits;
  readonly #values: Record<LimitName, number>;

  constructor(limits: Limits) {
    this.#values = { ...limits };
    this.now = this.#values;
  }

  /**
   * @returns false where it counts from the next start on alone, and nothing was set
   * @throws RangeError where it can't be this; its message is for a person
   */
  set(name: LimitName, value: number, holders: Holders): boolean {
    const [min, max] = limitRange(name);
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new RangeError(`limit ${name} — write ${name}=NUMBER, from ${String(min)} to ${String(max)}`);
    if (value === this.#values[name]) return true;
    if (atStart.has(name)) return false;
    this.become({ ...this.now, [name]: value }, holders);
    return true;
  }

  /** All of them at once, but what counts from the next start on alone. */
  become(next: Limits, { store, budgets, rates }: Holders): void {
    const differ = keys.filter((name) => next[name] !== this.#values[name] && !atStart.has(name));
    if (differ.length === 0) return;
    for (const name of differ) this.#values[name] = next[name];
    store.setLimits(storeLimits(this.now));
    budgets.become(this.now);
    rates.become(this.now);
  }
}

export function isLimit(name: string): name is LimitName {
  return Object.hasOwn(limitTable, name);
}
