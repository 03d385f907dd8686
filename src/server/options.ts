/** The daemon's command line, and where its settings come from. */
import { Command } from 'commander';
import {
  addConfigOptions,
  addFlags,
  everySetting,
  nearest,
  saidOn,
  SettingMistake,
  sourcesOf,
  variableOf,
  type Program,
} from '../settings/index.js';
import { daemonSchema, daemonSettings, type DaemonSettings } from './config.js';
import { limitTable } from './limits.js';

/** What cadenasd does for an operator instead of serving: `admin/`. */
export const commands: Readonly<Record<string, string>> = {
  config: 'shows the settings that hold, checks them, or prints all defaults',
  check: 'looks at everything that the store keeps; the daemon may run',
  repair: 'puts what is sound of a damaged store in its place; the daemon must not run',
  'backup DIR': 'copies the store, while the daemon runs or not',
  'restore DIR': 'puts a backup in the place of a store; the daemon must not run',
  'export @USER': 'prints all that is kept about a user; the daemon may run',
  invite: 'draws codes that let somebody in to register; without a daemon it needs the keys',
  'audit [@USER]': 'prints unauthorised attempts, of one user or of all; the daemon may run',
  'delete @USER': 'deletes an account and all that is kept for it; the daemon must not run',
  status: 'how a daemon that runs is; --watch goes on',
  health: 'whether it is well, for probes: exit code 0 or 1',
  'user list': 'accounts of a daemon that runs',
  'user show @NAME': 'one of them',
  'user disable @NAME': 'nobody logs in as them any more; all stays',
  'user enable @NAME': 'they can log in again',
  'user delete @NAME': 'deletes an account of a daemon that runs, as its owner could',
  'room list': 'rooms of a daemon that runs',
  'room delete NAME': 'deletes one of them, as its owner could',
  'limits [NAME=NUMBER]': 'limits of a daemon that runs, or sets one until it ends or reloads',
  drain: 'lets nobody new in, waits until all have left, and stops the daemon',
  reload: 'has the daemon read its configuration anew',
  'debug on|off': 'has the daemon log more, or not',
  'completion SHELL': 'prints a script by which bash, zsh or fish completes what is typed',
  'install-service': 'writes the units of systemd, for this Node and this program, and makes their user',
  'uninstall-service': 'stops the service and removes its units; data, keys and configuration are left',
};

/** Their first words. */
export const commandNames: readonly string[] = [
  ...new Set(Object.keys(commands).map((syntax) => syntax.replace(/ .*/, ''))),
];

export function isCommand(argument: string | undefined): boolean {
  return argument !== undefined && commandNames.includes(argument);
}

/** The file that is read where none is named. */
export const CONFIG_FILE = '/etc/cadenas/cadenasd.toml';
export const PREFIX = 'CADENASD_';
const program: Program = { schema: daemonSchema, prefix: PREFIX, usualFiles: [CONFIG_FILE] };

/** Adds what every command and the daemon itself take. @param only names of settings (`table.key`); left out: all */
export function addSettingOptions(command: Command, only?: readonly string[]): Command {
  addFlags(command, daemonSchema, only);
  if (!only) command.option('--limit <name=number>', 'change a limit; may be repeated', gathered);
  return addConfigOptions(command, `${CONFIG_FILE} where it is there`);
}

const gathered = (typed: string, before: readonly string[] = []): string[] => [...before, typed];

/** Of a line; its file is read here. @throws SettingMistake */
export function settingsOf(command: Command, environment: NodeJS.ProcessEnv): DaemonSettings {
  const sources = sourcesOf(command, program, environment);
  return daemonSettings({ ...sources, flags: new Map([...(sources.flags ?? []), ...limitsOn(command)]) });
}

/**
 * Of a line that asks a daemon: where it names the socket itself, or the file is the usual one, a mistake that somebody
 * made in it since the daemon's start keeps nobody from asking. In a file that was named another network may stand.
 * @throws SettingMistake
 */
export function askingSettingsOf(command: Command, environment: NodeJS.ProcessEnv): DaemonSettings {
  try {
    return settingsOf(command, environment);
  } catch (error) {
    if (!(error instanceof SettingMistake)) throw error;
    const flags = saidOn(command, daemonSchema);
    const { config } = command.opts<{ readonly config?: string | boolean }>();
    const isNamed = typeof config === 'string' || Boolean(environment[`${PREFIX}CONFIG`]);
    const isOfUsualFile = !isNamed && error.message.startsWith(CONFIG_FILE);
    if (!isOfUsualFile && !flags.has('daemon.control'))
      throw new SettingMistake(`${error.message}, or ask by --control`);
    return daemonSettings({ flags });
  }
}

/** `--limit NAME=NUMBER`, one option for all limits. */
function limitsOn(command: Command): [string, { name: string; text: string }][] {
  const { limit = [] } = command.opts<{ readonly limit?: readonly string[] }>();
  return limit.map((typed) => {
    const [name = '', number = ''] = typed.split('=');
    if (!Object.hasOwn(limitTable, name)) {
      const near = nearest(name, Object.keys(limitTable));
      const advice = near === undefined ? 'cadenasd --help has all of them' : `did you mean "${near}"?`;
      throw new SettingMistake(`--limit: there is no limit ${name} — ${advice}`);
    }
    return [`limits.${name}`, { name: `--limit ${name}`, text: number }];
  });
}

export function optionParser(version: string): Command {
  const limits = Object.entries(limitTable).map(
    ([name, { value, what }]) => `  ${name.padEnd(25)}${String(value).padStart(8)}  ${what}`,
  );
  const others = everySetting(daemonSchema).filter(({ table, setting }) => table !== 'limits' && !setting.flags);
  const keys = others.map(({ table, key, setting }) => {
    const usual = setting.value === undefined ? '' : setting.write(setting.value);
    return `  ${`${table}.${key}`.padEnd(25)}${usual.padStart(8)}  ${setting.what}`;
  });
  const does = Object.entries(commands).map(([syntax, what]) => `  ${syntax.padEnd(24)}${what}`);
  return addSettingOptions(
    new Command('cadenasd')
      .description('The daemon of a Cadenas network: routes sealed messages, keeps what waits for somebody offline.')
      .version(version),
  )
    .addHelpText('after', `\nCommands instead of serving (cadenasd COMMAND --help):\n${does.join('\n')}\n`)
    .addHelpText(
      'after',
      `Settings that have no option: in the file, or as ${variableOf(PREFIX, 'table', 'key')} in the environment\n(cadenasd config --print-default tells all):\n${keys.join('\n')}\n`,
    )
    .addHelpText('after', `Limits (--limit, or [limits] in the file) and their defaults:\n${limits.join('\n')}\n`)
    .configureOutput({ writeErr: () => undefined }) // `main` tells it as one line
    .exitOverride()
    .allowExcessArguments(false);
}
