/** Who guesses is shut out by address, and the owner is not; every attempt is on record, and nothing that was typed. */
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { nodeSync, passwordClient } from '../../src/crypto/index.js';
import { auditPaths } from '../../src/ops/audit-file.js';
import { NodeConnection, tcpBinding } from '../../src/transport/node-connection.js';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { connected, enter, newPerson } from '../support/people.js';
import { logIn, makeUser, RawConnection, registerUser } from '../support/raw.js';
import { drawMessage, makeRoom } from '../support/raw-rooms.js';
import { uninvited } from '../support/registration.js';

const ATTEMPTS = 10_000;
/** What is not tried by then was tried as long as a test may last. In ms. */
const LASTS = 15_000;
const AT_ONCE = 8;

async function from(daemon: Daemon, localAddress: string): Promise<RawConnection> {
  const socket = connect({ host: daemon.host, port: daemon.port, localAddress });
  const raw = RawConnection.over(new NodeConnection(socket, tcpBinding));
  if (!(await raw.handshake(daemon.network.linked))?.session) throw new Error('no session');
  return raw;
}

interface Row {
  readonly type: string;
  readonly reason: string;
  readonly source: string;
  readonly uid?: string;
  readonly nameHash?: string;
  readonly count: number;
}

async function audit(daemon: Daemon, ...more: readonly string[]): Promise<readonly Row[]> {
  const { network, data } = daemon;
  const where = ['--network', network.name, '--data', data, '--keys', network.keys];
  const { code, out, err } = await cadenasd('audit', '--json', ...where, ...more);
  if (code !== 0) throw new Error(err);
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  return rows.filter(({ type }) => type === 'attempt');
}

const sum = (rows: readonly Row[]): number => rows.reduce((all, { count }) => all + count, 0);

