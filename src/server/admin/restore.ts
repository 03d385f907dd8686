/** `cadenasd restore DIR`: a backup becomes the network's store. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { stamp } from '../../store/journal/layout.js';
import { restore } from '../../store/tools/restore.js';
import { readManifest, readSecrets, SECRETS_FILE } from '../../store/tools/manifest.js';
import { tellFindings } from './check.js';
import { alone, Exit, files, folderOf, locked, Mistake, Speech, table, type ExitCode, type Where } from './common.js';
import { compareSecrets } from './secrets.js';

export interface RestoreOptions {
  readonly replace?: boolean;
  readonly keys: string;
}

export async function runRestore(where: Where & RestoreOptions, directory: string): Promise<ExitCode> {
  const { network, replace } = where;
  const speech = new Speech(where);
  const folder = folderOf(where);
  const from = resolve(directory);
  if (!existsSync(from)) throw new Mistake(`${from} is not there — name a folder that cadenasd backup made`);
  const had = await readManifest(files, from);
  const secrets = had && (await readSecrets(files, from, had));
  const keys = secrets && compareSecrets(where, secrets); // before anything is touched
  speech.progress.begin('restoring');
  const now = Date.now();
  const aside = replace ? `${folder}.before-restore-${stamp(now)}` : undefined;
  const busy = `another restore works in ${dirname(folder)} — wait until it has ended`;
  const { manifest, damage, before } = await locked(dirname(folder), busy, () =>
    alone(folder, () => restore(files, { from, folder, network, aside, now }, speech.progress.report)),
  );
  if (damage.length > 0) {
    tellFindings(speech, damage);
    speech.say('result', { restored: false }, 'nothing was restored: the backup is damaged — take another one');
    return Exit.damaged;
  }
  const { time, accounts, rooms, messages, bytes, lsn } = manifest;
  const made = new Date(time).toISOString();
  speech.say(
    'restore',
    { folder, from, before: before ?? '', ...manifest },
    ...table({ store: folder, backup: from, made, accounts, rooms, messages, bytes, journal: `up to LSN ${lsn}` }),
    ...(before === undefined ? [] : [`The store that was there is now ${before}.`]),
    'Messages that were delivered since the backup come again (clients drop duplicates); what came since is lost.',
    'Who logged in since the backup has to log in again, and who registered since has no account.',
    ...tellKeys(where, from, keys),
    'The daemon answers two minutes after its start.',
  );
  return Exit.done;
}

/** @param found undefined: the backup has no secrets */
function tellKeys(
  { keys, network }: Where & RestoreOptions,
  from: string,
  found: 'same' | 'no keys' | undefined,
): string[] {
  const folder = join(keys, network);
  if (found === 'same') return [`The keys in ${folder} are those of its accounts.`];
  if (found === undefined)
    return [`The keys must be those of then: ${folder}; the backup has nothing to make them from.`];
  return [
    `There are no keys in ${folder}. Put your copy there; without one, make new keys for these accounts and link every client anew:`,
    `  cadenas-keys build --network ${network} --keys ${keys} --secrets ${join(from, SECRETS_FILE)}`,
  ];
}
