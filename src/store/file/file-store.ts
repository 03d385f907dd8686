/**
 * The store in plain files, each named by a hexadecimal id. Every change is synced before its promise
 * resolves; changes that wait for the same file share a sync.
 *
 *     format.json                   {"format":1}
 *     hellos-<n>.log                HELLOs of the last minutes
 *     users/<uid>/account.json      written last: without it there is no account
 *     users/<uid>/attempts.json, grants.json, consents/<other uid>.json
 *     users/<uid>/queue.log, replies.log
 */
import { join, resolve } from 'node:path';
import { HASH, ID, hex } from '../../../protocol/index.js';
import {
  StoreRefusal,
  type Account,
  type Attempts,
  type Consent,
  type Grant,
  type Reply,
  type Store,
} from '../store.js';
import { StorageError, type Enqueued, type QueueEntry } from '../store.js';
import { copyOf } from './copy.js';
import { Disk, errorCode, storageError, type OpenFile } from './disk.js';
import { Document, type Format } from './document.js';
import { inspectFolder, makeFolder, removeTemporaries } from './folder.js';
import { accountFormat, attemptsFormat, consentFormat, grantsFormat } from './formats.js';
import { HelloLog, type Hello } from './hello-log.js';
import { Pool } from './pool.js';
import { entryRecord, Queue, type QueueLimits } from './queue.js';
import { Replies, replyRecord } from './replies.js';
import { ACCOUNT_FILE, CONSENTS, Users } from './users.js';

const MAX_GRANTS = 16;
const MAX_QUEUE_ENTRIES = 10_000;
const MAX_QUEUE_BYTES = 32 * 1024 * 1024;
/** Queues and replies that are open while nobody uses them; each has one file open. */
const OPEN_LOGS = { parts: 1024, bytes: 256 * 1024 * 1024 };
/** Documents that are in memory while nobody uses them. */
const OPEN_DOCUMENTS = { parts: 8192, bytes: 32 * 1024 * 1024 };

export interface FileStoreOptions {
  /** ms since 1970 */
  readonly now: () => number;
  /** for each user; 10,000 unless given */
  readonly maxQueueEntries?: number;
  /** bytes of what waits for each user, as kept; 32 MiB unless given */
  readonly maxQueueBytes?: number;
  /** queues, and as many users' replies, that stay open while nobody uses them; 1,024 unless given */
  readonly openLogs?: number;
  /** how files are opened for writing: tests stand faults under it */
  readonly openFile?: OpenFile;
}

/**
 * Opens the store in this folder, which is made (mode 0700, parents too) if it is not there.
 * @throws StoreRefusal where the folder can't be opened as it is
 * @throws StorageError where the disk fails
 */
export async function openFileStore(folder: string, options: FileStoreOptions): Promise<Store> {
  const path = resolve(folder); // without a slash at the end, which would follow a symbolic link
  const disk = new Disk(options.openFile);
  try {
    const found = await inspectFolder(path);
    if (!found) await makeFolder(path, disk);
    const users = await Users.open(join(path, 'users'), disk);
    const hellos = await HelloLog.open(path, disk, options.now, !found);
    await removeTemporaries(path);
    return new FileStore(disk, users, hellos, options);
  } catch (error) {
    if (error instanceof StoreRefusal || errorCode(error) === undefined) throw error;
    throw storageError(path, error);
  }
}

class FileStore implements Store {
  readonly #disk: Disk;
  readonly #users: Users;
  readonly #hellos: HelloLog;
  readonly #limits: QueueLimits;
  readonly #now: () => number;
  readonly #queues: Pool<Queue>;
  readonly #replies: Pool<Replies>;
  readonly #documents = new Pool<Document<never>>(OPEN_DOCUMENTS);
  readonly #calls = new Set<Promise<unknown>>();
  #closed = false;

