/** A real daemon in a process of its own, on temporary keys, data and port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LinkedNetwork } from '../../protocol/index.js';
import { buildNetwork } from '../../src/keys/build.js';
import { linkedNetwork } from '../../src/keys/link.js';
import { root, temporaryFolder, type Teardown } from './temp.js';

export interface TestNetwork {
  readonly name: string;
  /** folder of the keys, as --keys takes it */
  readonly keys: string;
  readonly linked: LinkedNetwork;
}

const made = new Map<string, Promise<TestNetwork>>();

/** A network of temporary keys, the same for all tests of a process that name it. */
export function makeNetwork(name = 'test'): Promise<TestNetwork> {
  const network = made.get(name) ?? build(name);
  made.set(name, network);
  return network;
}

async function build(name: string): Promise<TestNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'cadenas-keys-'));
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const keys = join(folder, 'keys');
  await buildNetwork({ network: name, keys, hosts: [] });
  return { name, keys, linked: linkedNetwork(join(keys, name), name) };
}

export interface Daemon {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly tls: boolean;
  readonly data: string;
  readonly network: TestNetwork;
  /** What it logged so far. */
  log(): string;
  /** Resolves when the log has the text, which it may have already. */
  logged(text: string): Promise<void>;
  /** Resolves when the whole log is so, which it may be already. */
  logs(isSo: (log: string) => boolean): Promise<void>;
  /** Ends it by SIGTERM; gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface DaemonOptions {
  readonly network: TestNetwork;
  /** default: a new folder */
  readonly data?: string;
  readonly tls?: boolean;
  readonly port?: number;
  readonly args?: readonly string[];
  /** Path of cadenasd; default: that of the sources */
  readonly program?: string;
  /** Largest file it may write, in KiB: beyond it the disk fails. */
  readonly maxFile?: number;
  /** Called with its number as soon as there is a process. */
  readonly spawned?: (pid: number) => unknown;
  /** of Node, for what looks into it */
  readonly flags?: readonly string[];
  /** besides this process's own environment */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startDaemon(t: Teardown, options: DaemonOptions): Promise<Daemon> {
  const { network } = options;
  const tls = options.tls ?? false;
  const data = options.data ?? join(await temporaryFolder(t), 'data');
  const args = [
    '--max-semi-space-size=1', // as the program's first line has it
    ...(options.flags ?? []),
    options.program ?? join(root, 'bin/cadenasd'),
    '--no-config', // of a service on this machine; a test may name one of its own behind it
    ...['--network', network.name, '--keys', network.keys, '--data', data],
    ...['--listen', `127.0.0.1:${String(options.port ?? 0)}`],
    ...(tls ? [] : ['--disable-ssl']),
    ...(options.args ?? []),
  ];
  const limit = `ulimit -f ${String(2 * (options.maxFile ?? 0))}; exec "$0" "$@"`;
  const shell = options.maxFile === undefined ? [] : ['/bin/sh', '-c', limit];
  const [program = process.execPath, ...rest] = [...shell, process.execPath, ...args];
  const env = { ...process.env, ...options.env };
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env });
  options.spawned?.(child.pid ?? 0);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const { log, logged, logs } = logOf(child);
  const address = await readyAddress(child, exited, log);
  return {
    ...address,
    pid: child.pid ?? 0,
    tls,
    data,
    network,
    log,
    logged,
    logs,
    exited,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function logOf(child: ChildProcess): Pick<Daemon, 'log' | 'logged' | 'logs'> {
  let text = '';
  const waiting: { isSo: (log: string) => boolean; resolve: () => void }[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (const wait of waiting) if (wait.isSo(text)) wait.resolve();
  });
  const logs = (isSo: (log: string) => boolean): Promise<void> =>
    new Promise((resolve) => {
      if (isSo(text)) resolve();
      else waiting.push({ isSo, resolve });
    });
  return { log: () => text, logs, logged: (wanted) => logs((log) => log.includes(wanted)) };
}

async function readyAddress(child: ChildProcess, exited: Promise<unknown>, log: () => string) {
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line').then(([line]) => String(line)), exited.then(() => '')]);
  const match = /^ready (\S+):(\d+)$/.exec(first);
  if (!match) throw new Error(`the daemon did not start: ${first} ${log()}`);
  return { host: match[1] ?? '', port: Number(match[2]) };
}

/** User and system time of a process so far, in µs. */
export async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 10_000;
}

/** Resident memory of a process, in bytes. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
