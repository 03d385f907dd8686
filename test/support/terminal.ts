/** The command line in this process, with somebody at a terminal who answers what it asks. */
import { PassThrough, Writable } from 'node:stream';
import type { LinkedNetwork } from '../../protocol/index.js';
import { main } from '../../src/faces/cli/main.js';

/** What is typed when the terminal has shown the text, line by line. */
export type Dialogue = readonly (readonly [shows: RegExp, typed: string | (() => string | Promise<string>)])[];

export interface Shown {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

class Screen extends Writable {
  text = '';
  /** where what was answered last ends */
  #at = 0;
  #wake: () => void = () => undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#wake();
    done();
  }

  async until(shows: RegExp): Promise<void> {
    while (!shows.test(this.text.slice(this.#at))) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#at = this.text.length;
  }
}

/** @param dialogue undefined: there is no terminal */
export async function atTerminal(linked: LinkedNetwork, argv: readonly string[], dialogue?: Dialogue): Promise<Shown> {
  const [stdout, stderr] = [new Screen(), new Screen()];
  const stdin = Object.assign(new PassThrough(), { isTTY: dialogue !== undefined, setRawMode: () => undefined });
  const answering = async (): Promise<void> => {
    for (const [shows, typed] of dialogue ?? []) {
      await stderr.until(shows);
      stdin.write(`${typeof typed === 'string' ? typed : await typed()}\r`);
    }
  };
  const running = main(linked, argv, {
    stdin,
    stdout,
    stderr,
    env: { XDG_CONFIG_HOME: '/nowhere' },
    self: ['node', '/x/cadenas'],
  });
  const exit = await Promise.race([running, answering().then(() => running)]);
  stdin.destroy();
  return { exit, out: stdout.text, err: stderr.text };
}
