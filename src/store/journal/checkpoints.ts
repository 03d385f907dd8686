/** When checkpoints are made: when the journal is long enough, when something has waited long enough, or when asked for. */
import { StorageError } from '../store.js';
import type { CheckpointDone } from './checkpoint.js';
import type { Runner } from './checkpoint-thread.js';
import { storageError, type Disk } from './disk.js';
import type { Journal } from './journal.js';
import type { MarkedFile } from './record-file.js';

/** Records after which a checkpoint is due, however short they are. */
const MAX_RECORDS = 200_000;
/** Segments' worth of bytes that may wait for checkpoints; then writing waits. */
const MAX_SEGMENTS = 8;
/** What is in the journal alone is in files after this, in ms: what was acknowledged leaves the disk. */
const LATEST_MS = 300_000;
/** After a checkpoint that found no room, the next one is tried no earlier, in ms. */
export const RETRY_MS = 5_000;

/** Queues that nobody writes to are looked through once in this time, in ms, */
const SWEEP_MS = 24 * 3600_000;
/** for the first time so long after the start, and it is asked so often whether it is time. */
const FIRST_SWEEP_MS = 600_000;

export interface CheckpointHost {
  readonly folder: string;
  /** bytes of the journal after which one is due */
  readonly segmentBytes: () => number;
  readonly now: () => number;
  readonly runner: Runner;
  /** accounts and rooms that there are */
  readonly names: () => number;
  /** Somebody reads the journal's files: none may go. */
  readonly held: () => Promise<boolean>;
  readonly onNote: (what: string) => void;
}

export class Checkpoints {
  readonly #journal: Journal;
  readonly #disk: Disk;
  readonly #host: CheckpointHost;
  #index: MarkedFile;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** ms since 1970: the last time queues were swept, or a day before the first time is due */
  #swept: number;
  readonly #sweeper: NodeJS.Timeout;
  #failure: StorageError | undefined;
  #failedAt = 0;
  #closed = false;

  constructor(journal: Journal, disk: Disk, index: MarkedFile, host: CheckpointHost) {
    this.#journal = journal;
    this.#disk = disk;
    this.#index = index;
    this.#host = host;
    this.#swept = host.now() - SWEEP_MS + FIRST_SWEEP_MS;
    this.#sweeper = setInterval(() => {
      if (!this.#closed) this.#fold().catch(() => undefined); // told; tried again at the next time
    }, FIRST_SWEEP_MS).unref();
    journal.onBatch = () => {
      this.#poke();
    };
    journal.gate = () => this.#gate();
  }

  /** What an earlier process left is work for a checkpoint, too. */
  start(): void {
    if (this.#journal.closed(this.settled).length > 0) this.#begin();
    else this.#poke();
  }

  /** LSN: everything up to it is in files. */
  get settled(): number {
    return this.#index.upTo;
  }

  /** Makes one that covers all that is durable now. @throws StorageError */
  async make(): Promise<void> {
    const upTo = this.#journal.durable;
    while (this.#index.upTo < upTo) await this.#start();
  }

  /** Ends the one under way; none begins any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweeper);
    await this.#host.runner.close();
    await this.#running?.catch(() => undefined); // told when it failed; the next start does it again
  }

  #poke(): void {
    if (this.#closed) return;
    const { bytes, records } = this.#journal.current;
    if (bytes >= this.#host.segmentBytes() || records >= MAX_RECORDS) this.#begin();
    else if (records > 0) this.#arm(LATEST_MS);
  }

  #arm(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#begin();
    }, ms).unref();
  }

  /** In the background: a failure is told by the disk, or by the next try. */
  #begin(): void {
    if (this.#closed || this.#refused()) return;
    this.#start().catch(() => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#arm(RETRY_MS);
    });
  }

  async #start(): Promise<void> {
    const upTo = await this.#journal.roll();
    while (this.settled < upTo && !this.#closed) await this.#fold();
  }

  /** While too much waits for a checkpoint, so does writing; without room for one, writing is refused. */
  async #gate(): Promise<void> {
    while (this.#journal.bytesBehind(this.settled) > MAX_SEGMENTS * this.#host.segmentBytes()) {
      const refused = this.#refused();
      if (refused) throw refused;
      await this.#fold();
    }
  }

  /** Why the last one failed, if it is too early for another. */
  #refused(): StorageError | undefined {
    const since = this.#host.now() - this.#failedAt;
    return since >= 0 && since < RETRY_MS ? this.#failure : undefined;
  }

  /** Of what is closed; joins the one under way. */
  #fold(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { folder, now, runner, names, onNote, held } = this.#host;
    this.#disk.check(); // after a failed sync nothing that was written can be vouched for
    const sweep = now() - this.#swept >= SWEEP_MS;
    const [first] = this.#journal.closed(this.settled);
    if (!first && !sweep) return;
    const segment = first && { path: first.path, upTo: first.next - 1 };
    let done: CheckpointDone;
    try {
      done = await runner.run({ folder, segment, index: this.#index, names: names(), now: now(), sweep });
    } catch (error) {
      const failure = this.#disk.failure(folder, error);
      if (!this.#closed) onNote(`a checkpoint failed: ${failure.message}`);
      this.#failure = failure;
      this.#failedAt = now();
      throw failure;
    }
    this.#disk.check();
    this.#failure = undefined;
    this.#index = done.index;
    if (sweep) this.#swept = now();
    for (const note of done.notes) onNote(note);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      if (!(await held())) await this.#journal.drop(this.settled);
    } catch (error) {
      onNote(`a part of the journal can't be removed: ${storageError(folder, error).message}`); // tried again by the next one
    }
  }
}
