/**
 * The truth: every change is a record here before anybody is answered. Records that are appended while a
 * sync runs share the next write and fdatasync (group commit), so a thousand callers pay for two syncs;
 * a batch is written only after the one before it is synced. It goes on in a new segment when the one in
 * use is long enough, so that a checkpoint has closed files to work on.
 */
import { StorageError, StoreRefusal } from '../store.js';
import { storageError, type Disk, type DiskFile } from './disk.js';
import { FILE_MODE, finalSync, inFolder, remove, writeAll } from './durable.js';
import { encodeHeader, encodeRecords, FILE_HEADER, MAX_PAYLOAD, newHeader, RECORD_HEADER } from './record-format.js';
import { partKey, partOf, type PartKey } from './records.js';
import { Segment } from './segment.js';

/** Bytes that may wait for a sync; what comes on top is refused as "full". */
const MAX_WAITING = 64 * 1024 * 1024;

/** Records that share a sync: as many are answered in one turn of the loop. */
const MAX_BATCH = 1024;

interface Waiting {
  readonly payload: Uint8Array;
  readonly undo: () => void;
  readonly placed: Placed | undefined;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/** A record as it is in the journal. */
export interface Logged {
  readonly lsn: number;
  readonly payload: Uint8Array;
  /** where it is */
  readonly segment: Segment;
  readonly at: number;
}

/** Told where a record is, when it is durable. */
export type Placed = (segment: Segment, at: number) => void;

/** A journal as it was found at start. */
export interface FoundJournal {
  /** in order, the last one is written on */
  readonly segments: readonly Segment[];
  /** of the last segment */
  readonly file: DiskFile;
}

export class Journal {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #segments: Segment[];
  #current: Segment;
  #file: DiskFile;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #work: Promise<void> | undefined;
  #closed = false;
  #rolls: { readonly resolve: () => void; readonly reject: (error: StorageError) => void }[] = [];
  /** Called with the time that the sync of a batch took, in ms. */
  onSync: (milliseconds: number) => void = () => undefined;
  /** Called when a batch is durable. */
  onBatch: () => void = () => undefined;
  /** Awaited before each batch: holds writing back while too much waits for a checkpoint. */
  gate: () => Promise<void> | undefined = () => undefined;

  constructor(folder: string, disk: Disk, found: FoundJournal) {
    const current = found.segments.at(-1);
    if (!current) throw new Error('a journal has a segment');
    this.#folder = folder;
    this.#disk = disk;
    this.#segments = [...found.segments];
    this.#current = current;
    this.#file = found.file;
  }

