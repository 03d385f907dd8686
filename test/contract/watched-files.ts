/** The real disk, with somebody who sees each call before it is made and may hold it back or let it fail. */
import { nodeFiles, type DiskFile, type Files } from '../../src/store/journal/disk.js';

export type DiskCall = keyof DiskFile | keyof Files;

/** @param bytes asked to be read or written */
export type Watch = (call: DiskCall, path: string, bytes: number) => Promise<void> | void;

export function watchedFiles(watch: Watch): Files {
  return {
    open: async (path, flags, mode) => {
      await watch('open', path, 0);
      return watchedFile(await nodeFiles.open(path, flags, mode), path, watch);
    },
    lstat: async (path) => {
      await watch('lstat', path, 0);
      return nodeFiles.lstat(path);
    },
    readdir: async (path) => {
      await watch('readdir', path, 0);
      return nodeFiles.readdir(path);
    },
    mkdir: async (path, options) => {
      await watch('mkdir', path, 0);
      return nodeFiles.mkdir(path, options);
    },
    chmod: async (path, mode) => {
      await watch('chmod', path, 0);
      return nodeFiles.chmod(path, mode);
    },
    rename: async (from, to) => {
      await watch('rename', from, 0);
      return nodeFiles.rename(from, to);
    },
    unlink: async (path) => {
      await watch('unlink', path, 0);
      return nodeFiles.unlink(path);
    },
    rmdir: async (path) => {
      await watch('rmdir', path, 0);
      return nodeFiles.rmdir(path);
    },
  };
}

function watchedFile(file: DiskFile, path: string, watch: Watch): DiskFile {
  return {
    read: async (bytes, offset, length, position) => {
      await watch('read', path, length);
      return file.read(bytes, offset, length, position);
    },
    write: async (bytes, offset, length, position) => {
      await watch('write', path, length);
      return file.write(bytes, offset, length, position);
    },
    stat: async () => {
      await watch('stat', path, 0);
      return file.stat();
    },
    truncate: async (length) => {
      await watch('truncate', path, 0);
      return file.truncate(length);
    },
    sync: async () => {
      await watch('sync', path, 0);
      return file.sync();
    },
    datasync: async () => {
      await watch('datasync', path, 0);
      return file.datasync();
    },
    chmod: async (mode) => {
      await watch('chmod', path, 0);
      return file.chmod(mode);
    },
    close: () => file.close(),
  };
}

/** The real disk without its syncs: for filling a store that no power cut will meet. */
export const unsyncedFiles: Files = {
  ...watchedFiles(() => undefined),
  open: async (path, flags, mode) => ({
    ...watchedFile(await nodeFiles.open(path, flags, mode), path, () => undefined),
    sync: () => Promise.resolve(),
    datasync: () => Promise.resolve(),
  }),
};
