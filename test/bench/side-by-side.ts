/**
 * Ours and Mosquitto's CPU for a delivered message, in turns on the same core: the ratio says more than a figure,
 * which changes with the machine and its hour.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { cpuOf, type TestNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import { Child } from './child.js';
import type { Flooded } from './load.js';
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

/** A broker and its load. */
interface Side {
  readonly pid: number;
  readonly route: (seconds: number) => Promise<Pick<Flooded, 'messages' | 'ms'>>;
}

interface Turn {
  /** µs of the broker for each message */
  readonly cpu: number;
  readonly rate: number;
}

async function turn({ pid, route }: Side, seconds: number): Promise<Turn> {
  const before = await cpuOf(pid);
  const { messages, ms } = await route(seconds);
  return { cpu: ((await cpuOf(pid)) - before) / messages, rate: (1000 * messages) / ms };
}

const median = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? 0;

export async function sideBySide(scope: Teardown, network: TestNetwork, seconds: number): Promise<Row[]> {
  const version = mosquittoVersion();
  if (version === undefined) {
    say('no ratio to Mosquitto: it is not installed (Debian: apt-get install --no-install-recommends mosquitto)');
    return [];
  }
  const daemon = await startBenched(scope, { network, tls: true });
  const broker = await startMosquitto(scope, network);
  const ours = await loadFor(scope, daemon);
  const { port, certificate } = broker;
  const setup: MqttSetup = { port, certificate, payload: PAYLOAD };
  const theirs = await Child.start<MqttOrder>(scope, './mqtt-load.js', setup);
  const isPinned = [daemon, broker].every(({ pid }) => pin(pid, BROKER_CORE));
  if (isPinned) for (const { pid } of [ours, theirs]) pin(pid, LOAD_CORE);
  else say('not pinned to a core each: that needs two of them, and taskset');
  say(`TLS: ${String(PAIRS)} pairs, here and at Mosquitto …`);
  await ours.order({ kind: 'pairs', pairs: PAIRS });
  await theirs.order({ kind: 'pairs', pairs: PAIRS });
  const order = { kind: 'route', window: WINDOW } as const;
  const our: Side = { pid: daemon.pid, route: (time) => ours.order<Flooded>({ ...order, seconds: time }) };
  const their: Side = { pid: broker.pid, route: (time) => theirs.order<MqttFlooded>({ ...order, seconds: time }) };
  for (const side of [our, their]) await turn(side, 2); // warm
  const turns: { our: Turn; their: Turn }[] = [];
  for (let i = 0; i < TURNS; i++)
    turns.push({ our: await turn(our, seconds / 2), their: await turn(their, seconds / 2) });
  for (const load of [ours, theirs]) await load.end();
  await daemon.stop();
  await broker.stop();
  const row = (what: string, side: 'our' | 'their'): Row => ({
    what,
    link: 'TLS',
    figures: {
      'messages/s': Math.round(median(turns.map((both) => both[side].rate))),
      'CPU µs each': round(median(turns.map((both) => both[side].cpu))),
    },
  });
  const ratios = turns.map((both) => both.our.cpu / both.their.cpu);
  return [
    row(`side by side, ${String(PAIRS)} pairs: ours`, 'our'),
    row(`side by side, ${String(PAIRS)} pairs: Mosquitto ${version}, QoS 1, ${String(PAYLOAD)} B`, 'their'),
    { what: 'side by side: CPU of ours to theirs', link: 'TLS', figures: { '×': round(median(ratios), 2) } },
  ];
}
