/** A client of the network in Python, written from SPEC.md alone: test/interop. Its scenarios are tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { EPOCH_ACCEPT_FRAMES } from '../../protocol/index.js';
import { clientOf } from './cli.js';
import { makeNetwork } from './daemon.js';
import { startLavish } from './people.js';
import { temporaryFolder } from './temp.js';

const PYTHON = '/usr/bin/python3';
const scripts = join(process.cwd(), 'test', 'interop');
const protocol = join(process.cwd(), 'protocol');

/** @returns how many scenarios of the script ran */
export async function interoperates(
  t: Test,
  script: string,
  tls: boolean,
  ...more: readonly string[]
): Promise<number> {
  const network = await makeNetwork();
  const args = ['--limit', `epoch-frames=${String(EPOCH_ACCEPT_FRAMES)}`, '--lobby', 'plaza'];
  const daemon = await startLavish(t, { network, tls, args });
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'home'), { mode: 0o700 });
  const linked = join(folder, 'linked.json');
  await writeFile(linked, JSON.stringify(network.linked));
  const where = [daemon.host, String(daemon.port), linked];
  const own = `${process.execPath} ${await clientOf(network)}${tls ? '' : ' --disable-ssl'}`;
  const files = ['--client', own, '--vectors', join(protocol, 'vectors'), '--words', join(protocol, 'words.txt')];
  files.push('--keys', join(process.cwd(), 'test', 'support', 'rsa-pairs.json'));
  const child = spawn(PYTHON, ['-B', join(scripts, script), ...where, ...files, ...(tls ? [] : ['--tcp']), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: folder },
  });
  t.teardown(() => child.kill());
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  let scenarios = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    t.ok(line.startsWith('ok '), line);
    scenarios++;
  }
  const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode];
  t.equal(errors, '', 'no errors of Python itself');
  t.equal(code, 0);
  return scenarios;
}
