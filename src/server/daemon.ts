/** cadenasd: from its command line to its end. */
import { readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { KeysRefusal } from '../keys/network.js';
import { goesToJournal } from '../ops/journald.js';
import { makeLog, type OperatorLog } from '../ops/log.js';
import { serviceManager, type ServiceManager } from '../ops/systemd/notify.js';
import { InheritedRefusal, takeSockets } from '../ops/systemd/sockets.js';
import { plainText } from '../plain/plain.js';
import { nearest, SettingMistake } from '../settings/index.js';
import { SocketRefusal } from '../local/refusal.js';
import { isSystemError } from '../store/journal/disk.js';
import { StorageError, StoreRefusal } from '../store/store.js';
import { BlocklistRefusal } from './blocklist.js';
import type { DaemonSettings } from './config.js';
import { STOP_MS } from './limits.js';
import { commandNames, isCommand, optionParser, settingsOf } from './options.js';
import type { Composed, Undo } from './start/compose.js';
import { Refusal } from './start/refusal.js';

/** What the operator can mend: it ends a start with exit code 1. */
const mendable = [
  Refusal,
  SettingMistake,
  KeysRefusal,
  StoreRefusal,
  BlocklistRefusal,
  SocketRefusal,
  InheritedRefusal,
];

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
  let settings: DaemonSettings;
  try {
    settings = settingsOf(parser.parse(argv, { from: 'user' }), process.env);
  } catch (error) {
    if (error instanceof SettingMistake) say(error.message);
    else if (!(error instanceof CommanderError)) throw error;
    else if (error.exitCode === 0)
      return 0; // help or version
    else say(`${wrongLine(error, parser)} — see cadenasd --help`);
    return 1;
  }
  process.umask(0o077); // a socket is nobody else’s before its mode is set
  const journald = goesToJournal(process.env['JOURNAL_STREAM']);
  const log = makeLog({ ...settings.values.log, journald }, (line) => process.stderr.write(line), Date.now);
  process.on('SIGUSR1', () => {
    log.toggleDebug();
  });
  const manager = serviceManager(process.env, process.pid, (why) => {
    log.warn('the service manager is told nothing', { why });
  });
  const undo: Undo = [() => manager.close()];
  try {
    const why = await serve(parser, settings, log, undo, manager);
    const deadline = setTimeout(() => {
      log.error('could not stop in time');
      process.exit(2);
    }, STOP_MS);
    await release(undo);
    clearTimeout(deadline);
    return why === 'failed' ? 2 : 0;
  } catch (error) {
    await release(undo);
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

/** Runs until a signal or the disk ends it. */
async function serve(
  parser: Command,
  settings: DaemonSettings,
  log: OperatorLog,
  undo: Undo,
  manager: ServiceManager,
): Promise<'signalled' | 'failed'> {
  const signalled = new Promise<string>((resolve) => {
    /* Not once: a terminal's Ctrl-C may arrive twice, and the second must not cut the stop short. */
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
    /* A terminal that is closed ends what was started in it; a service has none. */
    if (process.stdin.isTTY) process.on('SIGHUP', resolve);
  });
  const inherited = takeSockets(process.env, process.pid);
  /* Here, since a command that only asks a daemon needs none of it, and would be slow. */
  const { compose } = await import('./start/compose.js');
  const { Reloads } = await import('./start/reload.js');
  const reloads = new Reloads(settings, () => settingsOf(parser, process.env), log, undo);
  let hangUp = (): void => undefined; // during the start there is nothing to reload yet
  if (!process.stdin.isTTY)
    process.on('SIGHUP', () => {
      hangUp();
    });
  const setDebug = (on: boolean): void => {
    if (on !== log.isDebug) log.toggleDebug();
  };
  const able = { reload: reloads.reload, setDebug };
  const running = await compose(settings, log, undo, version, able, inherited);
  const { server } = running;
  process.stdout.write(`ready ${server.address}\n`);
  const status = (): string => `serving ${settings.values.daemon.network} on ${server.address}`;
  let isWell = true;
  manager.ready(status());
  manager.watch(() => isWell);
  logServing(settings, running, log);
  reloads.begin(running);
  hangUp = () => {
    manager.reloading();
    const reloaded = reloads.reload().catch(ignoreMendable);
    void reloaded.then(() => {
      manager.ready(status());
    });
  };
  const why = await Promise.race([signalled, running.operated.drained, running.store.failed]);
  isWell = typeof why === 'string';
  manager.stopping(isWell ? 'stopping' : 'the disk has failed: stopping');
  if (typeof why === 'string') {
    log.info('stopping', { signal: why });
    return 'signalled';
  }
  log.error('the disk has failed: stopping', { error: why.message });
  return 'failed';
}

/** The log has it; what is no mistake of the operator's ends the daemon. */
function ignoreMendable(error: unknown): void {
  if (!mendable.some((kind) => error instanceof kind)) throw error;
}

function logServing({ values }: DaemonSettings, { server }: Composed, log: OperatorLog): void {
  const { generations, clients, registration, mailer } = server.context;
  log.info('serving', {
    network: values.daemon.network,
    version,
    generations: generations.length,
    minBuild: clients.minBuild,
    software: clients.software.length,
    tables: clients.tables.length,
    registration,
    mail: mailer ? 'on' : 'off',
  });
}

async function release(undo: Undo): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

/** Says why a start failed. @returns the exit code */
function ended(error: unknown): number {
  if (mendable.some((kind) => error instanceof kind)) {
    say((error as Error).message);
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