  /** Of the segment in use. */
  get current(): { readonly bytes: number; readonly records: number } {
    return { bytes: this.#current.size - FILE_HEADER, records: this.#current.records };
  }

  /** Of all its files, and of what no write has begun for. */
  get figures(): { readonly bytes: number; readonly segments: number; readonly waiting: number; waitingBytes: number } {
    const bytes = this.#segments.reduce((sum, { size }) => sum + size, 0);
    return {
      bytes,
      segments: this.#segments.length,
      waiting: this.#waiting.length,
      waitingBytes: this.#waitingBytes,
    };
  }

  /** Bytes of the closed segments with records behind this LSN. */
  bytesBehind(lsn: number): number {
    return this.closed(lsn).reduce((sum, { size }) => sum + size, 0);
  }

  /** The last LSN that is durable. */
  get durable(): number {
    return this.#current.next - 1;
  }

  /**
   * Resolves when the record is durable. The payload is the journal's from now on. When the record can't
   * be kept, `undo` runs before the promise rejects; the undos of several run in reverse order, so that
   * together they lead back to what is durable.
   */
  append(payload: Uint8Array, undo: () => void, placed?: Placed): Promise<void> {
    const refused = this.#refusal(payload);
    if (refused) {
      undo();
      return Promise.reject(refused);
    }
    this.#waitingBytes += payload.length;
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ payload, undo, placed, resolve, reject }));
    this.#start();
    return done;
  }

  #refusal(payload: Uint8Array): Error | undefined {
    if (this.#closed) return new Error('journal: closed');
    if (payload.length > MAX_PAYLOAD) return new RangeError('journal: a record is too long');
    if (this.#disk.failed) return this.#disk.failed;
    if (this.#waitingBytes + payload.length <= MAX_WAITING) return undefined;
    return new StorageError(`${this.#folder}: too much waits for the disk; try again`, true);
  }

  /** Closes the segment in use, if it holds anything; resolves with the last LSN of the closed ones. @throws StorageError */
  async roll(): Promise<number> {
    if (this.#current.records > 0) {
      const rolled = new Promise<void>((resolve, reject) => this.#rolls.push({ resolve, reject }));
      this.#start();
      await rolled;
    }
    return this.#current.first - 1;
  }

  /** The closed segments with records behind this LSN. */
  closed(after: number): readonly Segment[] {
    return this.#segments.filter((segment) => segment !== this.#current && segment.next - 1 > after);
  }

  /** Removes the segments whose records are all in the parts' files. */
  async drop(upTo: number): Promise<void> {
    for (let first = this.#segments[0]; first && first !== this.#current; first = this.#segments[0]) {
      if (first.next - 1 > upTo) return;
      first.isSettled = true;
      await remove(this.#disk.files, first.path);
      this.#segments.shift();
    }
  }

  /**
   * What the journal holds of a part. Read before the part's file, which may be newer but never lacks
   * what a segment held that is gone.
   */
  async tail(key: PartKey): Promise<readonly Logged[]> {
    const out: Logged[] = [];
    for (const segment of [...this.#segments]) {
      const places = segment.places(key);
      if (places.length === 0) continue;
      const payloads = await segment.read(places);
      if (!payloads && !segment.isSettled) throw new StoreRefusal(`${segment.path} is gone: restore a backup`);
      payloads?.forEach((payload, n) => {
        const { lsn, at } = places[n] ?? { lsn: 0, at: 0 };
        out.push({ lsn, payload, segment, at });
      });
    }
    return out;
  }

  /** Waits for what is under way and releases the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
    await this.#file.close();
  }

  #start(): void {
    this.#work ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // gathers what is appended in the same turn
    while (this.#waiting.length > 0 || this.#rolls.length > 0) {
      const rolls = this.#rolls;
      this.#rolls = [];
      let batch: Waiting[] = [];
      try {
        this.#disk.check();
        if (rolls.length > 0 && this.#current.records > 0) await this.#roll();
        for (const rolled of rolls) rolled.resolve();
        await this.gate();
        batch = this.#waiting.splice(0, MAX_BATCH);
        for (const { payload } of batch) this.#waitingBytes -= payload.length;
        await this.#write(batch);
      } catch (cause) {
        const error = this.#disk.failure(this.#current.path, cause);
        for (const rolled of rolls) rolled.reject(error);
        this.#fail(batch, error);
        continue;
      }
      for (const waiting of batch) waiting.resolve();
      this.onBatch();
    }
    this.#work = undefined; // in the same turn as the last look at what waits
  }

  #fail(batch: readonly Waiting[], error: StorageError): void {
    const lost = [...batch, ...this.#waiting];
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const waiting of [...lost].reverse()) waiting.undo();
    for (const waiting of lost) waiting.reject(error);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const segment = this.#current;
    const { path, size, next, salt } = segment;
    const bytes = encodeRecords(
      batch.map((waiting) => waiting.payload),
      salt,
      next,
      next,
    );
    try {
      await writeAll(this.#file, bytes, size);
    } catch (error) {
      // With no room left, what was half written must not stand in the way of the next record.
      // Synced, lest a power cut bring it back at the end of a segment that is closed by then.
      if (storageError(path, error).full) {
        await this.#file.truncate(size);
        await finalSync(path, this.#file.datasync());
      }
      throw error;
    }
    const begun = performance.now();
    await finalSync(path, this.#file.datasync());
    this.onSync(performance.now() - begun);
    let at = size;
    for (const { payload, placed } of batch) {
      noteRecord(segment, payload, segment.next++, at + RECORD_HEADER);
      placed?.(segment, at + RECORD_HEADER);
      at += RECORD_HEADER + payload.length;
    }
    segment.size = at;
  }

  async #roll(): Promise<void> {
    const { segment, file } = await createSegment(this.#folder, this.#disk, this.#current.next);
    const old = this.#file;
    this.#segments.push(segment);
    this.#current = segment;
    this.#file = file;
    await old.close();
  }
}

/** Enters a record in its segment's list. */
export function noteRecord(segment: Segment, payload: Uint8Array, lsn: number, at: number): void {
  const part = partOf(payload);
  if (!part) throw new StoreRefusal(`${segment.path} holds an unknown record: restore it from a backup`);
  segment.note(partKey(part.kind, part.id), lsn, at, payload.length);
}

/** Makes an empty segment, durably, in the place of an unfinished one. */
export function createSegment(
  folder: string,
  disk: Disk,
  first: number,
): Promise<{ readonly segment: Segment; readonly file: DiskFile }> {
  const { files } = disk;
  return inFolder(files, folder, async (syncName) => {
    const header = newHeader(first);
    const segment = new Segment(files, folder, first, header.salt, FILE_HEADER);
    const file = await files.open(segment.path, 'w', FILE_MODE);
    try {
      await file.chmod(FILE_MODE); // whatever the umask
      await writeAll(file, encodeHeader(header), 0);
      await finalSync(segment.path, file.sync());
      await syncName();
    } catch (error) {
      await file.close();
      await remove(files, segment.path);
      throw error;
    }
    return { segment, file };
  });
}