  constructor(disk: Disk, users: Users, hellos: HelloLog, options: FileStoreOptions) {
    const open = { ...OPEN_LOGS, parts: options.openLogs ?? OPEN_LOGS.parts };
    this.#queues = new Pool(open);
    this.#replies = new Pool(open);
    this.#disk = disk;
    this.#users = users;
    this.#hellos = hellos;
    this.#limits = {
      entries: options.maxQueueEntries ?? MAX_QUEUE_ENTRIES,
      bytes: options.maxQueueBytes ?? MAX_QUEUE_BYTES,
    };
    this.#now = options.now;
  }

  get failed(): Promise<StorageError> {
    return this.#disk.whenFailed;
  }

  createAccount(account: Account): Promise<'created' | 'taken'> {
    return this.#call(() => {
      id(account.uid);
      const copy = accountFormat.fromJson(accountFormat.toJson(account));
      if (!copy) throw new RangeError('store: no such account can be');
      return this.#users.create(copy);
    });
  }

  accountByName(name: string): Promise<Account | undefined> {
    return this.#call(async () => {
      const user = this.#users.byName(name);
      return user === undefined ? undefined : this.#account(user);
    });
  }

  accountByUid(uid: Uint8Array): Promise<Account | undefined> {
    return this.#call(() => this.#account(id(uid)));
  }

  async #account(user: string): Promise<Account | undefined> {
    return this.#read(user, ACCOUNT_FILE, accountFormat);
  }

  attempts(uid: Uint8Array): Promise<Attempts> {
    return this.#call(() => this.#read(id(uid), 'attempts.json', attemptsFormat));
  }

  countAttempt(uid: Uint8Array, now: number): Promise<Attempts> {
    return this.#call(() =>
      this.#change(id(uid), 'attempts.json', attemptsFormat, ({ count }) => ({ count: count + 1, last: now })),
    );
  }

  clearAttempts(uid: Uint8Array): Promise<void> {
    return this.#call(async () => {
      const clear = (attempts: Attempts): Attempts => (attempts.count === 0 ? attempts : attemptsFormat.empty);
      await this.#change(id(uid), 'attempts.json', attemptsFormat, clear);
    });
  }

  saveGrant(uid: Uint8Array, grant: Grant, now: number): Promise<void> {
    return this.#call(async () => {
      const hash = copyOf(grant.hash);
      if (hash.length !== HASH) throw new RangeError('store: the hash of a grant is not 32 bytes');
      const key = hex(hash);
      const save = (grants: readonly Grant[]): readonly Grant[] => {
        const others = grants.filter((other) => other.ends >= now && hex(other.hash) !== key);
        return [...others, { hash, ends: grant.ends }].slice(-MAX_GRANTS);
      };
      await this.#change(id(uid), 'grants.json', grantsFormat, save);
    });
  }

  grants(uid: Uint8Array): Promise<readonly Grant[]> {
    return this.#call(() => this.#read(id(uid), 'grants.json', grantsFormat));
  }

  revokeGrant(uid: Uint8Array, hash: Uint8Array): Promise<void> {
    return this.#call(async () => {
      const key = hex(hash);
      const revoke = (grants: readonly Grant[]): readonly Grant[] =>
        grants.some((grant) => hex(grant.hash) === key) ? grants.filter((grant) => hex(grant.hash) !== key) : grants;
      await this.#change(id(uid), 'grants.json', grantsFormat, revoke);
    });
  }

  consent(of: Uint8Array, towards: Uint8Array): Promise<Consent | undefined> {
    return this.#call(() => this.#read(id(of), consentFile(towards), consentFormat));
  }

  setConsent(of: Uint8Array, towards: Uint8Array, consent: Consent): Promise<void> {
    return this.#call(async () => {
      await this.#change(id(of), consentFile(towards), consentFormat, () => consent);
    });
  }

  reply(uid: Uint8Array, frameId: Uint8Array): Promise<Reply | undefined> {
    return this.#call(async () => {
      const key = copyOf(frameId);
      return this.#known(id(uid)) ? this.#useReplies(id(uid), (replies) => replies.reply(key)) : undefined;
    });
  }

  keepReply(uid: Uint8Array, reply: Reply): Promise<void> {
    return this.#call(() => {
      const record = replyRecord(reply);
      return this.#useReplies(this.#mustKnow(id(uid)), (replies) => replies.keep(record));
    });
  }

  enqueue(uid: Uint8Array, entry: QueueEntry): Promise<Enqueued> {
    return this.#call(() => {
      const record = entryRecord(entry);
      return this.#useQueue(this.#mustKnow(id(uid)), (queue) => queue.enqueue(record));
    });
  }

  queued(uid: Uint8Array, after: Uint8Array | undefined, limit: number): Promise<readonly QueueEntry[]> {
    return this.#call(async () => {
      const from = after && copyOf(after);
      return this.#known(id(uid)) ? this.#useQueue(id(uid), (queue) => queue.queued(from, limit)) : [];
    });
  }

  queueLength(uid: Uint8Array): Promise<number> {
    return this.#call(async () => {
      return this.#known(id(uid)) ? this.#useQueue(id(uid), (queue) => queue.length()) : 0;
    });
  }

  acknowledge(uid: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly QueueEntry[]> {
    return this.#call(async () => {
      const copied = ids.map(copyOf);
      return this.#known(id(uid)) ? this.#useQueue(id(uid), (queue) => queue.acknowledge(copied)) : [];
    });
  }

  rememberHello(random: Uint8Array, time: number): Promise<void> {
    return this.#call(() => this.#hellos.remember(random, time));
  }

  recentHellos(since: number): Promise<readonly Hello[] | undefined> {
    return this.#call(() => this.#hellos.recent(since));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#calls);
    await Promise.all([this.#queues.close(), this.#replies.close(), this.#documents.close(), this.#hellos.close()]);
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
      throw told(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  #known(user: string): boolean {
    return this.#users.has(user);
  }

  #mustKnow(user: string): string {
    if (!this.#users.has(user)) throw new RangeError('store: no account has this uid');
    return user;
  }

  #useQueue<T>(user: string, work: (queue: Queue) => Promise<T>): Promise<T> {
    const open = async (): Promise<Queue> => {
      await this.#users.settle(user);
      return Queue.open(this.#users.path(user, 'queue.log'), this.#disk, this.#limits);
    };
    return this.#queues.use(user, open, work);
  }

  #useReplies<T>(user: string, work: (replies: Replies) => Promise<T>): Promise<T> {
    const open = async (): Promise<Replies> => {
      await this.#users.settle(user);
      return Replies.open(this.#users.path(user, 'replies.log'), this.#disk, this.#now);
    };
    return this.#replies.use(user, open, work);
  }

  #document<T, R>(user: string, name: string, format: Format<T>, work: (of: Document<T>) => Promise<R>): Promise<R> {
    const path = this.#users.path(user, name);
    const open = async (): Promise<Document<T>> => {
      await this.#users.settle(user);
      return Document.open(path, this.#disk, format);
    };
    // One pool for documents of all kinds: a path is always opened with the same format.
    return (this.#documents as unknown as Pool<Document<T>>).use(path, open, work);
  }

  async #read<T>(user: string, name: string, format: Format<T>): Promise<T> {
    return this.#known(user) ? this.#document(user, name, format, (document) => document.read()) : format.empty;
  }

  async #change<T>(user: string, name: string, format: Format<T>, change: (value: T) => T): Promise<T> {
    return this.#document(this.#mustKnow(user), name, format, (document) => document.change(change));
  }
}

/** The uid as a file's name. @throws RangeError where it is not 16 bytes */
function id(uid: Uint8Array): string {
  if (uid.length !== ID) throw new RangeError('store: a uid is not 16 bytes');
  return hex(uid);
}

function consentFile(towards: Uint8Array): string {
  return join(CONSENTS, `${id(towards)}.json`);
}

/** A damaged file met while running is a failure of storage; our own bugs stay what they are. */
function told(error: unknown): unknown {
  if (error instanceof StoreRefusal) return new StorageError(error.message, false, error);
  if (error instanceof StorageError || errorCode(error) === undefined) return error;
  return storageError('store', error);
}
