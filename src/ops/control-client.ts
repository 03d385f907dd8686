/** Asks a daemon by its control socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readLines, writeLine } from '../local/line-stream.js';
import { socketPath } from '../local/socket-path.js';

/** Longest line of an answer, in characters. */
const ANSWER_MAX = 1024 * 1024;
/** The daemon says something in this time, in ms. */
const SILENT_MS = 60_000;

/** What the daemon did not do: `code` for programs, the message for people. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

type Line = Readonly<Record<string, unknown>>;

function isLine(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `ask` throws where what came is no answer. */
const strange = (cause: unknown): ControlError =>
  new ControlError('strange', 'the daemon says it in another way — use cadenasd of its own version', cause);

/** A connection to a daemon: one request after another. */
export class ControlClient {
  readonly #socket: Socket;
  #take: (line: Line) => void = () => undefined;
  #strange: (cause?: unknown) => void = () => undefined;
  #gone: () => void = () => undefined;
  /** The daemon has ended the connection, or has ended. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#gone();
        resolve();
      });
    });
    socket.on('error', () => undefined); // 'close' follows and tells who waits
    readLines(
      socket,
      ANSWER_MAX,
      (value) => {
        if (isLine(value)) this.#take(value);
        else this.#strange();
      },
      () => {
        this.#strange();
      },
    );
  }

  /** undefined: no daemon answers there. @throws what the system says otherwise, as EACCES; SocketRefusal */
  static async open(path: string): Promise<ControlClient | undefined> {
    let socket: Socket;
    try {
      const at = await socketPath(path);
      socket = connect(at.path);
      await once(socket, 'connect').finally(at.release);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ECONNREFUSED') return undefined;
      throw error;
    }
    return new ControlClient(socket);
  }

  /**
   * @param onRow called with each row before the end
   * @returns what the answer ends with
   * @throws ControlError: what the daemon says; `gone`: the connection ended before; `silent`: nothing came for a minute;
   * `strange`: what came is no answer, or `onRow` threw
   */
  ask(request: object, onRow: (row: unknown) => void = () => undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const silence = setTimeout(() => {
        reject(
          new ControlError('silent', 'the daemon does not answer — look at its log, and restart it if that goes on'),
        );
        this.close();
      }, SILENT_MS);
      const end = (settle: () => void): void => {
        clearTimeout(silence);
        settle();
      };
      this.#gone = () => {
        end(() => {
          reject(new ControlError('gone', 'the daemon ended before it had answered — look at its log'));
        });
      };
      this.#strange = (cause) => {
        end(() => {
          reject(strange(cause));
        });
        this.close();
      };
      this.#take = (line) => {
        const { error } = line as { error?: { code?: unknown; message?: unknown } };
        if ('row' in line) {
          silence.refresh();
          try {
            onRow(line['row']);
          } catch (error) {
            this.#strange(error); // a row is shown as it is meant to be: what can't be shown is another one
          }
        } else if (error) {
          end(() => {
            reject(new ControlError(String(error.code), String(error.message)));
          });
        } else
          end(() => {
            resolve(line['done']);
          });
      };
      if (this.#socket.destroyed) this.#gone();
      writeLine(this.#socket, request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
