/** What did not come: told 5 seconds after it should have, also over a restart (SPEC 7.4). */
import { newId, stateOf, type Desk } from './desk.js';
import type { Event } from './reducer.js';
import { UNFINISHED_MAX, type Contact, type Missing } from './state.js';
import { sourceOf } from './tables.js';

/** What is missing is reported after this long: it may still be on its way. */
const GAP_MS = 5_000;
export class Gaps {
  readonly #desk: Desk;
  #cancel: (() => void) | undefined;
  /** The queue of a login has come: what is unfinished now does not wait there. */
  #drained = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  drained(): Promise<void> {
    this.#drained = true;
    return this.report().then(() => {
      this.watch();
    });
  }

  /** The line went: what is unfinished may wait at the daemon, until the queue of the next login has come. */
  offline(): void {
    this.#drained = false;
  }

  /** @param name of a contact, or a member's key */
  of(name: string, { from, to }: Missing): Event {
    return { t: 'gap', key: newId(this.#desk), name, from, to, at: this.#desk.ports.clock.now() };
  }

  /** All that is missing of a contact: it does not come any more. */
  ofContact({ name, missing = [] }: Pick<Contact, 'name' | 'missing'>): Event[] {
    return missing.map((gap) => this.of(name, gap));
  }

  /** What is missing, of contacts and of members of rooms. */
  *#missing(): Generator<readonly [string, Missing]> {
    const { contacts, members } = stateOf(this.#desk);
    for (const { name, missing } of contacts.values()) for (const gap of missing ?? []) yield [name, gap];
    for (const { key, missing } of members.values()) for (const gap of missing ?? []) yield [key, gap];
  }

  /** What makes room for one more unfinished message of a contact. */
  room(name: string): Event[] {
    const theirs = [...stateOf(this.#desk).unfinished.values()].filter((row) => row.from === name);
    const over = theirs.slice(0, Math.max(0, theirs.length + 1 - UNFINISHED_MAX));
    return over.map(({ message }) => ({ t: 'given-up', message, at: this.#desk.ports.clock.now() }));
  }

  /** Reports what is missing for long enough; the state remembers the rest. */
  async report(): Promise<void> {
    const { unfinished } = stateOf(this.#desk);
    const now = this.#desk.ports.clock.now();
    /* A time to come means a clock that was set back: waiting for it could take years. */
    const due = (since: number, ms: number): boolean => since <= now - ms || since > now;
    const events: Event[] = [];
    for (const [name, gap] of this.#missing()) if (due(gap.since, GAP_MS)) events.push(this.of(name, gap));
    for (const { message, at, told } of unfinished.values())
      if (this.#drained && !told && due(at, GAP_MS)) events.push({ t: 'incomplete', message, at: now });
    if (events.length > 0) await this.#desk.record(...events);
  }

  /**
   * Looks again when the oldest of what is missing is due; `close` ends it.
   * @param from who alone may have become one of whom something is missing; undefined: anybody
   */
  watch(from?: string): void {
    if (this.#cancel) return;
    const { unfinished } = stateOf(this.#desk);
    let oldest: number | undefined;
    const look = (since: number): void => {
      if (oldest === undefined || since < oldest) oldest = since;
    };
    if (from === undefined) for (const [, { since }] of this.#missing()) look(since);
    else for (const { since } of sourceOf(stateOf(this.#desk), from)?.missing ?? []) look(since);
    if (this.#drained) for (const { at, told } of unfinished.values()) if (!told) look(at);
    if (oldest === undefined) return;
    const { clock } = this.#desk.ports;
    const ms = Math.min(Math.max(oldest + GAP_MS - clock.now(), 0), GAP_MS);
    this.#cancel = clock.after(ms, () => {
      this.#cancel = undefined;
      this.#desk.background(
        this.report().then(() => {
          this.watch();
        }),
      );
    });
  }
}
