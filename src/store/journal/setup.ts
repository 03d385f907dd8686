/**
 * With which OPAQUE setup the accounts of a store were made, as its hash. With another one every login would
 * fail like a wrong password: so a daemon that has another does not start.
 */
import { join } from 'node:path';
import { HASH, hex } from '../../../protocol/index.js';
import { StoreRefusal } from '../store.js';
import type { Files } from './disk.js';
import { readWhole, replaceFile } from './durable.js';
import { fromFile, toFile, type Format } from './formats.js';
import { SETUP_FILE } from './layout.js';

const setupFormat: Format<string> = {
  toJson: (setup) => ({ setup }),
  fromJson(json) {
    const setup = typeof json === 'object' && json !== null && 'setup' in json ? json.setup : undefined;
    return typeof setup === 'string' && setup.length === 2 * HASH && /^[0-9a-f]+$/.test(setup) ? setup : undefined;
  },
};

async function readSetup(files: Files, folder: string): Promise<string | undefined> {
  const path = join(folder, SETUP_FILE);
  const bytes = await readWhole(files, path);
  if (!bytes) return undefined;
  const setup = fromFile(setupFormat, bytes);
  if (setup === undefined)
    throw new StoreRefusal(
      `${path} is damaged: restore it from a backup, or remove it where the keys are the right ones`,
    );
  return setup;
}

/**
 * @param setup hash of the OPAQUE setup that the keys have, 32 bytes
 * @throws StoreRefusal where the store was made with another
 */
export async function checkSetup(files: Files, folder: string, setup: Uint8Array): Promise<void> {
  const made = await readSetup(files, folder);
  if (made !== undefined && made !== hex(setup))
    throw new StoreRefusal(
      `${folder} was made with other keys (another OPAQUE setup), and nobody could log in: give its own keys by --keys, or other data by --data`,
    );
}

/** Durably, where nothing is kept yet: in a new store, and in one made before this was kept. */
export async function keepSetup(files: Files, folder: string, setup: Uint8Array): Promise<void> {
  if ((await readSetup(files, folder)) !== undefined) return;
  await replaceFile(files, join(folder, SETUP_FILE), toFile(setupFormat, hex(setup)));
}
