/** `cadenas config`: the settings that hold, whether they can be used, and all defaults as a file. */
import type { Command } from 'commander';
import { Exit } from '../../client/index.js';
import { plainText } from '../../plain/plain.js';
import { defaultFile, settledFile, settledRows } from '../../settings/index.js';
import type { Perform } from './commands.js';
import type { Output } from './output.js';
import type { Run } from './run.js';
import { schemaOf } from './settings.js';

const title = [
  'Settings of cadenas, as they are where nothing is said: cadenas.toml in ~/.config/cadenas, or the file of --config.',
  'NETWORK.toml beside it goes in its place for the client of that network.',
  'An option of the command line goes before the environment (CADENAS_TABLE_KEY), that before this file.',
  'What is relative is seen from the folder of this file. Secrets have no place here.',
];

async function show(run: Run, schema: ReturnType<typeof schemaOf>, check = false): Promise<Exit> {
  const { output, settings } = run;
  if (check) {
    await run.given(); // the file of the secrets
    await run.profile.unfinished(); // the folders
    await output.print({ type: 'config', valid: true }, 'the settings can be used');
  } else {
    const human = plainText(settledFile(schema, settings), '').trimEnd();
    await output.print({ type: 'config', settings: settledRows(schema, settings) }, human);
  }
  return Exit.done;
}

/** @param output for what is told without the settings that hold, which may be wrong */
export function addConfigCommand(
  program: Command,
  linked: Parameters<typeof schemaOf>[0],
  perform: Perform,
  output: Output,
): void {
  const schema = schemaOf(linked);
  program
    .command('config')
    .description('the settings that hold, and where each was said')
    .option('--check', 'look whether they can be used')
    .option('--print-default', 'print a file of all defaults, with what each means')
    .allowExcessArguments(false)
    .action(async (options: { readonly check?: boolean; readonly printDefault?: boolean }, command: Command) => {
      if (!options.printDefault) return perform(command, (run) => show(run, schema, options.check));
      const file = defaultFile(schema, title);
      return output.print({ type: 'config', file }, file.trimEnd());
    });
}
