/** recover, account renew-keys, account delete: an account's keys, and its end. */
import type { Command } from 'commander';
import { toName } from '../../../protocol/index.js';
import {
  begunOtherwise,
  checkSecrets,
  ClientError,
  error,
  Exit,
  type Client,
  type Secrets,
} from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { freeProfile, untilEnded } from './account.js';
import { codeField, connectCore, withCode } from './codes.js';
import { adder, first, type Perform } from './commands.js';
import { newWords } from './compose.js';
import { mistake } from './failure.js';
import { secretsOf, withClient, type Run } from './run.js';
import { askRecovery } from './secrets.js';

/** The process that owns the profile ends within this, in ms. */
const END_WAIT_MS = 5_000;

async function recover(run: Run, typed: string): Promise<Exit> {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  await freeProfile(run, name);
  const given = await askRecovery(run.given, run.prompter);
  if (given.words === undefined && (await run.profile.unfinished()) === name) throw begunOtherwise(name, 'wrong-words');
  const drawn = given.words === undefined ? newWords() : undefined;
  const secrets = { password: given.password, words: given.words ?? drawn ?? '' };
  checkSecrets(secrets);
  /* Before the daemon is asked: with its answer lost, nothing but these words opens the account. */
  const human = `your three new words: ${plainLine(secrets.words)}\nnote them now: nobody can give them to you again`;
  if (drawn !== undefined) await run.output.print({ type: 'words', words: drawn }, human);
  else if (run.prompter.possible) await run.output.say(human);
  const opened = await run.profile.recover(name, given.code, secrets);
  try {
    const { uid, network } = await opened.client.call('status', {});
    const row = { type: 'recovered', name, uid, network, profile: run.profile.name };
    await run.output.print(
      drawn === undefined ? row : { ...row, words: drawn },
      `@${name} is yours again on network ${plainLine(network)}, with new keys and no second factor`,
    );
    await run.output.say(
      'the code is used up. Your contacts are told and see a warning; they write to you again once they have compared your new keys\n' +
        'next: cadenas login, then cadenas add @somebody for each of them, and enter your rooms again',
    );
  } finally {
    await opened.close();
  }
  return Exit.done;
}

async function renewKeys(run: Run): Promise<Exit> {
  const { name } = await run.profile.identity();
  const secrets = await secretsOf(run)();
  const work = async (client: Client): Promise<Exit> => {
    await withCode(run, (code) => client.call('renew-keys', { ...secrets, ...codeField(code) }));
    const { fingerprint } = await client.call('status', {});
    await run.output.print({ type: 'renewed', name, fingerprint }, `@${name} has new keys`);
    await run.output.say(
      'contacts who compared the former ones have to compare these: cadenas verify @you on their side. You have left all rooms: enter them again',
    );
    return Exit.done;
  };
  return withClient(run, 'needed', work, () => Promise.resolve(secrets));
}

async function deleteAccount(run: Run, yes: boolean): Promise<Exit> {
  const { name } = await run.profile.identity();
  if (!yes) await sure(run, name);
  const secrets = await secretsOf(run)();
  if (!(await wasDeleted(run, secrets))) await askTheDaemon(run, secrets);
  await run.profile.erase();
  await run.output.print(
    { type: 'account-gone', name, profile: run.profile.name },
    `the account @${name} is deleted, and its profile removed from this disk`,
  );
  return Exit.done;
}

async function sure({ prompter }: Run, name: string): Promise<void> {
  if (!prompter.possible) throw mistake('unsure', 'this deletes the account for good', 'say --yes if that is meant');
  try {
    const typed = await prompter.visible(`Type @${name} to delete the account for good: `);
    if (toName(typed) !== name) throw mistake('unsure', 'another name was typed', 'nothing was deleted');
  } finally {
    prompter.close();
  }
}

/** It was asked before, and the daemon knows nobody of the name any more. */
async function wasDeleted(run: Run, secrets: Secrets): Promise<boolean> {
  if (!(await run.profile.isDeleting())) return false;
  const opened = await run.profile.open(() => Promise.resolve(secrets), false);
  try {
    if (opened.core) await connectCore(run, opened.core);
    return false;
  } catch (thrown) {
    if (thrown instanceof ClientError && thrown.code === 'login-refused') return true;
    throw thrown;
  } finally {
    await opened.close();
  }
}

function askTheDaemon(run: Run, secrets: Secrets): Promise<Exit> {
  const work = async (client: Client): Promise<Exit> => {
    const unneeded = new AbortController();
    const over = untilEnded(client, Date.now() + END_WAIT_MS, AbortSignal.any([run.host.signal, unneeded.signal]));
    try {
      await withCode(run, (code) => client.call('delete-account', { ...secrets, ...codeField(code) }));
      await over;
    } finally {
      unneeded.abort();
    }
    return Exit.done;
  };
  return withClient(run, 'needed', work, () => Promise.resolve(secrets));
}

export function addKeysCommands(program: Command, perform: Perform): void {
  const add = adder(program, perform);
  add('recover <@name>', 'an account whose keys are lost, by a recovery code and its password', (run, args) =>
    recover(run, first(args)),
  );
  const group = program.commands.find((one) => one.name() === 'account');
  const addOwn = adder(group ?? program.command('account').description('your account as a whole'), perform);
  addOwn('renew-keys', 'new keys, signed with the present ones', (run) => renewKeys(run));
  addOwn('delete', 'delete the account for good', (run, _args, options) =>
    deleteAccount(run, options['yes'] === true),
  ).option('--yes', 'do not ask');
}
