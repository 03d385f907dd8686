/** cadenasd: composition. The one place of the daemon that names concrete stores, transports and providers. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { fromHex, HELLO_WINDOW_MS, tableHash, utf8, type RsaPrivate, type ServerKeys } from '../../protocol/index.js';
import { nodeSync, passwordServer } from '../crypto/index.js';
import {
  ensureTlsCertificate,
  KeysRefusal,
  loadNetwork,
  spkiPin,
  wipe,
  type GenerationFiles,
  type NetworkFiles,
} from '../keys/network.js';
import { readPrivateFile } from '../keys/private-files.js';
import { buildNumber } from '../keys/program.js';
import { auditFileIn } from '../ops/audit-file.js';
import { takeLock } from '../ops/instance-lock.js';
import { makeLog, type Log } from '../ops/log.js';
import { SmtpMailer } from '../ops/mailer.js';
import { isSystemError, nodeFiles } from '../store/journal/disk.js';
import { ensureFolder } from '../store/journal/durable.js';
import { openJournalStore } from '../store/journal/journal-store.js';
import { plainText } from '../plain/plain.js';
import { checkSetup, keepSetup } from '../store/journal/setup.js';
import { StorageError, StoreRefusal } from '../store/store.js';
import type { Turned } from '../transport/listen.js';
import { listenTcp } from '../transport/tcp.js';
import { listenTls } from '../transport/tls.js';
import { BlocklistRefusal, readBlocklist, type IsListed } from './blocklist.js';
import { Budgets } from './budgets.js';
import type { ServedClients } from './clients.js';
import { ConfigMistake, noConfig, readConfig, type MailConfig } from './config.js';
import { SeenHellos } from './gate.js';
import { defaultLimits, STOP_MS, type Limits } from './limits.js';
import { isCommand, optionParser, readOptions, type Options } from './options.js';
import { Pool, type PooledPrivate } from './pool.js';
import { Refusals } from './refusals.js';
import { oldestServed, releases } from './releases.js';
import { Server } from './server.js';

/** Something the operator can mend: one line, exit code 1. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** What the operator can mend: it ends a start with exit code 1. */
const mendable = [Refusal, ConfigMistake, KeysRefusal, StoreRefusal, BlocklistRefusal];

const version = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

type Undo = (() => unknown)[];

