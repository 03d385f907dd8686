/** What we send: sealed, synced, then handed to the daemon until it has it (SPEC 8). */
import { Code, laterCodes } from '../../protocol/index.js';
import { newId, notice, stateOf, type Desk } from './desk.js';
import { ClientError, error, keptFor } from './errors.js';
import type { Reply } from './answers.js';
import type { Link } from './link.js';
import { answered, partOf, waitingParts } from './outgoing.js';
import type { Lane } from './lane.js';
import { Pace } from './pace.js';
import type { Event } from './reducer.js';
import { isReceipt, nextReceipt } from './receipt-rows.js';
import { Receipts } from './receipts.js';
import { isRoom } from './rooms/names.js';
import { checkText, partsOf } from './sealing.js';
import { OUTBOX_MAX, type Outgoing, type OutgoingState } from './state.js';
import { Waiters } from './waiters.js';

/** After a refusal because somebody takes no more: doubled up to the limit. */
const LATER_MS = 1_000;
const LATER_MAX_MS = 60_000;
/** Who does not take messages (403) is tried again this much later. */
const FORBIDDEN_MS = 60_000;
/** How often on end texts are sealed anew for the same room before they wait. */
const RENEWALS_MAX = 8;
/** Waited for by who wants to know that an answer came: no id is called so. */
const ANSWERED = 'answered';
const ANSWERED_LOOK_MS = 1_000;
/** Who ends the client waits for the daemon's limits where that is no longer than this. */
const QUIET_SECONDS = 2;
/** How often a sender's patience begins anew while parts are answered: within the time of a call of the socket. */
const OUTCOME_ROUNDS = 8;

export interface Sent {
  readonly state: OutgoingState;
  /** why it is not further, where the daemon said so */
  readonly failure?: ClientError;
}

export class Outbox {
  readonly #desk: Desk;
  readonly #contacts: Lane;
  readonly #rooms: Lane;
  readonly #waiters: Waiters<Sent>;
  readonly #receipts: Receipts;
  /** Ids of what the daemon does not have whole yet, in order, and how many parts they have. */
  readonly #todo = new Map<string, number>();
  /** parts, as id and number */
  readonly #inFlight = new Set<string>();
  /** Contacts and rooms that took nothing a while ago, each with what ends its waiting. */
  readonly #holds = new Map<string, () => void>();
  /** Refusals on end after which something was sealed anew. */
  readonly #renewals = new Map<string, number>();
  /** Refused, and about to be sealed anew: what was on the way with it says nothing new. */
  readonly #renewing = new Set<string>();
  /** To be sealed anew when what is on the way is answered: the daemon may have taken it as it is. */
  readonly #deferred = new Set<string>();
  /** Rooms that could not be opened, and are tried again. */
  readonly #waking = new Map<string, () => void>();
  #link: Link | undefined;
  readonly #pace: Pace;
  /** how long contacts and rooms that take no more for now are waited for */
  readonly #delays = new Map<string, number>();
  #sealing: Promise<unknown> = Promise.resolve();

