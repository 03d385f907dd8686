/** The daemon's command line. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { isName } from '../../protocol/index.js';
import { configHelp } from './config.js';
import { limitTable, withLimit, type Limits } from './limits.js';

/** What cadenasd does for an operator instead of serving: `admin/`. */
export const commands: Readonly<Record<string, string>> = {
  check: 'looks at everything that the store keeps; the daemon may run',
  repair: 'puts what is sound of a damaged store in its place; the daemon must not run',
  'backup DIR': 'copies the store, while the daemon runs or not',
  'restore DIR': 'puts a backup in the place of a store; the daemon must not run',
  'export @USER': 'prints all that is kept about a user; the daemon may run',
  invite: 'draws codes that let somebody in to register; needs the keys alone',
  'audit [@USER]': 'prints unauthorised attempts, of one user or of all; the daemon may run',
  'delete @USER': 'deletes an account and all that is kept for it; the daemon must not run',
};

export function isCommand(argument: string | undefined): boolean {
  return Object.keys(commands).some((syntax) => syntax.split(' ')[0] === argument);
}

export interface Options {
  readonly network: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly data: string;
  readonly keys: string;
  readonly disableSsl: boolean;
  readonly certPath?: string;
  readonly keyPath?: string;
  readonly generateDefaultCert: boolean;
  /** undefined: the build with which the keys were made */
  readonly minBuild?: number;
  /** hexadecimal */
  readonly acceptSoftware: readonly string[];
  readonly acceptTable: readonly string[];
  /** path of a list of compromised keys */
  readonly blocklist?: string;
  /** name of the room that is offered to everybody */
  readonly lobby?: string;
  readonly debug: boolean;
  /** the configuration file */
  readonly config?: string;
  /** as the line has them; what it does not name has its value elsewhere */
  readonly limits: Partial<Limits>;
}

function endpoint(text: string): Options['listen'] {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw new InvalidArgumentError('write HOST:PORT, for example 127.0.0.1:7878 or [::1]:7878.');
  return { host: match[1] ?? match[2] ?? '', port };
}

/** @throws InvalidArgumentError where no network can have this name */
export function networkName(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(text))
    throw new InvalidArgumentError('a network name begins with a letter and has only a-z, 0-9 and -, 32 at most.');
  return text;
}

function roomName(text: string): string {
  if (!isName(text))
    throw new InvalidArgumentError('a room’s name begins with a letter and has only a-z, 0-9 and _, 3 to 32 of them.');
  return text;
}

function build(text: string): number {
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number >= 2 ** 32)
    throw new InvalidArgumentError('write the build number, as cadenas --version shows it.');
  return number;
}

function hexes(length: number) {
  return (text: string, before: readonly string[]): string[] => {
    if (!new RegExp(`^[0-9a-f]{${String(length)}}$`).test(text))
      throw new InvalidArgumentError(`write ${String(length)} of 0-9 and a-f, as cadenas --version shows them.`);
    return [...before, text];
  };
}

function limit(text: string, before: Partial<Limits>): Partial<Limits> {
  try {
    return withLimit(before, text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

export function optionParser(version: string): Command {
  const names = Object.entries(limitTable).map(
    ([name, { value, what }]) => `  ${name.padEnd(25)}${String(value).padStart(8)}  ${what}`,
  );
  const does = Object.entries(commands).map(([syntax, what]) => `  ${syntax.padEnd(24)}${what}`);
  return new Command('cadenasd')
    .description('The daemon of a Cadenas network: routes sealed messages, keeps what waits for somebody offline.')
    .version(version)
    .option('--network <name>', 'the network to serve', networkName, 'dev')
    .addOption(
      new Option('--listen <host:port>', 'where to listen; port 0 takes a free one')
        .argParser(endpoint)
        .default({ host: '127.0.0.1', port: 7878 }, '127.0.0.1:7878'),
    )
    .option('--config <file>', 'TOML file with what stands below; an option of the line goes before it')
    .option('--data <dir>', 'folder of the data; the network has its own folder in it', 'data')
    .option('--keys <dir>', 'folder of the keys; the network has its own folder in it', 'keys')
    .option('--disable-ssl', 'plain TCP: no TLS around the frames, which stay encrypted', false)
    .option('--cert-path <file>', 'PEM certificate for TLS instead of the network’s own')
    .option('--key-path <file>', 'PEM private key of that certificate')
    .option(
      '--generate-default-cert',
      'make the network’s TLS certificate if it has none; clients must be linked again',
      false,
    )
    .addOption(
      new Option(
        '--min-build <number>',
        'oldest build of clients that is served (default: the first of the minor version before this one)',
      ).argParser(build),
    )
    .option('--accept-software <hex>', 'serve clients of this software id too; may be repeated', hexes(32), [])
    .option('--accept-table <hex>', 'serve clients of this older opcode table too; may be repeated', hexes(64), [])
    .addOption(
      new Option('--limit <name=number>', 'change a limit; may be repeated').argParser(limit).default({}, 'see below'),
    )
    .option('--lobby <name>', 'offer this room to everybody: you can read what is said in it', roomName)
    .option('--blocklist <file>', 'refuse these keys: SHA-256 of SubjectPublicKeyInfo (DER), one in a line')
    .option('--debug', 'log more', false)
    .addHelpText('after', `\nCommands instead of serving (cadenasd COMMAND --help):\n${does.join('\n')}\n`)
    .addHelpText(
      'after',
      `Tables and keys of the configuration file, and their defaults:\n${configHelp().join('\n')}\n`,
    )
    .addHelpText('after', `Limits (--limit, or [limits] in the file) and their defaults:\n${names.join('\n')}\n`)
    .configureOutput({ writeErr: () => undefined }) // `main` tells it as one line
    .exitOverride()
    .allowExcessArguments(false);
}

/** commander's names to ours. */
export function readOptions(parser: Command): Options {
  const { limit: limits, ...rest } = parser.opts<Omit<Options, 'limits'> & { limit: Partial<Limits> }>();
  return { ...rest, limits };
}
