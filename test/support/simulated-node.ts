/** What a simulated disk holds: files and folders, as they look now and as a power cut would leave them. */
import type { Draws } from './draws.js';

/** A disk writes this much at once or not at all. */
export const SECTOR = 512;

/** Which unsynced changes of files a power cut leaves: none, all, or any sectors of any age. */
export type DataLeft = 'none' | 'all' | 'sectors';

export class FileNode {
  readonly kind = 'file';
  mode: number;
  size = 0;
  #bytes = new Uint8Array(0);
  #durableSize = 0;
  #durable = new Uint8Array(0);
  /** By number of a sector: its content after each change since the last sync, the oldest first. */
  readonly #changes = new Map<number, Uint8Array[]>();
  readonly #sizes: number[] = [];

  constructor(mode: number) {
    this.mode = mode;
  }

  get dirty(): boolean {
    return this.#changes.size > 0 || this.#sizes.length > 0;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    into.set(this.#bytes.subarray(position, position + count), offset);
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#bytes = grown(this.#bytes, end);
    this.#bytes.set(bytes, position);
    if (bytes.length > 0) this.#changed(position, end);
    if (end > this.size) this.#resize(end);
    // Written again behind a size that a failed sync lost: the disk learns of the size with these bytes.
    else if (end > this.#durableSize && this.#sizes.length === 0) this.#resize(this.size);
  }

  truncate(length: number): void {
    const before = this.size;
    if (length === before) return;
    this.#bytes = grown(this.#bytes, length);
    if (length < before) {
      this.#bytes.fill(0, length, before);
      this.#changed(length, before);
    }
    this.#resize(length);
  }

  #resize(size: number): void {
    this.size = size;
    this.#sizes.push(size);
  }

  #changed(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR); sector * SECTOR < to; sector++) {
      const content = this.#bytes.slice(sector * SECTOR, (sector + 1) * SECTOR);
      const before = this.#changes.get(sector);
      if (before) before.push(content);
      else this.#changes.set(sector, [content]);
    }
  }

  /** What was written so far is durable from now on; the size too, where a failed sync had lost it. */
  sync(): void {
    this.#sizes.push(this.size);
    this.#settle('all', undefined);
  }

  /**
   * A failed sync: some of what was written reached the disk, the rest never will, though reads still see
   * it. A sector that is written again later goes to the disk whole.
   */
  loseSync(draws: Draws): void {
    this.#settle(draws.pick(['none', 'sectors', 'all']), draws);
  }

  /** The file that a power cut leaves. */
  survivor(data: DataLeft, draws: Draws): FileNode {
    const left = new FileNode(this.mode);
    left.#durable = this.#durable.slice();
    left.#durableSize = this.#durableSize;
    for (const [sector, versions] of this.#changes) left.#changes.set(sector, versions);
    left.#sizes.push(...this.#sizes);
    left.#settle(data, draws);
    left.#bytes = left.#durable.slice();
    left.size = left.#durableSize;
    return left;
  }

  /** Chooses what of the unsynced changes becomes durable. */
  #settle(data: DataLeft, draws: Draws | undefined): void {
    const choose = chooser(data, draws);
    for (const [sector, versions] of this.#changes) {
      const content = choose(versions);
      if (!content) continue;
      this.#durable = grown(this.#durable, sector * SECTOR + content.length);
      this.#durable.set(content, sector * SECTOR);
    }
    this.#durableSize = choose(this.#sizes) ?? this.#durableSize;
    this.#durable = grown(this.#durable, this.#durableSize).fill(0, this.#durableSize);
    this.#changes.clear();
    this.#sizes.length = 0;
  }
}

/** Picks one of the versions, or none for what was durable before. */
function chooser(data: DataLeft, draws: Draws | undefined): <T>(versions: readonly T[]) => T | undefined {
  if (data === 'none') return () => undefined;
  if (data === 'all' || !draws) return (versions) => versions.at(-1);
  // Few sectors lost, few kept, and the even mixture are different accidents.
  const kept = draws.pick([0.05, 0.5, 0.95]);
  return (versions) =>
    draws.chance(kept) ? versions[versions.length - 1 - below3(draws, versions.length)] : undefined;
}

/** Mostly 0: the newest version is the likeliest. */
function below3(draws: Draws, bound: number): number {
  return draws.chance(0.7) ? 0 : draws.below(bound);
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  if (bytes.length >= length) return bytes;
  const more = new Uint8Array(Math.max(Math.ceil(length / SECTOR) * SECTOR, bytes.length * 2));
  more.set(bytes);
  return more;
}

export class FolderNode {
  readonly kind = 'folder';
  mode: number;
  readonly entries = new Map<string, SimulatedNode>();
  /** the entries that a power cut leaves at least */
  readonly durable = new Map<string, SimulatedNode>();

  constructor(mode: number) {
    this.mode = mode;
  }
}

export type SimulatedNode = FileNode | FolderNode;

/** One atomic change of entries: a rename is two of them. undefined: the name is gone. */
export type EntryChange = readonly {
  readonly folder: FolderNode;
  readonly name: string;
  readonly node: SimulatedNode | undefined;
}[];

/** Which unsynced changes of folders a power cut leaves: a beginning of all, or of each folder's own. */
export type EntriesLeft = 'none' | 'all' | 'sequence' | 'folders';

/** The changes of folders since their syncs, in the order in which they were made. */
export class EntryChanges {
  #waiting: EntryChange[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  make(change: EntryChange): void {
    apply(change, 'entries');
    this.#waiting.push(change);
  }

  /** Makes durable what was changed in this folder, with what an atomic change drags along. */
  sync(folder: FolderNode): void {
    const folders = new Set([folder]);
    const durable: EntryChange[] = [];
    const waiting: EntryChange[] = [];
    for (const change of [...this.#waiting].reverse()) {
      if (change.some((each) => folders.has(each.folder))) {
        for (const each of change) folders.add(each.folder);
        durable.push(change);
      } else {
        waiting.push(change);
      }
    }
    for (const change of durable.reverse()) apply(change, 'durable');
    this.#waiting = waiting.reverse();
  }

  /** A power cut: makes durable what it leaves of the unsynced changes, forgets the others. */
  settle(left: EntriesLeft, draws: Draws): void {
    const all = this.#waiting;
    this.#waiting = [];
    if (left === 'none') return;
    const most = left === 'sequence' ? draws.below(all.length + 1) : all.length;
    const stopped = new Set<FolderNode>();
    for (const change of all.slice(0, most)) {
      const stops = left === 'folders' && draws.chance(0.3);
      if (stops || change.some((each) => stopped.has(each.folder))) {
        for (const each of change) stopped.add(each.folder);
      } else {
        apply(change, 'durable');
      }
    }
  }
}

function apply(change: EntryChange, to: 'entries' | 'durable'): void {
  for (const { folder, name, node } of change) {
    if (node) folder[to].set(name, node);
    else folder[to].delete(name);
  }
}
