/** What we send: sealed, synced, then handed to the daemon until it has it (SPEC 8). */
import { Code, laterCodes, structs } from '../../protocol/index.js';
import { newId, notice, stateOf, type Desk } from './desk.js';
import { ClientError, error, limitedFor } from './errors.js';
import type { Reply } from './answers.js';
import type { Link } from './link.js';
import { answered, partOf, sealedPart, waitingParts } from './outgoing.js';
import { otherName } from './people.js';
import type { Event } from './reducer.js';
import { checkText, partsOf, sealText, type Sealed } from './sealing.js';
import { OUTBOX_MAX, type Contact, type Outgoing, type OutgoingState } from './state.js';
import { Waiters } from './waiters.js';

/** After an answer that means "later" without a time: doubled up to the limit. */
const LATER_MS = 1_000;
const LATER_MAX_MS = 60_000;
/** A recipient who does not take messages (403) is tried again this much later. */
const FORBIDDEN_MS = 60_000;
/** Waited for by who wants to know that an answer came: no id is called so. */
const ANSWERED = 'answered';
const ANSWERED_LOOK_MS = 1_000;
/** How often a sender's patience begins anew while parts are answered: within the time of a call of the socket. */
const OUTCOME_ROUNDS = 8;

export interface Sent {
  readonly state: OutgoingState;
  /** why it is not further, where the daemon said so */
  readonly failure?: ClientError;
}

export class Outbox {
  readonly #desk: Desk;
  readonly #busy: (name: string) => boolean;
  readonly #waiters: Waiters<Sent>;
  /** Ids of what the daemon does not have whole yet, in order, and how many parts they have. */
  readonly #todo = new Map<string, number>();
  /** parts, as id and number */
  readonly #inFlight = new Set<string>();
  readonly #heldUntil = new Map<string, number>();
  #link: Link | undefined;
  #pause: (() => void) | undefined;
  #delay = LATER_MS;
  #sealing: Promise<unknown> = Promise.resolve();

  /** @param busy whether a command about this contact must be answered first */
  constructor(desk: Desk, busy: (name: string) => boolean) {
    this.#desk = desk;
    this.#busy = busy;
    this.#waiters = new Waiters(desk.ports.clock);
    for (const entry of stateOf(desk).outgoing.values())
      if (entry.state === 'waiting') this.#todo.set(entry.id, partsOf(entry.text));
  }

