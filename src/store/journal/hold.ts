/**
 * A hold on the journal: whoever reads a store that is in use (a backup, a check) asks that no segment be
 * removed for a while, by a file that says until when. One that is forgotten ends by itself.
 */
import { join } from 'node:path';
import type { Files } from './disk.js';
import { readWhole, remove, replaceFile } from './durable.js';
import { fromFile, toFile, type Format } from './formats.js';

export const HOLD_FILE = 'hold.json';
/** A hold lasts this long, in ms; its holder renews it. */
const HOLD_MS = 60_000;

interface Hold {
  /** ms since 1970 */
  readonly until: number;
}

const holdFormat: Format<Hold> = {
  toJson: (hold) => hold,
  fromJson(json) {
    const until = (json as { until?: unknown } | null)?.until;
    return typeof until === 'number' ? { until } : undefined;
  },
};

export async function isHeld(files: Files, folder: string, now: number): Promise<boolean> {
  const bytes = await readWhole(files, join(folder, HOLD_FILE));
  const until = bytes && fromFile(holdFormat, bytes)?.until;
  return until !== undefined && until > now && until <= now + HOLD_MS;
}

export async function hold(files: Files, folder: string, now: number): Promise<void> {
  await replaceFile(files, join(folder, HOLD_FILE), toFile(holdFormat, { until: now + HOLD_MS }));
}

export async function release(files: Files, folder: string): Promise<void> {
  await remove(files, join(folder, HOLD_FILE));
}
