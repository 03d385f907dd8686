/** The folder of a store: whether it may be opened, its format, and what is in a new one. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import { makeIndex } from './checkpoint.js';
import { errorCode, type Disk, type Facts, type Files } from './disk.js';
import { ensureFolder, exists, makeFolder, readWhole, remove, replaceFile, syncFolder, TEMPORARY } from './durable.js';
import { folderFormat, fromFile, toFile, type FolderFormat } from './formats.js';
import { beginHellos } from './hellos.js';
import { FORMAT_FILE, journalFolder, ROOMS, USERS } from './layout.js';
import { makeJournal } from './open-journal.js';
import { FILE_HEADER } from './record-format.js';

export const FORMAT = 4;
/** Files and records of these are read as they are. */
export const SAME_FILES: readonly number[] = [2, 3];
/** From this one on a store has these folders. */
const FIRST_WITH_JOURNAL = 2;

/**
 * The format of the store in this folder; undefined where the folder is not there or empty. Touches nothing.
 * @throws StoreRefusal where it can't be opened as it is
 */
export async function inspectFolder(files: Files, folder: string): Promise<FolderFormat | undefined> {
  if (!(await exists(files, folder))) return undefined;
  await inspectOwn(files, folder);
  const names = (await files.readdir(folder)).filter((name) => name !== FORMAT_FILE + TEMPORARY);
  if (names.length === 0) return undefined;
  const format = await readFormat(files, folder);
  if (!format && names.every((name) => UNFINISHED.has(name)) && (await holdsNothing(files, folder))) return undefined;
  if (!format) {
    throw new StoreRefusal(
      `${folder} is not empty and holds no ${FORMAT_FILE}: name an empty folder, or restore a backup`,
    );
  }
  if (format.format >= FIRST_WITH_JOURNAL && !format.begun) {
    for (const name of [USERS, ROOMS, 'journal']) await inspectOwn(files, join(folder, name));
  }
  return format;
}

/** What a new store consists of before its format is written: where that is missing, its making was cut short. */
const UNFINISHED: ReadonlySet<string> = new Set([
  USERS,
  ROOMS,
  'journal',
  'index',
  'hellos',
  'index.tmp',
  'hellos.tmp',
]);

/** No user, no room, and no record in the journal. */
async function holdsNothing(files: Files, folder: string): Promise<boolean> {
  const all: string[] = [];
  for (const part of [join(folder, USERS), join(folder, ROOMS), journalFolder(folder)]) {
    if (await exists(files, part)) for (const name of await files.readdir(part)) all.push(join(part, name));
  }
  const [first, ...others] = all;
  if (first === undefined) return true;
  return (
    others.length === 0 && first.startsWith(journalFolder(folder)) && (await files.lstat(first)).size <= FILE_HEADER
  );
}

/** @throws StoreRefusal where the folder is not this user's alone */
export async function inspectOwn(files: Files, folder: string): Promise<void> {
  let found: Facts;
  try {
    found = await files.lstat(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new StoreRefusal(`${folder} is not there: restore a backup`);
  }
  if (found.isSymbolicLink()) {
    throw new StoreRefusal(`${folder} is a symbolic link: name the folder itself, or put it in the place of the link`);
  }
  if (!found.isDirectory()) throw new StoreRefusal(`${folder} is no folder: name another, or move the file away`);
  const user = process.getuid?.();
  if (user !== undefined && found.uid !== user) {
    throw new StoreRefusal(
      `${folder} belongs to user ${found.uid}, not to ${user} who runs this: chown -R ${user} ${folder}`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new StoreRefusal(`${folder} has mode ${mode}, open to others: chmod 700 ${folder}`);
  }
}

async function readFormat(files: Files, folder: string): Promise<FolderFormat | undefined> {
  const path = join(folder, FORMAT_FILE);
  const bytes = await readWhole(files, path);
  if (!bytes) return undefined;
  const found = fromFile(folderFormat, bytes);
  if (!found) throw new StoreRefusal(`${path} is damaged: restore it from a backup`);
  if (found.format > FORMAT) {
    throw new StoreRefusal(
      `${folder} has format ${found.format}, this program reads up to ${FORMAT}: install a newer Cadenas`,
    );
  }
  if (found.format < 1) throw new StoreRefusal(`${path} names no format that ever was: restore it from a backup`);
  return found;
}

/** Makes an empty store of a folder that `inspectFolder` found absent, empty or unfinished. The format comes last. */
export async function makeStore(disk: Disk, folder: string, now: number): Promise<void> {
  const { files } = disk;
  await ensureFolder(files, folder);
  for (const path of [join(folder, USERS), join(folder, ROOMS), journalFolder(folder)]) await makeFolder(files, path);
  await makeJournal(journalFolder(folder), disk);
  await makeIndex(files, folder);
  await beginHellos(files, folder, now, true);
  await syncFolder(files, folder);
  await writeFormat(files, folder, { format: FORMAT });
}

export function writeFormat(files: Files, folder: string, format: FolderFormat): Promise<void> {
  return replaceFile(files, join(folder, FORMAT_FILE), toFile(folderFormat, format));
}

/** Removes what replacements that never finished left in this folder. */
export async function removeTemporaries(files: Files, folder: string): Promise<void> {
  for (const name of await files.readdir(folder)) {
    if (name.endsWith(TEMPORARY)) await remove(files, join(folder, name));
  }
}
