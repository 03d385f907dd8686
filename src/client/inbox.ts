/** What comes in: envelopes opened, told from duplicates, kept; unread, history and pages (SPEC 7.4, 8). */
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
import { isPlace, placeOf } from './places.js';
import type { Event } from './reducer.js';
import {
  byOrder,
  firstPage,
  inSequence,
  lastBefore,
  lastPage,
  messageRow,
  noticeRow,
  ownRow,
  rowsThat,
  type Item,
  type Line,
  type Row,
} from './rows.js';
import { contactByUid, type Contact } from './state.js';

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
    const isFresh = (row: { readonly read?: number }): boolean => row.read === undefined;
    const fresh = inSequence(rowsThat(incoming.values(), isFresh));
    const items: Item[] = [...fresh.map(messageRow), ...rowsThat(notices.values(), isFresh).map(noticeRow)];
    items.sort(byOrder);
    const shown = firstPage(items, (item) => (item.type === 'message' ? item.text.length : 0));
    return { items: shown, more: items.length > shown.length };
  }

  unreadCount(): number {
    const { incoming, notices } = stateOf(this.#desk);
    let count = 0;
    for (const table of [incoming, notices]) for (const { read } of table.values()) if (read === undefined) count++;
    return count;
  }

  async markRead(keys: readonly string[]): Promise<void> {
    const { incoming, notices } = stateOf(this.#desk);
    const fresh = keys.filter((key) => (incoming.get(key) ?? notices.get(key))?.read === undefined);
    const known = new Set(fresh.filter((key) => incoming.has(key) || notices.has(key)));
    if (known.size > 0) await this.#desk.record({ t: 'read', keys: [...known], at: this.#desk.ports.clock.now() });
  }

  /**
   * Both sides of a conversation behind the row numbered `after`, oldest first, at most a page.
   * @param name of a contact, or a room's key
   */
  history(name: string, after: number): { lines: Line[]; more: boolean } {
    const { incoming, outgoing } = stateOf(this.#desk);
    const lines: Line[] = [];
    for (const row of inSequence(rowsThat(incoming.values(), ({ from }) => placeOf(from) === name)))
      if (row.order > after) lines.push({ ...messageRow(row), type: 'in' });
    for (const row of outgoing.values()) if (row.to === name && row.order > after) lines.push(ownRow(row));
    lines.sort(byOrder);
    const shown = firstPage(lines, (line) => line.text.length);
    return { lines: shown, more: lines.length > shown.length };
  }

  /**
   * What a screen shows of a place before the row numbered `before`: the newest page, oldest first.
   * @param name of a contact, or a room's key; empty: notices of no contact and no room that there is
   */
  page(name: string, before: number): { rows: Row[]; more: boolean } {
    const state = stateOf(this.#desk);
    const isHere = (place: string): boolean => (name === '' ? !isPlace(state, place) : place === name);
    const told = rowsThat(state.notices.values(), (notice) => isHere(placeOf(notice.name)));
    const said = rowsThat(state.incoming.values(), ({ from }) => placeOf(from) === name);
    const own = rowsThat(state.outgoing.values(), ({ to }) => to === name);
    const newest = [
      ...lastBefore(told, before).map(noticeRow),
      ...lastBefore(inSequence(said), before).map(messageRow),
      ...lastBefore(own, before).map(ownRow),
    ].sort(byOrder);
    const rows = lastPage(newest, (row) => (row.type === 'notice' ? 0 : row.text.length));
    return { rows, more: newest.length > rows.length };
  }
}

/** An open conversation; or one that was open, was blocked and is asked for anew: their side never closed. */
function mayWrite({ relation, received }: Contact): boolean {
  return relation === 'open' || (relation === 'asked' && received.sequence > 0);
}
