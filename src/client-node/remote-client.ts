/** A client whose core runs in the process that owns the profile. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Client, ClientEvent, CommandName, Commands } from '../client/index.js';
import { ClientError, error, type Trouble } from '../client/index.js';
import { readLines, writeLine } from './line-stream.js';
import { socketPath } from './socket-path.js';

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (reason: ClientError) => void;
}

type Incoming =
  | { readonly id: number; readonly result: unknown; readonly error?: undefined; readonly event?: undefined }
  | { readonly id: number; readonly error: Trouble; readonly event?: undefined }
  | { readonly event: ClientEvent };

export class RemoteClient implements Client {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  #next = 1;
  #over = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined); // 'close' follows and tells all that wait
    socket.on('close', () => {
      this.#end();
    });
    readLines(
      socket,
      (value) => {
        this.#take(value as Incoming);
      },
      () => undefined, // the socket was destroyed: 'close' follows
    );
  }

  /** undefined where no process serves this profile. */
  static async open(folder: string): Promise<RemoteClient | undefined> {
    const at = await socketPath(folder);
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
    return new RemoteClient(socket);
  }

  #take(line: Incoming): void {
    if (line.event) {
      for (const listener of [...this.#listeners]) listener(line.event);
      return;
    }
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.error) waiting?.reject(new ClientError(line.error));
    else waiting?.resolve(line.result as never);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    const why = error('session-over');
    for (const waiting of this.#waiting.values()) waiting.reject(why);
    this.#waiting.clear();
    for (const listener of [...this.#listeners]) listener({ type: 'ended', trouble: why.trouble });
  }

  call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    if (this.#over) return Promise.reject(error('session-over'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
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
