/**
 * A copy of a store, running or not, into a folder of its own. The index comes first, the files of users
 * and rooms next, the journal last: each file is then as the index says or newer, and the journal holds
 * all that lies between, so that the copy opens as the store would after a crash at that moment.
 *
 * HELLOs are left out: whoever starts a copy must not vouch for what was seen since (SPEC 4.4).
 */
import { dirname, join } from 'node:path';
import { StoreRefusal } from '../store.js';
import { idsIn } from './check-files.js';
import { check } from './check.js';
import { readIndex } from '../journal/checkpoint.js';
import { Disk, type Files } from '../journal/disk.js';
import { makeFolder, readWhole, syncFolder, writeNew } from '../journal/durable.js';
import { FORMAT, writeFormat } from '../journal/folder.js';
import {
  ACCOUNT_FILE,
  indexPath,
  journalFolder,
  QUEUE_FILE,
  ROOM_FILE,
  ROOMS,
  SETUP_FILE,
  USERS,
} from '../journal/layout.js';
import { SECRETS_FILE, secretsHash, writeManifest, type Manifest } from './manifest.js';
import { listSegments } from '../journal/open-journal.js';
import { readAccountFile, readMail, readRoomFile } from '../journal/part-files.js';
import { turn, type Progress } from './reader.js';
import { FILE_HEADER, readHeader } from '../journal/record-format.js';
import { withFile } from '../journal/record-file.js';
import { latin1 } from '../journal/records.js';
import { salvage, withoutTornEnd } from './salvage.js';
import { segmentName } from '../journal/segment.js';
import { emptyFolder, takeEmptyFolder } from './trees.js';

/** A file that is caught in change is copied again, and a copy that can't be made whole is begun anew, this often at most. */
const TRIES = 3;
const ADVICE = 'run cadenasd check and repair, and keep the backups that you have';

export interface BackupTask {
  /** the store's; its journal is held (reader.ts) */
  readonly folder: string;
  /** where the copy goes: not there yet, or empty */
  readonly to: string;
  readonly network: string;
  readonly version: string;
  readonly now: () => number;
  /** what goes into `secrets.json` */
  readonly secrets: Uint8Array | undefined;
}

/** The journal went on while it was copied, and what the copy needs is gone. */
class Moved extends Error {}

/**
 * @throws StoreRefusal where the store is damaged, or the folder is in use
 * @throws what the disk throws; without its manifest the copy counts as none then
 */
export async function backup(files: Files, task: BackupTask, progress: Progress): Promise<Manifest> {
  const { folder, to, network, version, secrets } = task;
  await takeEmptyFolder(files, to);
  const time = task.now();
  for (let tries = 1; ; tries++) {
    try {
      await copyStore(files, folder, to, (done, total) => {
        progress(done, 2 * total);
      });
      break;
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      if (tries === TRIES) throw new StoreRefusal(`${folder} lacks a part of its journal: ${ADVICE}`);
      await emptyFolder(files, to);
    }
  }
  const { accounts, rooms, messages, bytes, lsn, findings } = await check(files, to, task.now(), (done, total) => {
    progress(total + done, 2 * total);
  });
  const [worst] = findings.filter(({ level }) => level === 'damage');
  if (worst) throw new StoreRefusal(`${worst.path} ${worst.what}: ${ADVICE}`);
  if (secrets) await writeNew(files, join(to, SECRETS_FILE), secrets);
  const whole = { format: FORMAT, network, version, time, lsn, accounts, rooms, messages, bytes };
  const manifest = secrets ? { ...whole, secrets: secretsHash(secrets) } : whole;
  await writeManifest(files, to, manifest);
  await syncFolder(files, dirname(to));
  return manifest;
}

