/** What a real daemon logs: nothing of what people keep for themselves, in either form; and debug by a signal. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join as path } from 'node:path';
import { test } from 'tap';
import { Code, COMMANDS_FROM, hex, structs, type Struct } from '../../protocol/index.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { acknowledge, letter } from '../support/letters.js';
import { connected, enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, logIn, makeUser, registerUser } from '../support/raw.js';
import { drawRoom, join, rotate, say, type RawRoom } from '../support/raw-rooms.js';
import { enableTotp, totp } from '../support/second-factor.js';
import { codeIn, Post } from '../support/smtp.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';

const email = 'ada.lovelace@mail.example';
const fullName = 'Ada King of Lovelace';
const text = 'meet me at the fountain at noon';

/** A daemon that sends mail, to a real server. */
async function startMailing(t: Teardown, args: readonly string[]) {
  const post = await Post.start(t);
  const config = path(await temporaryFolder(t), 'net.toml');
  const mail = ['host = "127.0.0.1"', `port = ${String(post.port)}`, 'tls = "none"', 'sender = "chat@mail.example"'];
  writeFileSync(config, ['[mail]', ...mail, ''].join('\n'));
  return { post, daemon: await startLavish(t, { network: await makeNetwork(), args: ['--config', config, ...args] }) };
}

/** A command that the log tells of: when it has it, it has all that was before. */
async function marked({ raw }: Person, daemon: Daemon): Promise<void> {
  const seen = daemon.log().split('acct').length;
  await raw.ask(structs.acct, {});
  await daemon.logs((log) => log.split('acct').length > seen);
}

/** All that was written between two marks. */
async function linesOf(daemon: Daemon, person: Person, work: () => Promise<unknown>): Promise<readonly string[]> {
  await marked(person, daemon);
  const before = daemon.log().length;
  await work();
  await marked(person, daemon);
  return daemon.log().slice(before).trimEnd().split('\n').slice(0, -1);
}

async function writeTo(from: Person, to: Person): Promise<void> {
  const sent = from.raw.ask(structs.smpu, { envelope: letter(from.user, to.user, 1) });
  const { header } = await to.raw.event(structs.rvum);
  acknowledge(to.raw, header.frameId);
  if ((await sent).header.code !== Code.done) throw new Error('not delivered');
}

/** Takes and acknowledges events, up to and with the first of this kind. */
async function past({ raw }: Person, { opcode: last }: Struct): Promise<void> {
  for (;;) {
    const { opcode, frameId } = await raw.next((one) => one.opcode < COMMANDS_FROM);
    acknowledge(raw, frameId);
    if (opcode === last) return;
  }
}

async function converse(room: RawRoom, from: Person, to: Person): Promise<void> {
  if ((await join(to, room)) !== 200) throw new Error('not entered');
  const rotated = await rotate(from, room);
  for (const each of [from, to]) await past(each, structs.chrm);
  const said = say(from, rotated.room, text);
  await past(to, structs.rvrm);
  if ((await said) !== 200) throw new Error('not said');
}

/** Mistakes and attempts, each refused. */
async function fail(t: Teardown, daemon: Daemon, { user }: Person): Promise<void> {
  const stranger = await connected(t, daemon);
  await stranger.ask(structs.jrms1, { name: 'lounge' });
  await logIn(stranger, user, { password: 'a mistyped password' });
  await logIn(stranger, user, { w: new Uint8Array(32).fill(7) });
  stranger.close();
}

/** Every form in which a value of bytes could stand there. */
const forms = (bytes: Uint8Array): string[] => {
  const some = Buffer.from(bytes).subarray(0, 12);
  return [some.toString('hex'), some.toString('base64'), some.toString('base64url').slice(0, 15), [...some].join(',')];
};

const withoutTotp = new Set(['acct', 'crea', 'auth', 'pass', 'fact']);

