/**
 * A file of records that checkpoints make: the index, a queue, a room. What one checkpoint appends is a
 * group; it ends with a mark and counts only with it. Replaced whole when most of it is dead.
 */
import { StoreRefusal } from '../store.js';
import type { DiskFile, Files } from './disk.js';
import { finalSync, openExisting, readAt, replaceFile, writeAll } from './durable.js';
import { storageError } from './disk.js';
import {
  encodeHeader,
  encodeRecords,
  FILE_HEADER,
  anySound,
  isRotten,
  newHeader,
  readHeader,
  RECORD_HEADER,
  scanRecords,
  soundRecord,
  type OnRecord,
} from './record-format.js';
import { group, readBoundary } from './records.js';

const ADVICE = 'run cadenasd repair, or restore a backup';
/** Bytes that one read brings: the loop turns between two. */
const CHUNK = 1024 * 1024;

/** Where the next record of a file goes. */
export interface FileEnd {
  readonly salt: number;
  /** the offset behind the last sound record, or behind the last mark */
  readonly end: number;
  /** the next record's `seq` */
  readonly next: number;
}

/**
 * Hands over the records of a file in order, chunk by chunk: the payloads are views of a buffer that lives as long as they do.
 * @throws StoreRefusal where the file is damaged otherwise than by a write that was cut short
 */
export async function scanFile(file: DiskFile, path: string, onRecord: OnRecord): Promise<FileEnd & { size: number }> {
  const { size } = await file.stat();
  const header = readHeader(await readAt(file, 0, FILE_HEADER));
  if (!header) throw new StoreRefusal(`${path} is damaged at its beginning: ${ADVICE}`);
  const { salt } = header;
  let end = FILE_HEADER;
  let next = header.first;
  let length = CHUNK;
  while (end < size) {
    const wanted = Math.min(length, size - end);
    const bytes = await readAt(file, end, wanted);
    const base = end;
    const scan = scanRecords(bytes, 0, salt, next, (payload, seq, at, batch) => {
      onRecord(payload, seq, base + at, batch);
    });
    const isLast = bytes.length < wanted || base + bytes.length >= size; // somebody may have cut it meanwhile
    if (scan.end === 0) {
      if (!isLast) {
        length *= 2; // a record longer than a chunk, or a bad one: with all the rest it is decided
        continue;
      }
      if (isRotten(bytes, salt, next)) {
        throw new StoreRefusal(`${path} is damaged at byte ${base}, before sound records: ${ADVICE}`);
      }
      break;
    }
    end += scan.end;
    next = scan.next;
    length = CHUNK;
  }
  return { salt, end, next, size };
}

export interface MarkedFile extends FileEnd {
  readonly size: number;
  /** LSN: everything up to it is in the file */
  readonly upTo: number;
  /** where the last group begins */
  readonly lastGroup: number;
}

/**
 * Reads what whole groups say: `parse` makes something of each record, `take` gets it once its group is
 * known to be whole.
 * @param settled LSN: what is not whole must be of a later checkpoint than this one
 * @throws StoreRefusal where the file is damaged, or holds what `parse` does not know (undefined)
 */
export async function readMarked<T>(
  file: DiskFile,
  path: string,
  settled: number,
  parse: (payload: Uint8Array, at: number) => T | undefined,
  take: (parsed: T) => void,
): Promise<MarkedFile> {
  let parsed: T[] = [];
  let upTo = -1;
  let end = FILE_HEADER;
  let lastGroup = FILE_HEADER;
  let next = 0;
  const { salt, size } = await scanFile(file, path, (payload, seq, at) => {
    const boundary = readBoundary(payload);
    if (boundary?.ends) {
      for (const each of parsed) take(each);
      parsed = [];
      upTo = boundary.upTo;
      lastGroup = end;
      end = at + payload.length;
      next = seq + 1;
    } else if (!boundary) {
      const each = parse(payload, at);
      if (each === undefined) throw new StoreRefusal(`${path} holds an unknown record at byte ${at}: ${ADVICE}`);
      parsed.push(each);
    }
  });
  if (size > end) {
    const rest = await readAt(file, end, size - end);
    const wasWhole = anySound(rest, salt, (payload) => (readBoundary(payload)?.upTo ?? Infinity) <= settled);
    if (wasWhole) throw new StoreRefusal(`${path} is damaged behind byte ${end}: ${ADVICE}`);
  }
  if (upTo < 0) throw new StoreRefusal(`${path} is damaged: ${ADVICE}`); // made whole, with its first mark
  return { salt, end, next, size, upTo, lastGroup };
}

