/**
 * Ours and Mosquitto's CPU for a delivery, in turns on the same core: the ratio says more than a figure,
 * which changes with the machine and its hour.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { cpuOf, type TestNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import { Child } from './child.js';
import { ONLINE, SPEAKER_WINDOW, SPEAKERS } from './fan-out.js';
import type { Flooded, Order } from './load.js';
import { mosquittoVersion, startMosquitto } from './mosquitto.js';
import type { MqttFlooded, MqttOrder, MqttSetup } from './mqtt-load.js';
import { loadFor, PAIRS, startBenched, WINDOW } from './routing.js';
import { round, say, sorted, type Row } from './row.js';

const PAYLOAD = 2000;
/** Turns of each; the median counts. */
const TURNS = 5;
const BROKER_CORE = 0;
const LOAD_CORE = 1;

/** All threads of a process on one core, where `taskset` is there; those that they start follow them. */
function pin(pid: number, core: number): boolean {
  if (availableParallelism() < 2) return false;
  return spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0;
}

/** The same for both brokers: who is there, and who writes. */
interface Match {
  readonly what: string;
  /** Those to whom each message of ours goes, and of theirs. */
  readonly readers: { readonly our: number; readonly their: number };
  readonly meet: { readonly our: readonly Order[]; readonly their: MqttOrder };
  readonly write: (seconds: number) => { readonly our: Order; readonly their: MqttOrder };
}

const pairs: Match = {
  what: `${String(PAIRS)} pairs`,
  readers: { our: 1, their: 1 },
  meet: { our: [{ kind: 'pairs', pairs: PAIRS }], their: { kind: 'topics', topics: PAIRS, readers: 1 } },
  write: (seconds) => {
    const order = { kind: 'route', window: WINDOW, seconds } as const;
    return { our: order, their: order };
  },
};

/** Who writes in a room does not get it; who publishes does not subscribe. As many messages are under way in both. */
const room: Match = {
  what: `one to ${String(ONLINE)}`,
  readers: { our: ONLINE - 1, their: ONLINE },
  meet: {
    our: [
      { kind: 'crowd', count: ONLINE },
      { kind: 'room', name: 'here', members: ONLINE, speakers: SPEAKERS },
    ],
    their: { kind: 'topics', topics: 1, readers: ONLINE },
  },
  write: (seconds) => ({
    our: { kind: 'say', room: 'here', window: SPEAKER_WINDOW, seconds },
    their: { kind: 'route', window: SPEAKERS * SPEAKER_WINDOW, seconds },
  }),
};

/** A broker and its load. */
interface Side {
  readonly pid: number;
  readonly route: (seconds: number) => Promise<Pick<Flooded, 'messages' | 'ms'>>;
  readonly readers: number;
}

interface Turn {
  /** µs of the broker for each delivery */
  readonly cpu: number;
  /** deliveries in a second */
  readonly rate: number;
}

async function turn({ pid, route, readers }: Side, seconds: number): Promise<Turn> {
  const before = await cpuOf(pid);
  const { messages, ms } = await route(seconds);
  const delivered = messages * readers;
  return { cpu: ((await cpuOf(pid)) - before) / delivered, rate: (1000 * delivered) / ms };
}

const median = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? 0;

export const sideBySide = (scope: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> =>
  compare(scope, network, seconds, pairs);
export const roomSideBySide = (scope: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> =>
  compare(scope, network, seconds, room);

async function compare(scope: Teardown, network: TestNetwork, seconds: number, match: Match): Promise<Row[]> {
  const version = mosquittoVersion();
  if (version === undefined) {
    say('no ratio to Mosquitto: it is not installed (Debian: apt-get install --no-install-recommends mosquitto)');
    return [];
  }
  const { what, readers, meet, write } = match;
  const daemon = await startBenched(scope, { network, tls: true });
  const broker = await startMosquitto(scope, network);
  const ours = await loadFor(scope, daemon);
  const { port, certificate } = broker;
  const setup: MqttSetup = { port, certificate, payload: PAYLOAD };
  const theirs = await Child.start<MqttOrder>(scope, './mqtt-load.js', setup);
  const isPinned = [daemon, broker].every(({ pid }) => pin(pid, BROKER_CORE));
  if (isPinned) for (const { pid } of [ours, theirs]) pin(pid, LOAD_CORE);
  else say('not pinned to a core each: that needs two of them, and taskset');
  say(`TLS: ${what}, here and at Mosquitto …`);
  for (const order of meet.our) await ours.order(order);
  await theirs.order(meet.their);
  const our: Side = { pid: daemon.pid, route: (time) => ours.order<Flooded>(write(time).our), readers: readers.our };
  const their: Side = {
    pid: broker.pid,
    route: (time) => theirs.order<MqttFlooded>(write(time).their),
    readers: readers.their,
  };
  for (const side of [our, their]) await turn(side, 2); // warm
  const turns: { our: Turn; their: Turn }[] = [];
  for (let i = 0; i < TURNS; i++)
    turns.push({ our: await turn(our, seconds / 2), their: await turn(their, seconds / 2) });
  for (const load of [ours, theirs]) await load.end();
  await daemon.stop();
  await broker.stop();
  const row = (who: string, side: 'our' | 'their'): Row => ({
    what: `side by side, ${what}: ${who}`,
    link: 'TLS',
    figures: {
      'deliveries/s': Math.round(median(turns.map((both) => both[side].rate))),
      'CPU µs each': round(median(turns.map((both) => both[side].cpu))),
    },
  });
  const ratios = sorted(turns.map((both) => both.our.cpu / both.their.cpu));
  return [
    row('ours', 'our'),
    row(`Mosquitto ${version}, QoS 1, ${String(PAYLOAD)} B`, 'their'),
    {
      what: `side by side, ${what}: CPU of ours to theirs`,
      link: 'TLS',
      figures: {
        '×': round(median(ratios), 2),
        least: round(ratios[0] ?? 0, 2),
        most: round(ratios.at(-1) ?? 0, 2),
      },
    },
  ];
}
