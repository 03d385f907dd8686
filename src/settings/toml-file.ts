/** A file of settings, TOML: checked at its door, and the places of what stands in it. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { SettingMistake } from './mistake.js';

export interface TomlFile {
  /** as it was named */
  readonly path: string;
  readonly text: string;
  readonly top: Readonly<Record<string, unknown>>;
}

/** In bytes. */
const FILE_MAX = 64 * 1024;

/** @param isPersonal refused where another user than this one or root owns it, or its group can write it. @throws SettingMistake */
export function readTomlFile(path: string, isPersonal = false): TomlFile {
  return parseToml(contentOf(path, isPersonal), path);
}

/** A HOME that is no folder, as /dev/null, has none either. */
const nothing: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR']);

/** @returns undefined where there is no such file. @throws SettingMistake */
export function readTomlFileIfThere(path: string, isPersonal = false): TomlFile | undefined {
  try {
    return readTomlFile(path, isPersonal);
  } catch (error) {
    if (error instanceof SettingMistake && nothing.has((error.cause as NodeJS.ErrnoException | undefined)?.code))
      return undefined;
    throw error;
  }
}

function contentOf(path: string, isPersonal: boolean): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SettingMistake(`${path} can't be read (${code ?? 'error'}) — check --config`, { cause: error });
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new SettingMistake(`${path} is not a file — check --config`);
    checkWriters(path, stats, isPersonal);
    if (stats.size > FILE_MAX) throw new SettingMistake(`${path} is longer than 64 KiB — check --config`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(descriptor));
  } catch (error) {
    if (error instanceof TypeError) throw new SettingMistake(`${path} is not UTF-8 — write it anew`);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function checkWriters(path: string, { mode, uid }: Stats, isPersonal: boolean): void {
  if ((mode & 0o002) !== 0)
    throw new SettingMistake(`${path} can be written by anybody — close it with: chmod o-w ${path}`);
  if (!isPersonal) return;
  if (![0, process.geteuid?.()].includes(uid))
    throw new SettingMistake(`${path} belongs to another user — make a copy of your own`);
  if ((mode & 0o020) !== 0)
    throw new SettingMistake(`${path} can be written by its group — close it with: chmod g-w ${path}`);
}

/** @param path its name, for errors. @throws SettingMistake */
export function parseToml(text: string, path: string): TomlFile {
  try {
    return { path, text, top: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    throw new SettingMistake(`${path}:${String(error.line)}: this is no TOML (${what}) — ${adviceOn(what)}`);
  }
}

/** The mistakes of who seldom writes TOML, by the parser's words for them. */
function adviceOn(what: string): string {
  if (what === 'invalid value') return 'a text stands in "…", straight quotes; the rest is a number, true or false';
  if (what.includes('numeric literal')) return 'a number stands alone, without a unit; a text stands in "…"';
  return 'mend that line';
}

/** `FILE:LINE`, or the file alone where it is written in a way that is not looked for. @param key empty: the table itself */
export function placeOf({ path, text }: TomlFile, table: string, key: string): string {
  const line = lineOf(text, table, key);
  return line > 0 ? `${path}:${String(line)}` : path;
}

function lineOf(text: string, table: string, key: string): number {
  const whole = key === '' ? table : `${table}.${key}`;
  const isIt = (name: string): boolean => name === whole || name.startsWith(`${whole}.`);
  let inTable = '';
  for (const [index, each] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*["']?([^"'\]\s]+)["']?\s*\]/.exec(each)?.[1];
    if (header !== undefined) inTable = header;
    const name = header ?? /^\s*["']?([^"'=\s]+)["']?\s*=/.exec(each)?.[1];
    if (name === undefined) continue;
    if (isIt(header === undefined && inTable !== '' ? `${inTable}.${name}` : name)) return index + 1;
  }
  return 0;
}
