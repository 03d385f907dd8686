/** A room in memory: who is in it, and what may be said. */
import { RowKind } from '../../protocol/index.js';
import type { QueueEntry } from '../store/store.js';
import { idKey } from './keys.js';
import { isMember, readState, type InvitedRow, type MemberRow, type RoomState } from './room-state.js';

/** To whom messages go. */
export interface Recipient {
  readonly uid: Uint8Array;
  readonly key: string;
}

export class Room {
  readonly id: Uint8Array;
  readonly key: string;
  readonly name: string;
  #version: number;
  #owner: Uint8Array;
  #state: RoomState;
  #members = new Map<string, MemberRow>();
  #invited = new Map<string, InvitedRow>();
  #recipients: readonly Recipient[] = [];
  #people: ReadonlyMap<string, Uint8Array> = new Map();
  /** It is being deleted, or is: nothing more is said in it, and nothing of it changes. */
  gone = false;
  /** Changes of it that wait or are being made: it stays in memory meanwhile. */
  changes = 0;
  /** Parts of what was said that who is in it can read, where they were counted. */
  kept: number | undefined;
  /** How often that became another number. */
  stirs = 0;
  /** What is said while what was said before is read for somebody who enters. */
  fresh: QueueEntry[] | undefined;

  constructor(id: Uint8Array, name: string, owner: Uint8Array, version: number, bytes: Uint8Array) {
    this.id = id;
    this.key = idKey(id);
    this.name = name;
    this.#owner = owner;
    this.#version = version;
    this.#state = readState(bytes);
    this.#arrange();
  }

  get version(): number {
    return this.#version;
  }
  get owner(): Uint8Array {
    return this.#owner;
  }
  get state(): RoomState {
    return this.#state;
  }
  get epoch(): number {
    return this.#state.head.epoch;
  }
  /** All members, in the order of their rows. */
  get recipients(): readonly Recipient[] {
    return this.#recipients;
  }
  /** Invitees whose time has come may be among them still. */
  get invitees(): readonly InvitedRow[] {
    return [...this.#invited.values()];
  }

  /** Who is told who is in it, by key: members, and those who are invited, so that they can tell who begins an epoch. */
  get people(): ReadonlyMap<string, Uint8Array> {
    return this.#people;
  }

  member(uidKey: string): MemberRow | undefined {
    return this.#members.get(uidKey);
  }

  invitee(uidKey: string, now: number): InvitedRow | undefined {
    const row = this.#invited.get(uidKey);
    return row && row.expires > now ? row : undefined;
  }

  /** What was said, or who can read it, is not what it was. */
  stir(): void {
    this.stirs++;
    this.kept = undefined;
  }

  /** What the store keeps now. */
  become(owner: Uint8Array, version: number, bytes: Uint8Array): void {
    this.#owner = owner;
    this.#version = version;
    this.#state = readState(bytes);
    this.#arrange();
    this.stir();
  }

  #arrange(): void {
    this.#members = new Map();
    this.#invited = new Map();
    for (const row of this.#state.rows) {
      if (isMember(row)) this.#members.set(idKey(row.uid), row);
      else if (row.kind === RowKind.invited) this.#invited.set(idKey(row.uid), row);
    }
    this.#recipients = [...this.#members].map(([key, { uid }]) => ({ key, uid }));
    this.#people = new Map([...this.#members, ...this.#invited].map(([key, { uid }]) => [key, uid]));
  }
}
