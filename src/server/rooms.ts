/**
 * The rooms in use. Each is read once and stays in memory while it is used; what happens to it happens there first to
 * the disk, then in memory, then in the queues of its people, one change after another.
 */
import { copy, Departure, fingerprint, hex, RowKind, samePublic, type SyncCrypto } from '../../protocol/index.js';
import type { Account, KeptRoom, QueueEntry, Store } from '../store/store.js';
import { idKey } from './keys.js';
import { LOOKED_UP_AT_ONCE, ROOMS_IN_USE } from './limits.js';
import type { Lobby } from './lobby.js';
import type { Log } from './log.js';
import type { Settle } from './mailbox.js';
import type { Presence } from './presence.js';
import type { Refusals } from './refusals.js';
import { inTime, left } from './room-changes.js';
import { leftEvent, type Ids } from './room-events.js';
import { isMember, writeState, type RoomState, type Row } from './room-state.js';
import { Room } from './room.js';
import { Turns } from './turns.js';

interface Host extends Ids {
  readonly store: Store;
  readonly sync: SyncCrypto;
  readonly log: Log;
  readonly presence: Presence;
  readonly refusals: Refusals;
  readonly deliver: (to: Uint8Array, entry: QueueEntry, settle: Settle, key?: string) => void;
}

/** Deliveries that nobody waits for. */
export const unheeded = (): void => undefined;

export class Rooms {
  readonly #host: Host;
  readonly #lobby: Lobby | undefined;
  #common: Room | undefined;
  /** the longest unused first */
  readonly #rooms = new Map<string, Room>();
  readonly #loading = new Map<string, Promise<Room | undefined>>();
  readonly #turns = new Turns();
  readonly #checks = new Set<Promise<void>>();
  /** whose people were looked up since the start, or since one of them left the network or has other keys */
  readonly #checked = new Set<string>();
  /** Of messages that have no answer yet. */
  deliveries = 0;

  constructor(host: Host, lobby: Lobby | undefined) {
    this.#host = host;
    this.#lobby = lobby;
  }

