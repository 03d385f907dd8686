/**
 * One file of the journal, named by the LSN of its first record, and where in it the records of each
 * part are: what a part needs besides its file.
 */
import { join } from 'node:path';
import type { Files } from './disk.js';
import { readPlaces, withFile } from './record-file.js';
import type { PartKey } from './records.js';

/** A record's payload in a journal. */
export interface Place {
  /** its number in the journal */
  readonly lsn: number;
  readonly at: number;
  readonly length: number;
}

export function segmentName(first: number): string {
  return `${first.toString(16).padStart(16, '0')}.log`;
}

/** The LSN of the first record, or undefined where this is no segment's name. */
export function segmentFirst(name: string): number | undefined {
  const match = /^([0-9a-f]{16})\.log$/.exec(name);
  const first = match ? Number.parseInt(match[1] ?? '', 16) : NaN;
  return Number.isSafeInteger(first) ? first : undefined;
}

export class Segment {
  readonly path: string;
  /** the LSN of its first record */
  readonly first: number;
  readonly salt: number;
  /** bytes that are synced */
  size: number;
  /** the LSN behind its last record */
  next: number;
  /** All of it is in the parts' files, and it may go at any time. */
  isSettled = false;
  /** three numbers for each record: LSN, offset and length of the payload */
  readonly #places = new Map<PartKey, number[]>();

  readonly #files: Files;

  constructor(files: Files, folder: string, first: number, salt: number, size: number) {
    this.#files = files;
    this.path = join(folder, segmentName(first));
    this.first = first;
    this.salt = salt;
    this.size = size;
    this.next = first;
  }

  get records(): number {
    return this.next - this.first;
  }

  note(key: PartKey, lsn: number, at: number, length: number): void {
    const places = this.#places.get(key);
    if (places) places.push(lsn, at, length);
    else this.#places.set(key, [lsn, at, length]);
  }

  places(key: PartKey): Place[] {
    const numbers = this.#places.get(key) ?? [];
    const out: Place[] = [];
    for (let i = 0; i < numbers.length; i += 3) {
      out.push({ lsn: numbers[i] ?? 0, at: numbers[i + 1] ?? 0, length: numbers[i + 2] ?? 0 });
    }
    return out;
  }

  /** The payloads at these places, which are in order; undefined where the file is gone: all of it is in the parts' files. */
  read(places: readonly { readonly at: number; readonly length: number }[]): Promise<Uint8Array[] | undefined> {
    return withFile(this.#files, this.path, (file) => readPlaces(file, this.path, places));
  }
}
