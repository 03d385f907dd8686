/** Files that fail when they are told to: stands between a store and the disk. */
import { open } from 'node:fs/promises';
import type { DiskFile, OpenFile } from '../../src/store/file/disk.js';
import { StorageError } from '../../src/store/store.js';

export type DiskCall = 'open' | 'write' | 'truncate' | 'sync' | 'datasync';

export interface FaultyDisk {
  readonly open: OpenFile;
  /** calls so far */
  readonly counts: Record<DiskCall, number>;
  /**
   * Asked before each call: an error to fail with, or for a write the number of bytes it stops after
   * without an error. undefined: the call goes through.
   */
  fault: (call: DiskCall, path: string) => Error | number | undefined;
}

export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
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

export function faultyDisk(): FaultyDisk {
  const disk: FaultyDisk = {
    counts: { open: 0, write: 0, truncate: 0, sync: 0, datasync: 0 },
    fault: () => undefined,
    async open(path, flags, mode) {
      meet(path, 'open');
      return faultyFile(path, await open(path, flags, mode));
    },
  };
  function meet(path: string, call: DiskCall): number | undefined {
    disk.counts[call]++;
    const fault = disk.fault(call, path);
    if (fault instanceof Error) throw fault;
    return fault;
  }
  function faultyFile(path: string, file: DiskFile): DiskFile {
    return {
      async write(bytes, offset, length, position) {
        const most = meet(path, 'write') ?? length;
        return file.write(bytes, offset, Math.min(most, length), position);
      },
      async truncate(length) {
        meet(path, 'truncate');
        return file.truncate(length);
      },
      async sync() {
        meet(path, 'sync');
        return file.sync();
      },
      async datasync() {
        meet(path, 'datasync');
        return file.datasync();
      },
      chmod: (mode) => file.chmod(mode),
      close: () => file.close(),
    };
  }
  return disk;
}
