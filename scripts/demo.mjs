// A conversation of two and a room of three, all throwaway users of a throwaway network, through the real programs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { compile, ensureInstalled, root } from './lib.mjs';

await ensureInstalled();
await compile();

const folder = await mkdtemp(join(tmpdir(), 'cadenas-demo-'));
const mark = { waiting: '…', queued: '✓', delivered: '✓✓', read: '✓✓ read' };
const say = (text) => console.log(text);
let daemon;
let server;

/** Runs a program to its end; its standard output. Its error output is the error where it fails. */
async function program(path, args) {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}: ${out}${err}`.trim());
  return out;
}

/** A command of one user's linked client; the objects it printed. */
async function cadenas(user, ...args) {
  const own = [
    '--home',
    join(folder, user),
    '--secrets-file',
    join(folder, `${user}.json`),
    '--server',
    server,
    '--json',
  ];
  const out = await program(join(folder, 'client/cadenas.mjs'), [...own, ...args]);
  return out
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function startDaemon() {
  const where = ['--keys', join(folder, 'keys'), '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
  daemon = spawn(process.execPath, [join(root, 'bin/cadenasd'), '--no-config', '--network', 'demo', ...where], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  daemon.stderr.on('data', (chunk) => (log += chunk));
  const first = await Promise.race([
    once(createInterface(daemon.stdout), 'line').then(([line]) => line),
    once(daemon, 'exit').then(() => Promise.reject(new Error(`the daemon ended: ${log}`))),
  ]);
  server = first.replace('ready ', '');
}

/** What a user's commands read; passwords of rooms stand there too, never in an argument. */
async function keepSecrets(user, rooms = {}) {
  const secrets = { password: `the password of ${user}`, words: 'apple river stone', rooms };
  await writeFile(join(folder, `${user}.json`), JSON.stringify(secrets), { mode: 0o600 });
}

async function send(from, to, text) {
  const [{ id, state }] = await cadenas(from, 'send', `@${to}`, text);
  say(`  ${from.padEnd(6)} → ${to.padEnd(6)} ${mark[state].padEnd(2)}  ${text}`);
  return id;
}

async function receive(user) {
  for (const item of await cadenas(user, 'receive'))
    if (item.type === 'message') say(`  ${user.padEnd(6)} reads       ${where(item)}@${item.from}: ${item.text}`);
    else say(`  ${user.padEnd(6)} is told     ${item.kind} ${where(item)}${item.name && `@${item.name}`}`);
}

const where = ({ room }) => (room === undefined ? '' : `#${room} `);

async function befriend(from, to) {
  await cadenas(from, 'add', `@${to}`);
  say(`  ${from.padEnd(6)} asks @${to} to talk`);
  await receive(to);
  await cadenas(to, 'accept', `@${from}`);
  say(`  ${to.padEnd(6)} accepts @${from}`);
  await receive(from);
}

async function converse() {
  say('Two people who own nothing but a client of the network, and a daemon that can read nothing of theirs.\n');
  await Promise.all(
    ['alice', 'bob', 'carol'].map(async (user) => {
      await keepSecrets(user);
      await cadenas(user, 'register', `@${user}`);
      await cadenas(user, 'login');
    }),
  );
  say('  alice, bob and carol registered and logged in\n');
  await befriend('alice', 'bob');
  say('');
  await send('alice', 'bob', 'Hello Bob. Only you can read this.');
  await receive('bob');
  await send('bob', 'alice', 'Hello Alice. The daemon routes it, and that is all.');
  await receive('alice');
  say('');
  await cadenas('bob', 'logout');
  say('  bob    goes away');
  const id = await send('alice', 'bob', 'You are away, so this waits for you, sealed.');
  await receive('bob');
  const lines = await cadenas('alice', 'history', '@bob');
  const sent = lines.find((line) => line.id === id);
  say(`  alice  sees        ${mark[sent.state]}  ${sent.text}`);
  expect(['delivered', 'read'].includes(sent.state), 'the message of the absent was not delivered');
}

function expect(holds, what) {
  if (!holds) throw new Error(what);
}

async function sayInRoom(from, text) {
  const [{ state }] = await cadenas(from, 'room', 'send', 'garden', text);
  say(`  ${from.padEnd(6)} → #garden ${mark[state].padEnd(2)}  ${text}`);
}

/** The daemon keeps the newest 20 texts of a room, sealed, for who comes in. */
const KEPT = 20;

async function meet() {
  say('\nA room: one key that its members know, and the daemon does not.\n');
  await cadenas('bob', 'login');
  const [made] = await cadenas('alice', 'room', 'create', 'garden');
  say(`  alice  makes #garden; its password is drawn: ${made.password}`);
  await keepSecrets('bob', { garden: made.password });
  await cadenas('bob', 'room', 'join', 'garden');
  say('  bob    joins with it');
  await receive('alice');
  await sayInRoom('bob', 'Nice in here.');
  await receive('alice');
  for (let at = 1; at <= KEPT; at++) await cadenas('alice', 'room', 'send', 'garden', `plant no. ${at}`);
  await receiveQuietly('bob');
  say(`  alice  → #garden     ${KEPT} texts about plants`);

  say('');
  await befriend('alice', 'carol');
  await cadenas('alice', 'room', 'invite', 'garden', '@carol');
  say('  alice  invites @carol, who needs no password');
  await receive('carol');
  await cadenas('carol', 'room', 'join', 'garden');
  await receiveQuietly('carol');
  const before = await cadenas('carol', 'room', 'history', 'garden');
  say(`  carol  joins, and reads ${before.length} texts from before: "${before[0]?.text}" to "${before.at(-1)?.text}"`);
  expect(before.length === KEPT && before[0].text === 'plant no. 1', 'who joins did not get the newest 20');
  for (const user of ['alice', 'bob']) await receive(user);
  await sayInRoom('carol', 'So many plants!');
  for (const user of ['alice', 'bob']) await receive(user);
  for (const { name, role, online } of await cadenas('alice', 'room', 'members', 'garden'))
    say(`  alice  sees        @${name}  ${role}${online ? ', online' : ''}`);

  say('');
  const [now] = await cadenas('alice', 'room', 'remove', 'garden', '@bob');
  say(`  alice  removes @bob: a new key, and a new password: ${now.password}`);
  expect(now.password !== made.password, 'the password is still the old one');
  for (const user of ['bob', 'carol']) await receive(user);
  await sayInRoom('alice', 'Bob does not get this one.');
  for (const user of ['carol', 'bob']) await receive(user);
  const again = await cadenas('bob', 'room', 'join', 'garden').catch((error) => error.message);
  say('  bob    tries the old password, and is not let in');
  expect(/room-refused/.test(again), `the old password still opens the room: ${JSON.stringify(again)}`);
  for (const user of ['alice', 'bob', 'carol']) await cadenas(user, 'logout');
}

async function receiveQuietly(user) {
  await cadenas(user, 'receive');
}

try {
  await program(join(root, 'bin/cadenas-keys'), ['build', '--network', 'demo', '--keys', join(folder, 'keys')]);
  const link = ['link', '--network', 'demo', '--keys', join(folder, 'keys'), '--out', join(folder, 'client')];
  await program(join(root, 'bin/cadenas-keys'), link);
  await startDaemon();
  await converse();
  await meet();
  say(`\n✓ queued on the daemon's disk   ✓✓ on the disk of everybody it is for`);
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
} finally {
  if (daemon && daemon.exitCode === null) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
}
