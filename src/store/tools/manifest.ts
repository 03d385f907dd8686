/** What a backup says about itself. It is written last: a backup without it never ended. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Files } from '../journal/disk.js';
import { readWhole, replaceFile } from '../journal/durable.js';
import { fromFile, toFile, type Format } from '../journal/formats.js';

export const BACKUP_FILE = 'backup.json';
/** What accounts hang on besides the data, as the caller gave it. */
export const SECRETS_FILE = 'secrets.json';

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
  /** SHA-256 of `secrets.json`, hexadecimal; absent where the backup has none */
  readonly secrets?: string;
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
    const isHash = read.secrets === undefined || /^[0-9a-f]{64}$/.test(read.secrets);
    return isWhole && isPlain && isHash && read.time <= LAST_TIME ? read : undefined;
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

export function secretsHash(secrets: Uint8Array): string {
  return createHash('sha256').update(secrets).digest('hex');
}

/** The secrets of a backup, as they were given; undefined where there are none, or not those. */
export async function readSecrets(files: Files, folder: string, manifest: Manifest): Promise<Uint8Array | undefined> {
  if (manifest.secrets === undefined) return undefined;
  const bytes = await readWhole(files, join(folder, SECRETS_FILE));
  return bytes && secretsHash(bytes) === manifest.secrets ? bytes : undefined;
}
