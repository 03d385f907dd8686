/**
 * The daemon as a service, for a time: many who are there and say nothing, others who come and go all the while, pairs who
 * talk. Its limits are the usual ones: everybody comes from an address of their own, as people do.
 *
 * Two things grow with logins before they are full: the record of HELLOs for 4 minutes, and what the journal holds for 5.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon, type Daemon, type TestNetwork } from '../../support/daemon.js';
import { temporaryFolder, type Teardown } from '../../support/temp.js';
import { Child } from '../child.js';
import { round, say, type Row } from '../row.js';
import type { ServiceOrder, ServiceSetup, State, Talked } from './load.js';
import type { LoggedIn } from './login.js';
import type { ServicePlan } from './plan.js';
import type { RegisterOrder, RegisterSetup } from './register.js';
import { figuresOf, heapOf, Watch } from './watch.js';

const LOOK_MS = 10_000;
/** Looks at the least, however short the time. */
const LOOKS = 10;
/** Messages of a pair in a second; the daemon's limit is 5. */
const OF_A_PAIR = 2;

/** In which order people are numbered: those who stay, those who come and go, those who talk. */
interface Seats {
  readonly users: number;
  readonly pairs: number;
  readonly talkers: number;
  readonly all: number;
}

function seatsOf({ connections, users, messages }: ServicePlan): Seats {
  const pairs = Math.ceil(messages / OF_A_PAIR);
  return { users: connections, pairs, talkers: connections + users, all: connections + users + 2 * pairs };
}

/** Why the daemon refused somebody, and how often, by what it logs at its end. @throws Error where there is no such line */
export function refusalsIn(log: string): Record<string, number> {
  const totals = /^\S+ INFO stopped(?: .*)?$/m.exec(log)?.[0].split(' stopped')[1];
  if (totals === undefined) throw new Error('the daemon logged no totals at its end');
  const each = totals.matchAll(/([a-z][a-z ]*)=(\d+)/g);
  return Object.fromEntries([...each].map(([, reason = '', count]) => [reason, Number(count)]));
}

interface Loads {
  readonly staying: Child<ServiceOrder>;
  readonly coming: Child<ServiceOrder>;
  readonly talking: Child<ServiceOrder>;
}

async function startLoads(scope: Teardown, { host, port, tls, network }: Daemon): Promise<Loads> {
  const setup: ServiceSetup = { where: { host, port, tls }, linked: network.linked };
  const start = (): Promise<Child<ServiceOrder>> => Child.start<ServiceOrder>(scope, './service/load.js', setup);
  return { staying: await start(), coming: await start(), talking: await start() };
}

/** A store with everybody's accounts. @returns the folder for `--data` */
async function register(scope: Teardown, network: TestNetwork, people: number): Promise<string> {
  const data = join(await temporaryFolder(scope), 'data');
  const setup: RegisterSetup = { folder: join(data, network.name), keys: join(network.keys, network.name) };
  const child = await Child.start<RegisterOrder>(scope, './service/register.js', setup);
  await child.order({ kind: 'register', people });
  await child.end();
  return data;
}

interface Measured {
  readonly daemon: Record<string, number>;
  readonly heap: Record<string, number>;
  readonly logins: LoggedIn;
  /** CPU of the process that logs in, in ms */
  readonly generator: number;
  readonly talked: Talked;
  /** connections that ended and should not have */
  readonly ended: number;
}

