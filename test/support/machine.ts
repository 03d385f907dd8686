/** A real systemd as process 1 of namespaces of its own (machine.sh), for root on Linux: nothing of it is left afterwards. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ended } from './cadenasd.js';
import { root, temporaryFolder, type Teardown } from './temp.js';

/** A command, and the start of the machine, take no longer, in ms. */
const DEADLINE_MS = 30_000;

export interface Machine {
  /** Runs a command in it to its end, as root. */
  run(...command: readonly string[]): Promise<Ended>;
  /** The same of one that must succeed. @returns what it wrote, without the last line break */
  must(...command: readonly string[]): Promise<string>;
  /** A property of the daemon's unit. */
  property(name: string): Promise<string>;
  /** A path in it, as this system sees it. */
  at(path: string): string;
}

/** The hierarchy of control groups that systemd can use; undefined: none. */
const groups = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs')));
const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork'];

/** Why there can't be one here; undefined: there can. */
export function whyNoMachine(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root can run a systemd of its own';
  if (groups === undefined) return 'there are no control groups of version 2';
  const { status } = spawnSync('unshare', [...namespaces, 'mount', '--make-rprivate', '/'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'there are no namespaces to run a systemd of its own in';
}

export async function startMachine(t: Teardown): Promise<Machine> {
  const group = join(groups ?? '', `cadenas-test-${String(process.pid)}`);
  const folder = await temporaryFolder(t);
  mkdirSync(group);
  const enter = 'echo $$ >"$0/cgroup.procs"; exec setpriv --pdeathsig KILL unshare --kill-child=KILL "$@"';
  const machine = ['sh', join(root, 'test/support/machine.sh'), folder, process.execPath, root];
  const child = spawn('/bin/sh', ['-c', enter, group, ...namespaces, ...machine], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
    await removeGroup(group);
  });
  const made = machineOf(await firstProcess(child.pid ?? 0));
  while ((await made.run('systemctl', 'is-active', 'machine.target')).code !== 0) await delay(50);
  return made;
}

/** The process id, on this system, of its process 1. */
async function firstProcess(parent: number): Promise<number> {
  const children = `/proc/${String(parent)}/task/${String(parent)}/children`;
  for (const until = performance.now() + DEADLINE_MS; performance.now() < until; await delay(20)) {
    const pid = Number(readFileSync(children, 'utf8').trim().split(' ')[0]);
    if (pid > 1 && readFileSync(`/proc/${String(pid)}/comm`, 'utf8') === 'systemd\n') return pid;
  }
  throw new Error('systemd did not start');
}

function machineOf(pid: number): Machine {
  const enter = ['-t', String(pid), '-m', '-p', '-u', '-i', '-C', 'env', '-i', 'PATH=/opt/node/bin:/usr/sbin:/usr/bin'];
  const run: Machine['run'] = (...command) =>
    new Promise((resolve) => {
      const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL' } as const;
      const child = execFile('nsenter', [...enter, ...command], options, (_error, out, err) => {
        resolve({ code: child.exitCode, out, err });
      });
      child.stdin?.end();
    });
  const must: Machine['must'] = async (...command) => {
    const { code, out, err } = await run(...command);
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}: ${err}`);
    return out.trimEnd();
  };
  return {
    run,
    must,
    property: (name) => must('systemctl', 'show', '-P', name, 'cadenasd.service'),
    at: (path) => `/proc/${String(pid)}/root${path}`,
  };
}

/** Its processes may take a moment to be gone. */
async function removeGroup(group: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      for (const each of readdirSync(group, { withFileTypes: true }))
        if (each.isDirectory()) await removeGroup(join(group, each.name));
      rmdirSync(group);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      await delay(20);
    }
  }
}
