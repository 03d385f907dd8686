/** What listeners are told of rows, contacts and rooms, once it is on the disk. */
import type { ClientEvent } from './client.js';
import type { Event } from './reducer.js';
import { messageRow, noticeRow, ownRow, PAGE, type Row } from './rows.js';
import type { Noted } from './state.js';

type News = Extract<ClientEvent, { type: 'row' | 'gone' | 'read' | 'changed' }>;

/** What `contacts` or `rooms` give may be other after these, besides what follows from rows. */
const changes: { readonly [T in Event['t']]?: 'contacts' | 'rooms' } = {
  asked: 'contacts',
  requested: 'contacts',
  opened: 'contacts',
  closed: 'contacts',
  nobody: 'contacts',
  forgotten: 'contacts',
  pinned: 'contacts',
  changed: 'contacts',
  verified: 'contacts',
  rejected: 'contacts',
  repinned: 'contacts',
  room: 'rooms',
  members: 'rooms',
  'room-gone': 'rooms',
  offer: 'rooms',
};

/** @param noted what the events did to rows */
export function newsOf(events: readonly Event[], noted: readonly Noted[]): News[] {
  const news = ofRows(noted);
  for (const event of events) if (event.t === 'read') news.push({ type: 'read', keys: event.keys, at: event.at });
  const changed = new Set(events.flatMap(({ t }) => changes[t] ?? []));
  for (const of of changed) news.push({ type: 'changed', of });
  return news;
}

function ofRows(noted: readonly Noted[]): News[] {
  const news: News[] = [];
  let gone: string[] = [];
  const tellGone = (): void => {
    if (gone.length > 0) news.push({ type: 'gone', keys: gone });
    gone = [];
  };
  for (const one of noted) {
    if (one.of === 'gone') {
      gone.push(one.key);
      if (gone.length === PAGE) tellGone(); // a line of the profile's socket has an end
    } else {
      tellGone();
      news.push({ type: 'row', row: rowOf(one) });
    }
  }
  tellGone();
  return news;
}

function rowOf(noted: Exclude<Noted, { of: 'gone' }>): Row {
  switch (noted.of) {
    case 'incoming':
      return messageRow(noted.row);
    case 'notices':
      return noticeRow(noted.row);
    case 'outgoing':
      return ownRow(noted.row);
  }
}
