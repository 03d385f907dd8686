/** Changes of rows that several events have in common. */
import { noChain, NOTICES_MAX, type Contact, type Notice, type NoticeKind, type State } from './state.js';

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

export function addNotice(state: State, event: Omit<NoticeEvent, 't'>): void {
  const { key, kind, name, detail, at } = event;
  state.notices.set(key, { key, order: ++state.order, kind, name, detail, at });
  while (state.notices.size > NOTICES_MAX) {
    const least = leastNotice(state.notices, key);
    if (least === undefined) return;
    state.notices.delete(least);
  }
}

/** What anybody on the way, or one contact alone, can make any number of. */
const junk: ReadonlySet<NoticeKind> = new Set<NoticeKind>(['unreadable', 'given-up']);
const warnings: ReadonlySet<NoticeKind> = new Set<NoticeKind>(['changed', 'gap', 'incomplete']);

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
      const of = unread.get(name);
      if (of) of.count++;
      else unread.set(name, { oldest: key, count: 1 });
    }
  }
  const [most] = [...unread.values()].sort((a, b) => b.count - a.count);
  return other ?? most?.oldest;
}
