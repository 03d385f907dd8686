/** Who and what is there: the names of accounts and rooms with their ids, all of it in memory. */
import { ID } from '../../../protocol/index.js';
import type { UsedInvitation } from '../store.js';
import {
  Kind,
  idBytes,
  idOf,
  latin1,
  nameRecord,
  readAccount,
  readName,
  readProfile,
  readRoom,
  readUsed,
  roomRecord,
  usedRecord,
} from './records.js';

interface RoomName {
  readonly name: string;
  readonly owner: string;
}

export class Names {
  readonly #users = new Map<string, string>();
  readonly #uids = new Map<string, string>();
  readonly #rooms = new Map<string, RoomName>();
  readonly #roomIds = new Map<string, string>();
  /** rooms of each owner */
  readonly #owned = new Map<string, number>();
  /** invitations that let somebody in, with the time at which they end */
  readonly #used = new Map<string, number>();

  get users(): number {
    return this.#users.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  /** Whether a user or room has this id. */
  has(id: string): boolean {
    return this.#users.has(id) || this.#rooms.has(id);
  }

  /** The uid of the account with this name. */
  uid(name: string): string | undefined {
    return this.#uids.get(name);
  }

  name(uid: string): string | undefined {
    return this.#users.get(uid);
  }

  roomId(name: string): string | undefined {
    return this.#roomIds.get(name);
  }

  room(id: string): RoomName | undefined {
    return this.#rooms.get(id);
  }

  uids(): IterableIterator<string> {
    return this.#users.keys();
  }

  roomIds(): IterableIterator<string> {
    return this.#rooms.keys();
  }

  ownedBy(uid: string): number {
    return this.#owned.get(uid) ?? 0;
  }

  /** The ids of the rooms that this user owns. */
  roomsOf(uid: string): string[] {
    if (this.ownedBy(uid) === 0) return [];
    return [...this.#rooms].filter(([, { owner }]) => owner === uid).map(([id]) => id);
  }

  addUser(uid: string, name: string): void {
    this.removeUser(uid);
    this.#users.set(uid, name);
    this.#uids.set(name, uid);
  }

  removeUser(uid: string): void {
    const name = this.#users.get(uid);
    if (name === undefined) return;
    this.#users.delete(uid);
    if (this.#uids.get(name) === uid) this.#uids.delete(name);
  }

  addRoom(id: string, room: RoomName): void {
    this.removeRoom(id);
    this.#rooms.set(id, room);
    this.#roomIds.set(room.name, id);
    this.#owned.set(room.owner, this.ownedBy(room.owner) + 1);
  }

  removeRoom(id: string): void {
    const room = this.#rooms.get(id);
    if (!room) return;
    this.#rooms.delete(id);
    if (this.#roomIds.get(room.name) === id) this.#roomIds.delete(room.name);
    const left = this.ownedBy(room.owner) - 1;
    if (left > 0) this.#owned.set(room.owner, left);
    else this.#owned.delete(room.owner);
  }

  isUsed(invitation: string): boolean {
    return this.#used.has(invitation);
  }

  addUsed(invitation: string, ends: number): void {
    this.#used.set(invitation, ends);
  }

  /** Forgets those that count no more anyway. @param now ms since 1970 */
  forgetUsed(now: number): void {
    for (const [invitation, ends] of this.#used) if (ends < now) this.#used.delete(invitation);
  }

  /** What a record of the index or of the journal says about names. False where it belongs in neither. */
  apply(payload: Uint8Array): boolean {
    const change = nameChange(payload);
    if (!change) return false;
    change(this);
    return true;
  }

  /** The records that amount to all this. */
  *records(): Generator<Uint8Array> {
    for (const [uid, name] of this.#users) yield nameRecord(uid, name);
    for (const [id, { name, owner }] of this.#rooms) yield roomName(id, name, idBytes(owner));
    for (const [id, ends] of this.#used) yield usedRecord({ id: idBytes(id), ends });
  }
}

/** What the record of a journal changes in the index; undefined: nothing. */
export function indexRecord(payload: Uint8Array): Uint8Array | undefined {
  if (payload[0] === Kind.account || payload[0] === Kind.profile) return accountName(payload);
  if (payload[0] === Kind.deleted || payload[0] === Kind.roomDeleted) return new Uint8Array(payload);
  if (payload[0] !== Kind.room) return undefined;
  const room = readRoom(payload);
  return room && roomName(idOf(payload), room.name, room.owner);
}

function accountName(payload: Uint8Array): Uint8Array {
  const uid = idOf(payload);
  const { name = '', invitation } = named(payload) ?? {};
  return invitation ? usedRecord(invitation, { uid, name }) : nameRecord(uid, name);
}

/** A room in the index: without its state. */
function roomName(id: string, name: string, owner: Uint8Array): Uint8Array {
  return roomRecord(id, { version: 0, owner, name, state: new Uint8Array(0) });
}

interface Named {
  readonly name: string;
  readonly invitation?: UsedInvitation | undefined;
}

/** Of the records with a user's name. */
function named(payload: Uint8Array): Named | undefined {
  const profile = readProfile(payload);
  if (profile) return { name: profile.account.name, invitation: profile.invitation };
  const name = payload[0] === Kind.name ? readName(payload) : readAccount(payload)?.name;
  return name === undefined ? undefined : { name };
}

export function nameChange(payload: Uint8Array): ((names: Names) => void) | undefined {
  if (payload.length < 1 + ID) return undefined;
  const id = idOf(payload);
  switch (payload[0]) {
    case Kind.name:
    case Kind.account:
    case Kind.profile: {
      const read = named(payload);
      if (!read) return undefined;
      const { name, invitation } = read;
      return (names) => {
        names.addUser(id, name);
        if (invitation) names.addUsed(latin1(invitation.id), invitation.ends);
      };
    }
    case Kind.used: {
      const used = readUsed(payload);
      if (!used) return undefined;
      return (names) => {
        if (used.uid !== undefined && used.name !== undefined) names.addUser(used.uid, used.name);
        names.addUsed(used.id, used.ends);
      };
    }
    case Kind.deleted:
      return (names) => {
        names.removeUser(id);
      };
    case Kind.room: {
      const room = readRoom(payload);
      if (!room) return undefined;
      const owner = latin1(room.owner);
      return (names) => {
        names.addRoom(id, { name: room.name, owner });
      };
    }
    case Kind.roomDeleted:
      return (names) => {
        names.removeRoom(id);
      };
    default:
      return undefined;
  }
}
