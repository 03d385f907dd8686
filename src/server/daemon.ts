/** cadenasd: its command line, and how it ended. What serves is loaded only where it does: most commands ask, and shortly. */
import { readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { plainText } from '../plain/plain.js';
import { nearest, SettingMistake } from '../settings/index.js';
import { isSystemError } from '../store/journal/disk.js';
import { StorageError } from '../store/store.js';
import type { DaemonSettings } from './config.js';
import { commandNames, isCommand, optionParser, settingsOf } from './options.js';
import { isMendable } from './start/mendable.js';
import { takeSignals } from './start/signals.js';

const version = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** One line for the operator, whatever a path or an argument holds; a stack keeps its own. */
function say(text: string): void {
  process.stderr.write(`cadenasd: ${plainText(text, '')}\n`);
}

/** @returns the exit code: 0 stopped by a signal, 1 the operator can mend it, 2 the disk failed, or unexpected */
export async function main(typed: readonly string[]): Promise<number> {
  const argv = typed[0] === 'help' ? [...typed.slice(1).filter(isCommand), '--help'] : typed;
  if (isCommand(argv[0])) return (await import('./admin/admin.js')).main(argv, version);
  const parser = optionParser(version);
  const again = (): DaemonSettings => settingsOf(parser, process.env);
  let settings: DaemonSettings;
  try {
    parser.parse(argv, { from: 'user' });
    settings = again();
  } catch (error) {
    if (error instanceof SettingMistake) say(error.message);
    else if (!(error instanceof CommanderError)) throw error;
    else if (error.exitCode === 0)
      return 0; // help or version
    else say(`${wrongLine(error, parser)} — see cadenasd --help`);
    return 1;
  }
  const signals = takeSignals();
  try {
    const { run } = await import('./start/run.js');
    return await run({ settings, again, signals, version });
  } catch (error) {
    return ended(error);
  }
}

/** @param word what stands where the daemon itself takes nothing */
function wrongWord(word: string): string {
  if (isCommand(word)) return `${word} comes first, its options behind it: cadenasd ${word} …`;
  const near = nearest(word, commandNames);
  return `unknown command ${word}${near === undefined ? '' : ` (Did you mean ${near}?)`}`;
}

function wrongLine(error: CommanderError, parser: Command): string {
  const isMuch = error.code === 'commander.excessArguments';
  const said = isMuch ? wrongWord(parser.args[0] ?? '') : error.message;
  return said
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll('\n', ' ');
}

/** Says why a start failed. @returns the exit code */
function ended(error: unknown): number {
  if (isMendable(error)) {
    say(error.message);
    return 1;
  }
  if (error instanceof StorageError || isSystemError(error)) {
    const { message } = error as Error;
    say(`${message.replaceAll('\n', ' ')} — check the path, its permissions and the disk`);
    return 2;
  }
  say(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 2;
}
