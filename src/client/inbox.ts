/** What comes in: envelopes opened, told from duplicates, kept; unread and history (SPEC 7.4, 8). */
import {
  envelopeHash,
  envelopeSender,
  fingerprint,
  fromHex,
  hex,
  openEnvelope,
  samePublic,
} from '../../protocol/index.js';
import { cryptoOf, notice, stateOf, type Desk } from './desk.js';
import type { Event } from './reducer.js';
import { contactByUid, type Contact, type Incoming, type Notice, type Outgoing } from './state.js';

/** A missing message is reported after this long: it may still be on its way. */
const GAP_MS = 5_000;
/** Rows that one call gives. */
export const PAGE = 256;

export type Item = ({ readonly type: 'message' } & Incoming) | ({ readonly type: 'notice' } & Notice);
export type Line = ({ readonly type: 'in' } & Incoming) | ({ readonly type: 'out' } & Outgoing);

export class Inbox {
  readonly #desk: Desk;
  readonly #gaps = new Map<string, () => void>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  close(): void {
    for (const cancel of this.#gaps.values()) cancel();
    this.#gaps.clear();
  }

  /** An envelope (event rvum). Whatever is wrong with it is shown, never its text. */
  async onMessage(envelope: Uint8Array): Promise<Event[]> {
    const { me, ports } = this.#desk;
    const crypto = cryptoOf(this.#desk);
    const state = stateOf(this.#desk);
    const hash = hex(envelopeHash(crypto.sync, envelope));
    const refuse = (name: string, step: string): Event[] =>
      state.notices.has(hash) ? [] : [notice(this.#desk, 'unreadable', name, step, hash)];
    const contact = contactByUid(state, hex(envelopeSender(envelope)));
    if (!contact?.keys || contact.relation === 'blocked') return contact ? [] : refuse('', 'stranger');
    const keys = { enc: fromHex(contact.keys.enc), sig: fromHex(contact.keys.sig) };
    const opened = await openEnvelope(crypto, envelope, {
      recipient: me.uid,
      recipientKeys: fingerprint(crypto.sync, { enc: me.enc.modulus, sig: me.sig.modulus }),
      recipientEnc: me.enc,
      sender: fromHex(contact.keys.uid),
      senderKeys: fingerprint(crypto.sync, keys),
      senderSig: keys.sig,
    });
    if (opened.problem) return refuse(contact.name, opened.problem);
    const { header, text } = opened;
    /* Messages of several parts are of a later client than this. */
    if (header.parts !== 1) return refuse(contact.name, 'parts');
    const id = hex(header.message);
    const key = `${contact.keys.uid}:${id}:${String(header.part)}`;
    if (state.seen.has(key)) return [];
    const chain = { sequence: header.sequence, hash };
    const events: Event[] = [];
    if (header.sequence === contact.received.sequence + 1 && header.sequence > 1)
      if (!samePublic(header.previous, fromHex(contact.received.hash)))
        events.push(notice(this.#desk, 'gap', contact.name, 'chain'));
    this.#watch(contact, header.sequence);
    events.push({ t: 'message', key, id, from: contact.name, text, time: header.time, at: ports.clock.now(), chain });
    return events;
  }

  /** Messages missing before this one are reported unless they come soon. */
  #watch(contact: Contact, sequence: number): void {
    const { name, received } = contact;
    this.#arrived(name, sequence);
    for (let missing = received.sequence + 1; missing < sequence && this.#gaps.size < PAGE; missing++) {
      const key = `${name}:${String(missing)}`;
      const cancel = this.#desk.ports.clock.after(GAP_MS, () => {
        this.#gaps.delete(key);
        this.#desk.background(this.#desk.record(notice(this.#desk, 'gap', name, String(missing))));
      });
      this.#gaps.set(key, cancel);
    }
  }

  #arrived(name: string, sequence: number): void {
    const key = `${name}:${String(sequence)}`;
    this.#gaps.get(key)?.();
    this.#gaps.delete(key);
  }

  /** What was not shown yet, oldest first, at most a page. */
  unread(): { items: Item[]; more: boolean } {
    const { incoming, notices } = stateOf(this.#desk);
    const items: Item[] = [];
    for (const row of incoming.values()) if (row.read === undefined) items.push({ type: 'message', ...row });
    for (const row of notices.values()) if (row.read === undefined) items.push({ type: 'notice', ...row });
    items.sort((a, b) => a.order - b.order);
    return { items: items.slice(0, PAGE), more: items.length > PAGE };
  }

  unreadCount(): number {
    const { incoming, notices } = stateOf(this.#desk);
    const fresh = (row: { readonly read?: number }): boolean => row.read === undefined;
    return [...incoming.values()].filter(fresh).length + [...notices.values()].filter(fresh).length;
  }

  async markRead(keys: readonly string[]): Promise<void> {
    const { incoming, notices } = stateOf(this.#desk);
    const fresh = keys.filter((key) => (incoming.get(key) ?? notices.get(key))?.read === undefined);
    const known = fresh.filter((key) => incoming.has(key) || notices.has(key));
    if (known.length > 0) await this.#desk.record({ t: 'read', keys: known, at: this.#desk.ports.clock.now() });
  }

  /** Both sides of a conversation behind the row numbered `after`, oldest first, at most a page. */
  history(name: string, after: number): { lines: Line[]; more: boolean } {
    const { incoming, outgoing } = stateOf(this.#desk);
    const lines: Line[] = [];
    for (const row of incoming.values()) if (row.from === name && row.order > after) lines.push({ type: 'in', ...row });
    for (const row of outgoing.values()) if (row.to === name && row.order > after) lines.push({ type: 'out', ...row });
    lines.sort((a, b) => a.order - b.order);
    return { lines: lines.slice(0, PAGE), more: lines.length > PAGE };
  }
}
