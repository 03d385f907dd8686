/** What is shown: messages, own texts and notices as faces see them, their order, and pages of them. */
import { splitName } from './rooms/names.js';
import type { Incoming, Notice, Outgoing } from './state.js';

/** Rows that one call gives, and characters of texts: a line of the profile's socket has room for them. */
export const PAGE = 256;
const PAGE_TEXT = 1024 * 1024;

/** `room`: where it was said, or what the notice is about; `from` and `name` are of a person, or empty. */
export interface InRoom {
  readonly room?: string;
}
type Message = Incoming & InRoom;
type Own = { readonly type: 'out' } & Omit<Outgoing, 'envelope' | 'parts'>;

export type Item = ({ readonly type: 'message' } & Message) | ({ readonly type: 'notice' } & Notice & InRoom);
export type Line = ({ readonly type: 'in' } & Message) | Own;
/** What a screen shows. It is known by its key; an own text by its id. */
export type Row = Item | Own;

export function messageRow({ since: _theirs, ...row }: Incoming): Extract<Item, { type: 'message' }> {
  const { name, room } = splitName(row.from);
  return { type: 'message', ...row, from: name, ...(room === undefined ? {} : { room }) };
}

export function noticeRow(row: Notice): Extract<Item, { type: 'notice' }> {
  return { type: 'notice', ...row, ...splitName(row.name) };
}

export function ownRow({ envelope: _sealed, parts: _far, ...row }: Outgoing): Own {
  return { type: 'out', ...row };
}

/** Those that fit, without a copy of all: there may be very many. */
export function rowsThat<R>(rows: Iterable<R>, fits: (row: R) => boolean): R[] {
  const found: R[] = [];
  for (const row of rows) if (fits(row)) found.push(row);
  return found;
}

interface Ordered {
  readonly order: number;
}

export function byOrder(a: Ordered, b: Ordered): number {
  return a.order - b.order;
}

/** Whose came first, of one sender's. */
function byWriting(a: Incoming, b: Incoming): number {
  return (a.since ?? 0) - (b.since ?? 0) || (a.sequence ?? 0) - (b.sequence ?? 0);
}

/** Nothing came late, as nearly always. */
function isInSequence(rows: readonly Incoming[]): boolean {
  const last = new Map<string, Incoming>();
  return rows.every((row) => {
    const before = last.get(row.from);
    last.set(row.from, row);
    return !before || (before.order < row.order && byWriting(before, row) <= 0);
  });
}

/** Each sender's messages in the order in which they were written: what came late takes its place among them. */
export function inSequence(rows: readonly Incoming[]): readonly Incoming[] {
  if (isInSequence(rows)) return rows;
  const bySender = new Map<string, Incoming[]>();
  for (const row of rows) {
    const all = bySender.get(row.from);
    if (all) all.push(row);
    else bySender.set(row.from, [row]);
  }
  return [...bySender.values()].flatMap((all) => {
    const places = all.map((row) => row.order).sort((a, b) => a - b);
    const written = all.sort(byWriting);
    return written.map((row, index) => {
      const order = places[index] ?? row.order;
      return order === row.order ? row : { ...row, order };
    });
  });
}

/** The newest rows before `before`, oldest first: one more than a page, which says whether there are older ones. */
export function lastBefore<R extends Ordered>(rows: readonly R[], before: number): R[] {
  const isSorted = rows.every((row, index) => index === 0 || (rows[index - 1]?.order ?? 0) <= row.order);
  const sorted = isSorted ? rows : [...rows].sort(byOrder);
  let end = sorted.length;
  while ((sorted[end - 1]?.order ?? -Infinity) >= before) end--;
  return sorted.slice(Math.max(0, end - PAGE - 1), end);
}

/** How many rows one call gives, and one at least. */
function pageLength(lengths: Iterable<number>): number {
  let [count, left] = [0, PAGE_TEXT];
  for (const length of lengths) {
    left -= length;
    if (count >= PAGE || (left < 0 && count > 0)) break;
    count++;
  }
  return count;
}

/** @param length of a row's text, in characters */
export function firstPage<R>(rows: readonly R[], length: (row: R) => number): R[] {
  return rows.slice(0, pageLength(rows.map(length)));
}

/** @param length of a row's text, in characters */
export function lastPage<R>(rows: readonly R[], length: (row: R) => number): R[] {
  return rows.slice(rows.length - pageLength(rows.map(length).reverse()));
}
