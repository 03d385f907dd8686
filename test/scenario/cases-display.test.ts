/** Case 15 outside texts: what an argument, a path or an error says never reaches a terminal or a log as it is. */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { makeLog } from '../../src/ops/log.js';
import { clientOf } from '../support/cli.js';
import { makeNetwork } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';

const hostile = '\u001b[31m\u009b2J\u202egnp{bold}\u0007\r';
// eslint-disable-next-line no-control-regex -- the control characters that must not be there
const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const program = (name: string): string => fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));

function said(path: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8', timeout: 30_000 });
  return stdout + stderr;
}

test('case 15: arguments and paths are shown as harmless text', async (t) => {
  const folder = await temporaryFolder(t);
  const network = await makeNetwork();
  const odd = join(folder, hostile);
  await mkdir(odd, { mode: 0o755 });
  const nowhere = join(odd, 'nothing');
  const calls: Record<string, readonly (readonly string[])[]> = {
    [program('cadenasd')]: [
      [hostile],
      ['--network', hostile],
      ['--limit', `${hostile}=1`],
      ['--keys', nowhere],
      ['--keys', network.keys, '--network', network.name, '--data', odd],
      ['--keys', network.keys, '--network', network.name, '--cert-path', nowhere, '--key-path', nowhere],
      ['check', '--json', '--data', nowhere],
      ['backup', nowhere, '--data', odd],
      ['export', hostile, '--data', odd],
    ],
    [program('cadenas-keys')]: [
      [hostile],
      ['build', '--network', hostile],
      ['build', '--network', 'a', '--host', hostile, '--keys', odd],
      ['link', '--network', 'a', '--out', odd, '--keys', nowhere],
    ],
    [await clientOf(network)]: [
      [hostile],
      ['--home', nowhere, '--profile', hostile, 'whoami'],
      ['--home', odd, 'whoami'],
      ['--home', nowhere, '--secrets-file', nowhere, 'receive'],
      ['--home', nowhere, '--server', `${hostile}:1`, 'whoami'],
    ],
  };
  for (const [path, all] of Object.entries(calls))
    for (const args of all) {
      const text = said(path, args);
      const name = `${path.split('/').at(-1) ?? ''} ${JSON.stringify(args.map((arg) => arg.replace(folder, '…')))}`;
      t.notMatch(text, harmful, name);
      t.ok(text.length > 0, `${name}: something is said`);
    }
});

test('case 15: no line of the log holds what others sent as it is', (t) => {
  let text = '';
  const options = { level: 'debug', format: 'text', addresses: 'full', journald: false } as const;
  const log = makeLog(options, (line) => (text += line), Date.now);
  log.warn(`a handler failed ${hostile}`, { error: `EACCES: ${hostile}\nin two lines`, source: hostile });
  t.notMatch(text, harmful);
  t.equal(text.split('\n').length, 2, 'one line');
  t.end();
});
