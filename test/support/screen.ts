/** A program at a real pseudo-terminal, with a real emulator behind it: what somebody in front of it would see. */
import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type IPty } from '@lydell/node-pty';
import { Emulator } from './emulator.js';
import { keyBytes } from './keys.js';
import type { Teardown } from './temp.js';
import { Waiting } from './waiting.js';

const RAW_KEPT = 16 * 1024 * 1024;
/** Bytes that may wait for the emulator before the program has to wait; few, since an ended program's are soon gone. */
const AHEAD = 256 * 1024;
/** Typed at once at most: a write to a full terminal blocks this process, and with it the reading of what fills it. */
const TYPED_AT_ONCE = 1024;
const HANGUP_MS = 2000;
const READ = 64 * 1024;

export interface ScreenOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** That of HOME, unless another is given */
  readonly cwd?: string;
  /** All of the environment, besides PATH, TERM, LANG, PWD, and HOME, which is an empty folder */
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  /** ms that something may take to appear */
  readonly deadline?: number;
}

/** One of the two is there. */
export interface Exit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** What the package has, but does not declare. */
interface Stream {
  readonly fd: number;
  on(event: 'end', listener: () => void): void;
}

export class Screen extends Emulator {
  /** Resolves when the program is gone and all that it wrote is on the screen. */
  readonly exited: Promise<Exit>;

  readonly #pty: IPty;
  readonly #deadline: number;
  readonly #waiting = new Waiting(() => this.#framed());
  #raw: Buffer[] = [];
  #rawLength = 0;
  #ahead = 0;
  #stalled = false;
  #typed: Buffer[] = [];
  #exit: Exit | undefined;

