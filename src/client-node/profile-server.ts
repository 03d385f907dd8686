/** The owner of a profile serves its commands to other processes of the same user. */
import { once } from 'node:events';
import { chmod, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Client, ClientEvent, CommandName, Commands } from '../client/index.js';
import { asClientError } from '../client/index.js';
import { readLines, writeLine } from './line-stream.js';
import { socketPath, type SocketPath } from './socket-path.js';

/** Processes that may use a profile at a time. */
const PEERS_MAX = 32;
/** Further ones are told that it is busy, at most this many at a time, and have this long to read it. */
const REFUSED_MAX = 32;
const REFUSED_MS = 1_000;
/** Calls of one process that may be under way. */
const CALLS_MAX = 64;
/** Bytes that one process may leave unread, as one that was stopped does, before it is cut off: news have texts in them. */
const BEHIND_MAX = 64 * 1024 * 1024;

interface Call {
  readonly id: number;
  readonly call: CommandName;
  readonly args: Commands[CommandName]['args'];
}

function isCall(value: unknown): value is Call {
  const { id, call, args } = (value ?? {}) as Partial<Record<keyof Call, unknown>>;
  return Number.isSafeInteger(id) && typeof call === 'string' && typeof args === 'object' && args !== null;
}

export class ProfileServer {
  /** kept as long as the server: closing it removes the socket by this path */
  readonly #at: SocketPath;
  readonly #client: Client;
  readonly #log: (line: string) => void;
  readonly #server: Server;
  readonly #peers = new Set<Socket>();
  readonly #refused = new Set<Socket>();

  private constructor(at: SocketPath, client: Client, log: (line: string) => void) {
    this.#at = at;
    this.#client = client;
    this.#log = log;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
    this.#server.maxConnections = PEERS_MAX + REFUSED_MAX;
    this.#server.on('error', (failure) => {
      log(`profile socket: ${failure.message}`); // one that failed to listen is told by `start`
    });
  }

  /** @param folder the profile's, whose lock this process holds: a socket that is there is a dead one's */
  static async start(folder: string, client: Client, log: (line: string) => void): Promise<ProfileServer> {
    const at = await socketPath(folder);
    const served = new ProfileServer(at, client, log);
    try {
      await unlink(at.path).catch((thrown: unknown) => {
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      });
      served.#server.listen(at.path);
      await once(served.#server, 'listening');
      await chmod(at.path, 0o600); // the folder is 0700 before that: nobody else reaches it in between
      return served;
    } catch (thrown) {
      await at.release();
      throw thrown;
    }
  }

  /** Our side ends, and what they say is passed over: cut at once, they might never read the answer. */
  #refuse(socket: Socket): void {
    this.#refused.add(socket);
    const timer = setTimeout(() => {
      socket.destroy();
    }, REFUSED_MS);
    socket.on('error', (failure) => {
      this.#log(`profile socket: ${failure.message}`);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    socket.resume();
    writeLine(socket, { busy: true });
    socket.end();
  }

  #accept(socket: Socket): void {
    if (this.#peers.size >= PEERS_MAX) {
      this.#log('profile socket: too many at a time');
      this.#refuse(socket);
      return;
    }
    this.#peers.add(socket);
    let calls = 0;
    const stop = this.#client.on((event: ClientEvent) => {
      this.#write(socket, { event });
    });
    socket.on('error', (failure) => {
      this.#log(`profile socket: ${failure.message}`);
    });
    socket.on('close', () => {
      stop();
      this.#peers.delete(socket);
    });
    const each = (value: unknown): void => {
      if (!isCall(value) || calls >= CALLS_MAX) {
        this.#log('profile socket: not a call, or too many at a time');
        socket.destroy();
        return;
      }
      calls++;
      void this.#serve(socket, value).finally(() => {
        calls--;
      });
    };
    readLines(socket, each, (why) => {
      this.#log(`profile socket: ${why}`);
    });
  }

  async #serve(socket: Socket, call: Call): Promise<void> {
    try {
      this.#write(socket, { id: call.id, result: await this.#client.call(call.call, call.args) });
    } catch (thrown) {
      this.#write(socket, { id: call.id, error: asClientError(thrown, '').trouble });
    }
  }

  #write(socket: Socket, value: unknown): void {
    if (socket.writableLength > BEHIND_MAX && !socket.destroyed) {
      this.#log('profile socket: a process does not read what it is told');
      socket.destroy();
    }
    writeLine(socket, value);
  }

  /** Removes the socket; who is connected gets what was written, then the end. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#peers) socket.destroySoon();
    for (const socket of this.#refused) socket.destroy();
    await closed;
    await this.#at.release();
  }
}
