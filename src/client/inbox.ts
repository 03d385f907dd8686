/** What comes in: envelopes opened, told from duplicates, kept; unread and history (SPEC 7.4, 8). */
import {
  envelopeHash,
  envelopeSender,
  fingerprint,
  fromHex,
  hex,
  openEnvelope,
  readEnvelopeHeader,
  samePublic,
} from '../../protocol/index.js';
import { cryptoOf, notice, stateOf, type Desk } from './desk.js';
import { arrived, seenBefore } from './arrival.js';
import { Gaps } from './gaps.js';
import type { Me } from './identity.js';
import type { Event } from './reducer.js';
import { isRoom, memberKey, splitName } from './rooms/names.js';
import { contactByUid, type Contact, type Incoming, type Notice, type Outgoing } from './state.js';

/** Rows that one call gives, and characters of texts: a line of the profile's socket has room for them. */
export const PAGE = 256;
const PAGE_TEXT = 1024 * 1024;

/** `room`: where it was said, or what the notice is about; `from` and `name` are of a person, or empty. */
export interface InRoom {
  readonly room?: string;
}
export type Item = ({ readonly type: 'message' } & Incoming & InRoom) | ({ readonly type: 'notice' } & Notice & InRoom);
export type Line =
  ({ readonly type: 'in' } & Incoming & InRoom) | ({ readonly type: 'out' } & Omit<Outgoing, 'envelope' | 'parts'>);

export class Inbox {
  readonly #desk: Desk;
  readonly gaps: Gaps;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.gaps = new Gaps(desk);
  }

  /** An envelope (event rvum). Whatever is wrong with it is shown, never its text. */
  async onMessage(envelope: Uint8Array): Promise<Event[]> {
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
    const me = this.#addressee(envelope);
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
    const id = hex(header.message);
    const arrival = { ...header, from: contact.name, message: `${contact.keys.uid}:${id}`, id, hash, text };
    if (me === this.#desk.next && !contact.ahead)
      await this.#desk.record(...this.gaps.ofContact(contact), {
        t: 'ahead',
        name: contact.name,
        at: this.#desk.ports.clock.now(),
      });
    const known = seenBefore(state, arrival);
    if (known === 'parts') return refuse(contact.name, known);
    return known === 'new' ? arrived(this.#desk, this.gaps, arrival) : [];
  }

  /** The keys of ours that it names: while others are under way, contacts may know those already. */
  #addressee(envelope: Uint8Array): Me {
    const { me, next } = this.#desk;
    if (!next) return me;
    const { sync } = cryptoOf(this.#desk);
    const theirs = readEnvelopeHeader(envelope)?.recipientKeys;
    const ours = fingerprint(sync, { enc: next.enc.modulus, sig: next.sig.modulus });
    return theirs && samePublic(theirs, ours) ? next : me;
  }

  /** What was not shown yet, oldest first, at most a page. */
  unread(): { items: Item[]; more: boolean } {
    const { incoming, notices } = stateOf(this.#desk);
    const items: Item[] = [];
    for (const row of inSequence([...incoming.values()].filter((one) => one.read === undefined)))
      items.push({ type: 'message', ...asShown(row) });
    for (const row of notices.values())
      if (row.read === undefined) items.push({ type: 'notice', ...row, ...splitName(row.name) });
    items.sort((a, b) => a.order - b.order);
    const shown = page(items, (item) => (item.type === 'message' ? item.text.length : 0));
    return { items: shown, more: items.length > shown.length };
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

  /**
   * Both sides of a conversation behind the row numbered `after`, oldest first, at most a page.
   * @param name of a contact, or a room's key
   */
  history(name: string, after: number): { lines: Line[]; more: boolean } {
    const { incoming, outgoing } = stateOf(this.#desk);
    const lines: Line[] = [];
    const [theirs, room] = [memberKey(name, ''), isRoom(name)];
    const isOf = ({ from }: Incoming): boolean => (room ? from.startsWith(theirs) : from === name);
    for (const row of inSequence([...incoming.values()].filter(isOf)))
      if (row.order > after) lines.push({ type: 'in', ...asShown(row) });
    for (const { envelope: _sealed, parts: _far, ...row } of outgoing.values())
      if (row.to === name && row.order > after) lines.push({ type: 'out', ...row });
    lines.sort((a, b) => a.order - b.order);
    const shown = page(lines, (line) => line.text.length);
    return { lines: shown, more: lines.length > shown.length };
  }
}

/** As faces see it: who wrote it, and in which room. */
function asShown({ since: _theirs, ...row }: Incoming): Incoming & InRoom {
  const { name, room } = splitName(row.from);
  return { ...row, from: name, ...(room === undefined ? {} : { room }) };
}

/** As many of the first rows as one call gives, and one at least. */
function page<T>(rows: readonly T[], length: (row: T) => number): T[] {
  let left = PAGE_TEXT;
  const over = rows.findIndex((row, index) => index >= PAGE || ((left -= length(row)) < 0 && index > 0));
  return rows.slice(0, over < 0 ? rows.length : over);
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
    const written = all.sort((a, b) => (a.since ?? 0) - (b.since ?? 0) || (a.sequence ?? 0) - (b.sequence ?? 0));
    return written.map((row, index) => ({ ...row, order: places[index] ?? row.order }));
  });
}

/** An open conversation; or one that was open, was blocked and is asked for anew: their side never closed. */
function mayWrite({ relation, received }: Contact): boolean {
  return relation === 'open' || (relation === 'asked' && received.sequence > 0);
}
