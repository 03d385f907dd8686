/** A daemon on sockets that somebody else holds: its restart refuses nobody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { test, type Test } from 'tap';
import { ask, crowd } from '../support/crowd.js';
import { makeNetwork } from '../support/daemon.js';
import { root, temporaryFolder } from '../support/temp.js';

interface Held {
  /** Of the daemon that runs. */
  readonly pid: number;
  readonly addresses: readonly string[];
}

class Holder {
  readonly #lines: AsyncIterator<string>;

  constructor(lines: Interface) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The next daemon, when it is ready. */
  async next(): Promise<Held> {
    let pid = 0;
    const addresses: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done) throw new Error('the daemon did not start');
      const { value } = next;
      pid = Number(/^pid (\d+)$/.exec(value)?.[1] ?? pid);
      const address = /serving an inherited socket, not --listen address="?([^"\s]+)/.exec(value)?.[1];
      if (address !== undefined) addresses.push(address);
      if (value.startsWith('ready ')) return { pid, addresses };
    }
  }
}

/** So that a test may connect as it likes. */
const lavish = ['connections-per-second', 'connection-burst'].flatMap((name) => ['--limit', `${name}=10000`]);

async function hold(t: Test, hosts: string): Promise<Holder> {
  const network = await makeNetwork();
  const data = join(await temporaryFolder(t), 'data');
  const of = ['--network', network.name, '--keys', network.keys, '--data', data, ...lavish];
  const args = [join(root, 'dist/test/support/holder.js'), hosts, join(root, 'bin/cadenasd'), ...of];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    process.kill(-(child.pid ?? 0), 'SIGKILL'); // with its daemon: a group of its own
    await exited;
  });
  return new Holder(createInterface(child.stdout));
}

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const hosts = hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];

test('a restart refuses nobody: who connects meanwhile is answered afterwards', async (t) => {
  const holder = await hold(t, hosts.join(','));
  const first = await holder.next();
  t.equal(first.addresses.length, hosts.length, 'all sockets are served');
  const clients = crowd(first.addresses);
  for (const address of first.addresses) t.equal((await ask(address)).error, undefined, address);

  const stopping = performance.now();
  process.kill(first.pid, 'SIGTERM');
  const second = await holder.next();
  const ready = performance.now();
  t.same(second.addresses, first.addresses);
  t.not(second.pid, first.pid);
  for (const address of second.addresses) t.equal((await ask(address)).error, undefined, address);

  const answers = await clients.stop();
  const failed = answers.filter(({ error }) => error !== undefined);
  const waited = answers.filter(({ from, to, error }) => error === undefined && from < ready - 100 && to > ready - 100);
  t.comment(
    `${String(answers.length)} came, ${String(waited.length)} waited for a restart of ${(ready - stopping).toFixed(0)} ms`,
  );
  t.ok(waited.length > 10, 'many waited');
  t.same(failed, [], 'and nobody was refused, nor cut');
});
