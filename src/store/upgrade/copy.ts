/**
 * The copy of an older store that an upgrade leaves beside it, whole and synced before anything is changed: who has to go
 * back has it. It gets its name last, so that what has that name is whole; one that a kill cut short is begun anew, and
 * one that is there already is made once.
 */
import { basename, dirname, join } from 'node:path';
import { StorageError, StoreRefusal } from '../store.js';
import { errorCode, type Files } from '../journal/disk.js';
import { exists, readWhole, syncFolder, TEMPORARY } from '../journal/durable.js';
import { HOLD_FILE } from '../journal/hold.js';
import { stamp } from '../journal/layout.js';
import { copyTree, namesIn, removeTree } from '../tools/trees.js';

/** What a file or folder takes on a disk, in bytes, and what it is rounded up to. */
const BLOCK = 4096;
const MIB = 1024 * 1024;

/** HELLOs: whoever goes back to the copy must not vouch for what was seen since. The audit is no part of the store. */
const LEFT_OUT: ReadonlySet<string> = new Set([HOLD_FILE, 'hellos', 'audit']);
const isWanted = (name: string): boolean => !LEFT_OUT.has(name) && !name.endsWith(TEMPORARY);

/**
 * @param format of the store
 * @param now ms since 1970
 * @param onNote told before a copy is made, which may take a while
 * @returns where the copy is
 * @throws StoreRefusal where there is no room or no place for it: nothing of it is left then, and the store is as it was
 */
export async function keepCopy(
  files: Files,
  folder: string,
  format: number,
  now: number,
  onNote: (what: string) => void,
): Promise<string> {
  const parent = dirname(folder);
  const label = `${folder}.before-upgrade-${format}-`;
  const making = `${folder}.before-upgrade.unfinished`;
  const made = await findCopy(files, folder, label);
  if (made !== undefined) {
    await syncFolder(files, parent); // it may have been named by a process that was killed before it synced that
    return made;
  }
  const to = label + stamp(now);
  if (await exists(files, to)) throw new StoreRefusal(`${to} is there already: move it away`);
  const mib = Math.ceil((await bytesOf(files, folder)) / MIB);
  onNote(`${folder} has format ${format}: before it is upgraded it is copied to ${to} (${mib} MiB)`);
  try {
    await removeTree(files, making);
    await copyTree(files, folder, making, isWanted);
    await files.rename(making, to);
  } catch (error) {
    const why = whyNot(error);
    if (why === undefined) throw error;
    await removeTree(files, making);
    throw new StoreRefusal(
      `${parent} ${why} for the copy that is made before an upgrade, which takes ${mib} MiB: make room there for it`,
    );
  }
  await syncFolder(files, parent);
  return to;
}

/** What is wrong with the place, where the operator can mend that. A sync that failed says so by its cause. */
function whyNot(error: unknown): string | undefined {
  const code = errorCode(error instanceof StorageError ? error.cause : error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'has no room';
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? `can't be written to (${code})` : undefined;
}

/** A copy of the store as it is now, made by a process that was killed right behind it. */
async function findCopy(files: Files, folder: string, label: string): Promise<string | undefined> {
  for (const name of await files.readdir(dirname(folder))) {
    const copy = join(dirname(folder), name);
    if (name.startsWith(basename(label)) && (await isCopy(files, folder, copy))) return copy;
  }
  return undefined;
}

async function isCopy(files: Files, folder: string, copy: string): Promise<boolean> {
  if (!(await files.lstat(copy)).isDirectory()) return false;
  const names = (await namesIn(files, folder, isWanted)).sort();
  const there = (await files.readdir(copy)).sort();
  if (names.join('/') !== there.join('/')) return false;
  for (const name of names) {
    const [path, other] = [join(folder, name), join(copy, name)];
    const isFolder = (await files.lstat(path)).isDirectory();
    if (isFolder !== (await files.lstat(other)).isDirectory()) return false;
    if (!(await (isFolder ? isCopy(files, path, other) : isSameFile(files, path, other)))) return false;
  }
  return true;
}

async function isSameFile(files: Files, path: string, other: string): Promise<boolean> {
  if ((await files.lstat(path)).size !== (await files.lstat(other)).size) return false;
  const [one, two] = [await readWhole(files, path), await readWhole(files, other)];
  return one !== undefined && two !== undefined && Buffer.compare(one, two) === 0;
}

/** What a copy takes on the disk, about. */
async function bytesOf(files: Files, folder: string): Promise<number> {
  let sum = BLOCK;
  for (const name of await namesIn(files, folder, isWanted)) {
    const path = join(folder, name);
    const found = await files.lstat(path);
    sum += found.isDirectory() ? await bytesOf(files, path) : BLOCK * Math.ceil(found.size / BLOCK);
  }
  return sum;
}
