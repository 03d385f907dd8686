/**
 * A checkpoint of one closed segment of the journal: what its records say goes into the files of the
 * parts; the caller then enters it in the index. Works on files alone, never on what the store holds in memory, so it
 * runs in a thread of its own; done twice, or killed between any two steps and done again, it leads to
 * the same. Nothing of the journal is removed here.
 */
import { join } from 'node:path';
import { HELLO_WINDOW_MS } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';
import { someAtOnce } from './at-once.js';
import type { Files } from './disk.js';
import { exists, makeFolder, removeFolder, replaceFile, syncFolder } from './durable.js';
import { accountFileFormat, toFile } from './formats.js';
import { readHellosFile, writeHellosFile, type HellosFile } from './hellos.js';
import { ACCOUNT_FILE, ROOMS, roomFolder, userFolder, USERS, WAITING_FILE } from './layout.js';
import { mailRecords, MailState, parseMail } from './mail.js';
import { indexRecord } from './names.js';
import { mayBeOld, queuePath, readAccountFile, readMail, readRoomFile, roomPath } from './part-files.js';
import {
  appendMarked,
  readLastMark,
  readMarked,
  recordBytes,
  scanFile,
  withFile,
  writeMarked,
  type MarkedFile,
} from './record-file.js';
import { FILE_HEADER } from './record-format.js';
import {
  accountKinds,
  Kind,
  partKey,
  partOf,
  readHellos,
  removedRecord,
  type Hello,
  type PartKind,
} from './records.js';

/**
 * A file is replaced when more than half of it is dead, and whenever something in it is dead where it is
 * shorter than this, in bytes: what was acknowledged leaves the disk.
 */
const SHORT = 64 * 1024;
/** What the marks of some groups take is not worth it. */
const MARKS = 1024;
/** What a group takes besides its records. */
const GROUP = 2 * recordBytes(7);

export interface FoldTask {
  /** the store's */
  readonly folder: string;
  /** a closed segment's file */
  readonly path: string;
  /** LSN of its last record */
  readonly upTo: number;
  /** LSN up to which all was in files before */
  readonly settled: number;
  /** ms since 1970 */
  readonly now: number;
}

interface Group {
  readonly kind: PartKind;
  readonly id: string;
  readonly payloads: Uint8Array[];
}

interface Records {
  readonly groups: readonly Group[];
  readonly hellos: readonly Hello[];
  /** for the index, the last one of each part */
  readonly names: readonly Uint8Array[];
  readonly deletedUsers: ReadonlySet<string>;
  readonly deletedRooms: ReadonlySet<string>;
}

export interface Folded {
  /** records for the index */
  readonly names: readonly Uint8Array[];
  /** what an operator should know: files that are damaged, beside which what came for them waits */
  readonly notes: readonly string[];
}

/** @throws StoreRefusal where the segment is damaged */
export async function foldSegment(files: Files, task: FoldTask): Promise<Folded> {
  const records = await readRecords(files, task);
  const notes: string[] = [];
  const { folder } = task;
  await makeFolders(files, folder, records);
  await someAtOnce(records.groups, async (group) => {
    try {
      await foldGroup(files, task, group, records);
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error;
      notes.push(error.message);
      await putBeside(files, task, group);
    }
  });
  await removeFolders(files, folder, records);
  if (records.hellos.length > 0) notes.push(...(await foldHellos(files, task, records.hellos)));
  return { names: records.names, notes };
}

async function readRecords(files: Files, { path: segment, settled, upTo }: FoldTask): Promise<Records> {
  const groups = new Map<string, Group>();
  const hellos: Hello[] = [];
  const names = new Map<string, Uint8Array>();
  const deletedUsers = new Set<string>();
  const deletedRooms = new Set<string>();
  const take = (payload: Uint8Array, lsn: number): void => {
    if (lsn <= settled) return;
    const part = partOf(payload);
    if (!part) throw new StoreRefusal(`${segment} holds an unknown record`);
    const { kind, id } = part;
    if (kind === 'hello') {
      hellos.push(...(readHellos(payload) ?? []));
      return;
    }
    if (payload[0] === Kind.deleted) deletedUsers.add(id);
    if (payload[0] === Kind.roomDeleted) deletedRooms.add(id);
    const name = indexRecord(payload);
    /* That an invitation was used outlives whatever becomes of its account. */
    if (name) names.set((name[0] === Kind.used ? 'used' : kind === 'room' ? 'room' : 'user') + id, name);
    const key = partKey(kind, id);
    const group = groups.get(key);
    if (group) group.payloads.push(payload);
    else groups.set(key, { kind, id, payloads: [payload] });
  };
  const scan = await withFile(files, segment, (file) => scanFile(file, segment, take));
  if (scan?.next !== upTo + 1) throw new StoreRefusal(`${segment} lacks records: run cadenasd repair`);
  return { groups: [...groups.values()], hellos, names: [...names.values()], deletedUsers, deletedRooms };
}

