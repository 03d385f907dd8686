/** Where the settings of a line come from: the file that it names or that is usual, the environment, its options. */
import type { Command } from 'commander';
import { saidOn } from './flags.js';
import type { Schema } from './setting.js';
import type { Sources } from './settle.js';
import { readTomlFile, readTomlFileIfThere, type TomlFile } from './toml-file.js';

export interface Program {
  readonly schema: Schema;
  /** of its variables in the environment, as `CADENASD_`; CONFIG behind it names the file */
  readonly prefix: string;
  /** variables with that prefix that others read */
  readonly others?: readonly string[];
  /** looked for where no file is named; the first that is there counts */
  readonly usualFiles: readonly string[];
  /** its file is one person's: nobody else may own or write it */
  readonly isPersonal?: boolean;
}

/** @param usual the file that counts where none is named, for people */
export function addConfigOptions(command: Command, usual: string): Command {
  return command
    .option('--config <file>', `TOML file of settings; an option of the line goes before it (default: ${usual})`)
    .option('--no-config', 'reads no such file');
}

/** Reads the file. @param command where the options stand. @throws SettingMistake */
export function sourcesOf(command: Command, program: Program, environment: NodeJS.ProcessEnv): Sources {
  const { schema, prefix, others = [] } = program;
  const named = `${prefix}CONFIG`;
  return {
    file: fileOf(command, program, environment[named]),
    environment: { prefix, others: [named, ...others], values: environment },
    flags: saidOn(command, schema),
  };
}

function fileOf(
  command: Command,
  { usualFiles, isPersonal = false }: Program,
  variable: string | undefined,
): TomlFile | undefined {
  const { config = true } = command.opts<{ readonly config?: string | boolean }>();
  if (config === false) return undefined;
  const named = typeof config === 'string' ? config : variable;
  if (named !== undefined && named !== '') return readTomlFile(named, isPersonal);
  for (const path of usualFiles) {
    const file = readTomlFileIfThere(path, isPersonal);
    if (file) return file;
  }
  return undefined;
}
