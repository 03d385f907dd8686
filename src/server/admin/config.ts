/** `cadenasd config`: the settings that hold, whether they can be used, and all defaults as a file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultFile, settledFile, settledRows } from '../../settings/index.js';
import { readBlocklist } from '../blocklist.js';
import { nodeSync } from '../../crypto/index.js';
import { plainText } from '../../plain/plain.js';
import { daemonSchema, type DaemonSettings } from '../config.js';
import { CONFIG_FILE, settingsOf } from '../options.js';
import { checkNamedCertificate } from '../start/certificate.js';
import { mailerOf } from '../start/mail.js';
import { Exit, Mistake, Speech, type ExitCode } from './common.js';

export interface ConfigOptions {
  readonly check?: boolean;
  readonly printDefault?: boolean;
  readonly json?: boolean;
}

const title = [
  `Settings of cadenasd, as they are where nothing is said: ${CONFIG_FILE}, or the file of --config.`,
  'An option of the command line goes before the environment (CADENASD_TABLE_KEY), that before this file.',
  'What is relative is seen from the folder of this file.',
];

/** @throws SettingMistake; with --check what a start throws for files that are named */
export async function runConfig(command: Command, options: ConfigOptions): Promise<ExitCode> {
  if (options.printDefault) {
    process.stdout.write(defaultFile(daemonSchema, title));
    return Exit.done;
  }
  const settings = settingsOf(command, process.env);
  const speech = new Speech(options);
  if (options.check) {
    await checkFiles(settings);
    speech.say('config', { valid: true }, 'the settings can be used');
  } else if (options.json) speech.say('config', { settings: settledRows(daemonSchema, settings) });
  else process.stdout.write(plainText(settledFile(daemonSchema, settings), ''));
  return Exit.done;
}

/** What the settings name. @throws as a start does */
async function checkFiles(settings: DaemonSettings): Promise<void> {
  checkNamedCertificate(settings);
  if (settings.mail) mailerOf(settings.mail).close();
  const { blocklist } = settings.values.daemon;
  if (blocklist !== undefined) await readBlocklist(blocklist, nodeSync);
  const { keys, network } = settings.values.daemon;
  const folder = join(keys, network);
  if (!existsSync(folder))
    throw new Mistake(
      `${folder} does not exist: network ${network} has no keys there — check network and keys, or run: cadenas-keys build`,
    );
}
