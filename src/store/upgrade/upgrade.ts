/**
 * The upgrade of older stores to this one. Formats 2 and 3 differ by what may be in an account (2: no second factor, 3:
 * nobody is disabled): this one reads their files and records as they are, and their programs must not read what this one
 * writes. Format 1 has a folder for each user and a log for each queue.
 *
 * Format 1 is read first, so that a damaged one refuses as it is. Then a copy is made of the folder (copy.ts), and nothing
 * is changed before that is whole. What is new is made beside what is old, the format is written when all that is durable,
 * and what is old goes last. Killed between any two steps and begun again it leads to the same, for it reads nothing that
 * it has written itself: `account.json` is replaced by one that holds more, of which an upgrade reads what the older one
 * held.
 */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { Disk, Files } from '../journal/disk.js';
import { exists, makeFolder, remove, removeFolder, replaceFile, syncFolder, TEMPORARY } from '../journal/durable.js';
import { FORMAT, inspectOwn, SAME_FILES, writeFormat } from '../journal/folder.js';
import { keepCopy } from './copy.js';
import { OLD_CONSENTS, OLD_FILES, oldUserIds, oldUsers, type OldUser } from './format1.js';
import { accountFileFormat, toFile, type FolderFormat } from '../journal/formats.js';
import { beginHellos } from '../journal/hellos.js';
import { ACCOUNT_FILE, indexPath, journalFolder, ROOMS, userFolder, USERS } from '../journal/layout.js';
import type { MailState } from '../journal/mail.js';
import { Names } from '../journal/names.js';
import { makeJournal } from '../journal/open-journal.js';
import { queuePath } from '../journal/part-files.js';
import { writeMarked } from '../journal/record-file.js';
import { latin1 } from '../journal/records.js';

const FROM = 1;
/** The LSN of what is in the files before the journal has its first record. */
const NOTHING = 0;

/**
 * @param found as `inspectFolder` gives it: an older format, or one whose upgrade has still to clean
 * @param now ms since 1970
 * @throws StoreRefusal where the old store is damaged; nothing is touched then
 * @throws StorageError where a sync fails; what the disk throws, too
 */
export async function upgrade(
  disk: Disk,
  folder: string,
  found: FolderFormat,
  now: number,
  onNote: (what: string) => void,
): Promise<void> {
  const { files } = disk;
  const from = found.from ?? found.format;
  if (from !== FROM && (!SAME_FILES.includes(from) || found.from !== undefined))
    throw new StoreRefusal(`${folder} names no format that ever was: restore a backup`);
  let copy = `${folder}.before-upgrade-${from}-…`;
  if (found.format === FROM) await inspect(files, folder);
  if (found.format < FORMAT) copy = await keepCopy(files, folder, found.format, now, onNote);
  if (found.begun || found.format === FROM) {
    if (!found.begun) await writeFormat(files, folder, { format: FORMAT, from: FROM, begun: true });
    else await syncFolder(files, folder); // a process that was killed may have written it unsynced
    const count = await convert(disk, folder, now);
    await writeFormat(files, folder, { format: FORMAT, from: FROM });
    onNote(
      `${folder}: ${count} accounts are taken over from format ${FROM}; the HELLOs seen before are not, ` +
        'so the daemon waits two minutes before it answers',
    );
  }
  if (from === FROM) {
    if (found.format < FORMAT) await writeFormat(files, folder, { format: FORMAT, from: FROM });
    await clean(files, folder);
  }
  await writeFormat(files, folder, { format: FORMAT });
  onNote(`${folder}: upgraded to format ${FORMAT}; as it was it is in ${copy}`);
}

/** Reads all that there is. */
async function inspect(files: Files, folder: string): Promise<void> {
  const users = join(folder, USERS);
  if (await exists(files, users)) await inspectOwn(files, users);
  const names = new Map<string, string>();
  for await (const { account } of oldUsers(files, folder)) {
    const own = userFolder(folder, latin1(account.uid));
    const other = names.get(account.name);
    if (other !== undefined) {
      throw new StoreRefusal(`${own} and ${other} have one name: move one of them away`);
    }
    names.set(account.name, own);
  }
}

/** Resolves with the number of accounts when all that the new format needs is durable. */
async function convert(disk: Disk, folder: string, now: number): Promise<number> {
  const { files } = disk;
  for (const path of [join(folder, USERS), join(folder, ROOMS), journalFolder(folder)]) await makeFolder(files, path);
  await makeJournal(journalFolder(folder), disk);
  const names = new Names();
  for await (const user of oldUsers(files, folder)) {
    await convertUser(files, folder, user);
    names.addUser(latin1(user.account.uid), user.account.name);
  }
  await syncFolder(files, join(folder, USERS));
  await writeMarked(files, indexPath(folder), [...names.records()], NOTHING);
  await beginHellos(files, folder, now, false);
  await syncFolder(files, folder);
  return names.users;
}

async function convertUser(files: Files, folder: string, { mail, ...rest }: OldUser): Promise<void> {
  const uid = latin1(rest.account.uid);
  await writeQueue(files, queuePath(folder, uid), mail);
  const account = toFile(accountFileFormat, { lsn: NOTHING, ...rest });
  await replaceFile(files, join(userFolder(folder, uid), ACCOUNT_FILE), account); // syncs the folder, for the queue too
}

async function writeQueue(files: Files, path: string, { entries, replies }: MailState): Promise<void> {
  const queued = entries.values().flatMap(({ payload }) => (payload ? [payload] : []));
  const answers = replies.values().map(({ payload }) => payload);
  const all = [...queued, ...answers];
  if (all.length > 0) await writeMarked(files, path, all, NOTHING);
  else await remove(files, path); // of an earlier try, after which the older program ran once more
}

/** Removes what the older format left. */
async function clean(files: Files, folder: string): Promise<void> {
  // A process that was killed may have written the format unsynced: nothing may go before it is durable.
  await syncFolder(files, folder);
  const users = join(folder, USERS);
  for (const id of await oldUserIds(files, folder)) await cleanUser(files, join(users, id));
  await syncFolder(files, users);
  for (const name of await files.readdir(folder)) {
    if (/^hellos-[0-9]+\.log$/.test(name)) await remove(files, join(folder, name));
  }
  await syncFolder(files, folder);
}

async function cleanUser(files: Files, own: string): Promise<void> {
  const names = await files.readdir(own);
  const isOld = (name: string): boolean => OLD_FILES.includes(name) || name.endsWith(TEMPORARY);
  for (const name of names) if (isOld(name)) await remove(files, join(own, name));
  await removeFolder(files, join(own, OLD_CONSENTS));
  if (names.every((name) => isOld(name) || name === OLD_CONSENTS)) {
    await files.rmdir(own); // an account that never was
  } else {
    await syncFolder(files, own); // also when all is gone: a process that was killed may have removed it unsynced
  }
}