  private constructor(options: ScreenOptions, home: string) {
    const { columns: cols = 80, rows = 24, cwd = home } = options;
    super(cols, rows, (text) => this.type(text));
    this.#deadline = options.deadline ?? 20_000;
    this.#pty = spawn(options.command, [...options.args], {
      cols,
      rows,
      cwd,
      encoding: null,
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', LANG: 'C.UTF-8', HOME: home, ...options.env },
    });
    // Typed as a string, but without an encoding it is bytes: characters may be cut between two of them.
    this.#pty.onData((data: unknown) => this.#take(data as Buffer));
    const stream = this.#pty as unknown as Stream;
    stream.on('end', () => this.#takeRest(stream.fd));
    this.exited = new Promise((resolve) =>
      this.#pty.onExit(({ exitCode, signal }) =>
        this.write('', () => {
          this.#exit = signal ? { code: undefined, signal: signalName(signal) } : { code: exitCode, signal: undefined };
          this.#look();
          this.#waiting.over(this.#ending());
          resolve(this.#exit);
        }),
      ),
    );
  }

  /**
   * Starts a program; it ends with the test.
   *
   * A command that can't be started is a program that ends with code 1.
   */
  static open(t: Teardown, options: ScreenOptions): Screen {
    const home = mkdtempSync(join(tmpdir(), 'cadenas-home-'));
    t.teardown(() => rmSync(home, { recursive: true, force: true }));
    const screen = new Screen(options, home);
    t.teardown(() => screen.close());
    return screen;
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Everything that the program wrote, the newest 16 MiB of it. */
  get raw(): string {
    return Buffer.concat(this.#raw).toString();
  }

  /** Types as it is; for a key with a name see `press`. */
  type(text: string | Uint8Array): void {
    const bytes = Buffer.from(text as Uint8Array);
    const idle = this.#typed.length === 0;
    for (let at = 0; at < bytes.length; at += TYPED_AT_ONCE) this.#typed.push(bytes.subarray(at, at + TYPED_AT_ONCE));
    if (idle) this.#send();
  }

  /** @throws Error where there is no such key, see `keyBytes` */
  press(key: string): void {
    this.type(keyBytes(key, this.modes.applicationKeys));
  }

  /** Line ends become returns, as in terminals; nothing else is taken out, so that hostile pastes can be tried. */
  paste(text: string): void {
    const pasted = text.replaceAll(/\r?\n/g, '\r');
    this.type(this.modes.bracketedPaste ? `\x1b[200~${pasted}\x1b[201~` : pasted);
  }

  /** Tells the program that its window is in front, or is not, if it asked for that. */
  focus(front: boolean): void {
    if (this.modes.focus) this.type(front ? '\x1b[I' : '\x1b[O');
  }

  override resize(columns: number, rows: number): void {
    // The emulator first: what the program draws upon the news has the new size.
    super.resize(columns, rows);
    this.#pty.resize(columns, rows);
    this.#look();
  }

  /** @throws Error where the program is gone */
  signal(name: NodeJS.Signals): void {
    if (this.#exit !== undefined) throw new Error(this.#ending());
    process.kill(this.pid, name);
  }

  /** Nothing of what the program writes is read, as behind a line that hangs; it waits when the terminal is full. */
  stall(): void {
    this.#stalled = true;
    this.#pty.pause();
  }

  flow(): void {
    this.#stalled = false;
    this.#pty.resume();
  }

  /** Resolves when this is on the screen, all of it in one row unless the pattern says otherwise. */
  sees(what: string | RegExp, deadline?: number): Promise<void> {
    return this.until(() => has(this.text(), what), `to see ${shown(what)}`, deadline);
  }

  /** Resolves when this is not, or not any more, on the screen. */
  gone(what: string | RegExp, deadline?: number): Promise<void> {
    return this.until(() => !has(this.text(), what), `${shown(what)} to go`, deadline);
  }

  /**
   * Resolves when it holds. It is looked at after each piece of output, but not within a synchronized one (?2026), which
   * nobody sees. Rejects with the whole screen after the deadline, and at once when the program is gone.
   *
   * @param deadline ms
   */
  async until(holds: (screen: this) => boolean, what = String(holds), deadline = this.#deadline): Promise<void> {
    if (this.#drawn() && holds(this)) return;
    await this.#waiting.until(() => holds(this), what, deadline);
  }

  /** The terminal itself is gone, without a word to the program; resolves when that is gone too. */
  async hangUp(): Promise<Exit> {
    (this.#pty as unknown as { destroy(): void }).destroy();
    return this.exited;
  }

  /** Ends the program as a closed window does, and by force where it does not go in 2 s; resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#exit !== undefined) return;
    this.#pty.kill('SIGHUP');
    const force = setTimeout(() => this.#pty.kill('SIGKILL'), HANGUP_MS);
    await this.exited;
    clearTimeout(force);
  }

  #take(bytes: Buffer): void {
    this.#raw.push(bytes);
    this.#rawLength += bytes.length;
    while (this.#rawLength > RAW_KEPT) this.#rawLength -= this.#raw.shift()?.length ?? 0;

    this.#ahead += bytes.length;
    if (this.#ahead > AHEAD) this.#pty.pause();
    this.write(bytes, () => {
      this.#ahead -= bytes.length;
      if (this.#ahead === 0 && !this.#stalled) this.#pty.resume();
      this.#look();
    });
  }

  /** A hangup is the end to Node though the terminal may still hold some of what was written before it. */
  #takeRest(fd: number): void {
    for (;;) {
      const bytes = Buffer.alloc(READ);
      try {
        const length = readSync(fd, bytes);
        if (length === 0) return;
        this.#take(bytes.subarray(0, length));
      } catch (error) {
        // Where nobody has it open, and where somebody has it open again.
        if (['EIO', 'EAGAIN'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
        throw error;
      }
    }
  }

  #send(): void {
    const bytes = this.#typed.shift();
    if (bytes === undefined) return;
    // Typed as a string here too; bytes go as they are.
    this.#pty.write(bytes as unknown as string);
    if (this.#typed.length > 0) setImmediate(() => this.#send());
  }

  #drawn(): boolean {
    return this.#exit !== undefined || !this.modes.synchronized;
  }

  #look(): void {
    if (this.#drawn()) this.#waiting.look();
  }

  #ending(): string {
    return `the program ended (${this.#exit?.signal ?? `code ${this.#exit?.code ?? '?'}`})`;
  }

  #framed(): string {
    const edge = `+${'-'.repeat(this.columns)}+`;
    return [edge, this.text(), edge].join('\n');
  }
}

function has(text: string, what: string | RegExp): boolean {
  // `search`, since `test` of a global pattern goes on where it ended last.
  return typeof what === 'string' ? text.includes(what) : text.search(what) !== -1;
}

function shown(what: string | RegExp): string {
  return typeof what === 'string' ? JSON.stringify(what) : String(what);
}

function signalName(number: number): NodeJS.Signals | undefined {
  return (Object.keys(constants.signals) as NodeJS.Signals[]).find((name) => constants.signals[name] === number);
}
