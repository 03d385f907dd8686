/** What is handed over as a listening socket, and is one. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { takeSockets } from '../../src/ops/systemd/sockets.js';
import { root } from '../support/temp.js';

/** Descriptor 3 of a process of its own is what `make` says; what it makes of it. */
function handed(make: string, count: string): { readonly status: number | null; readonly out: string } {
  const child = `
    import { takeSockets } from '${join(root, 'dist/src/ops/systemd/sockets.js')}';
    try {
      console.log(JSON.stringify(takeSockets({ LISTEN_PID: '1', LISTEN_FDS: '${count}' }, 1)));
    } catch (error) {
      console.log(error.name + ': ' + error.message);
    }`;
  const parent = `
    const { spawn } = require('node:child_process');
    const { createServer, connect } = require('node:net');
    const hand = (socket) => {
      const stdio = ['ignore', 'inherit', 'inherit', ...(socket === undefined ? [] : [socket])];
      spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio })
        .on('exit', () => process.exit());
    };
    ${make}`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', parent], { encoding: 'utf8' });
  return { status, out: stdout.trim() };
}

const listening = (where: string): string =>
  `const server = createServer().listen(${where}, () => hand(server._handle.fd));`;

test('listening sockets of IPv4 and IPv6 are taken', (t) => {
  t.same(handed(listening("0, '127.0.0.1'"), '1').out, '[3]');
  t.same(handed(listening("0, '::1'"), '1').out, '[3]');
  t.end();
});

test('what is no such socket is refused in one line', (t) => {
  const refusal = /^ServiceRefusal: descriptor (\d) is no listening socket of TCP — [^\n]+$/;
  for (const [what, make, count, which] of [
    ['a socket of the Unix domain', listening('`\\0cadenas-test-${process.pid}`'), '1', '3'],
    [
      'a connection',
      `const server = createServer().listen(0, '127.0.0.1', () => {
        const socket = connect(server.address().port, '127.0.0.1', () => hand(socket._handle.fd)); });`,
      '1',
      '3',
    ],
    ['a file', "hand(require('node:fs').openSync('/dev/null'));", '1', '3'],
    ['one fewer than was said', listening("0, '127.0.0.1'"), '2', '4'],
  ] as const) {
    const { out } = handed(make, count);
    t.match(out, refusal, what);
    t.equal(refusal.exec(out)?.[1], which, what);
  }
  t.end();
});

test('the variables are read once, and concern the process that they name alone', (t) => {
  const file = openSync('/dev/null', 'r');
  t.teardown(() => {
    closeSync(file);
  });
  for (const variables of [{}, { LISTEN_PID: '8', LISTEN_FDS: '1' }, { LISTEN_FDS: '1' }, { LISTEN_PID: '7' }]) {
    const environment = { ...variables, LISTEN_FDNAMES: 'a', HOME: '/' };
    t.same(takeSockets(environment, 7), [], JSON.stringify(variables));
    t.same(environment, { HOME: '/' });
  }
  for (const many of ['', '-1', '65', '1e1', 'x'])
    t.throws(
      () => takeSockets({ LISTEN_PID: '7', LISTEN_FDS: many }, 7),
      { name: 'ServiceRefusal', message: /^\$LISTEN_FDS is no number up to 64 — / },
      many,
    );
  t.end();
});
