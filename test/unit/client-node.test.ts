import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { utf8 } from '../../protocol/index.js';
import { error, type Client, type ClientEvent } from '../../src/client/index.js';
import {
  FileStorage,
  folderExists,
  prepareFolder,
  profileFolder,
  ProfileServer,
  RemoteClient,
} from '../../src/client-node/index.js';
import { friends } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

async function folderOf(t: Test): Promise<string> {
  const folder = profileFolder(join(t.testdir(), 'home'), 'dev', 'default');
  await prepareFolder(folder);
  return folder;
}

test('folders and files are private', async (t) => {
  const folder = await folderOf(t);
  const storage = new FileStorage(folder);
  t.teardown(() => storage.close());
  t.equal(await storage.read('identity'), undefined);
  await storage.replace('identity', utf8('one'));
  await storage.replace('identity', utf8('two'));
  await Promise.all(['a', 'b', 'c'].map((part) => storage.append('state-1.log', utf8(part))));
  t.equal(Buffer.from((await storage.read('state-1.log')) ?? []).toString(), 'abc');
  t.equal(readFileSync(join(folder, 'identity'), 'utf8'), 'two');
  for (const path of [join(folder, '..', '..'), join(folder, '..'), folder])
    t.equal(statSync(path).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  await storage.remove('identity');
  await storage.remove('identity');
  t.equal(await storage.read('identity'), undefined);
  writeFileSync(join(folder, 'current.tmp'), 'half', { mode: 0o600 });
  await storage.tidy();
  t.same(readdirSync(folder), ['state-1.log']);
  await t.rejects(storage.read('../x'), RangeError);
});

test('what others could read or exchange is refused', async (t) => {
  const folder = await folderOf(t);
  const storage = new FileStorage(folder);
  writeFileSync(join(folder, 'identity'), '{}', { mode: 0o644 });
  await t.rejects(storage.read('identity'), { name: 'HomeRefusal', hint: /chmod 600/ });
  symlinkSync('/etc/hostname', join(folder, 'current'));
  await t.rejects(storage.read('current'), { name: 'HomeRefusal', message: /symbolic link/ });
  chmodSync(folder, 0o750);
  await t.rejects(folderExists(folder), { name: 'HomeRefusal', hint: /chmod 700/ });
  await t.rejects(prepareFolder(folder), { name: 'HomeRefusal' });
  const elsewhere = join(t.testdirName, 'link');
  symlinkSync(join(t.testdirName, 'home'), elsewhere);
  await t.rejects(prepareFolder(profileFolder(elsewhere, 'dev', 'default')), { message: /symbolic link/ });
  for (const name of ['../x', '', 'A', 'a'.repeat(33), 'a/b'])
    t.throws(() => profileFolder('/h', 'dev', name), { name: 'HomeRefusal' });
  t.equal(await folderExists(join(t.testdirName, 'none', 'dev', 'default')), false);
});

const status = async (client: Client | undefined): Promise<void> => {
  await client?.call('status', {});
};

/** A client that answers `status` and fails all else. */
class Echo implements Client {
  readonly listeners = new Set<(event: ClientEvent) => void>();
  call(command: string): Promise<never> {
    if (command === 'status') return Promise.resolve({ name: 'alice' } as never);
    return Promise.reject(error('never-asked', 'bob'));
  }
  on(listener: (event: ClientEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

for (const [what, deeper] of [
  ['a short path', []],
  ['a path of over 107 bytes', ['x'.repeat(60), 'y'.repeat(60)]],
] as const)
  test(`commands through the profile's socket, ${what}`, async (t) => {
    const base = t.testdir();
    if (deeper.length > 0) mkdirSync(join(base, ...deeper), { recursive: true });
    const folder = profileFolder(join(base, ...deeper, 'home'), 'dev', 'default');
    await prepareFolder(folder);
    t.equal(await RemoteClient.open(folder), undefined, 'nobody there');
    const echo = new Echo();
    const server = await ProfileServer.start(folder, echo, () => undefined);
    t.equal(statSync(join(folder, 's')).mode & 0o777, 0o600);
    const remote = await RemoteClient.open(folder);
    if (!remote) throw new Error('nobody there');
    t.match(await remote.call('status', {}), { name: 'alice' });
    await t.rejects(remote.call('send', { to: 'bob', text: 'x' }), {
      name: 'ClientError',
      code: 'never-asked',
      exit: 1,
    });
    const event = new Promise<ClientEvent>((resolve) => remote.on(resolve));
    for (const listener of echo.listeners) listener({ type: 'unread' });
    t.match(await event, { type: 'unread' });
    const ended = new Promise<ClientEvent>((resolve) => remote.on(resolve));
    await server.close();
    t.match(await ended, { type: 'ended' });
    await t.rejects(remote.call('status', {}), { code: 'session-over' });
    t.equal(await RemoteClient.open(folder), undefined, 'gone');
    t.same(readdirSync(folder), []);
  });

test('news of a core behind the socket, for each who listens; a page', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  const folder = await folderOf(t);
  const server = await ProfileServer.start(folder, a.core, () => undefined);
  t.teardown(async () => {
    await server.close();
    await Promise.all([a.core.close(), b.core.close()]);
  });
  const [writes, reads] = await Promise.all([RemoteClient.open(folder), RemoteClient.open(folder)]);
  if (!writes || !reads) throw new Error('nobody there');
  await Promise.all([status(writes), status(reads)]);
  const news = (type: ClientEvent['type'], from: Client): Promise<ClientEvent> =>
    new Promise((resolve) => {
      from.on((event) => {
        if (event.type === type) resolve(event);
      });
    });
  const own = Promise.all([writes, reads].map((one) => news('row', one)));
  const { id } = await writes.call('send', { to: 'bob', text: 'through the socket' });
  const row = { type: 'out', id, to: 'bob', text: 'through the socket', state: 'waiting' } as const;
  t.match(await own, [{ row }, { row }]);
  const { rows, more } = await reads.call('page', { name: 'bob', before: Number.MAX_SAFE_INTEGER });
  const [accepted, sent] = rows;
  t.match([rows.length, more], [2, false]);
  t.match(accepted, { type: 'notice', kind: 'accepted', name: 'bob' });
  t.match(sent, { type: 'out', id });
  if (accepted?.type !== 'notice') throw new Error('no notice');
  const read = news('read', reads);
  await writes.call('read', { keys: [accepted.key] });
  t.match(await read, { keys: [accepted.key], at: Number });
  const changed = news('changed', reads);
  await a.core.call('block', { name: 'bob' });
  t.same(await changed, { type: 'changed', of: 'contacts' });
  await t.rejects(reads.call('page', { name: 'bob', before: Infinity }), { code: 'usage' }, 'no number in JSON');
});

test('an owner that ends or is silent in the middle of a call, and one too many', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'c-')); // short enough to listen there as it is
  t.teardown(() => {
    rmSync(base, { recursive: true });
  });
  const folder = profileFolder(base, 'dev', 'default');
  await prepareFolder(folder);
  const silent = createServer().listen(join(folder, 's'));
  await once(silent, 'listening');
  const accepted = once(silent, 'connection') as Promise<[Socket]>;
  const remote = await RemoteClient.open(folder, 50);
  await t.rejects(status(remote), { code: 'owner-silent', exit: 3 });
  await remote?.close();
  const second = once(silent, 'connection') as Promise<[Socket]>;
  const patient = await RemoteClient.open(folder);
  const midway = t.rejects(status(patient), { code: 'owner-gone', exit: 3 });
  (await accepted)[0].destroy();
  (await second)[0].destroy();
  await midway;
  silent.close();
  await once(silent, 'close');
  const server = await ProfileServer.start(folder, new Echo(), () => undefined);
  const peers = await Promise.all(Array.from({ length: 32 }, () => RemoteClient.open(folder)));
  for (const peer of peers) await peer?.call('status', {});
  const late = await RemoteClient.open(folder);
  await t.rejects(status(late), { code: 'busy', exit: 3 });
  await peers[0]?.close();
  await peers[1]?.call('status', {});
  await server.close();
});

