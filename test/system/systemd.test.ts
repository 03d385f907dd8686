/** The daemon as a service: of a real systemd where there can be one, and with systemd's own programs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type Test } from 'tap';
import type { Ended } from '../support/cadenasd.js';
import { Code, structs } from '../../protocol/index.js';
import { ask, crowd } from '../support/crowd.js';
import { makeNetwork, startDaemon, type TestNetwork } from '../support/daemon.js';
import { lavishLimits } from '../support/lavish.js';
import { startMachine, whyNoMachine, type Machine } from '../support/machine.js';
import { newPerson, type Served } from '../support/people.js';
import { nicenessesIn } from '../support/niceness.js';
import { copyTree, root, temporaryFolder } from '../support/temp.js';

const PRIVATE = ['server.key', 'secrets.json', 'tls.key'];
const UNITS = ['cadenasd.service', 'cadenasd.socket'];
/** That nobody's way is barred by what a test repeats. */
const limits = `\n[limits]\n${Object.entries(lavishLimits).map(([name, value]) => `${name} = ${String(value)}\n`).join('')}`; // prettier-ignore
/** Nobody special. */
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** It takes what a daemon writes to its $NOTIFY_SOCKET, one datagram a line. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

test('a notify socket is told readiness, life and the end', async (t) => {
  const path = join(await temporaryFolder(t), 'notify');
  const listener = spawn('/usr/bin/python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => listener.kill('SIGKILL'));
  const lines = createInterface(listener.stdout)[Symbol.asyncIterator]();
  const told = async (what: RegExp): Promise<void> => {
    for (;;) {
      const line = await lines.next();
      if (line.done) throw new Error(`nobody said ${String(what)}`);
      if (what.test(line.value)) return;
    }
  };
  await told(/^bound$/);
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000000' };
  const daemon = await startDaemon(t, { network: await makeNetwork(), env });
  await told(/^READY=1 STATUS=serving test on 127\.0\.0\.1:\d+$/);
  await told(/^WATCHDOG=1$/);
  await told(/^WATCHDOG=1$/);
  const stopped = daemon.stop();
  await told(/^STOPPING=1 STATUS=stopping$/);
  t.equal(await stopped, 0);
  t.notMatch(daemon.log(), /WARN.*service manager/);
});

test('systemd-socket-activate hands its socket over', async (t) => {
  const network = await makeNetwork();
  const address = `127.0.0.1:${String(await freePort())}`;
  const data = join(await temporaryFolder(t), 'data');
  const of = ['--network', network.name, '--keys', network.keys, '--data', data];
  const child = spawn('systemd-socket-activate', ['-l', address, process.execPath, join(root, 'bin/cadenasd'), ...of], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stderr, 'data'); // it listens
  t.equal((await ask(address)).error, undefined);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  t.equal(line, `ready ${address}`);
});

test('the units as they are shipped: no complaint, and little exposed', async (t) => {
  const run = (...args: readonly string[]): Promise<string> => {
    const child = spawn('systemd-analyze', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return once(child, 'close').then(([code]) => `${said}${String(code)}`);
  };
  const security = await run('security', '--offline=true', '--no-pager', join(root, 'deploy/cadenasd.service'));
  const exposure = Number(/Overall exposure level for cadenasd\.service: (\d+\.\d+)/.exec(security)?.[1]);
  t.comment(`exposure ${String(exposure)}`);
  t.ok(exposure <= 1.5, 'exposure');
});

/** The machine's part: one for all of it, each step on what the ones before left. */
const why = whyNoMachine();
test('a machine of its own', why === undefined ? {} : { skip: why }, async (t) => {
  const machine = await startMachine(t);
  const network = await makeNetwork();
  const service = (...args: readonly string[]) => machine.must('node', '/opt/cadenas/bin/cadenasd', ...args);

  await t.test('install-service tells what it would do, and refuses what could not work', async (t) => {
    const dry = await machine.run(...nobody, 'node', '/opt/cadenas/bin/cadenasd', 'install-service', '--dry-run');
    t.same([dry.code, dry.err], [0, '']);
    t.match(
      dry.out,
      /^would write {2}\/etc\/systemd\/system\/cadenasd\.service\n[^]*\nwould run +systemctl daemon-reload\n/,
    );
    t.notOk(existsSync(machine.at('/etc/systemd/system/cadenasd.service')));
    await refused(t, machine, [...nobody, 'node', '/opt/cadenas/bin/cadenasd'], /only root may do this — /);
    for (const [folder, mode, what] of [
      ['/opt/closed', '700', /\/opt\/closed is closed to others — install/],
      ['/home/someone', '755', /the service sees nothing of \/home — install/],
      ['/opt/with space', '755', /has letters that no unit takes as they are — install/],
    ] as const) {
      await machine.must('mkdir', '-p', '-m', mode, folder);
      await machine.must('mkdir', `${folder}/cadenas`);
      await machine.must('mount', '--bind', '/opt/cadenas', `${folder}/cadenas`);
      await refused(t, machine, ['node', `${folder}/cadenas/bin/cadenasd`], what);
    }
    await machine.must('mkdir', '-p', '/tmp/image/etc');
    const image = await service('install-service', '--root', '/tmp/image');
    t.match(image, /^wrote +\/tmp\/image\/etc\/systemd[^]*\nrunning +systemd-sysusers --root=\/tmp\/image/);
    t.match(readFileSync(machine.at('/tmp/image/etc/passwd'), 'utf8'), /^cadenas:/m);
    t.notOk(existsSync(machine.at('/etc/systemd/system/cadenasd.service')));
  });

  await t.test('install-service', async (t) => {
    const said = await service('install-service');
    t.match(said, /^wrote +\/etc\/systemd\/system\/cadenasd\.service\n[^]*systemctl enable --now cadenasd\.service\n/);
    t.match(await machine.must('id', 'cadenas'), /^uid=\d+\(cadenas\)/);
    t.equal(await machine.must('stat', '-c', '%a %U', '/var/lib/cadenas'), '700 cadenas');
    const verified = await machine.run(
      'systemd-analyze',
      'verify',
      ...UNITS.map((unit) => `/etc/systemd/system/${unit}`),
    );
    t.same(verified, { code: 0, out: '', err: '' });

    const unit = machine.at('/etc/systemd/system/cadenasd.service');
    const content = readFileSync(unit, 'utf8');
    t.match(content, '\nExecStart=/opt/node/bin/node --max-semi-space-size=1 /opt/cadenas/bin/cadenasd --config ');
    writeFileSync(unit, `${content}# mine\n`);
    editConfig(machine, (text) =>
      text.replace('"home"', `"${network.name}"`).replace('[::]:7878', '127.0.0.1:0').concat(limits),
    );
    const again = await service('install-service');
    t.match(again, /^updated +\S+\/cadenasd\.service; as it was: (\S+)\nunchanged [^\n]+\nunchanged [^\n]+\nleft /);
    t.equal(readFileSync(unit, 'utf8'), content);
    const aside = /as it was: (\S+)/.exec(again)?.[1] ?? '';
    t.equal(readFileSync(machine.at(aside), 'utf8'), `${content}# mine\n`, 'what was there is kept');
  });

  await t.test('it starts with encrypted credentials, in the whole sandbox', async (t) => {
    await putKeys(machine, network);
    await configure(machine);
    await machine.must('systemctl', 'start', 'cadenasd.service');
    t.equal(await machine.property('ActiveState'), 'active');
    t.equal(await machine.must('stat', '-c', '%F %a %U', '/run/cadenas/control'), 'socket 600 cadenas');
    const daemon = await serving(machine, network);
    await newPerson(t, daemon, 'alice');
    for (const folder of ['/var/lib/cadenas', '/run/cadenas'])
      t.equal(statSync(machine.at(folder)).mode & 0o777, 0o700, folder);
    const pid = await machine.property('MainPID');
    const status = readFileSync(machine.at(`/proc/${pid}/status`), 'utf8');
    t.match(status, /^CapBnd:\s+0+$/m);
    t.match(status, /^Seccomp:\s+2$/m);
    const stats = await machine.must('sh', '-c', `cat /proc/${pid}/task/*/stat`);
    t.ok(nicenessesIn(`${stats}\n`).includes(4), 'its workers may give way');
    const journal = await journalOf(machine);
    t.match(journal, /serving/);
    t.notMatch(journal, /WARN|ERROR/);
  });

  await t.test('a reload counts without cutting anybody off, and one with a mistake changes nothing', async (t) => {
    const { raw } = await newPerson(t, await serving(machine, network), 'carol');
    const pid = await machine.property('MainPID');
    editConfig(machine, (text) => text.replace('who = "open"', 'who = "closed"'));
    await machine.must('systemctl', 'reload', 'cadenasd.service');
    await comes(machine, 'a reload', async () => (await journalOf(machine)).includes('reloaded'));
    t.match(await journalOf(machine), /reloaded.*registration\.who/);
    editConfig(machine, (text) => text.replace('who = "closed"', 'who = "nobody"'));
    t.not((await machine.run('systemctl', 'reload', 'cadenasd.service')).code, 0);
    t.equal(await service('health'), 'healthy', 'whoever asks the daemon needs no sound file');
    editConfig(machine, (text) => text.replace('who = "nobody"', 'who = "open"'));
    await machine.must('systemctl', 'reload', 'cadenasd.service');
    t.equal((await raw.ask(structs.keyq, { name: 'alice' })).header.code, Code.done, 'still connected');
    t.same([await machine.property('MainPID'), await machine.property('ActiveState')], [pid, 'active']);
    t.match(await machine.property('StatusText'), /^serving /);
  });

  await t.test('a command beside the service says which credential it lacks', async (t) => {
    const keys = ['--network', network.name, '--keys', '/var/lib/cadenas/keys'];
    const owner = ['setpriv', '--reuid=cadenas', '--regid=cadenas', '--clear-groups'];
    const command = (...words: readonly string[]): Promise<Ended> =>
      machine.run(...owner, 'node', '/opt/cadenas/bin/cadenasd', ...words, ...keys);
    t.match(await command('invite'), { code: 0, out: /counts once/ }, 'what goes by the daemon needs none');
    const { code, err } = await command('audit', '@alice');
    t.equal(code, 1);
    t.match(err, /^cadenasd: [^\n]*secrets\.json is missing, [^\n]*credential secrets\.json — [^\n]+\n$/);
  });

  await t.test('one that stands still is ended and started again', async (t) => {
    const pid = await machine.property('MainPID');
    t.ok(Number(pid) > 1);
    await machine.must('kill', '-STOP', pid);
    await comes(machine, 'a restart', async () => (await machine.property('NRestarts')) !== '0');
    await comes(machine, 'a new daemon', async () => (await machine.property('ActiveState')) === 'active');
    t.not(await machine.property('MainPID'), pid);
    const journal = await journalOf(machine);
    t.match(journal, /Watchdog timeout/);
    await newPerson(t, await serving(machine, network), 'bobby');
  });

  await t.test('with its socket: started by who connects, and no restart refuses anybody', async (t) => {
    const address = `127.0.0.1:${String(await freePort())}`;
    dropIn(machine, 'cadenasd.socket', `[Socket]\nListenStream=\nListenStream=${address}\n`);
    await machine.must('systemctl', 'daemon-reload');
    await machine.must('systemctl', 'stop', 'cadenasd.service');
    await machine.must('systemctl', 'start', 'cadenasd.socket');
    t.equal(await machine.property('ActiveState'), 'inactive');
    t.equal((await ask(address)).error, undefined, 'whoever connects starts it');
    await comes(machine, 'readiness', async () => (await machine.property('ActiveState')) === 'active'); // a child tells it
    t.equal(await machine.property('StatusText'), `serving ${network.name} on ${address}`);
    const clients = crowd([address]);
    const before = await machine.property('MainPID');
    await machine.must('systemctl', 'restart', 'cadenasd.service');
    t.not(await machine.property('MainPID'), before);
    t.equal((await ask(address)).error, undefined);
    const answers = await clients.stop();
    t.comment(`${String(answers.length)} came`);
    t.ok(answers.filter(({ from, to }) => to - from > 100).length > 10, 'many waited for the restart');
    t.same(answers.filter(({ error }) => error !== undefined), [], 'nobody was refused'); // prettier-ignore
  });

  await t.test('what the operator must mend is not tried again and again', async (t) => {
    await machine.must('systemctl', 'stop', 'cadenasd.socket', 'cadenasd.service');
    writeFileSync(machine.at('/etc/cadenas/cadenasd.toml'), '[registration]\nwho = "me"\n');
    const { code } = await machine.run('systemctl', 'start', 'cadenasd.service');
    t.not(code, 0);
    t.same([await machine.property('ActiveState'), await machine.property('ExecMainStatus')], ['failed', '1']);
    const journal = await journalOf(machine);
    t.match(journal, /cadenasd\.toml:2: [^\n]+ — /);
  });

  await t.test('uninstall-service', async (t) => {
    const said = await service('uninstall-service');
    for (const unit of UNITS) {
      t.match(said, `removed      /etc/systemd/system/${unit}`);
      t.notOk(existsSync(machine.at(`/etc/systemd/system/${unit}`)));
    }
    t.match(said, /\nData, keys, configuration and the user cadenas are left[^]*\n {2}rm -r \/var\/lib\/cadenas/);
    t.ok(existsSync(machine.at('/var/lib/cadenas/data')));
    t.equal(await service('uninstall-service'), 'nothing to remove: the service is not installed');
  });
});

/** install-service, by this way to the program, is refused in one line, and nothing is written. */
async function refused(t: Test, machine: Machine, program: readonly string[], what: RegExp): Promise<void> {
  const { code, out, err } = await machine.run(...program, 'install-service');
  t.same([code, out], [1, '']);
  t.match(err, /^cadenasd: [^\n]+ — [^\n]+\n$/);
  t.match(err, what);
}

/** The private files of the network's keys, encrypted; the folder has the others alone. */
async function putKeys(machine: Machine, { name, keys }: TestNetwork): Promise<void> {
  const folder = `/var/lib/cadenas/keys/${name}`;
  mkdirSync(machine.at('/var/lib/cadenas/keys'), { mode: 0o700 });
  copyTree(join(keys, name), machine.at(folder));
  mkdirSync(machine.at('/etc/credstore.encrypted'), { mode: 0o700 });
  for (const file of PRIVATE) {
    const credential = `/etc/credstore.encrypted/cadenas.${file}`;
    await machine.must(
      'systemd-creds',
      'encrypt',
      '--with-key=host',
      `--name=${file}`,
      `${folder}/${file}`,
      credential,
    );
    await machine.must('rm', `${folder}/${file}`);
  }
  await machine.must('chown', '-R', 'cadenas:cadenas', '/var/lib/cadenas');
}

/** So long something may take that systemd does in its own time, in ms: twice what the unit gives a stop. */
const COMES_MS = 40_000;

/** @throws with what the journal and the unit say, where it does not come */
async function comes(machine: Machine, what: string, isThere: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + COMES_MS;
  while (!(await isThere())) {
    if (performance.now() > until) {
      const { out } = await machine.run('systemctl', 'status', '--no-pager', 'cadenasd.service');
      throw new Error(`waited for ${what}:\n${out}\n${await journalOf(machine)}`);
    }
    await delay(50);
  }
}

function dropIn(machine: Machine, unit: string, content: string): void {
  mkdirSync(machine.at(`/etc/systemd/system/${unit}.d`), { recursive: true });
  writeFileSync(machine.at(`/etc/systemd/system/${unit}.d/test.conf`), content);
}

/** What an operator puts into a drop-in, and what makes a test short. */
async function configure(machine: Machine): Promise<void> {
  const lines = [
    '[Service]',
    ...PRIVATE.map((file) => `LoadCredentialEncrypted=${file}:/etc/credstore.encrypted/cadenas.${file}`),
    'RestartSec=100ms',
    'WatchdogSec=10s', // less would strike on a machine that is busy with other tests
  ];
  dropIn(machine, 'cadenasd.service', `${lines.join('\n')}\n`);
  await machine.must('systemctl', 'daemon-reload');
}

function editConfig(machine: Machine, edit: (text: string) => string): void {
  const path = machine.at('/etc/cadenas/cadenasd.toml');
  writeFileSync(path, edit(readFileSync(path, 'utf8')));
}

const journalOf = (machine: Machine): Promise<string> =>
  machine.must('journalctl', '--no-pager', '-o', 'cat', '-u', 'cadenasd.service');

/** The daemon that runs in the machine, as clients see it. */
async function serving(machine: Machine, network: TestNetwork): Promise<Served> {
  const [, host = '', port] = / on (.+):(\d+)$/.exec(await machine.property('StatusText')) ?? [];
  return { host, port: Number(port), tls: true, network };
}
