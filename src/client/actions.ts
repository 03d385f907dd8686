/** Requests, acceptances, refusals: commands repeated with one frame id until the daemon answered. */
import { Code, fromHex, laterCodes, readFields, structs, type Struct, type Values } from '../../protocol/index.js';
import { notice, stateOf, type Desk } from './desk.js';
import { ClientError, error, keptFor } from './errors.js';
import type { Reply } from './answers.js';
import type { Link } from './link.js';
import type { Event } from './reducer.js';
import type { Action } from './state.js';
import { Waiters } from './waiters.js';

/** After an answer that means "later" without a time. */
const LATER_MS = 5_000;

const commands = { jmpu: structs.jmpu, ampu: structs.ampu, dmpu: structs.dmpu, bloc: structs.bloc } as const;

/** What those wait for who wait until nothing is unanswered. */
const IDLE = '';

/** How a command ended: undefined is well. */
export type Outcome = { readonly failure: ClientError | undefined };

export class Actions {
  readonly #desk: Desk;
  readonly #waiters: Waiters<Outcome>;
  readonly #inFlight = new Set<string>();
  readonly #done: (name: string) => void;
  #link: Link | undefined;
  #retry: (() => void) | undefined;

  /** @param done told the contact's name when a command about them was answered */
  constructor(desk: Desk, done: (name: string) => void) {
    this.#desk = desk;
    this.#done = done;
    this.#waiters = new Waiters(desk.ports.clock);
  }

  online(link: Link): void {
    this.#link = link;
    this.kick();
  }

  offline(): void {
    this.#link = undefined;
    this.#retry?.();
    this.#retry = undefined;
    this.#inFlight.clear();
    this.#waiters.dismiss();
  }

  /** Whether a command about this contact is not answered yet: messages wait behind it. */
  pending(name: string): boolean {
    for (const action of stateOf(this.#desk).actions.values()) if (action.name === name) return true;
    return false;
  }

  /** Sends what is not under way. */
  kick(): void {
    const link = this.#link;
    if (!link || this.#retry) return;
    for (const action of stateOf(this.#desk).actions.values()) {
      if (this.#inFlight.has(action.frame)) continue;
      this.#inFlight.add(action.frame);
      this.#desk.background(this.#send(link, action));
    }
  }

  async #send(link: Link, action: Action): Promise<void> {
    const struct: Struct = commands[action.command];
    const values = readFields(struct.fields, fromHex(action.fields), 0) as Values<Struct>;
    let reply: Reply;
    try {
      reply = await link.request(struct, values, { frameId: fromHex(action.frame) });
    } catch (thrown) {
      if (thrown instanceof ClientError) return; // the link ended: `offline` comes, the action stays
      throw thrown;
    }
    this.#inFlight.delete(action.frame);
    if (reply.isError && laterCodes.has(reply.code)) this.#later(action, reply);
    else await this.#settle(action, reply);
  }

  #later(action: Action, reply: Reply): void {
    const failure = reply.code === Code.limited ? keptFor(reply.wait) : error('unavailable', String(reply.code));
    this.#waiters.tell(action.frame, { failure });
    this.#waiters.tell(IDLE, { failure });
    this.#retry ??= this.#desk.ports.clock.after(Math.max(reply.wait * 1000, LATER_MS), () => {
      this.#retry = undefined;
      this.kick();
    });
  }

  async #settle(action: Action, reply: Reply): Promise<void> {
    const { frame, name, command } = action;
    const events: Event[] = [{ t: 'settled', frame }];
    let failure: ClientError | undefined;
    if (command === 'dmpu') events.push({ t: 'forgotten', name, at: this.#desk.ports.clock.now() });
    if (reply.isError) {
      const nobody = command === 'jmpu' && reply.code === Code.notFound;
      failure = nobody
        ? error('unknown-name', name)
        : error('refused', `${command} about @${name}`, String(reply.code));
      const asked = stateOf(this.#desk).contacts.get(name)?.relation === 'asked';
      if (command === 'jmpu' && asked) events.push({ t: 'nobody', name, at: this.#desk.ports.clock.now() });
      if (!this.#waiters.tell(frame, { failure }))
        events.push(notice(this.#desk, nobody ? 'unknown-name' : 'refused', name, String(reply.code)));
    }
    await this.#desk.record(...events);
    if (!failure) this.#waiters.tell(frame, { failure: undefined });
    if (stateOf(this.#desk).actions.size === 0) this.#waiters.tell(IDLE, { failure: undefined });
    this.#done(name);
  }

  /** Resolves when every command was answered, or told to wait, or after `ms`. */
  async quiet(ms: number): Promise<void> {
    if (stateOf(this.#desk).actions.size > 0 && this.#link && !this.#retry) await this.#waiters.wait(IDLE, ms);
  }

  /** How the command ended, or undefined where it is not answered within `ms`. */
  outcome(frame: string, ms: number): Promise<Outcome | undefined> {
    if (!stateOf(this.#desk).actions.has(frame)) return Promise.resolve({ failure: undefined });
    if (this.#desk.trouble()) return Promise.resolve(undefined);
    return this.#waiters.wait(frame, ms);
  }
}
