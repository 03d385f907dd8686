/** Options that every command takes, anywhere on the line. */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { LinkedNetwork } from '../../../protocol/index.js';
import type { Endpoint } from '../../client/index.js';
import { mistake } from './failure.js';
import { hostPortText } from '../../settings/index.js';
import { addSettingOptions, warningOf, type ClientSettings } from './settings.js';

export interface GlobalOptions {
  readonly json: boolean;
  readonly profile: string;
  readonly home: string;
  readonly server: Endpoint;
  readonly allowInvalidCert: boolean;
  readonly disableSsl: boolean;
  readonly debug: boolean;
  readonly screen: ClientSettings['values']['screen'];
  readonly secretsFile: string | undefined;
  readonly secretsFd: number | undefined;
  /** said at each start, plain */
  readonly warning: string | undefined;
}

/** What the next command has to say again to mean the same profile and daemon. @param usualHome where nothing names one */
export function sameAgain(program: Command, settings: ClientSettings, usualHome: string | undefined): string[] {
  const { config } = program.opts<{ readonly config?: string | boolean }>();
  const [said, unsaid] = [settings.values.client, settings.unsaid.client];
  const [home, otherHome] = [said.home ?? usualHome, unsaid.home ?? usualHome].map((each) => each && resolve(each));
  const server = hostPortText(said.server);
  return [
    ...(config === false ? ['--no-config'] : []),
    ...(typeof config === 'string' ? ['--config', quoted(config)] : []),
    ...(home === undefined || home === otherHome ? [] : ['--home', quoted(home)]),
    ...(said.profile === unsaid.profile ? [] : ['--profile', said.profile]),
    ...(server === hostPortText(unsaid.server) ? [] : ['--server', server]),
  ];
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function descriptor(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('write the number of an open descriptor.');
  return Number(text);
}

export function seconds(text: string): number {
  if (!/^\d{1,7}(?:\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError('write a number of seconds.');
  return Number(text);
}

export function addGlobalOptions(program: Command, linked: Pick<LinkedNetwork, 'network' | 'server'>): Command {
  program.option('--json', 'one JSON object a line');
  return addSettingOptions(program, linked).option(
    '--secrets-fd <number>',
    'the same as --secrets-file from an open descriptor',
    descriptor,
  );
}

/** @param usualHome folder of the profiles where nothing names one */
export function globalOptions(
  program: Command,
  settings: ClientSettings,
  usualHome: string | undefined,
): GlobalOptions {
  const { json = false, secretsFd } = program.opts<{ readonly json?: boolean; readonly secretsFd?: number }>();
  const { client, tls, screen } = settings.values;
  const home = client.home ?? usualHome;
  if (home === undefined) throw mistake('home', 'nothing names your home folder', 'set HOME, or use --home DIR');
  return {
    json,
    profile: client.profile,
    home: resolve(home),
    server: client.server,
    allowInvalidCert: tls['allow-invalid-cert'],
    disableSsl: !tls.on,
    debug: client.debug,
    screen,
    secretsFile: client['secrets-file'],
    secretsFd,
    warning: warningOf(settings),
  };
}
