/** Listening on a Unix socket: where it is, who may connect, how many at a time. */
import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { writeLine } from './line-stream.js';
import { SocketRefusal } from './refusal.js';
import { socketPath, type SocketPath } from './socket-path.js';

/** Who is one too many is told so, at most this many at a time, and has this long to read it. */
const REFUSED_MAX = 32;
const REFUSED_MS = 1_000;

/**
 * Listens there with this mode. A socket that nobody answers on is a dead process's, and goes.
 *
 * Until the mode is set only those can connect whom the umask lets write: of a daemon's nobody else's process.
 * @returns gives the path back; to be called when the server has closed, which removes the socket
 * @throws SocketRefusal; what else the system says
 */
export async function listenAt(server: Server, path: string, mode: number): Promise<SocketPath['release']> {
  const at = await socketPath(path).catch((error: unknown) => {
    throw listenRefusal(error, path);
  });
  try {
    await removeDead(at.path, path);
    server.listen(at.path);
    await once(server, 'listening');
    await chmod(at.path, mode);
    return at.release;
  } catch (error) {
    server.close();
    await at.release();
    throw listenRefusal(error, path);
  }
}

/** What the operator can mend, as such; what else it may be stays as it is. @param place where nobody can listen */
export function listenRefusal(error: unknown, place: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new SocketRefusal('in use', place);
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EROFS'].includes(code) ? new SocketRefusal('no folder', place) : error;
}

async function removeDead(at: string, path: string): Promise<void> {
  const found = await lstat(at).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  });
  if (!found) return;
  if (!found.isSocket()) throw new SocketRefusal('no socket', path);
  if (await answers(at)) throw new SocketRefusal('in use', path);
  await unlink(at);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    /* Somebody's whose queue is full (EAGAIN), or who lets nobody else in (EACCES), is not dead. */
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

export interface LocalOptions {
  readonly mode: number;
  /** processes that may be connected at a time */
  readonly most: number;
  /** the line that one too many gets */
  readonly busy: unknown;
  readonly log: (line: string) => void;
}

export class LocalServer {
  readonly #options: LocalOptions;
  readonly #accept: (socket: Socket) => void;
  readonly #server: Server;
  readonly #peers = new Set<Socket>();
  readonly #refused = new Set<Socket>();
  #release: SocketPath['release'] = () => Promise.resolve();

  private constructor(options: LocalOptions, accept: (socket: Socket) => void) {
    this.#options = options;
    this.#accept = accept;
    this.#server = createServer((socket) => {
      this.#take(socket);
    });
    this.#server.maxConnections = options.most + REFUSED_MAX;
    this.#server.on('error', (failure) => {
      options.log(failure.message); // one that failed to listen is told by `start`
    });
  }

  /** @throws as `listenAt` */
  static async start(path: string, options: LocalOptions, accept: (socket: Socket) => void): Promise<LocalServer> {
    const served = new LocalServer(options, accept);
    served.#release = await listenAt(served.#server, path, options.mode);
    return served;
  }

  #take(socket: Socket): void {
    socket.on('error', (failure) => {
      this.#options.log(failure.message);
    });
    if (this.#peers.size >= this.#options.most) {
      this.#options.log('too many at a time');
      this.#refuse(socket);
      return;
    }
    this.#peers.add(socket);
    socket.on('close', () => {
      this.#peers.delete(socket);
    });
    this.#accept(socket);
  }

  /** Our side ends, and what they say is passed over: cut at once, they might never read the answer. */
  #refuse(socket: Socket): void {
    this.#refused.add(socket);
    const timer = setTimeout(() => {
      socket.destroy();
    }, REFUSED_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    socket.resume();
    writeLine(socket, this.#options.busy);
    socket.end();
  }

  /**
   * Removes the socket; who is connected gets what was written, then the end.
   * @param keeps those who are left, and hold up no end of the process: its end is theirs
   */
  async close(keeps: (socket: Socket) => boolean = () => false): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#peers) {
      if (keeps(socket)) socket.unref();
      else socket.destroySoon();
    }
    for (const socket of this.#refused) socket.destroy();
    if (![...this.#peers].some(keeps)) await closed;
    await this.#release();
  }
}
