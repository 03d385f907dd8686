/** The command line over a client that a test answers for: whatever it asks comes through a real profile's socket. */
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import type { Test } from 'tap';
import { utf8 } from '../../protocol/index.js';
import { FileStorage, prepareFolder, profileFolder, ProfileServer } from '../../src/client-node/index.js';
import type { Client, ClientEvent, CommandName, Commands } from '../../src/client/index.js';
import { main } from '../../src/faces/cli/main.js';
import { anyNetwork } from './client-support.js';

type Answers = { [C in CommandName]?: (args: Commands[C]['args']) => Commands[C]['result'] };

export class FakeClient implements Client {
  /** what was asked, in its order; `drained` and `rooms` change nothing and are left out */
  readonly calls: (readonly [CommandName, unknown])[] = [];
  readonly answers: Answers;
  readonly #listeners = new Set<(event: ClientEvent) => void>();

  constructor(answers: Answers) {
    this.answers = { drained: () => ({}), read: () => ({}), ...answers };
  }

  call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    if (command !== 'drained' && command !== 'rooms') this.calls.push([command, args]);
    return new Promise((resolve) => {
      const answer = this.answers[command];
      if (!answer) throw new Error(`nobody answers ${command}`);
      resolve(answer(args));
    });
  }
  tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class Collect extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Shown {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly json: readonly unknown[];
}

export interface Face {
  /** @param input typed on a terminal, a line each; undefined: there is none */
  run(argv: readonly string[], input?: readonly string[]): Promise<Shown>;
  readonly home: string;
}

const sealed = utf8(
  JSON.stringify({
    ...{ format: 1, network: 'test', name: 'alice', uid: '0a'.repeat(16), salt1: '00', salt2: '00' },
    ...{ sig: '00', enc: '00' },
  }),
);

/** A profile of @alice that is logged in. @param identity its file, where somebody types its secrets */
export async function faceOf(t: Test, client: Client, identity: Uint8Array = sealed): Promise<Face> {
  const home = join(t.testdir(), 'home');
  const folder = profileFolder(home, anyNetwork.network, 'default');
  await prepareFolder(folder);
  const storage = new FileStorage(folder);
  await storage.replace('identity', identity);
  await storage.close();
  const server = await ProfileServer.start(folder, client, () => undefined);
  t.teardown(() => server.close());
  return {
    home,
    run: async (argv, input) => {
      const [stdout, stderr] = [new Collect(), new Collect()];
      const stdin = Object.assign(new PassThrough(), { isTTY: input !== undefined, setRawMode: () => undefined });
      if (input) stdin.write(input.map((line) => `${line}\r`).join(''));
      else stdin.end('from a pipe\n');
      const self = [process.execPath, '/x/cadenas'];
      const abort = new AbortController();
      const interrupt = (): void => {
        abort.abort('SIGINT');
      };
      const env = { XDG_CONFIG_HOME: '/nowhere' };
      const host = { stdout, stderr, stdin, env, self, signal: abort.signal, interrupt };
      const exit = await main(anyNetwork, ['--home', home, ...argv], host);
      const json = argv.includes('--json') ? stdout.text.split('\n').filter(Boolean).map(parse) : [];
      return { exit, out: stdout.text, err: stderr.text, json };
    },
  };
}

function parse(line: string): unknown {
  return JSON.parse(line) as unknown;
}
