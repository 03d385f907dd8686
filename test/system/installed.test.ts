/** The package that npm pack makes, installed for all of a machine: its three programs, from a folder of somebody else. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, t as file, test } from 'tap';
import { bundleClient, linkedNetwork } from '../../src/keys/link.js';
import { CliUser } from '../support/cli.js';
import { startDaemon } from '../support/daemon.js';
import { npm, packInto } from '../support/packed.js';
import { root, temporaryFolder } from '../support/temp.js';

interface Manifest {
  readonly version: string;
  readonly man: readonly string[];
}

const { version, man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
let folder: string;
let prefix: string;
/** Where everything is run, and whose home it is. */
let home: string;

before(async () => {
  folder = await temporaryFolder(file);
  prefix = join(folder, 'prefix');
  home = join(folder, 'home');
  mkdirSync(join(home, '.local/share'), { recursive: true });
  mkdirSync(join(home, '.local/share/cadenas'), { mode: 0o700 });
  const tarball = packInto(folder);
  npm('install', '--global', '--prefix', prefix, '--ignore-scripts', '--prefer-offline', tarball);
  process.chdir(home);
});

const bin = (program: string): string => join(prefix, 'bin', program);

function run(program: string, ...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], HOME: home };
  const { status, stdout, stderr } = spawnSync(bin(program), args, { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

test('what is in it', (t) => {
  const inside = join(prefix, 'lib/node_modules/cadenas');
  const files = (readdirSync(inside, { recursive: true }) as string[]).filter((at) => !at.startsWith('node_modules/'));
  for (const needed of [
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/operate.md',
    'deploy/Containerfile',
    'completion/bash/cadenasd',
    'completion/zsh/_cadenasd',
    'completion/fish/cadenasd.fish',
  ])
    t.ok(files.includes(needed), needed);
  const unwanted =
    /\.(ts|map|tsbuildinfo)$|^(src|test|scripts|data|keys|dist\/test|dist\/client)(\/|$)|^\.|package-lock/;
  t.same(
    files.filter((at) => unwanted.test(at)),
    [],
    'no sources, tests, keys or what a machine has of its own',
  );
  const sources = (room: string): string[] =>
    (readdirSync(join(root, room), { recursive: true }) as string[])
      .filter((at) => /(?<!\.d)\.ts$/.test(at))
      .map((at) => `dist/${room}/${at.replace(/ts$/, 'js')}`);
  const compiled = files.filter((at) => at.startsWith('dist/') && statSync(join(inside, at)).isFile());
  t.same(compiled.sort(), [...sources('src'), ...sources('protocol')].sort(), 'what the sources are now, compiled');
  t.notOk(readdirSync(join(inside, 'node_modules')).includes('typescript'), 'nothing of development');
  t.same(
    man,
    readdirSync(join(root, 'docs/man')).map((page) => `docs/man/${page}`),
    'package.json names all pages',
  );
  for (const page of man)
    t.ok(statSync(join(prefix, 'share', page.replace('docs/man', `man/man${page.slice(-1)}`))).isFile(), page);
  t.end();
});

test('two people talk, all from the package', async (t) => {
  for (const program of ['cadenasd', 'cadenas-keys']) t.match(run(program, '--version').out, version);
  const own = join(home, '.local/share/cadenas/cadenas.mjs');
  t.same(run('cadenas'), {
    code: 1,
    out: '',
    err: `cadenas: no client yet — put the one that you were given at ${own}\n`,
  });

  t.match(run('cadenas-keys', 'build', '--network', 'home'), { code: 0, err: '' });
  const network = { name: 'home', keys: join(home, 'keys'), linked: linkedNetwork(join(home, 'keys/home'), 'home') };
  t.match(run('cadenas-keys', 'bundle', '--network', 'home'), { code: 0, err: '' });
  t.match(run('cadenas-keys', 'bundle', '--network', 'home', '--out', own), { code: 0, err: '' });
  const sources = await bundleClient({ network: 'home', keys: network.keys, out: join(folder, 'sources.mjs') });
  t.ok(readFileSync(own).equals(readFileSync(sources.path)), 'the same client as from the sources, byte by byte');
  t.match(run('cadenas', '--version').out, `${version} (network home, `);

  const daemon = await startDaemon(t, { network, tls: true, program: bin('cadenasd') });
  const people = { network, where: daemon, client: bin('cadenas') };
  const alice = await CliUser.make(t, { ...people, name: 'alice', env: { HOME: home } });
  const asked = { CADENAS_CLIENT: join(home, 'cadenas-home.mjs') };
  const bobby = await CliUser.make(t, { ...people, name: 'bobby', env: { HOME: '/nowhere', ...asked } });
  for (const one of [alice, bobby]) {
    await one.ask('register', `@${one.name}`);
    await one.ask('login');
  }
  await alice.ask('add', '@bobby');
  const follower = bobby.follow('receive', '--follow');
  await follower.next('notice', { kind: 'request', name: 'alice' });
  await bobby.ask('accept', '@alice');
  await alice.ask('send', '@bobby', 'from a package');
  t.match(await follower.next('message'), { from: 'alice', text: 'from a package' });
  follower.child.kill('SIGINT');
  await follower.ended;
  t.equal(await daemon.stop(), 0);
});

test('nothing of it can be written by others, and nothing stays', (t) => {
  const all = readdirSync(prefix, { recursive: true }) as string[];
  t.ok(all.length > 500);
  t.same(
    all.filter((at) => {
      const s = lstatSync(join(prefix, at));
      return !s.isSymbolicLink() && (s.mode & 0o002) !== 0;
    }),
    [],
  );
  npm('uninstall', '--global', '--prefix', prefix, 'cadenas');
  const left = (readdirSync(prefix, { recursive: true }) as string[]).filter(
    (at) => !lstatSync(join(prefix, at)).isDirectory(),
  );
  t.same(left, []);
  t.end();
});
