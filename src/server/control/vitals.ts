/** How the daemon was in the last minutes: a look every two seconds, all of it numbers. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Context } from '../context.js';
import type { LoginResult } from '../counts.js';
import { findRow } from '../dispatch.js';
import { Opcode } from '../../../protocol/index.js';
import type { Delays, History, Minute } from './types.js';

/** In ms. */
export const LOOK_MS = 2_000;
/** Looks that are kept: five minutes. */
const KEPT = 150;
const MINUTE_MS = 60_000;
const LAG_RESOLUTION_MS = 20;
/** Of how many syncs the delays are told. */
const SYNCS = 1_024;

/** Totals since the start, and what is now. */
interface Look {
  /** ms of a clock that never goes back */
  readonly at: number;
  readonly logins: Readonly<Record<LoginResult, number>>;
  readonly registrations: number;
  readonly recoveries: number;
  readonly messages: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly connections: number;
  /** resident bytes */
  readonly memory: number;
  readonly lag: Delays;
}

const noDelays: Delays = { median: 0, p99: 0, max: 0 };

export interface Watched {
  readonly context: Pick<Context, 'counts' | 'refusals'>;
  readonly connections: number;
}

export class Vitals {
  readonly #watched: Watched;
  readonly #now: () => number;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #looks: Look[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #syncs = new Float64Array(SYNCS);
  #synced = 0;

  /** @param now ms of a clock that never goes back */
  constructor(watched: Watched, now: () => number = () => performance.now()) {
    this.#watched = watched;
    this.#now = now;
    this.#lag.enable();
    this.#looks.push(this.#look());
    this.#timer = setInterval(() => {
      this.look();
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** A sync of the disk ended. */
  synced(ms: number): void {
    this.#syncs[this.#synced++ % SYNCS] = ms;
  }

  /** Of the newest 1,024, in ms. */
  get syncs(): Delays & { readonly count: number } {
    const some = this.#syncs.subarray(0, Math.min(this.#synced, SYNCS)).slice().sort();
    const at = (share: number): number => some[Math.ceil(share * some.length) - 1] ?? 0;
    return { count: this.#synced, median: at(0.5), p99: at(0.99), max: at(1) };
  }

  look(): void {
    this.#looks.push(this.#look());
    if (this.#looks.length > KEPT + 1) this.#looks.shift();
  }

  #look(): Look {
    const { counts, refusals } = this.#watched.context;
    const lag = this.#delays();
    this.#lag.reset();
    return {
      at: this.#now(),
      logins: { ...counts.logins },
      registrations: counts.registrations,
      recoveries: counts.recoveries,
      messages: messagesOf(counts.frames),
      refusals: refusals.totals(),
      connections: this.#watched.connections,
      memory: process.memoryUsage.rss(),
      lag,
    };
  }

  /** What the loop was late, in ms: the timer's own resolution is no lag. */
  #delays(): Delays {
    if (this.#lag.count === 0) return noDelays;
    const late = (ns: number): number => Math.max(0, ns / 1e6 - LAG_RESOLUTION_MS);
    const { max } = this.#lag;
    return { median: late(this.#lag.percentile(50)), p99: late(this.#lag.percentile(99)), max: late(max) };
  }

  /** Of the last look. */
  get lag(): Delays {
    return this.#looks.at(-1)?.lag ?? noDelays;
  }

  /** What came in the last minute, or since the start where that is less. */
  get minute(): Minute {
    const now = { ...this.#look(), lag: this.lag };
    const then = this.#looks.find(({ at }) => now.at - at <= MINUTE_MS) ?? now;
    return {
      seconds: Math.max(1, (now.at - then.at) / 1000),
      logins: less(now.logins, then.logins),
      registrations: now.registrations - then.registrations,
      recoveries: now.recoveries - then.recoveries,
      messages: now.messages - then.messages,
      refusals: less(now.refusals, then.refusals),
    };
  }

  get history(): History {
    const pairs = this.#looks.slice(1).map((look, n) => [this.#looks[n] ?? look, look] as const);
    const rate = (of: (look: Look) => number): number[] =>
      pairs.map(([before, look]) => rounded((1000 * (of(look) - of(before))) / Math.max(1, look.at - before.at)));
    const all = ({ logins }: Look): number => Object.values(logins).reduce((sum, each) => sum + each, 0);
    return {
      every: LOOK_MS,
      messages: rate(({ messages }) => messages),
      logins: rate(all),
      connections: pairs.map(([, { connections }]) => connections),
      memory: pairs.map(([, { memory }]) => memory),
      lag: pairs.map(([, { lag }]) => rounded(lag.p99)),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#lag.disable();
  }
}

const messageRows = [Opcode.smpu, Opcode.srms].map((opcode) => findRow(opcode, 0)?.number ?? 0);

/** Private messages and those in rooms, parts of long ones each. */
function messagesOf(frames: readonly number[]): number {
  return messageRows.reduce((sum, row) => sum + (frames[row] ?? 0), 0);
}

/** What is more than before; what is not is left out. */
function less(now: Readonly<Record<string, number>>, then: Readonly<Record<string, number>>): Record<string, number> {
  const more = Object.entries(now).map(([name, count]) => [name, count - (then[name] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