/** @param undo gets what has to be released, in order of its making, whether the start succeeds or not */
async function start(line: Options, log: Log, undo: Undo): Promise<Server> {
  const config = line.config === undefined ? noConfig : readConfig(line.config);
  const options = { ...line, limits: { ...defaultLimits, ...config.limits, ...line.limits } };
  const mailer = config.mail && mailerOf(config.mail);
  undo.push(() => mailer?.close());
  const keysFolder = join(options.keys, options.network);
  if (options.generateDefaultCert && (await ensureTlsCertificate(keysFolder)))
    log.warn('made a TLS certificate: link the clients again, they know the old one by its pin');
  const network = loadNetwork(keysFolder);
  undo.push(() => {
    wipe(network);
  });
  const isListed = await listedKeys(options, log);
  const dataFolder = join(options.data, options.network);
  await ensureFolder(nodeFiles, resolve(dataFolder));
  const lock = await takeLock(dataFolder);
  if (!lock) throw new Refusal(`another cadenasd runs on ${dataFolder} — stop it, or give this one another --data`);
  undo.push(() => {
    lock.release();
  });
  const setup = nodeSync.sha256(utf8(network.opaqueSetup));
  await checkSetup(nodeFiles, dataFolder, setup);
  const now = Date.now;
  const store = await openJournalStore(dataFolder, {
    now,
    maxAccounts: options.limits.accounts,
    segmentBytes: options.limits['journal-bytes'],
    maxRooms: options.limits.rooms,
    maxRoomsPerUser: options.limits['rooms-per-user'],
    maxQueueEntries: options.limits['queue-entries'],
    maxQueueBytes: options.limits['queue-bytes'],
    onNote: (what) => {
      log.warn('store', { what });
    },
  });
  undo.push(() => store.close());
  await keepSetup(nodeFiles, dataFolder, setup);

  const started = now();
  const recent = await store.recentHellos(started - 2 * HELLO_WINDOW_MS);
  if (!recent) {
    const seconds = HELLO_WINDOW_MS / 1000;
    log.warn('nobody is answered for a while: who connected before this start is not on record', { seconds });
  }
  const seen = new SeenHellos(recent, started);
  const pool = new Pool(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    serverKeys: generationsOf(network).map(({ serverPrivate }) => serverPrivate),
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
      generations: generationsOf(network).map(pooled),
      network: network.network,
      registration: config.registration,
      mailer,
      decoySecret: network.decoySecret,
      clients: servedClients(options, network),
      limits: options.limits,
      budgets: new Budgets(options.limits),
      lobby: options.lobby,
      isListed,
      auditFile: auditFileIn(dataFolder, (error) => {
        refusals.trouble('the audit can not be written', error);
      }),
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
  server.add(await listen(options, network, server, refusals, log));
  return server;
}

async function listedKeys({ blocklist: path }: Options, log: Log): Promise<IsListed | undefined> {
  if (path === undefined) return undefined;
  const { hashes, isListed } = await readBlocklist(path, nodeSync);
  log.info('compromised keys are refused', { file: path, keys: hashes });
  return isListed;
}

/** With what its files hold. @throws Refusal, KeysRefusal */
function mailerOf(config: MailConfig): SmtpMailer {
  const { host, port, tls, sender, user, passwordFile, caFile, timeout } = config;
  const login =
    user !== undefined && passwordFile !== undefined ? { user, password: passwordIn(passwordFile) } : undefined;
  const ca = caFile === undefined ? undefined : certificatesIn(caFile);
  return new SmtpMailer({ host, port, tls, login, ca, sender, timeout: 1000 * timeout });
}

function passwordIn(path: string): string {
  const bytes = readPrivateFile(path, 'write it anew');
  if (!bytes) throw new Refusal(`${path} is not there — put the password of the mail server into it, 0600`);
  const password = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (password === '' || /\p{Cc}/u.test(password))
    throw new Refusal(`${path} holds no password — write it there, in one line`);
  return password;
}

function certificatesIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(`can't read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}) — check ca-file`);
  }
  try {
    spkiPin(text);
  } catch {
    throw new Refusal(`${path} is not a PEM certificate — check ca-file`);
  }
  return text;
}

/** The current one first. */
function generationsOf(network: NetworkFiles): readonly GenerationFiles[] {
  return network.next ? [network, network.next] : [network];
}

/** @param generation its number in the pool */
function pooled({ networkKey, serverModulus }: GenerationFiles, generation: number): ServerKeys<RsaPrivate> {
  const serverPrivate: PooledPrivate = { modulus: serverModulus, generation };
  return { networkKey, serverModulus, serverPrivate };
}

function servedClients({ minBuild, acceptSoftware, acceptTable }: Options, network: NetworkFiles): ServedClients {
  return {
    minBuild: minBuild ?? oldestServed(buildNumber(version)),
    software: [network.software, ...acceptSoftware.map(fromHex)],
    tables: [
      tableHash((table) => nodeSync.sha256(table)),
      ...[...releases.map(({ table }) => table), ...acceptTable].map(fromHex),
    ],
  };
}

async function release(undo: Undo): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

