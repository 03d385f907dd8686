/**
 * The store in files, with one journal as its truth (ARCHITECTURE.md, *How the store keeps*).
 *
 *     format.json                  {"format":4}
 *     journal/<first LSN>.log      every change, before anybody is answered
 *     index                        names of accounts and rooms, and the LSN up to which all is in files
 *     hellos                       HELLOs of the last minutes
 *     users/<uid>/account.json, queue
 *     rooms/<id>/room
 */
import { resolve } from 'node:path';
import { HASH, ID, isName, RANDOM } from '../../../protocol/index.js';
import {
  StorageError,
  isDamage,
  StoreRefusal,
  type Account,
  type Attempts,
  type Consent,
  type Enqueued,
  type Grant,
  type KeptRoom,
  type QueueEntry,
  type Reply,
  type Room,
  type RoomChange,
  type RoomMessage,
  type Store,
  type StoreFigures,
  type StoreLimits,
  type UsedInvitation,
} from '../store.js';
import { readIndex, settleIndex } from './checkpoint.js';
import { CheckpointThread, inThisThread } from './checkpoint-thread.js';
import { Checkpoints } from './checkpoints.js';
import { Disk, isSystemError, nodeFiles, saysDiskFailed, storageError, type Files } from './disk.js';
import { FORMAT, inspectFolder, makeStore, removeTemporaries } from './folder.js';
import { beginHellos, readHellosFile } from './hellos.js';
import { isHeld } from './hold.js';
import { Journal } from './journal.js';
import { indexPath, journalFolder } from './layout.js';
import type { Names } from './names.js';
import { listSegments, openJournal } from './open-journal.js';
import { Parts } from './parts.js';
import type { MarkedFile } from './record-file.js';
import {
  HELLO_KEY,
  helloRecord,
  idBytes,
  latin1,
  profileRecord,
  queuedRecord,
  readHellos,
  replyRecord,
  roomRecord,
  type Hello,
} from './records.js';
import { Roster, type Limit } from './roster.js';
import { upgrade } from '../upgrade/upgrade.js';

/** What holds unless something else is given. */
const usualLimits: StoreLimits = {
  maxAccounts: 100_000,
  maxRooms: 10_000,
  maxRoomsPerUser: 64,
  maxQueueEntries: 10_000,
  maxQueueBytes: 32 * 1024 * 1024,
  segmentBytes: 32 * 1024 * 1024,
};
/** Bytes of a room's state. */
const MAX_ROOM_STATE = 512 * 1024;

export interface JournalStoreOptions extends Partial<StoreLimits> {
  /** ms since 1970 */
  readonly now: () => number;
  /** queues that stay in memory while nobody uses them; 1,024 unless given */
  readonly openParts?: number;
  /** the disk: tests have one that fails */
  readonly files?: Files;
  /** checkpoints in this thread, as with a given disk */
  readonly inThread?: boolean;
  /** something that an operator should know, in one line */
  readonly onNote?: (what: string) => void;
  /** a sync of the journal ended, after so many ms; it must be quick and must not throw */
  readonly onSync?: (milliseconds: number) => void;
}

export interface JournalStore extends Store {
  /** Brings all that is durable now into the files of users and rooms. @throws StorageError */
  checkpoint(): Promise<void>;
}

/**
 * Opens the store in this folder, which is made (mode 0700, parents too) if it is not there. One of an
 * older format is upgraded.
 * @throws StoreRefusal where the folder can't be opened as it is
 * @throws StorageError where the disk fails
 */
export async function openJournalStore(folder: string, options: JournalStoreOptions): Promise<JournalStore> {
  const path = resolve(folder); // without a slash at the end, which would follow a symbolic link
  const disk = new Disk(options.files ?? nodeFiles);
  try {
    return await open(path, disk, options);
  } catch (error) {
    if (error instanceof StoreRefusal || !isSystemError(error)) throw error;
    throw storageError(path, error);
  }
}

