/** Steps after which a change of files and folders survives a power cut. */
import { chmod, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StorageError } from '../store.js';
import { errorCode, type Disk, type DiskFile } from './disk.js';

export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;
/** A temporary stands beside its file; what bears this ending at open is an orphan. */
export const TEMPORARY = '.tmp';

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder of mode 0700 with the parents that it lacks, each entered durably; one that is there stays as it is. */
export async function ensureFolder(folder: string): Promise<void> {
  if (await exists(folder)) return;
  const parent = dirname(folder);
  await ensureFolder(parent);
  await mkdir(folder, { mode: FOLDER_MODE });
  await chmod(folder, FOLDER_MODE); // whatever the umask
  await syncFolder(parent);
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Writes all of it: a write may be short without an error. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten <= 0) throw new Error('a write wrote nothing');
    done += bytesWritten;
  }
}

/** A sync that must not be tried again, even if it failed for want of room: what it covered is in doubt. */
export async function finalSync(path: string, sync: Promise<void>): Promise<void> {
  try {
    await sync;
  } catch (error) {
    const reason = errorCode(error) ?? 'unknown error';
    throw new StorageError(`${path}: a sync failed (${reason}); check the disk, then restart`, false, error);
  }
}

/**
 * Syncs these logs of a folder and its names. After a process was killed, what it wrote last is seen by
 * the next one but may be in the kernel's memory alone: it must not be vouched for before this.
 */
export async function settleFolder(disk: Disk, folder: string, logs: readonly string[]): Promise<void> {
  try {
    for (const log of logs) {
      const file = await disk.open(join(folder, log), 'r+');
      await finalSync(folder, file.datasync()).finally(() => file.close());
    }
    await inFolder(disk, folder, (syncName) => syncName());
  } catch (error) {
    throw disk.failure(folder, error);
  }
}

/** Hands over a way to sync the folder, opened beforehand: once a name is changed, only the disk itself may fail. */
export async function inFolder<T>(
  disk: Disk,
  folder: string,
  work: (sync: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const handle = await disk.open(folder, 'r');
  try {
    return await work(() => finalSync(folder, handle.sync()));
  } finally {
    await handle.close();
  }
}

/**
 * Puts a file of mode 0600 with these bytes in the place of `path`, whole or not at all.
 * Calls for one path must not overlap. Resolves with the open file when it is durable.
 */
export function replaceOpen(disk: Disk, path: string, bytes: Uint8Array): Promise<DiskFile> {
  return inFolder(disk, dirname(path), (syncName) => replace(disk, path, bytes, syncName));
}

async function replace(disk: Disk, path: string, bytes: Uint8Array, syncName: () => Promise<void>): Promise<DiskFile> {
  const temporary = path + TEMPORARY;
  const file = await disk.open(temporary, 'w', FILE_MODE);
  try {
    await file.chmod(FILE_MODE); // whatever the umask
    await writeAll(file, bytes, 0);
    await file.sync();
    await rename(temporary, path);
    await syncName();
    return file;
  } catch (error) {
    await file.close();
    await remove(temporary);
    throw error;
  }
}

export async function replaceFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await replaceOpen(disk, path, bytes);
  await file.close();
}

/** Removes a file, if it is there. */
export async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
