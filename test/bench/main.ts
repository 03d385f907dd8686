/** `npm run bench`: daemon and load as processes of their own, one table, one JSON. It reports; it fails nothing but itself. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { cpuOf, makeNetwork, memoryOf, startDaemon, type Daemon, type TestNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import type { Order, Setup } from './load.js';

const undo: (() => unknown)[] = [];
const scope: Teardown = { teardown: (step) => undo.push(step) };
const PAIRS = 20;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const lavish = ['registrations-per-hour=1000000', 'lookups-per-minute=1000000', 'handshakes-per-source=512'];

interface Row {
  readonly what: string;
  readonly link: string;
  readonly figures: Readonly<Record<string, number>>;
}

class Load {
  readonly #child: ChildProcess;
  constructor(setup: Setup) {
    this.#child = fork(new URL('./load.js', import.meta.url), [JSON.stringify(setup)]);
    undo.push(() => this.#child.kill('SIGKILL'));
  }
  async ready(): Promise<void> {
    await once(this.#child, 'message');
  }
  async order<T>(order: Order): Promise<T> {
    this.#child.send(order);
    const [result] = (await once(this.#child, 'message')) as [T & { error?: string }];
    if (result.error !== undefined) throw new Error(result.error);
    return result;
  }
  async end(): Promise<void> {
    this.#child.send({ kind: 'end' } satisfies Order);
    await once(this.#child, 'exit');
  }
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function busy(network: TestNetwork, tls: boolean): Promise<Row[]> {
  const link = tls ? 'TLS' : 'TCP';
  const daemon = await startDaemon(scope, { network, tls, args: lavish.flatMap((limit) => ['--limit', limit]) });
  const load = await loadFor(daemon);
  say(`${link}: ${String(2 * PAIRS)} users register …`);
  await load.order({ kind: 'pairs', pairs: PAIRS });
  say(`${link}: routing …`);
  await load.order({ kind: 'route', seconds: 2, window: 32 }); // warm
  const routed = await measured(daemon, () =>
    load.order<{ messages: number; ms: number; p50: number; p99: number }>({
      kind: 'route',
      seconds: SECONDS,
      window: 32,
    }),
  );
  const { messages, ms, p50, p99 } = routed.result;
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

async function idle(network: TestNetwork, tls: boolean, count: number): Promise<Row> {
  const link = tls ? 'TLS' : 'TCP';
  const daemon = await startDaemon(scope, { network, tls, args: lavish.flatMap((limit) => ['--limit', limit]) });
  const load = await loadFor(daemon);
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

async function loadFor({ host, port, tls, network }: Daemon): Promise<Load> {
  const load = new Load({ where: { host, port, tls }, linked: network.linked });
  await load.ready();
  return load;
}

async function measured<T>(daemon: Daemon, work: () => Promise<T>): Promise<{ result: T; cpu: number }> {
  const before = await cpuOf(daemon.pid);
  const result = await work();
  return { result, cpu: (await cpuOf(daemon.pid)) - before };
}

try {
  const network = await makeNetwork('bench');
  const rows = [
    ...(await busy(network, false)),
    ...(await busy(network, true)),
    await idle(network, false, 1000),
    await idle(network, true, 1000),
  ];
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${String(availableParallelism())} cores, Node ${process.versions.node}`;
  process.stdout.write(`${machine}\n\n`);
  for (const { what, link, figures } of rows) {
    const text = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
    process.stdout.write(`${what.padEnd(42)} ${link}  ${text.join('   ')}\n`);
  }
  process.stdout.write(`\n${JSON.stringify({ machine, rows })}\n`);
} finally {
  for (const step of undo.reverse()) await step();
}
