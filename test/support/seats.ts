/** Two people who know each other, and the terminal client of one of them, which starts without a question. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { clientOf, type CliUser } from './cli.js';
import { twoUsers } from './cli-users.js';
import { makeNetwork, startDaemon, type Daemon } from './daemon.js';
import { Screen, type ScreenOptions } from './screen.js';
import type { Teardown } from './temp.js';

interface SeatOptions extends Partial<Pick<ScreenOptions, 'columns' | 'rows' | 'env' | 'deadline'>> {
  /** of the client */
  readonly args?: readonly string[];
  /** a module of JavaScript that runs in the program before it */
  readonly before?: string;
  /** bash that starts the client as "$@"; without it the client is the terminal's first program */
  readonly script?: string;
}

export class Seats {
  readonly daemon: Daemon;
  readonly alice: CliUser;
  /** has a session in the background */
  readonly bobby: CliUser;
  readonly #client: string;

  private constructor(daemon: Daemon, [alice, bobby]: readonly [CliUser, CliUser], client: string) {
    this.daemon = daemon;
    this.alice = alice;
    this.bobby = bobby;
    this.#client = client;
  }

  static async make(t: Teardown): Promise<Seats> {
    const network = await makeNetwork();
    const daemon = await startDaemon(t, { network });
    const [alice, bobby] = await twoUsers(t, daemon);
    await bobby.ask('login');
    await bobby.ask('add', '@alice');
    await alice.ask('receive');
    await alice.ask('accept', '@bobby');
    return new Seats(daemon, [alice, bobby], await clientOf(network));
  }

  /** The terminal client of @alice. */
  open(t: Teardown, { args = [], before, script, env = {}, ...options }: SeatOptions = {}): Screen {
    const { host, port } = this.daemon;
    const server = ['--server', `${host}:${String(port)}`, '--disable-ssl'];
    const own = ['--home', this.alice.home, ...server, '--secrets-file', this.alice.secrets, ...args];
    const first = before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
    const all = [...first, this.#client, ...own];
    return Screen.open(t, {
      ...(script === undefined
        ? { command: process.execPath, args: all }
        : { command: 'bash', args: ['--norc', '-c', script, 'bash', process.execPath, ...all] }),
      env,
      deadline: 8_000,
      ...options,
    });
  }

  /** The same, in the conversation with @bobby. */
  async talks(t: Teardown, options: SeatOptions = {}): Promise<Screen> {
    const screen = this.open(t, options);
    await screen.sees('● online');
    screen.type('/query @bobby\r');
    await screen.sees('@bobby> ');
    return screen;
  }
}

/** What the terminal of a program is set to, as stty has it. @param pid of a program at it */
function settingsOf(pid: number): string {
  return execFileSync('stty', ['-a', '-F', readlinkSync(`/proc/${String(pid)}/fd/0`)], { encoding: 'utf8' });
}

/** Keys come to the program one by one, unchanged. */
export const isRaw = (pid: number): boolean => settingsOf(pid).includes('-icanon');

/** Of a shell that waits for one program. */
export function childOf(pid: number): number {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  return Number(readFileSync(path, 'utf8').trim().split(' ')[0]);
}

/** Whether it stands still (T), and the like. */
export function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}
