/** The socket in a profile's folder. The kernel takes 107 bytes of path: a longer one goes through the folder's descriptor. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 's';
const PATH_MAX = 107;

export interface SocketPath {
  readonly path: string;
  /** The path may not be used after this. */
  release(): Promise<void>;
}

/** A path that is short enough. */
export async function socketPath(folder: string): Promise<SocketPath> {
  const direct = join(folder, NAME);
  if (Buffer.byteLength(direct) <= PATH_MAX) return { path: direct, release: () => Promise.resolve() };
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${String(handle.fd)}/${NAME}`, release: () => handle.close() };
}