/** @throws Moved, and as `backup` does */
async function copyStore(files: Files, folder: string, to: string, progress: Progress): Promise<void> {
  for (const name of [USERS, ROOMS, 'journal']) await makeFolder(files, join(to, name));
  const settled = await copyIndex(files, folder, to);
  const users = await idsIn(files, join(folder, USERS));
  const rooms = await idsIn(files, join(folder, ROOMS));
  const owners = [...users.map((hex) => [USERS, hex] as const), ...rooms.map((hex) => [ROOMS, hex] as const)];
  for (const [n, [kind, hex]] of owners.entries()) {
    await copyOwner(files, { folder, to, settled }, kind, hex);
    progress(n, owners.length);
    if (n % 16 === 0) await turn();
  }
  await copyJournal(files, folder, to, settled);
  for (const name of [USERS, ROOMS, 'journal']) await syncFolder(files, join(to, name));
  const setup = await readWhole(files, join(folder, SETUP_FILE));
  if (setup) await writeNew(files, join(to, SETUP_FILE), setup);
  await writeFormat(files, to, { format: FORMAT });
}

/** @returns the LSN up to which all is in the files of users and rooms */
function copyIndex(files: Files, folder: string, to: string): Promise<number> {
  return copyFile(files, indexPath(folder), indexPath(to), async () => {
    const read = await readIndex(files, to);
    if (!read) throw new StoreRefusal(`${indexPath(folder)} is lost: ${ADVICE}`);
    return read.index.upTo;
  });
}

interface Copying {
  readonly folder: string;
  readonly to: string;
  readonly settled: number;
}

async function copyOwner(
  files: Files,
  { folder, to, settled }: Copying,
  kind: typeof USERS | typeof ROOMS,
  hex: string,
): Promise<void> {
  const id = latin1(Buffer.from(hex, 'hex'));
  const copy = join(to, kind, hex);
  await makeFolder(files, copy);
  const verify: Readonly<Record<string, (path: string) => Promise<unknown>>> =
    kind === ROOMS
      ? { [ROOM_FILE]: () => readRoomFile(files, to, id, settled) }
      : {
          [ACCOUNT_FILE]: () => readAccountFile(files, to, id),
          [QUEUE_FILE]: (path) => withFile(files, path, (file) => readMail(file, path, id, settled)),
        };
  for (const [name, sound] of Object.entries(verify)) {
    const path = join(copy, name);
    await copyFile(files, join(folder, kind, hex, name), path, () => sound(path));
  }
  await syncFolder(files, copy);
}

/**
 * Copies a file durably, if it is there, again where the copy is not sound.
 * @param verify reads the copy, if there is one
 * @throws StoreRefusal where the file itself is damaged
 */
async function copyFile<T>(files: Files, from: string, to: string, verify: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const bytes = await readWhole(files, from);
    if (bytes) await writeNew(files, to, bytes);
    try {
      return await verify();
    } catch (error) {
      if (!(error instanceof StoreRefusal)) throw error;
      if (tries === TRIES) throw new StoreRefusal(`${from} is damaged: ${ADVICE}`);
    }
  }
}

async function copyJournal(files: Files, folder: string, to: string, settled: number): Promise<void> {
  const from = journalFolder(folder);
  const all = await listSegments(new Disk(files), from);
  const start = all.filter((first) => first <= settled + 1).length - 1;
  const firsts = all.slice(Math.max(0, start));
  let expected: number | undefined;
  for (const [n, first] of firsts.entries()) {
    const isLast = n === firsts.length - 1;
    if (first > (expected ?? settled + 1)) throw new Moved();
    const whole = await readWhole(files, join(from, segmentName(first)));
    if (!whole) throw new Moved();
    if (isLast && n > 0 && whole.length <= FILE_HEADER && !readHeader(whole)) return; // nothing was ever written to it
    const bytes = isLast ? withoutTornEnd(whole) : whole;
    expected = soundEnd(join(from, segmentName(first)), bytes, first);
    await writeNew(files, join(journalFolder(to), segmentName(first)), bytes);
    await turn();
  }
  if (expected === undefined) throw new Moved();
}

/** The LSN behind the last record. @throws StoreRefusal where any is damaged */
function soundEnd(path: string, bytes: Uint8Array, first: number): number {
  const found = salvage(bytes, first, () => undefined);
  if (!found?.header || found.gaps.length > 0 || found.end < bytes.length)
    throw new StoreRefusal(`${path} is damaged: ${ADVICE}`);
  return found.next;
}
