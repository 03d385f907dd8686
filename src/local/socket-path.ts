/** The path of a socket. The kernel takes 107 bytes of it: a longer one goes through its folder's descriptor. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { SocketRefusal } from './refusal.js';

const PATH_MAX = 107;
/** What is left of those bytes for a name in a folder by its descriptor. */
const NAME_MAX = 80;

export interface SocketPath {
  readonly path: string;
  /** The path may not be used after this. */
  readonly release: () => Promise<void>;
}

/**
 * The same socket by a path that is short enough.
 * @throws SocketRefusal where its name alone is too long; what the system says where there is no such folder
 */
export async function socketPath(socket: string): Promise<SocketPath> {
  if (Buffer.byteLength(socket) <= PATH_MAX) return { path: socket, release: () => Promise.resolve() };
  const name = basename(socket);
  if (Buffer.byteLength(name) > NAME_MAX) throw new SocketRefusal('too long', socket);
  const handle = await open(dirname(socket), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${String(handle.fd)}/${name}`, release: () => handle.close() };
}
