/** password and words: others in their place. */
import type { Command } from 'commander';
import { checkSecrets, Exit, type Secrets } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { codeField, withCode } from './codes.js';
import { adder, type Perform } from './commands.js';
import { newWords } from './compose.js';
import { secretsOf, withClient, type Run } from './run.js';
import { askNextPassword, askNextWords } from './secrets.js';

type What = 'password' | 'words';

async function change(run: Run, what: What): Promise<Exit> {
  const { name } = await run.profile.identity();
  const present = await secretsOf(run)();
  await run.profile.check(present);
  const work = async (client: Parameters<Parameters<typeof withClient>[2]>[0]): Promise<Exit> => {
    const next = { ...present, ...(await (what === 'password' ? newPassword(run) : newTypedWords(run))) };
    checkSecrets(next);
    await withCode(run, (code) => client.call('secrets-change', { present, next, ...codeField(code) }));
    const [verb, those] = what === 'password' ? ['is', 'it'] : ['are', 'them'];
    await run.output.print(
      { type: 'secrets', name, changed: what },
      `the ${what} of @${name} ${verb} changed: log in with ${those} from now on; other sessions of the account ended`,
    );
    return Exit.done;
  };
  return withClient(run, 'needed', work, () => Promise.resolve(present));
}

async function newPassword(run: Run): Promise<Partial<Secrets>> {
  return { password: await askNextPassword(run.given, run.prompter) };
}

/** Shown before the daemon is asked: with its answer lost, nothing but these may open the account. */
async function newTypedWords(run: Run): Promise<Partial<Secrets>> {
  const typed = await askNextWords(run.given, run.prompter);
  const words = typed ?? newWords();
  checkSecrets({ password: 'long enough', words });
  const human = `your three new words: ${plainLine(words)}\nnote them now: nobody can give them to you again`;
  if (typed === undefined) await run.output.print({ type: 'words', words }, human);
  else if (run.prompter.possible) await run.output.say(human);
  return { words };
}

export function addSecretsCommands(program: Command, perform: Perform): void {
  for (const [what, group, verb] of [
    ['password', 'your password', 'set another password'],
    ['words', 'your three words', 'set other words, chosen or drawn'],
  ] as const) {
    const add = adder(program.command(what).description(group), perform);
    add('change', verb, (run) => change(run, what));
  }
}
