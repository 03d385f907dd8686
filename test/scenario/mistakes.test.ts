/** What a person gets wrong: one line, what and what to do, and the exit code. */
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { CliUser, clientOf, type Ended } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { startLavish } from '../support/people.js';
import { temporaryFolder } from '../support/temp.js';

function oneLine(t: Test, ended: Ended, code: number, text: RegExp, what: string): void {
  t.equal(ended.code, code, `${what}: exit ${String(code)}`);
  t.match(ended.err, text, what);
  t.match(ended.err, /^cadenas: [^\n]+ — [^\n]+\n$/, 'one line: what, and what to do');
}

test('mistakes of a user', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const make = (name: string) => CliUser.make(t, { network: daemon.network, where: daemon, name });
  const [alice, bob] = [await make('alice'), await make('bobby')];
  oneLine(t, await alice.run('whoami'), 1, /register first/, 'no profile yet');
  oneLine(t, await alice.run('send', '@bobby', 'x'), 1, /register first/, 'no profile yet');
  oneLine(t, await alice.run('register', '@x'), 1, /is not a name/, 'a short name');
  oneLine(t, await alice.run('register', 'Ünsal'), 1, /is not a name/, 'a letter that is not allowed');
  t.equal((await alice.run('register', '@Alice')).code, 0, 'capitals are forgiven');
  oneLine(t, await alice.run('register', '@other'), 1, /belongs to @alice/, 'a profile that is taken');
  oneLine(t, await bob.run('register', '@ALICE'), 1, /@alice is taken/, 'a name that is taken, whatever its case');
  t.equal((await bob.run('register', '@bobby')).code, 0);
  oneLine(
    t,
    await alice.run('send', '@bobby', 'x'),
    1,
    /ask first: node cadenas\.mjs --home \S+ --server 127\.0\.0\.1:\d+ add @bobby/,
    'never asked',
  );
  oneLine(t, await alice.run('add', '@nobody'), 1, /nobody is called @nobody/, 'unknown name');
  t.same(await alice.ask('contacts'), [], 'nothing of it is kept');
  oneLine(t, await alice.run('add', '@alice'), 1, /that is you/, 'oneself');
  oneLine(t, await alice.run('accept', '@bobby'), 1, /has not asked you/, 'nobody asked');
  t.equal((await alice.run('add', '@bobby')).code, 0);
  oneLine(t, await alice.run('send', '@bobby', 'y'.repeat(65_537)), 1, /65537 bytes, the limit is 65536/, 'too long');
  oneLine(t, await alice.run('send', '@bobby', ''), 1, /empty/, 'empty');
  oneLine(t, await alice.run('sennd', '@bobby', 'x'), 1, /unknown command/, 'a mistyped command');
  oneLine(t, await alice.run(), 1, /no command/, 'no command');
  oneLine(t, await bob.run('send', '@alice', 'x'), 1, /accept first/, 'not accepted yet');
  await bob.ask('decline', '@alice');
  t.match(await alice.ask('receive'), [{ kind: 'declined', name: 'bobby' }]);
  oneLine(t, await alice.run('send', '@bobby', 'x'), 1, /declined/, 'declined');
  await alice.keepSecrets('not the password');
  oneLine(t, await alice.run('receive'), 1, /wrong password/, 'wrong password');
  await alice.keepSecrets('password of alice', 'other three words');
  oneLine(t, await alice.run('receive'), 1, /wrong words/, 'wrong words');
  await alice.keepSecrets('password of alice');
  await chmod(alice.secrets, 0o644);
  oneLine(t, await alice.run('receive'), 1, /chmod 600/, 'secrets that others can read');
  await chmod(alice.secrets, 0o600);
  await chmod(alice.home, 0o755);
  oneLine(t, await alice.run('receive'), 1, /chmod (u=rwx,go=|go-rwx|700)/, 'a home that others can read');
  await chmod(alice.home, 0o700);
  const asJson = await alice.run('--json', 'add', '@nobody');
  t.match(asJson.json, [{ type: 'error', code: 'unknown-name', message: /nobody/, hint: /spelling/ }]);
  t.equal((await alice.run('--help')).code, 0);
  t.match((await alice.run('--version')).out, /0\.1\.0 \(network test, build \d+\)/);
});

