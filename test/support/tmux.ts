/** A real terminal: tmux on a socket of its own, gone with the test. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Teardown } from './temp.js';

const run = promisify(execFile);
const LOOK_MS = 50;

export class Terminal {
  readonly #socket = `cadenas-test-${randomBytes(6).toString('hex')}`;
  readonly #deadline: number;
  #cleared = 0;

  private constructor(deadline: number) {
    this.#deadline = deadline;
  }

  /** @param deadline ms that a text may take to appear */
  static async open(t: Teardown, cwd: string, deadline = 20_000): Promise<Terminal> {
    const terminal = new Terminal(deadline);
    const shell =
      'env -i PATH="$PATH" HOME="$PWD" TERM=xterm-256color LANG=C.UTF-8 PS1="READY> " bash --norc --noprofile';
    await terminal.#tmux('new-session', '-d', '-x', '120', '-y', '40', '-c', cwd, shell);
    t.teardown(() => terminal.#tmux('kill-server'));
    await terminal.sees('READY>');
    return terminal;
  }

  #tmux(...args: string[]) {
    return run('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args]);
  }

  /** All that the terminal showed, scrolled lines too. */
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-J', '-S', '-1000')).stdout;
  }

  /** What is seen now, row by row. */
  async visible(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p')).stdout;
  }

  /** A variable of tmux, as `alternate_on` or `pane_title`. */
  async told(variable: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', `#{${variable}}`)).stdout.trimEnd();
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Closes the window with all that runs in it, as a person does. */
  async close(): Promise<void> {
    await this.#tmux('respawn-pane', '-k', 'exec sleep 600');
  }

  /** Without Enter. */
  async write(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  async type(text: string): Promise<void> {
    await this.write(text);
    await this.#tmux('send-keys', 'Enter');
  }

  /** @param key as tmux names it: `Enter`, `C-c`, `M-y`, `PPage` */
  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Resolves when the text stands on the screen as often as asked. */
  async sees(text: string, times = 1): Promise<void> {
    const what = `"${text}" ${String(times)} times`;
    await this.#until(
      () => this.screen(),
      (screen) => screen.split(text).length > times,
      what,
    );
  }

  /** Resolves when what is seen now is so. */
  async shows(pattern: RegExp): Promise<void> {
    await this.#until(
      () => this.visible(),
      (screen) => pattern.test(screen),
      String(pattern),
    );
  }

  /** A screen has no event: it is looked at. */
  async #until(look: () => Promise<string>, holds: (screen: string) => boolean, what: string): Promise<void> {
    for (const end = Date.now() + this.#deadline; ;) {
      const screen = await look();
      if (holds(screen)) return;
      if (Date.now() > end) throw new Error(`never saw ${what}:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Types a command and waits for its prompt to come back. */
  async command(text: string, ...answers: readonly [prompt: string, answer: string][]): Promise<void> {
    /* The shell may be late: until it says so, what the command before left still stands there. */
    const clean = `clean:${String(++this.#cleared)}`;
    await this.type(`clear; echo ${clean}`);
    const isClean = new RegExp(`^${clean}$`, 'm');
    await this.#until(
      () => this.screen(),
      (screen) => isClean.test(screen),
      clean,
    );
    await this.#tmux('clear-history');
    await this.type(`${text}; echo "exit:$?"`);
    for (const [prompt, answer] of answers) {
      await this.sees(prompt);
      await this.type(answer);
    }
    await this.sees('\nexit:');
  }
}
