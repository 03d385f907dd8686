/**
 * What the daemon keeps, and what it may rely on. Every store passes `test/contract`.
 *
 * Promises:
 * 1. A promise that resolves means: the change is on the disk, synced, and survives a power cut. One
 *    that rejects with `StorageError` means: not acknowledged; the change may or may not survive, and
 *    doing it again is safe.
 * 2. Calls for one user take effect in the order in which they were made, whether awaited or not: each
 *    sees what the earlier ones did. What a call resolves with is durable, reads too. Across a power
 *    cut only what was awaited is sure to come before what was called later.
 * 3. Bytes handed in may be views of a buffer that is reused after the call returns: a store copies
 *    what it keeps before it first awaits. Bytes handed out are the caller's to keep, not to change.
 * 4. Names of files are made by the store from ids, never from what a user typed.
 * 5. For a uid without an account or an id without a room, reads give what is empty, and changes reject
 *    with `UnknownId`; with another RangeError for bytes of a wrong length: nothing is kept.
 * 6. A `StorageError` that is not `full` is final: later calls reject with it too, until the store is
 *    opened again. The one exception is a damaged file, named in the message, which concerns its user alone.
 */
import { PARTS_MAX, ROOM_HISTORY, type Code } from '../../protocol/index.js';

/** No account, or no room, has this id. */
export class UnknownId extends RangeError {}
/** An account or a room has this id already. */
export class IdInUse extends RangeError {}

/** How somebody proves themselves besides keys, password and words. */
export const SecondFactor = { none: 0, totp: 1, mail: 2 } as const;
export type SecondFactor = (typeof SecondFactor)[keyof typeof SecondFactor];

/** What an account has besides keys and password. */
export interface Security {
  readonly factor: SecondFactor;
  /** of one-time codes, as the daemon sealed it, 255 bytes at most; empty where there is none */
  readonly secret: Uint8Array;
  /** the last time step whose code counted (RFC 6238): none of it or before counts again */
  readonly step: number;
  /** hashes of the recovery codes that were not used, 32 bytes each, 255 at most */
  readonly recovery: readonly Uint8Array[];
  /** what was told at the registration, as the daemon sealed it, 1,024 bytes at most */
  readonly details: Uint8Array;
  /** its keys were replaced by a recovery, and what went by those before is not all gone yet */
  readonly unsettled: boolean;
  /** The operator lets nobody log in. What comes for it waits as for somebody who is away. */
  readonly disabled: boolean;
}

export const noSecurity: Security = {
  factor: SecondFactor.none,
  secret: new Uint8Array(0),
  step: 0,
  recovery: [],
  details: new Uint8Array(0),
  unsettled: false,
  disabled: false,
};

/** A code that let somebody in to register: it counts once. */
export interface UsedInvitation {
  /** 16 bytes */
  readonly id: Uint8Array;
  /** ms since 1970: it counts no more then, and is forgotten */
  readonly ends: number;
}

export interface Account {
  /** 16 bytes, given by the daemon */
  readonly uid: Uint8Array;
  readonly name: string;
  /** moduli, 256 bytes */
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
  /** OPAQUE registration record, 192 bytes */
  readonly record: Uint8Array;
  /** H(words proof), 32 bytes */
  readonly words: Uint8Array;
  /** ms since 1970 */
  readonly created: number;
  readonly security: Security;
}

/** Logins begun with a valid signature and not finished, since the last finished one. */
export interface Attempts {
  readonly count: number;
  /** ms since 1970, of the latest; 0 where there is none */
  readonly last: number;
}

/** A session that a login opened: bound to the device's keys by the account, ends at a fixed time. */
export interface Grant {
  /** H(grant), 32 bytes */
  readonly hash: Uint8Array;
  /** ms since 1970 */
  readonly ends: number;
}

/** What a user said about another: `open` by asking or accepting. A conversation is open when both did. */
export type Consent = 'open' | 'declined' | 'blocked';

/** An event that waits for a user, in the order of arrival. */
export interface QueueEntry {
  /** 16 bytes made by the daemon: the delivery's frame id, by which it is acknowledged */
  readonly id: Uint8Array;
  /** the event's opcode */
  readonly opcode: number;
  /** 16 bytes: who caused it */
  readonly from: Uint8Array;
  /** 16 bytes: with `from`, tells a replay while the entry waits */
  readonly key: Uint8Array;
  /** ms since 1970, the daemon's clock */
  readonly time: number;
  /** the event's fields, as on the wire */
  readonly fields: Uint8Array;
}

export type Enqueued = 'queued' | 'known' | 'full';

/** The answer to a command, kept so that its replay is answered again without a second effect. */
export interface Reply {
  /** 16 bytes: the command's frame id */
  readonly frameId: Uint8Array;
  readonly opcode: number;
  readonly code: Code;
  /** ms since 1970 */
  readonly time: number;
}

