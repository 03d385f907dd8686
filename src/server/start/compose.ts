/** Composition: the one place of the daemon that names concrete stores, transports and providers. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  fromHex,
  HELLO_WINDOW_MS,
  tableHash,
  utf8,
  type RsaPrivate,
  type ServerKeys,
} from '../../../protocol/index.js';
import { nodeSync, passwordServer } from '../../crypto/index.js';
import {
  ensureTlsCertificate,
  loadNetwork,
  wipe,
  type GenerationFiles,
  type NetworkFiles,
} from '../../keys/network.js';
import { auditFileIn } from '../../ops/audit-file.js';
import { takeLock } from '../../ops/instance-lock.js';
import type { OperatorLog } from '../../ops/log.js';
import { nodeFiles } from '../../store/journal/disk.js';
import { ensureFolder } from '../../store/journal/durable.js';
import { openJournalStore, type JournalStore } from '../../store/journal/journal-store.js';
import { checkSetup, keepSetup } from '../../store/journal/setup.js';
import type { StoreLimits } from '../../store/store.js';
import { withSources } from '../audit.js';
import { readBlocklist, type IsListed } from '../blocklist.js';
import { Budgets } from '../budgets.js';
import type { ServedClients } from '../clients.js';
import type { DaemonSettings } from '../config.js';
import { SeenHellos } from '../gate.js';
import type { Limits } from '../limits.js';
import type { Log } from '../log.js';
import { Pool, type PooledPrivate } from '../pool.js';
import { Refusals } from '../refusals.js';
import { Server } from '../server.js';
import { listen, type Listening } from './listening.js';
import { mailerOf } from './mail.js';
import { Refusal } from './refusal.js';

/** What has to be released, in the order of its making. */
export type Undo = (() => unknown)[];

/** A daemon that runs, and what a reload takes hold of. */
export interface Composed {
  readonly server: Server;
  readonly store: JournalStore;
  readonly listening: Listening;
  /** one object for all who look at limits: a reload changes it */
  readonly limits: Limits;
  /** what the keys say of clients, which stays as it was at the start */
  readonly linked: Pick<NetworkFiles, 'build' | 'software'>;
}

/** @param undo gets what has to be released, whether the start succeeds or not */
export async function compose(settings: DaemonSettings, log: OperatorLog, undo: Undo): Promise<Composed> {
  const { daemon, tls, registration } = settings.values;
  const limits: Limits = { ...settings.limits };
  const mailer = settings.mail && mailerOf(settings.mail);
  undo.push(() => mailer?.close());
  const keysFolder = join(daemon.keys, daemon.network);
  if (tls.generate && (await ensureTlsCertificate(keysFolder)))
    log.warn('made a TLS certificate: link the clients again, they know the old one by its pin');
  const network = loadNetwork(keysFolder);
  undo.push(() => {
    wipe(network);
  });
  const isListed = await listedKeys(settings, log);
  const dataFolder = join(daemon.data, daemon.network);
  const store = await openStore(dataFolder, network, limits, log, undo);
  const now = Date.now;
  const seen = await seenHellos(store, now(), log);
  const generations = [network, ...(network.next ? [network.next] : [])];
  const pool = new Pool(fileURLToPath(new URL('../worker.js', import.meta.url)), {
    serverKeys: generations.map(({ serverPrivate }) => serverPrivate),
    opaqueSetup: network.opaqueSetup,
  });
  undo.push(() => pool.destroy());
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
      auditFile: withSources(
        auditFileIn(dataFolder, (error) => {
          refusals.trouble('the audit can not be written', error);
        }),
        (source) => log.address(source),
      ),
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
  const listening = await listen(settings, limits, network, server, log);
  return { server, store, listening, limits, linked: { build: network.build, software: network.software } };
}

async function openStore(
  folder: string,
  network: NetworkFiles,
  limits: Limits,
  log: Log,
  undo: Undo,
): Promise<JournalStore> {
  await ensureFolder(nodeFiles, resolve(folder));
  const lock = await takeLock(folder);
  if (!lock) throw new Refusal(`another cadenasd runs on ${folder} — stop it, or give this one another --data`);
  undo.push(() => {
    lock.release();
  });
  const setup = nodeSync.sha256(utf8(network.opaqueSetup));
  await checkSetup(nodeFiles, folder, setup);
  const store = await openJournalStore(folder, {
    ...storeLimits(limits),
    now: Date.now,
    onNote: (what) => {
      log.warn('store', { what });
    },
  });
  undo.push(() => store.close());
  await keepSetup(nodeFiles, folder, setup);
  return store;
}

export function storeLimits(limits: Limits): StoreLimits {
  return {
    maxAccounts: limits.accounts,
    segmentBytes: limits['journal-bytes'],
    maxRooms: limits.rooms,
    maxRoomsPerUser: limits['rooms-per-user'],
    maxQueueEntries: limits['queue-entries'],
    maxQueueBytes: limits['queue-bytes'],
  };
}

async function seenHellos(store: JournalStore, started: number, log: Log): Promise<SeenHellos> {
  const recent = await store.recentHellos(started - 2 * HELLO_WINDOW_MS);
  if (!recent) {
    const seconds = HELLO_WINDOW_MS / 1000;
    log.warn('nobody is answered for a while: who connected before this start is not on record', { seconds });
  }
  return new SeenHellos(recent, started);
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
  const { 'min-build': minBuild, 'accept-software': software, 'accept-table': tables } = values.clients;
  return {
    minBuild: minBuild ?? linked.build,
    software: [linked.software, ...software.map(fromHex)],
    tables: [tableHash((table) => nodeSync.sha256(table)), ...tables.map(fromHex)],
  };
}
