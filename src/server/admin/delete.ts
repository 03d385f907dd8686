/** `cadenasd delete @USER`: an account, and all that is kept for it, leaves the disk. */
import { erase, findDoomed } from '../../store/tools/erase.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { idBytes } from '../../store/journal/records.js';
import { hex } from '../../../protocol/index.js';
import {
  alone,
  confirm,
  count,
  Exit,
  files,
  folderOf,
  Speech,
  unknownUser,
  userName,
  type ExitCode,
  type Where,
} from './common.js';

export interface DeleteOptions {
  readonly yes?: boolean;
}

export async function runDelete(where: Where & DeleteOptions, typed: string): Promise<ExitCode> {
  const name = userName(typed);
  const folder = folderOf(where);
  await inspectStore(files, folder);
  return alone(folder, () => eraseNamed(where, folder, name), `use cadenasd user delete @${name}, or stop it first`);
}

async function eraseNamed(where: Where & DeleteOptions, folder: string, name: string): Promise<ExitCode> {
  const speech = new Speech(where);
  const doomed = await findDoomed(files, folder, name);
  if (!doomed) throw unknownUser(name, folder);
  const { messages, rooms } = doomed;
  const what = `${count(messages, 'message')} that wait for them and ${count(rooms, 'room')} of theirs`;
  await confirm(`Delete @${name} with ${what} for good?`, where.yes);
  await erase(files, folder, doomed, Date.now, (note) => {
    speech.say('note', { what: note }, `note       ${note}`);
  });
  const uid = hex(idBytes(doomed.uid));
  speech.say(
    'deleted',
    { name, uid, messages, rooms },
    `deleted @${name} (${uid}) with ${what}`,
    'Nothing of the account is left in this store, and its name is free. Backups that were made before still hold it,',
    'and so do the devices of those who talked with them; messages to others that wait are theirs.',
  );
  return Exit.done;
}
