/** Somebody in front of the terminal client: the linked program at a real pseudo-terminal. */
import { join } from 'node:path';
import { clientOf } from './cli.js';
import type { TestNetwork } from './daemon.js';
import type { Where } from './raw.js';
import { Screen } from './screen.js';
import { temporaryFolder, type Teardown } from './temp.js';

export const WORDS = 'apple river stone';

export interface PersonOptions {
  readonly network: TestNetwork;
  readonly where: Where;
  readonly name: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** of the profiles; a new one by default */
  readonly home?: string;
  /** What runs instead of the network's client, with its first arguments */
  readonly program?: readonly [string, ...string[]];
}

export class Person {
  readonly name: string;
  readonly password: string;
  readonly home: string;
  screen: Screen;
  readonly #start: () => Screen;
  /** Keys that were pressed, secrets and texts left out. */
  keys = 0;

  private constructor(options: PersonOptions, home: string, start: () => Screen) {
    this.name = options.name;
    this.password = `password of ${options.name}`;
    this.home = home;
    this.#start = start;
    this.screen = start();
  }

  static async sits(t: Teardown, options: PersonOptions): Promise<Person> {
    const [command, ...first] = options.program ?? [process.execPath, await clientOf(options.network)];
    const home = options.home ?? join(await temporaryFolder(t), 'home');
    const { host, port, tls } = options.where;
    const args = [...first, '--home', home, '--server', `${host}:${String(port)}`, ...(tls ? [] : ['--disable-ssl'])];
    const size = { columns: options.columns ?? 100, rows: options.rows ?? 30 };
    const start = (): Screen =>
      Screen.open(t, {
        command,
        args: [...args, ...(options.args ?? [])],
        ...size,
        ...(options.env ? { env: options.env } : {}),
      });
    return new Person(options, home, start);
  }

  /** The same profile in another terminal, or once more in this one. */
  again(): Screen {
    this.screen = this.#start();
    return this.screen;
  }

  press(...keys: readonly string[]): void {
    for (const key of keys) {
      this.keys++;
      this.screen.press(key);
    }
  }

  /** What is no secret counts a key for each character. */
  types(text: string, isSecret = false): void {
    if (!isSecret) this.keys += [...text].length;
    this.screen.type(text);
  }

  sees(what: string | RegExp): Promise<void> {
    return this.screen.sees(what);
  }

  gone(what: string | RegExp): Promise<void> {
    return this.screen.gone(what);
  }

  /** A line, and Enter. */
  says(text: string): void {
    this.types(text);
    this.press('enter');
  }

  /** From an empty profile to the first screen; without a second factor. */
  async registers(words = WORDS): Promise<void> {
    await this.answers(words);
    await this.sees('You have an account');
  }

  /** All that is asked before there is an account. */
  async answers(words = WORDS): Promise<void> {
    await this.sees('your name');
    this.types(this.name, true);
    this.press('enter');
    await this.sees('password:');
    this.types(this.password, true);
    this.press('enter');
    await this.sees('again:');
    this.types(this.password, true);
    this.press('enter');
    await this.sees('words:');
    this.types(words, true);
    this.press('enter');
    await this.sees('I noted them');
    this.press('enter');
  }

  async comesIn(): Promise<void> {
    await this.registers();
    this.press('enter');
    await this.sees('● online');
  }

  async unlocks(): Promise<void> {
    await this.sees('password:');
    this.types(this.password, true);
    this.press('enter');
    await this.sees('words:');
    this.types(WORDS, true);
    this.press('enter');
  }

  /** Ends the program as a person does. */
  async quits(): Promise<void> {
    this.press('ctrl-c');
    await this.sees('Quit?');
    this.press('enter');
    await this.screen.exited;
  }
}
