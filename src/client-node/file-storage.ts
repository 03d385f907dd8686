/** The core's storage on disk: private files in one folder, synced before a promise resolves. */
import { constants } from 'node:fs';
import { open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientStorage } from '../client/index.js';
import { HomeRefusal } from './refusal.js';

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const TEMPORARY = '.tmp';
/** A larger file is not one of ours. */
const FILE_MAX = 1024 * 1024 * 1024;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** One file that grows: writes that wait together share a sync. */
class Appender {
  readonly #file: FileHandle;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  /** After a failed write or sync the file's end is unknown: nothing more is written. */
  #broken: unknown;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  append(bytes: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(asError(this.#broken));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeBatch();
    /* In the same turn as the look above: what is appended from now on starts anew. */
    this.#running = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await writeAll(this.#file, Buffer.concat(batch.map((one) => one.bytes)));
      await this.#file.datasync();
      for (const one of batch) one.resolve();
    } catch (thrown) {
      this.#broken = thrown;
      for (const one of [...batch, ...this.#waiting.splice(0)]) one.reject(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#file.close();
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A write may be short without an error. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}

export class FileStorage implements ClientStorage {
  readonly #folder: string;
  readonly #appenders = new Map<string, Promise<Appender>>();

  /** @param folder prepared by `prepareFolder`; one process at a time */
  constructor(folder: string) {
    this.#folder = folder;
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new RangeError(`storage: name ${name}`);
    return join(this.#folder, name);
  }

  /** Removes what a crash left of a replacement. */
  async tidy(): Promise<void> {
    for (const name of await readdir(this.#folder))
      if (name.endsWith(TEMPORARY)) await unlink(join(this.#folder, name));
  }

  async #open(path: string, flags: number): Promise<FileHandle> {
    let file: FileHandle;
    try {
      file = await open(path, flags | constants.O_NOFOLLOW, 0o600);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ELOOP')
        throw new HomeRefusal(`${path} is a symbolic link`, 'put the file itself there');
      throw thrown;
    }
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new HomeRefusal(`${path} is not a file`, 'move it away');
      if (stats.uid !== process.getuid?.()) throw new HomeRefusal(`${path} belongs to another user`, 'move it away');
      if ((stats.mode & 0o077) !== 0) throw new HomeRefusal(`${path} is open to other users`, `run chmod 600 ${path}`);
      if (stats.size > FILE_MAX) throw new HomeRefusal(`${path} is too large`, 'move it away');
      return file;
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    let file: FileHandle;
    try {
      file = await this.#open(this.#path(name), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw thrown;
    }
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    await this.#release(name);
    const path = this.#path(name);
    const temporary = `${path}${TEMPORARY}`;
    await unlink(temporary).catch(unlessMissing);
    const file = await this.#open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await this.#syncFolder();
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    let appender = this.#appenders.get(name);
    if (!appender) {
      appender = this.#openAppender(name);
      this.#appenders.set(name, appender);
    }
    await (await appender).append(bytes);
  }

  async #openAppender(name: string): Promise<Appender> {
    const file = await this.#open(this.#path(name), constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
    await this.#syncFolder();
    return new Appender(file);
  }

  async remove(name: string): Promise<void> {
    await this.#release(name);
    await unlink(this.#path(name)).catch(unlessMissing);
    await this.#syncFolder();
  }

  async #release(name: string): Promise<void> {
    const appender = this.#appenders.get(name);
    this.#appenders.delete(name);
    if (appender) await (await appender).close();
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async close(): Promise<void> {
    for (const name of [...this.#appenders.keys()]) await this.#release(name);
  }
}

function unlessMissing(thrown: unknown): void {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}
