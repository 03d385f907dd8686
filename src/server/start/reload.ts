/** A reload: everything is read and checked first; then it counts, for new connections and old, and nobody is cut off. */
import type { OperatorLog } from '../../ops/log.js';
import { differences } from '../../settings/index.js';
import { daemonSchema, type DaemonSettings } from '../config.js';
import type { Mutable } from '../server.js';
import { freshCertificate } from './certificate.js';
import { listedKeys, servedClients, storeLimits, type Composed, type Undo } from './compose.js';
import { mailerOf } from './mail.js';

export interface Reloaded {
  /** names of settings (`table.key`) that count from now on */
  readonly changed: readonly string[];
  /** the same, from the next start on */
  readonly atStart: readonly string[];
}

/** @throws what a start throws; nothing has changed then */
export async function reload(
  running: Composed,
  before: DaemonSettings,
  next: DaemonSettings,
  log: OperatorLog,
  undo: Undo,
): Promise<Reloaded> {
  const differs = differences(daemonSchema, before.values, next.values);
  const isListed = await listedKeys(next, log);
  const mailer = next.mail && mailerOf(next.mail);
  running.listening.renew?.(freshCertificate(next, log));

  /* Else a reload would end what SIGUSR1 turned on. */
  if (differs.some((name) => name.startsWith('log.'))) log.configure(next.values.log);
  Object.assign(running.limits as Mutable<typeof running.limits>, next.limits, { window: running.limits.window });
  running.store.setLimits(storeLimits(running.limits));
  undo.unshift(() => mailer?.close()); // the former one ends what it has under way, and is closed at the stop too
  running.server.renew({
    registration: next.values.registration.who,
    clients: servedClients(next, running.linked),
    mailer,
    isListed,
    limitsDiffer: differs.some((name) => name.startsWith('limits.')),
  });
  return {
    changed: differs.filter((name) => !countsAtStart(name)),
    atStart: differs.filter(countsAtStart),
  };
}

function countsAtStart(name: string): boolean {
  const [table = '', key = ''] = name.split('.');
  const tables: Readonly<Record<string, Readonly<Record<string, { readonly atStart?: true }>>>> = daemonSchema;
  return tables[table]?.[key]?.atStart === true;
}
