/** Folders with all that is in them. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { Files } from '../journal/disk.js';
import { someAtOnce } from '../journal/at-once.js';
import { ensureFolder, exists, makeFolder, readWhole, syncFolder, writeNew } from '../journal/durable.js';

/** Removes it, if it is there. The caller syncs the folder above. */
export async function removeTree(files: Files, path: string): Promise<void> {
  if (!(await exists(files, path))) return;
  const found = await files.lstat(path);
  if (!found.isDirectory() || found.isSymbolicLink()) {
    await files.unlink(path);
    return;
  }
  await emptyFolder(files, path);
  await files.rmdir(path);
}

export async function emptyFolder(files: Files, path: string): Promise<void> {
  for (const name of await files.readdir(path)) await removeTree(files, join(path, name));
}

/** Makes the folder, durably, or takes an empty one that is there, and closes it to others. @throws StoreRefusal where it is in use */
export async function takeEmptyFolder(files: Files, path: string): Promise<void> {
  if (await exists(files, path)) {
    const found = await files.lstat(path);
    const isFolder = found.isDirectory() && !found.isSymbolicLink();
    if (!isFolder || (await files.readdir(path)).length > 0)
      throw new StoreRefusal(`${path} is there already: name a new folder`);
    await files.chmod(path, 0o700);
  }
  await ensureFolder(files, path);
}

/**
 * The names of files and folders in a folder. What else lies there is not the store's: a link, a pipe that would be waited
 * for, the socket of a daemon that was killed.
 */
export async function namesIn(files: Files, folder: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await files.readdir(folder)).filter(isWanted)) {
    const found = await files.lstat(join(folder, name));
    if (found.isDirectory() || found.isFile()) names.push(name);
  }
  return names;
}

/**
 * Copies all files of a folder durably, mode 0600 in folders of mode 0700; the caller syncs the folder above.
 * What is neither file nor folder stays behind. A copy that was cut short is made whole by the next one.
 * @param isWanted says of each name whether it goes along
 */
export async function copyTree(
  files: Files,
  from: string,
  to: string,
  isWanted: (name: string) => boolean = () => true,
  onFile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await makeFolder(files, to);
  await someAtOnce(await namesIn(files, from, isWanted), async (name) => {
    const path = join(from, name);
    if ((await files.lstat(path)).isDirectory()) await copyTree(files, path, join(to, name), isWanted, onFile);
    else {
      const bytes = await readWhole(files, path);
      if (bytes) await writeNew(files, join(to, name), bytes);
      await onFile();
    }
  });
  await syncFolder(files, to);
}

/** Files in a folder and in those below. */
export async function countFiles(files: Files, folder: string): Promise<number> {
  let count = 0;
  for (const name of await files.readdir(folder)) {
    const path = join(folder, name);
    count += (await files.lstat(path)).isDirectory() ? await countFiles(files, path) : 1;
  }
  return count;
}
