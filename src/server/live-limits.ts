/** Limits of a daemon that runs: what is set counts at once, where it can. */
import type { Store, StoreLimits } from '../store/store.js';
import type { Budgets } from './budgets.js';
import { limitRange, limitTable, type LimitName, type Limits } from './limits.js';
import type { Rates } from './rates.js';

/** What the listener was given at its start. */
const atStart: ReadonlySet<LimitName> = new Set<LimitName>(['connections', 'connections-per-source']);

export const ofStore: Readonly<Partial<Record<LimitName, keyof StoreLimits>>> = {
  accounts: 'maxAccounts',
  rooms: 'maxRooms',
  'rooms-per-user': 'maxRoomsPerUser',
  'queue-entries': 'maxQueueEntries',
  'queue-bytes': 'maxQueueBytes',
  'journal-bytes': 'segmentBytes',
};

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
  set(name: LimitName, value: number, { store, budgets, rates }: Holders): boolean {
    const [min, max] = limitRange(name);
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new RangeError(`limit ${name} — write ${name}=NUMBER, from ${String(min)} to ${String(max)}`);
    if (value === this.#values[name]) return true;
    if (atStart.has(name)) return false;
    this.#values[name] = value;
    const kept = ofStore[name];
    if (kept) store.setLimits({ [kept]: value });
    budgets.become(this.now);
    rates.become(this.now);
    return true;
  }
}

export function isLimit(name: string): name is LimitName {
  return Object.hasOwn(limitTable, name);
}