  /** Reads the common room, so that no login waits for it. */
  async start(): Promise<void> {
    if (this.#lobby) await this.byName(this.#lobby.name);
  }

  /** The common room, where there is one and this user is not in it. */
  offer(uidKey: string): Lobby | undefined {
    return this.#common?.member(uidKey) ? undefined : this.#lobby;
  }

  /** The id that `jrms1` gives for the common room while nobody has made it. */
  isUnmadeLobby(id: Uint8Array): boolean {
    return this.#lobby !== undefined && !this.#common && samePublic(id, this.#lobby.unmade);
  }

  /** undefined: not in memory, ask `load`. */
  known(key: string): Room | undefined {
    const room = this.#rooms.get(key);
    if (!room) return undefined;
    this.#rooms.delete(key); // to the end: the last that goes
    this.#rooms.set(key, room);
    return room;
  }

  /** undefined: there is no such room. */
  load(id: Uint8Array): Promise<Room | undefined> {
    const key = idKey(id);
    const room = this.known(key);
    if (room) return Promise.resolve(room);
    const loading = this.#loading.get(key);
    if (loading) return loading;
    const reading = this.#host.store
      .roomById(copy(id))
      .then((kept) => kept && this.#keep(kept))
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, reading);
    return reading;
  }

  async byName(name: string): Promise<Room | undefined> {
    const kept = await this.#host.store.roomByName(name);
    return kept && this.load(kept.id);
  }

  #keep({ id, name, owner, version, state }: KeptRoom): Room {
    const room = new Room(id, name, owner, version, state);
    this.#rooms.set(room.key, room);
    if (name === this.#lobby?.name) this.#common = room;
    for (const [key, each] of this.#rooms) {
      if (this.#rooms.size <= ROOMS_IN_USE) break;
      if (each.changes === 0 && each !== room && each !== this.#common) this.#rooms.delete(key);
    }
    this.#check(room);
    return room;
  }

  /**
   * Something that may change the room, after all that was asked for before.
   * @param work gets undefined where there is no such room (any more)
   */
  async inTurn<T>(id: Uint8Array, work: (room: Room | undefined) => Promise<T>): Promise<T> {
    let room = await this.load(id);
    /* Between its reading and here it may have left memory: one that is changed is the one that others see. */
    while (room && this.#rooms.get(room.key) !== room && !room.gone) room = await this.load(id);
    if (!room) return work(undefined);
    const found = room;
    found.changes++;
    try {
      return await this.#turns.inTurn(found.key, () => work(found.gone ? undefined : found));
    } finally {
      found.changes--;
    }
  }

  /**
   * Puts another state in the room's place, durably; then in memory, and `tell` hands out the events before anything
   * else can happen. Whoever is in the room no more finds nothing of it in their queue but those. To be called in turn.
   * @returns false where the owner that it would have has as many rooms as one may: nothing is changed then
   */
  async change(room: Room, next: RoomState, tell: () => void, owner = room.owner): Promise<boolean> {
    const { store, now } = this.#host;
    const bytes = writeState(inTime(next, now()));
    const { version } = room;
    const holder = copy(owner);
    const result = await store.changeRoom(room.id, version, { owner: holder, state: bytes });
    if (result === 'full') return false;
    if (result !== 'changed') throw new Error('room: the store has another version');
    const before = room.people;
    const invitees = new Set(room.invitees.map(({ uid }) => idKey(uid)));
    room.become(holder, version + 1, bytes);
    for (const [key, uid] of before) {
      if (room.people.has(key)) continue;
      this.clear(room, uid, key).catch((error: unknown) => {
        this.#host.refusals.trouble('the store failed', error);
      });
      /* What went from their queue may have told them that they were removed before they were invited. */
      const event = leftEvent(this.#host, room, uid, Departure.removed);
      if (invitees.has(key)) this.#host.deliver(uid, event, unheeded, key);
    }
    tell();
    return true;
  }

  /** Nothing of the room waits for this user any more. */
  clear(room: Room, uid: Uint8Array, uidKey: string): Promise<unknown> {
    const { store, presence } = this.#host;
    presence.get(uidKey)?.mailbox.forget(room.key);
    return store.dequeue(uid, room.id).catch((error: unknown) => {
      presence.get(uidKey)?.mailbox.restored();
      throw error;
    });
  }

  /** It is gone from the disk. */
  #forget(room: Room): void {
    this.#rooms.delete(room.key);
    this.#checked.delete(room.key);
    if (this.#common === room) this.#common = undefined;
  }

  /** Accounts may have been deleted, or have other keys, since somebody looked: who had them has left. */
  #check(room: Room): void {
    if (this.#checked.has(room.key)) return;
    this.#checked.add(room.key);
    const checking = this.mend(room)
      .catch((error: unknown) => {
        this.#checked.delete(room.key);
        this.#host.refusals.trouble('the people of a room could not be looked up', error);
      })
      .finally(() => this.#checks.delete(checking));
    this.#checks.add(checking);
  }

  /** Whoever has no account any more, or another's keys than those by which they are in the room, leaves it. */
  async mend(room: Room): Promise<void> {
    const missing = await this.#missing(room);
    if (missing.length === 0) return;
    await this.inTurn(room.id, async (found) => {
      /* Somebody may have come back meanwhile, as who they are now. */
      const still = found?.state.rows.filter(
        (row) => row.kind !== RowKind.left && missing.some((one) => isThat(one, row)),
      );
      if (found && still && still.length > 0)
        await this.part(
          found,
          still.map(({ uid }) => uid),
        );
    });
  }

  /** What somebody's account has become other than: rooms that are in use are mended now, others at their next use. */
  async reconsider(uid: Uint8Array): Promise<void> {
    const key = idKey(uid);
    this.#checked.clear();
    await Promise.all([...this.#rooms.values()].filter(({ people }) => people.has(key)).map((room) => this.mend(room)));
  }

  /** Somebody leaves all rooms that are in use. */
  async dismiss(uid: Uint8Array): Promise<void> {
    const key = idKey(uid);
    const theirs = [...this.#rooms.values()].filter(({ people }) => people.has(key));
    await Promise.all(
      theirs.map(({ id }) => this.inTurn(id, async (room) => room?.people.has(key) && this.part(room, [uid]))),
    );
  }

  /** @returns rows of people whose account is gone, or another's */
  async #missing({ state }: Room): Promise<Row[]> {
    const { store } = this.#host;
    const missing: Row[] = [];
    const rows = state.rows.filter(({ kind }) => kind !== RowKind.left);
    for (let at = 0; at < rows.length; at += LOOKED_UP_AT_ONCE) {
      const some = rows.slice(at, at + LOOKED_UP_AT_ONCE);
      const found = await Promise.all(some.map(({ uid }) => store.accountByUid(uid)));
      missing.push(...some.filter((row, n) => !this.isTheirs(row, found[n])));
    }
    return missing;
  }

  /** Whether the account has the keys by which the row's owner is in the room. */
  isTheirs({ fingerprint: print }: Row, account: Account | undefined): account is Account {
    return account !== undefined && samePublic(fingerprint(this.#host.sync, account), print);
  }

  /**
   * They leave; whoever else is in the room, or invited to it, is told: it may have been their invitation. A room in which
   * nobody stays is deleted. To be called in turn.
   */
  async part(room: Room, uids: readonly Uint8Array[]): Promise<void> {
    const gone = new Set(uids.map((uid) => idKey(uid)));
    const members = uids.filter((uid) => room.member(idKey(uid)));
    const others = [...room.people].filter(([key]) => !gone.has(key));
    const next = left(room.state, uids);
    if (!next.rows.some(isMember)) {
      await this.destroy(room);
      return;
    }
    await this.change(room, next, () => {
      for (const uid of members) {
        const event = leftEvent(this.#host, room, uid, Departure.left);
        for (const [key, to] of others) this.#host.deliver(to, event, unheeded, key);
      }
    });
  }

  /**
   * The room is deleted: first from the queues, then as such, so that a kill in between leaves an owner who can do it again.
   * To be called in turn.
   */
  async destroy(room: Room): Promise<void> {
    const { store, deliver, log } = this.#host;
    room.gone = true;
    const event = leftEvent(this.#host, room, room.owner, Departure.deleted);
    const people = [...room.people];
    try {
      await Promise.all(people.map(([key, uid]) => this.clear(room, uid, key)));
      await store.deleteRoom(room.id);
    } catch (error) {
      room.gone = false;
      throw error;
    }
    this.#forget(room);
    for (const [key, uid] of people) deliver(uid, event, unheeded, key);
    log.info('room deleted', { room: hex(room.id) });
  }

  /** What it does on its own account has ended. */
  async idle(): Promise<void> {
    while (this.#checks.size > 0) await Promise.all(this.#checks);
  }
}

function isThat(one: Row, other: Row): boolean {
  return one.kind === other.kind && samePublic(one.uid, other.uid) && samePublic(one.fingerprint, other.fingerprint);
}
