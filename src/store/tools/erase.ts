/** Deletes an account so that nothing of it stays on the disk: not in the journal, and not its name in the index. */
import { StoreRefusal } from '../store.js';
import type { Files } from '../journal/disk.js';
import { exists } from '../journal/durable.js';
import { release } from '../journal/hold.js';
import { openJournalStore } from '../journal/journal-store.js';
import { userFolder } from '../journal/layout.js';
import { openView } from './reader.js';
import { idBytes, partKey } from '../journal/records.js';
import { accountOf, mailOf } from './view-parts.js';

const ADVICE = 'run cadenasd check';

/** What there is to delete. */
export interface Doomed {
  /** 16 characters, one a byte */
  readonly uid: string;
  readonly name: string;
  /** that wait for the user */
  readonly messages: number;
  /** that the user owns */
  readonly rooms: number;
}

/** @returns undefined where no account has the name. @throws StoreRefusal where it can't be read */
export async function findDoomed(files: Files, folder: string, name: string): Promise<Doomed | undefined> {
  const view = await openView(files, folder);
  const uid = view.names.uid(name);
  if (uid === undefined) return undefined;
  await accountOf(view, uid);
  const { state } = await mailOf(view, uid);
  return { uid, name, messages: state.entries.size, rooms: view.names.roomsOf(uid).length };
}

/**
 * The store must not be in use.
 * @param onNote something else that an operator should know, in one line
 * @throws StoreRefusal where the store can't be opened, or where something of the account is left
 * @throws StorageError where the disk fails: it may be done, or not; doing it again is safe
 */
export async function erase(
  files: Files,
  folder: string,
  { uid, name }: Doomed,
  now: () => number,
  onNote: (what: string) => void,
): Promise<void> {
  await release(files, folder); // of a command that was killed: the journal's segments have to go
  const store = await openJournalStore(folder, { now, files, onNote });
  try {
    await store.deleteAccount(idBytes(uid));
    await store.checkpoint();
  } finally {
    await store.close();
  }
  const view = await openView(files, folder);
  const isLeft =
    (await exists(files, userFolder(folder, uid))) ||
    view.names.uid(name) !== undefined ||
    view.names.roomsOf(uid).length > 0 ||
    [partKey('account', uid), partKey('mail', uid)].some((key) => view.places.has(key));
  if (isLeft) throw new StoreRefusal(`${folder} still holds something of @${name}: ${ADVICE}`);
}