function ownFolder(folder: string, { kind, id }: Group): string {
  return kind === 'room' ? roomFolder(folder, id) : userFolder(folder, id);
}

function isDeleted({ kind, id }: Group, { deletedUsers, deletedRooms }: Records): boolean {
  return kind === 'room' ? deletedRooms.has(id) : deletedUsers.has(id);
}

/** Records with which an account or a room begins. */
const firsts: ReadonlySet<number> = new Set([...accountKinds, Kind.room]);

/** Folders of users and rooms that began in this segment. */
async function makeFolders(files: Files, folder: string, records: Records): Promise<void> {
  const made = new Set<string>();
  for (const group of records.groups) {
    if (isDeleted(group, records)) continue;
    const path = ownFolder(folder, group);
    const begins = group.payloads.some(([kind = -1]) => firsts.has(kind));
    if (!begins) continue;
    await makeFolder(files, path); // it may be there, but not synced, when this is done again
    made.add(group.kind === 'room' ? ROOMS : USERS);
  }
  for (const name of made) await syncFolder(files, join(folder, name));
}

async function removeFolders(files: Files, folder: string, records: Records): Promise<void> {
  for (const [ids, path, name] of [
    [records.deletedUsers, userFolder, USERS],
    [records.deletedRooms, roomFolder, ROOMS],
  ] as const) {
    for (const id of ids) await removeFolder(files, path(folder, id));
    if (ids.size > 0) await syncFolder(files, join(folder, name));
  }
}

async function foldGroup(files: Files, task: FoldTask, group: Group, records: Records): Promise<void> {
  if (isDeleted(group, records)) return;
  const own = ownFolder(task.folder, group);
  if (!(await exists(files, own))) throw new StoreRefusal(`${own} is lost: restore a backup`);
  if (group.kind === 'account') await foldAccount(files, task, group);
  else if (group.kind === 'mail') await foldMail(files, task, group);
  else await foldRoom(files, task, group);
}

async function foldAccount(files: Files, { folder, upTo }: FoldTask, { id, payloads }: Group): Promise<void> {
  const found = await readAccountFile(files, folder, id);
  const isDone = found.upTo >= upTo;
  if (!isDone) for (const payload of payloads) found.state.apply(payload);
  const path = join(userFolder(folder, id), ACCOUNT_FILE);
  const value = found.state.toFile(Math.max(found.upTo, upTo));
  if (!value) throw new StoreRefusal(`${path} is lost: restore a backup`);
  await replaceFile(files, path, toFile(accountFileFormat, value));
}

async function foldMail(files: Files, task: FoldTask, { id, payloads }: Group): Promise<void> {
  const { folder, upTo, settled, now } = task;
  const path = queuePath(folder, id);
  if (payloads.every(([kind]) => kind === Kind.queued)) {
    const end = await withFile(files, path, async (file) =>
      (await mayBeOld(file, now)) ? undefined : readLastMark(file),
    );
    if (end && end.upTo <= settled) {
      await appendMarked(files, path, end, payloads, upTo); // whatever else is in there: this comes behind it
      return;
    }
  }
  const before = await withFile(files, path, (file) => readMail(file, path, id, settled));
  const state = before?.state ?? new MailState();
  const inFile = new Set(state.entries.values().map((kept) => kept.id));
  const fresh = before && before.found.upTo >= upTo ? [] : payloads;
  for (const payload of fresh) {
    const change = parseMail(payload);
    if (!change) throw new StoreRefusal(`${path}: the journal holds an unknown record for it`);
    state.apply(change);
  }
  state.expire(now);
  state.forgetReplies(now);
  await writeMail(files, path, { state, found: before?.found }, news(id, fresh, state, inFile), upTo);
}

