/** What `cadenas-keys bundle` made, alone with Node in an empty root: as on the machine of somebody who got it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, t as file, test } from 'tap';
import { bundleClient } from '../../src/keys/link.js';
import { Person } from '../support/at-screen.js';
import { addNull, addProgram, inRoot } from '../support/bare-root.js';
import { makeNetwork, startDaemon, type TestNetwork } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';

const NODE = '/bin/node';
const CLIENT = '/cadenas-test.mjs';

let network: TestNetwork;
let root: string;

before(async () => {
  network = await makeNetwork();
  root = await temporaryFolder(file);
  addProgram(root, process.execPath, NODE);
  addNull(root);
  await bundleClient({ network: network.name, keys: network.keys, out: join(root, CLIENT) });
});

/** With an environment that is empty but for what is given. */
function client(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program, ...rest] = inRoot(root, NODE, CLIENT, ...args);
  const { status, stdout, stderr } = spawnSync(program, rest, { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

test('it needs no file besides, and no environment', (t) => {
  const files = (readdirSync(root, { recursive: true }) as string[]).filter((at) => statSync(join(root, at)).isFile());
  const others = files.filter((name) => !/^(bin\/node|(usr\/)?lib(64)?\/.*\.so(\.\d+)*)$/.test(name));
  t.same(others, [CLIENT.slice(1)], 'Node, its libraries and the client alone');
  const { version, build, software, table } = network.linked;
  t.same(client(['--version']), {
    code: 0,
    out: `${version} (network test, build ${String(build)})\nkeys     generation 1\nsoftware ${software}\ntable    ${table}\n`,
    err: '',
  });
  const help = client(['--help']);
  t.match(help, { code: 0, err: '' });
  t.match(help.out, /^Usage: cadenas [^]* network test\b[^]* register /);
  t.same(client(['whoami']), {
    code: 1,
    out: '',
    err: 'cadenas: nothing names your home folder — set HOME, or use --home DIR\n',
  });
  t.match(client(['whoami', '--home', '/h']), {
    code: 1,
    err: /register first: node cadenas-test\.mjs --home \/h reg/,
  });
  t.end();
});

test('two people talk from there: one at the terminal, one by commands', async (t) => {
  const daemon = await startDaemon(t, { network, tls: true });
  const alice = await Person.sits(t, {
    network,
    where: daemon,
    name: 'alice',
    home: '/home/alice',
    program: inRoot(root, NODE, CLIENT),
  });
  await alice.comesIn();

  mkdirSync(join(root, 'home'), { recursive: true });
  const secrets = { password: 'password of bobby', words: 'apple river stone' };
  writeFileSync(join(root, 'home/secrets.json'), JSON.stringify(secrets), { mode: 0o600 });
  const bobby = (...args: readonly string[]) =>
    client([...args, '--server', `${daemon.host}:${String(daemon.port)}`, '--secrets-file', '/home/secrets.json'], {
      HOME: '/home',
    });
  t.match(bobby('register', '@bobby'), { code: 0, err: '' });
  t.match(bobby('login'), { code: 0, err: '' });
  t.teardown(() => bobby('logout'));
  t.match(bobby('add', '@alice'), { code: 0, err: '' });
  t.match(bobby('send', '@alice', 'from an empty root 🐴'), { code: 0, err: '' });
  await alice.sees('@bobby asks to talk with you');
  alice.press('alt-y');
  await alice.sees('@bobby: from an empty root 🐴');
  alice.says('and back :smile:');
  await alice.sees(/and back 😄 +(✓✓|read)/);
  t.match(bobby('history', '@alice'), { code: 0, out: /and back 😄/, err: '' });
  await alice.quits();
  t.same(await alice.screen.exited, { code: 0, signal: undefined });
});
