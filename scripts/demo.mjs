// A whole conversation by two throwaway users on a throwaway network, through the real programs.
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
const mark = { waiting: '…', queued: '✓', delivered: '✓✓' };
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
  daemon = spawn(process.execPath, [join(root, 'bin/cadenasd'), '--network', 'demo', ...where], {
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

async function send(from, to, text) {
  const [{ id, state }] = await cadenas(from, 'send', `@${to}`, text);
  say(`  ${from.padEnd(6)} → ${to.padEnd(6)} ${mark[state].padEnd(2)}  ${text}`);
  return id;
}

async function receive(user) {
  for (const item of await cadenas(user, 'receive'))
    if (item.type === 'message') say(`  ${user.padEnd(6)} reads       @${item.from}: ${item.text}`);
    else say(`  ${user.padEnd(6)} is told     ${item.kind} @${item.name}`);
}

async function converse() {
  say('Two people who own nothing but a client of the network, and a daemon that can read nothing of theirs.\n');
  await Promise.all(
    ['alice', 'bob'].map(async (user) => {
      const secrets = { password: `the password of ${user}`, words: 'apple river stone' };
      await writeFile(join(folder, `${user}.json`), JSON.stringify(secrets), { mode: 0o600 });
      await cadenas(user, 'register', `@${user}`);
      await cadenas(user, 'login');
    }),
  );
  say('  alice and bob registered and logged in\n');
  await cadenas('alice', 'add', '@bob');
  say('  alice  asks @bob to talk');
  await receive('bob');
  await cadenas('bob', 'accept', '@alice');
  say('  bob    accepts @alice');
  await receive('alice');
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
  if (sent.state !== 'delivered') throw new Error('the message of the absent was not delivered');
  await cadenas('alice', 'logout');
}

try {
  await program(join(root, 'bin/cadenas-keys'), ['build', '--network', 'demo', '--keys', join(folder, 'keys')]);
  const link = ['link', '--network', 'demo', '--keys', join(folder, 'keys'), '--out', join(folder, 'client')];
  await program(join(root, 'bin/cadenas-keys'), link);
  await startDaemon();
  await converse();
  say(`\n✓ queued on the daemon's disk   ✓✓ on the reader's own disk`);
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
