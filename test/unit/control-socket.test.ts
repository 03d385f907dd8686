/** The control socket: who may use it, and what whoever sends something else gets. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type Test } from 'tap';
import { ControlClient } from '../../src/ops/control-client.js';
import { ControlSocket, REQUEST_MAX, type Serve } from '../../src/ops/control-socket.js';
import { temporaryFolder } from '../support/temp.js';

const echo: Serve = (request) => Promise.resolve({ done: request });

async function served(t: Test, serve = echo, more: { idleMs?: number; behindMs?: number } = {}) {
  const path = join(await temporaryFolder(t), 'control.sock');
  const logged: string[] = [];
  const control = await ControlSocket.start(path, { serve, log: (line) => logged.push(line), ...more });
  t.teardown(() => control.close());
  return { path, logged, control };
}

async function at(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.on('error', () => undefined); // it is cut: 'close' tells
  return socket;
}

/** All that comes until the end. */
async function whole(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text;
}

async function asked(t: Test, path: string): Promise<ControlClient> {
  const client = await ControlClient.open(path);
  if (!client) throw new Error('nobody answers');
  t.teardown(() => {
    client.close();
  });
  return client;
}

test('it is its owner’s alone, and gone with the daemon', async (t) => {
  const { path, control } = await served(t);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.ok(statSync(path).isSocket());
  await t.rejects(
    ControlSocket.start(path, { serve: echo, log: () => undefined }),
    /is in use by another process — stop it/,
  );
  t.same(await (await asked(t, path)).ask({ a: 1 }), { a: 1 }, 'the first goes on');
  await control.close();
  t.same(readdirSync(join(path, '..')), []);
  t.equal(await ControlClient.open(path), undefined);
});

test('one that is so busy that nobody gets in is not dead', async (t) => {
  const path = join(await temporaryFolder(t), 'busy');
  const listens = `require('net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log())`;
  const busy = spawn(process.execPath, ['-e', listens], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => busy.kill('SIGKILL'));
  await once(busy.stdout, 'data');
  busy.kill('SIGSTOP');
  const waiting = Array.from({ length: 4 }, () => connect(path).on('error', () => undefined)); // the last finds no room
  t.teardown(() => {
    for (const socket of waiting) socket.destroy();
  });
  await t.rejects(ControlSocket.start(path, { serve: echo, log: () => undefined }), /is in use by another process/);
  t.ok(statSync(path).isSocket());
});

test('a dead daemon’s socket is replaced; what is no socket, has no folder or too long a name is not', async (t) => {
  const folder = await temporaryFolder(t);
  const options = { serve: echo, log: () => undefined };
  const path = join(folder, 'a');
  const dead = createServer().listen(join(folder, 'other'));
  await once(dead, 'listening');
  renameSync(join(folder, 'other'), path); // as a kill leaves it
  dead.close();
  const control = await ControlSocket.start(path, options);
  t.same(await (await asked(t, path)).ask({}), {});
  await control.close();

  writeFileSync(path, 'mine');
  await t.rejects(ControlSocket.start(path, options), /is there and no socket — move it away/);
  t.equal(statSync(path).size, 4);
  await t.rejects(ControlSocket.start(join(folder, 'none', 'a'), options), /its folder is there, and yours/);
  await t.rejects(ControlSocket.start(join(folder, 'x'.repeat(120)), options), /too long a name/);
  const deep = join(folder, 'y'.repeat(100));
  mkdirSync(deep);
  const far = await ControlSocket.start(join(deep, 'control.sock'), options);
  t.same(await (await asked(t, join(deep, 'control.sock'))).ask([1]), [1], 'a folder may be as long as it likes');
  await far.close();
  chmodSync(folder, 0o722);
  await t.rejects(ControlSocket.start(join(folder, 'b'), options), /a folder that others may write to/);
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  await t.rejects(ControlSocket.start(join(folder, 'b'), options), /its folder is there, and yours/);
});

