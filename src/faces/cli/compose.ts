/** The composition: the one place of this face that names concrete transports, cryptography, storage and the lock. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  exportPrivate,
  generateRsa,
  nodeAsymmetric,
  nodeSync,
  passwordClient,
  rsaPrivate,
  type NodeRsaPrivate,
} from '../../crypto/index.js';
import type { LinkedNetwork } from '../../../protocol/index.js';
import {
  checkEmpty,
  clearProfile,
  ClientError,
  drawWords,
  error,
  Exit,
  exportAccount,
  identityOf,
  importAccount,
  openCore,
  readAccountFile,
  isDeleting,
  recoverCore,
  registerCore,
  unfinishedOf,
  type Application,
  unlock,
  type AccountExport,
  type Client,
  type ClientCore,
  type ClientCrypto,
  type ClientPorts,
  type Clock,
  type PublicIdentity,
  type Secrets,
} from '../../client/index.js';
import {
  FileStorage,
  folderExists,
  prepareFolder,
  profileFolder,
  ProfileServer,
  RemoteClient,
  removeFolder,
} from '../../client-node/index.js';
import { takeLock, type InstanceLock } from '../../ops/instance-lock.js';
import { connectTcp } from '../../transport/tcp.js';
import { tlsConnector } from '../../transport/tls.js';
import type { GlobalOptions } from './options.js';

export { checkFree, configFolder, defaultHome, readNamed, writeNew } from '../../client-node/index.js';

/** Three words for a new account. */
export const newWords = (): string => drawWords(nodeSync);
/** Five words, which take too long to guess by whoever has what they open. */
export const newPassphrase = (): string => drawWords(nodeSync, 5);

/** How long a command waits for another of the same profile to end, and how often it looks. In ms. */
const BUSY_WAIT_MS = 15_000;
const BUSY_LOOK_MS = 50;

/** Node takes a longer one for none. In ms. */
const TIMER_MAX = 2 ** 31 - 1;

const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, TIMER_MAX));
    return () => {
      clearTimeout(timer);
    };
  },
};

async function nodeCrypto(): Promise<ClientCrypto> {
  return {
    sync: nodeSync,
    asymmetric: nodeAsymmetric, // every private key here is made by `keys` below
    password: await passwordClient(),
    keys: {
      generate: generateRsa,
      export: (key) => exportPrivate(key as NodeRsaPrivate),
      import: rsaPrivate,
    },
  };
}

/** A client and what holds it; `close` releases everything. */
export interface Opened {
  readonly client: Client;
  readonly close: () => Promise<void>;
  /** of a core that runs in this process */
  readonly core?: ClientCore;
}

/** One profile on this machine. */
export class Profile {
  readonly name: string;
  readonly folder: string;
  readonly #linked: LinkedNetwork;
  readonly #options: GlobalOptions;
  readonly #log: (line: string) => void;
  #close: () => Promise<void> = () => Promise.resolve();

  constructor(linked: LinkedNetwork, options: GlobalOptions, log: (line: string) => void) {
    this.name = options.profile;
    this.folder = profileFolder(options.home, linked.network, options.profile);
    this.#linked = linked;
    this.#options = options;
    this.#log = log;
  }

  get network(): string {
    return this.#linked.network;
  }

  /** @throws ClientError `no-profile` */
  async identity(): Promise<PublicIdentity> {
    const known = (await folderExists(this.folder)) && (await identityOf({ storage: new FileStorage(this.folder) }));
    if (!known) throw error('no-profile', this.name);
    return known;
  }

  /** The name of a registration whose end is not known. */
  async unfinished(): Promise<string | undefined> {
    return (await folderExists(this.folder)) ? unfinishedOf({ storage: new FileStorage(this.folder) }) : undefined;
  }

