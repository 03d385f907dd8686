/** Composition: the one place of the daemon that names concrete stores, transports and providers. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromHex, HELLO_WINDOW_MS, utf8, type RsaPrivate, type ServerKeys } from '../../../protocol/index.js';
import { nodeSync, passwordServer } from '../../crypto/index.js';
import {
  ensureTlsCertificate,
  loadNetwork,
  wipe,
  type GenerationFiles,
  type NetworkFiles,
} from '../../keys/network.js';
import { thisProgram } from '../../keys/program.js';
import { auditFileIn } from '../../ops/audit-file.js';
import { takeLock } from '../../ops/instance-lock.js';
import type { OperatorLog } from '../../ops/log.js';
import { nodeFiles } from '../../store/journal/disk.js';
import { ensureFolder } from '../../store/journal/durable.js';
import { openJournalStore, type JournalStore } from '../../store/journal/journal-store.js';
import { checkSetup, keepSetup } from '../../store/journal/setup.js';
import type { Store } from '../../store/store.js';
import { withSources, type AuditFile } from '../audit.js';
import { readBlocklist, type IsListed } from '../blocklist.js';
import { Budgets } from '../budgets.js';
import type { ServedClients } from '../clients.js';
import type { DaemonSettings } from '../config.js';
import { controlPath } from '../control-path.js';
import { SeenHellos } from '../gate.js';
import type { Limits } from '../limits.js';
import { storeLimits } from '../live-limits.js';
import type { Log } from '../log.js';
import { Pool, type PooledPrivate } from '../pool.js';
import { Refusals } from '../refusals.js';
import { oldestServed, releases } from '../releases.js';
import { Server } from '../server.js';
import { listen, type Listening } from './listening.js';
import { mailerOf } from './mail.js';
import { operate, type Able, type Operated } from './operating.js';
import { Refusal } from './refusal.js';

/** What has to be released, in the order of its making. */
export type Undo = (() => unknown)[];

/** A daemon that runs, and what a reload takes hold of. */
export interface Composed {
  readonly server: Server;
  readonly store: Store;
  readonly listening: Listening;
  readonly operated: Operated;
  /** what the keys say of clients, which stays as it was at the start */
  readonly linked: Pick<NetworkFiles, 'software'>;
}

/**
 * @param undo gets what has to be released, whether the start succeeds or not
 * @param able what an operator may ask of it besides
 * @param inherited descriptors of sockets that are served in the place of [daemon] listen
 */
export async function compose(
  settings: DaemonSettings,
  log: OperatorLog,
  undo: Undo,
  version: string,
  able: Able,
  inherited: readonly number[],
): Promise<Composed> {
  const { daemon, tls, registration, metrics } = settings.values;
  const { limits } = settings;
  const mailer = settings.mail && mailerOf(settings.mail);
  undo.push(() => mailer?.close());
  const keysFolder = join(daemon.keys, daemon.network);
  const credentials = process.env['CREDENTIALS_DIRECTORY'];
  if (tls.generate && (await ensureTlsCertificate(keysFolder, [], credentials)))
    log.warn('made a TLS certificate: link the clients again, they know the old one by its pin');
  const network = loadNetwork(keysFolder, credentials);
  undo.push(() => {
    wipe(network);
  });
  const isListed = await listedKeys(settings, log);
  const dataFolder = join(daemon.data, daemon.network);
  await holdFolder(dataFolder, undo);
  const own: { operated?: Operated } = {};
  undo.push(() => own.operated?.close()); // late: who waits for the end by the control socket sees it
  const synced = (ms: number): void => {
    own.operated?.synced(ms);
  };
  const store = await openStore(dataFolder, network, limits, log, undo, synced);
  const now = Date.now;
  const started = now();
  const seen = await seenHellos(store, started, log);
  const generations = [network, ...(network.next ? [network.next] : [])];
  const pool = workers(generations, network, undo);
  const refusals = new Refusals(log, now);
  const server = new Server(
    {
      store,
      sync: nodeSync,
      work: pool.work,
      passwords: await passwordServer(network.opaqueSetup),
      generations: generations.map(pooled),
      network: network.network,
      registration: registration.who,
      mailer,
      decoySecret: network.decoySecret,
      clients: servedClients(settings, network),
      limits,
      budgets: new Budgets(limits),
      lobby: daemon.lobby,
      isListed,
      auditFile: auditIn(dataFolder, refusals, log),
      refusals,
      log,
      now,
    },
    seen,
  );
  await server.context.rooms.start();
  undo.push(async () => {
    await server.stop();
    log.info('stopped', refusals.totals());
  });
  const listening = await listen(settings, inherited, network, server, log);
  const control = controlPath(daemon.control, dataFolder);
  const operated = await operate({ server, version, started, control, metrics: metrics.listen, log, ...able });
  own.operated = operated;
  return { server, store, listening, operated, linked: { software: network.software } };
}

