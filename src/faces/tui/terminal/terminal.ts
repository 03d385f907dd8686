/** The terminal that a person sits at: raw keys in, frames out, and everything put back as it was, however this ends. */
import type { Readable } from 'node:stream';
import type { Key } from '../text/key.js';
import { KeyDecoder } from '../text/keys.js';
import { Canvas } from './canvas.js';
import { Grid } from './grid.js';

/** A lone Esc is a key of its own when nothing follows it for so long, in ms. */
const ESCAPE_MS = 30;
/** A storm of sizes is followed at this pace, in ms. */
const RESIZE_MS = 40;

/** As for any bug of this program (docs/cli.md). */
const CRASHED = 2;

/** The window's title is kept, pastes are marked, and focus is told. */
const ON = '\u001b[22;2t\u001b[?2004h\u001b[?1004h';
const OFF = '\u001b[?1004l\u001b[?2004l\u001b[23;2t';
const BELL = '\u0007';

export interface TerminalInput extends Readable {
  setRawMode?(raw: boolean): unknown;
}

export interface TerminalOutput {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize' | 'error', listener: () => void): unknown;
  off(event: 'resize' | 'error', listener: () => void): unknown;
}

export interface TerminalEvents {
  key(key: Key): void;
  /** the size is another, or the screen has to be painted anew */
  repaint(): void;
  /** the terminal is gone */
  hangup(): void;
}

export class Terminal {
  readonly #input: TerminalInput;
  readonly #output: TerminalOutput;
  readonly #events: TerminalEvents;
  readonly #decoder = new KeyDecoder();
  readonly #canvas: Canvas;
  #grid: Grid;
  #escape: NodeJS.Timeout | undefined;
  #resize: NodeJS.Timeout | undefined;
  #closed = false;
  #isGone = false;

  constructor(input: TerminalInput, output: TerminalOutput, events: TerminalEvents) {
    this.#input = input;
    this.#output = output;
    this.#events = events;
    const write = (text: string): void => {
      if (!this.#isGone) output.write(text);
    };
    this.#canvas = new Canvas({
      get columns() {
        return output.columns ?? 80;
      },
      get rows() {
        return output.rows ?? 24;
      },
      write,
    });
    this.#grid = this.#newGrid();
    this.#canvas.send(ON);
    input.setRawMode?.(true);
    input.on('data', this.#onData);
    input.on('end', this.#onGone);
    input.on('error', this.#onGone);
    output.on('error', this.#onGone);
    output.on('resize', this.#onResize);
    process.on('SIGTSTP', this.#onSuspend);
    process.on('SIGCONT', this.#onResume);
    process.on('SIGHUP', this.#onGone);
    process.on('exit', this.#onExit);
    process.on('uncaughtException', this.#onCrash);
    input.resume();
  }

  /** An empty frame of the terminal's size. */
  frame(): Grid {
    this.#grid.clear();
    return this.#grid;
  }

  /** Shows what stands in the frame. */
  paint(): void {
    if (!this.#closed && !this.#isGone) this.#canvas.paint(this.#grid);
  }

  bell(): void {
    this.#canvas.send(BELL);
  }

  /** A desktop notification, where the terminal makes one of it. @param text plain, of this program */
  notify(text: string): void {
    this.#canvas.send(`\u001b]9;${text}${BELL}`);
  }

  /** To the clipboard of the terminal, also from another machine. */
  copy(text: string): void {
    this.#canvas.send(`\u001b]52;c;${Buffer.from(text, 'utf8').toString('base64')}${BELL}`);
  }

  /** @param text plain, of this program */
  title(text: string): void {
    this.#canvas.send(`\u001b]2;${text}${BELL}`);
  }

  /** Everything is painted anew, whatever the terminal shows now. */
  redraw(): void {
    this.#canvas.forget();
    this.#events.repaint();
  }

  /** Hands the terminal back to the shell until SIGCONT. */
  suspend(): void {
    if (this.#closed || this.#isGone) return;
    this.#release();
    process.kill(process.pid, 'SIGSTOP');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#escape);
    clearTimeout(this.#resize);
    this.#input.off('data', this.#onData);
    this.#input.off('end', this.#onGone);
    this.#input.off('error', this.#onGone);
    this.#output.off('error', this.#onGone);
    this.#output.off('resize', this.#onResize);
    process.off('SIGTSTP', this.#onSuspend);
    process.off('SIGCONT', this.#onResume);
    process.off('SIGHUP', this.#onGone);
    process.off('exit', this.#onExit);
    process.off('uncaughtException', this.#onCrash);
    if (!this.#isGone) {
      this.#canvas.send(OFF);
      this.#input.setRawMode?.(false);
    }
    this.#canvas.close();
    this.#input.pause();
  }

  #release(): void {
    this.#canvas.send(OFF);
    this.#canvas.leave();
    this.#input.setRawMode?.(false);
  }

  #newGrid(): Grid {
    return new Grid(this.#output.columns ?? 80, this.#output.rows ?? 24);
  }

  readonly #onData = (chunk: Buffer | string): void => {
    clearTimeout(this.#escape);
    this.#tell(this.#decoder.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    if (this.#decoder.pending)
      this.#escape = setTimeout(() => {
        this.#tell(this.#decoder.flush());
      }, ESCAPE_MS);
  };

  #tell(keys: readonly Key[]): void {
    for (const key of keys) if (!this.#closed) this.#events.key(key);
  }

  readonly #onResize = (): void => {
    this.#resize ??= setTimeout(() => {
      this.#resize = undefined;
      this.#resized();
    }, RESIZE_MS);
  };

  #resized(): void {
    this.#canvas.resized();
    this.#grid = this.#newGrid();
    this.#events.repaint();
  }

  readonly #onSuspend = (): void => {
    this.suspend();
  };

  readonly #onResume = (): void => {
    if (this.#closed || this.#isGone) return;
    this.#input.setRawMode?.(true);
    this.#canvas.enter();
    this.#canvas.send(ON);
    this.#resized(); // the size may be another by now
  };

  readonly #onGone = (): void => {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.hangup();
  };

  readonly #onExit = (): void => {
    this.close();
  };

  /** A bug: told on a terminal that can show it. */
  readonly #onCrash = (thrown: unknown): void => {
    this.close();
    console.error(thrown); // eslint-disable-line no-console -- nothing else is left to tell it by
    process.exit(CRASHED);
  };
}
