/** Who is in a room, as the client's tables have it. */
import {
  fingerprint,
  fromHex,
  hex,
  isZero,
  listHash,
  type RoomKeys,
  type SyncCrypto,
} from '../../../protocol/index.js';
import type { Event } from '../reducer.js';
import { contactByUid, FORMERS_MAX, type Keys, type Member, type Room, type State } from '../state.js';
import { memberKey, roomOf } from './names.js';

export function roomById(state: State, id: Uint8Array): Room | undefined {
  const wanted = hex(id);
  for (const room of state.rooms.values()) if (room.id === wanted) return room;
  return undefined;
}

/** Who is in it now. */
export function membersOf(state: State, room: string): Member[] {
  const theirs = memberKey(room, '');
  return [...state.members.values()].filter(({ key, left }) => !left && key.startsWith(theirs));
}

/** The same of all rooms: one look at each row. */
export function membersByRoom({ members }: State): ReadonlyMap<string, Member[]> {
  const all = new Map<string, Member[]>();
  for (const member of members.values()) {
    if (member.left) continue;
    const room = roomOf(member.key);
    const others = all.get(room);
    if (others) others.push(member);
    else all.set(room, [member]);
  }
  return all;
}

/** Keys of all rows, those included who left. */
export function memberKeys(state: State, room: string): string[] {
  const theirs = memberKey(room, '');
  return [...state.members.keys()].filter((key) => key.startsWith(theirs));
}

export function memberByUid(state: State, room: string, uid: string): Member | undefined {
  const theirs = memberKey(room, '');
  for (const member of state.members.values()) if (member.uid === uid && member.key.startsWith(theirs)) return member;
  return undefined;
}

type Named = Keys & { readonly name: string };

export function listOf(sync: SyncCrypto, room: Uint8Array, members: readonly Named[]): Uint8Array {
  const rows = members.map(({ uid, name, enc, sig }) => ({
    uid: fromHex(uid),
    name,
    fingerprint: fingerprint(sync, { enc: fromHex(enc), sig: fromHex(sig) }),
  }));
  return listHash(sync, room, rows);
}

/**
 * There is something to put the next R under where the room has a password, and there alone. What kind a room is of the
 * daemon says; were zeros taken for a wrapKey, it could open what lies under them.
 */
export function fitsKind(kind: Room['kind'], { wrapKey }: Pick<RoomKeys, 'wrapKey'>): boolean {
  return isZero(wrapKey) === (kind === 'invitation');
}

/** The name or the uid is that of a contact, and the keys are not the pinned ones. */
export function contradictsPins(state: State, { uid, name, enc, sig }: Named): boolean {
  const known = [state.contacts.get(name), contactByUid(state, uid)];
  return known.some(
    (one) =>
      one?.keys !== undefined &&
      (one.name !== name || one.keys.uid !== uid || one.keys.enc !== enc || one.keys.sig !== sig),
  );
}

/** Of all rows of a room, those included of who left. */
export function rowsOf(state: State, room: string): Member[] {
  return memberKeys(state, room).flatMap((key) => state.members.get(key) ?? []);
}

export function hasOtherKeys(known: Keys, { enc, sig }: Pick<Keys, 'enc' | 'sig'>): boolean {
  return known.enc !== enc || known.sig !== sig;
}

/** Somebody else has the name or the uid, or left with it in this epoch: only they may come back. */
export function isTaken(rows: readonly Member[], member: Member): boolean {
  return rows.some((one) => {
    const isThem = one.uid === member.uid && one.name === member.name;
    if (one.left && isThem) return hasOtherKeys(one, member);
    return one.uid === member.uid || one.name === member.name;
  });
}

/** Members in one event: a record of the log has an end. */
const ROWS_PER_EVENT = 64;

/** @param gone keys of rows that are no more */
export function memberEvents(rows: readonly Member[], gone: readonly string[]): Event[] {
  const events: Event[] = gone.length > 0 ? [{ t: 'members', rows: [], gone }] : [];
  for (let at = 0; at < rows.length; at += ROWS_PER_EVENT)
    events.push({ t: 'members', rows: rows.slice(at, at + ROWS_PER_EVENT), gone: [] });
  return events;
}

/** Who was in the room and is not any more, with the epoch that was their last. @param here uids of who is */
export function formersOf(
  state: State,
  room: Pick<Room, 'key' | 'epoch' | 'formers'>,
  here: ReadonlySet<string>,
): { formers?: Readonly<Record<string, number>> } {
  const theirs = memberKey(room.key, '');
  const all = new Map(Object.entries(room.formers ?? {}));
  for (const { key, uid } of state.members.values()) {
    if (!key.startsWith(theirs) || here.has(uid)) continue;
    all.delete(uid); // the newest stand last
    all.set(uid, room.epoch);
  }
  return all.size === 0 ? {} : { formers: Object.fromEntries([...all].slice(-FORMERS_MAX)) };
}

/** They were in the room since they were invited so: an invitation counts once. */
export function isSpent(
  { formers }: Pick<Room, 'formers'>,
  uid: string,
  { inviter, invitedEpoch }: { readonly inviter: Uint8Array; readonly invitedEpoch: number },
): boolean {
  return !isZero(inviter) && (formers?.[uid] ?? 0) >= invitedEpoch;
}
