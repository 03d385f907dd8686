/** The costly work, each piece a task in a worker. The queue before the workers is bounded. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { RsaPrivate } from '../../protocol/index.js';
import type { Work } from './work.js';

/** Copied into each worker at its start; gone with the worker. */
export interface WorkerKeys {
  /** PKCS#8 of each generation's server key, the current first */
  readonly serverKeys: readonly Uint8Array[];
  readonly opaqueSetup: string;
}

/** A piece of work as a task: its arguments, as one. */
export type Task<Name extends keyof Work> = (args: Parameters<Work[Name]>) => ReturnType<Work[Name]>;

/** A private key that lives in the workers; here is its number. */
export interface PooledPrivate extends RsaPrivate {
  readonly generation: number;
}

/** Tasks that wait at most; handshakes and logins have budgets of their own well below it. */
const MAX_QUEUE = 4_096;

export class Pool {
  readonly #workers: Piscina;
  readonly work: Work;

  /** @param filename the compiled worker */
  constructor(filename: string, keys: WorkerKeys) {
    const threads = Math.max(1, availableParallelism() - 1);
    const options = { minThreads: threads, maxThreads: threads, maxQueue: MAX_QUEUE };
    this.#workers = new Piscina({ filename, workerData: keys, ...options });
    this.work = {
      openInner: (...args) => this.#run('openInner', args),
      openBlock: (...args) => this.#run('openBlock', args),
      answerLogin: (...args) => this.#run('answerLogin', args),
      answerRegistration: (...args) => this.#run('answerRegistration', args),
      registrationResponse: (...args) => this.#run('registrationResponse', args),
      sealPossession: (...args) => this.#run('sealPossession', args),
      answerRecovery: (...args) => this.#run('answerRecovery', args),
      verify: (...args) => this.#run('verify', args),
    };
  }

  #run<Name extends keyof Work>(name: Name, args: Parameters<Work[Name]>): ReturnType<Work[Name]> {
    return this.#workers.run(args, { name }) as ReturnType<Work[Name]>;
  }

  /** Ends the workers, and with them their copies of the keys. */
  async destroy(): Promise<void> {
    await this.#workers.destroy();
  }
}
