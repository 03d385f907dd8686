/** Stores in folders that tests look into, damage and open again. */
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  openJournalStore,
  type JournalStore,
  type JournalStoreOptions,
} from '../../src/store/journal/journal-store.js';
import { StorageError, StoreRefusal, type Account, type QueueEntry, type Room } from '../../src/store/store.js';
import { temporaryFolder } from '../support/temp.js';
import { account, entry, message, reply, room, START } from './cases.js';
import { unsyncedFiles } from './watched-files.js';

export const options: JournalStoreOptions = { now: () => START, inThread: true };

/** For stores that are opened by the hundred, and that no power cut will meet. */
export const unsynced: JournalStoreOptions = { ...options, files: unsyncedFiles };

/** Where a store may be made: the folder and the one above are not there yet. */
export async function place(t: Test): Promise<string> {
  return join(await temporaryFolder(t), 'data', 'net');
}

export interface Filled {
  readonly folder: string;
  readonly alice: Account;
  /** alice's, in `users` */
  readonly own: string;
  /** three, in alice's queue */
  readonly entries: readonly QueueEntry[];
  /** bytes of the journal before the record of the third */
  readonly sound: number;
  readonly lounge: Room;
  /** its file's folder, in `rooms` */
  readonly roomFolder: string;
}

/**
 * A store with one of everything and three entries, closed.
 * @param checkpointed all but the last entry is in the files of users and rooms; otherwise in the journal alone
 */
export async function filled(t: Test, checkpointed = true): Promise<Filled> {
  const folder = await place(t);
  const store = await openJournalStore(folder, options);
  const alice = account('alice');
  const entries = [entry(randomBytes(200)), entry(randomBytes(100)), entry(randomBytes(60))];
  const [first, second, last] = entries;
  if (!first || !second || !last) throw new Error('three entries');
  const lounge = room('lounge', alice.uid);
  await store.createAccount(alice);
  await store.enqueue(alice.uid, first);
  if (checkpointed) await store.checkpoint();
  await store.enqueue(alice.uid, second);
  await store.countAttempt(alice.uid, START);
  await store.saveGrant(alice.uid, { hash: randomBytes(32), ends: START }, START);
  await store.setConsent(alice.uid, alice.uid, 'open');
  await store.keepReply(alice.uid, reply(1));
  await store.createRoom(lounge);
  await store.say(lounge.id, message());
  await store.rememberHello(randomBytes(32), START);
  if (checkpointed) await store.checkpoint();
  const sound = lstatSync(segmentsOf(folder).at(-1) ?? '').size;
  await store.enqueue(alice.uid, last);
  await store.close();
  const own = join(folder, 'users', hexOf(alice.uid));
  return { folder, alice, own, entries, sound, lounge, roomFolder: join(folder, 'rooms', hexOf(lounge.id)) };
}

export function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

/** The journal's files, in order. */
export function segmentsOf(folder: string): string[] {
  const journal = join(folder, 'journal');
  return readdirSync(journal)
    .sort()
    .map((name) => join(journal, name));
}

/** All paths of a tree with mode, owner, time of change and content. */
export function tree(folder: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (path: string): void => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    out[path] = `${mode} ${stat.uid} ${stat.mtimeMs} ${stat.isFile() ? readFileSync(path, 'hex') : ''}`;
    if (stat.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
  };
  walk(folder);
  return out;
}

/** Why the folder can't be opened; 'opened' where it can. */
export async function refusal(folder: string): Promise<string> {
  let store: JournalStore;
  try {
    store = await openJournalStore(folder, unsynced);
  } catch (error) {
    if (error instanceof StoreRefusal) return error.message;
    throw error;
  }
  await store.close();
  return 'opened';
}

/** What a call says of a damaged file; undefined where it says nothing of the kind. */
export async function damageTold(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StorageError && !error.full) return error.message;
    throw error;
  }
  return undefined;
}
