/** Where rows are shown: with a contact, in a room, or of the account. */
import { isRoom, roomOf } from './rooms/names.js';
import type { State } from './state.js';

/** @param name a contact's, a room's key, or that of somebody in it @returns the contact's name, or the room's key */
export function placeOf(name: string): string {
  return isRoom(name) && name.includes('@') ? roomOf(name) : name;
}

/** There is such a contact, or such a room: one is in it, invited to it, or it is offered. */
export function isPlace({ contacts, rooms, offer }: State, place: string): boolean {
  return isRoom(place) ? rooms.has(place) || offer.get('offer')?.key === place : contacts.has(place);
}

export interface Tally {
  /** messages and notices that were not read */
  readonly unread: number;
  /** ms since 1970, of the newest row that is kept */
  readonly latest: number;
}

/** What views have of it. @param latest where there are no rows */
export function shownOf(tally: Tally | undefined, latest: number): Tally {
  return tally ? { unread: tally.unread, latest: tally.latest } : { unread: 0, latest };
}

/** Of all places of which there are rows: one look at each row. */
export function tallies({ incoming, notices, outgoing }: State): ReadonlyMap<string, Tally> {
  const all = new Map<string, { unread: number; latest: number; order: number }>();
  const count = (name: string, { order, at }: { order: number; at: number }, unread: number): void => {
    const place = placeOf(name);
    const tally = all.get(place);
    if (!tally) {
      all.set(place, { unread, latest: at, order });
      return;
    }
    tally.unread += unread;
    /* By the order in which they came: a clock may have been set back since. */
    if (order > tally.order) [tally.order, tally.latest] = [order, at];
  };
  for (const row of incoming.values()) count(row.from, row, row.read === undefined ? 1 : 0);
  for (const row of notices.values()) count(row.name, row, row.read === undefined ? 1 : 0);
  for (const row of outgoing.values()) count(row.to, row, 0);
  return all;
}
