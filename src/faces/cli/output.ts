/** What a command prints: lines for people or JSON for programs. */
import type { Host } from './host.js';
import type { Writable } from 'node:stream';
import type { Trouble } from '../../client/index.js';
import { plainJson, plainLine } from '../../plain/plain.js';

/** The newest notes that are kept while a screen is shown. */
const HELD_MAX = 200;

/** Whoever read our output is gone: the end, and no error. */
export class OutputGone extends Error {}

export interface Row {
  readonly type: string;
  readonly [field: string]: unknown;
}

export class Output {
  readonly json: boolean;
  /** How this program was started, for the commands that lines for people name. */
  program = 'cadenas';
  readonly #stdout: Host['stdout'];
  readonly #stderr: Writable;
  /** Notes that wait for a screen to go; undefined: they are written. */
  #held: string[] | undefined;
  readonly #ignore = (): void => undefined; // each write tells its own failure

  constructor(stdout: Host['stdout'], stderr: Writable, json: boolean) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.json = json;
    stdout.on('error', this.#ignore);
    stderr.on('error', this.#ignore);
  }

  /** Width of the terminal that people read; undefined where it is none. */
  get columns(): number | undefined {
    return this.#stdout.isTTY === true ? this.#stdout.columns : undefined;
  }

  /**
   * Resolves when the output took it.
   * @param human lines that are plain already
   * @throws OutputGone
   */
  async print(row: Row, human: string): Promise<void> {
    await this.#write(this.json ? plainJson(row) : human);
  }

  /** For people alone. */
  async say(human: string): Promise<void> {
    if (!this.json) await this.#write(this.named(human));
  }

  /** Our own line, its commands written so that they can be run. Never a text of others. */
  named(line: string): string {
    return line.replace(/\bcadenas (?=[a-z0-9-])/g, () => `${this.program} `);
  }

  #write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stdout.write(`${line}\n`, (failure) => {
        if (!failure) resolve();
        else if ((failure as NodeJS.ErrnoException).code === 'EPIPE') reject(new OutputGone());
        else reject(failure);
      });
    });
  }

  /** One line on stderr, which nobody waits for. */
  note(line: string): void {
    const text = `cadenas: ${plainLine(line)}\n`;
    if (!this.#held) this.#stderr.write(text);
    else if (this.#held.push(text) > HELD_MAX) this.#held.shift();
  }

  /** A screen is shown now, which no note may write over, unless stderr goes elsewhere. */
  hold(): void {
    if ((this.#stderr as { readonly isTTY?: boolean }).isTTY === true) this.#held = [];
  }

  /** The screen has gone: what was held is written. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const text of held) this.#stderr.write(text);
  }

  async trouble(trouble: Trouble): Promise<void> {
    const { code, message, hint } = trouble;
    if (this.json) await this.#write(plainJson({ type: 'error', code, message, hint }));
    else this.note(`${message} — ${this.named(hint)}`);
  }
}
