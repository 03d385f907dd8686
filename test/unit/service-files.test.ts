/** The files of `deploy/`, as install-service writes them. */
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { test } from 'tap';
import { programsOf, serviceFiles, isWrittenHere, CONFIG_FILE } from '../../src/ops/systemd/service-files.js';
import { STOP_MS } from '../../src/server/limits.js';
import { root, temporaryFolder } from '../support/temp.js';

const programs = { node: '/opt/n/bin/node', cadenasd: '/opt/c/bin/cadenasd' };
const files = serviceFiles(join(root, 'deploy'), programs);
const unit = files.find(({ path }) => path.endsWith('/cadenasd.service'))?.content ?? '';

test('they name this Node and this program, and no other', (t) => {
  t.equal(files.length, 4);
  for (const { path, content, isOwners } of files) {
    t.notMatch(content, /\/usr\/(bin|lib|local)\//, path);
    t.equal(isOwners, path === CONFIG_FILE, path);
    t.equal(isWrittenHere(content), !isOwners, path);
  }
  const program = `${programs.node} --max-semi-space-size=1 ${programs.cadenasd} --config ${CONFIG_FILE}`;
  t.match(unit, `\nExecStart=${program}\n`);
  t.equal(unit.split(programs.cadenasd).length - 1, 2, 'it serves, and checks its configuration');
  t.end();
});

test('the unit and the daemon mean the same', (t) => {
  t.ok(Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1]) * 1000 > 2 * STOP_MS, 'time to stop');
  t.match(unit, /^RestartPreventExitStatus=1$/m);
  t.match(unit, /^NotifyAccess=all$/m);
  const { daemon } = parse(files.find(({ isOwners }) => isOwners)?.content ?? '') as { daemon: Record<string, string> };
  t.match(daemon['data'], /^\/var\/lib\/cadenas\//);
  t.match(daemon['keys'], /^\/var\/lib\/cadenas\//);
  t.match(daemon['control'], /^\/run\/cadenas\//);
  t.end();
});

test('programs that the service would find, and such that it would not', async (t) => {
  const node = '/bin/sh'; // a program that everybody has
  t.match(programsOf(node, node).node, /^\/(usr\/)?bin\/\w+$/);
  const folder = await temporaryFolder(t); // 0700, and below /tmp as a rule
  t.throws(() => programsOf(node, folder), { name: 'ServiceRefusal', message: /^[^\n]+ — install Node and cadenas/ });
  t.throws(() => programsOf(join(folder, 'node'), node), { code: 'ENOENT' });
});
