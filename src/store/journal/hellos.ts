/**
 * The HELLOs seen lately, so that a replay is known after a restart too. Their file is replaced by each
 * checkpoint that met new ones; it names the time from which on none is missing (SPEC 4.4).
 */
import { HELLO_WINDOW_MS } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';
import type { Files } from './disk.js';
import { hellosPath } from './layout.js';
import { readMarked, withFile, writeMarked } from './record-file.js';
import { helloRecord, latin1, readHellos, type Hello } from './records.js';

/** A HELLO passes at most twice its window after it was first seen (one clock ahead, one behind); a margin on top. */
const KEEP_MS = 2 * HELLO_WINDOW_MS + 60_000;
const IN_A_RECORD = 1000;
/** A HELLO that nobody can send: its time is that from which on none is missing. */
const COMPLETE = new Uint8Array(32);

export interface HellosFile {
  readonly hellos: readonly Hello[];
  /** HELLOs of earlier times may be missing, in ms since 1970 */
  readonly complete: number;
}

/** undefined: there is no such file. @throws StoreRefusal where it is damaged */
export async function readHellosFile(files: Files, folder: string): Promise<HellosFile | undefined> {
  const path = hellosPath(folder);
  const all: Hello[] = [];
  const found = await withFile(files, path, (file) =>
    readMarked(file, path, 0, readHellos, (hellos) => {
      for (const hello of hellos) all.push(hello);
    }),
  );
  const [first, ...hellos] = all;
  if (!found) return undefined;
  if (!first || Buffer.compare(first.random, COMPLETE) !== 0) {
    throw new StoreRefusal(`${path} is damaged: remove it; the daemon then waits two minutes before it answers`);
  }
  return { hellos, complete: first.time };
}

export async function writeHellosFile(
  files: Files,
  folder: string,
  { hellos, complete }: HellosFile,
  now: number,
  upTo: number,
): Promise<void> {
  const recent = hellos.filter(({ time }) => time >= now - KEEP_MS);
  const kept = new Map(recent.map((hello) => [latin1(hello.random), hello])).values(); // a checkpoint done again brings them again
  const all = [{ random: COMPLETE, time: complete }, ...kept];
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += IN_A_RECORD) payloads.push(helloRecord(all.slice(at, at + IN_A_RECORD)));
  await writeMarked(files, hellosPath(folder), payloads, upTo);
}

/** The first file of a store. @param fresh the store is new: no HELLO was ever seen, so none is missing */
export async function beginHellos(files: Files, folder: string, now: number, fresh: boolean): Promise<void> {
  // A HELLO seen before the record was lost bears a time up to a window ahead of the clock.
  await writeHellosFile(files, folder, { hellos: [], complete: fresh ? 0 : now + HELLO_WINDOW_MS }, now, 0);
}
