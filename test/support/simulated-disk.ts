/**
 * A disk in memory with what real ones do wrong: it forgets what was not synced, tears writes at its sectors,
 * writes short, has an end, fails on the nth call, and loses its power in the middle of any.
 *
 * One object is what one process sees from its start to its death. Data is volatile until the file is synced;
 * an entry of a folder until the folder is synced, whatever was done with the file. Calls take a few turns of the
 * microtask queue each, as many as the seed says, and no timers: a run replays exactly.
 */
import type { DiskFile, Facts, Files } from '../../src/store/journal/disk.js';
import { StorageError } from '../../src/store/store.js';
import type { Draws } from './draws.js';
import {
  EntryChanges,
  FileNode,
  FolderNode,
  type DataLeft,
  type EntriesLeft,
  type EntryChange,
  type SimulatedNode,
} from './simulated-node.js';

/** `fchmod` is the one of an open file. */
export type DiskCall =
  | 'open'
  | 'read'
  | 'write'
  | 'stat'
  | 'truncate'
  | 'sync'
  | 'datasync'
  | 'fchmod'
  | 'close'
  | 'lstat'
  | 'readdir'
  | 'mkdir'
  | 'chmod'
  | 'rename'
  | 'unlink'
  | 'rmdir';

/**
 * An error to fail with: of a write some bytes may be written, of a sync some may be durable and the rest are
 * lost at the next power cut, of any other call nothing happens. A number: a write stops after so many bytes,
 * without an error. `die`: the process dies in the middle of this call.
 */
export type Fault = Error | number | 'die';

/** What a new file, folder or entry takes, in bytes. */
const ENTRY = 64;

export interface DiskOptions {
  /** bytes; no end unless told */
  readonly capacity?: number;
  /** files open at once; no limit unless told */
  readonly maxOpen?: number;
  /** probability that a write of two bytes or more is short */
  readonly shortWrites?: number;
  /** most microtask turns that a call takes; a sync takes up to ten times as many */
  readonly turns?: number;
}

interface Tree {
  readonly root: FolderNode;
  readonly changes: EntryChanges;
}

export class SimulatedDisk implements Files {
  readonly #draws: Draws;
  readonly #tree: Tree;
  readonly #turns: number;
  /** By an object that stands for the open file: what it is of. */
  readonly #open = new Map<object, SimulatedNode>();
  #dead = false;
  #die!: () => void;

  capacity: number;
  maxOpen: number;
  shortWrites: number;
  /** calls so far, by kind */
  readonly counts: Record<DiskCall, number>;
  /** calls so far */
  calls = 0;
  /** Asked before each call. */
  fault: (call: DiskCall, path: string) => Fault | undefined = () => undefined;
  /** Told of each call when it takes effect. */
  trace: ((line: string) => void) | undefined;
  /** Resolves when a call met `die`. */
  readonly died: Promise<void>;

  constructor(draws: Draws, options: DiskOptions = {}, tree?: Tree) {
    this.#draws = draws;
    this.#tree = tree ?? { root: new FolderNode(0o755), changes: new EntryChanges() };
    this.#turns = options.turns ?? 2;
    this.capacity = options.capacity ?? Infinity;
    this.maxOpen = options.maxOpen ?? Infinity;
    this.shortWrites = options.shortWrites ?? 0;
    this.counts = Object.fromEntries(CALLS.map((call) => [call, 0])) as Record<DiskCall, number>;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** files and folders that are open now */
  get handles(): number {
    return this.#open.size;
  }

  /** bytes in use, those of unlinked files that are still open too */
  get used(): number {
    const seen = new Set(this.#open.values());
    const visit = (folder: FolderNode): void => {
      for (const node of folder.entries.values()) {
        seen.add(node);
        if (node.kind === 'folder') visit(node);
      }
    };
    visit(this.#tree.root);
    let used = 0;
    for (const node of seen) used += ENTRY + (node.kind === 'file' ? node.size : 0);
    return used;
  }

  /** The power fails: this disk is dead. Returns what is there when it is back. */
  crash(draws: Draws, left: { readonly data?: DataLeft; readonly entries?: EntriesLeft } = {}): SimulatedDisk {
    this.#end();
    const data = left.data ?? draws.pick(['none', 'all', 'sectors', 'sectors', 'sectors']);
    const entries = left.entries ?? draws.pick(['none', 'all', 'sequence', 'folders']);
    this.#tree.changes.settle(entries, draws);
    const survivors = new Map<SimulatedNode, SimulatedNode>();
    const survivor = (node: SimulatedNode): SimulatedNode => {
      const known = survivors.get(node);
      if (known) return known;
      const made = node.kind === 'file' ? node.survivor(data, draws) : new FolderNode(node.mode);
      survivors.set(node, made);
      if (node.kind === 'folder' && made.kind === 'folder') {
        for (const [name, each] of node.durable) {
          const below = survivor(each);
          made.entries.set(name, below);
          made.durable.set(name, below);
        }
      }
      return made;
    };
    const root = survivor(this.#tree.root) as FolderNode;
    return new SimulatedDisk(draws, this.#options(), { root, changes: new EntryChanges() });
  }

  /** The process dies and the machine goes on: the next one sees all that was written, synced or not. */
  kill(draws: Draws): SimulatedDisk {
    this.#end();
    return new SimulatedDisk(draws, this.#options(), this.#tree);
  }

  #options(): DiskOptions {
    return {
      capacity: this.capacity,
      maxOpen: this.maxOpen,
      shortWrites: this.shortWrites,
      turns: this.#turns,
    };
  }

  #end(): void {
    this.#dead = true;
    this.#die();
  }

  async open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode = 0o666): Promise<DiskFile> {
    return this.#call('open', path, () => {
      if (this.#open.size >= this.maxOpen) throw diskError('EMFILE');
      const node = this.#openNode(path, flags, mode);
      return this.#handle(path, node, flags !== 'r');
    });
  }

  #openNode(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode: number): SimulatedNode {
    const { folder, name } = this.#place(path);
    const node = name === '' ? folder : folder.entries.get(name);
    if (node) {
      if (flags === 'wx') throw diskError('EEXIST');
      if (node.kind === 'folder' && flags !== 'r') throw diskError('EISDIR');
      if (node.kind === 'file' && flags === 'w') node.truncate(0);
      return node;
    }
    if (flags === 'r' || flags === 'r+') throw diskError('ENOENT');
    return this.#create(folder, name, new FileNode(mode));
  }

  #create<T extends SimulatedNode>(folder: FolderNode, name: string, node: T): T {
    if (this.capacity < Infinity && this.used + ENTRY > this.capacity) throw diskError('ENOSPC');
    this.#change([{ folder, name, node }]);
    return node;
  }

