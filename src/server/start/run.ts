/** The daemon's life: from its settings until a signal, a drain or the disk ends it. */
import { goesToJournal } from '../../ops/journald.js';
import { makeLog, type OperatorLog } from '../../ops/log.js';
import { serviceManager, type ServiceManager } from '../../ops/systemd/notify.js';
import { takeSockets } from '../../ops/systemd/sockets.js';
import type { StorageError } from '../../store/store.js';
import type { DaemonSettings } from '../config.js';
import { STOP_MS } from '../limits.js';
import { compose, type Composed, type Undo } from './compose.js';
import { Reloads } from './reload.js';
import type { Signals } from './signals.js';

export interface Started {
  readonly settings: DaemonSettings;
  /** What line, environment and file say now. @throws SettingMistake */
  readonly again: () => DaemonSettings;
  readonly signals: Signals;
  readonly version: string;
}

/**
 * @returns the exit code: 0 stopped by a signal or a drain, 2 the disk failed
 * @throws why the start or the stop failed; what had begun has ended then
 */
export async function run(started: Started): Promise<number> {
  const { settings, again, signals } = started;
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
  const reloads = new Reloads(settings, again, log, undo);
  try {
    const running = await begin(started, reloads, log, undo);
    const why = await serve(running, reloads, signals, manager);
    if (typeof why === 'string') log.info('stopping', { signal: why });
    else log.error('the disk has failed: stopping', { error: why.message });
    await release(undo, log);
    return typeof why === 'string' ? 0 : 2;
  } catch (error) {
    await release(undo, log).catch((failure: unknown) => {
      log.error('not all that had begun could be ended', { error: String(failure) });
    });
    throw error;
  }
}

async function begin(
  { settings, version }: Started,
  reloads: Reloads,
  log: OperatorLog,
  undo: Undo,
): Promise<Composed> {
  const setDebug = (on: boolean): void => {
    if (on !== log.isDebug) log.toggleDebug();
  };
  const inherited = takeSockets(process.env, process.pid);
  const running = await compose(settings, log, undo, version, { reload: reloads.reload, setDebug }, inherited);
  const { address, context } = running.server;
  process.stdout.write(`ready ${address}\n`);
  log.info('serving', {
    network: context.network,
    version,
    generations: context.generations.length,
    minBuild: context.clients.minBuild,
    software: context.clients.software.length,
    tables: context.clients.tables.length,
    registration: context.registration,
    mail: context.mailer ? 'on' : 'off',
  });
  reloads.begin(running);
  return running;
}

/** @returns who asked for the end, or what of the disk failed */
async function serve(
  { server, operated, store }: Composed,
  reloads: Reloads,
  signals: Signals,
  manager: ServiceManager,
): Promise<string | StorageError> {
  const status = `serving ${server.context.network} on ${server.address}`;
  let [isServing, isWell] = [true, true];
  manager.ready(status);
  manager.watch(() => isWell);
  signals.hangUp = () => {
    manager.reloading();
    const reloaded = reloads.reload().catch(() => undefined); // the log has it, and all is as it was
    void reloaded.then(() => {
      if (isServing) manager.ready(status);
    });
  };
  const why = await Promise.race([signals.end, operated.drained, store.failed]);
  isServing = false;
  isWell = typeof why === 'string';
  signals.hangUp = () => undefined;
  manager.stopping(isWell ? 'stopping' : 'the disk has failed: stopping');
  return why;
}

/** The newest first; a step that fails holds none of the others up. @throws what failed first */
async function release(undo: Undo, log: OperatorLog): Promise<void> {
  const deadline = setTimeout(() => {
    log.error('could not stop in time');
    process.exit(2);
  }, STOP_MS);
  const failures: unknown[] = [];
  for (let step = undo.pop(); step; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  clearTimeout(deadline);
  if (failures.length > 0) throw failures[0];
}
