/**
 * The daemon's control socket: whoever owns the daemon asks it what it does, and to do something else. A request is one
 * line of JSON; lines of `row` may come before the one that ends the answer.
 */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { readLines, writeLine } from '../local/line-stream.js';
import { LocalServer } from '../local/local-server.js';
import { SocketRefusal } from '../local/refusal.js';

/** Longest request, in characters. */
export const REQUEST_MAX = 64 * 1024;
/** Processes that may be connected at a time. */
const PEERS_MAX = 16;
/** In this time a request has to come, whole; in ms. */
export const IDLE_MS = 60_000;
/** Bytes that may wait for a reader, and how long it may take none, in ms. */
const BEHIND_MAX = 256 * 1024;
const BEHIND_MS = 10_000;

/** How an answer ends. */
export type Outcome =
  { readonly done: unknown } | { readonly error: { readonly code: string; readonly message: string } };

/** Resolves when there is room for more; rejects when whoever asked is gone. */
export type Rows = (row: unknown) => Promise<void>;

/** @param request whatever JSON came. Must not throw */
export type Serve = (request: unknown, rows: Rows) => Promise<Outcome>;

export interface ControlSocketOptions {
  readonly serve: Serve;
  readonly log: (line: string) => void;
  /** instead of IDLE_MS and BEHIND_MS, for tests */
  readonly idleMs?: number;
  readonly behindMs?: number;
}

const busy: Outcome = { error: { code: 'busy', message: 'too many processes ask the daemon at once — try again' } };

/** Whoever may write there could answer in the daemon's place. @throws SocketRefusal */
async function checkFolder(path: string): Promise<void> {
  const facts = await stat(dirname(resolve(path))).catch(() => undefined); // what is not there is told where it is used
  if (!facts) return;
  const isOurs = facts.uid === 0 || facts.uid === process.geteuid?.();
  if (!isOurs || (facts.mode & 0o022) !== 0) throw new SocketRefusal('open folder', path);
}

export class ControlSocket {
  readonly #options: ControlSocketOptions;
  /** being answered */
  readonly #asking = new Set<Socket>();
  #server: LocalServer | undefined;

  private constructor(options: ControlSocketOptions) {
    this.#options = options;
  }

  /**
   * Mode 0600.
   * @param path in a folder that nobody else may write to
   * @throws SocketRefusal; what else the system says
   */
  static async start(path: string, options: ControlSocketOptions): Promise<ControlSocket> {
    await checkFolder(path);
    const control = new ControlSocket(options);
    const { log } = options;
    control.#server = await LocalServer.start(path, { mode: 0o600, most: PEERS_MAX, busy, log }, (socket) => {
      control.#accept(socket);
    });
    return control;
  }

  #accept(socket: Socket): void {
    const { idleMs = IDLE_MS, log } = this.#options;
    let idle: NodeJS.Timeout | undefined;
    const wait = (): void => {
      idle = setTimeout(() => {
        socket.destroy();
      }, idleMs);
    };
    wait();
    socket.on('close', () => {
      clearTimeout(idle);
    });
    const each = (request: unknown): void => {
      if (this.#asking.has(socket)) {
        log('a request before the answer to the one before');
        socket.destroy();
        return;
      }
      clearTimeout(idle);
      void this.#answer(socket, request).then(() => {
        if (!socket.destroyed) wait();
      });
    };
    readLines(socket, REQUEST_MAX, each, log);
  }

  async #answer(socket: Socket, request: unknown): Promise<void> {
    this.#asking.add(socket);
    const outcome = await this.#options.serve(request, (row) => this.#row(socket, row));
    this.#asking.delete(socket);
    writeLine(socket, outcome);
  }

  async #row(socket: Socket, row: unknown): Promise<void> {
    writeLine(socket, { row });
    if (socket.writableLength > BEHIND_MAX) await this.#room(socket);
    if (socket.destroyed) throw new Error('whoever asked is gone');
  }

  /** Until the reader has taken what waits, or is cut. */
  async #room(socket: Socket): Promise<void> {
    const cut = setTimeout(() => {
      this.#options.log('a process does not read its answer');
      socket.destroy();
    }, this.#options.behindMs ?? BEHIND_MS);
    const gone = new AbortController();
    try {
      await Promise.race([
        once(socket, 'drain', { signal: gone.signal }),
        once(socket, 'close', { signal: gone.signal }),
      ]);
    } finally {
      clearTimeout(cut);
      gone.abort();
    }
  }

  /** Who waits for an answer still is left: the end of this process is one. */
  async close(): Promise<void> {
    await this.#server?.close((socket) => this.#asking.has(socket));
  }
}
