/** The journal as a start finds it: what a crash cut short is cut off, and anything else that is wrong refuses the start. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { Disk, DiskFile } from './disk.js';
import { readWhole, remove, syncFolder } from './durable.js';
import { createSegment, noteRecord, type FoundJournal } from './journal.js';
import { FILE_HEADER, readHeader, RECORD_HEADER } from './record-format.js';
import { scanFile, settleTail } from './record-file.js';
import { Segment, segmentFirst, segmentName } from './segment.js';

const ADVICE = 'run cadenasd repair, or restore a backup';

export interface JournalVisitor {
  /** each record behind what is settled, in order */
  onRecord(payload: Uint8Array, lsn: number): void;
  /** All of it is sound: what follows writes. */
  onSound?(): Promise<void>;
  /** Somebody reads the journal's files: none is removed. */
  readonly isHeld: boolean;
  /** something that an operator should know */
  onNote(what: string): void;
}

/** The LSNs by which the segments in this folder are named, in order. */
export async function listSegments(disk: Disk, folder: string): Promise<number[]> {
  const firsts: number[] = [];
  for (const name of await disk.files.readdir(folder)) {
    const first = segmentFirst(name);
    if (first !== undefined) firsts.push(first);
  }
  return firsts.sort((a, b) => a - b);
}

/**
 * @param settled LSN: everything up to it is in the parts' files
 * @throws StoreRefusal where the journal is damaged otherwise than by a write that was cut short; nothing is touched then
 */
export async function openJournal(
  folder: string,
  disk: Disk,
  settled: number,
  visitor: JournalVisitor,
): Promise<FoundJournal> {
  const firsts = await finishedSegments(folder, disk, settled);
  const found: Found[] = [];
  for (const first of firsts) {
    const before = found.at(-1);
    const expected = before ? before.segment.next : Math.min(first, settled + 1); // the first may hold what is settled
    if (before && before.size > before.segment.size) {
      throw new StoreRefusal(`${before.segment.path} is damaged at its end: ${ADVICE}`);
    }
    if (first !== expected) throw new StoreRefusal(`${folder} lacks records from ${expected} on: ${ADVICE}`);
    found.push(await readSegment(folder, disk, first, settled, visitor));
  }
  const last = found.at(-1);
  if (!last) throw new StoreRefusal(`${folder} holds no journal: ${ADVICE}`);
  if (last.segment.next <= settled) {
    throw new StoreRefusal(`${folder} ends at record ${last.segment.next - 1}, the index at ${settled}: ${ADVICE}`);
  }
  await visitor.onSound?.();
  const file = await settle(disk, folder, found, visitor);
  const segments = found.map(({ segment }) => segment);
  return { segments, file };
}

interface Found {
  readonly segment: Segment;
  readonly size: number;
  /** where its last batch begins */
  readonly lastBatch: number;
}

/**
 * The segments that matter: none whose records are all settled, for they may go in any order; and not a
 * last one whose making was cut short, for nothing was ever written to it.
 */
async function finishedSegments(folder: string, disk: Disk, settled: number): Promise<number[]> {
  const all = await listSegments(disk, folder);
  const start = all.filter((first) => first <= settled + 1).length - 1;
  const firsts = all.slice(Math.max(0, start));
  const last = firsts.at(-1);
  if (last === undefined || firsts.length === 1) return firsts;
  const bytes = await readWhole(disk.files, join(folder, segmentName(last)));
  const isUnfinished = bytes !== undefined && bytes.length <= FILE_HEADER && !readHeader(bytes);
  return isUnfinished ? firsts.slice(0, -1) : firsts;
}

async function readSegment(
  folder: string,
  disk: Disk,
  first: number,
  settled: number,
  visitor: JournalVisitor,
): Promise<Found> {
  const path = join(folder, segmentName(first));
  const file = await disk.files.open(path, 'r');
  try {
    const header = readHeader(await headerOf(file));
    if (header?.first !== first) throw new StoreRefusal(`${path} is damaged at its beginning: ${ADVICE}`);
    const segment = new Segment(disk.files, folder, first, header.salt, FILE_HEADER);
    let lastBatch = FILE_HEADER;
    const { end, next, size } = await scanFile(file, path, (payload, lsn, at, batch) => {
      if (lsn === batch) lastBatch = at - RECORD_HEADER;
      if (lsn <= settled) return;
      noteRecord(segment, payload, lsn, at);
      visitor.onRecord(payload, lsn);
    });
    segment.size = end;
    segment.next = next;
    return { segment, size, lastBatch };
  } finally {
    await file.close();
  }
}

async function headerOf(file: DiskFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(FILE_HEADER);
  const { bytesRead } = await file.read(bytes, 0, FILE_HEADER, 0);
  return bytes.subarray(0, bytesRead);
}

/**
 * After a process was killed, what it wrote last is seen by the next one but may be in the kernel's
 * memory alone: it is synced before anything vouches for it.
 */
async function settle(disk: Disk, folder: string, found: readonly Found[], visitor: JournalVisitor): Promise<DiskFile> {
  const { files } = disk;
  let last: DiskFile | undefined;
  try {
    const firsts = new Set(found.map(({ segment }) => segment.first));
    for (const first of await listSegments(disk, folder)) {
      if (!firsts.has(first) && !visitor.isHeld) await remove(files, join(folder, segmentName(first)));
    }
    for (const { segment, size, lastBatch } of found) {
      await last?.close();
      last = undefined;
      last = await files.open(segment.path, 'r+');
      if (size > segment.size) {
        visitor.onNote(
          `${segment.path}: cut off the last ${size - segment.size} bytes, which are no whole record: a write that never ended`,
        );
        await last.truncate(segment.size);
      }
      await settleTail(last, segment.path, segment.records > 0 ? lastBatch : 0, segment.size);
    }
    await syncFolder(files, folder);
    if (!last) throw new Error('a journal has a segment');
    return last;
  } catch (error) {
    await last?.close().catch(() => undefined); // what failed first is what is told
    throw disk.failure(folder, error);
  }
}

/** Makes a journal without a record; the caller makes its folder, and syncs the one above. */
export async function makeJournal(folder: string, disk: Disk): Promise<void> {
  const { file } = await createSegment(folder, disk, 1);
  await file.close();
}
