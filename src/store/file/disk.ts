/** What every part of the store shares of the disk: how files are opened, and whether the disk has failed. */
import { open } from 'node:fs/promises';
import { StorageError } from '../store.js';

/** The share of a Node FileHandle that writers use, so that a test can stand faults under it. */
export interface DiskFile {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  chmod(mode: number): Promise<void>;
  close(): Promise<void>;
}

export type OpenFile = (path: string, flags: string, mode?: number) => Promise<DiskFile>;

/**
 * After a failed sync the kernel marks the pages clean, so a second sync would lie: a failure that is
 * not "full" is final for the whole store, and all later calls reject with it.
 */
export class Disk {
  readonly open: OpenFile;
  #failed: StorageError | undefined;
  #tell!: (failure: StorageError) => void;
  /** Resolves with the failure that is final. */
  readonly whenFailed = new Promise<StorageError>((resolve) => {
    this.#tell = resolve;
  });

  constructor(openFile: OpenFile = open) {
    this.open = openFile;
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
