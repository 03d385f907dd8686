/** Changes of rows that several events have in common. */
import { isRoom, splitName } from './rooms/names.js';
import {
  noChain,
  NOTICES_MAX,
  type Chain,
  type Contact,
  type Incoming,
  type Missing,
  type Notice,
  type NoticeKind,
  type Outgoing,
  type State,
} from './state.js';

export interface NoticeEvent {
  readonly t: 'notice';
  readonly key: string;
  readonly kind: NoticeKind;
  readonly name: string;
  readonly detail: string;
  readonly at: number;
}

export function relate(state: State, name: string, change: Partial<Contact>): void {
  const blank: Contact = { name, relation: 'asked', since: 0, sent: noChain, received: noChain };
  state.contacts.set(name, { ...(state.contacts.get(name) ?? blank), ...change });
}

/** Where messages come from: a contact, or somebody in a room. */
export interface Source {
  readonly received?: Chain;
  readonly missing?: readonly Missing[];
}

/** @param from a contact's name, or a member's key */
export function sourceOf(state: State, from: string): Source | undefined {
  return isRoom(from) ? state.members.get(from) : state.contacts.get(from);
}

export function changeSource(state: State, from: string, change: Source): void {
  const member = state.members.get(from);
  if (member) state.members.set(from, { ...member, ...change });
  else if (!isRoom(from)) relate(state, from, change);
}

/** Where the chain of what we send stands. @param to a contact's name, or a room's key */
export function changeSent(state: State, to: string, sent: Chain): void {
  const room = state.rooms.get(to);
  if (room) state.rooms.set(to, { ...room, sent });
  else if (!isRoom(to)) relate(state, to, { sent });
}

/** A message that is whole. */
export function addMessage(state: State, row: Omit<Incoming, 'order'>): void {
  const placed = { order: ++state.order, ...row };
  state.incoming.set(row.key, placed);
  state.noted?.push({ of: 'incoming', row: placed });
}

/** A text of our own, new or further than it was. */
export function setOwn(state: State, row: Outgoing): void {
  state.outgoing.set(row.id, row);
  state.noted?.push({ of: 'outgoing', row });
}

export function dropRow(state: State, table: 'incoming' | 'notices' | 'outgoing', key: string): void {
  if (state[table].delete(key)) state.noted?.push({ of: 'gone', key });
}

export function addNotice(state: State, event: Omit<NoticeEvent, 't'>): void {
  const { key, kind, name, detail, at } = event;
  const row = { key, order: ++state.order, kind, name, detail, at };
  state.notices.set(key, row);
  state.noted?.push({ of: 'notices', row });
  while (state.notices.size > NOTICES_MAX) {
    const least = leastNotice(state.notices, key);
    if (least === undefined) return;
    dropRow(state, 'notices', least);
  }
}

/** What anybody on the way, or one contact alone, can make any number of. */
const junk: ReadonlySet<NoticeKind> = new Set<NoticeKind>(['unreadable', 'given-up', 'entered', 'left']);
const warnings: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  'changed',
  'renewed',
  'gap',
  'incomplete',
  'ghost',
  'change-refused',
  'room-key',
  'untrusted',
]);

/**
 * What goes when there are too many: junk first, then what is no warning or was read, then a warning of whoever has most
 * of them, so that nobody silences what is said of others. Never the one that was just added, nor changed keys, which
 * come once for each contact.
 */
function leastNotice(notices: ReadonlyMap<string, Notice>, newest: string): string | undefined {
  let other: string | undefined;
  const unread = new Map<string, { oldest: string; count: number }>();
  for (const { key, kind, name, read } of notices.values()) {
    if (key === newest) continue;
    if (junk.has(kind)) return key;
    if (read !== undefined || !warnings.has(kind)) other ??= key;
    else if (kind !== 'changed') {
      const { room = name } = splitName(name); // names of ghosts are whatever a daemon makes up
      const of = unread.get(room);
      if (of) of.count++;
      else unread.set(room, { oldest: key, count: 1 });
    }
  }
  const [most] = [...unread.values()].sort((a, b) => b.count - a.count);
  return other ?? most?.oldest;
}