test('garbage, half and endless requests end that connection alone', async (t) => {
  const { path, logged } = await served(t, echo, { idleMs: 200 });
  const other = await asked(t, path);
  for (const [sent, why] of [
    ['no json\n', 'a line is not JSON'],
    ['\0\xff\n', 'a line is not JSON'],
    ['x'.repeat(REQUEST_MAX + 1), 'a line is too long'],
    [`{"a":"${'x'.repeat(REQUEST_MAX)}"}\n`, 'a line is too long'],
  ] as const) {
    const socket = await at(path);
    socket.write(sent);
    t.equal(await whole(socket), '');
    t.equal(logged.at(-1), why);
  }
  const half = await at(path);
  half.write('{"command"');
  t.equal(await whole(half), '', 'half a request has its time');
  const silent = await at(path);
  t.equal(await whole(silent), '', 'none, too');
  t.same(
    await other.ask({ still: 'there' }).catch((error: unknown) => (error as { code: string }).code),
    'gone',
    'who was idle as long',
  );
  t.same(await (await asked(t, path)).ask({ next: 1 }), { next: 1 });
});

test('a request before the answer to the one before ends the connection', async (t) => {
  const { path, logged } = await served(t, () => new Promise(() => undefined));
  const socket = await at(path);
  socket.write('{}\n{}\n');
  t.equal(await whole(socket), '');
  t.same(logged, ['a request before the answer to the one before']);
});

test('a hundred at once: sixteen are served, others are told or cut, and then there is room again', async (t) => {
  const { path } = await served(t);
  const sockets = await Promise.all(Array.from({ length: 100 }, () => at(path)));
  const answers = sockets.map(async (socket) => {
    const [line] = (await Promise.race([
      once(createInterface(socket), 'line'),
      once(socket, 'close').then(() => ['']),
    ])) as [string];
    return line;
  });
  for (const socket of sockets) if (socket.writable) socket.write('{"me":1}\n');
  const lines = await Promise.all(answers);
  const count = (what: RegExp) => lines.filter((line) => what.test(line)).length;
  t.equal(count(/^\{"done":\{"me":1\}\}$/), 16);
  t.equal(count(/^$|"busy"/), 84, 'nobody else is');
  t.ok(count(/"busy"/) >= 32);
  for (const socket of sockets) socket.destroy();
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  for (;;) {
    const client = await asked(t, path);
    if (
      await client.ask({}).then(
        () => true,
        () => false,
      )
    )
      break;
  }
});

test('who reads slowly holds up the rows, and who does not read at all is cut', async (t) => {
  let told = 0;
  const many: Serve = async (_request, rows) => {
    for (; told < 100_000; told++) await rows({ text: 'x'.repeat(1_000) });
    return { done: told };
  };
  const { path, logged } = await served(t, (request, rows) => many(request, rows).catch(() => ({ done: 'gone' })), {
    behindMs: 100,
  });
  const socket = await at(path);
  socket.write('{}\n');
  socket.pause();
  while (logged.length === 0) await new Promise(setImmediate);
  t.same(logged, ['a process does not read its answer']);
  t.ok(told < 10_000, `${String(told)} rows were made`);
  told = 99_000;
  let rows = 0;
  t.equal(await (await asked(t, path)).ask({}, () => rows++), 100_000);
  t.equal(rows, 1_000);
});

test('the end of the daemon tells who waits, and holds up nothing', async (t) => {
  const { path, control } = await served(t, (_request, rows) =>
    rows({ left: 1 }).then(() => new Promise(() => undefined)),
  );
  const client = await asked(t, path);
  const first = new Promise((resolve) => {
    client.ask({}, resolve).catch(() => undefined);
  });
  t.same(await first, { left: 1 });
  await control.close();
  client.close();
  await client.closed;
});

test('what answers may be anything: who asks is told that in one error', async (t) => {
  for (const said of ['"x"', 'null', '[]', '7', '{"row":1}', 'no json', `"${'x'.repeat(2 ** 20)}"`]) {
    const path = join(await temporaryFolder(t), 'control.sock');
    const server = createServer((socket) => {
      socket.on('error', () => undefined); // whoever asked ends it
      socket.write(`${said}\n`);
      socket.resume();
    }).listen(path);
    t.teardown(() => server.close());
    const client = await asked(t, path);
    const onRow = (): void => {
      throw new RangeError('no such row');
    };
    await t.rejects(client.ask({}, onRow), { name: 'ControlError', code: 'strange' }, said.slice(0, 20));
  }
});

test('a folder of another user is open to them', { skip: process.geteuid?.() !== 0 && 'takes root' }, async (t) => {
  const folder = await temporaryFolder(t);
  chownSync(folder, 12_345, 12_345);
  await t.rejects(ControlSocket.start(join(folder, 'c'), { serve: echo, log: () => undefined }), /others may write to/);
});
