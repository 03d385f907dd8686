/**
 * `npm run bench`: daemon and load as processes of their own, one table, one JSON. It reports; it fails nothing but
 * itself. In the environment: BENCH_SECONDS for each measurement, BENCH_FULL=1 for the large store and
 * 5,000 connections, BENCH_ONLY=a,b for some parts: routing, rooms, ratio, rooms-ratio, idle, queueing, latency, store, starting,
 * terminal, service.
 *
 * Of the service, SERVICE_… = CONNECTIONS that say nothing, LOGGED_IN of them, LOGINS a second of so many USERS, MESSAGES
 * a second, for SECONDS, over LINKS (tls, tcp or both: tls,tcp).
 */
import { availableParallelism, cpus } from 'node:os';
import { makeNetwork } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';
import { latency, queueing, store } from './durable.js';
import { rooms } from './fan-out.js';
import { idle, routing } from './routing.js';
import { say, type Row } from './row.js';
import { linksIn, planIn } from './service/plan.js';
import { service } from './service/service.js';
import { roomSideBySide, sideBySide } from './side-by-side.js';
import { starting } from './starting.js';
import { terminal } from './terminal.js';

const seconds = Number(process.env['BENCH_SECONDS'] ?? 5);
const full = process.env['BENCH_FULL'] === '1';
const only = process.env['BENCH_ONLY']?.split(',');
const [users, messages, connections] = full ? [100_000, 1_000_000, 5_000] : [10_000, 100_000, 1_000];

const undo: (() => unknown)[] = [];
const scope: Teardown = { teardown: (step) => undo.push(step) };

try {
  const network = await makeNetwork('bench');
  const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
    routing: async () => [
      ...(await routing(scope, network, false, seconds)),
      ...(await routing(scope, network, true, seconds)),
    ],
    rooms: async () => [
      ...(await rooms(scope, network, false, seconds)),
      ...(await rooms(scope, network, true, seconds)),
    ],
    ratio: () => sideBySide(scope, network, seconds),
    'rooms-ratio': () => roomSideBySide(scope, network, seconds),
    idle: async () => [await idle(scope, network, false, connections), await idle(scope, network, true, connections)],
    queueing: () => queueing(scope, network, seconds * 0.6),
    latency: () => latency(scope, network, seconds),
    store: () => store(scope, seconds),
    starting: () => starting(scope, network, users, messages),
    terminal: () => terminal(scope, network, seconds),
    service: async () => {
      const rows: Row[] = [];
      for (const tls of linksIn(process.env))
        rows.push(...(await service(scope, network, tls, planIn(process.env, full))));
      return rows;
    },
  };
  if (!full) say(`the store at the start: ${String(users)} users; BENCH_FULL=1 for ten times as many`);
  const rows: Row[] = [];
  for (const [name, part] of Object.entries(parts)) if (only?.includes(name) ?? true) rows.push(...(await part()));
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${String(availableParallelism())} cores, Node ${process.versions.node}`;
  process.stdout.write(`${machine}\n\n`);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, link, figures } of rows) {
    const text = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
    process.stdout.write(`${what.padEnd(width)}  ${link.padEnd(5)}  ${text.join('   ')}\n`);
  }
  process.stdout.write(`\n${JSON.stringify({ machine, rows })}\n`);
} finally {
  for (const step of undo.reverse()) await step();
}
