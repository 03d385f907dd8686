/**
 * Which generation of the network's keys a connection may use (SPEC 4.7). The newest that ever worked is kept
 * in the profile, and none before it is used again: a retired key may be a stolen one, and whoever has it would
 * need no more than to close connections until the client falls back to it.
 */
import { fromUtf8, linkedGenerations, utf8, type LinkedGeneration } from '../../protocol/index.js';
import { error } from './errors.js';
import type { ClientPorts } from './ports.js';

export const GENERATION_FILE = 'generation';
const FORMAT = 1;

/** Without the file: the first, which every client knows that was linked before there was another. */
const FIRST = 1;

/** The newest that ever worked in this profile. @throws ClientError `damaged-generation` */
export async function newestThatWorked({ storage }: Pick<ClientPorts, 'storage'>): Promise<number> {
  const bytes = await storage.read(GENERATION_FILE);
  if (!bytes) return FIRST;
  let file: { readonly format?: unknown; readonly newest?: unknown } | null;
  try {
    file = JSON.parse(fromUtf8(bytes) ?? '') as typeof file;
  } catch {
    throw error('damaged-generation'); // what JSON.parse throws says no more than that
  }
  const newest = file?.newest;
  if (file?.format !== FORMAT || typeof newest !== 'number' || !Number.isSafeInteger(newest) || newest < FIRST)
    throw error('damaged-generation');
  return newest;
}

/**
 * Those that may be tried, the newest first: it works from the rotation on, and once it has, the older one is
 * done with. None is left where this client is older than one that the profile was used with.
 * @throws ClientError `damaged-generation`
 */
export async function usableGenerations(
  ports: Pick<ClientPorts, 'storage' | 'linked'>,
): Promise<readonly LinkedGeneration[]> {
  const newest = await newestThatWorked(ports);
  const usable = linkedGenerations(ports.linked).filter(({ generation }) => generation >= newest);
  return usable.reverse();
}

/** Kept before the connection is used. */
export async function generationWorked({ storage }: Pick<ClientPorts, 'storage'>, generation: number): Promise<void> {
  if (generation <= (await newestThatWorked({ storage }))) return;
  try {
    await storage.replace(GENERATION_FILE, utf8(`${JSON.stringify({ format: FORMAT, newest: generation })}\n`));
  } catch (thrown) {
    throw error('storage', thrown instanceof Error ? thrown.message : String(thrown));
  }
}
