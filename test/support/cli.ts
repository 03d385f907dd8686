/** The linked client as a process: what people and scripts run. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rmSync } from 'node:fs';
import { linkClient } from '../../src/keys/link.js';
import type { TestNetwork } from './daemon.js';
import type { Where } from './raw.js';
import { temporaryFolder, type Teardown } from './temp.js';

const linked = new Map<TestNetwork, Promise<string>>();

/** The client of a network, linked once for all tests of a process. */
export function clientOf(network: TestNetwork): Promise<string> {
  const client = linked.get(network) ?? link(network);
  linked.set(network, client);
  return client;
}

async function link(network: TestNetwork): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'cadenas-client-'));
  process.on('exit', () => {
    rmSync(out, { recursive: true, force: true });
  });
  return (await linkClient({ network: network.name, keys: network.keys, out })).path;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The lines of `--json`. */
  readonly json: readonly Readonly<Record<string, unknown>>[];
}

export interface UserOptions {
  readonly where: Where;
  readonly network: TestNetwork;
  readonly name: string;
  readonly password?: string;
  /** another program than the network's client */
  readonly client?: string;
  /** besides PATH, and XDG_CONFIG_HOME, which is `config` beside home */
  readonly env?: Readonly<Record<string, string>>;
}

/** One user on a machine of their own. */
export class CliUser {
  readonly name: string;
  readonly home: string;
  readonly secrets: string;
  readonly #client: string;
  readonly #env: Readonly<Record<string, string>>;
  where: Where;

  private constructor(client: string, home: string, { name, where, env = {} }: UserOptions) {
    this.#client = client;
    this.#env = { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: join(home, '..', 'config'), ...env };
    this.home = home;
    this.name = name;
    this.secrets = join(home, '..', 'secrets.json');
    this.where = where;
  }

  static async make(t: Teardown, options: UserOptions): Promise<CliUser> {
    const folder = await temporaryFolder(t);
    const user = new CliUser(options.client ?? (await clientOf(options.network)), join(folder, 'home'), options);
    await user.keepSecrets(options.password ?? `password of ${options.name}`);
    t.teardown(() => user.run('logout'));
    return user;
  }

  async keepSecrets(password: string, words = 'apple river stone'): Promise<void> {
    await writeFile(this.secrets, JSON.stringify({ password, words }));
    await chmod(this.secrets, 0o600);
  }

  get #options(): string[] {
    const { host, port, tls } = this.where;
    return ['--home', this.home, '--server', `${host}:${String(port)}`, ...(tls ? [] : ['--disable-ssl'])];
  }

  start(...args: readonly string[]): ChildProcessWithoutNullStreams {
    const all = [this.#client, ...this.#options, '--secrets-file', this.secrets, ...args];
    return spawn(process.execPath, all, { env: this.#env });
  }

  /** Runs a command to its end; `input` goes to its standard input. */
  async command(args: readonly string[], input = ''): Promise<Ended> {
    const child = this.start(...args);
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.stdin.on('error', () => undefined); // a command that fails early reads nothing
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    const json = args.includes('--json') ? out.split('\n').filter(Boolean).map(parse) : [];
    return { code, out, err, json };
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.command(args);
  }

  /** The same with --json; fails where the command does. */
  async ask(...args: readonly string[]): Promise<Ended['json']> {
    const { code, out, err, json } = await this.command(['--json', ...args]);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit ${String(code)}: ${out}${err}`);
    return json;
  }

  /** A command that goes on; gives its lines as they come. */
  follow(...args: readonly string[]): Follower {
    return new Follower(this.start('--json', ...args));
  }
}

export class Follower {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: Readonly<Record<string, unknown>>[] = [];
  #wake: (() => void) | undefined;
  readonly ended: Promise<number | null>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdin.end();
    createInterface(child.stdout).on('line', (line) => {
      this.#lines.push(parse(line));
      this.#wake?.();
    });
    this.ended = once(child, 'close').then(([code]) => {
      this.#wake?.();
      return code as number | null;
    });
  }

  /** The next line of a type, or with a matching field; others before it are passed over. */
  async next(type: string, field: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const line = this.#lines.shift();
      if (!line) {
        if (this.child.exitCode !== null) throw new Error(`ended before a line of type ${type}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const fits = Object.entries(field).every(([key, value]) => line[key] === value);
      if (line['type'] === type && fits) return line;
    }
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}
