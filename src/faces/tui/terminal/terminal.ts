/** The terminal that a person sits at: raw keys in, frames out, and everything put back as it was, however this ends. */
import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { plainText } from '../../../plain/plain.js';
import type { Key } from '../text/key.js';
import { KeyDecoder } from '../text/keys.js';
import { Canvas } from './canvas.js';
import { Grid } from './grid.js';

/** A lone Esc is a key of its own when nothing follows it for so long, in ms. */
const ESCAPE_MS = 30;
/** The rest of what can be nothing but a sequence may come late, over a slow line: in ms. */
const SEQUENCE_MS = 500;
/** A paste whose end got lost must not take every key for good, in ms since the last of it. */
const PASTE_MS = 3_000;
/** A storm of sizes is followed at this pace, in ms. */
const RESIZE_MS = 40;
/** A program that may not stop is still here after this, in ms. */
const STOP_MS = 30;
/** Where the terminal does not tell its size: pipes, serial lines, containers. */
const SIZE = { columns: 80, rows: 24 };

/** As for any bug of this program (docs/cli.md). */
const CRASHED = 2;

const ON = '\u001b[?2004h\u001b[?1004h';
const OFF = '\u001b[?1004l\u001b[?2004l';
/* The window's title is kept by the terminal, where it has a stack of them. */
const KEEP_TITLE = '\u001b[22;2t';
const FORMER_TITLE = '\u001b[23;2t';
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
  /** a shell had it meanwhile */
  resumed(): void;
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
  #stop: NodeJS.Timeout | undefined;
  #title = '';
  #isTaken = true;
  #closed = false;
  #isHungUp = false;
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
        return output.columns || SIZE.columns; // 0 is no size either
      },
      get rows() {
        return output.rows || SIZE.rows;
      },
      write,
    });
    this.#grid = this.#canvas.grid();
    this.#canvas.send(KEEP_TITLE + ON);
    input.setRawMode?.(true);
    input.on('data', this.#onData);
    input.on('end', this.#onGone);
    input.on('error', this.#onGone);
    output.on('error', this.#onGone);
    output.on('resize', this.#onResize);
    process.on('SIGTSTP', this.#onSuspend);
    process.on('SIGCONT', this.#onResume);
    process.on('SIGHUP', this.#onHangup);
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
    if (this.#isOurs) this.#canvas.paint(this.#grid);
  }

  bell(): void {
    this.#send(BELL);
  }

  /** A desktop notification, where the terminal makes one of it. @param text plain, of this program */
  notify(text: string): void {
    this.#send(`\u001b]9;${text}${BELL}`);
  }

  /** To the clipboard of the terminal, also from another machine. */
  copy(text: string): void {
    this.#send(`\u001b]52;c;${Buffer.from(text, 'utf8').toString('base64')}${BELL}`);
  }

  /** @param text plain, of this program */
  title(text: string): void {
    this.#title = text;
    this.#send(`\u001b]2;${text}${BELL}`);
  }

  /** Everything is painted anew, whatever the terminal shows now. */
  redraw(): void {
    if (!this.#isOurs) return;
    this.#canvas.forget();
    this.#events.repaint();
  }

  /**
   * Hands the terminal back to the shell until that goes on with this program. All of its job stops, as with the key of
   * other programs: a script that started it too. Where no shell waits for it the system lets none of it stop.
   */
  suspend(): void {
    if (!this.#isOurs) return;
    this.#release();
    process.off('SIGTSTP', this.#onSuspend);
    process.kill(0, 'SIGTSTP');
    this.#stop = setTimeout(() => {
      this.#take();
    }, STOP_MS);
  }

  close(): void {
    if (this.#closed) return;
    if (this.#isOurs) this.#release();
    this.#closed = true;
    clearTimeout(this.#escape);
    clearTimeout(this.#resize);
    clearTimeout(this.#stop);
    this.#input.off('data', this.#onData);
    this.#input.off('end', this.#onGone);
    this.#input.off('error', this.#onGone);
    this.#output.off('error', this.#onGone);
    this.#output.off('resize', this.#onResize);
    process.off('SIGTSTP', this.#onSuspend);
    process.off('SIGCONT', this.#onResume);
    process.off('SIGHUP', this.#onHangup);
    process.off('exit', this.#onExit);
    process.off('uncaughtException', this.#onCrash);
    this.#canvas.close();
    this.#input.pause();
  }

  get #isOurs(): boolean {
    return this.#isTaken && !this.#closed && !this.#isGone;
  }

  #send(sequence: string): void {
    if (this.#isOurs) this.#canvas.send(sequence);
  }

  #release(): void {
    this.#isTaken = false;
    this.#canvas.send(OFF + FORMER_TITLE);
    this.#canvas.leave();
    this.#input.setRawMode?.(false);
  }

  /** After a shell had it. */
  #take(): void {
    clearTimeout(this.#stop);
    process.off('SIGTSTP', this.#onSuspend).on('SIGTSTP', this.#onSuspend);
    /* Off before on: whoever stopped this program may have left the terminal otherwise than it is known here. */
    this.#input.setRawMode?.(false);
    this.#input.setRawMode?.(true);
    this.#canvas.enter();
    this.#canvas.send(this.#isTaken ? ON : KEEP_TITLE + ON);
    this.#isTaken = true;
    this.title(this.#title);
    this.#events.resumed();
    process.emit('SIGWINCH'); // of a new size a program in the background was not told
    this.#resized();
  }

  readonly #onData = (chunk: Buffer | string): void => {
    clearTimeout(this.#escape);
    this.#tell(this.#decoder.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    const { isPasting, isEscape, pending } = this.#decoder;
    if (isPasting) this.#escape = setTimeout(() => this.#tell(this.#decoder.endPaste()), PASTE_MS);
    else if (pending)
      this.#escape = setTimeout(() => this.#tell(this.#decoder.flush()), isEscape ? ESCAPE_MS : SEQUENCE_MS);
  };

  #tell(keys: readonly Key[]): void {
    for (const key of keys) if (!this.#closed) this.#events.key(key);
  }

  readonly #onResize = (): void => {
    this.#resize ??= setTimeout(() => {
      this.#resized();
    }, RESIZE_MS);
  };

  #resized(): void {
    clearTimeout(this.#resize);
    this.#resize = undefined;
    this.#canvas.resized();
    this.#grid = this.#canvas.grid();
    this.#events.repaint();
  }

  readonly #onSuspend = (): void => {
    this.suspend();
  };

  readonly #onResume = (): void => {
    if (!this.#closed && !this.#isGone) this.#take();
  };

  /** Nothing can be read or written any more. */
  readonly #onGone = (): void => {
    this.#isGone = true;
    this.#onHangup();
  };

  /** The terminal goes, or somebody says so: where it is there yet it is put back. */
  readonly #onHangup = (): void => {
    if (this.#isHungUp) return;
    this.#isHungUp = true;
    if ((this.#input as unknown) === process.stdin) process.on('exit', dieOfHangup);
    this.#events.hangup();
  };

  readonly #onExit = (): void => {
    this.close();
  };

  /** A bug: told on a terminal that can show it. What it says may quote anybody. */
  readonly #onCrash = (thrown: unknown): void => {
    this.close();
    console.error(plainText(inspect(thrown), '')); // eslint-disable-line no-console -- nothing else is left to tell it by
    process.exit(CRASHED);
  };
}

/**
 * At the very end, and as other programs do. Besides, Node before 24 aborts where it can't set its terminal back, though
 * everything is done (nodejs/node#51519).
 */
function dieOfHangup(): void {
  process.kill(process.pid, 'SIGHUP');
}
