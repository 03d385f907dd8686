/** Every refusal is counted; the log gets a sample, so that strangers can't fill a disk. */
import type { Log } from './log.js';

const SAMPLE_MS = 10_000;

/** What somebody tried who may not, in words of docs/operate.md; `attempts.ts` is the way to count one. */
export type Attempt =
  /** nobody has the name, or the signature is not theirs: it is not looked at which */
  | 'name or signature'
  /** the signature was right */
  | 'password'
  | 'words'
  /** a second factor, or a code that came by mail */
  | 'code'
  | 'recovery'
  /** all was proven, of an account that the operator has disabled */
  | 'disabled'
  | 'invitation'
  /** its keys, its proof, or that it is closed */
  | 'registration'
  /** new keys of an account, or their proof */
  | 'keys'
  | 'room password'
  /** a command before the login */
  | 'not logged in'
  /** 403: a conversation or room that is not theirs */
  | 'forbidden'
  /** 429 to a login or registration */
  | 'too many';

export type Refusal =
  | 'tls'
  | 'connections'
  | 'accept'
  | 'hello stalled'
  | 'hello sealed otherwise'
  | 'hello out of time'
  | 'hello replayed'
  /** soon after a start without the record of who connected before it */
  | 'hello too early'
  | 'hello budget'
  | 'hello inner'
  | 'client'
  | 'bytes before the answer'
  | 'frame'
  | 'out of turn'
  | 'logins'
  | Attempt
  | 'congested'
  | 'nobody logged in';

export class Refusals {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #counts = new Map<Refusal, number>();
  readonly #logged = new Map<string, number>();

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  count(reason: Refusal, source: string, more: Readonly<Record<string, string | number>> = {}): void {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    if (this.#isDue(reason))
      this.#log.warn('refused', { reason, ...(source === '' ? {} : { source }), total: count, ...more });
  }

  /**
   * Something of ours failed: logged like a refusal, since what comes from outside may make it happen often. Without the
   * connection: what failed for a sender may name the file of whoever they write to.
   */
  trouble(what: string, error: unknown): void {
    if (this.#isDue(what)) this.#log.error(what, { error: String(error) });
  }

  #isDue(what: string): boolean {
    const now = this.#now();
    if (now - (this.#logged.get(what) ?? -Infinity) < SAMPLE_MS) return false;
    this.#logged.set(what, now);
    return true;
  }

  /** For the log at the end. */
  totals(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
