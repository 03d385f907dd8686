/** What is in the folder of a store, and whose it is; not what the files say. */
import { join } from 'node:path';
import { errorCode, type Facts, type Files } from '../journal/disk.js';
import { exists, TEMPORARY } from '../journal/durable.js';
import { HOLD_FILE } from '../journal/hold.js';
import {
  ACCOUNT_FILE,
  FORMAT_FILE,
  hellosPath,
  indexPath,
  journalFolder,
  QUEUE_FILE,
  ROOM_FILE,
  ROOMS,
  SETUP_FILE,
  USERS,
  WAITING_FILE,
} from '../journal/layout.js';
import { BACKUP_FILE, SECRETS_FILE } from './manifest.js';
import { damage, hint, type Finding } from './reader.js';
import { segmentFirst } from '../journal/segment.js';

export interface FolderChecked {
  readonly findings: readonly Finding[];
  /** what is in it */
  readonly names: readonly string[];
  /** of its files */
  readonly bytes: number;
}

/** What may be in a folder, and what it is. */
type Known = (name: string) => 'file' | 'folder' | 'waiting' | undefined;

const isId = (name: string): boolean => /^[0-9a-f]{32}$/.test(name);
const ids: Known = (name) => (isId(name) ? 'folder' : undefined);
const segments: Known = (name) => (segmentFirst(name) === undefined ? undefined : 'file');

function oneOf(table: Readonly<Record<string, ReturnType<Known>>>): Known {
  return (name) => (Object.hasOwn(table, name) ? table[name] : undefined);
}

const ofUser = oneOf({
  [ACCOUNT_FILE]: 'file',
  [QUEUE_FILE]: 'file',
  [`account.${WAITING_FILE}`]: 'waiting',
  [`mail.${WAITING_FILE}`]: 'waiting',
});
const ofRoom = oneOf({ [ROOM_FILE]: 'file', [`room.${WAITING_FILE}`]: 'waiting' });
/** Beside what is the store's own: the daemon's record of unauthorised attempts. */
const AUDIT = 'audit';
/** The socket by which the daemon is asked, left there where it was killed. */
const CONTROL = 'control.sock';
const ofAudit: Known = (name) => (/^audit(\.[0-9])?$/.test(name) ? 'file' : undefined);
const ofStore = oneOf({
  [USERS]: 'folder',
  [ROOMS]: 'folder',
  journal: 'folder',
  index: 'file',
  hellos: 'file',
  [AUDIT]: 'folder',
  [CONTROL]: 'file',
  [FORMAT_FILE]: 'file',
  [HOLD_FILE]: 'file',
  [SETUP_FILE]: 'file',
  [BACKUP_FILE]: 'file',
  [SECRETS_FILE]: 'file',
});

/** The ids by which folders of users or rooms are named, in hexadecimal. */
export async function idsIn(files: Files, folder: string): Promise<string[]> {
  return (await namesIn(files, folder)).filter(isId);
}

/** A user's folder, or a room's. */
export function checkOwnerFolder(files: Files, path: string, isRoom: boolean): Promise<FolderChecked> {
  return checkFolder(files, path, isRoom ? ofRoom : ofUser);
}

/** The folder of a store, without those of users and rooms. */
export async function checkStoreFolder(files: Files, folder: string): Promise<FolderChecked> {
  const all = [await checkFolder(files, folder, ofStore), await checkFolder(files, join(folder, AUDIT), ofAudit)];
  for (const [path, known] of [
    [join(folder, USERS), ids],
    [join(folder, ROOMS), ids],
    [journalFolder(folder), segments],
  ] as const) {
    const checked = await checkFolder(files, path, known);
    all.push(checked);
    if (!(await exists(files, path))) all.push({ findings: [damage(path, 'is lost')], names: [], bytes: 0 });
  }
  const size = async (path: string): Promise<number> => (await factsOf(files, path))?.size ?? 0;
  const bytes = (await size(indexPath(folder))) + (await size(hellosPath(folder)));
  return { findings: all.flatMap(({ findings }) => findings), names: [], bytes };
}

async function checkFolder(files: Files, path: string, known: Known): Promise<FolderChecked> {
  const own = await factsOf(files, path);
  if (!own) return { findings: [], names: [], bytes: 0 };
  const findings = checkFacts(path, own, true);
  if (findings.some(({ level }) => level === 'damage')) return { findings, names: [], bytes: 0 };
  const names = await namesIn(files, path);
  let bytes = 0;
  for (const name of names) {
    const file = join(path, name);
    const found = await factsOf(files, file);
    if (!found) continue; // a checkpoint goes on
    if (!found.isDirectory()) bytes += found.size;
    findings.push(...checkItem(file, found, known(name)));
  }
  return { findings, names, bytes };
}

function checkItem(path: string, found: Facts, what: ReturnType<Known>): Finding[] {
  if (what === 'folder') return found.isDirectory() ? [] : checkFacts(path, found, true); // it is looked at itself
  if (what === 'file') return checkFacts(path, found, false);
  if (what === 'waiting') return [damage(path, 'holds what came for a damaged file since')];
  if (path.endsWith(TEMPORARY)) return [hint(path, 'is a write under way, or left of one that never ended')];
  return [hint(path, 'is nothing that the daemon knows')];
}

function checkFacts(path: string, found: Facts, isFolder: boolean): Finding[] {
  if (found.isSymbolicLink()) return [damage(path, 'is a symbolic link')];
  if (found.isDirectory() !== isFolder) return [damage(path, isFolder ? 'is no folder' : 'is no file')];
  const out: Finding[] = [];
  const user = process.getuid?.();
  if (user !== undefined && found.uid !== user)
    out.push(hint(path, `belongs to user ${found.uid}, not to ${user} who runs this`));
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    const why = isFolder ? ' (the daemon does not start on it)' : '';
    out.push(hint(path, `has mode ${mode}, open to others${why}: chmod ${isFolder ? '700' : '600'} ${path}`));
  }
  return out;
}

function factsOf(files: Files, path: string): Promise<Facts | undefined> {
  return unlessGone(files.lstat(path), undefined);
}

function namesIn(files: Files, path: string): Promise<readonly string[]> {
  return unlessGone(files.readdir(path), []);
}

/** The daemon may delete what is being looked at: what goes between two looks was not there. */
async function unlessGone<T, U>(looking: Promise<T>, gone: U): Promise<T | U> {
  try {
    return await looking;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return gone;
    throw error;
  }
}
