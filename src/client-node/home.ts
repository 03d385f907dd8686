/** Where profiles live: <home>/<network>/<profile>, folders 0700, files 0600, everything ours. */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { HomeRefusal } from './refusal.js';

const PROFILE = /^[a-z0-9_-]{1,32}$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Of the profiles. @returns undefined where neither XDG_DATA_HOME, HOME nor the system names a folder of this user */
export function defaultHome(env: Environment): string | undefined {
  return ownFolder(env['XDG_DATA_HOME'], '.local/share');
}

/** Of the files of settings. @returns undefined as `defaultHome`, by XDG_CONFIG_HOME */
export function configFolder(env: Environment): string | undefined {
  return ownFolder(env['XDG_CONFIG_HOME'], '.config');
}

function ownFolder(xdg: string | undefined, usual: string): string | undefined {
  if (xdg?.startsWith('/')) return join(xdg, 'cadenas');
  try {
    return join(homedir(), usual, 'cadenas');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return undefined;
    throw thrown;
  }
}

/** @throws HomeRefusal where the name of the profile or the network can't be a folder's */
export function profileFolder(home: string, network: string, profile: string): string {
  if (!PROFILE.test(profile))
    throw new HomeRefusal(`${profile} is no name for a profile`, 'use 1 to 32 of a-z, 0-9, _ and -');
  if (!PROFILE.test(network))
    throw new HomeRefusal(`${network} is no name for a network`, 'get a new client from your operator');
  return join(home, network, profile);
}

/**
 * The three folders, made where they are missing.
 * @throws HomeRefusal where one is readable by others, not ours, or no folder
 */
export async function prepareFolder(folder: string): Promise<void> {
  const home = dirname(dirname(folder));
  await mkdir(dirname(home), { recursive: true });
  for (const path of [home, dirname(folder), folder]) {
    await mkdir(path, { mode: 0o700 }).catch((thrown: unknown) => {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    });
    await checkFolder(path);
  }
}

/** False where the profile has no folder yet. @throws HomeRefusal as `prepareFolder` */
export async function folderExists(folder: string): Promise<boolean> {
  for (const path of [dirname(dirname(folder)), dirname(folder), folder]) {
    try {
      await checkFolder(path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw thrown;
    }
  }
  return true;
}

/** Removes the profile with all that is in it. @throws HomeRefusal as `prepareFolder` */
export async function removeFolder(folder: string): Promise<void> {
  await checkFolder(folder);
  await rm(folder, { recursive: true });
}

async function checkFolder(path: string): Promise<void> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) throw new HomeRefusal(`${path} is a symbolic link`, 'name the folder itself with --home');
  if (!stats.isDirectory()) throw new HomeRefusal(`${path} is not a folder`, 'name another with --home');
  if (stats.uid !== process.getuid?.())
    throw new HomeRefusal(`${path} belongs to another user`, 'name your own with --home');
  if ((stats.mode & 0o077) !== 0) throw new HomeRefusal(`${path} is open to other users`, `run chmod 700 ${path}`);
}
