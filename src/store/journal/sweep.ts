/** Once a day: queues in which something waits too long, and that no checkpoint wrote anew since. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { Files } from './disk.js';
import { USERS } from './layout.js';
import { mailRecords } from './mail.js';
import { mayBeOld, queuePath, readMail } from './part-files.js';
import { withFile, writeMarked } from './record-file.js';
import { latin1 } from './records.js';

/** @returns what an operator should know: files that are damaged */
export async function sweepQueues(files: Files, folder: string, settled: number, now: number): Promise<string[]> {
  const notes: string[] = [];
  for (const name of await files.readdir(join(folder, USERS))) {
    const uid = latin1(Buffer.from(name, 'hex'));
    const path = queuePath(folder, uid);
    try {
      if (await withFile(files, path, (file) => mayBeOld(file, now))) await sweepQueue(files, path, uid, settled, now);
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error;
      notes.push(error.message);
    }
  }
  return notes;
}

async function sweepQueue(files: Files, path: string, uid: string, settled: number, now: number): Promise<void> {
  const found = await withFile(files, path, (file) => readMail(file, path, uid, settled));
  if (!found) return;
  const { state } = found;
  const before = mailRecords(state).length;
  state.expire(now);
  state.forgetReplies(now);
  const left = mailRecords(state);
  if (left.length < before) await writeMarked(files, path, left, found.found.upTo);
}
