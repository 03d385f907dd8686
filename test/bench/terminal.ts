/** The terminal client at a real pseudo-terminal: how soon it is there, how soon a key is seen, what it holds in memory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliUser, clientOf } from '../support/cli.js';
import { startDaemon, type TestNetwork } from '../support/daemon.js';
import { Screen } from '../support/screen.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';
import { FloodedOwner } from './flooded-owner.js';
import { percentile, round, say, sorted, type Row } from './row.js';
import { typing } from './typing.js';
import { wholeWay } from './whole-way.js';

const STARTS = 11;
const RATE = 1_000;
/** Messages before memory is looked at first: by then every ring is full. */
const SETTLED = 10_000;
const MESSAGES = 100_000;

export async function terminal(t: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> {
  const client = await clientOf(network);
  return [
    await firstPaint(t, client),
    ...(await flooded(t, network, client, seconds)),
    ...(await wholeWay(t, network, seconds)),
  ];
}

async function firstPaint(t: Teardown, client: string): Promise<Row> {
  say('terminal: first frame');
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const home = join(await temporaryFolder(t), 'home');
    const begun = performance.now();
    const screen = Screen.open(t, { command: process.execPath, args: [client, '--home', home] });
    await screen.sees('your name');
    times.push(performance.now() - begun);
    await screen.close();
  }
  const all = sorted(times);
  return {
    what: 'terminal: from its start to the first frame',
    link: '',
    figures: { ms: round(percentile(all, 0.5)), 'most ms': round(all.at(-1) ?? 0), starts: STARTS },
  };
}

async function flooded(t: Teardown, network: TestNetwork, client: string, seconds: number): Promise<Row[]> {
  const daemon = await startDaemon(t, { network, tls: false });
  const user = await CliUser.make(t, { network, where: daemon, name: 'reader' });
  await user.ask('register', '@reader');
  const [status] = (await user.ask('status')) as unknown as [Parameters<typeof FloodedOwner.serve>[1]];
  const folder = join(user.home, network.name, 'default');
  const { owner, close } = await FloodedOwner.serve(folder, { ...status, session: 'online' });
  const screen = Screen.open(t, {
    command: process.execPath,
    args: [client, '--home', user.home],
    columns: 120,
    rows: 40,
  });
  await screen.sees('● online');
  screen.type('/query @speaker\r');
  await screen.sees('@speaker> ');

  say(`terminal: typing while ${String(RATE)} messages a second come`);
  const quiet = await typing(screen, '@speaker> ', 2);
  const flood = owner.flood(RATE, RATE * (seconds + 1));
  await screen.sees(/message \d+:/);
  const busy = await typing(screen, '@speaker> ', seconds);
  await flood;
  say(`terminal: memory over ${String(MESSAGES)} messages`);
  const memory = await memoryOver(screen, owner);
  await screen.close();
  await close();
  return [
    { what: 'terminal: a key until it is seen, in silence', link: '', figures: quiet },
    { what: `terminal: the same, ${String(RATE)} messages/s coming in`, link: '', figures: busy },
    { what: `terminal: memory over ${String(MESSAGES)} messages`, link: '', figures: memory },
  ];
}

/** Resident memory, in MB, after so many messages that all that is bounded is full, and at the end. */
async function memoryOver(screen: Screen, owner: FloodedOwner): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  await owner.flood(4 * RATE, SETTLED);
  figures['MB at 10,000'] = await resident(screen.pid);
  await owner.flood(4 * RATE, MESSAGES / 2 - SETTLED);
  figures['MB at 50,000'] = await resident(screen.pid);
  await owner.flood(4 * RATE, MESSAGES / 2);
  figures['MB at 100,000'] = await resident(screen.pid);
  return figures;
}

async function resident(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
