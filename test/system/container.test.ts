/** deploy/Containerfile and compose.yaml: each step is run, then the daemon runs as they have it. No engine is needed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, t as file, test } from 'tap';
import { linkedNetwork } from '../../src/keys/link.js';
import { Container } from '../support/container.js';
import { parseContainerfile } from '../support/containerfile.js';
import { Build, type Image } from '../support/image.js';
import { packInto } from '../support/packed.js';
import { newPerson } from '../support/people.js';
import { root, temporaryFolder } from '../support/temp.js';

interface Compose {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync(join(root, 'deploy/Containerfile'), 'utf8');
let folder: string;
let image: Image;

before(async () => {
  folder = await temporaryFolder(file);
  const context = join(folder, 'context');
  mkdirSync(context);
  packInto(context);
  image = new Build(join(folder, 'roots'), context).run(parseContainerfile(text));
});

/** Files of another user are not taken for keys; what a client needs of them is public. */
function publicOf(keys: string) {
  const copy = join(folder, 'keys');
  spawnSync('cp', ['-r', '--no-preserve=ownership', keys, copy]);
  return { name: 'home', keys: copy, linked: linkedNetwork(join(copy, 'home'), 'home') };
}

test('a line that is not known is an error', (t) => {
  const build = (lines: string) => () => new Build(t.testdir(), '/nowhere').run(parseContainerfile(lines));
  t.throws(build('USER x'), /before FROM/);
  t.throws(build('FROM docker.io/library/alpine:3'), /no image of Node/);
  t.throws(build('copy a b'), /is no instruction/);
  t.throws(build('ADD x y'), /ADD is not known/);
  t.throws(build('COPY --chown=x a b'), /--chown/);
  t.end();
});

test('what the image has', (t) => {
  t.equal(image.user, 'node');
  t.equal(image.exposed, '7878');
  t.equal(image.env['CADENASD_DAEMON_LISTEN'], '0.0.0.0:7878');
  t.notOk(existsSync(join(image.root, 'root/.npm')), 'no cache of npm');
  t.same(readdirSync(join(image.root, 'tmp')), [], 'nothing temporary');
  t.end();
});

test('the daemon in it: another user, no rights, a root that nobody writes to', async (t) => {
  const volumes = join(folder, 'volumes');
  const keys = Container.run(t, image, volumes, {}, ['cadenas-keys', 'build', '--network', 'home']);
  t.match(await keys.firstLine(), 'made the keys of network home in keys/home');
  t.equal(await keys.exited, 0);

  const daemon = Container.run(t, image, volumes, { CADENASD_DAEMON_LISTEN: '127.0.0.1:0' });
  const ready = await daemon.firstLine();
  t.match(ready, /^ready 127\.0\.0\.1:\d+$/);
  const status = readFileSync(`/proc/${String(daemon.pid)}/status`, 'utf8');
  for (const line of [/^Uid:\t1000\t1000\t1000\t1000$/m, /^CapEff:\t0+$/m, /^NoNewPrivs:\t1$/m, /^NSpid:\t\d+\t1$/m])
    t.match(status, line);
  const command = readFileSync(`/proc/${String(daemon.pid)}/cmdline`, 'utf8').split('\0');
  t.same(command.slice(0, 3), ['node', '--max-semi-space-size=1', '/opt/cadenas/bin/cadenasd']);
  for (const path of ['/x', '/opt/cadenas/x', '/var/lib/cadenas/x'])
    t.match(daemon.exec('sh', '-c', `: > ${path}`), { code: 2, err: /Read-only file system/ }, path);

  const network = publicOf(join(volumes, 'var/lib/cadenas/keys'));
  const outside = { host: '127.0.0.1', port: Number(ready.split(':')[1]), tls: true, network };
  t.ok((await newPerson(t, outside, 'alice')).cnnt, 'somebody from outside registers and logs in');
  t.match(daemon.exec(...image.health), { code: 0, err: '' }, 'the health check is content');
  const bundled = daemon.exec('cadenas-keys', 'bundle', '--network', 'home', '--out', 'keys/cadenas-home.mjs');
  t.match(bundled, { code: 0, err: '', out: /^client {3}keys\/cadenas-home\.mjs\n/ }, 'a client is made there');
  t.equal(await daemon.stop(), 0, 'it ends by its signal');

  const again = Container.run(t, image, volumes, { CADENASD_DAEMON_LISTEN: '127.0.0.1:0' });
  t.match(await again.firstLine(), /^ready /);
  t.match(again.exec('cadenasd', 'check'), { code: 0 }, 'the volumes keep what was there');
  t.equal(await again.stop(), 0);
});

test('compose.yaml runs it so', (t) => {
  const toJson = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';
  const input = readFileSync(join(root, 'deploy/compose.yaml'));
  const read = spawnSync('/usr/bin/python3', ['-c', toJson], { input, encoding: 'utf8' });
  t.equal(read.stderr, '');
  const { services, volumes } = JSON.parse(read.stdout) as Compose;
  t.same(Object.keys(services), ['cadenasd']);
  t.same(Object.keys(volumes), ['data', 'keys']);
  t.match(services['cadenasd'], {
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ports: [`${image.exposed}:${image.exposed}`],
    volumes: image.volumes.map((path) => `${path.split('/').at(-1) ?? ''}:${path}`),
    healthcheck: { test: ['CMD', ...image.health] },
  });
  const known = ['image', 'pull_policy', 'environment', 'ports', 'volumes', 'read_only', 'tmpfs', 'cap_drop'];
  known.push('security_opt', 'pids_limit', 'restart', 'stop_grace_period', 'healthcheck', 'logging');
  t.same(
    Object.keys(services['cadenasd'] ?? {}).filter((key) => !known.includes(key)),
    [],
    'nothing mistyped',
  );
  t.end();
});
