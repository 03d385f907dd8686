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

  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
    await this.#tmux('send-keys', 'Enter');
  }

  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Resolves when the text stands on the screen as often as asked. A screen has no event: it is looked at. */
  async sees(text: string, times = 1): Promise<void> {
    for (const end = Date.now() + this.#deadline; ;) {
      const screen = await this.screen();
      if (screen.split(text).length > times) return;
      if (Date.now() > end) throw new Error(`never saw "${text}" ${String(times)} times:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Types a command and waits for its prompt to come back. */
  async command(text: string, ...answers: readonly [prompt: string, answer: string][]): Promise<void> {
    await this.type('clear');
    await this.#tmux('clear-history');
    await this.sees('READY>');
    await this.type(`${text}; echo "exit:$?"`);
    for (const [prompt, answer] of answers) {
      await this.sees(prompt);
      await this.type(answer);
    }
    await this.sees('\nexit:');
  }
}
