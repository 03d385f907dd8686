/** What a person types and sees before an account is theirs, and how a command is interrupted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { test, type Test } from 'tap';
import { ClientError, registerCore } from '../../src/client/index.js';
import { Prompter } from '../../src/faces/cli/prompt.js';
import { askNewSecrets, askRecovery, secretsFrom } from '../../src/faces/cli/secrets.js';
import { code, secrets } from './client-parties.js';
import { anyNetwork, MemoryStorage, MovableClock } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';

/** A server that takes connections and says nothing. */
async function silence(t: Test): Promise<{ readonly at: string; readonly connected: Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  const connected = once(server, 'connection');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { at: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, connected };
}

/** The command line as a process of its own, so that signals are real. */
function start(t: Test, ...argv: readonly string[]) {
  const entry = new URL('../../src/faces/cli/main.js', import.meta.url).href;
  const script = `const { main } = await import(${JSON.stringify(entry)});
    process.exitCode = await main(${JSON.stringify(anyNetwork)}, process.argv.slice(1));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

for (const [signal, exit] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} ends a command that waits for a daemon`, async (t) => {
    const folder = t.testdir();
    const file = join(folder, 's');
    writeFileSync(file, '{"password":"correct horse"}', { mode: 0o600 });
    const server = await silence(t);
    const where = ['--home', join(folder, 'home'), '--server', server.at, '--disable-ssl', '--json'];
    const child = start(t, 'register', '@alice', '--secrets-file', file, ...where);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    t.match(JSON.parse(line), { type: 'words', words: /^[a-z]+ [a-z]+ [a-z]+$/ }, 'before the daemon said anything');
    await server.connected;
    const began = performance.now();
    child.kill(signal);
    t.same(await once(child, 'exit'), [exit, null]);
    t.ok(performance.now() - began < 4_000);
  });

test('a registration whose answer was lost is not begun anew with other secrets', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  storage.before = (what) => {
    if (what === 'replace identity') throw new Error('power cut');
  };
  t.equal(await code(registerCore(await daemon.ports(storage, clock), 'alice', secrets)), 'Error: power cut');
  const left = storage.copy();
  const again = async (other: Partial<typeof secrets>) =>
    registerCore(await daemon.ports(left, clock), 'alice', { ...secrets, ...other });
  const told = async (other: Partial<typeof secrets>) =>
    again(other).then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof ClientError ? thrown.trouble : thrown),
    );
  t.match(await told({ words: 'other words here' }), {
    code: 'wrong-words',
    message: 'a registration of @alice was begun with other words',
    hint: 'type those, or choose another --profile',
  });
  t.match(await told({ password: 'another horse' }), { code: 'wrong-password', message: /@alice.*another password/ });
  const core = await again({});
  t.teardown(() => core.close());
  t.match(await core.call('status', {}), { name: 'alice', session: 'online' }, 'the first ones still finish it');
});

function terminal(...lines: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const shown: string[] = [];
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      shown.push(chunk.toString());
      done();
    },
  });
  stdin.write(lines.map((line) => `${line}\r`).join(''));
  const signal = new AbortController().signal;
  const prompter = new Prompter({
    env: { XDG_CONFIG_HOME: '/nowhere' },
    stdin,
    stdout: stderr,
    stderr,
    self: [],
    signal,
    interrupt: () => undefined,
  });
  return { prompter, shown: () => shown.join('') };
}

test('a mistake in new secrets is asked again at once', async (t) => {
  const good = 'correct horse';
  const typed = terminal('short', good, 'other horse', good, good, 'two words', 'river stone lamp');
  t.same(await askNewSecrets(secretsFrom({}), typed.prompter), { password: good, words: 'river stone lamp' });
  t.match(typed.shown(), /the password is too short/);
  t.match(typed.shown(), /the two passwords differ/);
  t.match(typed.shown(), /these are not three words/);
  t.notMatch(typed.shown(), /horse|river/, 'nothing typed is shown');
  t.same(
    await askNewSecrets(secretsFrom({}), terminal(good, good, '').prompter),
    { password: good },
    'Enter: words are drawn',
  );
  t.equal(
    await code(askNewSecrets(secretsFrom({}), terminal('a', 'b', 'c', good, good, '').prompter)),
    'weak-password',
    'three tries',
  );
});

test('an answer that is too long is refused, and not cut', async (t) => {
  const long = 'a'.repeat(1025);
  t.equal(await code(terminal(long).prompter.hidden('Password: ')), 'too-long');
  t.equal(await terminal(`${long}\u007f`).prompter.hidden('Password: '), long.slice(1));
  t.equal(await terminal(`${long}\u0015short`).prompter.hidden('Password: '), 'short', 'begun anew');
});

test('a recovery code that is none is asked for again, before the words', async (t) => {
  const { prompter, shown } = terminal('correct horse', '123456', 'aaaa-bbbb-cccc-dddd', 'river stone lamp');
  t.same(await askRecovery(secretsFrom({}), prompter), {
    password: 'correct horse',
    code: 'aaaa-bbbb-cccc-dddd',
    words: 'river stone lamp',
  });
  t.match(shown(), /this is no recovery code; once more\nRecovery code: \**\nThree words/);
});
