/** The daemon's own server in this process: connections in memory, a store whose disk is never synced, no threads. */
import { join } from 'node:path';
import {
  hex,
  tableHash,
  type AsymmetricCrypto,
  type LinkedNetwork,
  type PasswordServer,
  type SyncCrypto,
} from '../../protocol/index.js';
import {
  createOpaqueSetup,
  nodeAsymmetric,
  nodeSync,
  passwordServer,
  type NodeRsaPrivate,
} from '../../src/crypto/index.js';
import type { AuditLine } from '../../src/server/audit.js';
import { Budgets } from '../../src/server/budgets.js';
import type { Context } from '../../src/server/context.js';
import { SeenHellos } from '../../src/server/gate.js';
import { defaultLimits, type Limits } from '../../src/server/limits.js';
import type { MailCodes } from '../../src/server/mail-codes.js';
import type { Mailer } from '../../src/server/mailer.js';
import { Refusals } from '../../src/server/refusals.js';
import { Server } from '../../src/server/server.js';
import { workOf } from '../../src/server/work.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import type { Store } from '../../src/store/store.js';
import type { Connection } from '../../src/transport/transport.js';
import { unsyncedFiles } from '../contract/watched-files.js';
import { lavishLimits } from '../support/lavish.js';
import { RawConnection } from '../support/raw.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';
import { MemoryConnection } from '../unit/memory-connection.js';
import { readTestKeys, type TestKeys } from '../vectors/keys.js';

export interface FuzzedDaemon {
  readonly linked: LinkedNetwork;
  readonly keys: TestKeys;
  readonly store: Store;
  /** @param source the address of the network that it comes from */
  readonly connect: (source?: string) => RawConnection;
  /** A connection for a client of its own. */
  readonly open: () => Connection;
  /** The inside of the daemon: for tests in which whoever runs it is hostile. */
  readonly context: Context;
  /** The code that was sent to an address last. */
  readonly mailed: ReadonlyMap<string, string>;
  /** What it said about failures of its own. */
  readonly troubles: readonly string[];
  /** What it put on record of unauthorised attempts. */
  readonly audited: readonly AuditLine[];
}

/** What a planted bug replaces. */
export interface Parts {
  readonly store: Store;
  readonly sync: SyncCrypto;
  readonly asymmetric: AsymmetricCrypto<NodeRsaPrivate>;
  readonly passwords: PasswordServer;
  /** undefined: the daemon's own */
  readonly spendCode: MailCodes['spend'] | undefined;
}
export type Change = (parts: Parts) => Partial<Parts>;

const MANY = 1_000_000;

/** What an operator sets. */
type Settings = Pick<Context, 'registration' | 'mailer' | 'now'> & { readonly limits: Partial<Limits> };

export async function startFuzzed(
  t: Teardown,
  change: Change = () => ({}),
  settings: Partial<Settings> = {},
): Promise<FuzzedDaemon> {
  const keys = await readTestKeys();
  const folder = join(await temporaryFolder(t), 'data', 'net');
  const now = settings.now ?? Date.now;
  const store = await openJournalStore(folder, { now, files: unsyncedFiles, inThread: true });
  const [networkKey, software] = [nodeSync.random(16), nodeSync.random(16)];
  const table = tableHash((text) => nodeSync.sha256(text));
  const troubles: string[] = [];
  const audited: AuditLine[] = [];
  const quiet = (): void => undefined;
  const log = {
    isDebug: false,
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (what: string, fields: unknown) => troubles.push(`${what} ${JSON.stringify(fields)}`),
  };
  const limits = {
    ...defaultLimits,
    handshakes: MANY,
    'handshakes-per-source': MANY,
    logins: MANY,
    'logins-per-source': MANY,
    ...lavishLimits,
    accounts: MANY,
    'mails-per-hour': MANY,
    'mails-per-hour-per-source': MANY,
    'mails-per-hour-to-one': MANY,
    ...settings.limits,
  };
  const mailed = new Map<string, string>();
  const post: Mailer = {
    send: (to, _subject, text) => {
      mailed.set(to, /\d{8}/.exec(text)?.[0] ?? '');
      return Promise.resolve();
    },
  };
  const sound: Parts = {
    store,
    sync: nodeSync,
    asymmetric: nodeAsymmetric,
    passwords: await passwordServer(await createOpaqueSetup()),
    spendCode: undefined,
  };
  const parts = { ...sound, ...change(sound) };
  const server = new Server(
    {
      store: parts.store,
      sync: parts.sync,
      passwords: parts.passwords,
      work: workOf(parts.sync, parts.asymmetric, parts.passwords, () => keys.server),
      generations: [{ networkKey, serverModulus: keys.server.modulus, serverPrivate: keys.server }],
      network: 'fuzz',
      registration: settings.registration ?? 'open',
      mailer: 'mailer' in settings ? settings.mailer : post,
      decoySecret: nodeSync.random(32),
      clients: { minBuild: 1, software: [software], tables: [table] },
      limits,
      budgets: new Budgets(limits),
      auditFile: { write: (line) => audited.push(line), close: () => Promise.resolve() },
      refusals: new Refusals(log, now),
      log,
      now,
    },
    new SeenHellos([], now()),
  );
  if (parts.spendCode) server.context.mailCodes.spend = parts.spendCode;
  t.teardown(async () => {
    await server.stop();
    await store.close();
  });
  return {
    keys,
    store,
    troubles,
    mailed,
    audited,
    linked: {
      network: 'fuzz',
      version: '0',
      generation: 1,
      build: 1,
      software: hex(software),
      table: hex(table),
      networkKey: hex(networkKey),
      serverModulus: hex(keys.server.modulus),
      pins: [],
    },
    connect: (source) => {
      const { near, far } = piped(source);
      const raw = RawConnection.over(near);
      server.accept(far);
      return raw;
    },
    open: () => {
      const { near, far } = piped();
      server.accept(far);
      return near;
    },
    context: server.context,
  };
}

/** A connection on which the handshake is done. */
export async function sessionAt(daemon: FuzzedDaemon, source?: string): Promise<RawConnection> {
  const raw = daemon.connect(source);
  if (!(await raw.handshake(daemon.linked))?.session) throw new Error('no session');
  return raw;
}

function piped(source?: string): { near: MemoryConnection; far: MemoryConnection } {
  const [near, far] = [new MemoryConnection(source), new MemoryConnection(source)];
  near.other = far;
  far.other = near;
  return { near, far };
}
