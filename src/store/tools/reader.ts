/** A consistent view of a store that a daemon may be using: what the index names, and what the journal holds behind it. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { StoreRefusal } from '../store.js';
import { Disk, type Files } from '../journal/disk.js';
import { exists, readWhole } from '../journal/durable.js';
import { hold, release } from '../journal/hold.js';
import { indexPath, journalFolder } from '../journal/layout.js';
import { Names } from '../journal/names.js';
import { listSegments } from '../journal/open-journal.js';
import { FILE_HEADER, readHeader } from '../journal/record-format.js';
import { Kind, partKey, partOf, readBoundary, type PartKey } from '../journal/records.js';
import { salvage, withoutTornEnd, type Gap } from './salvage.js';
import { readIndex } from '../journal/checkpoint.js';
import { segmentName } from '../journal/segment.js';

/** The hold is renewed this often, in ms. */
const RENEW_MS = 20_000;
/** A store in use may change under a reader, who then begins anew this often at most. */
const TRIES = 5;

/** Work with a long loop calls this now and then, so that timers run. */
export const turn = (): Promise<void> => setImmediate();

/** What is done, of all that there is to do. */
export type Progress = (done: number, total: number) => void;

/** `damage`: something is lost, or can't be reached. `hint`: nothing is. */
export interface Finding {
  readonly level: 'damage' | 'hint';
  readonly path: string;
  readonly what: string;
}

/** Does the work while no segment of the journal is removed. */
export async function withHold<T>(files: Files, folder: string, work: () => Promise<T>): Promise<T> {
  // Without room for the hold it goes on: what is removed meanwhile is noticed, and read anew.
  const renew = (): Promise<void> => hold(files, folder, Date.now()).catch(() => undefined);
  await renew();
  const timer = setInterval(() => void renew(), RENEW_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await release(files, folder).catch(() => undefined); // it ends by itself
  }
}

/** Where a record is in the journal. */
export interface Place {
  /** a segment's file */
  readonly path: string;
  readonly lsn: number;
  readonly at: number;
  readonly length: number;
}

/** A segment as it was read. */
export interface SegmentRead {
  readonly path: string;
  /** the LSN of its first record */
  readonly first: number;
  /** the LSN behind its last sound record */
  readonly next: number;
  /** the offset behind its last sound record */
  readonly end: number;
}

export interface View {
  readonly files: Files;
  readonly folder: string;
  /** accounts and rooms as they are at `lsn` */
  readonly names: Names;
  /** false: the index is damaged, and `names` may lack some */
  readonly isIndexSound: boolean;
  /** LSN: everything up to it is in files */
  readonly settled: number;
  /** the last LSN of the journal */
  readonly lsn: number;
  /** records and bytes of the journal */
  readonly records: number;
  readonly bytes: number;
  readonly segments: readonly SegmentRead[];
  /** the records behind what is settled, by what they belong to */
  readonly places: ReadonlyMap<PartKey, readonly Place[]>;
  /** users ('account') and rooms whose folder the next checkpoint removes */
  readonly deleted: ReadonlySet<PartKey>;
  /** about the index and the journal */
  readonly findings: readonly Finding[];
}

/** Something vanished that was there: a daemon goes on while this reads. */
class Moved extends Error {}

/** Reads the index and the journal; damage is told in `findings`. What the disk throws is thrown. */
export async function openView(files: Files, folder: string): Promise<View> {
  for (let tries = 1; ; tries++) {
    try {
      return await readView(files, folder, tries === TRIES);
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
    }
  }
}

async function readView(files: Files, folder: string, isLast: boolean): Promise<View> {
  const index = await readIndexAsItIs(files, folder);
  const { firsts, settled } = await segmentsThatMatter(files, folder, index.upTo);
  const reader = new JournalReader(files, folder, settled, index.names);
  for (const [n, first] of firsts.entries()) {
    if (!(await reader.read(first, n === firsts.length - 1)) && !isLast) throw new Moved();
  }
  if (!isLast && reader.hasHoles) throw new Moved();
  return reader.view(index);
}

interface IndexRead {
  readonly names: Names;
  /** undefined: it is damaged */
  readonly upTo: number | undefined;
  readonly findings: readonly Finding[];
}

async function readIndexAsItIs(files: Files, folder: string): Promise<IndexRead> {
  const path = indexPath(folder);
  try {
    const read = await readIndex(files, folder);
    if (read) return { names: read.names, upTo: read.index.upTo, findings: [] };
    return { names: new Names(), upTo: undefined, findings: [damage(path, 'is lost')] };
  } catch (error) {
    const names = new Names();
    const bytes = (await readWhole(files, path)) ?? new Uint8Array(0);
    salvage(bytes, 1, (payload) => {
      if (!readBoundary(payload)) names.apply(payload);
    });
    return { names, upTo: undefined, findings: [refused(path, error)] };
  }
}

/**
 * The segments with records behind what is settled. Without an index that says so, it is what lies
 * before the first segment: the journal's records may be applied to the files again.
 */
