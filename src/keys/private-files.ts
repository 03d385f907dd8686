/** Files that their owner alone may touch: folders 0700, files 0600, no symbolic links. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KeysRefusal } from './refusal.js';

/** No file of a network is longer, in bytes. */
const FILE_MAX = 64 * 1024;

/** The errno name of a system error, or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function checkOwner(path: string, stats: Stats, widest: number): void {
  const own = process.geteuid?.();
  if (own !== undefined && stats.uid !== own)
    throw new KeysRefusal(`${path} belongs to another user; change its owner to the one that runs this program`);
  if ((stats.mode & 0o777 & ~widest) !== 0) {
    const [has, want] = [stats.mode & 0o777, widest].map((mode) => mode.toString(8).padStart(4, '0'));
    throw new KeysRefusal(`${path} is open to others (${String(has)}); close it with: chmod ${String(want)} ${path}`);
  }
}

/** @throws KeysRefusal where it is missing, a symbolic link, no folder, of another owner, or wider than 0700 */
export function checkPrivateFolder(path: string, ifMissing: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) throw new KeysRefusal(`${path} does not exist; ${ifMissing}`);
  if (stats.isSymbolicLink()) throw new KeysRefusal(`${path} is a symbolic link; name the folder itself`);
  if (!stats.isDirectory()) throw new KeysRefusal(`${path} is not a folder; name a network's folder`);
  checkOwner(path, stats, 0o700);
}

/**
 * What a private file holds; undefined where there is none.
 * @param otherwise what to do where it is no such file
 * @throws KeysRefusal as for folders, wider than 0600
 */
export function readPrivateFile(
  path: string,
  otherwise = 'restore it from the backup of the keys',
): Buffer | undefined {
  return readChecked(path, otherwise, (stats) => {
    checkOwner(path, stats, 0o600);
  });
}

/**
 * What a credential holds; undefined where there is none. A service manager that is root makes them: they are its own or
 * the service's, and their bits of the group are the mask of an access list, by which the service reads them.
 * @throws KeysRefusal as for private files, wider than 0640
 */
export function readCredential(path: string): Buffer | undefined {
  return readChecked(path, 'hand it over anew', (stats) => {
    const isKnown = stats.uid === 0 || stats.uid === process.geteuid?.();
    if (!isKnown) throw new KeysRefusal(`${path} belongs to another user; have the service manager hand it over`);
    if ((stats.mode & 0o777 & ~0o640) !== 0)
      throw new KeysRefusal(`${path} is open to others; have the service manager hand it over`);
  });
}

function readChecked(path: string, otherwise: string, check: (stats: Stats) => void): Buffer | undefined {
  let file: number;
  try {
    // O_NOFOLLOW, and everything is asked of the open file: nobody can exchange it in between.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (errorCode(error) === 'ELOOP') throw new KeysRefusal(`${path} is a symbolic link; put the file itself there`);
    throw error;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new KeysRefusal(`${path} is not a file; ${otherwise}`);
    check(stats);
    if (stats.size > FILE_MAX) throw new KeysRefusal(`${path} is longer than 64 KiB; ${otherwise}`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes a file that must not be there yet, synced; its name is synced with the folder. The mode is exact. */
export function writeNewFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  const file = openSync(path, 'wx', mode);
  try {
    fchmodSync(file, mode); // whatever the umask is
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    // A write may be short without an error.
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Puts a file in its place at once: the old bytes or the new, never a mixture. */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = temporaryBeside(path);
  try {
    writeNewFile(temporary, content, mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** A free name in the same folder, so that a rename is within one file system. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);
}

/** Whether `temporaryBeside` gave this name. */
export function isTemporary(name: string): boolean {
  return /^\.[0-9a-f]{16}\.tmp$/.test(name);
}

export function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
