/** cadenas-keys as a person calls it: the launcher in bin/, its lines and exit codes. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const launcher = fileURLToPath(new URL('../../../bin/cadenas-keys', import.meta.url));

function keys(cwd: string, ...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { cwd, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

const oneLine = /^cadenas-keys: [^\n]+; [^\n]+\n$/;

test('build, then link, then build again', (t) => {
  const cwd = t.testdir();
  const built = keys(cwd, 'build', '--network', 'home', '--host', 'a.example.org', '--host', '192.0.2.7');
  t.same([built.code, built.err], [0, '']);
  t.match(built.out, /^made the keys of network home in keys\/home\n/);
  t.match(built.out, /^tls pin {2}[0-9a-f]{64}$/m);
  t.equal(statSync(join(cwd, 'keys/home')).mode & 0o777, 0o700);

  const linked = keys(cwd, 'link', '--network', 'home', '--out', 'client');
  t.same([linked.code, linked.err], [0, '']);
  for (const line of [/^client {3}client\/cadenas\.mjs$/m, /^network {2}home$/m, /^sha256 {3}[0-9a-f]{64}$/m])
    t.match(linked.out, line);
  t.match(linked.out, /^build {4}\d+\.\d+\.\d+ \(\d+\)\nsoftware [0-9a-f]{32}\ntable {4}[0-9a-f]{64}$/m);
  t.ok(existsSync(join(cwd, 'client/README.txt')));

  const before = readFileSync(join(cwd, 'keys/home/server.key'), 'utf8');
  const again = keys(cwd, 'build', '--network', 'home');
  t.same([again.code, again.out], [1, '']);
  t.match(again.err, oneLine);
  t.equal(readFileSync(join(cwd, 'keys/home/server.key'), 'utf8'), before);
  t.end();
});

test('mistakes are one line and exit 1, the disk is exit 3', (t) => {
  const cwd = t.testdir({ file: '' });
  for (const args of [
    ['build', '--network', 'Home'],
    ['build', '--network', 'home', '--host', 'a b'],
    ['link', '--network', 'none', '--out', 'client'],
  ]) {
    const { code, out, err } = keys(cwd, ...args);
    t.same([code, out], [1, ''], args.join(' '));
    t.match(err, oneLine);
  }
  t.same(keys(cwd, 'build'), {
    code: 1,
    out: '',
    err: "cadenas-keys: required option '--network <name>' not specified — see cadenas-keys --help\n",
  });
  const mistyped = "cadenas-keys: unknown command 'lnk' (Did you mean link?) — see cadenas-keys --help\n";
  t.match(keys(cwd, 'lnk'), { code: 1, err: mistyped });
  t.equal(keys(cwd, 'unmake').code, 1);
  const disk = keys(cwd, 'build', '--network', 'home', '--keys', 'file');
  t.equal(disk.code, 3);
  t.match(disk.err, oneLine);
  t.end();
});

test('help', (t) => {
  const cwd = t.testdir();
  const all = keys(cwd, '--help');
  t.equal(all.code, 0);
  for (const word of ['build', 'link', 'rotate', 'retire', 'Examples']) t.match(all.out, word);
  t.match(keys(cwd, 'build', '--help').out, /--network[^]*--keys[^]*--host/);
  t.match(keys(cwd, 'rotate', '--help').out, /--network[^]*--keys[^]*--host/);
  t.match(keys(cwd, 'retire', '--help').out, /--network[^]*--keys[^]*--yes/);
  t.match(keys(cwd, 'link', '--help').out, /--network[^]*--out[^]*--keys/);
  t.end();
});

test('npm run build without keys fails in one line that names npm run keys', (t) => {
  const copy = t.testdir();
  const scripts = fileURLToPath(new URL('../../../scripts', import.meta.url));
  cpSync(scripts, join(copy, 'scripts'), { recursive: true });
  const build = spawnSync(process.execPath, [join(copy, 'scripts/build.mjs')], { encoding: 'utf8' });
  t.equal(build.status, 1);
  t.match(build.stdout + build.stderr, /^[^\n]*npm run keys[^\n]*\n$/);
  t.end();
});

test('output that somebody closes early is no error', (t) => {
  for (const program of ['cadenasd', 'cadenas-keys', 'cadenas'])
    for (const asked of ['--help', 'nonsense']) {
      const path = fileURLToPath(new URL(`../../../bin/${program}`, import.meta.url));
      const { stderr } = spawnSync('sh', ['-c', 'exec "$0" "$1" "$2" | true', process.execPath, path, asked], {
        encoding: 'utf8',
      });
      t.notMatch(stderr, /EPIPE|\n {4}at /, `${program} ${asked}`);
    }
  t.end();
});
