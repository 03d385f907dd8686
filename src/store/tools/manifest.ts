/** What a backup says about itself. It is written last: a backup without it never ended. */
import { join } from 'node:path';
import type { Files } from '../journal/disk.js';
import { readWhole, replaceFile } from '../journal/durable.js';
import { fromFile, toFile, type Format } from '../journal/formats.js';

export const BACKUP_FILE = 'backup.json';

export interface Manifest {
  /** of the store's folder */
  readonly format: number;
  readonly network: string;
  /** the program that made it */
  readonly version: string;
  /** ms since 1970, when it began: everything acknowledged before is in it */
  readonly time: number;
  /** the last number of the journal */
  readonly lsn: number;
  readonly accounts: number;
  readonly rooms: number;
  readonly messages: number;
  readonly bytes: number;
}

/** What a Date can hold, in ms since 1970. */
const LAST_TIME = 8.64e15;

const numbers = ['format', 'time', 'lsn', 'accounts', 'rooms', 'messages', 'bytes'] as const;

const manifestFormat: Format<Manifest> = {
  toJson: (manifest) => manifest,
  fromJson(json) {
    if (typeof json !== 'object' || json === null) return undefined;
    const read = json as Manifest;
    const isWhole = numbers.every((name) => Number.isSafeInteger(read[name]) && read[name] >= 0);
    const isPlain = [read.network, read.version].every(
      (text) => typeof text === 'string' && /^[\w.+-]{1,64}$/.test(text),
    );
    return isWhole && isPlain && read.time <= LAST_TIME ? read : undefined;
  },
};

export async function writeManifest(files: Files, folder: string, manifest: Manifest): Promise<void> {
  await replaceFile(files, join(folder, BACKUP_FILE), toFile(manifestFormat, manifest));
}

/** undefined where there is none that can be read. */
export async function readManifest(files: Files, folder: string): Promise<Manifest | undefined> {
  const bytes = await readWhole(files, join(folder, BACKUP_FILE));
  return bytes && fromFile(manifestFormat, bytes);
}
