import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test, type Test } from 'tap';
import { wordlist } from '../../protocol/index.js';
import { drawWords } from '../../src/client/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { main } from '../../src/faces/cli/main.js';
import { Output } from '../../src/faces/cli/output.js';
import { anyNetwork } from './client-support.js';

class Collect extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function run(t: Test, ...argv: string[]) {
  return runAs([], t, ...argv);
}

async function runAs(self: readonly string[], t: Test, ...argv: string[]) {
  const [stdout, stderr, stdin] = [new Collect(), new Collect(), new PassThrough()];
  stdin.end();
  const home = join(t.testdirName, 'home');
  const exit = await main(anyNetwork, argv, {
    stdout,
    stderr,
    stdin,
    env: { XDG_DATA_HOME: home, XDG_CONFIG_HOME: '/nowhere' },
    self,
  });
  return { exit, out: stdout.text, err: stderr.text };
}

test('mistakes on the line are one line, exit 1', async (t) => {
  t.testdir();
  for (const argv of [
    [],
    ['frobnicate'],
    ['send'],
    ['send', '@bob'],
    ['send', '@bob', 'a', 'b'],
    ['receive', '--timeout', 'soon'],
    ['verify'],
    ['verify', '@bob', '--confirm', '--reject'],
    ['status', '--server', 'nowhere'],
    ['status', '--server', 'host:0'],
    ['status', '--profile', '../x'],
    ['--json=1', 'status'],
    ['register', 'Not A Name'],
    ['whoami'],
    ['send', '@bob', 'hi'],
    ['login', '--secrets-fd', 'x'],
    ['room'],
    ['room', 'create'],
    ['room', 'create', 'Not a room'],
    ['room', 'delete', 'garden'],
    ['room', 'list'],
  ]) {
    const { exit, out, err } = await run(t, ...argv);
    t.equal(exit, 1, argv.join(' '));
    t.equal(out, '');
    t.match(err, /^cadenas: [^\n]+ — [^\n]+\n$/);
  }
});

test('a text without quotes', async (t) => {
  t.testdir();
  t.match(await run(t, 'send', '@bob', 'hello', 'there'), { exit: 1, err: / — put the text in quotes\n$/ });
});

test('digits without quotes', async (t) => {
  t.testdir();
  const { exit, err } = await run(t, 'verify', '@bob', '--compare', '12345', '67890', '12345');
  t.match({ exit, err }, { exit: 1, err: / — put the digits in quotes\n$/ });
});

test('a descriptor that is none, or one of this program’s own', async (t) => {
  t.testdir();
  for (const descriptor of ['9', '19', '99'])
    t.match(await run(t, 'register', '@bob', '--secrets-fd', descriptor), {
      exit: 1,
      err: /descriptor \d+ is not open/,
    });
});

test('hints name the program as it was started, with its profile and its daemon', async (t) => {
  t.testdir();
  const said = async (program: string, ...argv: string[]) => (await runAs([process.execPath, program], t, ...argv)).err;
  const own = resolve('bin/cadenas');
  t.match(await said(own, 'whoami'), / register first: bin\/cadenas register @name\n$/);
  t.match(await said(own, 'whoami', '--profile', 'bob'), /: bin\/cadenas --profile bob register @name\n$/);
  t.match(await said('/usr/bin/cadenas', 'whoami'), / register first: cadenas register @name\n$/);
  t.match(await said('/x/cadenas-home.mjs', 'whoami'), /: node cadenas-home\.mjs register @name\n$/);
  t.match(
    await said('/x/cadenas.mjs', 'whoami', '--server', '[::1]:99'),
    /: node cadenas\.mjs --server \[::1\]:99 register @name\n$/,
  );
  const output = new Output(process.stdout, process.stderr, false);
  output.program = 'bin/cadenas';
  t.equal(output.named('begin with cadenas 2fa enable'), 'begin with bin/cadenas 2fa enable');
  t.match(await said('/x/other', 'whoami', '--profile', 'bob'), /: cadenas --profile bob register @name\n$/);
});

test('the same as JSON', async (t) => {
  t.testdir();
  for (const argv of [
    ['--json', 'send'],
    ['whoami', '--json'],
    ['frobnicate', '--json'],
  ]) {
    const { exit, out, err } = await run(t, ...argv);
    t.equal(exit, 1);
    t.equal(err, '');
    t.equal(out.split('\n').length, 2);
    t.match(JSON.parse(out), { type: 'error', code: String, message: String, hint: String });
  }
});

test('help and version', async (t) => {
  t.testdir();
  t.match(await run(t, '--version'), {
    exit: 0,
    out: /^1\.2\.3 \(network test, build 7\)\nkeys +generation 1\nsoftware 0{32}\ntable +0{64}\n$/,
  });
  const help = await run(t, '--help');
  t.equal(help.exit, 0);
  for (const command of [
    'register',
    'login',
    'logout',
    'whoami',
    'contacts',
    'add',
    'accept',
    'decline',
    'block',
    'verify',
    'send',
    'receive',
    'history',
    'receipts',
    'status',
    'room',
  ])
    t.match(help.out, new RegExp(`^ +${command}\\b`, 'm'));
  t.notMatch(help.out, /agent/);
  t.match(help.out, /default: 127\.0\.0\.1:7878/);
});

test('secrets come from private files alone', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'secrets.json');
  const register = () =>
    run(t, 'register', 'alice', '--secrets-file', file, '--server', '127.0.0.1:1', '--disable-ssl');
  t.match(await register(), { exit: 1, err: /can't be read \(ENOENT\)/ });
  writeFileSync(file, '{"password":"correct horse","words":"river stone lamp"}', { mode: 0o644 });
  chmodSync(file, 0o640);
  t.match(await register(), { exit: 1, err: /open to other users — run chmod 600/ });
  chmodSync(file, 0o600);
  t.match(await register(), { exit: 3, err: /no daemon answers at 127\.0\.0\.1:1 — / });
  writeFileSync(file, '{"password":"short","words":"river stone lamp"}');
  t.match(await register(), { exit: 1, err: /too short/ });
  writeFileSync(file, '{"password":"correct horse","words":"river stone"}');
  t.match(await register(), { exit: 1, err: /not three words/ });
  writeFileSync(file, 'the secret itself');
  const wrong = await register();
  t.match(wrong, { exit: 1, err: /holds no JSON/ });
  t.notMatch(wrong.err, /the secret itself/);
  const none = await run(t, 'register', 'alice');
  t.match(none, { exit: 1, err: /no terminal.*--secrets-file/ });
});

test('a home that others can read is refused', async (t) => {
  const folder = t.testdir({ s: '{"password":"correct horse","words":"river stone lamp"}' });
  chmodSync(join(folder, 's'), 0o600);
  const home = join(folder, 'wide');
  mkdirSync(home, { mode: 0o755 });
  chmodSync(home, 0o755);
  const { exit, err } = await run(t, 'register', 'alice', '--home', home, '--secrets-file', join(folder, 's'));
  t.equal(exit, 1);
  t.match(err, /open to other users — run chmod 700/);
});

test('three words are drawn from a list without doubles', (t) => {
  t.ok(wordlist.length >= 2048);
  t.equal(new Set(wordlist).size, wordlist.length);
  t.ok(wordlist.every((word) => /^[a-z]{3,9}$/.test(word)));
  const drawn = Array.from({ length: 50 }, () => drawWords(nodeSync));
  t.ok(drawn.every((words) => words.split(' ').every((word) => wordlist.includes(word))));
  t.ok(drawn.every((words) => words.split(' ').length === 3));
  t.ok(new Set(drawn).size > 45);
  t.end();
});
