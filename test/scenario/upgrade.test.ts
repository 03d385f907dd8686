/**
 * What an operator meets who upgrades: an older store, and clients that were linked by an older program. The daemons of
 * tomorrow are copies of this program with a higher version and more rows in the opcode table.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'tap';
import { buildNumber, thisProgram } from '../../src/keys/program.js';
import { clientOf, CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { root, temporaryFolder, type Teardown } from '../support/temp.js';

const network = await makeNetwork();
const { version, build } = thisProgram();
const [major = '0', minor = '0'] = version.split('.');
const later = (by: number): string => `${major}.${String(Number(minor) + by)}.0`;

/** Puts `by` in the place of what must be there once. */
function change(path: string, what: string, by: string): void {
  const text = readFileSync(path, 'utf8');
  if (text.split(what).length !== 2) throw new Error(`${path} does not have ${what} once`);
  writeFileSync(path, text.replace(what, by));
}

/** This program, so many minor versions later: each has a row more in its table. @returns its cadenasd */
async function programLater(t: Teardown, by: number): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const part of ['dist/src', 'dist/protocol', 'bin', 'protocol'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const pack = readFileSync(join(root, 'package.json'), 'utf8');
  writeFileSync(join(folder, 'package.json'), pack.replace(`"version": "${version}"`, `"version": "${later(by)}"`));
  const last = `dlac: command('dlac', Opcode.dlac, 0, proof),`;
  const lines: string[] = [];
  for (let n = 1; n <= by; n++) {
    const rows = Array.from(
      { length: n },
      (_, row) => `new${String(row)}: command('new${String(row)}', ${String(100_900 + row)}, 0, proof),`,
    );
    const layouts = join(folder, 'dist/protocol/layouts.js');
    cpSync(join(root, 'dist/protocol/layouts.js'), layouts);
    change(layouts, last, last + rows.join(''));
    const sibling = join(folder, `dist/protocol/layouts-${String(n)}.js`);
    cpSync(layouts, sibling); // a module is loaded once by its name
    const { canonicalTable } = (await import(pathToFileURL(sibling).href)) as { canonicalTable: () => string };
    const table = createHash('sha256').update(canonicalTable()).digest('hex');
    lines.push(`{ build: ${String(buildNumber(later(n)))}, table: '${table}' },`);
  }
  change(join(folder, 'dist/src/server/releases.js'), '\n];', `\n${lines.join('\n')}\n];`);
  return join(folder, 'bin/cadenasd');
}

test('a client of the minor version before goes on; one that is older is told what to do, and has its profile', async (t) => {
  const data = join(await temporaryFolder(t), 'data');
  const client = await clientOf(network);
  const now = await startDaemon(t, { network, data });
  const { port } = now;
  const user = await CliUser.make(t, { network, where: now, name: 'alice', client });
  t.equal((await user.run('register', '@alice')).code, 0);
  await user.run('logout');
  await now.stop();

  const next = await startDaemon(t, { network, data, port, program: await programLater(t, 1) });
  await next.logged(`version=${later(1)}`);
  await next.logged('tables=3'); // its own, as the record has it too, and that of before
  t.equal((await user.run('login')).code, 0);
  t.equal((await user.run('room', 'create', 'lounge')).code, 0, 'and it does something');
  await user.run('logout');
  await next.stop();

  const program = await programLater(t, 2);
  const tomorrow = await startDaemon(t, { network, data, port, program });
  const files = readdirSync(user.home, { recursive: true }).length;
  const { code, err } = await user.run('login');
  t.equal(code, 1);
  t.match(err, `cadenas: this client is too old for the daemon, or of another build (426): it is ${version} — `);
  t.match(err, 'get a new one from your operator and put it in the place of this file; your profile stays as it is');
  await tomorrow.logged('lacking=build');
  t.equal(readdirSync(user.home, { recursive: true }).length, files);
  await tomorrow.stop();

  await startDaemon(t, { network, data, port, program, args: ['--min-build', String(build)] });
  t.equal((await user.run('login')).code, 0, 'unless the operator says so: the table is known');
});

test('an older store is upgraded behind a copy of it, and a newer one is refused', async (t) => {
  const data = join(await temporaryFolder(t), 'data');
  const first = await startDaemon(t, { network, data });
  await first.stop();
  const folder = join(data, network.name);
  const format = join(folder, 'format.json');
  const newest = readFileSync(format, 'utf8');
  writeFileSync(format, '{"format":3}\n');
  const second = await startDaemon(t, { network, data });
  const [copy = ''] = readdirSync(data).filter((name) => name.startsWith(`${network.name}.before-upgrade-3-`));
  t.equal(readFileSync(join(data, copy, 'format.json'), 'utf8'), '{"format":3}\n');
  t.equal(statSync(join(data, copy)).mode & 0o777, 0o700);
  t.notOk(existsSync(join(data, copy, 'hellos')));
  t.match(second.log(), `as it was it is in ${join(data, copy)}`);
  t.equal(readFileSync(format, 'utf8'), newest);
  await second.stop();
  const third = await startDaemon(t, { network, data });
  t.equal(readdirSync(data).length, 2, 'once');
  await third.stop();

  writeFileSync(format, '{"format":99}\n');
  mkdirSync(join(data, 'other'));
  const before = readdirSync(data);
  await t.rejects(startDaemon(t, { network, data }), { message: /has format 99.*install a newer Cadenas/ });
  t.same(readdirSync(data), before);
});