async function listen(
  options: Options & { readonly limits: Limits },
  network: NetworkFiles,
  server: Server,
  refusals: Refusals,
  log: Log,
) {
  const { connections: maxConnections, 'connections-per-source': maxPerSource } = options.limits;
  const refused = (reason: Turned, source: string): void => {
    refusals.count(reason, source);
  };
  const mayConnect = (source: string): boolean => server.context.rates.mayConnect(source);
  const at = { ...options.listen, maxConnections, maxPerSource, mayConnect, refused };
  try {
    if (options.disableSsl) {
      log.warn('TLS is off: frames are still encrypted, but anybody on the path sees who connects and when');
      return await listenTcp(at, server.accept);
    }
    const { certificate, privateKey } = await certificateOf(options, network, log);
    return await listenTls({ ...at, certificate, privateKey }, server.accept);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = `${options.listen.host}:${String(options.listen.port)}`;
    if (code === 'EADDRINUSE')
      throw new Refusal(`${where} is in use — stop what listens there, or choose another --listen`);
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Refusal(`can't listen on ${where} (${code}) — choose another --listen`);
    throw error;
  }
}

async function certificateOf({ certPath, keyPath }: Options, network: NetworkFiles, log: Log) {
  if (!certPath && !keyPath) {
    if (!network.tls)
      throw new Refusal(
        'the network has no TLS certificate — start with --generate-default-cert, or with --disable-ssl',
      );
    return { certificate: network.tls.certPem, privateKey: network.tls.keyPem };
  }
  if (!certPath || !keyPath) throw new Refusal('--cert-path and --key-path go together — give both');
  const read = (path: string): Promise<string> =>
    readFile(path, 'utf8').catch((error: unknown) => {
      throw new Refusal(`can't read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}) — check the path`);
    });
  const certificate = await read(certPath);
  const privateKey = await read(keyPath);
  let pin: string;
  try {
    pin = spkiPin(certificate);
  } catch {
    throw new Refusal(`${certPath} is not a PEM certificate — check --cert-path`);
  }
  if (!generationsOf(network).some(({ pins }) => pins.includes(pin)))
    log.warn('clients are not linked with this certificate’s key and will refuse it unless they skip the pin', { pin });
  return { certificate, privateKey };
}

/** One line for the operator, whatever a path or an argument holds; a stack keeps its own. */
function say(text: string): void {
  process.stderr.write(`cadenasd: ${plainText(text, '')}\n`);
}

/** @returns the exit code: 0 stopped by a signal, 1 the operator can mend it, 2 the disk failed, or unexpected */
export async function main(argv: readonly string[]): Promise<number> {
  if (isCommand(argv[0])) return (await import('./admin/admin.js')).main(argv, version);
  const parser = optionParser(version);
  let options: Options;
  try {
    options = readOptions(parser.parse(argv, { from: 'user' }));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0; // help or version
    const isMuch = error.code === 'commander.excessArguments';
    const said = isMuch ? `unknown command ${parser.args.join(' ')}; a command comes first` : error.message;
    const what = said
      .replace(/^error: /, '')
      .replace(/\.$/, '')
      .replaceAll('\n', ' ');
    say(`${what} — see cadenasd --help`);
    return 1;
  }
  const log = makeLog(options.debug ? 'debug' : 'info', (line) => process.stderr.write(line), Date.now);
  const signalled = new Promise<string>((resolve) => {
    /* Not once: a terminal's Ctrl-C may arrive twice, and the second must not cut the stop short. */
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
  const undo: Undo = [];
  try {
    const server = await start(options, log, undo);
    process.stdout.write(`ready ${server.address}\n`);
    const { generations, clients, registration, mailer } = server.context;
    const served = {
      minBuild: clients.minBuild,
      software: clients.software.length,
      tables: clients.tables.length,
      registration,
      mail: mailer ? 'on' : 'off',
    };
    log.info('serving', { network: options.network, version, generations: generations.length, ...served });
    const why = await Promise.race([signalled, server.context.store.failed]);
    const failed = typeof why !== 'string';
    if (failed) log.error('the disk has failed: stopping', { error: why.message });
    else log.info('stopping', { signal: why });
    const deadline = setTimeout(() => {
      log.error('could not stop in time');
      process.exit(2);
    }, STOP_MS);
    await release(undo);
    clearTimeout(deadline);
    return failed ? 2 : 0;
  } catch (error) {
    await release(undo);
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
}
