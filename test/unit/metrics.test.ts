/** Metrics over HTTP: what is given, to whom, and what whoever sends something else gets. */
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Metrics, type Watched } from '../../src/ops/metrics.js';
import { processFamilies } from '../../src/ops/process-figures.js';
import { readPrometheus, valueOf } from '../support/prometheus.js';
import { temporaryFolder } from '../support/temp.js';

let healthy = true;
let count = 3;
const watched: Watched = {
  version: '1.2.3',
  health: () => ({ healthy, state: 'serving' }),
  log: () => undefined,
  families: [
    ...processFamilies,
    {
      name: 'x_total',
      help: 'Of x.',
      kind: 'counter',
      labels: ['of'],
      read: () => [
        [count, 'a "b"\\\n'],
        [1, 'c'],
      ],
    },
    { name: 'y', help: 'Of y.', kind: 'gauge', labels: [], read: () => [[count / 2]] },
  ],
};

async function served(t: Test, more: Partial<Watched> = {}): Promise<Metrics> {
  const metrics = await Metrics.start({ host: '127.0.0.1', port: 0 }, { ...watched, ...more });
  t.teardown(() => metrics.close());
  return metrics;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly type: string | undefined;
}

async function get(to: object, path: string, method = 'GET'): Promise<Answer> {
  const asking = request({ agent: false, ...to, path, method });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text, type: response.headers['content-type'] };
}

test('text that a strict reader takes; counters are what they are at the scrape', async (t) => {
  const metrics = await served(t);
  metrics.synced(3);
  const { status, text, type } = await get({ port: metrics.port }, '/metrics');
  t.equal(status, 200);
  t.match(type, /^text\/plain; version=0.0.4/);
  const read = readPrometheus(text);
  for (const name of read.keys()) t.match(name, /^cadenas_/);
  t.equal(valueOf(read, 'cadenas_x_total', '{of="a \\"b\\"\\\\\\n"}'), 3);
  t.equal(valueOf(read, 'cadenas_y'), 1.5);
  t.equal(read.get('cadenas_sync_seconds')?.samples.get('cadenas_sync_seconds_bucket{le="0.005"}'), 1);
  t.equal(valueOf(read, 'cadenas_build_info', '{version="1.2.3"}'), 1);
  t.ok(valueOf(read, 'cadenas_process_resident_memory_bytes') > 10_000_000);
  t.ok(valueOf(read, 'cadenas_process_open_fds') > 3);
  t.ok(valueOf(read, 'cadenas_process_cpu_seconds_total') > 0);
  t.ok(valueOf(read, 'cadenas_process_start_time_seconds') <= Date.now() / 1000);
  t.type(valueOf(read, 'cadenas_loop_lag_seconds', '{quantile="0.99"}'), 'number');
  count = 5;
  t.equal(
    valueOf(readPrometheus((await get({ port: metrics.port }, '/metrics')).text), 'cadenas_x_total', '{of="c"}'),
    1,
  );
  t.match((await get({ port: metrics.port }, '/metrics')).text, /cadenas_x_total\{of="a .*\} 5\n/);
});

test('health is 200 or 503, and nothing else is there', async (t) => {
  const { port } = await served(t);
  t.match(await get({ port }, '/health'), { status: 200, text: '{"healthy":true,"state":"serving"}\n' });
  healthy = false;
  t.match(await get({ port }, '/health'), { status: 503 });
  healthy = true;
  for (const path of ['/', '/metrics/', '/metrics?x=1', '//metrics', '/../metrics', '/Health'])
    t.match(await get({ port }, path), { status: 404 }, path);
  for (const method of ['POST', 'HEAD', 'DELETE', 'OPTIONS'])
    t.match(await get({ port }, '/metrics', method), { status: 404 });
});

test('a figure that can’t be read is 500 and told, and the next one is asked anew', async (t) => {
  const told: string[] = [];
  let fails = true;
  const read = (): [number][] => {
    if (fails) throw new Error('no figures');
    return [[1]];
  };
  const families = [{ name: 'z', help: 'Of z.', kind: 'gauge', labels: [], read }] as const;
  const { port } = await served(t, { families, log: (line) => told.push(line) });
  t.match(await get({ port }, '/metrics'), { status: 500, text: 'failed\n' });
  t.match(told, [/no figures/]);
  fails = false;
  t.match(await get({ port }, '/metrics'), { status: 200 });
});

async function sending(port: number, text: string): Promise<string> {
  const socket = await at(port);
  socket.write(text);
  let got = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (got += chunk));
  await once(socket, 'close');
  return got;
}

async function at(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined); // it is cut: 'close' tells
  return socket;
}

test('garbage, long heads and a hundred connections', async (t) => {
  const { port } = await served(t);
  t.match(await sending(port, 'garbage\r\n\r\n'), /^HTTP\/1.1 400 /);
  t.match(await sending(port, '\0\x01\x02'), /^HTTP\/1.1 400 /);
  t.match(
    await sending(port, `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`),
    /^HTTP\/1.1 431 /,
  );
  t.match(await sending(port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'), /404/);
  const half = await at(port);
  half.write('GET /metr');
  const sockets = await Promise.all(Array.from({ length: 100 }, () => at(port)));
  for (const socket of sockets.slice(40)) if (!socket.destroyed) await once(socket, 'close');
  t.pass('those beyond the limit are cut');
  for (const socket of sockets) socket.destroy();
  half.destroy();
  for (;;) {
    const answer = await get({ port }, '/health').catch(() => undefined);
    if (answer?.status === 200) break;
  }
});

test('who asks again before the answer is cut: thousands of questions at once hold nobody up', async (t) => {
  let scrapes = 0;
  const read = (): [number][] => [[++scrapes]];
  const { port } = await served(t, { families: [{ name: 'z', help: 'Of z.', kind: 'gauge', labels: [], read }] });
  const one = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
  t.notMatch(await sending(port, one.repeat(1_500)), /HTTP[^]*HTTP/);
  t.equal(scrapes, 1);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => {
    agent.destroy();
  });
  for (let n = 0; n < 20; n++) t.match(await get({ port, agent }, '/metrics'), { status: 200 });
});

test('a browser that was led here by a name of somebody else gets nothing', async (t) => {
  const { port } = await served(t);
  const asHost = (host: string): Promise<Answer> => get({ port, headers: { Host: host } }, '/metrics');
  for (const host of [
    'evil.example',
    `evil.example:${String(port)}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ])
    t.match(await asHost(host), { status: 421, text: /^ask by address/ }, host);
  for (const host of ['localhost', `localhost:${String(port)}`, `127.0.0.1:${String(port)}`, '[::1]:9', 'LOCALHOST'])
    t.match(await asHost(host), { status: 200 }, host);
  t.match(await sending(port, 'GET /health HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /, 'a probe that names nobody');
});

test('a socket: its group may read it; what is there and no socket stays', async (t) => {
  const path = join(await temporaryFolder(t), 'metrics.sock');
  const metrics = await Metrics.start({ path }, watched);
  t.equal(statSync(path).mode & 0o777, 0o660);
  t.equal(metrics.port, 0);
  t.match(await get({ socketPath: path }, '/health'), { status: 200 });
  await t.rejects(Metrics.start({ path }, watched), /is in use by another process/);
  await metrics.close();
  writeFileSync(path, '');
  await t.rejects(Metrics.start({ path }, watched), /is there and no socket/);
  const { port } = await served(t);
  await t.rejects(
    Metrics.start({ host: '127.0.0.1', port }, watched),
    /127\.0\.0\.1 port \d+ is in use by another process/,
  );
});