  online(link: Link): void {
    this.#link = link;
    this.#delay = LATER_MS;
    this.#heldUntil.clear();
    for (const id of this.#todo.keys())
      if (!stateOf(this.#desk).outgoing.get(id)?.envelope) this.#desk.background(this.#sealLater(id));
    this.kick();
  }

  offline(): void {
    this.#link = undefined;
    this.#pause?.();
    this.#pause = undefined;
    this.#inFlight.clear();
    this.#waiters.dismiss();
  }

  /** Resolves when nothing more can be handed over now and all that was is answered; soon, where there is no session. */
  async quiet(): Promise<void> {
    await this.#sealing;
    this.kick();
    while (this.#link && this.#inFlight.size > 0) await this.#waiters.wait(ANSWERED, ANSWERED_LOOK_MS);
  }

  /** @throws ClientError as the text, the contact or the outbox don't allow it */
  async send(typed: string, text: string): Promise<string> {
    const to = otherName(this.#desk, typed);
    const parts = checkText(text);
    this.#mayWrite(to);
    let waiting = parts;
    for (const others of this.#todo.values()) waiting += others;
    if (waiting > OUTBOX_MAX) throw error('outbox-full', String(OUTBOX_MAX));
    const id = newId(this.#desk);
    await this.#inLine(async () => {
      const contact = this.#mayWrite(to);
      const base = { t: 'text', id, to, text, at: this.#desk.ports.clock.now() } as const;
      if (contact.relation !== 'open') {
        await this.#desk.record(base);
      } else {
        const sealed = await this.#seal(contact, id, text, base.at);
        if (!sealed) throw this.#mayWrite(to).relation === 'open' ? error('changed', to) : error('not-accepted', to);
        await this.#desk.record({ ...base, ...sealed });
      }
      this.#todo.set(id, parts);
    });
    this.kick();
    return id;
  }

  #mayWrite(to: string): Contact {
    const contact = stateOf(this.#desk).contacts.get(to);
    if (!contact) throw error('never-asked', to);
    if (contact.changed) throw error('changed', to);
    switch (contact.relation) {
      case 'open':
      case 'asked':
        return contact;
      case 'requested':
        throw error('accept-first', to);
      case 'refused':
        throw error('declined', to);
      case 'blocked':
        throw error('blocked', to);
      case 'declined':
        throw error('never-asked', to);
    }
  }

  /** Sealing reads and moves the conversation's chain: one after another. */
  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#sealing.then(work);
    this.#sealing = done.catch(() => undefined); // the caller has the failure; the line goes on
    return done;
  }

  /** undefined where the contact is not the same any more when all parts are sealed. */
  async #seal(contact: Contact, id: string, text: string, time: number): Promise<Sealed | undefined> {
    const sealed = await sealText(this.#desk, contact, id, text, time);
    const now = stateOf(this.#desk).contacts.get(contact.name);
    return now?.relation === 'open' && !now.changed && now.keys?.enc === contact.keys?.enc ? sealed : undefined;
  }

  /** Texts that waited for an acceptance are sealed, in order, once there are keys. */
  opened(name: string): void {
    this.#heldUntil.delete(name);
    for (const id of this.#todo.keys()) {
      const entry = stateOf(this.#desk).outgoing.get(id);
      if (entry?.to === name && !entry.envelope) this.#desk.background(this.#sealLater(id));
    }
    this.kick();
  }

  async #sealLater(id: string): Promise<void> {
    await this.#inLine(async () => {
      const entry = stateOf(this.#desk).outgoing.get(id);
      const contact = entry && stateOf(this.#desk).contacts.get(entry.to);
      if (entry?.state !== 'waiting' || entry.envelope || contact?.relation !== 'open' || contact.changed) return;
      const sealed = await this.#seal(contact, id, entry.text, entry.at);
      if (!sealed) return;
      await this.#desk.record({ t: 'sealed', id, ...sealed });
    });
    this.kick();
  }

  /** Entries that will not be sent any more. */
  forget(): void {
    for (const id of this.#todo.keys())
      if (stateOf(this.#desk).outgoing.get(id)?.state !== 'waiting') this.#todo.delete(id);
  }

  /** Hands over what may go, in order, as far as the window reaches. */
  kick(): void {
    const link = this.#link;
    if (!link || this.#pause) return;
    const stopped = new Set<string>();
    for (const id of this.#todo.keys()) {
      if (this.#inFlight.size >= link.window) return;
      const entry = stateOf(this.#desk).outgoing.get(id);
      if (entry?.state !== 'waiting') {
        this.#todo.delete(id);
        continue;
      }
      if (stopped.has(entry.to) || !entry.envelope || !this.#mayGo(entry)) {
        stopped.add(entry.to); // what follows to the same contact stays behind it
        continue;
      }
      for (const part of waitingParts(entry)) {
        const key = `${id}:${String(part)}`;
        if (this.#inFlight.has(key)) continue;
        if (this.#inFlight.size >= link.window) return;
        this.#inFlight.add(key);
        this.#desk.background(this.#handOver(link, entry, part, key));
      }
    }
  }

  #mayGo(entry: Outgoing): boolean {
    const contact = stateOf(this.#desk).contacts.get(entry.to);
    if (contact?.relation !== 'open' || contact.changed || this.#busy(entry.to)) return false;
    return (this.#heldUntil.get(entry.to) ?? 0) <= this.#desk.ports.clock.now();
  }

  /** The frame's id follows from the message's and the part: a repetition is known as one. */
  async #handOver(link: Link, entry: Outgoing, part: number, key: string): Promise<void> {
    const { id } = entry;
    const { envelope, frameId } = sealedPart(entry, part);
    let reply: Reply;
    try {
      reply = await link.request(structs.smpu, { envelope }, { frameId });
    } catch (thrown) {
      if (thrown instanceof ClientError) return; // the link ended: the entry stays and is sent again
      throw thrown;
    }
    this.#inFlight.delete(key);
    this.#waiters.tell(ANSWERED, { state: 'waiting' });
    if (reply.code === Code.done || reply.code === Code.queued) {
      this.#delay = LATER_MS;
      await this.#progress(id, part, reply.code === Code.done ? 'delivered' : 'queued');
    } else if (reply.code === Code.forbidden) this.#forbidden(id);
    else if (laterCodes.has(reply.code)) this.#later(id, reply);
    else await this.#failed(id);
    this.kick();
  }

  async #progress(id: string, part: number, reached: 'queued' | 'delivered'): Promise<void> {
    const entry = stateOf(this.#desk).outgoing.get(id);
    const event = entry && answered(entry, part, reached, this.#desk.ports.clock.now());
    await this.#desk.record(...(event ? [event] : []));
    const state = event?.t === 'sent' ? event.state : (stateOf(this.#desk).outgoing.get(id)?.state ?? reached);
    if (state === 'waiting') return;
    this.#todo.delete(id);
    this.#waiters.tell(id, { state });
  }

  async #failed(id: string): Promise<void> {
    const to = stateOf(this.#desk).outgoing.get(id)?.to ?? '';
    this.#todo.delete(id);
    const events: Event[] = [{ t: 'sent', id, state: 'failed', at: this.#desk.ports.clock.now() }];
    if (!this.#waiters.tell(id, { state: 'failed', failure: error('not-taken', to) }))
      events.push(notice(this.#desk, 'not-taken', to));
    await this.#desk.record(...events);
  }

  /** Not in an accepted conversation, or not any more: kept, and tried again. */
  #forbidden(id: string): void {
    const to = stateOf(this.#desk).outgoing.get(id)?.to ?? '';
    this.#heldUntil.set(to, this.#desk.ports.clock.now() + FORBIDDEN_MS);
    this.#waiters.tell(id, { state: 'waiting', failure: error('not-accepted', to) });
    this.#desk.ports.clock.after(FORBIDDEN_MS, () => {
      this.kick();
    });
  }

  #later(id: string, reply: Reply): void {
    const limited = reply.code === Code.limited;
    const failure = limited ? limitedFor(reply.wait) : error('unavailable', String(reply.code));
    this.#waiters.tell(id, { state: 'waiting', failure });
    const ms = reply.wait > 0 ? reply.wait * 1000 : this.#delay;
    this.#delay = Math.min(2 * this.#delay, LATER_MAX_MS);
    this.#pause ??= this.#desk.ports.clock.after(ms, () => {
      this.#pause = undefined;
      this.kick();
    });
  }

  /** A queued part was delivered (event dlvd). */
  onDelivered(frameId: Uint8Array): Event[] {
    const found = partOf(stateOf(this.#desk), frameId);
    const event = found && answered(found.entry, found.part, 'delivered', this.#desk.ports.clock.now());
    return event ? [event] : [];
  }

  /** Parts that the daemon has. */
  #gone(id: string): number {
    const entry = stateOf(this.#desk).outgoing.get(id);
    return entry ? (this.#todo.get(id) ?? 0) - waitingParts(entry).length : 0;
  }

  /** How far a message got, waiting up to `ms` for the daemon to have it. */
  async outcome(id: string, ms: number): Promise<Sent> {
    const state = (): OutgoingState => stateOf(this.#desk).outgoing.get(id)?.state ?? 'delivered';
    const entry = stateOf(this.#desk).outgoing.get(id);
    const trouble = this.#desk.trouble();
    const awaits = entry && stateOf(this.#desk).contacts.get(entry.to)?.relation === 'open';
    if (state() !== 'waiting') return { state: state() };
    if (trouble) return { state: 'waiting', failure: trouble };
    if (!awaits) return { state: 'waiting' };
    /* Many parts take their time on a slow line: waited for as long as there is progress. */
    for (let round = 0, before = -1, now = 0; round < OUTCOME_ROUNDS && now > before; round++) {
      const told = await this.#waiters.wait(id, ms);
      if (told) return told;
      if (this.#desk.trouble()) break;
      [before, now] = [now, this.#gone(id)];
    }
    const failure = state() === 'waiting' ? (this.#desk.trouble() ?? error('timeout', 'smpu')) : undefined;
    return { state: state(), ...(failure ? { failure } : {}) };
  }
}
