/** `cadenasd backup DIR`: a copy of the store, while the daemon runs or not. */
import { join, relative, resolve } from 'node:path';
import { backup } from '../../store/tools/backup.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { secretsForBackup } from './secrets.js';
import { beside, Exit, files, folderOf, Mistake, Speech, table, type ExitCode, type Where } from './common.js';

export interface BackupOptions {
  readonly keys: string;
  readonly withoutSecrets?: boolean;
}

export async function runBackup(where: Where & BackupOptions, directory: string, version: string): Promise<ExitCode> {
  const { network } = where;
  const speech = new Speech(where);
  const folder = folderOf(where);
  const to = resolve(directory);
  await inspectStore(files, folder);
  if (!relative(folder, to).startsWith('..')) throw new Mistake(`${to} lies in the store — name a folder elsewhere`);
  const secrets = where.withoutSecrets ? undefined : await secretsForBackup(where);
  speech.progress.begin('backing up');
  const task = { folder, to, network, version, now: Date.now, secrets };
  const made = await beside(folder, () => backup(files, task, speech.progress.report));
  const { accounts, rooms, messages, bytes, lsn } = made;
  speech.say(
    'backup',
    { folder: to, ...made },
    ...table({ backup: to, network, accounts, rooms, messages, bytes, journal: `up to LSN ${lsn}` }),
    ...(secrets
      ? [
          'OPAQUE setup and decoy secret are in it: whoever steals it can guess passwords. Keep it encrypted.',
          `The other keys are not: with a copy of ${join(where.keys, network)}, apart from this, no client has to be linked anew.`,
        ]
      : [
          `Without the OPAQUE setup in ${join(where.keys, network)} nobody can log in: keep a copy of it, apart from this.`,
        ]),
  );
  return Exit.done;
}