/** All three together, for the time. */
async function together(daemon: Daemon, loads: Loads, plan: ServicePlan, probed: string): Promise<Measured> {
  const { users, logins: perSecond, messages, seconds } = plan;
  const { staying, coming, talking } = loads;
  const before = await coming.order<State>({ kind: 'state' });
  const from = Date.now();
  const watch = new Watch(daemon.pid, lookMs(plan));
  const [logins, talked] = await Promise.all([
    coming.order<LoggedIn>({ kind: 'logins', first: seatsOf(plan).users, users, perSecond, seconds }),
    talking.order<Talked>({ kind: 'talk', perSecond: messages, seconds }),
    delay(1000 * seconds), // also where nobody comes and nobody talks
  ]);
  await watch.stop();
  const states = await Promise.all([staying, talking].map((load) => load.order<State>({ kind: 'state' })));
  return {
    daemon: figuresOf(watch.looks),
    heap: await heapOf(probed, from),
    logins,
    generator: ((await coming.order<State>({ kind: 'state' })).cpu - before.cpu) / 1000,
    talked,
    ended: states.reduce((sum, state) => sum + state.ended, 0),
  };
}

const lookMs = ({ seconds }: ServicePlan): number => Math.min(LOOK_MS, (1000 * seconds) / LOOKS);

export async function service(scope: Teardown, network: TestNetwork, tls: boolean, plan: ServicePlan): Promise<Row[]> {
  const { connections, loggedIn, users, seconds } = plan;
  const [link, seats] = [tls ? 'TLS' : 'TCP', seatsOf(plan)];
  say(`${link}: a store of ${String(seats.all)} people …`);
  const data = await register(scope, network, seats.all);
  const probed = join(data, 'probed');
  const env = { PROBE_FILE: probed, PROBE_MS: String(lookMs(plan)) };
  const flags = ['--import', new URL('./probe.js', import.meta.url).href];
  const daemon = await startDaemon(scope, { network, data, tls, flags, env });
  const loads = await startLoads(scope, daemon);
  say(`${link}: ${String(connections)} connect, ${String(loggedIn)} of them log in …`);
  await loads.staying.order({ kind: 'stay', first: 0, count: connections, loggedIn });
  await loads.talking.order({ kind: 'pairs', first: seats.talkers, pairs: seats.pairs });
  say(
    `${link}: ${String(plan.logins)} logins and ${String(plan.messages)} messages a second for ${String(seconds)} s …`,
  );
  const measured = await together(daemon, loads, plan, probed);
  for (const load of Object.values(loads) as Child<ServiceOrder>[]) await load.end();
  await daemon.stop();
  const people = `${String(users)} people`;
  const rows = rowsOf(measured, refusalsIn(daemon.log()), { ...plan, people });
  return rows.map(({ what, figures }) => ({ what: `service: ${what}`, link, figures }));
}

function rowsOf(
  { daemon, heap, logins, generator, talked, ended }: Measured,
  refusals: Record<string, number>,
  { connections, loggedIn, logins: perSecond, messages, seconds, people }: ServicePlan & { readonly people: string },
): Omit<Row, 'link'>[] {
  const numbered = (counts: Readonly<Record<string, number>>, what: string): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${what} ${name}`, count]));
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  const { asked, succeeded, late, refused, p50, p99, max, behind } = logins;
  return [
    {
      what: `the daemon, ${String(connections)} idle (${String(loggedIn)} logged in), ${String(seconds)} s`,
      figures: daemon,
    },
    { what: 'its heap', figures: heap },
    {
      what: `logins of ${people}, ${String(perSecond)}/s`,
      figures: {
        asked,
        succeeded,
        late,
        refused: sum(refused),
        ...numbered(refused, 'answered'),
        'p50 ms': round(p50),
        'p99 ms': round(p99),
        'max ms': round(max),
        'generator late p99 ms': round(behind),
        'generator CPU ms each': round(generator / Math.max(1, asked), 2),
      },
    },
    {
      what: `messages, ${String(messages)}/s`,
      figures: {
        delivered: talked.delivered,
        'queued instead': talked.queued,
        'p50 ms': round(talked.p50, 2),
        'p99 ms': round(talked.p99, 2),
        'max ms': round(talked.max, 1),
      },
    },
    {
      what: 'what should not have been',
      figures: { disconnects: ended, 'refused by the daemon': sum(refusals), ...numbered(refusals, 'refused:') },
    },
  ];
}
