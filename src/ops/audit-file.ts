/**
 * The record of unauthorised attempts: lines of JSON in a folder of their own, so many and no more. What can't be written is
 * told, and the daemon goes on.
 */
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { plainJson } from '../plain/plain.js';

const FOLDER = 'audit';
/** Bytes of a file, about: beyond it the next one begins. */
export const FILE_BYTES = 1024 * 1024;
/** Files that are kept, the one in use included. */
export const FILES = 5;
/** Bytes that wait while the disk takes nothing; what comes beyond it is lost, and told. */
const WAITING_BYTES = 1024 * 1024;

export interface AuditFile {
  write(line: object): void;
  close(): Promise<void>;
}

/** @param dataFolder of the network's store */
export function auditFolder(dataFolder: string): string {
  return join(dataFolder, FOLDER);
}

/** The newest first. */
export function auditPaths(dataFolder: string): readonly string[] {
  return Array.from({ length: FILES }, (_, n) =>
    join(auditFolder(dataFolder), n === 0 ? 'audit' : `audit.${String(n)}`),
  );
}

export function auditFileIn(dataFolder: string, trouble: (error: unknown) => void, fileBytes = FILE_BYTES): AuditFile {
  return new Lines(dataFolder, trouble, fileBytes);
}

class Lines implements AuditFile {
  readonly #data: string;
  readonly #trouble: (error: unknown) => void;
  readonly #fileBytes: number;
  #waiting = '';
  #file: FileHandle | undefined;
  #size = 0;
  /** The file may end in the middle of a line. */
  #isCut = false;
  #writing: Promise<void> | undefined;

  constructor(data: string, trouble: (error: unknown) => void, fileBytes: number) {
    this.#data = data;
    this.#trouble = trouble;
    this.#fileBytes = fileBytes;
  }

  write(line: object): void {
    if (this.#waiting.length > WAITING_BYTES) {
      this.#trouble(new Error('too much waits to be written: lines are lost'));
      return;
    }
    this.#waiting += `${plainJson(line)}\n`;
    this.#writing ??= this.#all();
  }

  /** One write after another; what the disk did not take waits for the next line, or the end. */
  async #all(): Promise<void> {
    try {
      while (this.#waiting !== '') {
        if (this.#size >= this.#fileBytes) await this.#turn();
        const file = (this.#file ??= await this.#open());
        const taken = this.#waiting;
        const bytes = Buffer.from(this.#isCut ? `\n${taken}` : taken);
        this.#isCut = true;
        await file.appendFile(bytes);
        this.#isCut = false;
        this.#waiting = this.#waiting.slice(taken.length);
        this.#size += bytes.length;
      }
    } catch (error) {
      this.#trouble(error);
      await this.#release().catch(this.#trouble);
    } finally {
      this.#writing = undefined;
    }
  }

  async #open(): Promise<FileHandle> {
    const folder = auditFolder(this.#data);
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is no folder`);
    await chmod(folder, 0o700); // whatever the umask
    const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
    const [path = ''] = auditPaths(this.#data);
    const file = await open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new Error(`${path} is no file`);
      await file.chmod(0o600);
      this.#size = facts.size;
      const last = Buffer.alloc(1);
      if (facts.size > 0) await file.read(last, 0, 1, facts.size - 1);
      this.#isCut = facts.size > 0 && last[0] !== 0x0a;
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The file in use becomes the newest of the former ones; the oldest goes. */
  async #turn(): Promise<void> {
    await this.#release();
    const paths = auditPaths(this.#data);
    for (let n = paths.length - 1; n > 0; n--) {
      await rename(paths[n - 1] ?? '', paths[n] ?? '').catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    }
    this.#size = 0;
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async close(): Promise<void> {
    await this.#writing;
    if (this.#waiting !== '') await (this.#writing = this.#all());
    await this.#release();
  }
}
