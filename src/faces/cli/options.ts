/** Options that every command takes, anywhere on the line. */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Endpoint } from '../../client/index.js';
import { mistake } from './failure.js';

export interface GlobalOptions {
  readonly json: boolean;
  readonly profile: string;
  readonly home: string;
  readonly server: Endpoint;
  readonly allowInvalidCert: boolean;
  readonly disableSsl: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  readonly plain: boolean;
  readonly theme?: 'dark' | 'light';
  readonly secretsFile?: string;
  readonly secretsFd?: number;
}

const DEFAULT_SERVER = '127.0.0.1:7878';

function endpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535)
    throw new InvalidArgumentError('write HOST:PORT, for example 127.0.0.1:7878 or [::1]:7878.');
  return { host: match[1] ?? match[2] ?? '', port };
}

/** As it is written on the line. */
export function serverText({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** What the next command has to say again to mean the same profile and daemon. @param usualHome where the line names none */
export function sameAgain({ profile, server, home }: GlobalOptions, usualHome: string | undefined): string[] {
  const at = serverText(server);
  return [
    ...(home === usualHome ? [] : ['--home', /^[\w./-]+$/.test(home) ? home : `'${home.replaceAll("'", "'\\''")}'`]),
    ...(profile === 'default' ? [] : ['--profile', profile]),
    ...(at === DEFAULT_SERVER ? [] : ['--server', at]),
  ];
}

function descriptor(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('write the number of an open descriptor.');
  return Number(text);
}

export function seconds(text: string): number {
  if (!/^\d{1,7}(?:\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError('write a number of seconds.');
  return Number(text);
}

export function addGlobalOptions(program: Command): Command {
  return program
    .option('--json', 'one JSON object a line (docs/cli.md)', false)
    .option('--profile <name>', 'which of your profiles', 'default')
    .option('--home <dir>', 'folder of the profiles (default: cadenas in $XDG_DATA_HOME)')
    .addOption(
      new Option('--server <host:port>', 'the daemon')
        .argParser(endpoint)
        .default(endpoint(DEFAULT_SERVER), DEFAULT_SERVER),
    )
    .option('--allow-invalid-cert', 'accept any TLS certificate', false)
    .option('--disable-ssl', 'no TLS around the frames, which stay encrypted', false)
    .option('--secrets-file <file>', 'JSON with password and words, 0600')
    .option('--secrets-fd <number>', 'the same from an open descriptor', descriptor)
    .option('--plain', 'lines that are only added, in the place of a screen: for screen readers', false)
    .option('--no-color', 'without colours; so does NO_COLOR')
    .addOption(new Option('--theme <ground>', 'colours for a dark or a light ground').choices(['dark', 'light']))
    .option('--debug', 'log to stderr', false);
}

/** @param home folder of the profiles where the line names none */
export function readGlobalOptions(command: Command, usualHome: string | undefined): GlobalOptions {
  const options = command.optsWithGlobals<Omit<GlobalOptions, 'home'> & { home?: string }>();
  const home = options.home ?? usualHome;
  if (home === undefined) throw mistake('home', 'nothing names your home folder', 'set HOME, or use --home DIR');
  return { ...options, home: resolve(home) };
}
