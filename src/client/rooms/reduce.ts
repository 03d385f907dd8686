/** Events of rooms and what they do to the state. */
import { rememberDeclined } from '../pins.js';
import { noChain, type Held, type Member, type Offer, type Room, type State } from '../state.js';
import { dropRow } from '../tables.js';
import { memberKey } from './names.js';

export type RoomEvent =
  /** as it is from now on; the chain of what we send stays */
  | { readonly t: 'room'; readonly room: Omit<Room, 'sent'> }
  /** rows that are new or changed, and keys of those that are gone */
  | { readonly t: 'members'; readonly rows: readonly Member[]; readonly gone: readonly string[] }
  /** left, removed or deleted: nothing of it stays but notices, and the hash of an invitation that is used up */
  | { readonly t: 'room-gone'; readonly room: string; readonly at: number; readonly invitation?: string }
  | ({ readonly t: 'held' } & Held)
  | { readonly t: 'unheld'; readonly keys: readonly string[] }
  /** none: the daemon offers none any more */
  | { readonly t: 'offer'; readonly offer?: Offer };

export function applyRoom(state: State, event: RoomEvent): void {
  switch (event.t) {
    case 'room': {
      const { key } = event.room;
      state.rooms.set(key, { ...event.room, sent: state.rooms.get(key)?.sent ?? noChain });
      return;
    }
    case 'members':
      for (const key of event.gone) state.members.delete(key);
      for (const row of event.rows) setMember(state, row);
      return;
    case 'room-gone':
      if (event.invitation !== undefined) rememberDeclined(state, event.invitation, event.at);
      return forget(state, event.room);
    case 'held': {
      const { key, room, fields } = event;
      state.held.set(key, { key, room, fields });
      return;
    }
    case 'unheld':
      for (const key of event.keys) state.held.delete(key);
      return;
    case 'offer':
      if (event.offer) state.offer.set('offer', event.offer);
      else state.offer.clear();
  }
}

/** A key of a room is in use no more: it must not stay in the log (SPEC 9.12). */
export function dropsKeys(state: State, event: { readonly t: string }): boolean {
  if (event.t !== 'room') return false;
  const { room } = event as Extract<RoomEvent, { readonly t: 'room' }>;
  const before = state.rooms.get(room.key);
  const now = [room.secret, room.former, room.wrapKey];
  return [before?.secret, before?.former, before?.wrapKey].some((key) => key && !now.includes(key));
}

/** Where their messages stand is kept, unless the row says otherwise or is of another account or other keys. */
function setMember(state: State, row: Member): void {
  const before = state.members.get(row.key);
  const same = before?.uid === row.uid && before.sig === row.sig ? before : undefined;
  const { received = same?.received, missing = same?.missing } = row;
  /* Only who entered before our eyes comes with a count. */
  const since = row.received ? state.order : same?.since;
  state.members.set(row.key, {
    ...row,
    ...(received ? { received } : {}),
    ...(missing ? { missing } : {}),
    ...(since === undefined ? {} : { since }),
  });
}

function forget(state: State, room: string): void {
  const id = state.rooms.get(room)?.id;
  const theirs = memberKey(room, '');
  state.rooms.delete(room);
  for (const key of state.members.keys()) if (key.startsWith(theirs)) state.members.delete(key);
  for (const { key, from } of state.incoming.values()) if (from.startsWith(theirs)) dropRow(state, 'incoming', key);
  for (const { message, from } of state.unfinished.values())
    if (from.startsWith(theirs)) state.unfinished.delete(message);
  for (const entry of state.outgoing.values()) if (entry.to === room) dropRow(state, 'outgoing', entry.id);
  for (const held of state.held.values()) if (held.room === room) state.held.delete(held.key);
  if (id === undefined) return;
  for (const key of state.seen.keys()) if (key.startsWith(`#${id}:`)) state.seen.delete(key);
}
