/** What can be kept of one user's or room's damaged files, with what came for them since and waits beside them. */
import { join } from 'node:path';
import { AccountState } from '../journal/account.js';
import type { Files } from '../journal/disk.js';
import { readWhole, remove, replaceFile, syncFolder } from '../journal/durable.js';
import { accountFileFormat, fromFile, toFile, type AccountFile } from '../journal/formats.js';
import { ACCOUNT_FILE, QUEUE_FILE, ROOM_FILE, WAITING_FILE } from '../journal/layout.js';
import { MailState, parseMail } from '../journal/mail.js';
import { withOneBitMended } from './one-bit.js';
import { writeMarked } from '../journal/record-file.js';
import { idOf, latin1, readBoundary, type RoomValue } from '../journal/records.js';
import { RoomState } from '../journal/room.js';
import { salvage } from './salvage.js';

/** What becomes of a part's file. */
export interface PartRepair {
  /** the file */
  readonly path: string;
  /** the files that are put in quarantine first */
  readonly damaged: readonly string[];
  readonly kept: string;
  readonly lost: string;
  /** puts what was kept in the file's place */
  apply(files: Files): Promise<void>;
}

interface Sound {
  /** undefined: there is no such file, or nothing of it can be told */
  readonly payloads: readonly Uint8Array[];
  readonly lost: string;
}

const NOTHING = 'nothing is lost';

/** The sound records of a marked file, without its marks. */
async function soundRecords(files: Files, path: string): Promise<Sound> {
  const bytes = await readWhole(files, path);
  if (!bytes) return { payloads: [], lost: NOTHING };
  const payloads: Uint8Array[] = [];
  const found = salvage(bytes, 1, (payload) => {
    if (!readBoundary(payload)) payloads.push(payload);
  });
  if (!found) return { payloads, lost: 'all that was in it is lost' };
  const lost = found.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const isCut = found.end < bytes.length;
  if (lost === 0 && !isCut) return { payloads, lost: NOTHING };
  const end = isCut ? `${bytes.length - found.end} bytes at its end` : '';
  const records = lost > 0 ? `${lost} of its records at most` : '';
  return { payloads, lost: `${[records, end].filter(Boolean).join(' and ')} are lost` };
}

/**
 * @param folder the user's
 * @param settled LSN: what the journal holds behind it is applied to the file at the next start
 */
export async function repairMail(files: Files, folder: string, uid: string, settled: number): Promise<PartRepair> {
  const path = join(folder, QUEUE_FILE);
  const waiting = join(folder, `mail.${WAITING_FILE}`);
  const own = await soundRecords(files, path);
  const state = new MailState();
  for (const payload of [...own.payloads, ...(await soundRecords(files, waiting)).payloads]) {
    const change = idOf(payload) === uid ? parseMail(payload) : undefined;
    if (change) state.apply(change);
  }
  const entries = state.entries.values().flatMap(({ payload }) => (payload ? [payload] : []));
  const replies = state.replies.values().map(({ payload }) => payload);
  return {
    path,
    damaged: [path, waiting],
    kept: `${entries.length} messages`,
    lost: own.lost,
    apply: async (disk) => {
      await putMarked(disk, path, [...entries, ...replies], settled);
      await remove(disk, waiting);
      await syncFolder(disk, folder);
    },
  };
}

export interface PartSources {
  /** as for `repairMail` */
  readonly settled: number;
  /** the journal holds the making of it: the file is made again from there */
  readonly isInJournal: boolean;
}

export interface RoomRepair extends PartRepair {
  /** undefined: the journal tells */
  readonly room: RoomValue | undefined;
}

/** @returns undefined where nothing tells what the room is */
export async function repairRoom(
  files: Files,
  folder: string,
  id: string,
  { settled, isInJournal }: PartSources,
): Promise<RoomRepair | undefined> {
  const path = join(folder, ROOM_FILE);
  const waiting = join(folder, `room.${WAITING_FILE}`);
  const damaged = [path, waiting];
  const own = await soundRecords(files, path);
  const state = new RoomState();
  for (const payload of [...own.payloads, ...(await soundRecords(files, waiting)).payloads])
    if (idOf(payload) === id) state.apply(new Uint8Array(payload));
  const room = state.value;
  if (!room && !isInJournal) return undefined;
  const kept = `the room${room ? ` ${room.name}` : ', from the journal,'} with ${state.history.messages} messages`;
  const apply = async (disk: Files): Promise<void> => {
    await putMarked(disk, path, room ? state.snapshot() : [], settled);
    await remove(disk, waiting);
    await syncFolder(disk, folder);
  };
  return { path, damaged, kept, lost: own.lost, room, apply };
}

export interface AccountSources extends PartSources {
  /** the user's */
  readonly folder: string;
  readonly uid: string;
  /** as the index has it; it never changes */
  readonly name: string | undefined;
}

export interface AccountRepair extends PartRepair {
  /** undefined: the journal tells */
  readonly name: string | undefined;
}

/** undefined: the account is lost. */
export async function repairAccount(files: Files, sources: AccountSources): Promise<AccountRepair | undefined> {
  const { folder, uid, settled } = sources;
  const path = join(folder, ACCOUNT_FILE);
  const waiting = join(folder, `account.${WAITING_FILE}`);
  const bytes = await readWhole(files, path);
  const parse = (from: Uint8Array): AccountFile | undefined => {
    const found = fromFile(accountFileFormat, from);
    return found && latin1(found.account.uid) === uid ? found : undefined;
  };
  const sound = bytes && parse(bytes);
  // What the journal makes again needs no guess.
  const read = sound ?? (bytes && !sources.isInJournal ? withOneBitMended(bytes, parse) : undefined);
  const state = read ? AccountState.from(read) : new AccountState();
  for (const payload of (await soundRecords(files, waiting)).payloads) if (idOf(payload) === uid) state.apply(payload);
  if (state.account) state.account = { ...state.account, name: sources.name ?? state.account.name };
  const value = state.toFile(settled);
  if (!value && !sources.isInJournal) return undefined;
  const name = value?.account.name;
  const apply = async (disk: Files): Promise<void> => {
    if (value) await replaceFile(disk, path, toFile(accountFileFormat, value));
    else await remove(disk, path);
    await remove(disk, waiting);
    await syncFolder(disk, folder);
  };
  const kept = name === undefined ? 'the account, from the journal' : `the account @${name}`;
  return { path, damaged: [path, waiting], kept, lost: NOTHING, name, apply };
}

async function putMarked(files: Files, path: string, payloads: readonly Uint8Array[], upTo: number): Promise<void> {
  if (payloads.length > 0) await writeMarked(files, path, payloads, upTo);
  else await remove(files, path);
}
