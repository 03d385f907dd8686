/** Whether this is a store that the commands of an operator can work on, however damaged. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { Files } from '../journal/disk.js';
import { exists, readWhole } from '../journal/durable.js';
import { FORMAT, SAME_FILES } from '../journal/folder.js';
import { folderFormat, fromFile } from '../journal/formats.js';
import { FORMAT_FILE } from '../journal/layout.js';
import { damage, type Finding } from './reader.js';

/**
 * What is wrong with the file that names the format. Modes and the rest are for `check` to tell.
 * @param readsOnly a store of an older format will do where its files can be read as they are
 * @throws StoreRefusal where there is no store, or one of another user, program or format
 */
export async function inspectStore(files: Files, folder: string, readsOnly = false): Promise<Finding[]> {
  if (!(await exists(files, folder))) throw new StoreRefusal(`${folder} is not there: check --data and --network`);
  const own = await files.lstat(folder);
  if (!own.isDirectory() || own.isSymbolicLink())
    throw new StoreRefusal(`${folder} is no folder: check --data and --network`);
  const user = process.getuid?.();
  if (user !== undefined && own.uid !== user)
    throw new StoreRefusal(`${folder} belongs to user ${own.uid}, not to ${user}: run this as the user of the daemon`);
  if ((await files.readdir(folder)).length === 0)
    throw new StoreRefusal(`${folder} is empty: check --data and --network`);
  return inspectFormat(files, folder, readsOnly);
}

async function inspectFormat(files: Files, folder: string, readsOnly: boolean): Promise<Finding[]> {
  const path = join(folder, FORMAT_FILE);
  const bytes = await readWhole(files, path);
  if (!bytes) return [damage(path, 'is lost')];
  const format = fromFile(folderFormat, bytes);
  if (!format) return [damage(path, 'is damaged')];
  if (format.format > FORMAT)
    throw new StoreRefusal(`${folder} has format ${format.format}, newer than this program: install a newer Cadenas`);
  const isOlder = format.format < FORMAT && !(readsOnly && SAME_FILES.includes(format.format));
  if (isOlder || format.from !== undefined)
    throw new StoreRefusal(
      `${folder} has format ${format.from ?? format.format}: start the daemon once, it brings it up`,
    );
  return [];
}