test('the wrong network, clock, transport or certificate', async (t) => {
  const network = await makeNetwork();
  const other = await makeNetwork('other');
  const plain = await startDaemon(t, { network });
  const tls = await startDaemon(t, { network, tls: true });
  const make = (of: typeof network, where: typeof plain) => CliUser.make(t, { network: of, where, name: 'carol' });
  const stranger = await make(other, plain);
  const silence = /no answer: another network, keys that were retired, a wrong clock, or not a Cadenas server/;
  oneLine(t, await stranger.run('register', '@carol'), 3, silence, 'a client of another network');
  stranger.where = { ...tls, tls: true };
  oneLine(
    t,
    await stranger.run('register', '@carol'),
    4,
    /certificate .* is not one that this client knows/,
    'another certificate',
  );
  oneLine(
    t,
    await stranger.run('--allow-invalid-cert', 'register', '@carol'),
    3,
    silence,
    'the pin skipped: no further',
  );
  const carol = await make(network, plain);
  carol.where = { ...plain, tls: true };
  oneLine(t, await carol.run('register', '@carol'), 3, /--disable-ssl/, 'TLS to a daemon without');
  carol.where = { ...tls, tls: false };
  oneLine(t, await carol.run('register', '@carol'), 3, /no answer/, 'plain to a daemon with TLS');
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  carol.where = { host: '127.0.0.1', port, tls: false };
  oneLine(t, await carol.run('register', '@carol'), 3, /no daemon answers/, 'no daemon');
  const odd = createServer((socket) => socket.end('220 smtp ready\r\n')).listen(0, '127.0.0.1');
  t.teardown(() => odd.close());
  await once(odd, 'listening');
  carol.where = { ...carol.where, port: (odd.address() as AddressInfo).port };
  oneLine(t, await carol.run('register', '@carol'), 3, silence, 'not a Cadenas server');
  const left = await readdir(join(carol.home, 'test', 'default')).catch((): string[] => []);
  t.notOk(left.includes('identity'), 'no half account is left');
});

test('a client of an unlisted opcode table is told to get a new one', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  const source = await readFile(await clientOf(network), 'utf8');
  const client = join(await temporaryFolder(t), 'old.mjs');
  await writeFile(client, source.replaceAll(network.linked.table, 'ab'.repeat(32)));
  const user = await CliUser.make(t, { network, where: daemon, name: 'oldie', client });
  oneLine(t, await user.run('register', '@oldie'), 1, /too old for the daemon, or of another build \(426\)/, '426');
});

test('mistakes of an operator: one line, exit 1, nothing touched', async (t) => {
  const network = await makeNetwork();
  const folder = await temporaryFolder(t);
  const refused = async (text: RegExp, what: string, options: Parameters<typeof startDaemon>[1]) => {
    const error = await startDaemon(t, options).then(
      () => new Error('it started'),
      (thrown: unknown) => thrown as Error,
    );
    t.match(error.message, text, what);
    t.match(error.message, /did not start: +(\S+ (WARN|INFO) .*\n)*cadenasd: [^\n]+\n$/, `${what}: one line`);
  };
  const running = await startDaemon(t, { network });
  await refused(/is in use/, 'the port is taken', { network, port: running.port });
  await refused(/another cadenasd runs on/, 'a second instance', { network, data: running.data });
  await refused(/cadenas-keys build/, 'no keys', { network: { ...network, name: 'nothing' } });
  const data = join(folder, 'wide');
  await mkdir(join(data, network.name), { recursive: true });
  await chmod(join(data, network.name), 0o755);
  await refused(/chmod/, 'data that others can read', { network, data });
  t.same(await readdir(join(data, network.name)), [], 'untouched');
  await rm(join(data, network.name), { recursive: true });
  await mkdir(join(folder, 'elsewhere'), { mode: 0o700 });
  await symlink(join(folder, 'elsewhere'), join(data, network.name));
  await refused(/symbolic link/, 'data behind a link', { network, data });
  const keys = join(network.keys, network.name);
  await chmod(keys, 0o755);
  await refused(/chmod/, 'keys that others can read', { network });
  await chmod(keys, 0o700);
  await refused(/give both/, 'a certificate without its key', { network, tls: true, args: ['--cert-path', 'x'] });
  const pair = ['--cert-path', join(folder, 'none'), '--key-path', join(folder, 'none')];
  await refused(/can't read/, 'a certificate that is not there', { network, tls: true, args: pair });
  const own = ['--cert-path', join(keys, 'tls.crt'), '--key-path', join(keys, 'tls.key')];
  t.ok(await startDaemon(t, { network, tls: true, args: own }), 'a certificate by path');
});

test('--generate-default-cert makes a certificate where there is none, once', async (t) => {
  const network = await makeNetwork('certless');
  const keys = join(network.keys, network.name);
  await rm(join(keys, 'tls.crt'));
  await rm(join(keys, 'tls.key'));
  await t.rejects(startDaemon(t, { network, tls: true }), /--generate-default-cert/, 'named where it is needed');
  const args = ['--generate-default-cert'];
  const daemon = await startDaemon(t, { network, tls: true, args });
  t.match(daemon.log(), /link the clients again/);
  t.equal(await daemon.stop(), 0);
  const certificate = await readFile(join(keys, 'tls.crt'));
  const again = await startDaemon(t, { network, tls: true, args });
  t.same(await readFile(join(keys, 'tls.crt')), certificate, 'never replaced');
  const before = await CliUser.make(t, { network, where: again, name: 'carol' });
  t.equal((await before.run('register', '@carol')).code, 0, 'a client linked now knows the new pin');
});
