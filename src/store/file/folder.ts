/** The folder of a store: whether it may be opened, its format, and what is in it. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';
import type { Disk } from './disk.js';
import { ensureFolder, exists, remove, replaceFile, TEMPORARY } from './durable.js';
import { parseDocument } from './document.js';
import { folderFormat } from './formats.js';

const FORMAT = 1;
const FORMAT_FILE = 'format.json';

/**
 * Whether the folder holds a store already; false where it is not there or empty. Touches nothing.
 * @throws StoreRefusal where it can't be opened as it is
 */
export async function inspectFolder(folder: string): Promise<boolean> {
  if (!(await exists(folder))) return false;
  const found = await lstat(folder);
  if (found.isSymbolicLink()) throw new StoreRefusal(`${folder} is a symbolic link: name the folder itself`);
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
  return inspectFormat(folder);
}

async function inspectFormat(folder: string): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => name !== FORMAT_FILE + TEMPORARY);
  if (names.length === 0) return false;
  const file = join(folder, FORMAT_FILE);
  if (!names.includes(FORMAT_FILE)) {
    throw new StoreRefusal(
      `${folder} is not empty and holds no ${FORMAT_FILE}: name an empty folder, or restore a backup`,
    );
  }
  const format = parseDocument(file, await readFile(file), folderFormat)?.format ?? 0;
  if (format > FORMAT) {
    throw new StoreRefusal(
      `${folder} has format ${format}, this program reads up to ${FORMAT}: install a newer Cadenas`,
    );
  }
  if (format !== FORMAT) throw new StoreRefusal(`${file} names no format that ever was: restore it from a backup`);
  return true;
}

/** Makes an empty store of a folder that `inspectFolder` found absent or empty. */
export async function makeFolder(folder: string, disk: Disk): Promise<void> {
  await ensureFolder(folder);
  await replaceFile(disk, join(folder, FORMAT_FILE), utf8(JSON.stringify({ format: FORMAT }) + '\n'));
}

/** Removes what replacements that never finished left in this folder. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(TEMPORARY)) await remove(join(folder, name));
  }
}