/** What may change of a room. */
export interface RoomChange {
  /** 16 bytes */
  readonly owner: Uint8Array;
  /** members, wrapped keys and the like, as the daemon encodes them; 512 KiB at most */
  readonly state: Uint8Array;
}

export interface Room extends RoomChange {
  /** 16 bytes, given by the daemon */
  readonly id: Uint8Array;
  readonly name: string;
}

export interface KeptRoom extends Room {
  /** 1 for a new room, one more with each change */
  readonly version: number;
}

/** A ciphertext that a member sent to a room: a message, or a part of one. */
export interface RoomMessage {
  /** 16 bytes: who sent it */
  readonly from: Uint8Array;
  /** 16 bytes: with `from`, tells a replay */
  readonly key: Uint8Array;
  /** 16 bytes: with `from`, tells what is a part of the same message */
  readonly message: Uint8Array;
  /** ms since 1970, the daemon's clock */
  readonly time: number;
  /** as on the wire */
  readonly fields: Uint8Array;
}

/** How much there may be. */
export interface StoreLimits {
  readonly maxAccounts: number;
  readonly maxRooms: number;
  /** rooms that one user may own */
  readonly maxRoomsPerUser: number;
  /** that wait for one user */
  readonly maxQueueEntries: number;
  /** of what waits for one user, as kept */
  readonly maxQueueBytes: number;
  /** bytes of the journal after which a checkpoint is due */
  readonly segmentBytes: number;
}

/** How much there is, as numbers. */
export interface StoreFigures {
  readonly accounts: number;
  readonly rooms: number;
  /**
   * Entries that wait in the queues that were used since the store was opened. Of a queue that nobody uses, what
   * waits for too long may still be counted.
   */
  readonly queued: number;
  /** Queues that were used since then. Of the other accounts nobody knows yet what waits for them. */
  readonly queuesKnown: number;
  /** of the journal's files */
  readonly journalBytes: number;
  readonly journalSegments: number;
  /** Changes that no sync has begun for. */
  readonly writesWaiting: number;
  /** of those */
  readonly bytesWaiting: number;
}

/** What waits unread for longer than this is gone, in ms. */
export const MAX_UNREAD_MS = 21 * 24 * 3600_000;
/** Grants that a user has at once. */
export const MAX_GRANTS = 16;
/** Answers to commands are kept for this long, in ms. */
export const MAX_REPLY_AGE_MS = 21 * 24 * 3600_000;
/** Parts of one message that a room keeps; beyond it the oldest goes. An honest message has no more. */
export const MAX_SAID_PARTS = PARTS_MAX;
/** Messages that a room keeps, each with all its parts. */
export const MAX_SAID = ROOM_HISTORY;

export interface Store {
  /** Resolves when the disk has failed for good (promise 6), and no change is taken any more. Never rejects. */
  readonly failed: Promise<StorageError>;

  /** Asks no disk, and costs next to nothing. */
  figures(): StoreFigures;
  /** From now on these hold, the others as before. What there is beyond them stays. */
  setLimits(limits: Partial<StoreLimits>): void;

  /**
   * `taken`: the name has an account already; two calls at once for one name give one `created`.
   * `full`: there are as many accounts as there may be. `used`: the invitation let somebody in already, or has
   * ended; it is used by the same record that makes the account, so that neither is there without the other.
   */
  createAccount(account: Account, invitation?: UsedInvitation): Promise<'created' | 'taken' | 'full' | 'used'>;
  /** Whether the invitation let somebody in already. */
  isUsed(invitation: Uint8Array): Promise<boolean>;
  /**
   * Puts what `change` makes of the account in its place: of two calls at once the second sees what the first made.
   * @param change pure; undefined: nothing is changed. uid, name and created stay what they are
   * @returns the account as it is now on the disk; undefined where nothing was changed
   */
  changeAccount(uid: Uint8Array, change: (account: Account) => Account | undefined): Promise<Account | undefined>;
  /** Every account, in no order; one that is made or deleted meanwhile may be missing, and one whose file is damaged is. */
  accounts(): AsyncIterable<Account>;
  /**
   * Removes the account, all that is kept for it, what waits for it and the rooms it owns. Its name is
   * free again. False where there is no such account. What others keep about its uid stays theirs.
   */
  deleteAccount(uid: Uint8Array): Promise<boolean>;
  accountByName(name: string): Promise<Account | undefined>;
  accountByUid(uid: Uint8Array): Promise<Account | undefined>;

  attempts(uid: Uint8Array): Promise<Attempts>;
  /** Counts one more; resolves with the new count when it is durable. */
  countAttempt(uid: Uint8Array, now: number): Promise<Attempts>;
  clearAttempts(uid: Uint8Array): Promise<void>;

  /** Keeps the grant and drops those that ended before `now`; at most MAX_GRANTS for each user, the oldest go first. */
  saveGrant(uid: Uint8Array, grant: Grant, now: number): Promise<void>;
  grants(uid: Uint8Array): Promise<readonly Grant[]>;
  /** Nothing happens where there is no such grant. */
  revokeGrant(uid: Uint8Array, hash: Uint8Array): Promise<void>;

