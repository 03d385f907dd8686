/** A small value in a file of its own, replaced whole. Changes made while a replacement runs share the next. */
import { readFile } from 'node:fs/promises';
import { fromUtf8, utf8 } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';
import { errorCode, type Disk } from './disk.js';
import { replaceFile } from './durable.js';

export interface Format<T> {
  /** what an absent file stands for */
  readonly empty: T;
  toJson(value: T): unknown;
  /** undefined where this is no such value */
  fromJson(json: unknown): T | undefined;
}

interface Waiting<T> {
  readonly value: T;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** What a document takes in memory, about, besides its file's bytes. */
const MEMORY = 512;

export class Document<T> {
  readonly #path: string;
  readonly #disk: Disk;
  readonly #format: Format<T>;
  #value: T;
  #durable: T;
  #size: number;
  #waiting: Waiting<T>[] = [];
  #last: Promise<boolean> = Promise.resolve(true);
  #work: Promise<void> | undefined;

  private constructor(path: string, disk: Disk, format: Format<T>, value: T, size: number) {
    this.#path = path;
    this.#disk = disk;
    this.#format = format;
    this.#value = value;
    this.#durable = value;
    this.#size = size;
  }

  /** @throws StoreRefusal where the file holds something else */
  static async open<T>(path: string, disk: Disk, format: Format<T>): Promise<Document<T>> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return new Document(path, disk, format, format.empty, 0);
      throw error;
    }
    return new Document(path, disk, format, parseDocument(path, bytes, format), bytes.length);
  }

  get bytes(): number {
    return MEMORY + this.#size;
  }

  /** The value after all changes made before this call, when it is durable. */
  async read(): Promise<T> {
    for (;;) {
      const value = this.#value;
      const last = this.#last;
      const durable = await last;
      this.#disk.check();
      if (durable) return value;
      if (this.#last === last) this.#last = Promise.resolve(true); // undone, and told to who changed it
    }
  }

  /** `change` returns its argument where there is nothing to do. Resolves with the new value when it is durable. */
  change(change: (value: T) => T): Promise<T> {
    const value = change(this.#value);
    if (value === this.#value) return this.#unchanged(change);
    if (this.#format.fromJson(this.#format.toJson(value)) === undefined) {
      return Promise.reject(new RangeError('document: a value that could not be read back'));
    }
    this.#value = value;
    const done = new Promise<T>((resolve, reject) => this.#waiting.push({ value, resolve, reject }));
    this.#last = done.then(
      () => true,
      () => false, // the caller of change has the error
    );
    this.#work ??= this.#run();
    return done;
  }

  /** Nothing to do now; if what it rests on is undone, there is. */
  async #unchanged(change: (value: T) => T): Promise<T> {
    const value = await this.read();
    return change(value) === value ? value : this.change(change);
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // gathers what changes in the same turn
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      const value = this.#value;
      this.#waiting = [];
      try {
        this.#disk.check();
        const bytes = utf8(JSON.stringify(this.#format.toJson(value)) + '\n');
        await replaceFile(this.#disk, this.#path, bytes);
        this.#durable = value;
        this.#size = bytes.length;
      } catch (cause) {
        const error = this.#disk.failure(this.#path, cause);
        const lost = [...batch, ...this.#waiting];
        this.#waiting = [];
        this.#value = this.#durable;
        for (const waiting of lost) waiting.reject(error);
        continue;
      }
      for (const waiting of batch) waiting.resolve(waiting.value);
    }
    this.#work = undefined; // in the same turn as the last look at what waits
  }

  async close(): Promise<void> {
    await this.#work;
  }
}

/** @throws StoreRefusal where the bytes are no such value */
export function parseDocument<T>(path: string, bytes: Uint8Array, format: Format<T>): T {
  const value = format.fromJson(parseJson(bytes));
  if (value === undefined) throw new StoreRefusal(`${path} is damaged: restore it from a backup`);
  return value;
}

function parseJson(bytes: Uint8Array): unknown {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: the only thing JSON.parse throws for, and no format takes undefined
  }
}