test('who does not read what is told is cut off', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'c-')); // short enough to connect to it as it is
  const folder = profileFolder(base, 'dev', 'default');
  await prepareFolder(folder);
  const echo = new Echo();
  const logged: string[] = [];
  const server = await ProfileServer.start(folder, echo, (line) => logged.push(line));
  const remote = await RemoteClient.open(folder);
  await status(remote);
  const socket = connect(join(folder, 's'));
  t.teardown(async () => {
    socket.destroy();
    await remote?.close();
    await server.close();
    rmSync(base, { recursive: true });
  });
  socket.pause();
  socket.write('{"id":1,"call":"status","args":{}}\n');
  await once(socket, 'readable');
  const text = 'x'.repeat(1024 * 1024);
  const row = { type: 'message', key: 'k', order: 1, id: 'i', from: 'bob', text, time: 1, at: 1 } as const;
  let told = 0;
  for (; echo.listeners.size === 2 && told < 100; told++) {
    const taken = new Promise<void>((resolve) => {
      const stop = remote?.on(() => {
        stop?.();
        resolve();
      });
    });
    for (const listener of echo.listeners) listener({ type: 'row', row });
    await taken;
  }
  t.ok(told > 64 && told < 100, `after ${String(told)} MiB`);
  t.same(logged, ['profile socket: a process does not read what it is told']);
  await status(remote);
});

test('a line that is no call ends the connection', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'c-')); // short enough to connect to it as it is
  const folder = profileFolder(base, 'dev', 'default');
  await prepareFolder(folder);
  const server = await ProfileServer.start(folder, new Echo(), () => undefined);
  t.teardown(async () => {
    await server.close();
    rmSync(base, { recursive: true });
  });
  for (const line of ['not json\n', '{"id":"x"}\n', '[]\n', 'null\n']) {
    const socket = connect(join(folder, 's'));
    socket.write(line);
    await once(socket, 'close');
    t.pass(line);
  }
});
