/** Rows, conversations and views as the core gives them, with no core. */
import type { ContactView, NoticeKind, Row, RoomView } from '../../src/client/index.js';
import { Conversation } from '../../src/faces/tui/talk/conversation.js';

/** A noon, so that hours to either side are of the same day in any zone. */
export const NOON = new Date(2024, 4, 14, 12).getTime();

type Message = Extract<Row, { type: 'message' }>;
type Own = Extract<Row, { type: 'out' }>;
type Notice = Extract<Row, { type: 'notice' }>;

export function message(order: number, text: string, more: Partial<Message> = {}): Message {
  const key = `m${String(order)}`;
  return { type: 'message', key, id: key, order, from: 'bobby', text, time: NOON, at: NOON, ...more };
}

export function own(order: number, text: string, more: Partial<Own> = {}): Own {
  return { type: 'out', id: `o${String(order)}`, order, to: 'bobby', text, at: NOON, state: 'waiting', ...more };
}

export function notice(order: number, kind: NoticeKind, more: Partial<Notice> = {}): Notice {
  return { type: 'notice', key: `n${String(order)}`, order, kind, name: 'bobby', at: NOON, detail: '', ...more };
}

export function contact(name: string, more: Partial<ContactView> = {}): ContactView {
  const fingerprint = '00'.repeat(32);
  return { name, relation: 'open', changed: false, verified: false, fingerprint, unread: 0, latest: 0, ...more };
}

export function room(name: string, more: Partial<RoomView> = {}): RoomView {
  const rest = { by: 'carol', members: 3, unread: 0, latest: 0, until: 0, common: false };
  return { name, standing: 'member', kind: 'password', ...rest, ...more };
}

/** With a person where the key is a name, with a room where it begins with #. */
export function conversation(key: string, rows: readonly Row[] = []): Conversation {
  const one = new Conversation(key);
  if (one.isRoom) one.room = room(key.slice(1));
  else if (key !== '') one.contact = contact(key);
  for (const row of rows) one.scroll.add(row);
  return one;
}
