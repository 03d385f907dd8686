/** The files of parts as a start finds them: read, and nothing else. */
import { join } from 'node:path';
import { MAX_UNREAD_MS, StoreRefusal } from '../store.js';
import { AccountState } from './account.js';
import type { DiskFile, Files } from './disk.js';
import { readAt, readWhole } from './durable.js';
import { accountFileFormat, fromFile } from './formats.js';
import { ACCOUNT_FILE, QUEUE_FILE, ROOM_FILE, roomFolder, userFolder } from './layout.js';
import { MailState, parseMail, type Source } from './mail.js';
import { firstPayloadAt, readMarked, readPlaces, withFile, type MarkedFile } from './record-file.js';
import { FILE_HEADER, readHeader } from './record-format.js';
import { idOf, Kind, latin1, QUEUED_HEAD, readQueuedHead } from './records.js';
import { RoomState } from './room.js';

const ADVICE = 'run cadenasd repair, or restore a backup';

/** @throws StoreRefusal where the file is damaged */
export async function readAccountFile(
  files: Files,
  folder: string,
  uid: string,
): Promise<{ state: AccountState; upTo: number }> {
  const path = join(userFolder(folder, uid), ACCOUNT_FILE);
  const bytes = await readWhole(files, path);
  if (!bytes) return { state: new AccountState(), upTo: 0 };
  const value = fromFile(accountFileFormat, bytes);
  if (!value) throw new StoreRefusal(`${path} is damaged: ${ADVICE}`);
  if (latin1(value.account.uid) !== uid) throw new StoreRefusal(`${path} belongs to another user: ${ADVICE}`);
  return { state: AccountState.from(value), upTo: value.lsn };
}

export interface MailFile {
  readonly state: MailState;
  /** undefined: there is no file */
  readonly found: MarkedFile | undefined;
}

/** What becomes of payloads that need not be in memory. */
interface Staying {
  readonly source: Source;
  readonly note: (payload: Uint8Array) => void;
}

/**
 * @param staying the payloads stay where they are; otherwise they are in memory
 * @throws StoreRefusal where the file is damaged
 */
export async function readMail(
  file: DiskFile,
  path: string,
  uid: string,
  settled: number,
  staying?: Staying,
): Promise<MailFile & { readonly found: MarkedFile }> {
  const state = new MailState();
  const parse = (payload: Uint8Array, at: number) => {
    staying?.note(payload);
    return idOf(payload) === uid ? parseMail(payload, staying?.source, at) : undefined;
  };
  const found = await readMarked(file, path, settled, parse, (change) => {
    state.apply(change);
  });
  return { state, found };
}

export function queuePath(folder: string, uid: string): string {
  return join(userFolder(folder, uid), QUEUE_FILE);
}

/** Whether something in a queue may wait too long, by its first record: that is the oldest entry, or no entry. */
export async function mayBeOld(file: DiskFile, now: number): Promise<boolean> {
  const payload = await readAt(file, firstPayloadAt, QUEUED_HEAD);
  const head = payload[0] === Kind.queued ? readQueuedHead(payload) : undefined;
  return head ? head.time < now - MAX_UNREAD_MS : payload.length > 0;
}

/**
 * Payloads in a queue's file. It is opened for each read, so that no part holds a file: the salt tells
 * whether it is still the one in which the places are right.
 */
class QueueSource implements Source {
  readonly #files: Files;
  readonly #path: string;
  salt: number | undefined;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  read(places: Parameters<Source['read']>[0]): Promise<Uint8Array[] | undefined> {
    return withFile(this.#files, this.#path, async (file) => {
      const header = readHeader(await readAt(file, 0, FILE_HEADER));
      return header?.salt === this.salt ? readPlaces(file, this.#path, places) : undefined;
    });
  }
}

/** A queue as its file has it. */
export interface QueueFile extends MailFile {
  /** those of the entries that were asked for, by their ids */
  readonly payloads: ReadonlyMap<string, Uint8Array>;
}

/**
 * The payloads stay in the file, but for some that are asked for by id.
 * @throws StoreRefusal where the file is damaged
 */
export async function readQueue(
  files: Files,
  folder: string,
  uid: string,
  settled: number,
  wanted: ReadonlySet<string>,
): Promise<QueueFile> {
  const path = queuePath(folder, uid);
  const source = new QueueSource(files, path);
  const payloads = new Map<string, Uint8Array>();
  const note = (payload: Uint8Array): void => {
    const head = wanted.size > 0 && payload[0] === Kind.queued ? readQueuedHead(payload) : undefined;
    if (head && wanted.has(head.id)) payloads.set(head.id, new Uint8Array(payload));
  };
  const read = await withFile(files, path, (file) => readMail(file, path, uid, settled, { source, note }));
  source.salt = read?.found.salt;
  return { state: read?.state ?? new MailState(), found: read?.found, payloads };
}

export interface RoomFile {
  readonly state: RoomState;
  readonly found: MarkedFile | undefined;
}

export function roomPath(folder: string, id: string): string {
  return join(roomFolder(folder, id), ROOM_FILE);
}

/** @throws StoreRefusal where the file is damaged */
export async function readRoomFile(files: Files, folder: string, id: string, settled: number): Promise<RoomFile> {
  const path = roomPath(folder, id);
  const state = new RoomState();
  const parse = (payload: Uint8Array): Uint8Array | undefined => (idOf(payload) === id ? payload : undefined);
  const found = await withFile(files, path, (file) =>
    readMarked(file, path, settled, parse, (payload) => {
      if (!state.apply(new Uint8Array(payload))) throw new StoreRefusal(`${path} is damaged: ${ADVICE}`);
    }),
  );
  return { state, found };
}
