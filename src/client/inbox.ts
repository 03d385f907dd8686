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
import { cryptoOf, newId, notice, stateOf, type Desk } from './desk.js';
import type { Event } from './reducer.js';
import {
  contactByUid,
  MISSING_MAX,
  type Contact,
  type Incoming,
  type Missing,
  type Notice,
  type Outgoing,
} from './state.js';

/** A missing message is reported after this long: it may still be on its way. */
const GAP_MS = 5_000;
/** ms since 1970 that a calendar can show: the sender's clock may say anything up to 2^53. */
const TIME_MAX = 8_640_000_000_000_000;
/** Rows that one call gives. */
export const PAGE = 256;

export type Item = ({ readonly type: 'message' } & Incoming) | ({ readonly type: 'notice' } & Notice);
export type Line = ({ readonly type: 'in' } & Incoming) | ({ readonly type: 'out' } & Outgoing);

export class Inbox {
  readonly #desk: Desk;
  #cancelGaps: (() => void) | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  close(): void {
    this.#cancelGaps?.();
    this.#cancelGaps = undefined;
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
    if (contact?.relation === 'blocked') return [];
    /* Queues are in order: who accepted us is open before their first text comes. */
    if (!contact?.keys || !mayWrite(contact)) return refuse(contact?.name ?? '', 'stranger');
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
    const at = ports.clock.now();
    const time = header.time <= TIME_MAX ? header.time : at;
    const events: Event[] = [];
    if (header.sequence === contact.received.sequence + 1 && header.sequence > 1)
      if (!samePublic(header.previous, fromHex(contact.received.hash)))
        events.push(notice(this.#desk, 'gap', contact.name, 'chain'));
    const [oldest] = contact.missing ?? [];
    if (oldest && (contact.missing?.length ?? 0) >= MISSING_MAX) events.push(this.#gap(contact, oldest));
    events.push({ t: 'message', key, id, from: contact.name, text, time, at, chain });
    return events;
  }

  #gap(contact: Contact, { from, to }: Missing): Event {
    return { t: 'gap', key: newId(this.#desk), name: contact.name, from, to, at: this.#desk.ports.clock.now() };
  }

  /** Reports the messages that are missing for long enough; the state remembers the others, also over a restart. */
  async reportGaps(): Promise<void> {
    const now = this.#desk.ports.clock.now();
    const events: Event[] = [];
    for (const contact of stateOf(this.#desk).contacts.values())
      /* A time to come means a clock that was set back: waiting for it could take years. */
      for (const gap of contact.missing ?? [])
        if (gap.since <= now - GAP_MS || gap.since > now) events.push(this.#gap(contact, gap));
    if (events.length > 0) await this.#desk.record(...events);
  }

  /** Looks again when the oldest of the missing messages is due; `close` ends it. */
  watchGaps(): void {
    if (this.#cancelGaps) return;
    let oldest: number | undefined;
    for (const { missing } of stateOf(this.#desk).contacts.values())
      for (const { since } of missing ?? []) if (oldest === undefined || since < oldest) oldest = since;
    if (oldest === undefined) return;
    const { clock } = this.#desk.ports;
    const ms = Math.min(Math.max(oldest + GAP_MS - clock.now(), 0), GAP_MS);
    this.#cancelGaps = clock.after(ms, () => {
      this.#cancelGaps = undefined;
      this.#desk.background(
        this.reportGaps().then(() => {
          this.watchGaps();
        }),
      );
    });
  }

  /** What was not shown yet, oldest first, at most a page. */
  unread(): { items: Item[]; more: boolean } {
    const { incoming, notices } = stateOf(this.#desk);
    const items: Item[] = [];
    for (const row of inSequence([...incoming.values()].filter((one) => one.read === undefined)))
      items.push({ type: 'message', ...row });
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
    for (const row of inSequence([...incoming.values()].filter((one) => one.from === name)))
      if (row.order > after) lines.push({ type: 'in', ...row });
    for (const row of outgoing.values()) if (row.to === name && row.order > after) lines.push({ type: 'out', ...row });
    lines.sort((a, b) => a.order - b.order);
    return { lines: lines.slice(0, PAGE), more: lines.length > PAGE };
  }
}

/** Each sender's messages in the order in which they were written: what came late takes its place among them. */
function inSequence(rows: readonly Incoming[]): Incoming[] {
  const bySender = new Map<string, Incoming[]>();
  for (const row of rows) {
    const all = bySender.get(row.from);
    if (all) all.push(row);
    else bySender.set(row.from, [row]);
  }
  return [...bySender.values()].flatMap((all) => {
    const places = all.map((row) => row.order).sort((a, b) => a - b);
    const written = all.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    return written.map((row, index) => ({ ...row, order: places[index] ?? row.order }));
  });
}

/** An open conversation; or one that was open, was blocked and is asked for anew: their side never closed. */
function mayWrite({ relation, received }: Contact): boolean {
  return relation === 'open' || (relation === 'asked' && received.sequence > 0);
}
