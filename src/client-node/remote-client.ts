/** A client whose core runs in the process that owns the profile. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Client, ClientEvent, CommandName, Commands } from '../client/index.js';
import { ClientError, error, type Trouble } from '../client/index.js';
import { readLines, writeLine } from '../local/line-stream.js';
import { socketPath } from '../local/socket-path.js';
import { LINE_MAX, SOCKET_NAME } from './profile-server.js';

/** A call gets its answer in this time; `drained` waits for the queue of a login, `contacts` may ask for each. */
const CALL_MS = 60_000;
const longer: Partial<Record<CommandName, number>> = { drained: 90_000, contacts: 600_000 };

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (reason: ClientError) => void;
}

type Incoming =
  | { readonly busy: true; readonly event?: undefined }
  | {
      readonly id: number;
      readonly result: unknown;
      readonly error?: undefined;
      readonly event?: undefined;
      readonly busy?: undefined;
    }
  | { readonly id: number; readonly error: Trouble; readonly event?: undefined; readonly busy?: undefined }
  | { readonly event: ClientEvent; readonly busy?: undefined };

export class RemoteClient implements Client {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  #next = 1;
  readonly #callMs: number | undefined;
  /** why no call is taken any more */
  #over: ClientError | undefined;

  private constructor(socket: Socket, callMs: number | undefined) {
    this.#socket = socket;
    this.#callMs = callMs;
    socket.on('error', () => undefined); // 'close' follows and tells all that wait
    socket.on('close', () => {
      this.#end(error('session-over'), error('owner-gone'));
    });
    readLines(
      socket,
      LINE_MAX,
      (value) => {
        this.#take(value as Incoming);
      },
      () => undefined, // the socket was destroyed: 'close' follows
    );
  }

  /**
   * undefined where no process serves this profile.
   * @param callMs how long each call may take, instead of the usual times
   */
  static async open(folder: string, callMs?: number): Promise<RemoteClient | undefined> {
    const at = await socketPath(join(folder, SOCKET_NAME));
    const socket = connect(at.path);
    try {
      await once(socket, 'connect');
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
      throw thrown;
    } finally {
      await at.release();
    }
    return new RemoteClient(socket, callMs);
  }

  #take(line: Incoming): void {
    if (line.event) {
      for (const listener of [...this.#listeners]) listener(line.event);
      return;
    }
    if (line.busy) {
      this.#end(error('busy'), error('busy'));
      this.#socket.destroy();
      return;
    }
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.error) waiting?.reject(new ClientError(line.error));
    else waiting?.resolve(line.result as never);
  }

  /** @param midway what those are told whose call may have been done or not */
  #end(why: ClientError, midway: ClientError): void {
    if (this.#over) return;
    this.#over = why;
    for (const waiting of this.#waiting.values()) waiting.reject(midway);
    this.#waiting.clear();
    for (const listener of [...this.#listeners]) listener({ type: 'ended', trouble: why.trouble });
  }

  call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    if (this.#over) return Promise.reject(this.#over);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#waiting.delete(id);
          reject(error('owner-silent'));
        },
        this.#callMs ?? longer[command] ?? CALL_MS,
      );
      this.#waiting.set(id, {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      });
      writeLine(this.#socket, { id, call: command, args });
    });
  }

  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    if (this.#over || this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => {
      this.#socket.once('close', () => {
        resolve();
      });
    });
    this.#socket.end();
    this.#socket.destroySoon();
    await closed;
  }
}
