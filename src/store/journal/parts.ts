/** The parts of users and rooms in use: each is opened at its first call, as its file and what the journal holds behind it. */
import { StoreRefusal, UnknownId } from '../store.js';
import { AccountPart } from './account-part.js';
import { Changes } from './changes.js';
import type { Disk } from './disk.js';
import type { Journal, Logged } from './journal.js';
import { userFolder } from './layout.js';
import { MailPart, type QueueLimits } from './mail-part.js';
import { parseMail } from './mail.js';
import type { Names } from './names.js';
import { readAccountFile, readQueue, readRoomFile } from './part-files.js';
import { Pool } from './pool.js';
import { partKey, type PartKey } from './records.js';
import { RoomPart } from './room-part.js';
import type { Roster } from './roster.js';
import { Waiting } from './waiting.js';

/** Queues that stay in memory while nobody uses them. */
const OPEN_MAILS = { parts: 1024, bytes: 128 * 1024 * 1024 };
const OPEN_ACCOUNTS = { parts: 8192, bytes: 32 * 1024 * 1024 };
const OPEN_ROOMS = { parts: 1024, bytes: 32 * 1024 * 1024 };

export interface PartsHost {
  readonly folder: string;
  readonly disk: Disk;
  readonly journal: Journal;
  readonly names: Names;
  readonly roster: Roster;
  readonly limits: () => QueueLimits;
  /** ms since 1970 */
  readonly now: () => number;
  /** LSN: everything up to it is in files */
  readonly settled: () => number;
  /** queues that stay in memory while nobody uses them; 1,024 unless given */
  readonly openMails: number | undefined;
}

/** What a call gives where there is no such user or room; without it the call rejects with UnknownId. */
type Empty<T> = readonly [T?];

export class Parts {
  readonly #host: PartsHost;
  readonly #accounts = new Pool<AccountPart>(OPEN_ACCOUNTS);
  readonly #mails: Pool<MailPart>;
  readonly #rooms = new Pool<RoomPart>(OPEN_ROOMS);
  /** What waits in the queues that were used. */
  readonly waiting = new Waiting();

  constructor(host: PartsHost) {
    this.#host = host;
    this.#mails = new Pool({ ...OPEN_MAILS, parts: host.openMails ?? OPEN_MAILS.parts });
  }

  account<T>(uid: string, work: (part: AccountPart) => Promise<T>, ...empty: Empty<T>): Promise<T> {
    const use = (): Promise<T> => this.#accounts.use(uid, () => this.#openAccount(uid), work);
    return this.#if(uid, () => this.#hasUser(uid), use, empty);
  }

  mail<T>(uid: string, work: (part: MailPart) => Promise<T>, ...empty: Empty<T>): Promise<T> {
    const counted = (part: MailPart): Promise<T> =>
      work(part).finally(() => {
        this.waiting.set(uid, part.size);
      });
    const use = (): Promise<T> => this.#mails.use(uid, () => this.#openMail(uid), counted);
    return this.#if(uid, () => this.#hasUser(uid), use, empty);
  }

  room<T>(id: string, work: (part: RoomPart) => Promise<T>, ...empty: Empty<T>): Promise<T> {
    const use = (): Promise<T> => this.#rooms.use(id, () => this.#openRoom(id), work);
    return this.#if(id, () => this.#host.names.room(id) !== undefined, use, empty);
  }

  /** Waits until no call that was made before goes on with parts of this user, or with this room. */
  readonly idle = async (id: string): Promise<void> => {
    await Promise.all([this.#accounts.idle(id), this.#mails.idle(id), this.#rooms.idle(id)]);
  };

  #hasUser(uid: string): boolean {
    return this.#host.names.name(uid) !== undefined;
  }

  /** At once, unless the user or room is being made or removed. */
  #if<T>(id: string, isThere: () => boolean, use: () => Promise<T>, empty: Empty<T>): Promise<T> {
    const { roster } = this.#host;
    if (roster.isBusy(id)) return roster.whenFree(id).then(() => this.#if(id, isThere, use, empty));
    if (isThere()) return use();
    if (empty.length > 0) return Promise.resolve(empty[0] as T);
    return Promise.reject(new UnknownId('store: there is no such user or room'));
  }

  #changes(): Changes {
    return new Changes(this.#host.journal, this.#host.disk);
  }

  #openAccount(uid: string): Promise<AccountPart> {
    const { disk, folder } = this.#host;
    return this.#load(
      partKey('account', uid),
      () => readAccountFile(disk.files, folder, uid),
      ({ state }, { payload }) => state.apply(payload),
      ({ state }) => {
        if (!state.account) throw new StoreRefusal(`${userFolder(folder, uid)} is lost: restore a backup`);
        return new AccountPart(uid, state, this.#changes());
      },
    );
  }

  #openMail(uid: string): Promise<MailPart> {
    const { disk, folder, limits, now, settled } = this.#host;
    const reread = (wanted: ReadonlySet<string>) => readQueue(disk.files, folder, uid, settled(), wanted);
    return this.#load(
      partKey('mail', uid),
      async () => {
        const { state, found } = await reread(new Set());
        return { state, upTo: found?.upTo ?? 0 };
      },
      ({ state }, { payload, segment, at }) => {
        const change = parseMail(payload, segment, at);
        if (change) state.apply(change);
        return change !== undefined;
      },
      ({ state }) => new MailPart(uid, state, { changes: this.#changes(), limits, now, reread }),
    );
  }

  #openRoom(id: string): Promise<RoomPart> {
    const { disk, folder, settled } = this.#host;
    return this.#load(
      partKey('room', id),
      async () => {
        const { state, found } = await readRoomFile(disk.files, folder, id, settled());
        return { state, upTo: found?.upTo ?? 0 };
      },
      ({ state }, { payload }) => state.apply(payload),
      ({ state }) => new RoomPart(id, state, this.#changes()),
    );
  }

  async #load<F extends { readonly upTo: number }, P>(
    part: PartKey,
    read: () => Promise<F>,
    apply: (found: F, logged: Logged) => boolean,
    make: (found: F) => P,
  ): Promise<P> {
    const logged = await this.#host.journal.tail(part);
    const found = await read();
    for (const each of logged) {
      if (each.lsn > found.upTo && !apply(found, each)) {
        throw new StoreRefusal(`${each.segment.path} holds an unknown record: restore a backup`);
      }
    }
    return make(found);
  }
}
