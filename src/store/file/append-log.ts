/**
 * A log that only grows, until it is rewritten. Records that are appended while a sync runs share the
 * next write and fdatasync (group commit), so a thousand callers pay for two syncs.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readUint } from '../../../protocol/index.js';
import { StorageError, StoreRefusal } from '../store.js';
import { errorCode, storageError, type Disk, type DiskFile } from './disk.js';
import { FILE_MODE, finalSync, inFolder, remove, replaceOpen, writeAll } from './durable.js';
import {
  encodeRecords,
  FILE_HEADER,
  fileHeader,
  MAX_PAYLOAD,
  readSalt,
  RECORD_HEADER,
  scanRecords,
} from './log-format.js';

/** Bytes that may wait for a sync in one log; what comes on top is refused as "full". */
const MAX_WAITING = 64 * 1024 * 1024;
/** A log is rewritten when what is dead in it is more than this, in bytes, and more than what lives. */
export const MIN_GARBAGE = 64 * 1024;

interface Waiting {
  readonly payload: Uint8Array;
  readonly undo: () => void;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

interface Opened {
  readonly file: DiskFile;
  readonly salt: number;
  readonly size: number;
}

export class AppendLog {
  readonly #path: string;
  readonly #disk: Disk;
  #opened: Opened | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #last: Promise<boolean> = Promise.resolve(true);
  #snapshot: (() => Uint8Array[]) | undefined;
  #work: Promise<void> | undefined;
  #closed = false;
  /** no rewrite before the log is this long: set when there was no room for one */
  #rewriteFrom = 0;

  private constructor(path: string, disk: Disk, opened: Opened | undefined) {
    this.#path = path;
    this.#disk = disk;
    this.#opened = opened;
  }

  /**
   * Reads the log, handing over its payloads in order (views of one buffer: copy what is kept). A torn
   * tail is cut and the cut synced. A file that is not there is an empty log, made by the first append.
   * @throws StoreRefusal where a record that was synced once is bad; the file is left as it is
   */
  static async open(path: string, disk: Disk, onRecord: (payload: Uint8Array) => void): Promise<AppendLog> {
    const bytes = await readLogFile(path);
    if (bytes === undefined || unfinished(bytes)) {
      if (bytes) await remove(path);
      return new AppendLog(path, disk, undefined);
    }
    const { salt, end } = readLog(path, bytes, onRecord);
    const file = await disk.open(path, 'r+');
    try {
      if (end < bytes.length) {
        await file.truncate(end);
        await file.sync();
      }
    } catch (error) {
      await file.close();
      throw disk.failure(path, error);
    }
    return new AppendLog(path, disk, { file, salt, size: end });
  }

  /** bytes of the file, without what waits */
  get size(): number {
    return this.#opened?.size ?? 0;
  }