  #change(change: EntryChange): void {
    this.#tree.changes.make(change);
  }

  #handle(path: string, node: SimulatedNode, writable: boolean): DiskFile {
    const opened = {};
    this.#open.set(opened, node);
    const isClosed = (): boolean => !this.#open.has(opened);
    const file = (mayWrite = false): FileNode => {
      if (isClosed() || (mayWrite && !writable)) throw diskError('EBADF');
      if (node.kind === 'folder') throw diskError('EISDIR');
      return node;
    };
    const sync = (): void => {
      if (isClosed()) throw diskError('EBADF');
      if (node.kind === 'file') node.sync();
      else this.#tree.changes.sync(node);
    };
    const failSync = (): void => {
      if (node.kind === 'file') node.loseSync(this.#draws);
    };
    return {
      read: (bytes, offset, length, position) =>
        this.#call('read', path, () => ({ bytesRead: file().read(bytes, offset, length, position) })),
      write: (bytes, offset, length, position) => {
        const writeSome = (most: number): number => {
          const into = file(true);
          const count = Math.min(most, length, this.#room(into, position));
          into.write(bytes.subarray(offset, offset + count), position);
          return count;
        };
        return this.#call(
          'write',
          path,
          (most) => {
            const count = writeSome(most ?? this.#shortened(length));
            if (count === 0 && length > 0) throw diskError('ENOSPC');
            return { bytesWritten: count };
          },
          () => {
            writeSome(this.#draws.below(length + 1));
          },
        );
      },
      stat: () => this.#call('stat', path, () => ({ size: file().size })),
      truncate: (length) => this.#call('truncate', path, () => file(true).truncate(length)),
      sync: () => this.#call('sync', path, sync, failSync),
      datasync: () => this.#call('datasync', path, sync, failSync),
      chmod: (mode) =>
        this.#call('fchmod', path, () => {
          file().mode = mode;
        }),
      close: () =>
        this.#call('close', path, () => {
          if (!this.#open.delete(opened)) throw diskError('EBADF');
        }),
    };
  }

  async lstat(path: string): Promise<Facts> {
    return this.#call('lstat', path, () => {
      const node = this.#node(path);
      return {
        isDirectory: () => node.kind === 'folder',
        isFile: () => node.kind === 'file',
        isSymbolicLink: () => false,
        uid: process.getuid?.() ?? 0,
        mode: node.mode,
        size: node.kind === 'file' ? node.size : ENTRY,
      };
    });
  }

  /** In no certain order, as real ones. */
  async readdir(path: string): Promise<string[]> {
    return this.#call('readdir', path, () => this.#draws.shuffled([...this.#folder(path).entries.keys()]));
  }

  async mkdir(path: string, options: { readonly mode: number }): Promise<unknown> {
    return this.#call('mkdir', path, () => {
      const { folder, name } = this.#place(path);
      if (name === '' || folder.entries.has(name)) throw diskError('EEXIST');
      this.#create(folder, name, new FolderNode(options.mode));
    });
  }

  async chmod(path: string, mode: number): Promise<void> {
    return this.#call('chmod', path, () => {
      this.#node(path).mode = mode;
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#call('rename', from, () => {
      const node = this.#node(from);
      const source = this.#place(from);
      const target = this.#place(to);
      const before = target.folder.entries.get(target.name);
      if (before === node) return;
      if (before?.kind === 'folder') {
        if (node.kind === 'file') throw diskError('EISDIR');
        if (before.entries.size > 0) throw diskError('ENOTEMPTY');
      } else if (before && node.kind === 'folder') throw diskError('ENOTDIR');
      this.#change([
        { ...source, node: undefined },
        { ...target, node },
      ]);
    });
  }

  async unlink(path: string): Promise<void> {
    return this.#call('unlink', path, () => {
      if (this.#node(path).kind === 'folder') throw diskError('EISDIR');
      this.#change([{ ...this.#place(path), node: undefined }]);
    });
  }

  async rmdir(path: string): Promise<void> {
    return this.#call('rmdir', path, () => {
      if (this.#folder(path).entries.size > 0) throw diskError('ENOTEMPTY');
      this.#change([{ ...this.#place(path), node: undefined }]);
    });
  }

  /** The folder that holds the last part of the path, and that part; an empty one for the root itself. */
  #place(path: string): { readonly folder: FolderNode; readonly name: string } {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop() ?? '';
    let folder = this.#tree.root;
    for (const part of parts) {
      const next = folder.entries.get(part);
      if (!next) throw diskError('ENOENT');
      if (next.kind === 'file') throw diskError('ENOTDIR');
      folder = next;
    }
    return { folder, name };
  }

  #node(path: string): SimulatedNode {
    const { folder, name } = this.#place(path);
    const node = name === '' ? folder : folder.entries.get(name);
    if (!node) throw diskError('ENOENT');
    return node;
  }

  #folder(path: string): FolderNode {
    const node = this.#node(path);
    if (node.kind === 'file') throw diskError('ENOTDIR');
    return node;
  }

  /** How many bytes there is room for from this position on. */
  #room(file: FileNode, position: number): number {
    if (this.capacity === Infinity) return Infinity;
    return Math.max(0, this.capacity - this.used + file.size - position);
  }

  #shortened(length: number): number {
    return length > 1 && this.#draws.chance(this.shortWrites) ? 1 + this.#draws.below(length - 1) : length;
  }

  /**
   * @param effect what the call does, all at once
   * @param inPart what a call that fails or dies may have done
   */
  async #call<T>(
    call: DiskCall,
    path: string,
    effect: (most: number | undefined) => T,
    inPart: () => void = () => undefined,
  ): Promise<T> {
    if (this.#over()) return never();
    this.calls++;
    this.counts[call]++;
    const fault = this.fault(call, path);
    await this.#pause(call);
    // Another call may have met its death meanwhile.
    if (this.#over()) return never();
    this.trace?.(`${this.calls} ${call} ${path}${fault === undefined ? '' : ` ${String(fault)}`}`);
    if (fault === 'die') {
      if (this.#draws.chance(0.4)) attempt(inPart);
      else if (this.#draws.chance(0.5)) attempt(() => effect(undefined));
      this.#end();
      return never();
    }
    if (fault instanceof Error) {
      inPart();
      throw fault;
    }
    const result = effect(fault);
    await this.#pause(call);
    return this.#over() ? never() : result;
  }

  #over(): boolean {
    return this.#dead;
  }

  async #pause(call: DiskCall): Promise<void> {
    const most = call === 'sync' || call === 'datasync' ? this.#turns * 10 : this.#turns;
    for (let turns = this.#draws.below(most + 1); turns > 0; turns--) await Promise.resolve();
  }
}

const CALLS: readonly DiskCall[] = [
  'open',
  'read',
  'write',
  'stat',
  'truncate',
  'sync',
  'datasync',
  'fchmod',
  'close',
  'lstat',
  'readdir',
  'mkdir',
  'chmod',
  'rename',
  'unlink',
  'rmdir',
];

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** What dies in the middle tells nobody of its error. */
function attempt(what: () => unknown): void {
  try {
    what();
  } catch {
    return;
  }
}

export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** Meets the nth call of these kinds, or of all, counted from 1 and from now on; no other. */
export function atCall(
  n: number,
  fault: Fault,
  kinds?: readonly DiskCall[],
): (call: DiskCall, path: string) => Fault | undefined {
  let met = 0;
  return (call) => ((!kinds || kinds.includes(call)) && ++met === n ? fault : undefined);
}

/** What a call that must fail failed with. @throws where it succeeded, or failed otherwise than by storage */
export async function storageFailure(call: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof StorageError) return error;
  throw error;
}
