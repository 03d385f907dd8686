/** The life of a network's keys with real processes: rotate, link, restart, retire; and what a thief of old keys gets. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { linkClient, linkedNetwork } from '../../src/keys/link.js';
import { clientOf, CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon, type Daemon, type TestNetwork } from '../support/daemon.js';
import { enterLater, newPerson } from '../support/people.js';
import { copyTree, root, temporaryFolder } from '../support/temp.js';

/** Runs a launcher of bin/ to its end. */
function run(program: string, ...args: readonly string[]): { code: number | null; out: string; err: string } {
  const path = join(root, 'bin', program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

const keysCommand = (network: TestNetwork, command: string, ...more: readonly string[]) =>
  run('cadenas-keys', command, '--network', network.name, '--keys', network.keys, ...more);

async function linkAgain(t: Test, network: TestNetwork): Promise<string> {
  return (await linkClient({ network: network.name, keys: network.keys, out: await temporaryFolder(t) })).path;
}

const generationOf = (user: CliUser, network: TestNetwork): string => {
  const path = join(user.home, network.name, 'default', 'generation');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
};

const SECOND = '{"format":1,"newest":2}';

test('rotate, link, restart, retire, restart: who was linked since goes on, who was not is told', async (t) => {
  const network = await makeNetwork('rotating');
  const oldClient = await clientOf(network);
  let daemon = await startDaemon(t, { network, tls: true });
  const again = async (): Promise<Daemon> => {
    t.equal(await daemon.stop(), 0);
    return startDaemon(t, { network, tls: true, data: daemon.data, port: daemon.port });
  };
  const old = await CliUser.make(t, { network, where: daemon, name: 'olden', client: oldClient });
  await old.ask('register', '@olden');

  const stolen = join(await temporaryFolder(t), 'keys');
  copyTree(network.keys, stolen);
  const rotated = keysCommand(network, 'rotate');
  t.same([rotated.code, rotated.err], [0, '']);
  t.match(rotated.out, /generation 2 of the keys[^]*restart cadenasd[^]*cadenas-keys retire/);
  t.match(keysCommand(network, 'rotate'), {
    code: 1,
    err: /^cadenas-keys: [^\n]+ has a next generation[^\n]+; [^\n]+\n$/,
  });
  const newClient = await linkAgain(t, network);

  const fresh = await CliUser.make(t, { network, where: daemon, name: 'newer', client: newClient });
  t.match((await fresh.run('--version')).out, /generation 1 and 2\n/);
  await fresh.ask('register', '@newer');
  t.equal(generationOf(fresh, network), '', 'the daemon was not restarted: it has the old keys alone');

  daemon = await again();
  await daemon.logged('generations=2');
  await fresh.ask('add', '@olden');
  t.equal(generationOf(fresh, network), SECOND, 'the next generation worked, and that is kept');
  t.match(await old.ask('receive'), [{ type: 'notice', kind: 'request', name: 'newer' }]);
  await old.ask('accept', '@newer');
  await old.ask('send', '@newer', 'from the old keys to the new');
  t.match((await fresh.ask('receive')).at(-1), { type: 'message', text: 'from the old keys to the new' });
  t.equal(generationOf(old, network), '');

  // The thief has the folder of before, stands on the path with the pinned certificate, and can close connections.
  const thief = await startDaemon(t, { network: { ...network, keys: stolen }, tls: true });
  const trapped = await CliUser.make(t, { network, where: thief, name: 'newer', client: newClient });
  copyTree(fresh.home, trapped.home);
  await trapped.keepSecrets('password of newer');
  const refused = await trapped.run('receive');
  t.same([refused.code, refused.err.includes('no answer: another network, keys that were retired')], [3, true]);
  await thief.logged('hello sealed otherwise'); // it came, and spoke under the new keys alone
  const unaware = await CliUser.make(t, { network, where: thief, name: 'unaware', client: newClient });
  t.equal((await unaware.run('register', '@unaware')).code, 0, 'who never met the daemon since can still be caught');

  t.match(keysCommand(network, 'retire'), {
    code: 1,
    err: /^cadenas-keys: Clients [^\n]+ stop working[^\n]+; add --yes\n$/,
  });
  t.ok(existsSync(join(network.keys, network.name, 'next')), 'nothing happens without a yes');
  const retired = keysCommand(network, 'retire', '--yes');
  t.same([retired.code, retired.err], [0, '']);
  t.match(retired.out, /generation 2[^]*generation 1 is gone[^]*Removed is not overwritten/);
  t.match(keysCommand(network, 'retire', '--yes'), { code: 1, err: /has no next generation of keys; make one with/ });

  daemon = await again();
  await daemon.logged('generations=1');
  t.equal((await fresh.run('status')).code, 0, 'the same profile, the same client');
  const lost = await old.run('receive');
  t.equal(lost.code, 4);
  t.match(lost.err, /is not one that this client knows[^\n]+ — ask your operator whether there is a new client/);
  const careless = await old.run('--allow-invalid-cert', 'receive');
  t.equal(careless.code, 3);
  t.match(careless.err, /keys that were retired[^\n]+ — [^\n]+ask your operator whether there is a new client/);

  const latest = await linkAgain(t, network);
  const mended = await CliUser.make(t, { network, where: daemon, name: 'olden', client: latest });
  copyTree(old.home, mended.home);
  t.equal((await mended.run('status')).code, 0, 'the new client opens the profile of the old one');
  t.equal(generationOf(mended, network), SECOND);
  const back = await CliUser.make(t, { network, where: daemon, name: 'olden', client: oldClient });
  copyTree(mended.home, back.home);
  t.match(await back.run('receive'), { code: 1, err: /has used newer keys of the network than this client has/ });
});

test('further software ids, older tables and a minimum build, by options', async (t) => {
  const network = await makeNetwork('listed');
  const source = readFileSync(await clientOf(network), 'utf8');
  const folder = await temporaryFolder(t);
  const clientWith = (name: string, from: RegExp, to: string): string => {
    t.match(source, from, name);
    writeFileSync(join(folder, name), source.replace(from, to));
    return join(folder, name);
  };
  const { table, software, build } = network.linked;
  const clients = {
    table: clientWith('table.mjs', new RegExp(table), 'ab'.repeat(32)),
    software: clientWith('software.mjs', new RegExp(software), 'cd'.repeat(16)),
    build: clientWith('build.mjs', /\bbuild:\d[\de]*\b/, `build:${String(build + 5)}`),
  };
  const register = async (daemon: Daemon, name: string, client: string) => {
    const user = await CliUser.make(t, { network, where: daemon, name, client });
    return user.run('register', `@${name}`);
  };
  const closed = await startDaemon(t, { network, args: ['--min-build', String(build + 6)] });
  for (const [lacking, client] of Object.entries(clients)) {
    const { code, err } = await register(closed, 'client', client);
    t.equal(code, 1, lacking);
    t.match(err, /^cadenas: this client is too old for the daemon[^\n]+ — get a new one from your operator[^\n]+\n/);
  }
  await closed.logged('lacking=build');
  t.match(closed.log(), new RegExp(`table=${'ab'.repeat(32)}`), 'the operator sees what to list');
  const listed = ['--accept-table', 'ab'.repeat(32), '--accept-software', 'cd'.repeat(16)];
  const open = await startDaemon(t, { network, args: [...listed, '--min-build', String(build)] });
  for (const [name, client] of Object.entries({ ...clients, own: await clientOf(network) }))
    t.equal((await register(open, `by_${name}`, client)).code, 0, name);
  for (const [option, value] of [
    ['--min-build', '-1'],
    ['--min-build', '4294967296'],
    ['--accept-table', 'AB'.repeat(32)],
    ['--accept-software', 'cd'],
  ] as const) {
    const { code, err } = run('cadenasd', `${option}=${value}`);
    t.equal(code, 1);
    t.match(err, /^cadenasd: --[a-z-]+ can't be this — write [^\n]+\n$/, option);
  }
});

test('keys of other accounts: the daemon does not start, no backup is made, none is restored', async (t) => {
  const [network, other] = [await makeNetwork('own'), await makeNetwork('wrong')];
  const daemon = await startDaemon(t, { network });
  await newPerson(t, daemon, 'alice');
  t.equal(await daemon.stop(), 0);
  const folder = await temporaryFolder(t);
  const foreign = join(folder, 'foreign');
  copyTree(other.keys, foreign);
  renameSync(join(foreign, 'wrong'), join(foreign, 'own'));
  const info = join(foreign, 'own', 'network.json');
  writeFileSync(info, readFileSync(info, 'utf8').replace('"wrong"', '"own"'));
  const wrong = startDaemon(t, { network: { ...network, keys: foreign }, data: daemon.data });
  await t.rejects(
    wrong,
    /cadenasd: [^\n]+ was made with other keys[^\n]+nobody could log in: give its own keys by --keys/,
  );

  const at = ['--network', 'own', '--data', daemon.data];
  const copy = join(folder, 'copy');
  t.match(run('cadenasd', 'backup', copy, ...at, '--keys', foreign), {
    code: 1,
    err: /made with other keys.+ — give its own/,
  });
  t.match(run('cadenasd', 'backup', copy, ...at, '--keys', join(folder, 'none')), {
    code: 1,
    err: /--without-secrets\n/,
  });
  t.equal(run('cadenasd', 'backup', copy, ...at, '--keys', network.keys).code, 0);
  const elsewhere = ['--network', 'own', '--data', join(folder, 'elsewhere')];
  const refused = run('cadenasd', 'restore', copy, ...elsewhere, '--keys', foreign);
  t.match(refused, { code: 1, out: '', err: /are not the keys of this backup[^\n]+ — name its own keys/ });
  t.notOk(existsSync(join(folder, 'elsewhere', 'own')), 'nothing was touched');

  rmSync(join(daemon.data, 'own', 'setup.json')); // as in a data folder that was made before
  const adopted = await startDaemon(t, { network, data: daemon.data });
  t.ok(existsSync(join(adopted.data, 'own', 'setup.json')));
  t.equal(await adopted.stop(), 0);
  const bare = join(folder, 'bare');
  const without = run('cadenasd', 'backup', bare, ...at, '--keys', join(folder, 'none'), '--without-secrets');
  t.same([without.code, existsSync(join(bare, 'secrets.json'))], [0, false]);
});

test('the keys are lost: new ones from the secrets of the backup, and clients linked anew keep their accounts', async (t) => {
  const network = await makeNetwork('lost');
  const daemon = await startDaemon(t, { network });
  const { user, raw } = await newPerson(t, daemon, 'alice');
  raw.close();
  const folder = await temporaryFolder(t);
  const copy = join(folder, 'copy');
  t.equal(run('cadenasd', 'backup', copy, '--network', 'lost', '--data', daemon.data, '--keys', network.keys).code, 0);
  t.equal(statSync(join(copy, 'secrets.json')).mode & 0o777, 0o600);
  const text = readFileSync(join(copy, 'secrets.json'), 'utf8');
  t.notOk(text.includes('networkKey'), 'no key of a generation is in it');
  t.equal(await daemon.stop(), 0);

  const where = ['--network', 'lost', '--keys', join(folder, 'keys')];
  const restored = run('cadenasd', 'restore', copy, ...where, '--data', join(folder, 'data'));
  t.same([restored.code, restored.err], [0, '']);
  const command = /^ {2}cadenas-keys (build .+)$/m.exec(restored.out)?.[1]?.split(' ') ?? [];
  t.equal(run('cadenas-keys', ...command).code, 0, 'what it says to run makes them');
  t.notOk(existsSync(join(folder, 'data/lost/secrets.json')), 'the data folder has no copy');
  const made = { ...network, keys: join(folder, 'keys'), linked: linkedNetwork(join(folder, 'keys/lost'), 'lost') };
  t.not(made.linked.serverModulus, network.linked.serverModulus);
  const later = await startDaemon(t, { network: made, data: join(folder, 'data') });
  const back = await enterLater(t, later, user);
  t.ok(back.bytesReceived > 0, 'the account logs in with its password and words');
});
