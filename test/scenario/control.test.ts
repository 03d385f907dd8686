/** A daemon that runs, asked and administered by cadenasd's commands and read by its metrics. */
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Code, Departure, structs } from '../../protocol/index.js';
import { cadenasd, type Ended } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { readPrometheus, valueOf, type Metric } from '../support/prometheus.js';
import { befriend, logIn, makeUser } from '../support/raw.js';
import { join as enterRoom, makeRoom } from '../support/raw-rooms.js';
import { temporaryFolder } from '../support/temp.js';

const network = await makeNetwork();
const oneLine = /^cadenasd: [^\n]+ — [^\n]+\n$/;

type Admin = (...args: readonly string[]) => Promise<Ended>;
const of =
  ({ data }: Pick<Daemon, 'data'>): Admin =>
  (...args) =>
    cadenasd(...args, '--network', 'test', '--data', data);

/** What it printed, as JSON; fails where the command did. */
async function told(admin: Admin, ...args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { code, out, err } = await admin(...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')}: ${String(code)} ${err}`);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function refused(t: Test, { code, out, err }: Ended, what: RegExp): void {
  t.same([code, out], [1, ''], err);
  t.match(err, oneLine);
  t.match(err, what);
}

async function get(socketPath: string, path: string): Promise<{ status: number | undefined; text: string }> {
  const asking = request({ socketPath, path, agent: false }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

test('what the operator sees and does while people talk', async (t) => {
  const metrics = join(await temporaryFolder(t), 'metrics.sock');
  const daemon = await startLavish(t, { network, args: ['--metrics', `unix:${metrics}`] });
  const admin = of(daemon);
  const scrape = async (): Promise<Map<string, Metric>> => readPrometheus((await get(metrics, '/metrics')).text);
  const folder = join(daemon.data, 'test');
  const alice = await newPerson(t, daemon, 'alice');
  const bobby = await newPerson(t, daemon, 'bobby');
  const carol = await newPerson(t, daemon, 'carol');
  await befriend(alice.raw, alice.user, bobby.raw, bobby.user);
  const lounge = await makeRoom(alice, 'lounge');
  t.equal(await enterRoom(bobby, lounge), Code.done);
  const hex = (uid: Uint8Array): string => Buffer.from(uid).toString('hex');

  await t.test('modes; neither check nor backup stumbles over the socket', async (t) => {
    t.same(
      [folder, join(folder, 'control.sock')].map((path) => statSync(path).mode & 0o777),
      [0o700, 0o600],
    );
    t.equal(statSync(metrics).mode & 0o777, 0o660);
    const copy = join(await temporaryFolder(t), 'copy');
    t.match((await admin('check')).out, /^sound$/m);
    t.equal((await admin('backup', copy, '--keys', network.keys)).code, 0);
    t.notOk(readdirSync(copy).includes('control.sock'));
  });

  await t.test('status and health', async (t) => {
    const [status] = await told(admin, 'status');
    t.match(status, { type: 'status', healthy: true, state: 'serving', network: 'test', pid: daemon.pid });
    t.match(status, {
      connections: 3,
      online: 3,
      accounts: 3,
      rooms: 1,
      minute: { registrations: 3, logins: { ok: 3 } },
    });
    const { out } = await admin('status');
    t.match(out, new RegExp(`^cadenasd \\S+ · network test · serving on 127.0.0.1:${String(daemon.port)}$`, 'm'));
    t.match(out, /^connections +3 {2}3 people online$/m);
    t.ok(
      out.split('\n').every((line) => line.length <= 80),
      out,
    );
    t.same(await admin('health'), { code: 0, out: 'healthy\n', err: '' });
    t.match(await get(metrics, '/health'), { status: 200 });
  });

  await t.test('counters rise by what happens', async (t) => {
    bobby.raw.close();
    let before = await scrape();
    while (valueOf(before, 'cadenas_people_online') > 2) before = await scrape();
    await t.resolves(alice.raw.ask(structs.smpu, { envelope: letter(alice.user, bobby.user, 1) }));
    const stranger = await connected(t, daemon);
    await logIn(stranger, await makeUser('nobody'));
    stranger.close();
    const after = await scrape();
    const rose = (name: string, labels = ''): number => valueOf(after, name, labels) - valueOf(before, name, labels);
    t.equal(rose('cadenas_connections_total'), 1);
    t.equal(rose('cadenas_handshakes_total'), 1);
    t.equal(rose('cadenas_frames_received_total', '{command="smpu"}'), 1);
    t.equal(valueOf(after, 'cadenas_answers_total', '{command="smpu",code="202"}'), 1);
    t.equal(rose('cadenas_logins_total', '{result="name or signature"}'), 1);
    t.equal(valueOf(after, 'cadenas_refusals_total', '{reason="name or signature"}'), 1);
    t.equal(rose('cadenas_logins_total', '{result="ok"}'), 0);
    t.equal(rose('cadenas_deliveries_total', '{recipient="offline"}'), 1);
    t.equal(valueOf(after, 'cadenas_people_online'), 2);
    t.ok(valueOf(after, 'cadenas_queued_entries') >= 1);
    const syncs = after.get('cadenas_sync_seconds')?.samples.get('cadenas_sync_seconds_count');
    t.ok(Number(syncs) > 3, `${String(syncs)} syncs`);
    const text = (await get(metrics, '/metrics')).text;
    for (const secret of ['alice', 'bobby', 'lounge', hex(alice.user.uid), '127.0.0.1']) t.notOk(text.includes(secret));
  });

  await t.test('users and rooms', async (t) => {
    const users = await told(admin, 'user', 'list');
    t.match(users.at(-1), { type: 'result', users: 3, online: 2 });
    t.match(
      users.find(({ name }) => name === 'bobby'),
      { uid: hex(bobby.user.uid), online: false, queued: Number, disabled: false },
    );
    t.match(
      (await admin('user', 'list')).out,
      /^name +state +waiting {2}registered +uid\n(?:@.*\n)*@alice +online +\d {2}\d{4}-\d\d-\d\d {2}[0-9a-f]{32}$/m,
    );
    t.match(await told(admin, 'user', 'show', '@alice'), [
      { sessions: 1, secondFactor: 'none', rooms: ['lounge'], online: true },
    ]);
    t.match((await admin('user', 'show', 'carol')).out, /^@carol\nuid +[0-9a-f]{32}\n[^]*^second factor +none$/m);
    const [room] = await told(admin, 'room', 'list');
    t.match(room, { name: 'lounge', id: hex(lounge.id), owner: 'alice', members: 2, epoch: 1, messages: 0 });
    refused(t, await admin('user', 'show', '@nobody'), /nobody here has the name @nobody/);
    refused(t, await admin('user', 'show', '../x'), /no account can have this name/);
    refused(t, await cadenasd('user'), /a word is missing: list, show, disable, enable, delete — see/);
    refused(t, await cadenasd('--no-config', 'status'), /status comes first, its options behind it/);
    refused(t, await cadenasd('stats'), /unknown command stats \(Did you mean status\?\)/);
    t.match(await cadenasd('help', 'status'), { code: 0, out: /^Usage: cadenasd status/ });
    t.match(await cadenasd('help'), { code: 0, out: /^Usage: cadenasd \[options\]/ });
    refused(t, await admin('room', 'delete', 'nowhere', '--yes'), /no room here has the name nowhere/);
  });

  await t.test('a disabled user is cut off and stays out, until enabled', async (t) => {
    const ended = carol.raw.closed;
    t.match(await told(admin, 'user', 'disable', '@carol'), [{ type: 'disabled', name: 'carol', changed: true }]);
    await ended;
    t.match((await admin('user', 'disable', 'carol')).out, /^disabled @carol .*, as before$/m);
    t.match((await admin('user', 'list')).out, /^@carol +disabled /m);
    const again = await connected(t, daemon);
    t.equal((await logIn(again, carol.user)).header.code, Code.forbidden);
    again.close();
    t.equal((await admin('user', 'enable', 'carol')).code, 0);
    (await enter(t, daemon, carol.user)).raw.close();
    await daemon.logged('account enabled by the operator');
  });

  await t.test('limits, invitations, reload, debug', async (t) => {
    const all = await told(admin, 'limits');
    t.match(
      all.find(({ name }) => name === 'queue-entries'),
      { type: 'limit', value: Number, default: 10_000 },
    );
    t.match((await admin('limits', 'rooms-per-user=1')).out, /^rooms-per-user: 1 from now on, /);
    t.match((await admin('limits')).out, /^rooms-per-user +1 {2}\(default 20\)$/m);
    const { code } = await makeRoom(alice, 'second').then(
      () => ({ code: 0 }),
      (error: unknown) => ({ code: String(error) }),
    );
    t.match(code, /429/);
    refused(t, await admin('limits', 'window=5'), /counts from a start on/);
    refused(t, await admin('limits', 'widnow=5'), /did you mean window\?/);
    refused(t, await admin('limits', 'hello-seconds=99999'), /from 1 to 3600/);
    refused(t, await admin('limits', 'hello-seconds=0'), /NAME=NUMBER/);
    const none = await temporaryFolder(t);
    t.match(await told(admin, 'invite', '--keys', none, '--count', '2', '--expires', '1h'), [
      { code: /^[a-z2-7-]+$/ },
      {},
    ]);
    t.equal((await admin('reload')).out, 'reloaded; changed: limits.rooms-per-user\n');
    await daemon.logged('reloaded');
    t.equal((await admin('debug', 'on')).code, 0);
    await daemon.logged('debug is on');
    t.equal((await admin('debug', 'off')).code, 0);
    await daemon.logged('debug is off');
    refused(t, await admin('debug', 'maybe'), /on or off/);
  });

  await t.test('a room and an account go as if their owner deleted them', async (t) => {
    refused(t, await admin('room', 'delete', 'lounge'), /no terminal to ask on — add --yes/);
    t.match(await told(admin, 'room', 'delete', '#lounge', '--yes'), [{ type: 'deleted', id: hex(lounge.id) }]);
    t.equal((await alice.raw.event(structs.lfrm)).values.what, Departure.deleted);
    refused(t, await admin('delete', '@alice', '--yes'), /a cadenasd runs on .* — use cadenasd user delete @alice/);
    const ended = alice.raw.closed;
    t.match((await admin('user', 'delete', '@alice', '--yes')).out, /^deleted @alice \([0-9a-f]{32}\)/);
    await ended;
    refused(t, await admin('user', 'show', '@alice'), /nobody here/);
    t.notOk(existsSync(join(folder, 'users', hex(alice.user.uid), 'queue')));
    await newPerson(t, daemon, 'alice');
    await daemon.logged('account deleted by the operator');
    t.notMatch(daemon.log(), /the store failed|a handler failed|alice|lounge/);
  });
});

test('a drain: nobody new, and the end when all have left or the time is over', async (t) => {
  const data = join(await temporaryFolder(t), 'data');
  const control = join(await temporaryFolder(t), 'elsewhere');
  let daemon = await startLavish(t, { network, data, args: ['--control', control] });
  t.equal(statSync(control).mode & 0o777, 0o600);
  const there = await newPerson(t, daemon, 'alice');
  refused(t, await of({ data })('health'), /no cadenasd answers at .*control\.sock — start it/);
  const here: Admin = (...args) => cadenasd(...args, '--control', control);
  refused(t, await here('health', '--network', 'other'), /serves the network test — name it/);
  const draining = here('drain', '--within', '600');
  await daemon.logged('draining');
  const [error] = (await once(connect(daemon.port, daemon.host), 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNREFUSED');
  t.match(await here('health'), { code: 1, out: 'not healthy: draining\n' });
  t.equal((await there.raw.ask(structs.keyq, { name: 'nobody' })).header.code, Code.notFound, 'who is there is served');
  there.raw.close();
  t.equal(await daemon.exited, 0);
  const drained = await draining;
  t.same([drained.code, drained.err], [0, '']);
  t.match(
    drained.out,
    /^draining: 1 connection left, \d+ seconds at most\n[^]*stopping, 0 connections left\nstopped\n$/,
  );
  t.notOk(existsSync(control));

  daemon = await startLavish(t, { network, data, args: ['--control', control] });
  const raw = await connected(t, daemon);
  const first = here('drain', '--within', '600');
  await daemon.logged('draining');
  const second = here('drain', '--within', '0', '--json');
  t.equal(await daemon.exited, 0, 'the second one has its own time');
  t.same([(await first).code, (await second).code], [0, 0]);
  t.match((await second).out, /"stopping":true/);
  await raw.closed;

  daemon = await startLavish(t, { network, data, args: ['--control', control] });
  await connected(t, daemon);
  const third = here('drain', '--within', '600');
  await daemon.logged('draining');
  t.equal(await daemon.stop(), 0, 'SIGTERM stops it at once');
  t.match(await third, { code: 0, out: /stopped\n$/ });
});

test('a killed daemon’s socket is replaced, and mistakes of both places are one line', async (t) => {
  const daemon = await startDaemon(t, { network });
  const path = join(daemon.data, 'test', 'control.sock');
  await daemon.kill();
  t.ok(existsSync(path), 'it is left');
  refused(t, await of(daemon)('status'), /no cadenasd answers at/);
  t.match((await of(daemon)('check')).out, /^sound$/m);
  const again = await startDaemon(t, { network, data: daemon.data });
  t.equal((await of(again)('health')).code, 0);
  const wrong = join(await temporaryFolder(t), 'wrong.toml');
  writeFileSync(wrong, '[registration]\nwho = invitation\n');
  const asked = await cadenasd('health', '--control', path, '--config', wrong);
  t.same([asked.code, asked.out], [0, 'healthy\n'], 'a file that went wrong meanwhile makes no daemon unwell');
  refused(t, await cadenasd('health', '--config', wrong), /wrong\.toml:2: .*, or ask by --control$/m);
  const start = (...args: string[]) => startDaemon(t, { network, args });
  await t.rejects(start('--control', path), /control\.sock is in use by another process — stop it/);
  await t.rejects(start('--control', join(daemon.data, 'none', 'x')), /can’t be made — check that its folder is there/);
  await t.rejects(start('--metrics', '0.0.0.0:9464'), /metrics/);
  await t.rejects(start('--metrics', `unix:${path}`), /is in use by another process/);
  await t.rejects(start('--metrics', `127.0.0.1:${String(again.port)}`), /is in use by another process/);
  t.equal(await again.stop(), 0);
  t.notOk(existsSync(path));

  rmSync(join(daemon.data, 'test', 'hellos'));
  const deaf = await startDaemon(t, { network, data: daemon.data });
  t.match((await of(deaf)('status')).out, /^answers nobody for another 1[12]\d s: who connected before this start/m);
  t.equal((await of(deaf)('health')).code, 0, 'a restart would make it longer');
  await t.rejects(connected(t, deaf));
  await deaf.logged('refused reason="hello too early"');
  const commands = ['status', 'health', 'user list', 'user delete', 'room list', 'limits', 'drain', 'reload', 'debug'];
  const helps = commands.map(async (command) => {
    const { code, out } = await cadenasd(...command.split(' '), '--help');
    t.same([code, out.includes('--control'), out.includes('--json')], [0, true, true], command);
  });
  await Promise.all(helps);
});
