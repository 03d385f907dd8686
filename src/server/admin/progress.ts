/** How far a long command is: a bar on a terminal, a line now and then elsewhere; nothing for what is soon done. */

/** A bar appears when the work lasts longer than this, in ms, */
const FIRST_MS = 500;
/** and is drawn no more often than each so many ms; */
const BAR_MS = 100;
/** where there is no terminal, a line comes this often, in ms. */
const LINE_MS = 5_000;
const WIDTH = 30;

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class ProgressBar {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #what = '';
  #next: number;
  #isShown = false;

  constructor(stream: ProgressStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
    this.#next = now() + (stream.isTTY ? FIRST_MS : LINE_MS);
  }

  /** What is reported from now on, in a word or two. */
  begin(what: string): void {
    this.#what = what;
  }

  readonly report = (done: number, total: number): void => {
    const now = this.#now();
    if (now < this.#next) return;
    const share = total > 0 ? Math.min(1, done / total) : 1;
    const percent = `${Math.floor(share * 100)}%`;
    if (this.#stream.isTTY) {
      this.#next = now + BAR_MS;
      const full = Math.round(share * WIDTH);
      const bar = '#'.repeat(full) + '.'.repeat(WIDTH - full);
      this.#stream.write(`\r\x1b[K${this.#what} [${bar}] ${percent.padStart(4)}  ${done} of ${total}`);
      this.#isShown = true;
    } else {
      this.#next = now + LINE_MS;
      this.#stream.write(`${this.#what}: ${percent}, ${done} of ${total}\n`);
    }
  };

  /** Takes the bar away; other output may follow. */
  end(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[K');
    this.#isShown = false;
  }
}

/** For output that programs read. */
export const noProgress: Pick<ProgressBar, 'begin' | 'report' | 'end'> = {
  begin: () => undefined,
  report: () => undefined,
  end: () => undefined,
};