  consent(of: Uint8Array, towards: Uint8Array): Promise<Consent | undefined>;
  setConsent(of: Uint8Array, towards: Uint8Array, consent: Consent): Promise<void>;
  /** The uids towards whom this user's consent is open, in no order. */
  openTowards(uid: Uint8Array): Promise<readonly Uint8Array[]>;

  reply(uid: Uint8Array, frameId: Uint8Array): Promise<Reply | undefined>;
  /** Keeps the newest 1,024 of each user, none older than 21 days; a second one for a frame id takes the first one's place. */
  keepReply(uid: Uint8Array, reply: Reply): Promise<void>;

  /**
   * What waits longer than 21 days is gone: no call gives it, and it leaves the disk later.
   *
   * Appends to the user's queue. `known`: an entry with the same opcode, `from` and `key` waits
   * already; resolves when that one is durable. `full`: the queue holds as many entries or bytes as it may, or half of them
   * with the same `from`: nobody, and no room, fills a queue alone.
   */
  enqueue(uid: Uint8Array, entry: QueueEntry): Promise<Enqueued>;
  /**
   * At most `limit` entries in order, from the one behind `after` on, or from the first. An unknown `after`
   * gives none. What a later call acknowledged before this one ended may be left out.
   */
  queued(uid: Uint8Array, after: Uint8Array | undefined, limit: number): Promise<readonly QueueEntry[]>;
  /**
   * The first entries of the queue, at most `limit` and in order, without those that `isFlying` has. As the queue is now:
   * also an entry that is not durable yet, and may never be, and none whose removal is. It waits for no sync.
   */
  undelivered(uid: Uint8Array, limit: number, isFlying: (id: Uint8Array) => boolean): Promise<readonly QueueEntry[]>;
  queueLength(uid: Uint8Array): Promise<number>;
  /** Removes what is acknowledged; ids that are not there are passed over. Resolves with those that were. */
  acknowledge(uid: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** Removes all that `from` caused: a room that was deleted, or that the user is in no more. Resolves with how many entries those were. */
  dequeue(uid: Uint8Array, from: Uint8Array): Promise<number>;

  /** `taken`: the name has a room already. `full`: the owner has as many rooms as one may, or there are too many. */
  createRoom(room: Room): Promise<'created' | 'taken' | 'full'>;
  roomByName(name: string): Promise<KeptRoom | undefined>;
  roomById(id: Uint8Array): Promise<KeptRoom | undefined>;
  /** Every room, one in memory after another, as `accounts` gives accounts. */
  rooms(): AsyncIterable<KeptRoom>;
  /** The ids of the rooms that this user owns, in no order. */
  roomsOf(owner: Uint8Array): Promise<readonly Uint8Array[]>;
  /**
   * Puts another owner and state in the place of version `version`; `stale` where it is not the current one. `full`: who
   * would own it from now on has as many rooms as one may.
   */
  changeRoom(id: Uint8Array, version: number, change: RoomChange): Promise<'changed' | 'stale' | 'full'>;
  /**
   * Adds to what was said. The 20 newest messages stay, with all their parts; what is newest goes by the part that came
   * first. `known`: something that stays has the same `from` and `key` already.
   */
  say(id: Uint8Array, message: RoomMessage): Promise<'said' | 'known'>;
  /** What was said last, the oldest first. */
  said(id: Uint8Array): Promise<readonly RoomMessage[]>;
  /** Removes the room with all that was said in it. False where there is no such room. */
  deleteRoom(id: Uint8Array): Promise<boolean>;

  /** Remembers the random of a HELLO (32 bytes) with its time in ms; calls close together share a sync. */
  rememberHello(random: Uint8Array, time: number): Promise<void>;
  /**
   * All remembered HELLOs whose time is not before `since`, read at start; they are kept for at least
   * 240 s. undefined: the record of HELLOs was lost, and those of a time not before `since` may be
   * missing, so a replay can't be told (SPEC 4.4). A new folder misses none.
   */
  recentHellos(since: number): Promise<readonly { readonly random: Uint8Array; readonly time: number }[] | undefined>;

  /** Waits for the calls under way and releases everything; later calls reject. */
  close(): Promise<void>;
}

/** The disk failed or is full. `full`: it goes on by itself when there is room (or when fewer files are open). */
export class StorageError extends Error {
  readonly full: boolean;
  constructor(message: string, full: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'StorageError';
    this.full = full;
  }
}

/** The failure of one user's or room's damaged file, which concerns nobody else (promise 6). */
export function isDamage(error: unknown): boolean {
  return error instanceof StorageError && error.cause instanceof StoreRefusal;
}

/** A folder that can't be opened as it is. The message is one line for the operator: what, and what to do. */
export class StoreRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StoreRefusal';
  }
}
