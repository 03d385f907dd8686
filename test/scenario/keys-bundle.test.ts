/** cadenas-keys bundle: the file that is handed out, its bytes, and what it is not written over. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'tap';
import { bundleClient } from '../../src/keys/link.js';
import { makeNetwork, type TestNetwork } from '../support/daemon.js';
import { root } from '../support/temp.js';
import { copyPrograms } from '../support/tree.js';

interface Place {
  readonly cwd: string;
  readonly tree?: string;
  readonly umask?: string;
  readonly env?: Readonly<Record<string, string>>;
}

let network: TestNetwork;
before(async () => (network = await makeNetwork('home')));

function bundle({ cwd, tree = root, umask = '022', env = {} }: Place, ...args: readonly string[]) {
  const all = [process.execPath, join(tree, 'bin/cadenas-keys'), 'bundle', '--network', 'home', ...args];
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', ...all], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

test('a client that knows its daemon', (t) => {
  const cwd = t.testdir();
  const made = bundle({ cwd }, '--keys', network.keys, '--server', 'chat.example.org:7979', '--out', 'known.mjs');
  t.same([made.code, made.err], [0, '']);
  const run = (env: Readonly<Record<string, string>>, ...args: readonly string[]): string =>
    spawnSync(join(cwd, 'known.mjs'), ['--home', cwd, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: cwd, ...env },
    }).stdout;
  t.match(run({}, 'config'), 'server = "chat.example.org:7979"  # default');
  t.match(run({}, 'config', '--print-default'), '\nserver = "chat.example.org:7979"\n');
  t.match(run({}, '--help'), 'chat.example.org:7979');
  t.match(run({ CADENAS_CLIENT_SERVER: '127.0.0.1:1' }, 'config'), 'server = "127.0.0.1:1"  # CADENAS_CLIENT_SERVER');
  for (const server of ['chat.example.org', 'chat.example.org:0', 'a b:1', 'http://x:1', '[::g]:1', ':7878', '']) {
    const { code, err } = bundle({ cwd }, '--keys', network.keys, '--server', server);
    t.equal(code, 1, server);
    t.match(err, /^cadenas-keys: [^\n]*write HOST:PORT[^\n]*\n$/);
  }
  t.equal(bundle({ cwd }, '--keys', network.keys, '--server', '[2001:db8::1]:7878', '--out', 'v6.mjs').code, 0);
  t.end();
});

test('one file, and what its receiver is to be told', (t) => {
  const cwd = t.testdir();
  const { code, out, err } = bundle({ cwd, umask: '077' }, '--keys', network.keys);
  t.same([code, err], [0, '']);
  const path = join(cwd, 'cadenas-home.mjs');
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  const { version, build, software, table } = network.linked;
  t.same(out.split('\n'), [
    'client   cadenas-home.mjs',
    'network  home',
    `build    ${version} (${String(build)})`,
    `software ${software}`,
    `table    ${table}`,
    `sha256   ${sha256}`,
    'Tell people the hash by another way than the file comes. Whoever has the file checks it by:',
    `  echo '${sha256}  cadenas-home.mjs' | sha256sum -c`,
    '',
  ]);
  t.equal(statSync(path).mode & 0o7777, 0o755, 'whatever the umask is');
  const check = out.trimEnd().split('\n').at(-1) ?? '';
  t.equal(spawnSync('/bin/sh', ['-c', check], { cwd, encoding: 'utf8' }).stdout, 'cadenas-home.mjs: OK\n');
  writeFileSync(path, `${readFileSync(path, 'utf8')} `);
  t.not(spawnSync('/bin/sh', ['-c', check], { cwd }).status, 0, 'another byte is found');

  t.match(spawnSync(path, ['--version'], { encoding: 'utf8', env: { PATH: process.env['PATH'] } }), {
    status: 0,
    stderr: '',
    stdout: `${version} (network home, build ${String(build)})\nkeys     generation 1\nsoftware ${software}\ntable    ${table}\n`,
  });
  t.end();
});

test('equal trees give equal bytes, wherever, whenever and by whomever they are built', (t) => {
  const folder = t.testdir({
    // What lies above a tree is none of its business.
    'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { commander: ['./none.js'] }, target: 'ES5' } }),
    'package.json': JSON.stringify({ type: 'commonjs', sideEffects: false }),
  });
  const tree = join(folder, 'a tree with ümlaut/deep/down');
  copyPrograms(tree);
  const [here, there] = [join(folder, 'here'), join(folder, 'there')];
  mkdirSync(here);
  mkdirSync(there);
  const one = bundle({ cwd: here }, '--keys', network.keys);
  const env = { LANG: 'tr_TR.UTF-8', LC_ALL: 'C', TZ: 'Pacific/Kiritimati', NODE_ENV: 'production', NODE_PATH: here };
  const other = bundle({ cwd: there, tree, umask: '002', env }, '--keys', network.keys, '--out', 'x/y.mjs');
  t.same([one.code, one.err, other.code, other.err], [0, '', 0, '']);
  const bytes = readFileSync(join(here, 'cadenas-home.mjs'));
  t.ok(bytes.equals(readFileSync(join(there, 'x/y.mjs'))), 'equal bytes');
  t.notOk(bytes.includes(root) || bytes.includes(folder), 'and no path of the machine in them');

  const linked = spawnSync(
    process.execPath,
    [join(root, 'bin/cadenas-keys'), 'link', '--network', 'home', '--keys', network.keys, '--out', 'l'],
    { cwd: there },
  );
  t.equal(linked.status, 0);
  t.ok(bytes.equals(readFileSync(join(there, 'l/cadenas.mjs'))), 'link writes the same file');
  t.end();
});

test('nothing else is overwritten', async (t) => {
  const other = await makeNetwork('work');
  const cwd = t.testdir({ 'text.mjs': 'something else\n// Cadenas client of network home, almost', 'empty.mjs': '' });
  mkdirSync(join(cwd, 'folder.mjs'));
  symlinkSync('text.mjs', join(cwd, 'link.mjs'));
  spawnSync('mkfifo', [join(cwd, 'pipe.mjs')]);
  symlinkSync('/dev/zero', join(cwd, 'endless.mjs'));
  const of = ({ name, keys }: TestNetwork, out: string) => bundleClient({ network: name, keys, out: join(cwd, out) });
  await of(network, 'ours.mjs');
  const first = readFileSync(join(cwd, 'ours.mjs'));
  await t.rejects(of(other, 'ours.mjs'), {
    name: 'KeysRefusal',
    message: /ours\.mjs is not a client of network work; /,
  });
  t.ok(first.equals(readFileSync(join(cwd, 'ours.mjs'))), 'untouched');
  await t.resolves(of(network, 'ours.mjs'), 'a client of the network is');
  for (const name of ['text', 'empty', 'folder', 'link', 'pipe', 'endless'])
    await t.rejects(
      of(network, `${name}.mjs`),
      { name: 'KeysRefusal', message: / is not a client of network home; / },
      name,
    );
  t.equal(readFileSync(join(cwd, 'text.mjs'), 'utf8').split('\n')[0], 'something else');
});

test('a name that Node or a shell would take for something else', async (t) => {
  for (const out of ['cadenas', 'cadenas.js', '-x.mjs', 'a b.mjs', "a'b.mjs", 'a\nb.mjs', '.mjs', 'x/', ''])
    await t.rejects(bundleClient({ network: network.name, keys: network.keys, out }), {
      name: 'KeysRefusal',
      message: / is no name for a client; /,
    });
});

test('where it can not be written: one line', (t) => {
  const cwd = t.testdir();
  const { code, err } = bundle({ cwd }, '--keys', network.keys, '--out', '/dev/null/a.mjs');
  t.equal(code, 3);
  t.match(err, /^cadenas-keys: [^\n]+; check the path, [^\n]+\n$/);
  t.end();
});
