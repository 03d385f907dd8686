/** What comes in, as it changes the state: messages, parts of long ones, and what is missing of them. */
import { fromHex, joinText } from '../../protocol/index.js';
import { isRoom } from './rooms/names.js';
import { noChain, type Chain, type Missing, type State, type Unfinished } from './state.js';
import { addMessage, addNotice, changeSource, dropRow, sourceOf } from './tables.js';

export interface MessageEvent {
  readonly t: 'message';
  readonly key: string;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly time: number;
  readonly at: number;
  readonly chain: Chain;
}

/** One part of several. The last that was missing shows the message: one record, so that no crash comes in between. */
export interface PartEvent {
  readonly t: 'part';
  /** of the part */
  readonly key: string;
  /** the key of the message that it is part of */
  readonly message: string;
  readonly id: string;
  readonly from: string;
  readonly part: number;
  readonly parts: number;
  readonly bytes: string;
  readonly time: number;
  readonly at: number;
  readonly chain: Chain;
}

/** Parts of a message did not come: told once. */
export interface IncompleteEvent {
  readonly t: 'incomplete';
  readonly message: string;
  readonly at: number;
}

/** The parts of an unfinished message are dropped, and what still comes of it is. */
export interface GivenUpEvent {
  readonly t: 'given-up';
  readonly message: string;
  readonly at: number;
}

/** Messages of a contact that did not come are reported. */
export interface GapEvent {
  readonly t: 'gap';
  readonly key: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export function applyMessage(state: State, event: MessageEvent): void {
  const { key, id, from, text, time, at, chain } = event;
  state.seen.set(key, at);
  const { sequence } = chain;
  addMessage(state, { key, sequence, ...timeOf(state, from), id, from, text, time, at });
  advance(state, from, chain, at);
}

export function applyPart(state: State, event: PartEvent): void {
  const { key, message, id, from, part, parts, bytes, time, at, chain } = event;
  state.seen.set(key, at);
  advance(state, from, chain, at);
  if (state.seen.has(message)) return; // given up
  const blank: Unfinished = { message, id, from, first: chain.sequence - part, parts, time, at, pieces: {} };
  const before = state.unfinished.get(message) ?? blank;
  const row = { ...before, at, pieces: { ...before.pieces, [part]: bytes } };
  if (Object.keys(row.pieces).length < parts) {
    state.unfinished.set(message, row);
    return;
  }
  state.unfinished.delete(message);
  if (state.notices.get(message)?.read === undefined) dropRow(state, 'notices', message);
  show(state, row);
}

function show(state: State, { message, id, from, first, parts, time, at, pieces }: Unfinished): void {
  const text = joinText(Array.from({ length: parts }, (_, part) => fromHex(pieces[part] ?? '')));
  if (text === undefined) {
    addNotice(state, { key: message, kind: 'unreadable', name: from, detail: 'text', at });
    return;
  }
  const key = `${message}:0`;
  const place = { sequence: first, ...timeOf(state, from) };
  addMessage(state, { key, ...place, id, from, text, time, at });
}

export function applyIncomplete(state: State, { message, at }: IncompleteEvent): void {
  const row = state.unfinished.get(message);
  if (!row) return;
  state.unfinished.set(message, { ...row, told: true });
  addNotice(state, { key: message, kind: 'incomplete', name: row.from, detail: howMuch(row), at });
}

export function applyGivenUp(state: State, { message, at }: GivenUpEvent): void {
  const row = state.unfinished.get(message);
  if (!row) return;
  state.unfinished.delete(message);
  state.seen.set(message, at);
  addNotice(state, { key: message, kind: 'given-up', name: row.from, detail: howMuch(row), at });
}

function howMuch({ pieces, parts }: Unfinished): string {
  return `${String(Object.keys(pieces).length)}/${String(parts)}`;
}

export function applyGap(state: State, { key, name, from, to, at }: GapEvent): void {
  const missing = sourceOf(state, name)?.missing;
  if (missing) changeSource(state, name, { missing: without(missing, from, to) });
  const detail = from === to ? String(from) : `${String(from)}-${String(to)}`;
  addNotice(state, { key, kind: 'gap', name, detail, at });
}

/** Something of this source came: what lies before it and did not come is missing, and it is missing no more. */
export function advance(state: State, from: string, chain: Chain, at: number): void {
  const { sequence } = chain;
  const source = sourceOf(state, from);
  const last = source?.received ?? startOf(from, sequence);
  const missing = source?.missing ?? [];
  if (sequence > last.sequence) {
    const gap = { from: last.sequence + 1, to: sequence - 1, since: at };
    changeSource(state, from, { received: chain, ...(gap.to < gap.from ? {} : { missing: [...missing, gap] }) });
  } else if (missing.length > 0) changeSource(state, from, { missing: without(missing, sequence, sequence) });
}

/** Which of somebody's times in a room it is, or of a contact's counts. */
function timeOf(state: State, from: string): { since?: number } {
  const since = isRoom(from) ? state.members.get(from)?.since : state.contacts.get(from)?.counts;
  return since === undefined ? {} : { since };
}

/** A contact's count begins at 1; that of a member who was in the room before us with the first that comes. */
function startOf(from: string, sequence: number): Chain {
  return isRoom(from) ? { ...noChain, sequence: sequence - 1 } : noChain;
}

/** The ranges without what lies in from to to, cut where they reach over it. */
function without(missing: readonly Missing[], from: number, to: number): Missing[] {
  return missing.flatMap((gap) =>
    gap.to < from || gap.from > to
      ? [gap]
      : [
          { ...gap, to: from - 1 },
          { ...gap, from: to + 1 },
        ].filter((rest) => rest.from <= rest.to),
  );
}