async function open(folder: string, disk: Disk, options: JournalStoreOptions): Promise<FileStore> {
  const { files } = disk;
  const { now, onNote = () => undefined } = options;
  const found = await inspectFolder(files, folder);
  if (!found) await makeStore(disk, folder, now());
  else if (found.format < FORMAT || found.from !== undefined) await upgrade(disk, folder, found, now(), onNote);
  const read = await readIndex(files, folder);
  if (!read) throw new StoreRefusal(`${indexPath(folder)} is lost: run cadenasd repair, or restore a backup`);
  const { names, index } = read;
  const journals = journalFolder(folder);
  const [first = 0] = await listSegments(disk, journals);
  if (index.size > index.end && first > index.upTo + 1) {
    throw new StoreRefusal(
      `${indexPath(folder)} is damaged behind byte ${index.end}: run cadenasd repair, or restore a backup`,
    );
  }
  const hellos = await readHellosFile(files, folder);
  const held = await isHeld(files, folder, now());
  const foundJournal = await openJournal(journals, disk, index.upTo, {
    onRecord: (payload) => {
      names.apply(payload);
    },
    /* Nothing is touched before all is judged. */
    onSound: async () => {
      await settleIndex(disk, folder, index);
      if (!hellos) await beginHellos(files, folder, now(), false);
    },
    isHeld: held,
    onNote,
  });
  const journal = new Journal(journals, disk, foundJournal);
  try {
    await removeTemporaries(files, folder);
    if (!held) await journal.drop(index.upTo);
    return new FileStore(folder, disk, { journal, names, index }, options);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

interface Opened {
  readonly journal: Journal;
  readonly names: Names;
  readonly index: MarkedFile;
}

/** A damaged file concerns its user alone, whom `cadenasd check` names: what is about everybody goes on. */
function passOverDamage(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

class FileStore implements JournalStore {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #journal: Journal;
  readonly #names: Names;
  readonly #checkpoints: Checkpoints;
  readonly #options: JournalStoreOptions;
  readonly #roster: Roster;
  readonly #parts: Parts;
  readonly #calls = new Set<Promise<unknown>>();
  #limits: StoreLimits;
  #closed = false;

  constructor(folder: string, disk: Disk, { journal, names, index }: Opened, options: JournalStoreOptions) {
    this.#folder = folder;
    this.#disk = disk;
    this.#journal = journal;
    this.#names = names;
    this.#options = options;
    this.#limits = withLimits(usualLimits, options);
    if (options.onSync) journal.onSync = options.onSync;
    this.#checkpoints = new Checkpoints(journal, disk, index, {
      folder,
      segmentBytes: () => this.#limits.segmentBytes,
      now: options.now,
      runner: options.files || options.inThread ? inThisThread(disk.files) : new CheckpointThread(),
      names: () => names.users + names.rooms,
      held: () => isHeld(disk.files, folder, options.now()),
      onNote: options.onNote ?? (() => undefined),
    });
    this.#roster = new Roster(names, journal);
    this.#parts = new Parts({
      folder,
      disk,
      journal,
      names,
      roster: this.#roster,
      limits: () => this.#limits,
      now: options.now,
      settled: () => this.#checkpoints.settled,
      openMails: options.openParts,
    });
    this.#checkpoints.start();
  }

  get failed(): Promise<StorageError> {
    return this.#disk.whenFailed;
  }

  figures(): StoreFigures {
    const { bytes, segments, waiting, waitingBytes } = this.#journal.figures;
    return {
      accounts: this.#names.users,
      rooms: this.#names.rooms,
      queued: this.#parts.waiting.entries,
      queuesKnown: this.#parts.waiting.queues,
      journalBytes: bytes,
      journalSegments: segments,
      writesWaiting: waiting,
      bytesWaiting: waitingBytes,
    };
  }

  setLimits(limits: Partial<StoreLimits>): void {
    this.#limits = withLimits(this.#limits, limits);
  }

  checkpoint(): Promise<void> {
    return this.#call(() => this.#checkpoints.make());
  }

  createAccount(account: Account, invitation?: UsedInvitation): Promise<'created' | 'taken' | 'full' | 'used'> {
    return this.#call(async () => {
      const record = profileRecord(account, invitation);
      const { name } = account;
      if (!isName(name)) throw new RangeError('store: no account can have this name');
      const uid = latin1(account.uid);
      const names = this.#names;
      const used = invitation && { id: latin1(invitation.id), ends: invitation.ends };
      const done = (): void => {
        names.addUser(uid, name);
        if (used) names.addUsed(used.id, used.ends);
      };
      const limits = [{ of: 'users', are: () => names.users, most: this.#limits.maxAccounts }];
      const make = () => this.#roster.create({ kind: 'user', name, id: uid, record, limits, done });
      return used ? this.#roster.once(`invitation${used.id}`, () => this.#isSpent(used), make) : make();
    });
  }

  /** By one look at the clock: what is forgotten as used must not count any more. */
  #isSpent({ id, ends }: { readonly id: string; readonly ends: number }): boolean {
    const now = this.#options.now();
    this.#names.forgetUsed(now);
    return ends <= now || this.#names.isUsed(id);
  }

  isUsed(invitation: Uint8Array): Promise<boolean> {
    return this.#call(() => Promise.resolve(this.#names.isUsed(key(invitation))));
  }

  changeAccount(uid: Uint8Array, change: (account: Account) => Account | undefined): Promise<Account | undefined> {
    return this.#call(() => this.#parts.account(key(uid), (part) => part.change(change)));
  }

  async *accounts(): AsyncGenerator<Account> {
    for (const uid of [...this.#names.uids()]) {
      const account = await this.accountByUid(idBytes(uid)).catch(passOverDamage);
      if (account) yield account;
    }
  }

  deleteAccount(uid: Uint8Array): Promise<boolean> {
    return this.#call(async () => {
      const user = key(uid);
      const isDeleted = await this.#roster.deleteUser(user, this.#parts.idle);
      if (isDeleted) this.#parts.waiting.forget(user);
      return isDeleted;
    });
  }

  accountByName(name: string): Promise<Account | undefined> {
    return this.#call(async () => {
      const uid = this.#names.uid(name);
      return uid === undefined ? undefined : this.#parts.account(uid, (part) => part.account(), undefined);
    });
  }

  accountByUid(uid: Uint8Array): Promise<Account | undefined> {
    return this.#call(() => this.#parts.account(key(uid), (part) => part.account(), undefined));
  }

  attempts(uid: Uint8Array): Promise<Attempts> {
    return this.#call(() => this.#parts.account(key(uid), (part) => part.attempts(), { count: 0, last: 0 }));
  }

  countAttempt(uid: Uint8Array, now: number): Promise<Attempts> {
    return this.#call(() =>
      this.#parts.account(key(uid), (part) => part.setAttempts(({ count }) => ({ count: count + 1, last: now }))),
    );
  }

  clearAttempts(uid: Uint8Array): Promise<void> {
    return this.#call(async () => {
      await this.#parts.account(key(uid), (part) => part.setAttempts(() => ({ count: 0, last: 0 })));
    });
  }

  saveGrant(uid: Uint8Array, grant: Grant, now: number): Promise<void> {
    return this.#call(() => {
      const copy = { hash: fixed(grant.hash, HASH), ends: grant.ends };
      return this.#parts.account(key(uid), (part) => part.saveGrant(copy, now));
    });
  }

  grants(uid: Uint8Array): Promise<readonly Grant[]> {
    return this.#call(() => this.#parts.account(key(uid), (part) => part.grants(), []));
  }

  revokeGrant(uid: Uint8Array, hash: Uint8Array): Promise<void> {
    return this.#call(() => {
      const copy = fixed(hash, HASH);
      return this.#parts.account(key(uid), (part) => part.revokeGrant(copy));
    });
  }

  consent(of: Uint8Array, towards: Uint8Array): Promise<Consent | undefined> {
    return this.#call(() => {
      const copy = fixed(towards, ID);
      return this.#parts.account(key(of), (part) => part.consent(copy), undefined);
    });
  }

  setConsent(of: Uint8Array, towards: Uint8Array, consent: Consent): Promise<void> {
    return this.#call(() => {
      const copy = fixed(towards, ID);
      return this.#parts.account(key(of), (part) => part.setConsent(copy, consent));
    });
  }

  openTowards(uid: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#call(() => this.#parts.account(key(uid), (part) => part.openTowards(), []));
  }

  reply(uid: Uint8Array, frameId: Uint8Array): Promise<Reply | undefined> {
    return this.#call(() => {
      const copy = fixed(frameId, ID);
      return this.#parts.mail(key(uid), (part) => part.reply(copy), undefined);
    });
  }

  keepReply(uid: Uint8Array, reply: Reply): Promise<void> {
    return this.#call(() => {
      const user = key(uid);
      const record = replyRecord(user, reply);
      return this.#parts.mail(user, (part) => part.keepReply(record));
    });
  }

  enqueue(uid: Uint8Array, entry: QueueEntry): Promise<Enqueued> {
    return this.#call(() => {
      const user = key(uid);
      const record = queuedRecord(user, entry);
      return this.#parts.mail(user, (part) => part.enqueue(record));
    });
  }

  queued(uid: Uint8Array, after: Uint8Array | undefined, limit: number): Promise<readonly QueueEntry[]> {
    return this.#call(() => {
      const from = after && new Uint8Array(after);
      return this.#parts.mail(key(uid), (part) => part.queued(from, limit), []);
    });
  }

  undelivered(uid: Uint8Array, limit: number, isFlying: (id: Uint8Array) => boolean): Promise<readonly QueueEntry[]> {
    return this.#call(() => this.#parts.mail(key(uid), (part) => part.undelivered(limit, isFlying), []));
  }

  queueLength(uid: Uint8Array): Promise<number> {
    return this.#call(() => this.#parts.mail(key(uid), (part) => part.length(), 0));
  }

  acknowledge(uid: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return this.#call(() => {
      const keys = ids.map((each) => latin1(each));
      return this.#parts.mail(key(uid), (part) => part.acknowledge(keys), []);
    });
  }

  dequeue(uid: Uint8Array, from: Uint8Array): Promise<number> {
    return this.#call(() => {
      const cause = key(from);
      return this.#parts.mail(key(uid), (part) => part.dequeue(cause), 0);
    });
  }

  createRoom(room: Room): Promise<'created' | 'taken' | 'full'> {
    return this.#call(() => {
      const { name } = room;
      if (!isName(name)) throw new RangeError('store: no room can have this name');
      const id = key(room.id);
      const record = roomRecord(id, { ...room, version: 1 });
      const owner = ownerOf(room);
      const names = this.#names;
      const limits = [{ of: 'rooms', are: () => names.rooms, most: this.#limits.maxRooms }, this.#ofOwner(owner)];
      const done = (): void => {
        names.addRoom(id, { name, owner });
      };
      const make = () => this.#roster.create({ kind: 'room', name, id, record, limits, done });
      return this.#roster.asOwner([owner], make);
    });
  }

  roomsOf(owner: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#call(() => Promise.resolve(this.#names.roomsOf(key(owner)).map(idBytes)));
  }

  /** How many rooms somebody may have. */
  #ofOwner(owner: string): Limit {
    return { of: owner, are: () => this.#names.ownedBy(owner), most: this.#limits.maxRoomsPerUser };
  }

  roomByName(name: string): Promise<KeptRoom | undefined> {
    return this.#call(async () => {
      const id = this.#names.roomId(name);
      return id === undefined ? undefined : this.#parts.room(id, (part) => part.room(), undefined);
    });
  }

  roomById(id: Uint8Array): Promise<KeptRoom | undefined> {
    return this.#call(() => this.#parts.room(key(id), (part) => part.room(), undefined));
  }

  async *rooms(): AsyncGenerator<KeptRoom> {
    for (const id of [...this.#names.roomIds()]) {
      const room = await this.roomById(idBytes(id)).catch(passOverDamage);
      if (room) yield room;
    }
  }

  changeRoom(id: Uint8Array, version: number, change: RoomChange): Promise<'changed' | 'stale' | 'full'> {
    return this.#call(async () => {
      const owner = ownerOf(change);
      const copy = { owner: new Uint8Array(change.owner), state: new Uint8Array(change.state) };
      const room = key(id);
      const before = this.#names.room(room)?.owner;
      return this.#roster.asOwner(before === undefined || before === owner ? [owner] : [before, owner], async () => {
        const isHandedOver = before !== undefined && before !== owner;
        const release = isHandedOver ? this.#roster.reserve([this.#ofOwner(owner)]) : () => undefined;
        if (!release) return 'full';
        const result = await this.#parts.room(room, (part) => part.change(version, copy)).finally(release);
        const name = this.#names.room(room)?.name;
        if (result === 'changed' && name !== undefined) this.#names.addRoom(room, { name, owner });
        return result;
      });
    });
  }

  say(id: Uint8Array, message: RoomMessage): Promise<'said' | 'known'> {
    return this.#call(() => {
      const { from, key: replay, message: whole, time, fields } = message;
      const ids = { from: fixed(from, ID), key: fixed(replay, ID), message: fixed(whole, ID) };
      const copy = { ...ids, time, fields: new Uint8Array(fields) };
      return this.#parts.room(key(id), (part) => part.say(copy));
    });
  }

  said(id: Uint8Array): Promise<readonly RoomMessage[]> {
    return this.#call(() => this.#parts.room(key(id), (part) => part.said(), []));
  }

  deleteRoom(id: Uint8Array): Promise<boolean> {
    return this.#call(() => this.#roster.deleteRoom(key(id), this.#parts.idle));
  }

  rememberHello(random: Uint8Array, time: number): Promise<void> {
    return this.#call(() => {
      const record = helloRecord([{ random: fixed(random, RANDOM), time }]);
      return this.#journal.append(record, () => undefined);
    });
  }

  recentHellos(since: number): Promise<readonly Hello[] | undefined> {
    return this.#call(async () => {
      const logged = await this.#journal.tail(HELLO_KEY);
      const found = await readHellosFile(this.#disk.files, this.#folder);
      if (!found || since < found.complete) return undefined;
      const inJournal = logged.flatMap(({ payload }) => readHellos(payload) ?? []);
      return distinct([...found.hellos, ...inJournal].filter(({ time }) => time >= since));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#calls);
    await this.#checkpoints.close();
    await this.#journal.close();
  }

  /** Runs a call's synchronous part at once, so that it copies what it keeps and takes its place in the order. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('store: closed');
    this.#disk.check();
    const call = work();
    this.#calls.add(call);
    try {
      return await call;
    } catch (error) {
      throw this.#told(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  /** A damaged file, or one that can't be read, fails for its user alone; our own bugs stay what they are. */
  #told(error: unknown): unknown {
    if (error instanceof StoreRefusal) return new StorageError(error.message, false, error);
    if (error instanceof StorageError || !isSystemError(error)) return error;
    return saysDiskFailed(error) ? this.#disk.failure(this.#folder, error) : storageError(this.#folder, error);
  }
}

