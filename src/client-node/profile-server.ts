/** The owner of a profile serves its commands to other processes of the same user. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Client, ClientEvent, CommandName, Commands } from '../client/index.js';
import { asClientError } from '../client/index.js';
import { readLines, writeLine } from '../local/line-stream.js';
import { LocalServer } from '../local/local-server.js';

/** Of the socket in a profile's folder. */
export const SOCKET_NAME = 's';
/** Longest line in characters: a page of the longest texts, escaped. */
export const LINE_MAX = 8 * 1024 * 1024;
/** Processes that may use a profile at a time; further ones are told that it is busy. */
const PEERS_MAX = 32;
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
  readonly #client: Client;
  readonly #log: (line: string) => void;
  #server: LocalServer | undefined;

  private constructor(client: Client, log: (line: string) => void) {
    this.#client = client;
    this.#log = (line) => {
      log(`profile socket: ${line}`);
    };
  }

  /** @param folder the profile's, 0700, whose lock this process holds: a socket that is there is a dead one's */
  static async start(folder: string, client: Client, log: (line: string) => void): Promise<ProfileServer> {
    const served = new ProfileServer(client, log);
    const options = { mode: 0o600, most: PEERS_MAX, busy: { busy: true }, log: served.#log };
    served.#server = await LocalServer.start(join(folder, SOCKET_NAME), options, (socket) => {
      served.#accept(socket);
    });
    return served;
  }

  #accept(socket: Socket): void {
    let calls = 0;
    const stop = this.#client.on((event: ClientEvent) => {
      this.#write(socket, { event });
    });
    socket.on('close', stop);
    const each = (value: unknown): void => {
      if (!isCall(value) || calls >= CALLS_MAX) {
        this.#log('not a call, or too many at a time');
        socket.destroy();
        return;
      }
      calls++;
      void this.#serve(socket, value).finally(() => {
        calls--;
      });
    };
    readLines(socket, LINE_MAX, each, this.#log);
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
      this.#log('a process does not read what it is told');
      socket.destroy();
    }
    writeLine(socket, value);
  }

  /** Removes the socket; who is connected gets what was written, then the end. */
  async close(): Promise<void> {
    await this.#server?.close();
  }
}