  /**
   * Resolves when the record is durable. The payload is the log's from now on. When the record can't be
   * kept, `undo` runs before the promise rejects; the undos of several run in reverse order, so that
   * together they lead back to what is durable.
   */
  append(payload: Uint8Array, undo: () => void): Promise<void> {
    const refused = this.#refusal(payload);
    if (refused) {
      undo();
      return Promise.reject(refused);
    }
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ payload, undo, resolve, reject }));
    this.#waitingBytes += payload.length;
    this.#last = done.then(
      () => true,
      () => false, // the caller of append has the error
    );
    this.#start();
    return done;
  }

  #refusal(payload: Uint8Array): Error | undefined {
    if (this.#closed) return new Error('log: closed');
    if (payload.length > MAX_PAYLOAD) return new RangeError('log: a record is too long');
    if (this.#disk.failed) return this.#disk.failed;
    if (this.#waitingBytes + payload.length <= MAX_WAITING) return undefined;
    return new StorageError(`${this.#path}: too much waits for the disk; try again`, true);
  }

  /**
   * True when all that was appended before this call is durable, false when some of it was undone.
   * @throws StorageError when the disk has failed
   */
  async settled(): Promise<boolean> {
    const last = this.#last;
    const durable = await last;
    this.#disk.check();
    if (!durable && this.#last === last) this.#last = Promise.resolve(true);
    return durable;
  }

  /** A result that shows nothing but what is durable: computed at once, and again if a change under it was undone. */
  async read<T>(compute: () => T): Promise<T> {
    for (;;) {
      const result = compute();
      if (await this.settled()) return result;
    }
  }

  /**
   * Rewrites the file, if it is mostly dead. `snapshot` gives payloads that amount to all that was
   * appended so far; it is called later, between two writes.
   */
  tidy(liveBytes: number, snapshot: () => Uint8Array[]): void {
    const garbage = this.size - liveBytes;
    if (garbage <= MIN_GARBAGE || garbage <= liveBytes || this.size < this.#rewriteFrom) return;
    this.#snapshot = snapshot;
    this.#start();
  }

  /** Waits for what is under way and releases the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
    await this.#opened?.file.close();
    this.#opened = undefined;
  }

  #start(): void {
    this.#work ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // gathers what is appended in the same turn
    while (this.#waiting.length > 0 || this.#snapshot) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        this.#disk.check();
        if (!(await this.#rewrite())) await this.#write(batch.map((waiting) => waiting.payload));
      } catch (error) {
        this.#fail(batch, error);
        continue;
      }
      for (const waiting of batch) waiting.resolve();
    }
    this.#work = undefined; // in the same turn as the last look at what waits
  }

  #fail(batch: readonly Waiting[], cause: unknown): void {
    const error = this.#disk.failure(this.#path, cause);
    const lost = [...batch, ...this.#waiting];
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#snapshot = undefined;
    for (const waiting of [...lost].reverse()) waiting.undo();
    for (const waiting of lost) waiting.reject(error);
  }

  async #write(payloads: readonly Uint8Array[]): Promise<void> {
    if (payloads.length === 0) return;
    const { file, salt, size } = (this.#opened ??= await this.#create());
    const bytes = encodeRecords(payloads, salt, size, size);
    try {
      await writeAll(file, bytes, size);
    } catch (error) {
      // With no room left, what was half written must not stand in the way of the next record.
      if (storageError(this.#path, error).full) await file.truncate(size);
      throw error;
    }
    await finalSync(this.#path, file.datasync());
    this.#opened = { file, salt, size: size + bytes.length };
  }

  #create(): Promise<Opened> {
    return inFolder(this.#disk, dirname(this.#path), (syncName) => this.#createIn(syncName));
  }

  async #createIn(syncName: () => Promise<void>): Promise<Opened> {
    const salt = readUint(randomBytes(4), 0, 4);
    const header = fileHeader(salt);
    const file = await this.#disk.open(this.#path, 'wx', FILE_MODE);
    try {
      await file.chmod(FILE_MODE); // whatever the umask
      await writeAll(file, header, 0);
      await finalSync(this.#path, file.sync());
      await syncName();
    } catch (error) {
      await file.close();
      await remove(this.#path);
      throw error;
    }
    return { file, salt, size: header.length };
  }

  /** True when the file was replaced: that took in all that was appended before. */
  async #rewrite(): Promise<boolean> {
    const payloads = this.#snapshot?.();
    this.#snapshot = undefined;
    if (payloads === undefined) return false;
    const old = this.#opened;
    try {
      this.#opened = await createFile(this.#disk, this.#path, payloads);
    } catch (error) {
      if (!storageError(this.#path, error).full) throw error;
      this.#rewriteFrom = this.size + MIN_GARBAGE; // the old file still holds all
      return false;
    }
    await old?.file.close();
    return true;
  }
}

async function createFile(disk: Disk, path: string, payloads: readonly Uint8Array[]): Promise<Opened> {
  const salt = readUint(randomBytes(4), 0, 4);
  const records = encodeRecords(payloads, salt, FILE_HEADER, 'own');
  const bytes = new Uint8Array(FILE_HEADER + records.length);
  bytes.set(fileHeader(salt));
  bytes.set(records, FILE_HEADER);
  return { file: await replaceOpen(disk, path, bytes), salt, size: bytes.length };
}

/** Makes a log that holds these payloads, whole or not at all. */
export async function createLog(path: string, disk: Disk, payloads: readonly Uint8Array[]): Promise<void> {
  const { file } = await createFile(disk, path, payloads);
  await file.close();
}

/** The bytes a payload takes in the file. */
export function recordBytes(payload: Uint8Array): number {
  return RECORD_HEADER + payload.length;
}

/** The header is synced before the first record is written: without a sound one nothing was ever kept here. */
function unfinished(bytes: Uint8Array): boolean {
  return bytes.length <= FILE_HEADER && readSalt(bytes) === undefined;
}

/** The file's bytes; undefined where there is no file. */
export async function readLogFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @returns the salt, and the offset behind the last sound record
 * @throws StoreRefusal where the file is damaged otherwise than by a write that was cut short
 */
export function readLog(
  path: string,
  bytes: Uint8Array,
  onRecord: (payload: Uint8Array) => void,
): { salt: number; end: number } {
  const salt = readSalt(bytes);
  if (salt === undefined) throw new StoreRefusal(`${path} is damaged at its beginning: restore it from a backup`);
  const { end, rotten } = scanRecords(bytes, salt, onRecord);
  if (rotten !== undefined) {
    throw new StoreRefusal(`${path} is damaged at byte ${rotten}, before sound records: restore it from a backup`);
  }
  return { salt, end };
}
