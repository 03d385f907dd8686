/** A checkpoint: a closed segment of the journal is folded into files, and the index tells how far. */
import { storageError, type Disk, type Files } from './disk.js';
import { syncFolder } from './durable.js';
import { foldSegment } from './fold.js';
import { indexPath } from './layout.js';
import { nameChange, Names } from './names.js';
import { appendMarked, readMarked, settleTail, withFile, writeMarked, type MarkedFile } from './record-file.js';
import { Kind } from './records.js';
import { sweepQueues } from './sweep.js';

export interface CheckpointTask {
  readonly folder: string;
  /** a closed segment, the first whose records are not all in files; `upTo`: the LSN of its last record */
  readonly segment: { readonly path: string; readonly upTo: number } | undefined;
  readonly index: MarkedFile;
  /** accounts and rooms that there are, about */
  readonly names: number;
  /** ms since 1970 */
  readonly now: number;
  /** Queues are looked through for what waits too long. */
  readonly sweep: boolean;
}

export interface CheckpointDone {
  readonly index: MarkedFile;
  readonly notes: readonly string[];
}

/** Records that may be dead in the index besides as many as live, before it is written anew. */
const DEAD_NAMES = 1000;

/**
 * `index.upTo` of the answer is the LSN up to which all is in files.
 * @throws StoreRefusal where the journal or the index is damaged; what the disk throws, too
 */
export async function checkpoint(files: Files, task: CheckpointTask): Promise<CheckpointDone> {
  const { folder, segment, now } = task;
  const notes: string[] = [];
  let { index } = task;
  if (segment) {
    const folded = await foldSegment(files, { folder, ...segment, settled: index.upTo, now });
    notes.push(...folded.notes);
    index = await appendMarked(files, indexPath(folder), index, folded.names, segment.upTo);
    const isFreed = folded.names.some(([kind]) => kind === Kind.deleted || kind === Kind.roomDeleted);
    if (isFreed || index.next > 2 * task.names + DEAD_NAMES) index = await rewriteIndex(files, folder, index);
  }
  if (task.sweep) notes.push(...(await sweepQueues(files, folder, index.upTo, now)));
  return { index, notes };
}

/** Without the names that are gone. Where there is no room for it, the old one holds all as well. */
async function rewriteIndex(files: Files, folder: string, index: MarkedFile): Promise<MarkedFile> {
  const path = indexPath(folder);
  try {
    const found = await readIndex(files, folder);
    return found ? await writeMarked(files, path, [...found.names.records()], index.upTo) : index;
  } catch (error) {
    if (!storageError(path, error).full) throw error;
    return (await readIndex(files, folder))?.index ?? index; // the old one, or the new one whose folder could not be closed
  }
}

/** undefined: there is no index. @throws StoreRefusal where it is damaged */
export async function readIndex(
  files: Files,
  folder: string,
): Promise<{ readonly names: Names; readonly index: MarkedFile } | undefined> {
  const path = indexPath(folder);
  const names = new Names();
  const index = await withFile(files, path, (file) =>
    readMarked(file, path, 0, nameChange, (change) => {
      change(names);
    }),
  );
  return index && { names, index };
}

/** Before a start vouches for what the index says: what an earlier process wrote last is made durable. */
export async function settleIndex(disk: Disk, folder: string, index: MarkedFile): Promise<void> {
  const path = indexPath(folder);
  const file = await disk.files.open(path, 'r+');
  try {
    if (index.size > index.end) await file.truncate(index.end);
    await settleTail(file, path, index.lastGroup, index.end);
    await syncFolder(disk.files, folder); // its name, and that of the format
  } catch (error) {
    throw disk.failure(path, error);
  } finally {
    await file.close();
  }
}

export async function makeIndex(files: Files, folder: string): Promise<void> {
  await writeMarked(files, indexPath(folder), [], 0);
}
