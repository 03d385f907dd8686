/** What the operator's commands have in common: where the store is, who may use it, and how they speak. */
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { NAME_MAX, NAME_MIN, toName } from '../../../protocol/index.js';
import { takeLock, type InstanceLock } from '../../ops/instance-lock.js';
import { plainJson, plainLine } from '../../plain/plain.js';
import { errorCode } from '../../store/journal/disk.js';
import { journalFolder } from '../../store/journal/layout.js';
import { withHold } from '../../store/tools/reader.js';
import { syncFiles } from '../../store/tools/sync-files.js';
import { noProgress, ProgressBar } from './progress.js';

export const Exit = { done: 0, mistake: 1, failed: 2, damaged: 3 } as const;
export type ExitCode = (typeof Exit)[keyof typeof Exit];

/** What the operator can mend: one line, `what happened — what to do`. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

export interface Where {
  readonly network: string;
  readonly data: string;
  /** for programs; absent where a command always speaks so */
  readonly json?: boolean;
}

/** A user's name as it was typed, with or without @. @throws Mistake where nobody can have it */
export function userName(typed: string): string {
  const name = toName(typed);
  if (name === undefined)
    throw new Mistake(
      `no account can have this name — write @ and ${String(NAME_MIN)} to ${String(NAME_MAX)} of a-z, 0-9 and _, the first a letter`,
    );
  return name;
}

export function unknownUser(name: string, folder: string): Mistake {
  return new Mistake(`no account in ${folder} has the name @${name} — check the name, --data and --network`);
}

/** The commands' way to the disk: they have nothing else to do meanwhile. */
export const files = syncFiles;

export function folderOf({ data, network }: Where): string {
  return resolve(join(data, network));
}

/** Speaks in lines for people, or in one JSON object a line. */
export class Speech {
  readonly #json: boolean | undefined;
  readonly progress: Pick<ProgressBar, 'begin' | 'report' | 'end'>;

  constructor({ json }: Pick<Where, 'json'>) {
    this.#json = json;
    this.progress = json ? noProgress : new ProgressBar(process.stderr, Date.now);
  }

  /** What stands above columns: for people alone. */
  title(line: string): void {
    if (!this.#json) process.stdout.write(`${line}\n`);
  }

  /** @param lines what people read instead */
  say(type: string, fields: Readonly<Record<string, unknown>>, ...lines: readonly string[]): void {
    this.progress.end();
    const text = this.#json ? [plainJson({ type, ...fields })] : lines.map(plainLine);
    process.stdout.write(text.map((line) => `${line}\n`).join(''));
  }
}

/** Lines of a name and what belongs to it. */
export function table(rows: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(rows).map(([name, value]) => `${name.padEnd(10)} ${number(value)}`);
}

/** With thin groups of thousands, as people read it. */
export function number(value: string | number): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : value;
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}

/**
 * Holds the store against the daemon and every other command.
 * @param advice what to do where a daemon runs
 * @throws Mistake where one of them has it
 */
export async function alone<T>(
  folder: string,
  work: () => Promise<T>,
  advice = 'stop it first: this needs the store for itself',
): Promise<T> {
  return locked(folder, `a cadenasd runs on ${folder} — ${advice}`, () => oneReader(folder, work));
}

/** Reads the store while a daemon may use it; no other command does meanwhile. */
export function beside<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return oneReader(folder, () => withHold(files, folder, work));
}

/* One at a time: the hold of one that ends would be the other's too. */
function oneReader<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const why = `another command of cadenasd works on ${folder} — wait until it has ended`;
  return locked(journalFolder(folder), why, work);
}

export async function locked<T>(folder: string, why: string, work: () => Promise<T>): Promise<T> {
  let lock: InstanceLock | undefined;
  try {
    lock = await takeLock(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return work(); // it is lost: nobody works on it
    throw error;
  }
  if (!lock) throw new Mistake(why);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** @throws Mistake where there is nobody to ask, or the answer is no */
export async function confirm(question: string, yes = false): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Mistake('this needs a yes, and there is no terminal to ask on — add --yes');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = once(asking, 'close').then(() => ''); // Ctrl-D
    const asked = asking.question(`${question} [y/N] `).catch(() => ''); // Ctrl-C
    const answer = await Promise.race([asked, closed]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Mistake('nothing was done — it was not confirmed');
  } finally {
    asking.close();
  }
}
