/** The thread of checkpoints: gets a task, says how it went. */
import { parentPort } from 'node:worker_threads';
import { StorageError, StoreRefusal } from '../store.js';
import { checkpoint, type CheckpointDone, type CheckpointTask } from './checkpoint.js';
import { nodeFiles, storageError } from './disk.js';

/** Errors lose their class on the way between threads. */
export type WorkerAnswer =
  { readonly done: CheckpointDone } | { readonly failed: { readonly message: string; readonly full: boolean } };

async function answer(task: CheckpointTask): Promise<WorkerAnswer> {
  try {
    return { done: await checkpoint(nodeFiles, task) };
  } catch (error) {
    const { message, full } =
      error instanceof StoreRefusal ? new StorageError(error.message, false) : storageError(task.folder, error);
    return { failed: { message, full } };
  }
}

parentPort?.on('message', (task: CheckpointTask) => {
  void answer(task).then((said) => parentPort?.postMessage(said));
});