  /** Whether the secrets open this profile. @throws ClientError `no-profile`, `wrong-password`, `wrong-words` */
  async check(secrets: Secrets): Promise<void> {
    await this.identity();
    await unlock(await this.#ports(new FileStorage(this.folder)), this.name, secrets);
  }

  /** The account, ready to be sealed for another device. @throws ClientError */
  async exported(secrets: Secrets): Promise<AccountExport> {
    await this.identity();
    return exportAccount(await this.#ports(new FileStorage(this.folder)), this.name, secrets);
  }

  /** Whether an account may be put here, and which the file holds. @throws ClientError */
  async announced(file: Uint8Array): Promise<{ readonly name: string }> {
    if (await folderExists(this.folder)) await checkEmpty({ storage: new FileStorage(this.folder) });
    const header = readAccountFile({ sync: nodeSync }, file);
    if (header.network !== this.#linked.network) throw error('file-of-network', header.network);
    return header;
  }

  /** Puts the account of an export into this profile. @throws ClientError */
  async imported(file: Uint8Array, passphrase: string): ReturnType<typeof importAccount> {
    await prepareFolder(this.folder);
    const lock = await this.#lock();
    const storage = new FileStorage(this.folder);
    try {
      await storage.tidy();
      return await importAccount(await this.#ports(storage), file, passphrase);
    } finally {
      await storage.close();
      lock.release();
    }
  }

  /** Closes the core that runs here, if one does. */
  close(): Promise<void> {
    return this.#close();
  }

  /** The client of the process that owns this profile, if one serves it. */
  async remote(): Promise<Opened | undefined> {
    const client = (await folderExists(this.folder)) ? await RemoteClient.open(this.folder) : undefined;
    return client && { client, close: () => client.close() };
  }

  async #ports(storage: FileStorage): Promise<ClientPorts> {
    const { server, disableSsl, allowInvalidCert } = this.#options;
    const connect = disableSsl
      ? connectTcp
      : tlsConnector({ pins: [...this.#linked.pins], allowInvalid: allowInvalidCert });
    return { linked: this.#linked, server, connect, crypto: await nodeCrypto(), storage, clock, log: this.#log };
  }

  /** The owner's client if somebody serves the profile, otherwise the lock, waiting for whoever holds it briefly. */
  async #lockOrRemote(): Promise<InstanceLock | Opened> {
    for (const end = clock.now() + BUSY_WAIT_MS; ;) {
      const lock = await takeLock(this.folder);
      if (lock) return lock;
      const remote = await this.remote();
      if (remote) return remote;
      if (clock.now() > end)
        throw new ClientError({
          code: 'busy',
          message: 'another cadenas command is using this profile',
          hint: 'wait for it, or end it',
          exit: Exit.network,
        });
      await sleep(BUSY_LOOK_MS);
    }
  }

  /**
   * A client: of the process that owns the profile, or a core here, not connected yet.
   * @param serve lets other processes use it
   */
  async open(secrets: () => Promise<Secrets>, serve: boolean): Promise<Opened> {
    await this.identity();
    const remote = await this.remote();
    if (remote) return remote;
    const known = await secrets();
    const held = await this.#lockOrRemote();
    if ('client' in held) return held;
    return this.#own(held, serve, (ports) => openCore(ports, this.name, known));
  }

  /** The lock of a profile that nobody should own yet. */
  async #lock(): Promise<InstanceLock> {
    const held = await this.#lockOrRemote();
    if (!('client' in held)) return held;
    await held.close();
    throw error('registered', (await this.identity()).name);
  }

  /** A new account in this profile. @param serve lets other processes use it. @throws ClientError */
  async register(name: string, secrets: Secrets, application: Application, serve = false): Promise<Opened> {
    await prepareFolder(this.folder);
    const held = await this.#lockOrRemote();
    if ('client' in held) {
      await held.close();
      throw error('registered', (await this.identity()).name);
    }
    return this.#own(held, serve, (ports) => registerCore(ports, name, secrets, application));
  }

  /** An account whose keys are lost, into this profile, with new ones. @throws ClientError */
  async recover(name: string, code: string, secrets: Secrets): Promise<Opened> {
    await prepareFolder(this.folder);
    const held = await this.#lockOrRemote();
    if ('client' in held) {
      await held.close();
      throw error('registered', (await this.identity()).name);
    }
    return this.#own(held, false, (ports) => recoverCore(ports, name, code, secrets));
  }

  /** The daemon was asked to delete the account, and it is not known whether it did. */
  isDeleting(): Promise<boolean> {
    return isDeleting({ storage: new FileStorage(this.folder) });
  }

  /** Removes all files of the profile, once nobody uses it any more. @throws ClientError `busy` */
  async erase(): Promise<void> {
    const held = await this.#lockOrRemote();
    if ('client' in held) {
      await held.close();
      throw error('busy');
    }
    try {
      await clearProfile(new FileStorage(this.folder));
      await removeFolder(this.folder);
    } finally {
      held.release();
    }
  }

  async #own(lock: InstanceLock, serve: boolean, make: (ports: ClientPorts) => Promise<ClientCore>): Promise<Opened> {
    const storage = new FileStorage(this.folder);
    let core: ClientCore | undefined;
    let server: ProfileServer | undefined;
    const release = async (): Promise<void> => {
      try {
        await server?.close();
        await core?.close();
        await storage.close();
      } finally {
        lock.release();
      }
    };
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= release());
    try {
      await storage.tidy();
      core = await make(await this.#ports(storage));
      if (serve) server = await ProfileServer.start(this.folder, core, this.#log);
      this.#close = close;
      return { client: core, core, close };
    } catch (thrown) {
      await close();
      throw thrown;
    }
  }
}
