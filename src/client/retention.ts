/** What leaves the disk, and when (SPEC 7.9). */
import { ROOM_HISTORY } from '../../protocol/index.js';
import { isRoom, roomOf } from './rooms/names.js';
import type { State } from './state.js';

/** A received text after it was read, our own after it was delivered. */
const KEPT_MS = 3600_000;
/** A stamp may lie this far ahead of the clock: what a clock is corrected by in the usual way. */
const AHEAD_MS = 60_000;

interface Stamp {
  readonly key: string;
  /** ms since 1970: read, delivered or failed */
  readonly at: number;
}

/** What goes by time: all but what was said in rooms. */
function* stamps(state: State): Generator<Stamp> {
  for (const { key, from, read } of state.incoming.values())
    if (read !== undefined && !isRoom(from)) yield { key, at: read };
  for (const { key, read } of state.notices.values()) if (read !== undefined) yield { key, at: read };
  for (const { id, to, done } of state.outgoing.values())
    if (done !== undefined && !isRoom(to)) yield { key: id, at: done };
}

export function expired(state: State, now: number): string[] {
  const late = [...stamps(state)].filter(({ at }) => at + KEPT_MS <= now).map(({ key }) => key);
  return [...late, ...pushedOut(state)];
}

/** Of what was said in a room the newest stay; what is unread, or on its way, stays too (SPEC 9.12). */
function pushedOut(state: State): string[] {
  const said = new Map<string, { readonly key: string; readonly order: number; readonly stays: boolean }[]>();
  const add = (room: string, key: string, order: number, stays: boolean): void => {
    const all = said.get(room);
    if (all) all.push({ key, order, stays });
    else said.set(room, [{ key, order, stays }]);
  };
  for (const { key, from, order, read } of state.incoming.values())
    if (isRoom(from)) add(roomOf(from), key, order, read === undefined);
  for (const { id, to, order, state: how } of state.outgoing.values())
    if (isRoom(to)) add(to, id, order, how === 'waiting');
  return [...said.values()].flatMap((rows) =>
    rows
      .sort((a, b) => b.order - a.order)
      .slice(ROOM_HISTORY)
      .flatMap(({ key, stays }) => (stays ? [] : [key])),
  );
}

/** Rooms to which one was invited until then: their keys are of no more use. */
export function endedInvitations({ rooms }: State, now: number): string[] {
  return [...rooms.values()].flatMap(({ key, standing, invitation }) =>
    standing === 'invited' && invitation && invitation.expires <= now ? [key] : [],
  );
}

/** Stamped in a time that is still to come: the clock was set back since, and the hour must not wait for it. */
export function stampedAhead(state: State, now: number): string[] {
  return [...stamps(state)].filter(({ at }) => at > now + AHEAD_MS).map(({ key }) => key);
}

/** Whether anything is to go at some time. */
export function anyStamp(state: State): boolean {
  return state.rooms.size > 0 || !stamps(state).next().done;
}

/** The hour of these begins anew. */
export function restamp(state: State, keys: readonly string[], at: number): void {
  for (const key of keys) {
    const message = state.incoming.get(key);
    if (message?.read !== undefined) state.incoming.set(key, { ...message, read: at });
    const notice = state.notices.get(key);
    if (notice?.read !== undefined) state.notices.set(key, { ...notice, read: at });
    const own = state.outgoing.get(key);
    if (own?.done !== undefined) state.outgoing.set(key, { ...own, done: at });
  }
}