async function segmentsThatMatter(files: Files, folder: string, upTo: number | undefined) {
  const path = journalFolder(folder);
  const all = (await exists(files, path)) ? await listSegments(new Disk(files), path) : [];
  const settled = upTo ?? Math.max(0, (all[0] ?? 1) - 1);
  const start = all.filter((first) => first <= settled + 1).length - 1;
  return { firsts: all.slice(Math.max(0, start)), settled };
}

class JournalReader {
  readonly #files: Files;
  readonly #folder: string;
  readonly #settled: number;
  readonly #names: Names;
  readonly #segments: SegmentRead[] = [];
  readonly #places = new Map<PartKey, Place[]>();
  readonly #deleted = new Set<PartKey>();
  readonly #findings: Finding[] = [];
  #records = 0;
  #bytes = 0;
  /** Segments are missing. */
  hasHoles = false;

  constructor(files: Files, folder: string, settled: number, names: Names) {
    this.#files = files;
    this.#folder = folder;
    this.#settled = settled;
    this.#names = names;
  }

  /** False where the segment is gone. */
  async read(first: number, isLast: boolean): Promise<boolean> {
    const path = join(journalFolder(this.#folder), segmentName(first));
    const whole = await readWhole(this.#files, path);
    if (!whole) return false;
    const isUnfinished = isLast && this.#segments.length > 0 && whole.length <= FILE_HEADER && !readHeader(whole);
    if (isUnfinished) return true; // nothing was ever written to it
    this.#bytes += whole.length;
    this.#expect(first, path);
    const bytes = isLast ? withoutTornEnd(whole) : whole;
    const found = salvage(bytes, first, (payload, lsn, at) => {
      this.#records++;
      if (lsn > this.#settled) this.#take({ path, lsn, at, length: payload.length }, payload);
    });
    this.#judge(path, bytes.length, found);
    this.#segments.push({ path, first, next: found?.next ?? first, end: found?.end ?? FILE_HEADER });
    await turn();
    return true;
  }

  #expect(first: number, path: string): void {
    const before = this.#segments.at(-1);
    const expected = before ? before.next : Math.min(first, this.#settled + 1);
    if (first === expected) return;
    this.hasHoles = true;
    this.#findings.push(
      damage(
        path,
        first > expected ? `comes behind a gap: ${lost(expected, first - 1)}` : 'overlaps with the one before',
      ),
    );
  }

  #take(place: Place, payload: Uint8Array): void {
    const part = partOf(payload);
    if (!part) {
      this.#findings.push(damage(place.path, `holds an unknown record at byte ${place.at} (LSN ${place.lsn})`));
      return;
    }
    const key = partKey(part.kind, part.id);
    const places = this.#places.get(key);
    if (places) places.push(place);
    else this.#places.set(key, [place]);
    this.#names.apply(payload);
    if (payload[0] === Kind.deleted || payload[0] === Kind.roomDeleted) this.#deleted.add(key);
  }

  #judge(path: string, size: number, found: ReturnType<typeof salvage>): void {
    if (!found) {
      this.#findings.push(damage(path, 'is damaged at its beginning: no record of it can be told'));
      return;
    }
    if (!found.header)
      this.#findings.push(damage(path, 'is damaged at its beginning; what follows is read without it'));
    for (const gap of found.gaps) this.#findings.push(damage(path, gapText(gap)));
    if (found.end < size) this.#findings.push(damage(path, `is damaged from byte ${found.end} to its end`));
  }

  view({ names, upTo, findings }: IndexRead): View {
    const all = [...findings, ...this.#findings];
    const last = this.#segments.at(-1);
    if (!last) all.push(damage(journalFolder(this.#folder), 'holds no journal'));
    const lsn = Math.max(0, (last?.next ?? 1) - 1);
    if (last && upTo !== undefined && lsn < upTo)
      all.push(damage(last.path, `ends at LSN ${lsn}, and the index says ${upTo}: the end of the journal is lost`));
    return {
      files: this.#files,
      folder: this.#folder,
      names,
      isIndexSound: upTo !== undefined,
      settled: this.#settled,
      lsn,
      records: this.#records,
      bytes: this.#bytes,
      segments: this.#segments,
      places: this.#places,
      deleted: this.#deleted,
      findings: all,
    };
  }
}

function gapText({ at, from, to }: Gap): string {
  return from > to ? `is damaged at byte ${at}; no record is lost` : `is damaged at byte ${at}: ${lost(from, to)}`;
}

/** How a range of lost records is told. */
export function lost(from: number, to: number): string {
  return from === to ? `the record of LSN ${from} is lost` : `${to - from + 1} records are lost (LSN ${from} to ${to})`;
}

export function damage(path: string, what: string): Finding {
  return { level: 'damage', path, what };
}

export function hint(path: string, what: string): Finding {
  return { level: 'hint', path, what };
}

/** A refusal as a finding, without the path and the advice. @throws what is no refusal */
export function refused(path: string, error: unknown): Finding {
  if (!(error instanceof StoreRefusal)) throw error;
  const what = error.message.startsWith(`${path} `) ? error.message.slice(path.length + 1) : error.message;
  return damage(path, what.replace(/: (run|restore|remove) .*$/, ''));
}
