/**
 * Puts what is sound of a damaged store in its place. What is replaced or removed goes to the quarantine
 * first, whole and synced; each file is replaced by a rename, so that a repair that is cut short can be
 * begun again. The store must not be in use.
 */
import { dirname, join, relative } from 'node:path';
import { check } from './check.js';
import type { Files } from '../journal/disk.js';
import { ensureFolder, exists, makeFolder, readWhole, remove, syncFolder, writeNew } from '../journal/durable.js';
import { FORMAT, writeFormat } from '../journal/folder.js';
import { release } from '../journal/hold.js';
import { openJournalStore } from '../journal/journal-store.js';
import { hellosPath, indexPath, ROOMS, USERS } from '../journal/layout.js';
import type { Finding, Progress } from './reader.js';
import { writeMarked } from '../journal/record-file.js';
import { idBytes } from '../journal/records.js';
import type { RepairPlan } from './repair-plan.js';
import { copyTree, removeTree } from './trees.js';

export interface RepairTask {
  readonly folder: string;
  readonly plan: RepairPlan;
  /** a folder that is not there yet, beside the store's */
  readonly quarantine: string;
  readonly now: () => number;
  /** something else that an operator should know, in one line */
  readonly onNote: (what: string) => void;
}

/**
 * @returns what is still wrong
 * @throws StoreRefusal, StorageError or what the disk throws; doing it again is safe
 */
export async function repair(files: Files, task: RepairTask, progress: Progress): Promise<readonly Finding[]> {
  const { folder, plan, now } = task;
  await putInQuarantine(files, task);
  for (const name of [USERS, ROOMS, 'journal']) await makeFolder(files, join(folder, name));
  if (plan.format) await writeFormat(files, folder, { format: FORMAT });
  if (plan.hellos) await remove(files, hellosPath(folder));
  await release(files, folder); // of a command that was killed
  for (const part of plan.parts) await part.apply(files);
  await plan.journal?.apply(files);
  if (plan.index) await writeMarked(files, indexPath(folder), [...plan.index.names.records()], plan.index.upTo);
  for (const path of plan.strangers) await removeTree(files, path);
  for (const name of [USERS, ROOMS]) await syncFolder(files, join(folder, name));
  await syncFolder(files, folder);
  await letStoreDelete(files, task);
  return (await check(files, folder, now(), progress)).findings.filter(({ level }) => level === 'damage');
}

async function putInQuarantine(files: Files, { folder, plan, quarantine }: RepairTask): Promise<void> {
  const damagedFiles = [
    ...plan.parts.flatMap(({ damaged }) => damaged),
    ...(plan.journal?.damaged ?? []),
    ...(plan.index ? [indexPath(folder)] : []),
    ...(plan.hellos ? [hellosPath(folder)] : []),
    ...(plan.format ? [join(folder, 'format.json')] : []),
  ];
  const folders = [...plan.strangers, ...plan.doomed.map((doomed) => doomed.folder), ...plan.roomFolders];
  await ensureFolder(files, quarantine);
  for (const path of damagedFiles) await copyInto(files, path, join(quarantine, relative(folder, path)));
  for (const path of folders) {
    if (!(await exists(files, path))) continue;
    const copy = join(quarantine, relative(folder, path));
    await ensureFolder(files, dirname(copy));
    await copyTree(files, path, copy);
    await syncFolder(files, dirname(copy));
  }
}

async function copyInto(files: Files, path: string, copy: string): Promise<void> {
  const bytes = await readWhole(files, path);
  if (!bytes) return;
  await ensureFolder(files, dirname(copy));
  await writeNew(files, copy, bytes);
  await syncFolder(files, dirname(copy));
}

/** Deletes what can't be kept as a user would, so that names, rooms and journal agree; then all is brought into files. */
async function letStoreDelete(files: Files, { folder, plan, now, onNote }: RepairTask): Promise<void> {
  for (const { folder: own } of plan.doomed) await makeFolder(files, own); // a checkpoint expects it until it is deleted
  const store = await openJournalStore(folder, { now, files, onNote });
  try {
    for (const { kind, id } of plan.doomed)
      if (kind === 'account') await store.deleteAccount(idBytes(id));
      else await store.deleteRoom(idBytes(id));
    await store.checkpoint();
  } finally {
    await store.close();
  }
}
