/** A text file that the settings name, read at a start and at each reload. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Refusal } from './refusal.js';

/** @param setting that names it, for people. @throws Refusal */
export function namedFile(path: string, setting: string): string {
  let descriptor: number | undefined;
  try {
    /* Not to be waited for: a pipe that nobody writes to would hold up everybody. */
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) throw new Refusal(`${path} is not a file — check ${setting}`);
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`can't read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}) — check ${setting}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
