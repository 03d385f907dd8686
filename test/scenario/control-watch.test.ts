/** `cadenasd status --watch` at a real terminal, and where there is none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type Test } from 'tap';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { connected } from '../support/people.js';
import { Screen, type ScreenOptions } from '../support/screen.js';
import { root } from '../support/temp.js';

const network = await makeNetwork();
const program = join(root, 'bin/cadenasd');
const argsOf = ({ data }: Pick<Daemon, 'data'>, ...more: readonly string[]): string[] => [
  ...[program, 'status', '--watch', '1', '--network', 'test', '--data', data],
  ...more,
];

function watching(t: Test, daemon: Daemon, options: Partial<ScreenOptions> = {}): Screen {
  return Screen.open(t, { command: process.execPath, args: argsOf(daemon), rows: 30, ...options });
}

/** The last frame, without what makes it stand out: an emulator may keep what is beyond its edge. */
function frameOf(screen: Screen): readonly string[] {
  const [frame = ''] = (screen.raw.split('\u001b[?2026h').at(-1) ?? '').split('\u001b[?2026l');
  return frame
    .split('\u001b[')
    .map((piece, n) => (n === 0 ? piece : piece.replace(/^[\d;]*[A-Za-z]/, '')))
    .join('')
    .split('\r\n');
}

test('a live screen: figures, plots, sizes, a daemon that goes and comes back, q', async (t) => {
  const daemon = await startDaemon(t, { network });
  const screen = watching(t, daemon);
  await screen.sees(/^cadenasd \S+ · network test · serving on 127/m);
  t.ok(screen.alternate);
  t.ok(screen.cursor().hidden);
  await screen.sees(/^connections +0 {2}0 people online$/m);
  await connected(t, daemon);
  await screen.sees(/^connections +1 {2}/m);
  await screen.sees(/^memory +[\d.]+ MiB +[▁▂▃▄▅▆▇█]+ {2}[\d.]+ MiB most$/m);
  for (const name of ['messages', 'logins', 'connections', 'loop lag'])
    t.match(screen.text(), new RegExp(`^${name} .*most$`, 'm'));
  t.match(screen.text(), /^q ends · every 1 s$/m);
  t.ok(screen.raw.includes('\u001b[36m'), 'plots have a colour');

  screen.resize(60, 8);
  await screen.until(() => frameOf(screen).length === 8, 'a frame of 8 lines');
  t.ok(frameOf(screen).every((line) => line.length <= 60));
  t.notMatch(screen.text(), /q ends/);
  screen.resize(100, 30);
  await screen.sees('q ends');

  await daemon.stop();
  await screen.sees(/^(the daemon has ended|no cadenasd answers at .*); trying again$/m);
  t.match(screen.text(), /^connections/m, 'what was known is still seen');
  await startDaemon(t, { network, data: daemon.data });
  await screen.gone('trying again');
  screen.type('q');
  t.same(await screen.exited, { code: 0, signal: undefined });
  t.notOk(screen.alternate, 'the terminal is as it was');
  t.notOk(screen.cursor().hidden);
});

test('Ctrl-C, a hangup, NO_COLOR, TERM=dumb', async (t) => {
  const daemon = await startDaemon(t, { network });
  const plain = watching(t, daemon, { env: { NO_COLOR: '1' } });
  await plain.sees('q ends');
  t.notOk(plain.raw.includes('\u001b[36m'));
  plain.type('\u0003'); // Ctrl-C, as bytes
  t.same(await plain.exited, { code: 0, signal: undefined });
  t.notOk(plain.alternate);

  const dumb = watching(t, daemon, { env: { TERM: 'dumb' } });
  await dumb.sees(/^loop lag/m);
  t.notOk(dumb.raw.includes('\u001b'));
  dumb.signal('SIGINT');
  t.same(await dumb.exited, { code: 0, signal: undefined });

  const ended = watching(t, daemon);
  await ended.sees('q ends');
  ended.signal('SIGTERM');
  t.same(await ended.exited, { code: 0, signal: undefined });
  t.notOk(ended.alternate);
});

test('without a terminal: a block, or a line of JSON, each time; a reader that goes ends it', async (t) => {
  const daemon = await startDaemon(t, { network });
  const child = spawn(process.execPath, argsOf(daemon, '--json'), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  const next = async (): Promise<Record<string, unknown>> => {
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as Record<string, unknown>;
  };
  t.match(await next(), { type: 'status', healthy: true });
  t.match(await next(), { type: 'status', history: { every: 2_000 } });
  await daemon.stop();
  for (;;) if ((await next())['type'] === 'gone') break;
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number];
  t.equal(code, 0);
  const { code: refused, err } = await cadenasd('status', '--watch', '0');
  t.same([refused, /can’t look so often/.test(err)], [1, true]);
});