for (const [format, addresses] of [
  ['text', 'none'],
  ['json', 'short'],
] as const)
  test(`at debug, as ${format}: no secret, no text, and nobody beside whom they talk with`, async (t) => {
    const args = ['--debug', '--log-format', format, '--log-addresses', addresses];
    const { post, daemon } = await startMailing(t, args);
    const user = await makeUser('ada');
    const raw = await connected(t, daemon);
    let code = '';
    const typed = async (): Promise<string> => (code = codeIn(await post.next()));
    t.equal((await registerUser(raw, user, { email, fullName, code: typed })).header.code, Code.done);
    raw.close();
    const ada = await enter(t, daemon, user);
    const bob = await newPerson(t, daemon, 'bobby');
    await befriend(ada.raw, ada.user, bob.raw, bob.user);

    t.same(await linesOf(daemon, ada, () => writeTo(ada, bob)), [], 'of a message, nothing at all');
    const { room, crms } = await drawRoom(ada, 'lounge');
    const made = await linesOf(daemon, ada, () => ada.raw.ask(structs.crms, crms));
    t.equal(made.length, 1, 'a room, and not whose');
    t.match(made[0], /room made/);
    t.notMatch(made[0], /connection|uid/);
    t.same(await linesOf(daemon, ada, () => converse(room, ada, bob)), [], 'nor who enters, and who speaks there');

    const factor = await enableTotp(bob.raw, bob.user);
    const again = await connected(t, daemon);
    const shown = totp(factor.secret);
    t.equal((await logIn(again, bob.user, { code: shown })).header.code, Code.done);
    await fail(t, daemon, ada);
    await marked(ada, daemon);
    t.equal(await daemon.stop(), 0);

    const log = daemon.log();
    const lines = log.trimEnd().split('\n');
    t.ok(lines.length > 25, String(lines.length));
    const keys = [ada, bob].flatMap(({ user: { enc, sig, w, proof } }) => [enc.modulus, sig.modulus, w, proof]);
    const bytes = [...keys, room.stretched, room.salt, room.keys.key, factor.secret, ...factor.codes].flatMap(forms);
    const said = [
      ada.user.password,
      bob.user.password,
      'mistyped',
      text,
      'fountain',
      email,
      'lovelace',
      fullName,
      code,
    ];
    for (const secret of [
      ...bytes,
      ...said,
      'ada',
      'bobby',
      'lounge',
      new TextDecoder().decode(shown.code),
      '127.0.0.1',
    ])
      t.notOk(log.toLowerCase().includes(secret.toLowerCase()), secret);
    const uids = [ada.user.uid, bob.user.uid, room.id].map(hex);
    for (const line of lines) t.ok(uids.filter((uid) => line.includes(uid)).length < 2, line);
    for (const secret of [email, '127.0.0.1'])
      for (const file of filesOf(daemon.data)) t.notOk(readFileSync(file).includes(secret), `${secret} in ${file}`);

    if (format === 'text') {
      for (const what of [
        / connection=c1$/m,
        /handshake done connection=c2$/m,
        /INFO logged in connection=c[0-9a-z]+ uid=/,
      ])
        t.match(log, what);
      t.match(log, /WARN refused reason="not logged in" total=1 connection=c[0-9a-z]+$/m);
      t.match(log, /DEBUG closed connection=c1 reason="the client left" seconds=\d+$/m);
      t.match(log, /DEBUG closed connection=c[0-9a-z]+ reason="told 503" seconds=\d+$/m);
      return;
    }
    const rows = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    for (const row of rows) t.match(row, { time: /^20.*Z$/, level: /^(debug|info|warn|error)$/, message: /./ });
    const commands = rows.filter(({ message }) => message === 'answered').map(({ command }) => command);
    t.same(new Set(commands), withoutTotp, 'of commands those that concern nobody else');
    t.match(
      rows.find(({ message }) => message === 'connected'),
      { connection: 'c1', source: '127.0.0.0/24' },
    );
    t.match(
      rows.find(({ reason }) => reason === 'words'),
      { level: 'warn', uid: undefined, connection: /^c/ },
    );
  });

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => path(parentPath, name));

/** Ports of TCP on which a process listens. */
function listening(pid: number): number[] {
  const descriptors = `/proc/${String(pid)}/fd`;
  const own = new Set(readdirSync(descriptors).map((fd) => linkOf(path(descriptors, fd))));
  const rows = ['tcp', 'tcp6'].flatMap((kind) => readFileSync(`/proc/${String(pid)}/net/${kind}`, 'utf8').split('\n'));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(`socket:[${inode ?? ''}]`))
    .map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16));
}

/** A descriptor may be closed meanwhile. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return '';
  }
}

const SIGUSR1 = 1n << 9n;

/** At the first moment at which the signal does not end the process: no line of a program has run by then. */
function signalEarly(pid: number): void {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const has = (set: string): boolean =>
    (BigInt(`0x${new RegExp(`^${set}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`) & SIGUSR1) !== 0n;
  if (has('SigBlk') || has('SigCgt')) process.kill(pid, 'SIGUSR1');
  else setImmediate(signalEarly, pid);
}

test('SIGUSR1 before anything runs opens no debugger', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork(), spawned: signalEarly });
  t.same(listening(daemon.pid), [daemon.port]);
  t.equal(await daemon.stop(), 0);
});

test('SIGUSR1 turns debug on and off, and everybody stays', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const ann = await newPerson(t, daemon, 'ann');
  const toggle = async (said: string): Promise<void> => {
    process.kill(daemon.pid, 'SIGUSR1');
    await daemon.logged(`WARN debug is ${said}\n`);
    t.same(listening(daemon.pid), [daemon.port], 'no debugger');
  };
  t.notMatch(daemon.log(), /DEBUG/);
  await toggle('on');
  (await connected(t, daemon)).close();
  await daemon.logged('DEBUG closed connection=c3 reason="the client left"');
  await marked(ann, daemon);
  await toggle('off');
  (await connected(t, daemon)).close();
  t.equal((await ann.raw.ask(structs.acct, {})).header.code, Code.done, 'the connection is there');
  t.equal(await daemon.stop(), 0);
  const [, after = ''] = daemon.log().split('debug is off\n');
  t.match(after, /stopping/);
  t.notMatch(after, /DEBUG/);
});
