/** Steps after which a change of files and folders survives a power cut. */
import { dirname } from 'node:path';
import { StorageError } from '../store.js';
import { errorCode, type DiskFile, type Files } from './disk.js';

export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;
/** A temporary stands beside its file; it is made anew by the next replacement. */
export const TEMPORARY = '.tmp';

export async function syncFolder(files: Files, folder: string): Promise<void> {
  await inFolder(files, folder, (sync) => sync());
}

/** Makes a folder of mode 0700 with the parents that it lacks, each entered durably; one that is there stays as it is. */
export async function ensureFolder(files: Files, folder: string): Promise<void> {
  const parent = dirname(folder);
  if (parent === folder) return;
  await ensureFolder(files, parent);
  if (!(await exists(files, folder))) await makeFolder(files, folder);
  try {
    await syncFolder(files, parent); // also where an earlier try made the folder and was killed
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error; // a folder of others: this user made nothing in it
  }
}

/** The caller syncs the folder above. One that is there already stays. */
export async function makeFolder(files: Files, folder: string): Promise<void> {
  try {
    await files.mkdir(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  await files.chmod(folder, FOLDER_MODE); // whatever the umask
}

export async function exists(files: Files, path: string): Promise<boolean> {
  try {
    await files.lstat(path);
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

/** Bytes of the file from `position` on; fewer than `length` where it ends before. */
export async function readAt(file: DiskFile, position: number, length: number): Promise<Uint8Array> {
  const out = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(out, done, length - done, position + done);
    if (bytesRead <= 0) break;
    done += bytesRead;
  }
  return out.subarray(0, done);
}

/** The file's bytes; undefined where there is no file. */
export async function readWhole(files: Files, path: string): Promise<Uint8Array | undefined> {
  const file = await openExisting(files, path, 'r');
  if (!file) return undefined;
  try {
    return await readAt(file, 0, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** undefined where there is no file. */
export async function openExisting(files: Files, path: string, flags: 'r' | 'r+'): Promise<DiskFile | undefined> {
  try {
    return await files.open(path, flags);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
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

/** Hands over a way to sync the folder, opened beforehand: once a name is changed, only the disk itself may fail. */
export async function inFolder<T>(
  files: Files,
  folder: string,
  work: (sync: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const handle = await files.open(folder, 'r');
  try {
    return await work(() => finalSync(folder, handle.sync()));
  } finally {
    await handle.close();
  }
}

/**
 * Puts a file of mode 0600 with these bytes in the place of `path`, whole or not at all, and durably.
 * Calls for one path must not overlap.
 */
export function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  return inFolder(files, dirname(path), async (syncName) => {
    const temporary = path + TEMPORARY;
    try {
      await writeNew(files, temporary, bytes);
      await files.rename(temporary, path);
      await syncName();
    } catch (error) {
      await remove(files, temporary);
      throw error;
    }
  });
}

/** A file of mode 0600 with these bytes, synced; its name is the caller's to sync. */
export async function writeNew(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.open(path, 'w', FILE_MODE);
  try {
    await file.chmod(FILE_MODE); // whatever the umask
    await writeAll(file, bytes, 0);
    await finalSync(path, file.sync());
  } finally {
    await file.close();
  }
}

/** Removes a file, if it is there. The caller syncs the folder. */
export async function remove(files: Files, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes a folder of files, if it is there; false where it is not. The caller syncs the folder above. */
export async function removeFolder(files: Files, folder: string): Promise<boolean> {
  if (!(await exists(files, folder))) return false;
  for (const name of await files.readdir(folder)) await files.unlink(`${folder}/${name}`);
  await files.rmdir(folder);
  return true;
}