test('case 11: wrong signatures for one user from 127.0.0.2: 429 to that source, the owner logs in from 127.0.0.1', async (t) => {
  const many = ['connections-per-second', 'connection-burst'].flatMap((name) => ['--limit', `${name}=1000000`]);
  const daemon = await startDaemon(t, { network: await makeNetwork(), args: many });
  const owner = await makeUser('owner');
  t.equal((await registerUser(await connected(t, daemon), owner)).header.code, 200);
  const { ke1 } = (await passwordClient()).loginStart('x');
  const began = performance.now();
  let tried = 0;
  const answers = new Map<number, number>();
  const guess = async (): Promise<void> => {
    while (tried < ATTEMPTS && performance.now() - began < LASTS) {
      const raw = await from(daemon, '127.0.0.2');
      for (let n = 0; n < 3 && tried < ATTEMPTS; n++) {
        tried++;
        const { header, values } = await raw.ask(structs.auth1, {
          name: 'owner',
          signature: nodeSync.random(256),
          ke1,
        });
        answers.set(header.code, (answers.get(header.code) ?? 0) + 1);
        if (header.code === Code.limited && !(Number(values['wait']) > 0)) t.fail('a 429 without a time to wait');
        if (header.code !== Code.limited) break; // the next step is due, and nothing else
      }
      raw.close();
    }
  };
  const logins = async (): Promise<number> => {
    let most = 0;
    while (tried < ATTEMPTS && performance.now() - began < LASTS) {
      const at = performance.now();
      (await enter(t, daemon, owner)).raw.close();
      most = Math.max(most, performance.now() - at);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return most;
  };
  const [most] = await Promise.all([logins(), ...Array.from({ length: AT_ONCE }, guess)]);
  t.comment(`${String(tried)} of ${String(ATTEMPTS)} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  t.comment(`the slowest login of the owner took ${most.toFixed(0)} ms`);
  const looked = answers.get(Code.proceed) ?? 0;
  t.ok(looked > 60 && looked <= 61 + AT_ONCE, `${String(looked)} were looked at`);
  t.equal(answers.get(Code.limited), tried - looked, 'and all others answered 429');
  t.ok(tried > 1000, 'which costs little');
  const still = await logIn(await from(daemon, '127.0.0.2'), owner);
  t.equal(still.header.code, Code.limited, 'the owner too, from there');
  t.ok(Number(still.values['wait']) > 1);
  t.ok(await enter(t, daemon, owner), 'not from elsewhere');
  t.equal(await daemon.stop(), 0);

  const rows = await audit(daemon);
  t.ok(rows.every(({ source }) => source === '127.0.0.2'));
  const guesses = rows.filter(({ reason }) => reason === 'name or signature');
  t.equal(sum(guesses), looked, 'each is on record');
  t.equal(sum(rows.filter(({ reason }) => reason === 'too many')), tried - looked + 1);
  t.ok(rows.length < 10, `in ${String(rows.length)} lines`);
  t.ok(guesses.every(({ uid, nameHash }) => uid === undefined && nameHash?.length === 16));
});

test('every unauthorised attempt is on record, and nothing that was typed', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const [ann, bob] = [await newPerson(t, daemon, 'ann'), await newPerson(t, daemon, 'bob')];
  const typed = ['nobody_at_all', 'a password nobody has', 'another password of ann'];
  const code = async (asked: Promise<{ header: { code: number } }>): Promise<number> => (await asked).header.code;
  const ghost = await makeUser(typed[0] ?? '');
  t.equal(await code(logIn(await connected(t, daemon), ghost, { password: typed[1] ?? '' })), 401);
  t.equal(await code(logIn(await connected(t, daemon), ann.user, { password: typed[2] ?? '' })), 401);
  t.equal(await code(logIn(await connected(t, daemon), ann.user, { w: nodeSync.random(32) })), 401);
  const code6 = nodeSync.random(6);
  t.equal(
    await code(logIn(await connected(t, daemon), ann.user, { grant: code6 })),
    200,
    'a grant that is none is no guess',
  );

  const stranger = await connected(t, daemon);
  t.equal(await code(stranger.ask(structs.keyq, { name: 'ann' })), 403);
  const opaque = (await passwordClient()).registrationStart('x').request;
  const same = { enc: ghost.enc.modulus, sig: ghost.enc.modulus };
  t.equal(await code(stranger.ask(structs.crea1, { name: ghost.name, ...same, opaque, ...uninvited })), 400);

  const back = await enter(t, daemon, ann.user);
  t.equal(await code(bob.raw.ask(structs.smpu, { envelope: letter(bob.user, ann.user, 1) })), 403);
  const room = await makeRoom(back, 'quiet');
  t.equal(await code(bob.raw.ask(structs.srms, await drawMessage(bob, room, 'from outside'))), 403);
  t.equal(await code(bob.raw.ask(structs.jrms2, { room: room.id, auth: nodeSync.random(32) })), 401);

  const running = await audit(daemon);
  t.same(
    [...new Set(running.map(({ reason }) => reason))].sort(),
    ['forbidden', 'name or signature', 'not logged in', 'password', 'registration', 'room password', 'words'],
    'beside the running daemon',
  );
  const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const whose = (reason: string): unknown => running.find((row) => row.reason === reason)?.uid;
  for (const reason of ['password', 'words']) t.equal(whose(reason), hexOf(ann.user.uid), reason);
  for (const reason of ['forbidden', 'room password']) t.equal(whose(reason), hexOf(bob.user.uid), reason);
  t.equal(sum(running.filter(({ reason }) => reason === 'not logged in')), 1, 'the look-up alone');
  t.equal(sum((await audit(daemon, '@ann')).filter(({ reason }) => reason === 'words')), 1);
  t.equal(sum(await audit(daemon, '@nobody_at_all')), 2, 'a name without an account is found by its hash');
  t.same(await audit(daemon, '--since', '2100-01-01'), []);
  t.equal((await audit(daemon, '--since', '1h')).length, running.length);
  t.equal(await daemon.stop(), 0);

  const stopped = await audit(daemon, '@bob');
  t.same(
    stopped.map(({ reason, count }) => `${reason} ${String(count)}`),
    ['forbidden 1', 'room password 1', 'forbidden 1'],
    'without a daemon; repeats are told as their number',
  );
  const [path = ''] = auditPaths(join(daemon.data, daemon.network.name));
  const record = await readFile(path, 'utf8');
  for (const name of ['ann', 'bob', 'quiet']) t.notMatch(record, new RegExp(`\\b${name}\\b`));
  const files = await readdir(daemon.data, { recursive: true, withFileTypes: true });
  const all = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
  );
  for (const text of typed)
    t.notOk(
      [daemon.log(), ...all].some((each) => each.includes(text)),
      text,
    );
  t.notOk(all.some((each) => each.includes(hexOf(code6))));

  const hostile = JSON.stringify({ time: 1, reason: '\u001b[2J', source: '\u202e', count: 1 });
  await appendFile(path, `${hostile}\n{"time":1,"reason":5}\n{"time":`);
  const where = ['--network', daemon.network.name, '--data', daemon.data];
  const shown = await cadenasd('audit', ...where);
  t.equal(shown.code, 0);
  t.match(shown.out, /\[U\+001B\]\[2J/, 'what does not belong is shown harmlessly');
  t.match(shown.out, /2 lines passed over/, 'what is cut is passed over, and told');
  t.notOk(['\u001b', '\u202e'].some((harm) => shown.out.includes(harm)));
  for (const wrong of [['--since', 'soon'], ['@A'], ['--network', 'elsewhere']]) {
    const { code: exit, err } = await cadenasd('audit', ...where, ...wrong);
    t.equal(exit, 1);
    t.match(err, /^cadenasd: [^\n]+ — [^\n]+\n$/, wrong.join(' '));
  }
  t.equal((await cadenasd('check', ...where)).code, 0, 'it is no part of the store, and known');
});

test('an audit that can’t be written is told, and the daemon goes on', async (t) => {
  const first = await startDaemon(t, { network: await makeNetwork() });
  await first.stop();
  const folder = join(first.data, first.network.name, 'audit');
  await appendFile(folder, 'in the way');
  const daemon = await startDaemon(t, { network: first.network, data: first.data });
  const stranger = await connected(t, daemon);
  t.equal((await stranger.ask(structs.keyq, { name: 'ann' })).header.code, 403);
  await daemon.logged('the audit can not be written');
  t.ok(await newPerson(t, daemon, 'ann'));
  t.equal(await daemon.stop(), 0);
});

test('new connections of one address are limited, and others’ are not', async (t) => {
  const args = ['--limit', 'connections-per-second=1', '--limit', 'connection-burst=5'];
  const daemon = await startDaemon(t, { network: await makeNetwork(), args });
  const tries = await Promise.allSettled(Array.from({ length: 12 }, () => from(daemon, '127.0.0.2')));
  const came = tries.filter(({ status }) => status === 'fulfilled').length;
  t.ok(came >= 5 && came <= 7, `${String(came)} of 12`);
  await daemon.logged('reason=connections source=127.0.0.2');
  t.ok(await connected(t, daemon), 'from elsewhere');
});

test('logins are limited by user and by source, also those that succeed', async (t) => {
  const args = ['--limit', 'logins-per-minute=3', '--limit', 'source-logins-per-minute=6'];
  const daemon = await startDaemon(t, { network: await makeNetwork(), args });
  const [ann, bob] = [await newPerson(t, daemon, 'ann'), await newPerson(t, daemon, 'bob')];
  const login = async (source: string, user = ann.user): Promise<number> =>
    (await logIn(await from(daemon, source), user)).header.code;
  t.same([await login('127.0.0.2'), await login('127.0.0.3'), await login('127.0.0.4')], [200, 200, 429], 'one user');
  const codes = [];
  for (let n = 0; n < 7; n++) codes.push(await login('127.0.0.5', n < 2 ? bob.user : await makeUser('stranger')));
  t.same(codes, [200, 200, 401, 401, 401, 401, 429], 'one source');
});
