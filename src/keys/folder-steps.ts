/**
 * The steps by which folders of keys change, each whole or not done. They are handed in, so that a test
 * can cut a run off between any two of them.
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isTemporary, syncFolder, temporaryBeside, writeNewFile } from './private-files.js';

export interface FolderSteps {
  readonly makeFolder: (path: string) => void;
  /** Synced; the file must not be there yet. */
  readonly writeNew: (path: string, content: string | Uint8Array) => void;
  readonly rename: (from: string, to: string) => void;
  readonly removeFile: (path: string) => void;
  readonly removeFolder: (path: string) => void;
  readonly sync: (folder: string) => void;
}

export const nodeSteps: FolderSteps = {
  makeFolder: (path) => {
    mkdirSync(path, { mode: 0o700 });
  },
  writeNew: writeNewFile,
  rename: renameSync,
  removeFile: (path) => {
    rmSync(path, { force: true });
  },
  removeFolder: rmdirSync,
  sync: syncFolder,
};

/** A folder with these files, that is there at once and as a whole. @throws where it is there with files in it */
export function putFolder(steps: FolderSteps, folder: string, files: ReadonlyMap<string, string>): void {
  const temporary = temporaryBeside(folder);
  steps.makeFolder(temporary);
  try {
    for (const [name, content] of files) steps.writeNew(join(temporary, name), content);
    steps.sync(temporary);
    // Two at once: the later rename meets a folder with files in it and fails.
    steps.rename(temporary, folder);
  } catch (error) {
    removeFolder(steps, temporary);
    throw error;
  }
  steps.sync(dirname(folder));
}

/** The old bytes or the new, never a mixture. */
export function putFile(steps: FolderSteps, path: string, content: Uint8Array): void {
  const temporary = temporaryBeside(path);
  steps.writeNew(temporary, content);
  steps.rename(temporary, path);
  steps.sync(dirname(path));
}

/** It is gone at once; what is left of it after a crash, `sweep` removes. */
export function takeAway(steps: FolderSteps, folder: string): void {
  const temporary = temporaryBeside(folder);
  steps.rename(folder, temporary);
  steps.sync(dirname(folder));
  removeFolder(steps, temporary);
}

function removeFolder(steps: FolderSteps, folder: string): void {
  for (const name of readdirSync(folder)) steps.removeFile(join(folder, name));
  steps.removeFolder(folder);
}

/** Removes what runs left that were cut off: keys among it that nobody uses. */
export function sweep(steps: FolderSteps, folder: string): void {
  for (const found of readdirSync(folder, { withFileTypes: true })) {
    if (!isTemporary(found.name)) continue;
    const path = join(folder, found.name);
    if (found.isDirectory()) removeFolder(steps, path);
    else steps.removeFile(path);
  }
  steps.sync(folder);
}
