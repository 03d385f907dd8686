/** Where checkpoints run: in a thread of their own, so that nobody waits for them, or in this one. */
import { Worker } from 'node:worker_threads';
import { StorageError } from '../store.js';
import { checkpoint, type CheckpointDone, type CheckpointTask } from './checkpoint.js';
import type { WorkerAnswer } from './checkpoint-worker.js';
import type { Files } from './disk.js';

export interface Runner {
  /** One after the other. @throws StorageError; in this thread what `checkpoint` throws */
  run(task: CheckpointTask): Promise<CheckpointDone>;
  close(): Promise<void>;
}

export function inThisThread(files: Files): Runner {
  return { run: (task) => checkpoint(files, task), close: () => Promise.resolve() };
}

/** A thread without work ends after this, in ms: it takes memory. */
const IDLE_MS = 10_000;
/** A fold makes much that lives shortly; the daemon's own young generation is small for other reasons. */
const resourceLimits = { maxYoungGenerationSizeMb: 32 };

export class CheckpointThread implements Runner {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;

  async run(task: CheckpointTask): Promise<CheckpointDone> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#begin());
    try {
      const answer = await ask(worker, task).catch((error: unknown) => {
        // Says nothing about the disk, and a fold may end anywhere: it is tried again.
        const why = error instanceof Error ? error.message : String(error);
        throw new StorageError(`the thread of checkpoints ended: ${why}`, true, error);
      });
      if ('done' in answer) return answer.done;
      throw new StorageError(answer.failed.message, answer.failed.full);
    } finally {
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
  }

  #begin(): Worker {
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { resourceLimits });
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    return worker.on('error', forget).on('exit', forget);
  }

  /** At once: a fold may end anywhere. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function ask(worker: Worker, task: CheckpointTask): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const ended = (error?: unknown): void => {
      worker.off('message', answered);
      reject(error instanceof Error ? error : new Error('it gave no answer'));
    };
    const answered = (answer: WorkerAnswer): void => {
      worker.off('error', ended).off('exit', ended);
      resolve(answer);
    };
    worker.once('message', answered).once('error', ended).once('exit', ended);
    worker.postMessage(task);
  });
}
