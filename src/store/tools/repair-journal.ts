/**
 * A damaged journal with what is sound in it. Its numbers have to go on without a gap, so a record that
 * says nothing takes the place of one that is lost; so it does for what belongs to an account or room
 * whose making is among what is lost.
 */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import { readWhole, remove, replaceFile, syncFolder } from '../journal/durable.js';
import type { Files } from '../journal/disk.js';
import { journalFolder } from '../journal/layout.js';
import type { Names } from '../journal/names.js';
import { lost, type View } from './reader.js';
import { encodeHeader, encodeRecords, newHeader } from '../journal/record-format.js';
import { accountKinds, helloRecord, idOf, Kind, partOf, readAccount, readRoom } from '../journal/records.js';
import { salvage, withoutTornEnd } from './salvage.js';
import { segmentName } from '../journal/segment.js';

/** Numbers that are filled at most: more are missing only where files were mixed up. */
const MAX_FILL = 5_000_000;
/** A record that names no HELLO. */
const nothing = helloRecord([]);

/** An account or a room. */
export interface Owner {
  readonly kind: 'account' | 'room';
  readonly id: string;
}

export interface JournalRepair {
  /** what is lost, in lines */
  readonly told: readonly string[];
  /** records behind what is settled that are kept */
  readonly kept: number;
  /** files that are put in quarantine first */
  readonly damaged: readonly string[];
  /** LSN: the index has to say that all up to it is in files */
  readonly settled: number;
  /** those that gave way to another one of the same name: their deletion is among what is lost */
  readonly gone: readonly Owner[];
  apply(files: Files): Promise<void>;
}

interface Rewritten {
  readonly path: string;
  readonly first: number;
  /** undefined: lost */
  readonly slots: (Uint8Array | undefined)[];
  isChanged: boolean;
}

/**
 * @param names as they are where what is settled ends; changed here
 * @param newest the highest LSN that any file says is in it
 * @throws StoreRefusal where so much is missing that only a backup helps
 */
export async function repairJournal(view: View, names: Names, newest: number): Promise<JournalRepair> {
  const { settled, lsn } = view;
  const all = await readSlots(view);
  const last = all.at(-1);
  if (!last || lsn < settled) return beginAnew(view, Math.max(settled, newest));
  fill(last, newest + 1);
  const begin = Math.max(settled, (all[0]?.first ?? 1) - 1);
  const told = begin > settled ? [lost(settled + 1, begin)] : [];
  const orphans = new Map<string, number>();
  const gone: Owner[] = [];
  let kept = 0;
  for (const segment of all) {
    told.push(...lostRanges(segment, settled));
    for (const [n, payload] of segment.slots.entries()) {
      if (!payload || segment.first + n <= settled) continue;
      const part = partOf(payload);
      if (part && isReachable(payload, part.id, names)) {
        kept++;
        const other = takenBy(payload, names);
        if (other) gone.push(other);
        names.apply(payload);
        continue;
      }
      segment.slots[n] = undefined;
      segment.isChanged = true;
      const hex = Buffer.from(part?.id ?? '', 'latin1').toString('hex');
      orphans.set(hex, (orphans.get(hex) ?? 0) + 1);
    }
  }
  for (const [hex, count] of orphans)
    told.push(`${count} records of ${hex}, whose making is among what is lost, are dropped`);
  const changed = all.filter(({ isChanged }) => isChanged);
  return {
    told,
    kept,
    damaged: changed.map(({ path }) => path),
    settled: begin,
    gone,
    apply: async (files) => {
      for (const { path, first, slots } of changed) {
        const header = newHeader(first);
        const records = encodeRecords(
          slots.map((payload) => payload ?? nothing),
          header.salt,
          first,
          'own',
        );
        await replaceFile(files, path, Buffer.concat([encodeHeader(header), records]));
      }
    },
  };
}

/** All segments, those that are missing too, each with a place for every number up to the next one's. */
async function readSlots({ files, segments }: View): Promise<Rewritten[]> {
  const out: Rewritten[] = [];
  for (const [n, { path, first }] of segments.entries()) {
    const whole = (await readWhole(files, path)) ?? new Uint8Array(0);
    const bytes = n === segments.length - 1 ? withoutTornEnd(whole) : whole;
    const slots: (Uint8Array | undefined)[] = [];
    const found = salvage(bytes, first, (payload, seq) => {
      if (seq - first > MAX_FILL) throw tooMuch(path);
      while (slots.length < seq - first) slots.push(undefined);
      slots.push(payload);
    });
    const next = segments[n + 1]?.first;
    if (next !== undefined) slots.length = Math.min(slots.length, next - first);
    const isChanged = !found?.header || found.gaps.length > 0 || found.end < bytes.length;
    const segment = { path, first, slots, isChanged };
    if (next !== undefined) fill(segment, next);
    out.push(segment);
  }
  return out;
}

/** Makes the segment's numbers go up to the one before `next`. */
function fill(segment: Rewritten, next: number): void {
  const missing = next - segment.first - segment.slots.length;
  if (missing > MAX_FILL) throw tooMuch(segment.path);
  for (let n = 0; n < missing; n++) segment.slots.push(undefined);
  if (missing > 0) segment.isChanged = true;
}

function tooMuch(path: string): StoreRefusal {
  return new StoreRefusal(`${path} and the next one are too far apart: restore a backup`);
}

/** Nothing in the journal matters any more: all of it is in files, or lost. */
function beginAnew({ folder, segments }: View, settled: number): JournalRepair {
  const path = join(journalFolder(folder), segmentName(settled + 1));
  return {
    told: ['the journal is lost: all changes since the last checkpoint are'],
    kept: 0,
    damaged: segments.map((segment) => segment.path),
    settled,
    gone: [],
    apply: async (files) => {
      for (const segment of segments) await remove(files, segment.path);
      await replaceFile(files, path, encodeHeader(newHeader(settled + 1)));
      await syncFolder(files, journalFolder(folder));
    },
  };
}

function lostRanges({ first, slots }: Rewritten, settled: number): string[] {
  const out: string[] = [];
  let from: number | undefined;
  for (let n = 0; n <= slots.length; n++) {
    const isLost = n < slots.length && slots[n] === undefined && first + n > settled;
    if (isLost) from ??= first + n;
    else if (from !== undefined) {
      out.push(lost(from, first + n - 1));
      from = undefined;
    }
  }
  return out;
}

/** Whether what the record is about is there. */
function isReachable(payload: Uint8Array, id: string, names: Names): boolean {
  switch (payload[0]) {
    case Kind.hello:
    case Kind.account:
    case Kind.profile:
    case Kind.room:
    case Kind.deleted:
    case Kind.roomDeleted:
      return true;
    case Kind.said:
      return names.room(id) !== undefined;
    default:
      return names.name(id) !== undefined;
  }
}

/** The account or room that has the name which this record gives to another. */
function takenBy(payload: Uint8Array, names: Names): Owner | undefined {
  const own = idOf(payload);
  if (accountKinds.includes(payload[0] ?? -1)) {
    const account = readAccount(payload);
    const other = account && names.uid(account.name);
    return other === undefined || other === own ? undefined : { kind: 'account', id: other };
  }
  if (payload[0] !== Kind.room) return undefined;
  const room = readRoom(payload);
  const other = room && names.roomId(room.name);
  return other === undefined || other === own ? undefined : { kind: 'room', id: other };
}
