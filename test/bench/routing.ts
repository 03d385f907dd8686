/** Between users who are there, their logins, and connections that say nothing. */
import { cpuOf, memoryOf, startDaemon, type Daemon, type DaemonOptions, type TestNetwork } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';
import type { Teardown } from '../support/temp.js';
import { Child } from './child.js';
import type { Flooded, Order, Setup } from './load.js';
import { round, say, type Row } from './row.js';

export const PAIRS = 20;
export const WINDOW = 32;
const limits = [
  'handshakes-per-source=512',
  'connections-per-source=20000',
  'queue-entries=100000000',
  'queue-bytes=999999999',
];

/** A daemon whose limits are in nobody's way. */
export function startBenched(scope: Teardown, options: DaemonOptions): Promise<Daemon> {
  const args = [...lavishArgs, ...limits.flatMap((limit) => ['--limit', limit]), ...(options.args ?? [])];
  return startDaemon(scope, { ...options, args });
}

export function loadFor(scope: Teardown, { host, port, tls, network }: Daemon): Promise<Child<Order>> {
  const setup: Setup = { where: { host, port, tls }, linked: network.linked };
  return Child.start<Order>(scope, './load.js', setup);
}

/** @returns what the work gave, and what CPU the daemon took for it, all threads, in µs */
export async function measured<T>(daemon: Daemon, work: () => Promise<T>): Promise<{ result: T; cpu: number }> {
  const before = await cpuOf(daemon.pid);
  const result = await work();
  return { result, cpu: (await cpuOf(daemon.pid)) - before };
}

export async function routing(scope: Teardown, network: TestNetwork, tls: boolean, seconds: number): Promise<Row[]> {
  const link = tls ? 'TLS' : 'TCP';
  const daemon = await startBenched(scope, { network, tls });
  const load = await loadFor(scope, daemon);
  say(`${link}: ${String(2 * PAIRS)} users register …`);
  await load.order({ kind: 'pairs', pairs: PAIRS });
  say(`${link}: routing …`);
  await load.order({ kind: 'route', seconds: 2, window: WINDOW }); // warm
  const routed = await measured(daemon, () => load.order<Flooded>({ kind: 'route', seconds, window: WINDOW }));
  const { messages, ms, frames, p50, p99 } = routed.result;
  say(`${link}: logins …`);
  const logins = await measured(daemon, () =>
    load.order<{ count: number; ms: number }>({ kind: 'logins', count: 1000, at_once: 8 }),
  );
  await load.end();
  await daemon.stop();
  return [
    {
      what: `routed private messages, ${String(PAIRS)} pairs`,
      link,
      figures: {
        'messages/s': Math.round((1000 * messages) / ms),
        'daemon CPU µs each': round(routed.cpu / messages),
        'frames each': round(frames / messages, 2),
        'p50 ms under load': round(p50, 2),
        'p99 ms under load': round(p99, 2),
      },
    },
    {
      what: 'logins, handshake and OPAQUE included',
      link,
      figures: {
        'logins/s': round((1000 * logins.result.count) / logins.result.ms),
        'daemon CPU ms each': round(logins.cpu / 1000 / logins.result.count, 2),
      },
    },
  ];
}

export async function idle(scope: Teardown, network: TestNetwork, tls: boolean, count: number): Promise<Row> {
  const link = tls ? 'TLS' : 'TCP';
  const daemon = await startBenched(scope, { network, tls });
  const load = await loadFor(scope, daemon);
  say(`${link}: ${String(count)} idle connections …`);
  await load.order({ kind: 'idle', count: 64 }); // workers and code are warm
  const before = await memoryOf(daemon.pid);
  await load.order({ kind: 'idle', count });
  const after = await memoryOf(daemon.pid);
  await load.end();
  await daemon.stop();
  return {
    what: `idle connections, ${String(count)}`,
    link,
    figures: { 'resident KB each': round((after - before) / 1024 / count) },
  };
}
