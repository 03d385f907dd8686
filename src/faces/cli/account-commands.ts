/** account: what concerns the account as a whole. */
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { checkPassphrase, Exit } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { adder, first, type Perform } from './commands.js';
import { checkFree, newPassphrase, readNamed, writeNew } from './compose.js';
import { secretsOf, type Run } from './run.js';
import { askNewPassphrase, askPassphrase } from './secrets.js';

const count = (many: number, one: string): string => `${String(many)} ${one}${many === 1 ? '' : 's'}`;

async function exportTo(run: Run, file: string): Promise<Exit> {
  const path = resolve(file);
  await run.profile.identity();
  await checkFree(path);
  const account = await run.profile.exported(await secretsOf(run)());
  const typed = await askNewPassphrase(run.given, run.prompter);
  const passphrase = typed ?? newPassphrase();
  await writeNew(path, await account.seal(passphrase));
  const { name, contacts, rooms, waiting, unread } = account;
  const lines = [
    `exported @${name} to ${plainLine(path)}: ${count(contacts, 'contact')}, ${count(rooms, 'room')}`,
    ...(typed === undefined
      ? [`the passphrase of the file: ${passphrase}`, 'note it now: nobody can give it to you again']
      : []),
    'texts are not in it, and nothing of what comes from now on: import it before you write or read on',
  ];
  const left = [
    ...(waiting > 0 ? [`${count(waiting, 'text')} of yours not sent yet`] : []),
    ...(unread > 0 ? [`${String(unread)} not read`] : []),
  ];
  if (left.length > 0) lines.push(`left behind: ${left.join(', ')}`);
  const row = { type: 'exported', name, file: path, contacts, rooms, waiting, unread };
  await run.output.print(typed === undefined ? { ...row, passphrase } : row, lines.join('\n'));
  return Exit.done;
}

async function importFrom(run: Run, file: string): Promise<Exit> {
  const bytes = await readNamed(resolve(file));
  const { name } = await run.profile.announced(bytes);
  const passphrase = await askPassphrase(run.given, run.prompter);
  checkPassphrase(passphrase);
  const { uid, network, contacts, rooms } = await run.profile.imported(bytes, passphrase);
  await run.output.print(
    { type: 'imported', name, uid, network, profile: run.profile.name, contacts, rooms },
    `@${name} is in profile ${run.profile.name}: ${count(contacts, 'contact')}, ${count(rooms, 'room')}`,
  );
  await run.output.say(
    'do not use the account on the former device any more: it would count messages as this one does\n' +
      'next: cadenas login, with the password and the words of the account',
  );
  return Exit.done;
}

export function addAccountCommands(program: Command, perform: Perform): void {
  const add = adder(program.command('account').description('your account as a whole'), perform);
  add('export <file>', 'write it, sealed, to a new file for another device', (run, args) => exportTo(run, first(args)));
  add('import <file>', 'take it from such a file into this profile, which is empty', (run, args) =>
    importFrom(run, first(args)),
  );
}
