/** What cadenasd status makes of what the daemon says. */
import { test } from 'tap';
import { bytes, lasting, millis, readStatus, statusLines } from '../../src/server/admin/figures.js';
import { plot } from '../../src/server/admin/plots.js';
import type { Status } from '../../src/server/control/types.js';

const delays = { median: 0.25, p99: 12.4, max: 100 };
const status: Status = {
  healthy: true,
  state: 'serving',
  disk: 'ok',
  version: '1.2.3',
  network: 'home',
  pid: 77,
  started: Date.UTC(2026, 0, 1),
  now: Date.UTC(2026, 0, 2, 3),
  silent: 0,
  address: '127.0.0.1:7878',
  connections: 12_345,
  online: 12_000,
  accounts: 100_000,
  rooms: 1_234,
  queued: 7,
  queuesKnown: 3,
  journalBytes: 3 * 1024 * 1024,
  writesWaiting: 0,
  syncs: { ...delays, count: 1_000_000 },
  lag: delays,
  memory: 150 * 1024 * 1024,
  minute: {
    seconds: 30,
    logins: { ok: 10, password: 2 },
    registrations: 1,
    recoveries: 0,
    messages: 300,
    refusals: { 'hello sealed otherwise': 1_000, 'bytes before the answer': 20_000 },
  },
  history: { every: 2_000, messages: [1], logins: [0], connections: [1], memory: [1], lag: [0] },
};

test('on 80 columns, with rates of the time that was counted', (t) => {
  const lines = statusLines(status);
  t.ok(lines.every((line) => line.length <= 80));
  const text = lines.join('\n');
  t.match(
    text,
    /^cadenasd 1.2.3 · network home · serving on 127.0.0.1:7878\nup since 2026-01-01 00:00:00 UTC, 1 d 3 h · process 77$/m,
  );
  t.match(text, /^messages +10.0\/s {2}in the last 30 s$/m);
  t.match(text, /^disk sync +0.3 ms {2}median; 12 ms for 99 of 100; 1,000,000 so far$/m);
  t.match(text, /^ {2}ok +20 +bytes before the answer +20,000$/m, 'logins in a minute, refusals by how many');
  t.match(text, /^ {2}password +4 +hello sealed otherwise +1,000$/m);
  t.match(statusLines({ ...status, disk: 'failed' }).join('\n'), /^the disk has failed$/m);
  t.end();
});

test('what another version says is refused, not shown as something else', (t) => {
  t.same(readStatus(JSON.parse(JSON.stringify(status))), status);
  t.same(readStatus({ ...status, more: 1 }).pid, 77);
  for (const other of [
    undefined,
    'status',
    {},
    { ...status, connections: '5' },
    { ...status, history: { ...status.history, lag: 'x' } },
    { ...status, history: { ...status.history, lag: ['x'] } },
    { ...status, minute: { ...status.minute, refusals: { a: 'x' } } },
  ])
    t.throws(() => readStatus(other), /of its own version/);
  t.end();
});

test('plots: as wide as there is room, the highest value as high as it gets', (t) => {
  t.equal(plot([0, 1, 2, 4, 7], 5), '▁▂▃▅█');
  t.equal(plot([7], 3), '  █');
  t.equal(plot([], 3), '   ');
  t.equal(plot([0, 0], 2), '▁▁');
  t.equal(plot([0, 7, 0, 0], 2), '█▁', 'the highest of a column');
  t.equal(
    plot(
      Array.from({ length: 1_000 }, (_, n) => n),
      8,
    ),
    '▂▃▄▄▅▆▇█',
  );
  t.equal(plot([1, 2], 0), '');
  t.end();
});

test('amounts as people read them', (t) => {
  t.same([0, 1023, 1024, 150 * 1024, 5 * 1024 ** 3].map(bytes), ['0 B', '1023 B', '1.0 KiB', '150 KiB', '5.0 GiB']);
  t.same([0.04, 9.96, 250].map(millis), ['0.0 ms', '10.0 ms', '250 ms']);
  t.same([0, 59_000, 3600_000, 90_000_000, -5].map(lasting), ['0 s', '59 s', '1 h', '1 d 1 h', '0 s']);
  t.end();
});
