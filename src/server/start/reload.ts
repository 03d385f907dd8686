/** A reload: everything is read and checked first; then it counts, for new connections and old, and nobody is cut off. */
import type { OperatorLog } from '../../ops/log.js';
import { differences } from '../../settings/index.js';
import { daemonSchema, type DaemonSettings } from '../config.js';
import { freshCertificate } from './certificate.js';
import { listedKeys, servedClients, type Composed, type Undo } from './compose.js';
import { mailerOf } from './mail.js';

interface Reloaded {
  /** names of settings (`table.key`) that count from now on */
  readonly changed: readonly string[];
  /** the same of what the daemon was started with otherwise: it counts from the next start on */
  readonly atStart: readonly string[];
}

/** @param started the settings of the start, @param before those that hold. @throws what a start throws; nothing has changed then */
async function apply(
  running: Composed,
  started: DaemonSettings,
  before: DaemonSettings,
  next: DaemonSettings,
  log: OperatorLog,
  undo: Undo,
): Promise<Reloaded> {
  /* Limits that an operator set meanwhile go back too. */
  const holding = { ...before.values, limits: { ...running.server.context.limits } };
  const isListed = await listedKeys(next, log);
  const mailer = next.mail && mailerOf(next.mail);
  running.listening.renew?.(freshCertificate(next, started, log));

  undo.unshift(() => mailer?.close()); // the former one ends what it has under way, and is closed at the stop too
  running.server.renew({
    registration: next.values.registration.who,
    clients: servedClients(next, running.linked),
    mailer,
    isListed,
    limits: next.limits,
  });
  log.configure(next.values.log);
  return {
    changed: differences(daemonSchema, holding, next.values).filter((name) => !countsAtStart(name)),
    atStart: differences(daemonSchema, started.values, next.values).filter(countsAtStart),
  };
}

function countsAtStart(name: string): boolean {
  const [table = '', key = ''] = name.split('.');
  const tables: Readonly<Record<string, Readonly<Record<string, { readonly atStart?: true }>>>> = daemonSchema;
  return tables[table]?.[key]?.atStart === true;
}

/** Reloads one after another, whoever asks; a mistake leaves everything as it is. */
export class Reloads {
  readonly #log: OperatorLog;
  readonly #undo: Undo;
  readonly #read: () => DaemonSettings;
  readonly #first: DaemonSettings;
  #settings: DaemonSettings;
  #running: Composed | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param read what the line, the environment and the file say now */
  constructor(first: DaemonSettings, read: () => DaemonSettings, log: OperatorLog, undo: Undo) {
    this.#first = first;
    this.#settings = first;
    this.#read = read;
    this.#log = log;
    this.#undo = undo;
  }

  /** Before it there is nothing to reload. */
  begin(running: Composed): void {
    this.#running = running;
  }

  /** @throws what a start throws */
  readonly reload = (): Promise<Reloaded> => {
    const reloaded = this.#last.then(() => this.#once());
    this.#last = reloaded.catch(() => undefined); // whoever asked is told
    return reloaded;
  };

  async #once(): Promise<Reloaded> {
    if (!this.#running) return { changed: [], atStart: [] };
    try {
      const next = this.#read();
      const reloaded = await apply(this.#running, this.#first, this.#settings, next, this.#log, this.#undo);
      const { changed, atStart } = reloaded;
      this.#settings = next;
      const later = atStart.length > 0 ? { atStart: atStart.join(' ') } : {};
      this.#log.info('reloaded', { changed: changed.join(' '), ...later });
      return reloaded;
    } catch (error) {
      this.#log.error('not reloaded: everything stays as it is', { error: (error as Error).message });
      throw error;
    }
  }
}
