/** What this process takes of the machine, as metrics. */
import { readdirSync, readFileSync } from 'node:fs';
import type { MetricFamily } from './metrics.js';

/** Once: nobody changes it for a process that runs. */
const maxDescriptors = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
const started = Date.now() / 1000 - process.uptime();

function family(kind: MetricFamily['kind'], name: string, help: string, value: () => number): MetricFamily {
  return { kind, name: `process_${name}`, help, labels: [], read: () => [[value()]] };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export const processFamilies: readonly MetricFamily[] = [
  family('counter', 'cpu_seconds_total', 'CPU time of all threads, in seconds.', cpuSeconds),
  family('gauge', 'start_time_seconds', 'When it started, in seconds since 1970.', () => started),
  family('gauge', 'resident_memory_bytes', 'Memory in use, in bytes.', () => process.memoryUsage.rss()),
  family('gauge', 'heap_bytes', 'Objects on the heap, in bytes.', () => process.memoryUsage().heapUsed),
  family('gauge', 'external_bytes', 'Buffers outside the heap, in bytes.', () => process.memoryUsage().external),
  family('gauge', 'open_fds', 'Descriptors that are open.', () => readdirSync('/proc/self/fd').length),
  family('gauge', 'max_fds', 'Descriptors that may be open.', () => maxDescriptors),
];
