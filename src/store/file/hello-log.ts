/**
 * The HELLOs seen lately, so that a replay is known after a restart too. Two generations of files
 * `hellos-<n>.log`: when the newer has lasted its time, what the older holds can't be replayed any more
 * and is removed. Each begins with a record of when it began, and of the time from which on no HELLO
 * is missing (SPEC 4.4).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HELLO_WINDOW_MS, RANDOM, concat, readUint, u64 } from '../../../protocol/index.js';
import { AppendLog, createLog, readLog, readLogFile } from './append-log.js';
import { copyOf } from './copy.js';
import type { Disk } from './disk.js';
import { remove, settleFolder } from './durable.js';

const BEGIN = 1;
const HELLO = 2;
const BEGIN_LENGTH = 1 + 8 + 8;
const HELLO_LENGTH = 1 + RANDOM + 8;
/** A HELLO passes at most twice its window after it was first seen (one clock ahead, one behind); a margin on top. */
const GENERATION_MS = 2 * HELLO_WINDOW_MS + 60_000;

export interface Hello {
  readonly random: Uint8Array;
  readonly time: number;
}

interface Generation {
  readonly hellos: readonly Hello[];
  readonly begun: number;
  /** HELLOs of earlier times may be missing, in ms since 1970 */
  readonly complete: number;
}

export class HelloLog {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #now: () => number;
  #log: AppendLog;
  #number: number;
  #begun: number;
  readonly #complete: number;
  #rotating: Promise<void> | undefined;

  private constructor(
    folder: string,
    disk: Disk,
    now: () => number,
    log: AppendLog,
    number: number,
    newest: Generation,
  ) {
    this.#folder = folder;
    this.#disk = disk;
    this.#now = now;
    this.#log = log;
    this.#number = number;
    this.#begun = newest.begun;
    this.#complete = newest.complete;
  }

  /**
   * @param fresh the folder is new: no HELLO was ever seen, so none is missing
   * @throws StoreRefusal where a file is damaged
   */
  static async open(folder: string, disk: Disk, now: () => number, fresh: boolean): Promise<HelloLog> {
    const numbers = await generations(folder);
    let number = numbers.at(-1) ?? 0;
    let newest = number > 0 ? await readGeneration(path(folder, number)) : undefined;
    const older = numbers.at(-2);
    if (older !== undefined) await readGeneration(path(folder, older)); // refuses to open where it is damaged
    if (newest === undefined) {
      number++;
      // A HELLO seen before the record was lost bears a time up to a window ahead of the clock.
      newest = { hellos: [], begun: now(), complete: fresh ? 0 : now() + HELLO_WINDOW_MS };
      await begin(folder, disk, number, newest);
    }
    const log = await AppendLog.open(path(folder, number), disk, () => undefined);
    await settleFolder(disk, folder, [`hellos-${number}.log`]);
    return new HelloLog(folder, disk, now, log, number, newest);
  }

  remember(random: Uint8Array, time: number): Promise<void> {
    if (random.length !== RANDOM) throw new RangeError('hellos: a random is not 32 bytes');
    if (Math.abs(this.#now() - this.#begun) >= GENERATION_MS) {
      this.#rotating ??= this.#rotate().finally(() => (this.#rotating = undefined));
    }
    return this.#log.append(concat(Uint8Array.of(HELLO), random, u64(time)), () => undefined);
  }

  async #rotate(): Promise<void> {
    const next: Generation = { hellos: [], begun: this.#now(), complete: this.#complete };
    const number = this.#number + 1;
    try {
      await begin(this.#folder, this.#disk, number, next);
      const log = await AppendLog.open(path(this.#folder, number), this.#disk, () => undefined);
      const old = this.#log;
      this.#log = log;
      this.#number = number;
      this.#begun = next.begun;
      await old.close();
      for (const other of await generations(this.#folder)) {
        if (other < number - 1) await remove(path(this.#folder, other));
      }
    } catch (error) {
      // Final ones are kept in #disk, where the next call meets them. Without room the log in use goes
      // on, and the next call tries again.
      this.#disk.failure(path(this.#folder, number), error);
    }
  }

  async recent(since: number): Promise<readonly Hello[] | undefined> {
    if (since < this.#complete) return undefined;
    await this.#rotating;
    await this.#log.settled();
    const out: Hello[] = [];
    for (const number of await generations(this.#folder)) {
      const generation = await readGeneration(path(this.#folder, number));
      out.push(...(generation?.hellos.filter((hello) => hello.time >= since) ?? []));
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#rotating;
    await this.#log.close();
  }
}

function path(folder: string, number: number): string {
  return join(folder, `hellos-${number}.log`);
}

async function generations(folder: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(folder)) {
    const match = /^hellos-([1-9][0-9]{0,14})\.log$/.exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

function begin(folder: string, disk: Disk, number: number, generation: Generation): Promise<void> {
  const record = concat(Uint8Array.of(BEGIN), u64(generation.begun), u64(generation.complete));
  return createLog(path(folder, number), disk, [record]);
}

/** undefined where the file, which is made whole, does not even hold its beginning: then nothing is known. */
async function readGeneration(file: string): Promise<Generation | undefined> {
  const bytes = await readLogFile(file);
  if (bytes === undefined) return undefined;
  const hellos: Hello[] = [];
  let first: { begun: number; complete: number } | undefined;
  readLog(file, bytes, (payload) => {
    if (payload[0] === BEGIN && payload.length === BEGIN_LENGTH) {
      first ??= { begun: readUint(payload, 1, 8), complete: readUint(payload, 9, 8) };
    } else if (payload[0] === HELLO && payload.length === HELLO_LENGTH) {
      hellos.push({ random: copyOf(payload.subarray(1, 1 + RANDOM)), time: readUint(payload, 1 + RANDOM, 8) });
    }
  });
  return first && { ...first, hellos };
}