/** Made where it is not there, and nobody else's from here on. @throws Refusal */
async function holdFolder(folder: string, undo: Undo): Promise<void> {
  await ensureFolder(nodeFiles, resolve(folder));
  const lock = await takeLock(folder);
  if (!lock) throw new Refusal(`another cadenasd runs on ${folder} — stop it, or give this one another --data`);
  undo.push(() => {
    lock.release();
  });
}

async function openStore(
  folder: string,
  network: NetworkFiles,
  limits: Limits,
  log: Log,
  undo: Undo,
  onSync: (ms: number) => void,
): Promise<JournalStore> {
  const setup = nodeSync.sha256(utf8(network.opaqueSetup));
  await checkSetup(nodeFiles, folder, setup);
  const store = await openJournalStore(folder, {
    ...storeLimits(limits),
    now: Date.now,
    onSync,
    onNote: (what) => {
      log.warn('store', { what });
    },
  });
  undo.push(() => store.close());
  await keepSetup(nodeFiles, folder, setup);
  return store;
}

async function seenHellos(store: JournalStore, started: number, log: Log): Promise<SeenHellos> {
  const recent = await store.recentHellos(started - 2 * HELLO_WINDOW_MS);
  if (!recent) {
    const seconds = HELLO_WINDOW_MS / 1000;
    log.warn('nobody is answered for a while: who connected before this start is not on record', { seconds });
  }
  return new SeenHellos(recent, started);
}

function workers(
  generations: readonly GenerationFiles[],
  { opaqueSetup }: Pick<NetworkFiles, 'opaqueSetup'>,
  undo: Undo,
): Pool {
  const serverKeys = generations.map(({ serverPrivate }) => serverPrivate);
  const pool = new Pool(fileURLToPath(new URL('../worker.js', import.meta.url)), { serverKeys, opaqueSetup });
  undo.push(() => pool.destroy());
  return pool;
}

function auditIn(dataFolder: string, refusals: Refusals, log: OperatorLog): AuditFile {
  const file = auditFileIn(dataFolder, (error) => {
    refusals.trouble('the audit can not be written', error);
  });
  return withSources(file, (source) => log.address(source));
}

/** @throws BlocklistRefusal */
export async function listedKeys({ values }: DaemonSettings, log: Log): Promise<IsListed | undefined> {
  const path = values.daemon.blocklist;
  if (path === undefined) return undefined;
  const { hashes, isListed } = await readBlocklist(path, nodeSync);
  log.info('compromised keys are refused', { file: path, keys: hashes });
  return isListed;
}

/** @param generation its number in the pool */
function pooled({ networkKey, serverModulus }: GenerationFiles, generation: number): ServerKeys<RsaPrivate> {
  const serverPrivate: PooledPrivate = { modulus: serverModulus, generation };
  return { networkKey, serverModulus, serverPrivate };
}

export function servedClients({ values }: DaemonSettings, linked: Composed['linked']): ServedClients {
  const { build, table } = thisProgram();
  const { 'min-build': minBuild, 'accept-software': software, 'accept-table': tables } = values.clients;
  return {
    minBuild: minBuild ?? oldestServed(build),
    software: [linked.software, ...software.map(fromHex)],
    tables: [table, ...[...releases.map((release) => release.table), ...tables].map(fromHex)],
  };
}