/** Of these records, those that say something that still matters. */
function news(uid: string, payloads: readonly Uint8Array[], state: MailState, inFile: ReadonlySet<string>) {
  const out: Uint8Array[] = [];
  for (const payload of payloads) {
    const change = parseMail(payload);
    // An id may come again when the entry that had it is gone: the one that is left is meant.
    if (change?.kind === 'queued' && state.entries.get(change.kept.id)?.payload === payload) out.push(payload);
    if (change?.kind === 'reply') out.push(payload);
    if (change?.kind === 'removed') {
      const ids = change.ids.filter((each) => inFile.has(each));
      if (ids.length > 0) out.push(removedRecord(uid, ids));
    }
  }
  return out;
}

async function writeMail(
  files: Files,
  path: string,
  { state, found }: { state: MailState; found: MarkedFile | undefined },
  payloads: readonly Uint8Array[],
  upTo: number,
): Promise<void> {
  await writePart(files, path, found, { all: mailRecords(state), news: payloads, upTo });
}

async function foldRoom(files: Files, { folder, upTo, settled }: FoldTask, { id, payloads }: Group): Promise<void> {
  const path = roomPath(folder, id);
  const { state, found } = await readRoomFile(files, folder, id, settled);
  const fresh = found && found.upTo >= upTo ? [] : payloads;
  for (const payload of fresh) state.apply(payload);
  if (!state.value) throw new StoreRefusal(`${path} is lost: restore a backup`);
  /* What was said before the newest messages leaves the disk now, however long the file is (SPEC 9.11). */
  await writePart(files, path, found, { all: state.snapshot(), news: fresh, upTo }, Infinity);
}

interface Content {
  /** records that amount to all of the part */
  readonly all: readonly Uint8Array[];
  /** records that lead there from what the file holds */
  readonly news: readonly Uint8Array[];
  readonly upTo: number;
}

/**
 * Appends, or replaces the file where most of it would be dead. Where an earlier try has done it already,
 * the file is written anew: nobody knows whether that try came to its sync.
 */
async function writePart(
  files: Files,
  path: string,
  found: MarkedFile | undefined,
  { all, news: added, upTo }: Content,
  short = SHORT,
): Promise<void> {
  if (!found && all.length === 0) return;
  const live = FILE_HEADER + GROUP + sizeOf(all);
  const garbage = (found?.end ?? 0) + GROUP + sizeOf(added) - live;
  const isDead = garbage > live || (garbage > MARKS && live < short) || all.length === 0;
  if (!found || isDead) await writeMarked(files, path, all, Math.max(found?.upTo ?? 0, upTo));
  else if (found.upTo >= upTo) await writeMarked(files, path, all, found.upTo);
  else await appendMarked(files, path, found, added, upTo);
}

function sizeOf(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, { length }) => sum + recordBytes(length), 0);
}

async function foldHellos(files: Files, { folder, now, upTo }: FoldTask, news: readonly Hello[]): Promise<string[]> {
  const notes: string[] = [];
  const lost: HellosFile = { hellos: [], complete: now + HELLO_WINDOW_MS };
  const before = await readHellosFile(files, folder).catch((error: unknown) => {
    if (!(error instanceof StoreRefusal)) throw error;
    notes.push(error.message);
    return lost;
  });
  const { hellos, complete } = before ?? lost;
  await writeHellosFile(files, folder, { hellos: [...hellos, ...news], complete }, now, upTo);
  return notes;
}

/** What comes for a part whose file is damaged is kept beside it, for the repair. */
async function putBeside(files: Files, { folder, upTo, settled }: FoldTask, group: Group): Promise<void> {
  const own = ownFolder(folder, group);
  if (!(await exists(files, own))) await makeFolder(files, own);
  await syncFolder(files, join(own, '..'));
  const path = join(own, `${group.kind}.${WAITING_FILE}`);
  const all: Uint8Array[] = [];
  const found = await withFile(files, path, (file) =>
    readMarked(
      file,
      path,
      settled,
      (payload) => payload,
      (payload) => all.push(payload),
    ),
  );
  const isDone = found !== undefined && found.upTo >= upTo;
  const news = isDone ? [] : group.payloads;
  await writePart(files, path, found, { all: [...all, ...news], news, upTo });
}
