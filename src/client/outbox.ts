/** What we send: sealed, synced, then handed to the daemon until it has it (SPEC 8). */
import {
  Code,
  conversationId,
  ENVELOPE_TEXT,
  ENVELOPE_VERSION,
  envelopeHash,
  fingerprint,
  fromHex,
  hex,
  laterCodes,
  sealEnvelope,
  structs,
  SUITE_RSA,
  utf8,
} from '../../protocol/index.js';
import { cryptoOf, newId, notice, stateOf, type Desk } from './desk.js';
import { ClientError, error, limitedFor } from './errors.js';
import type { Link, Reply } from './link.js';
import { otherName } from './people.js';
import type { Event } from './reducer.js';
import { noChain, OUTBOX_MAX, type Chain, type Contact, type Outgoing, type OutgoingState } from './state.js';
import { Waiters } from './waiters.js';

/** After an answer that means "later" without a time: doubled up to the limit. */
const LATER_MS = 1_000;
const LATER_MAX_MS = 60_000;
/** A recipient who does not take messages (403) is tried again this much later. */
const FORBIDDEN_MS = 60_000;
/** Waited for by who wants to know that an answer came: no id is called so. */
const ANSWERED = 'answered';
const ANSWERED_LOOK_MS = 1_000;

export interface Sent {
  readonly state: OutgoingState;
  /** why it is not further, where the daemon said so */
  readonly failure?: ClientError;
}

export class Outbox {
  readonly #desk: Desk;
  readonly #busy: (name: string) => boolean;
  readonly #waiters: Waiters<Sent>;
  /** Ids that the daemon does not have yet, in order. */
  readonly #todo = new Set<string>();
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
    for (const entry of stateOf(desk).outgoing.values()) if (entry.state === 'waiting') this.#todo.add(entry.id);
  }

  online(link: Link): void {
    this.#link = link;
    this.#delay = LATER_MS;
    this.#heldUntil.clear();
    for (const id of this.#todo)
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
    const { length } = utf8(text);
    if (length === 0) throw error('text-empty');
    if (length > ENVELOPE_TEXT) throw error('text-long', String(length), String(ENVELOPE_TEXT));
    if (hasLoneSurrogate(text)) throw error('text-invalid');
    this.#mayWrite(to);
    if (this.#todo.size >= OUTBOX_MAX) throw error('outbox-full', String(OUTBOX_MAX));
    const id = newId(this.#desk);
    await this.#inLine(async () => {
      const contact = this.#mayWrite(to);
      const base = { t: 'text', id, to, text, at: this.#desk.ports.clock.now() } as const;
      if (contact.relation !== 'open') {
        await this.#desk.record(base);
      } else {
        const sealed = await this.#seal(contact, id, text, base.at);
        await this.#desk.record({ ...base, ...sealed });
      }
      this.#todo.add(id);
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

  async #seal(contact: Contact, id: string, text: string, time: number): Promise<{ envelope: string; chain: Chain }> {
    const { me } = this.#desk;
    const { keys } = contact;
    if (!keys) throw error('never-asked', contact.name);
    const ports = cryptoOf(this.#desk);
    const recipient = fromHex(keys.uid);
    const sequence = contact.sent.sequence + 1;
    const enc = fromHex(keys.enc);
    const envelope = await sealEnvelope(
      ports,
      {
        version: ENVELOPE_VERSION,
        suite: SUITE_RSA,
        conversation: conversationId(ports.sync, me.uid, recipient),
        message: fromHex(id),
        sender: me.uid,
        recipient,
        senderKeys: fingerprint(ports.sync, { enc: me.enc.modulus, sig: me.sig.modulus }),
        recipientKeys: fingerprint(ports.sync, { enc, sig: fromHex(keys.sig) }),
        sequence,
        time,
        previous: fromHex(sequence === 1 ? noChain.hash : contact.sent.hash),
        part: 0,
        parts: 1,
      },
      utf8(text),
      enc,
      me.sig,
    );
    return { envelope: hex(envelope), chain: { sequence, hash: hex(envelopeHash(ports.sync, envelope)) } };
  }

  /** Texts that waited for an acceptance are sealed, in order, once there are keys. */
  opened(name: string): void {
    this.#heldUntil.delete(name);
    for (const id of this.#todo) {
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
      await this.#desk.record({ t: 'sealed', id, ...sealed });
    });
    this.kick();
  }

  /** Entries that will not be sent any more. */
  forget(): void {
    for (const id of this.#todo) if (stateOf(this.#desk).outgoing.get(id)?.state !== 'waiting') this.#todo.delete(id);
  }

  /** Hands over what may go, in order, as far as the window reaches. */
  kick(): void {
    const link = this.#link;
    if (!link || this.#pause) return;
    const stopped = new Set<string>();
    for (const id of this.#todo) {
      if (this.#inFlight.size >= link.window) return;
      if (this.#inFlight.has(id)) continue;
      const entry = stateOf(this.#desk).outgoing.get(id);
      if (entry?.state !== 'waiting') {
        this.#todo.delete(id);
        continue;
      }
      if (stopped.has(entry.to) || !entry.envelope || !this.#mayGo(entry)) {
        stopped.add(entry.to); // what follows to the same contact stays behind it
        continue;
      }
      this.#inFlight.add(id);
      this.#desk.background(this.#handOver(link, id, entry.envelope));
    }
  }

  #mayGo(entry: Outgoing): boolean {
    const contact = stateOf(this.#desk).contacts.get(entry.to);
    if (contact?.relation !== 'open' || contact.changed || this.#busy(entry.to)) return false;
    return (this.#heldUntil.get(entry.to) ?? 0) <= this.#desk.ports.clock.now();
  }

  /** The message's id is the frame's: a repetition is known as one. */
  async #handOver(link: Link, id: string, envelope: string): Promise<void> {
    let reply: Reply;
    try {
      reply = await link.request(structs.smpu, { envelope: fromHex(envelope) }, { frameId: fromHex(id) });
    } catch (thrown) {
      if (thrown instanceof ClientError) return; // the link ended: the entry stays and is sent again
      throw thrown;
    }
    this.#inFlight.delete(id);
    this.#waiters.tell(ANSWERED, { state: 'waiting' });
    if (reply.code === Code.done || reply.code === Code.queued) {
      this.#delay = LATER_MS;
      await this.#progress(id, reply.code === Code.done ? 'delivered' : 'queued');
    } else if (reply.code === Code.forbidden) this.#forbidden(id);
    else if (laterCodes.has(reply.code)) this.#later(id, reply);
    else await this.#failed(id);
    this.kick();
  }

  async #progress(id: string, state: OutgoingState): Promise<void> {
    this.#todo.delete(id);
    await this.#desk.record({ t: 'sent', id, state, at: this.#desk.ports.clock.now() });
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

  /** A queued message was delivered (event dlvd). */
  onDelivered(id: string): Event[] {
    const entry = stateOf(this.#desk).outgoing.get(id);
    if (!entry || entry.state === 'delivered' || entry.state === 'failed') return [];
    this.#todo.delete(id);
    return [{ t: 'sent', id, state: 'delivered', at: this.#desk.ports.clock.now() }];
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
    const told = await this.#waiters.wait(id, ms);
    if (told) return told;
    const failure = state() === 'waiting' ? (this.#desk.trouble() ?? error('timeout', 'smpu')) : undefined;
    return { state: state(), ...(failure ? { failure } : {}) };
  }
}

function hasLoneSurrogate(text: string): boolean {
  return /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
