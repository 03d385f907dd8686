/** Deletes what is due, at the start and then within a minute of its time (SPEC 7.9). */
import { stateOf, type Desk } from './desk.js';
import type { Event } from './reducer.js';
import { anyStamp, endedInvitations, expired, stampedAhead } from './retention.js';

/**
 * While something has a time, this long after a look comes the next: all that became due meanwhile shares one rewrite of
 * the log, and the rest of the minute is for writing it. It is by time, not by what is due next: a clock may be set.
 */
const LOOK_MS = 50_000;
/** Keys in one event: a record of the log has an end. */
const KEYS_MAX = 256;

export class Expiry {
  readonly #desk: Desk;
  #cancel: (() => void) | undefined;
  #looking = false;
  #closed = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  /**
   * The clock is believed when it says that an hour is over. One that says less than before is not: what it has
   * stamped ahead is stamped anew, so that a text stays an hour longer at most for each time it was set back.
   */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { journal, ports } = this.#desk;
    const now = ports.clock.now();
    for (const keys of chunks(stampedAhead(journal.state, now)))
      await this.#desk.record({ t: 'restamped', keys, at: now });
    const gone: Event[] = chunks(expired(journal.state, now)).map((keys) => ({ t: 'expired', keys }));
    for (const room of endedInvitations(journal.state, now)) gone.push({ t: 'room-gone', room, at: now });
    if (gone.length > 0) await this.#desk.record(...gone);
    if (journal.holdsGone) await journal.compact();
    this.#looking = false;
    this.plan();
  }

  /** Something has a time now. A look that is planned is soon enough: it comes within a minute, and an hour is longer. */
  plan(): void {
    if (this.#closed || this.#looking || this.#cancel) return;
    if (!anyStamp(stateOf(this.#desk))) return;
    this.#cancel = this.#desk.ports.clock.after(LOOK_MS, () => {
      this.#cancel = undefined;
      this.#desk.background(this.look());
    });
  }
}

function chunks(keys: readonly string[]): string[][] {
  const all: string[][] = [];
  for (let at = 0; at < keys.length; at += KEYS_MAX) all.push(keys.slice(at, at + KEYS_MAX));
  return all;
}