  constructor(desk: Desk, contacts: Lane, rooms: Lane) {
    this.#desk = desk;
    this.#contacts = contacts;
    this.#rooms = rooms;
    this.#waiters = new Waiters(desk.ports.clock);
    this.#pace = new Pace(desk, () => {
      this.kick();
    });
    this.#receipts = new Receipts(desk, { mayGo: (to) => this.#mayReceipt(to), send: (to) => this.#sendReceipt(to) });
    const { outgoing, receipts } = stateOf(desk);
    const waiting = [...outgoing.values(), ...receipts.values()].filter(({ state }) => state === 'waiting');
    for (const { id, text } of waiting.sort((a, b) => a.order - b.order)) this.#todo.set(id, partsOf(text));
  }

  /** A text, or a receipt that is sealed. */
  #entry(id: string): Outgoing | undefined {
    const { outgoing, receipts } = stateOf(this.#desk);
    return outgoing.get(id) ?? receipts.get(id);
  }

  online(link: Link): void {
    this.#link = link;
    this.#pace.online(link.window);
    this.#delays.clear();
    this.#renewing.clear();
    this.#renewals.clear();
    for (const to of this.#waitingFor()) this.opened(to);
    this.kick();
  }

  #lane(to: string): Lane {
    return isRoom(to) ? this.#rooms : this.#contacts;
  }

  /** Contacts and rooms for which something waits. */
  #waitingFor(): Set<string> {
    return new Set([...this.#todo.keys()].flatMap((id) => this.#entry(id)?.to ?? []));
  }

  offline(): void {
    this.#link = undefined;
    this.#pace.offline();
    for (const to of [...this.#holds.keys()]) this.#release(to);
    this.#inFlight.clear();
    this.#deferred.clear();
    for (const cancel of this.#waking.values()) cancel();
    this.#waking.clear();
    this.#waiters.dismiss();
  }

  /** Resolves when nothing more can be handed over now and all that was is answered; soon, where there is no session. */
  async quiet(): Promise<void> {
    await this.#sealing;
    this.kick();
    while (this.#link && (this.#inFlight.size > 0 || this.#isLimited()))
      await this.#waiters.wait(ANSWERED, ANSWERED_LOOK_MS);
  }

  #isLimited(): boolean {
    const { limitedFor } = this.#pace;
    return limitedFor > 0 && limitedFor <= QUIET_SECONDS;
  }

  /** @throws ClientError as the text, the contact or room, or the outbox don't allow it */
  async send(typed: string, text: string): Promise<{ readonly id: string; readonly to: string }> {
    const lane = this.#lane(typed);
    const to = lane.destination(typed);
    const parts = checkText(text);
    lane.mayWrite(to);
    let waiting = parts;
    for (const others of this.#todo.values()) waiting += others;
    if (waiting > OUTBOX_MAX) throw error('outbox-full', String(OUTBOX_MAX));
    const id = newId(this.#desk);
    await this.#inLine(async () => {
      lane.mayWrite(to);
      const base = { t: 'text', id, to, text, at: this.#desk.ports.clock.now() } as const;
      const sealed = lane.isOpen(to) ? await lane.seal(to, { id, text, at: base.at }) : undefined;
      lane.mayWrite(to); // sealing takes its time
      await this.#desk.record({ ...base, ...sealed });
      this.#todo.set(id, parts);
    });
    if (!stateOf(this.#desk).outgoing.get(id)?.envelope) this.opened(to);
    this.kick();
    return { id, to };
  }

  /** Messages of contacts were read. */
  wasRead(): void {
    this.#receipts.gather();
  }

  /** Before a clean end: `quiet` waits for what this hands over. */
  close(): void {
    this.#receipts.close();
  }

  #mayReceipt(to: string): boolean {
    if (!this.#link || this.#pace.isPaused || this.#holds.has(to) || !this.#contacts.mayGo(to)) return false;
    for (const one of stateOf(this.#desk).receipts.values()) if (one.to === to) return false;
    return true;
  }

  /** One record says what it names and that this is owed no more: no crash loses or doubles it. */
  async #sendReceipt(to: string): Promise<void> {
    await this.#inLine(async () => {
      const ids = nextReceipt(stateOf(this.#desk), to);
      if (ids.length === 0 || !this.#contacts.isOpen(to)) return;
      const [id, at] = [newId(this.#desk), this.#desk.ports.clock.now()];
      const sealed = await this.#contacts.seal(to, { id, text: '', at, receipt: ids });
      const isOwed = nextReceipt(stateOf(this.#desk), to)[0] === ids[0]; // a person may have turned them off
      if (!sealed || !isOwed) return;
      await this.#desk.record({ t: 'receipt-sealed', id, to, ids, at, ...sealed });
      this.#todo.set(id, 1);
    });
    this.kick();
  }

  /** Sealing reads and moves a chain: one after another. */
  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#sealing.then(work);
    this.#sealing = done.catch(() => undefined); // the caller has the failure; the line goes on
    return done;
  }

  /** Texts that waited are sealed, in order, once they can be; what was sealed for what is no more is sealed anew. */
  opened(to: string): void {
    this.#release(to);
    this.#renewing.delete(to);
    this.#desk.background(this.#sealWaiting(to));
    this.kick();
  }

  async #sealWaiting(to: string): Promise<void> {
    const lane = this.#lane(to);
    await this.#inLine(async () => {
      const all = [...this.#todo.keys()].flatMap((id) => stateOf(this.#desk).outgoing.get(id) ?? []);
      const waiting = all.filter((entry) => entry.to === to && entry.state === 'waiting');
      if (waiting.length === 0) return;
      if (!lane.isOpen(to)) {
        if (lane.wake(to)) this.#wakeLater(to);
        return;
      }
      /* Each names the one before it: from the first on all of them change. */
      const first = waiting.findIndex((entry) => lane.isStale(entry));
      const stale = first < 0 ? [] : waiting.slice(first).filter(({ envelope }) => envelope !== undefined);
      if (stale.some((entry) => this.#isFlying(entry))) {
        this.#deferred.add(to);
        return;
      }
      const anew = stale.length > 0 ? await lane.sealAnew(to, stale) : [];
      if (!anew) return; // it opens again
      await this.#desk.record(...anew.map((sealed) => ({ t: 'sealed', ...sealed }) as const));
      for (const { id, text, at, envelope } of waiting) {
        if (envelope !== undefined) continue;
        const sealed = lane.isOpen(to) ? await lane.seal(to, { id, text, at }) : undefined;
        if (!sealed) return;
        await this.#desk.record({ t: 'sealed', id, ...sealed });
      }
    });
    this.kick();
  }

  #isFlying({ id, envelope, text }: Outgoing): boolean {
    const parts = envelope === undefined ? 0 : partsOf(text);
    return Array.from({ length: parts }, (_, part) => part).some((part) => this.#inFlight.has(`${id}:${String(part)}`));
  }

  /** Where nothing opens it before: a new epoch that did not begin is tried again. */
  #wakeLater(to: string): void {
    if (!this.#link || this.#waking.has(to)) return;
    const cancel = this.#desk.ports.clock.after(FORBIDDEN_MS, () => {
      this.#waking.delete(to);
      if (this.#waitingFor().has(to)) this.opened(to);
    });
    this.#waking.set(to, cancel);
  }

  /** Entries that will not be sent any more; who waits for one learns it. */
  forget(): void {
    for (const id of [...this.#todo.keys()]) {
      const entry = this.#entry(id);
      if (entry?.state === 'waiting') continue;
      this.#todo.delete(id);
      if (!entry) this.#waiters.tell(id, { state: 'failed' });
    }
  }

  /** Hands over what may go, in order, as far as the window reaches. */
  kick(): void {
    this.#handOverAll();
    this.#receipts.look();
  }

  #handOverAll(): void {
    const link = this.#link;
    if (!link || this.#pace.isPaused) return;
    const stopped = new Set<string>();
    for (const id of this.#todo.keys()) {
      if (this.#inFlight.size >= this.#pace.most) return;
      const entry = this.#entry(id);
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
        if (this.#inFlight.size >= this.#pace.most) return;
        this.#inFlight.add(key);
        this.#desk.background(this.#handOver(link, entry, part, key));
      }
    }
  }

  #mayGo(entry: Outgoing): boolean {
    const lane = this.#lane(entry.to);
    return !this.#holds.has(entry.to) && lane.mayGo(entry.to) && !lane.isStale(entry);
  }

  /** The frame's id follows from the message's and the part: a repetition is known as one. */
  async #handOver(link: Link, entry: Outgoing, part: number, key: string): Promise<void> {
    const { id, to } = entry;
    const { struct, values, frameId } = this.#lane(to).carry(entry, part);
    let reply: Reply;
    try {
      reply = await link.request(struct, values, { frameId });
    } catch (thrown) {
      if (thrown instanceof ClientError) return; // the link ended: the entry stays and is sent again
      throw thrown;
    }
    this.#inFlight.delete(key);
    this.#waiters.tell(ANSWERED, { state: 'waiting' });
    if (reply.code === Code.done || reply.code === Code.queued) {
      this.#delays.delete(to);
      this.#pace.took(this.#todo.size <= 1);
      await this.#progress(id, part, reply.code === Code.done ? 'delivered' : 'queued');
    } else if (laterCodes.has(reply.code)) this.#later(entry, reply);
    else await this.#refused(entry, reply.code);
    if (this.#deferred.delete(to)) this.opened(to);
    this.kick();
  }

  async #progress(id: string, part: number, reached: 'queued' | 'delivered'): Promise<void> {
    const entry = this.#entry(id);
    if (entry) this.#renewals.delete(entry.to);
    const event = entry && answered(entry, part, reached, this.#desk.ports.clock.now());
    await this.#desk.record(...(event ? [event] : []));
    const state = event?.t === 'sent' ? event.state : (stateOf(this.#desk).outgoing.get(id)?.state ?? reached);
    if (state === 'waiting') return;
    this.#todo.delete(id);
    this.#waiters.tell(id, { state });
  }

  async #refused(entry: Outgoing, code: Code): Promise<void> {
    const { id, to } = entry;
    if (this.#renewing.has(to)) return undefined;
    const renewals = this.#renewals.get(to) ?? 0;
    /* A daemon that refuses what was just sealed for the epoch that it named is not asked again and again. */
    const refusal = renewals < RENEWALS_MAX ? this.#lane(to).onRefusal(to, code) : 'hold';
    if (refusal === 'fail') return this.#failed(entry, code);
    /* A room is looked at, which opens it again: what else is on the way is refused for the same reason. */
    if (!this.#holds.has(to)) this.#renewals.set(to, renewals + 1);
    this.#wait(to);
    if (refusal === 'renew') {
      this.#renewing.add(to);
    } else this.#waiters.tell(id, { state: 'waiting', failure: this.#lane(to).held(to) });
    return undefined;
  }

  async #failed(entry: Outgoing, code: Code): Promise<void> {
    const { id, to } = entry;
    this.#todo.delete(id);
    const events: Event[] = [{ t: 'sent', id, state: 'failed', at: this.#desk.ports.clock.now() }];
    if (isReceipt(entry)) this.#desk.ports.log(`a receipt was not taken: ${String(code)}`);
    else if (!this.#waiters.tell(id, { state: 'failed', failure: this.#lane(to).refused(to) }))
      events.push(notice(this.#desk, 'not-taken', to));
    await this.#desk.record(...events);
  }

  /** Kept, and tried again: after a while, or when it opens. */
  #wait(to: string, ms = FORBIDDEN_MS): void {
    this.#holds.get(to)?.();
    const cancel = this.#desk.ports.clock.after(ms, () => {
      this.#release(to);
      this.#renewals.delete(to);
      this.#renewing.delete(to);
      this.kick();
    });
    this.#holds.set(to, cancel);
  }

  #release(to: string): void {
    this.#holds.get(to)?.();
    this.#holds.delete(to);
  }

  /** Whoever takes no more is waited for alone; a limit with a time is ours, and anything else the daemon's trouble with all of it. */
  #later({ id, to }: Outgoing, reply: Reply): void {
    const limited = reply.code === Code.limited;
    const failure = limited ? keptFor(reply.wait) : error('unavailable', String(reply.code));
    this.#waiters.tell(id, { state: 'waiting', failure });
    if (limited && reply.wait === 0) {
      if (this.#holds.has(to)) return; // it was on the way with one for which we wait
      const delay = this.#delays.get(to) ?? LATER_MS;
      this.#delays.set(to, Math.min(2 * delay, LATER_MAX_MS));
      this.#wait(to, delay);
      return;
    }
    if (!limited) {
      this.#pace.troubled(reply.wait);
      return;
    }
    this.#pace.limited(reply.wait);
    for (const other of this.#todo.keys()) this.#waiters.tell(other, { state: 'waiting', failure });
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

  #late(entry: Outgoing | undefined): ClientError {
    const lane = entry && this.#lane(entry.to);
    return lane && !lane.isOpen(entry.to) ? lane.held(entry.to) : error('timeout', 'the message');
  }

  /** How far a message got, waiting up to `ms` for the daemon to have it. */
  async outcome(id: string, ms: number): Promise<Sent> {
    const entry = stateOf(this.#desk).outgoing.get(id);
    /* What waited for a room goes with it. */
    const gone = entry?.state === 'waiting' && isRoom(entry.to) ? 'failed' : 'delivered';
    const state = (): OutgoingState => stateOf(this.#desk).outgoing.get(id)?.state ?? gone;
    const trouble = this.#desk.trouble();
    const awaits = entry && (isRoom(entry.to) || this.#contacts.isOpen(entry.to));
    if (state() !== 'waiting') return { state: state() };
    if (trouble) return { state: 'waiting', failure: trouble };
    if (!awaits) return { state: 'waiting' };
    const limited = this.#pace.limitedFor;
    if (limited > 0) return { state: 'waiting', failure: keptFor(limited) };
    /* Many parts take their time on a slow line: waited for as long as there is progress. */
    for (let round = 0, before = -1, now = 0; round < OUTCOME_ROUNDS && now > before; round++) {
      const told = await this.#waiters.wait(id, ms);
      if (told) return told.state === 'failed' ? { failure: this.#lane(entry.to).refused(entry.to), ...told } : told;
      if (this.#desk.trouble()) break;
      [before, now] = [now, this.#gone(id)];
    }
    const failure = state() === 'waiting' ? (this.#desk.trouble() ?? this.#late(entry)) : undefined;
    return { state: state(), ...(failure ? { failure } : {}) };
  }
}
