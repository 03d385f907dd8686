/** What a vector file looks like: JSON that formatters leave as it is, byte strings in lower-case hexadecimal. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex } from '../../protocol/index.js';

/* The tests and `npm run vectors` run from the project's root; compiled code lies elsewhere. */
export const vectorsFolder = join(process.cwd(), 'protocol', 'vectors');
export const specFile = join(process.cwd(), 'protocol', 'SPEC.md');
export const wordsFile = join(process.cwd(), 'protocol', 'words.txt');
export const keysFile = join(process.cwd(), 'test', 'vectors', 'keys.json');

export type Json = string | number | { readonly [key: string]: Json } | readonly Json[];

export interface Vector {
  /** decides what the other members are; SPEC 11 lists them */
  readonly kind: string;
  /** for a reader: the case in one sentence */
  readonly what: string;
  readonly expect: 'accepted' | 'refused';
  /** where `expect` is `refused`: the one step that refuses */
  readonly step?: string;
  readonly [key: string]: Json | undefined;
}

/** Values as they stand in a vector: bytes become hexadecimal, everything else stays. */
export function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
  throw new TypeError(`a vector holds no ${typeof value}`);
}

export function vectorText(vector: Vector): string {
  return `${JSON.stringify(vector, undefined, 2)}\n`;
}

/** All vectors of a folder by file name, without `.json`. */
export async function readVectors(): Promise<ReadonlyMap<string, Vector>> {
  const files = (await readdir(vectorsFolder)).filter((file) => file.endsWith('.json')).sort();
  const read = async (file: string): Promise<readonly [string, Vector]> => [
    file.slice(0, -'.json'.length),
    JSON.parse(await readFile(join(vectorsFolder, file), 'utf8')) as Vector,
  ];
  return new Map(await Promise.all(files.map(read)));
}

/** Writes only what changed, so that an unchanged tree keeps its times. */
export async function writeChanged(path: string, text: string): Promise<boolean> {
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // a new file
    throw error;
  });
  if (before === text) return false;
  await writeFile(path, text);
  return true;
}