/** @param given whatever else it has is passed over */
function withLimits(before: StoreLimits, given: Partial<StoreLimits>): StoreLimits {
  return {
    maxAccounts: given.maxAccounts ?? before.maxAccounts,
    maxRooms: given.maxRooms ?? before.maxRooms,
    maxRoomsPerUser: given.maxRoomsPerUser ?? before.maxRoomsPerUser,
    maxQueueEntries: given.maxQueueEntries ?? before.maxQueueEntries,
    maxQueueBytes: given.maxQueueBytes ?? before.maxQueueBytes,
    segmentBytes: given.segmentBytes ?? before.segmentBytes,
  };
}

/** What is in a file and still in the journal is there once. */
function distinct(hellos: readonly Hello[]): Hello[] {
  return [...new Map(hellos.map((hello) => [latin1(hello.random), hello])).values()];
}

/** The owner of a room, as a key. @throws RangeError where the state is too long */
function ownerOf({ owner, state }: RoomChange): string {
  if (state.length > MAX_ROOM_STATE) throw new RangeError('store: the state of a room is too long');
  return key(owner);
}

/** The id as a key of maps. @throws RangeError where it is not 16 bytes */
function key(id: Uint8Array): string {
  return latin1(fixed(id, ID));
}

/** A copy. @throws RangeError where it is not this long */
function fixed(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`store: ${length} bytes are needed`);
  return new Uint8Array(bytes);
}
