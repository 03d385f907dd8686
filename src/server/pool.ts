/** The asymmetric ports, each operation a task in a worker. The queue before the workers is bounded. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { AsymmetricCrypto, PasswordServer, RsaPrivate } from '../../protocol/index.js';

/** Copied into each worker at its start; gone with the worker. */
export interface WorkerKeys {
  /** PKCS#8 of each generation's server key, the current first */
  readonly serverKeys: readonly Uint8Array[];
  readonly opaqueSetup: string;
}

type Task<F extends (...args: never[]) => unknown> = (args: Parameters<F>) => ReturnType<F>;

export interface WorkerTasks {
  oaepOpen: (args: [generation: number, label: Uint8Array, block: Uint8Array]) => Promise<Uint8Array | undefined>;
  oaepSeal: Task<AsymmetricCrypto['oaepSeal']>;
  pssVerify: Task<AsymmetricCrypto['pssVerify']>;
  agree: Task<AsymmetricCrypto['agree']>;
  registrationResponse: Task<PasswordServer['registrationResponse']>;
  loginResponse: Task<PasswordServer['loginResponse']>;
  loginFinish: Task<PasswordServer['loginFinish']>;
}

/** A private key that lives in the workers; here is its number. */
export interface PooledPrivate extends RsaPrivate {
  readonly generation: number;
}

/** Tasks that wait at most; handshakes and logins have budgets of their own well below it. */
const MAX_QUEUE = 4_096;

export class Pool {
  readonly #workers: Piscina;
  readonly asymmetric: AsymmetricCrypto;
  readonly passwords: PasswordServer;

  /** @param filename the compiled worker */
  constructor(filename: string, keys: WorkerKeys) {
    const threads = Math.max(1, availableParallelism() - 1);
    const options = { minThreads: threads, maxThreads: threads, maxQueue: MAX_QUEUE };
    this.#workers = new Piscina({ filename, workerData: keys, ...options });
    this.asymmetric = {
      oaepOpen: (key, label, block) => this.#run('oaepOpen', [(key as PooledPrivate).generation, label, block]),
      oaepSeal: (...args) => this.#run('oaepSeal', args),
      pssVerify: (...args) => this.#run('pssVerify', args),
      agree: (...args) => this.#run('agree', args),
      pssSign: notOurs,
      x25519: notOurs,
      mlkem: notOurs,
    };
    this.passwords = {
      registrationResponse: (...args) => this.#run('registrationResponse', args),
      loginResponse: (...args) => this.#run('loginResponse', args),
      loginFinish: (...args) => this.#run('loginFinish', args),
    };
  }

  #run<Name extends keyof WorkerTasks>(
    name: Name,
    args: Parameters<WorkerTasks[Name]>[0],
  ): ReturnType<WorkerTasks[Name]> {
    return this.#workers.run(args, { name }) as ReturnType<WorkerTasks[Name]>;
  }

  /** Ends the workers, and with them their copies of the keys. */
  async destroy(): Promise<void> {
    await this.#workers.destroy();
  }
}

/* The client's half of the handshake and its signatures: a daemon has no use for them. */
function notOurs(): never {
  throw new Error('pool: a daemon does not sign or begin a handshake');
}
