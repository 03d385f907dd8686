/** `cadenasd export @USER`: all that is kept about a user, for who is concerned. */
import { dirname, resolve } from 'node:path';
import { fingerprint } from '../../../protocol/index.js';
import { nodeSync } from '../../crypto/index.js';
import { exists, syncFolder, writeNew } from '../../store/journal/durable.js';
import { exportUser } from '../../store/tools/export.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { beside, Exit, files, folderOf, Mistake, unknownUser, userName, type ExitCode, type Where } from './common.js';

export interface ExportOptions {
  readonly out?: string;
}

export async function runExport(where: Where & ExportOptions, typed: string): Promise<ExitCode> {
  const name = userName(typed);
  const folder = folderOf(where);
  const out = where.out === undefined ? undefined : resolve(where.out);
  if (out !== undefined && (await exists(files, out))) throw new Mistake(`${out} is there already — name a new file`);
  await inspectStore(files, folder);
  const all = await beside(folder, () => exportUser(files, folder, name, (keys) => fingerprint(nodeSync, keys)));
  if (!all) throw unknownUser(name, folder);
  const text = `${JSON.stringify(all, undefined, 2)}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return Exit.done;
  }
  await writeNew(files, out, Buffer.from(text));
  await syncFolder(files, dirname(out));
  return Exit.done;
}