/** What a mark takes. */
const MARK = RECORD_HEADER + 7;
/** Where the payload of a file's first record begins, behind the beginning of its group. */
export const firstPayloadAt = FILE_HEADER + MARK + RECORD_HEADER;

/** The end of a file by its last mark alone; undefined where the file does not end with a sound one. */
export async function readLastMark(file: DiskFile): Promise<MarkedFile | undefined> {
  const { size } = await file.stat();
  const header = readHeader(await readAt(file, 0, FILE_HEADER));
  if (!header || size < FILE_HEADER + MARK) return undefined;
  const { salt } = header;
  const bytes = Buffer.from(await readAt(file, size - MARK, MARK));
  const mark = soundRecord(bytes, 0, salt);
  if (mark === undefined || mark === 'short') return undefined;
  const boundary = readBoundary(bytes.subarray(RECORD_HEADER));
  if (!boundary?.ends) return undefined;
  return { salt, end: size, next: mark.seq + 1, size, upTo: boundary.upTo, lastGroup: FILE_HEADER };
}

/** Payloads that lie as close as this, in bytes, are read together, */
const GAP = 64 * 1024;
/** up to as much as this. */
const RUN = 1024 * 1024;

/** The payloads at these places, in ascending order, with as few reads as make sense. */
export async function readPlaces(
  file: DiskFile,
  path: string,
  places: readonly { readonly at: number; readonly length: number }[],
): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  let run: { readonly at: number; readonly length: number }[] = [];
  const flush = async (): Promise<void> => {
    const first = run[0]?.at ?? 0;
    const last = run.at(-1) ?? { at: 0, length: 0 };
    const bytes = await readAt(file, first, last.at + last.length - first);
    for (const { at, length } of run) {
      if (at - first + length > bytes.length) throw new StoreRefusal(`${path} is shorter than it was: ${ADVICE}`);
      out.push(bytes.subarray(at - first, at - first + length));
    }
    run = [];
  };
  for (const place of places) {
    const first = run[0]?.at ?? 0;
    const last = run.at(-1);
    if (last && (place.at - last.at - last.length > GAP || place.at + place.length - first > RUN)) await flush();
    run.push(place);
  }
  if (run.length > 0) await flush();
  return out;
}

/** Opens a file for reading and hands it over; undefined where it is not there. */
export async function withFile<T>(
  files: Files,
  path: string,
  work: (file: DiskFile) => Promise<T>,
): Promise<T | undefined> {
  const file = await openExisting(files, path, 'r');
  if (!file) return undefined;
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Puts a file with one group in the place of this one, whole and durably. */
export async function writeMarked(
  files: Files,
  path: string,
  payloads: readonly Uint8Array[],
  upTo: number,
): Promise<MarkedFile> {
  const header = newHeader(1);
  const records = group(payloads, upTo);
  const encoded = encodeRecords(records, header.salt, header.first, 'own');
  const bytes = new Uint8Array(FILE_HEADER + encoded.length);
  bytes.set(encodeHeader(header));
  bytes.set(encoded, FILE_HEADER);
  await replaceFile(files, path, bytes);
  const size = bytes.length;
  return { salt: header.salt, end: size, next: header.first + records.length, size, upTo, lastGroup: FILE_HEADER };
}

/** Appends a group durably, in the place of one that was cut short. Resolves with what the file is then. */
export async function appendMarked(
  files: Files,
  path: string,
  found: MarkedFile,
  payloads: readonly Uint8Array[],
  upTo: number,
): Promise<MarkedFile> {
  const { salt, end, next } = found;
  const records = group(payloads, upTo);
  const bytes = encodeRecords(records, salt, next, next);
  const file = await files.open(path, 'r+');
  try {
    if (found.size > end) await file.truncate(end);
    try {
      await writeAll(file, bytes, end);
    } catch (error) {
      if (storageError(path, error).full) await file.truncate(end);
      throw error;
    }
    await finalSync(path, file.datasync());
  } finally {
    await file.close();
  }
  const size = end + bytes.length;
  return { salt, end: size, next: next + records.length, size, upTo, lastGroup: end };
}

/**
 * Makes a part of a file durable that an earlier process wrote. Its bytes are written once more: where that
 * process met a failing sync, the kernel takes the pages for clean, and another sync would do nothing.
 */
export async function settleTail(file: DiskFile, path: string, from: number, end: number): Promise<void> {
  for (let at = from; at < end; at += CHUNK) {
    await writeAll(file, await readAt(file, at, Math.min(CHUNK, end - at)), at);
  }
  await finalSync(path, file.sync());
}

/** The bytes a payload takes in a file. */
export function recordBytes(payload: number): number {
  return RECORD_HEADER + payload;
}
