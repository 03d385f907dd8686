/** Requests of the control socket: what is refused before anything is done, and how a drain goes. */
import { test } from 'tap';
import { control, controlCommands, type Outcome } from '../../src/server/control/control.js';
import type { ControlHost } from '../../src/server/control/host.js';
import { Vitals, type Watched } from '../../src/server/control/vitals.js';
import { Counts } from '../../src/server/counts.js';
import { findRow, rows } from '../../src/server/dispatch.js';
import { Drain } from '../../src/server/drain.js';
import { defaultLimits } from '../../src/server/limits.js';
import { Opcode } from '../../protocol/index.js';

const troubles: unknown[] = [];
const context = {
  network: 'home',
  limits: defaultLimits,
  log: { info: () => undefined },
  refusals: { trouble: (what: string, error: unknown) => troubles.push([what, String(error)]), totals: () => ({}) },
  store: {
    accounts: () => {
      throw new Error('of ours');
    },
    accountByName: () => Promise.resolve(undefined),
  },
};
const host = {
  server: { context, connections: 0, setLimit: () => true },
  drain: { begin: () => undefined, progress: { stopping: false }, isUnderWay: false },
  diskFailed: () => false,
  reload: () => Promise.reject(new Error('cadenasd.toml:3: no — mend it')),
  setDebug: () => undefined,
} as unknown as ControlHost;

const none = (): Promise<void> => Promise.resolve();
const asked = (request: unknown): Promise<Outcome> => control(host, request, none);
async function code(request: unknown): Promise<unknown> {
  const outcome = await asked(request);
  return 'error' in outcome ? outcome.error.code : 'done';
}

test('whatever comes is answered, and nothing but a sound request does anything', async (t) => {
  for (const request of [
    ...[
      undefined,
      null,
      1,
      'status',
      [],
      {},
      { command: 'status' },
      { command: 1, args: {} },
      { command: 'no', args: {} },
    ],
    ...['__proto__', 'constructor', 'toString'].map((command) => ({ command, args: {} })),
    ...[null, 1, [], 'x'].map((args) => ({ command: 'health', args })),
    { command: 'health', args: { more: 1 } },
    ...[{}, { name: 1 }, { name: '' }, { name: 'x'.repeat(300) }, { name: '../etc' }, { name: 'alice', more: 1 }].map(
      (args) => ({
        command: 'delete-user',
        args,
      }),
    ),
    ...[{}, { name: 'window' }, { name: 'window', value: '5' }, { name: 'window', value: 1.5 }].map((args) => ({
      command: 'set-limit',
      args,
    })),
    ...[
      { count: 0, expires: 1 },
      { count: 1_001, expires: 1 },
      { count: 1, expires: 1e12 },
    ].map((args) => ({ command: 'invite', args })),
    ...[{}, { within: -1 }, { within: Infinity }].map((args) => ({ command: 'drain', args })),
    { command: 'debug', args: { on: 'on' } },
  ])
    t.equal(await code(request), 'usage', JSON.stringify(request));
  t.equal(await code({ command: 'health', args: {} }), 'done');
  t.equal(await code({ command: 'health', args: {}, network: 'home' }), 'done');
  t.equal(await code({ command: 'health', args: {}, network: 'other' }), 'network');
  t.equal(await code({ command: 'user', args: { name: 'alice' } }), 'unknown');
  t.equal(await code({ command: 'set-limit', args: { name: '__proto__', value: 1 } }), 'unknown');
  t.same(troubles, []);
  t.same(await asked({ command: 'reload', args: {} }), {
    error: { code: 'failed', message: 'cadenasd.toml:3: no — mend it' },
  });
  t.same(await asked({ command: 'users', args: {} }), {
    error: { code: 'internal', message: 'it failed — look at the log of the daemon' },
  });
  t.same(troubles.splice(0), [['a request of the control socket failed', 'Error: of ours']]);
  const gone = (): Promise<void> => Promise.reject(new Error('gone'));
  t.match(await control(host, { command: 'limits', args: {} }, gone), { error: { code: 'internal' } });
  t.same(troubles, [], 'who went away is no trouble');
  t.ok(Object.keys(controlCommands).length > 10);
});

test('a drain is over when nobody is left, or at its time, which a second one sets anew', async (t) => {
  let left: () => void = () => undefined;
  let turned = 0;
  const server = {
    connections: 2,
    turnAway: () => {
      turned++;
      return new Promise<void>((resolve) => (left = resolve));
    },
  };
  const first = new Drain(server);
  t.notOk(first.isUnderWay);
  first.begin(60_000);
  t.match(first.progress, { connections: 2, left: 60, stopping: false });
  left();
  t.equal(await first.over, 'drain');
  t.ok(first.progress.stopping);
  const second = new Drain(server);
  second.begin(60_000);
  second.begin(1);
  t.equal(await second.over, 'drain');
  t.equal(turned, 2, 'once for each drain');
  const third = new Drain(server);
  third.begin(5);
  third.close();
  t.ok(third.progress.stopping, 'the daemon stops for another reason');
});

test('the last minutes, by what the clock says', (t) => {
  let now = 0;
  const counts = new Counts(rows.length);
  const totals: Record<string, number> = {};
  const watched = {
    context: { counts, refusals: { totals: () => ({ ...totals }) } },
    connections: 4,
  } as unknown as Watched;
  const vitals = new Vitals(watched, () => now);
  t.teardown(() => {
    vitals.close();
  });
  const smpu = findRow(Opcode.smpu, 0)?.number ?? 0;
  for (let second = 0; second < 600; second += 2) {
    counts.frames[smpu] = (counts.frames[smpu] ?? 0) + 6;
    if (second >= 500) counts.login('ok');
    if (second >= 590) totals['frame'] = (totals['frame'] ?? 0) + 1;
    now += 2_000;
    vitals.look();
  }
  const { seconds, messages, logins, refusals } = vitals.minute;
  t.same([seconds, messages, logins, refusals], [60, 180, { ok: 30 }, { frame: 5 }]);
  const { history } = vitals;
  t.same([history.messages.length, history.messages[0], history.logins.at(-1)], [150, 3, 0.5]);
  t.same([history.logins[0], history.connections[0], history.every], [0, 4, 2_000]);
  for (let n = 1; n <= 2_000; n++) vitals.synced(n);
  t.same(vitals.syncs, { count: 2_000, median: 1_488, p99: 1_990, max: 2_000 }, 'of the newest 1,024');
  t.end();
});
