/**
 * The door to the disk. Every part of the store goes through it, so that a test can put a disk of its own
 * there, which fails on the nth call, writes short or loses what was not synced.
 */
import * as fs from 'node:fs/promises';
import { StorageError } from '../store.js';

/** The share of a Node FileHandle that the store uses. */
export interface DiskFile {
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  /** May write less than `length` without an error. */
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<{ readonly size: number }>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  chmod(mode: number): Promise<void>;
  close(): Promise<void>;
}

export interface Facts {
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
  readonly uid: number;
  readonly mode: number;
  /** bytes */
  readonly size: number;
}

/** The share of node:fs/promises that the store uses. A folder is opened with 'r', and synced. */
export interface Files {
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): Promise<DiskFile>;
  lstat(path: string): Promise<Facts>;
  readdir(path: string): Promise<string[]>;
  mkdir(path: string, options: { readonly mode: number }): Promise<unknown>;
  chmod(path: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
}

export const nodeFiles: Files = fs;

/**
 * After a failed sync the kernel marks the pages clean, so a second sync would lie: a failure that is
 * not "full" is final for the whole store, and all later calls reject with it.
 */
export class Disk {
  readonly files: Files;
  #failed: StorageError | undefined;
  #tell!: (failure: StorageError) => void;
  /** Resolves with the failure that is final. */
  readonly whenFailed = new Promise<StorageError>((resolve) => {
    this.#tell = resolve;
  });

  constructor(files: Files) {
    this.files = files;
  }

  /** @throws StorageError when the disk has failed before */
  check(): void {
    if (this.#failed) throw this.#failed;
  }

  get failed(): StorageError | undefined {
    return this.#failed;
  }

  /** What a caller is told about a failed write; one that is not "full" ends all writing. */
  failure(path: string, cause: unknown): StorageError {
    const error = storageError(path, cause);
    if (!error.full) {
      this.#failed ??= error;
      this.#tell(this.#failed);
    }
    return error;
  }
}

export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** An error of the system, as the disk's are; not one of Node's own, such as ERR_OUT_OF_RANGE. */
export function isSystemError(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(errorCode(error) ?? '');
}

/** The disk itself has failed, not a path or a permission on it. */
export function saysDiskFailed(error: unknown): boolean {
  return ['EIO', 'ENXIO', 'ENODEV', 'EROFS', 'ESTALE'].includes(errorCode(error) ?? '');
}

/** Says nothing about the disk: nothing was written, and it passes. */
const TRANSIENT: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export function storageError(path: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = errorCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StorageError(`${path}: no room on the disk; free some, and it goes on`, true, cause);
  }
  if (code !== undefined && TRANSIENT.has(code)) {
    return new StorageError(
      `${path}: ${code}, too much is open; raise the limit of open files, or try again`,
      true,
      cause,
    );
  }
  const reason = code ?? (cause instanceof Error ? cause.message : 'unknown error');
  return new StorageError(`${path}: ${reason}; check the disk, then restart`, false, cause);
}
