/** Files outside of the profiles that a person names: what is exported, and what is imported. */
import { constants } from 'node:fs';
import { access, lstat, open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ClientError, Exit } from '../client/index.js';

/** A larger one is not one of ours. In bytes. */
const FILE_MAX = 256 * 1024 * 1024;

function mistake(message: string, hint: string): ClientError {
  return new ClientError({ code: 'file', message, hint, exit: Exit.mistake });
}

const exists = (path: string): ClientError =>
  mistake(`${path} exists already`, 'name another file: none is written over');

/** Before anybody types something for nothing. @throws ClientError `file` where something has this name, or its folder is none to write to */
export async function checkFree(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return checkFolder(dirname(path));
    throw mistake(`${path} can't be written (${code ?? 'unknown'})`, 'name another file');
  }
  throw exists(path);
}

async function checkFolder(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw mistake(`there is no folder ${path}`, 'make it first, or name another file');
    throw mistake(`nothing can be written to ${path} (${code ?? 'unknown'})`, 'name a file in another folder');
  }
}

/** A new file, 0600, on the disk when this resolves. What was not written whole is removed. @throws ClientError `file` where something has this name */
export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await create(path);
  try {
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await syncFolder(dirname(path));
  } catch (thrown) {
    await file.close();
    await unlink(path);
    throw thrown;
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw exists(path);
    throw mistake(`${path} can't be written (${code ?? 'unknown'})`, 'name another file');
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whatever its mode: it is sealed, and may come from a stick. @throws ClientError `file` */
export async function readNamed(path: string): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw mistake(`${path} can't be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'})`, 'check the name');
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw mistake(`${path} is not a file`, 'check the name');
    if (stats.size > FILE_MAX) throw mistake(`${path} is too large`, 'check the name');
    return await file.readFile();
  } finally {
    await file.close();
  }
}
