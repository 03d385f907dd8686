/**
 * Looks at everything that a store keeps: every record of the journal, of the index and of every user
 * and room. Changes nothing, and works while a daemon goes on: what looks wrong is looked at again with
 * a fresh view before it is told.
 */
import { join } from 'node:path';
import { checkOwnerFolder, checkStoreFolder, idsIn } from './check-files.js';
import { checkRoom, checkUser } from './check-parts.js';
import type { Files } from '../journal/disk.js';
import { readHellosFile } from '../journal/hellos.js';
import { inspectStore } from './inspect.js';
import { hellosPath, roomFolder, ROOMS, userFolder, USERS } from '../journal/layout.js';
import { damage, openView, refused, turn, type Finding, type Progress, type View } from './reader.js';
import { readManifest, readSecrets, SECRETS_FILE } from './manifest.js';
import { latin1, partKey } from '../journal/records.js';

export interface Checked {
  readonly accounts: number;
  readonly rooms: number;
  /** that wait for their recipients */
  readonly messages: number;
  /** of all files */
  readonly bytes: number;
  /** of the journal */
  readonly records: number;
  /** the journal's last number */
  readonly lsn: number;
  readonly findings: readonly Finding[];
}

/** A user or a room: one that has a name, or a folder, or both. */
interface Owner {
  readonly kind: 'account' | 'room';
  readonly id: string;
}

interface OwnerChecked {
  readonly findings: readonly Finding[];
  readonly messages: number;
  readonly bytes: number;
}

/**
 * @param now ms since 1970: what has waited too long does not count
 * @throws StoreRefusal where there is no store of this program; what the disk throws, too
 */
export async function check(files: Files, folder: string, now: number, progress: Progress): Promise<Checked> {
  const ofFormat = await inspectStore(files, folder, true);
  let view = await openView(files, folder);
  const owners = await ownersOf(view);
  const suspect: Owner[] = [];
  let messages = 0;
  let bytes = view.bytes;
  for (const [n, owner] of owners.entries()) {
    const checked = await checkOwner(view, owner, now);
    if (checked.findings.length > 0) suspect.push(owner);
    messages += checked.messages;
    bytes += checked.bytes;
    progress(n + 1, owners.length);
    if (n % 64 === 0) await turn();
  }
  if (suspect.length > 0 || view.findings.length > 0) view = await openView(files, folder);
  const findings = [...ofFormat, ...view.findings];
  for (const owner of suspect) findings.push(...(await checkOwner(view, owner, now)).findings);
  const own = await checkStoreFolder(files, folder);
  findings.push(...own.findings, ...(await checkHellos(view)), ...(await checkSecrets(view)));
  const { names, records, lsn } = view;
  return { accounts: names.users, rooms: names.rooms, messages, bytes: bytes + own.bytes, records, lsn, findings };
}

async function ownersOf({ files, folder, names }: View): Promise<Owner[]> {
  const found = async (name: string): Promise<string[]> =>
    (await idsIn(files, join(folder, name))).map((hex) => latin1(Buffer.from(hex, 'hex')));
  const users = new Set([...names.uids(), ...(await found(USERS))]);
  const rooms = new Set([...names.roomIds(), ...(await found(ROOMS))]);
  return [
    ...Array.from(users, (id) => ({ kind: 'account', id }) as const),
    ...Array.from(rooms, (id) => ({ kind: 'room', id }) as const),
  ];
}

async function checkOwner(view: View, { kind, id }: Owner, now: number): Promise<OwnerChecked> {
  const { files, folder, names, isIndexSound, deleted } = view;
  const isRoom = kind === 'room';
  const isKnown = isRoom ? names.room(id) !== undefined : names.name(id) !== undefined;
  if (!isKnown && deleted.has(partKey(kind, id))) return { findings: [], messages: 0, bytes: 0 };
  const path = isRoom ? roomFolder(folder, id) : userFolder(folder, id);
  const own = await checkOwnerFolder(files, path, isRoom);
  if (!isKnown && isIndexSound) {
    // Its folder may have gone, or may have come, since the view was taken: then it is there next time, or known.
    if (own.names.length === 0) return { findings: own.findings, messages: 0, bytes: 0 };
    const nobody = damage(path, `belongs to no ${isRoom ? 'room' : 'account'} that the index or the journal knows`);
    return { findings: [nobody, ...own.findings], messages: 0, bytes: own.bytes };
  }
  const parts = isRoom ? await checkRoom(view, id) : await checkUser(view, id, now);
  return { findings: [...parts.findings, ...own.findings], messages: parts.messages, bytes: own.bytes };
}

/** Of a backup. */
async function checkSecrets({ files, folder }: View): Promise<Finding[]> {
  const manifest = await readManifest(files, folder);
  if (manifest?.secrets === undefined || (await readSecrets(files, folder, manifest))) return [];
  return [damage(join(folder, SECRETS_FILE), 'is lost, or not what was backed up')];
}

async function checkHellos({ files, folder }: View): Promise<Finding[]> {
  try {
    await readHellosFile(files, folder);
    return [];
  } catch (error) {
    return [refused(hellosPath(folder), error)];
  }
}
