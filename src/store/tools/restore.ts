/** A backup becomes a store again: copied beside its place, synced, then put there by one rename. */
import { dirname } from 'node:path';
import { StoreRefusal } from '../store.js';
import { check } from './check.js';
import { errorCode, type Files } from '../journal/disk.js';
import { ensureFolder, exists, syncFolder, TEMPORARY } from '../journal/durable.js';
import { HOLD_FILE } from '../journal/hold.js';
import { BACKUP_FILE, readManifest, SECRETS_FILE, type Manifest } from './manifest.js';
import { damage, turn, type Finding, type Progress } from './reader.js';
import { copyTree, countFiles, removeTree } from './trees.js';

export interface RestoreTask {
  /** the backup */
  readonly from: string;
  /** the store's, not in use */
  readonly folder: string;
  readonly network: string;
  /** where the store goes that is there already; undefined: there must be none */
  readonly aside: string | undefined;
  /** ms since 1970 */
  readonly now: number;
}

export interface Restored {
  readonly manifest: Manifest;
  /** what is wrong with the backup: nothing was done then */
  readonly damage: readonly Finding[];
  /** where the store is that was there before */
  readonly before: string | undefined;
}

/**
 * @throws StoreRefusal where this is no finished backup of the network, or its place is taken
 * @throws what the disk throws; the store that was there is in its place, or aside
 */
export async function restore(files: Files, task: RestoreTask, progress: Progress): Promise<Restored> {
  const { from, folder, network, aside } = task;
  const manifest = await readManifest(files, from);
  if (!manifest) throw new StoreRefusal(`${from} holds no finished backup: name a folder that cadenasd backup made`);
  if (manifest.network !== network)
    throw new StoreRefusal(
      `${from} is a backup of network ${manifest.network}, not of ${network}: use --network ${manifest.network}`,
    );
  if ((await exists(files, folder)) && (await files.lstat(folder)).isSymbolicLink())
    throw new StoreRefusal(`${folder} is a symbolic link: remove it, or name the folder itself by --data`);
  const isTaken = (await exists(files, folder)) && (await files.readdir(folder)).length > 0;
  if (isTaken && aside === undefined)
    throw new StoreRefusal(`${folder} holds a store already: use --replace, which moves it aside`);
  const { bytes, lsn, findings } = await check(files, from, task.now, (done, total) => {
    progress(done, 2 * total);
  });
  const found = findings.filter(({ level }) => level === 'damage');
  if (lsn !== manifest.lsn || bytes !== manifest.bytes)
    found.push(damage(from, `is not what was backed up: ${manifest.bytes} bytes up to LSN ${manifest.lsn} were`));
  if (found.length > 0) return { manifest, damage: found, before: undefined };
  await put(files, task, isTaken, progress);
  return { manifest, damage: [], before: isTaken ? aside : undefined };
}

async function put(files: Files, { from, folder, aside }: RestoreTask, isTaken: boolean, progress: Progress) {
  const parent = dirname(folder);
  const making = `${folder}.restoring`;
  await ensureFolder(files, parent);
  await removeTree(files, making);
  const total = await countFiles(files, from);
  let done = 0;
  await copyTree(files, from, making, isWanted, async () => {
    progress(total + ++done, 2 * total);
    if (done % 16 === 0) await turn();
  });
  if (isTaken && aside !== undefined) await files.rename(folder, aside);
  try {
    await files.rename(making, folder);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    throw new StoreRefusal(`${folder} came into being meanwhile: stop the daemon, and try again`);
  }
  await syncFolder(files, parent);
}

/** What is the backup's own, or no part of a store that is opened later. HELLOs: whoever starts a copy must not vouch for them. */
const LEFT_OUT: ReadonlySet<string> = new Set([BACKUP_FILE, SECRETS_FILE, HOLD_FILE, 'hellos']);
const isWanted = (name: string): boolean => !LEFT_OUT.has(name) && !name.endsWith(TEMPORARY);
