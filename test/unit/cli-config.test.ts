/** What holds of a client's settings, where they are found, and what is told of a mistake in them. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test, type Test } from 'tap';
import { main } from '../../src/faces/cli/main.js';
import { clientSchema } from '../../src/faces/cli/settings.js';
import { everySetting, parseToml, settle, variableOf } from '../../src/settings/index.js';
import { root } from '../support/temp.js';
import { anyNetwork } from './client-support.js';

type Variables = Readonly<Record<string, string>>;

class Collect extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** An empty home, and a folder of files beside it. */
function faceOf(t: Test) {
  const folder = join(t.testdir({ cadenas: {} }), 'cadenas');
  const path = (name: string): string => join(folder, name);
  return {
    path,
    writes: (name: string, ...lines: readonly string[]): void => {
      rmSync(path(name), { force: true });
      writeFileSync(path(name), lines.join('\n'), { mode: 0o600 });
    },
    run: async (argv: readonly string[], more: Variables = {}) => {
      const [stdout, stderr, stdin] = [new Collect(), new Collect(), new PassThrough()];
      stdin.end();
      const env = { XDG_CONFIG_HOME: join(folder, '..'), XDG_DATA_HOME: path('data'), ...more };
      const self = [process.execPath, '/x/cadenas'];
      const exit = await main(anyNetwork, argv, { stdout, stderr, stdin, env, self });
      return { exit, out: stdout.text, err: stderr.text };
    },
  };
}

const then = (...parts: readonly string[]): RegExp => new RegExp(parts.join('.*'));

test('an option goes before the environment, that before the file', async (t) => {
  const { run, writes, path } = faceOf(t);
  writes('cadenas.toml', '[client]', 'server = "[::1]:9"', 'home = "x/y"');
  writes('other.toml', '', '[screen]', 'theme = "light"');
  const env = { CADENAS_CONFIG: path('other.toml'), CADENAS_CLIENT_PROFILE: 'work', CADENAS_CLIENT: '/x' };
  const shown = async (argv: readonly string[], more: Variables = env) => {
    const { out } = await run(['config', ...argv], more);
    return out.split('\n').filter((row) => /^(?:server|profile|home|theme)/.test(row));
  };
  t.match(await shown([], {}), [
    then('server = "\\[::1\\]:9"  # ', 'cadenas\\.toml:2$'),
    'profile = "default"  # default',
    then(`home = "${path('x/y')}"`, 'cadenas\\.toml:3$'),
    'theme = "auto"  # default',
  ]);
  const usual = 'server = "127.0.0.1:7878"  # default';
  const work = 'profile = "work"  # CADENAS_CLIENT_PROFILE';
  t.match(await shown([]), [usual, work, then('theme = "light"', 'other\\.toml:3$')]);
  t.match(await shown(['--profile', 'home', '--theme', 'dark']), [
    usual,
    'profile = "home"  # --profile',
    'theme = "dark"  # --theme',
  ]);
  t.match(await shown(['--no-config']), [usual, work, 'theme = "auto"  # default']);
  t.match(await shown(['--config', path('cadenas.toml')]), [/::1/, work, /x\/y/, /auto/]);
  const { out } = await run(['config', '--json', '--debug', '--no-color', '--plain', '--disable-ssl']);
  const { type, settings } = JSON.parse(out) as { type: string; settings: { key: string; value: unknown }[] };
  t.equal(type, 'config');
  const values = Object.fromEntries(settings.map(({ key, value }) => [key, value]));
  t.match(values, { debug: true, color: false, plain: true, on: false, 'secrets-file': null, bell: true });
});

test('hints name what the next command has to say again, and no more', async (t) => {
  const { run, writes, path } = faceOf(t);
  writes('cadenas.toml', '[client]', 'profile = "work"', 'server = "127.0.0.1:9"');
  const hint = async (argv: readonly string[], more: Variables = {}) =>
    /register first: (.*) register @name\n$/.exec((await run([...argv, 'whoami'], more)).err)?.[1];
  t.equal(await hint([]), 'cadenas');
  t.equal(await hint([], { CADENAS_CLIENT_PROFILE: 'x', CADENAS_CLIENT_HOME: path('y') }), 'cadenas');
  t.equal(await hint(['--profile', 'work', '--server', '127.0.0.1:9']), 'cadenas');
  t.equal(await hint(['--profile', 'default']), 'cadenas --profile default');
  t.equal(await hint(['--server', '127.0.0.1:7878']), 'cadenas --server 127.0.0.1:7878');
  t.equal(await hint(['--home', path("it's")]), `cadenas --home '${path("it'\\''s")}'`);
  t.equal(await hint(['--home', path('data/cadenas')]), 'cadenas', 'what is usual');
  t.equal(await hint(['--no-config']), 'cadenas --no-config');
  const other = path('cadenas.toml');
  t.equal(await hint(['--config', other, '--profile', 'x']), `cadenas --config ${other} --profile x`);
});

test('the file of the network goes in the place of the general one', async (t) => {
  const { run, writes, path } = faceOf(t);
  writes('cadenas.toml', '[screen]', 'bell = false');
  writes('test.toml', '[screen]', 'notify = false');
  writes('another.toml', 'nonsense');
  const { out } = await run(['config']);
  t.match(out, then('notify = false', 'test\\.toml:2'));
  t.match(out, 'bell = true  # default');
  chmodSync(path('test.toml'), 0o660);
  t.match(await run(['whoami']), { exit: 1, err: /test\.toml can be written by its group — close it with: chmod g-w/ });
});

test('a mistake is told with its line, and locks nobody out', async (t) => {
  const { run, writes, path } = faceOf(t);
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['[screen]', 'colour = true'], '2: [screen] has no colour — did you mean "color"?'],
    [['[screen]', 'theme = "blue"'], `2: theme in [screen] can't be this — write "auto", "dark" or "light"`],
    [['[client]', 'server = "x:0"'], `2: server in [client] can't be this — write HOST:PORT, as `],
    [['[client]', 'profile = "../x"'], `2: profile in [client] can't be this — write 1 to 32 of a-z, 0-9, _ and -`],
    [['[client]', 'password = "x"'], '2: [client] has no password — it may be one of: server, profile, home,'],
    [['[clinet]'], '1: there is no table or key clinet — did you mean "client"?'],
    [['[client'], '1: this is no TOML ('],
  ];
  for (const [lines, told] of wrong) {
    writes('cadenas.toml', ...lines);
    const { exit, out, err } = await run(['whoami']);
    t.same([exit, out], [1, '']);
    t.ok(err.startsWith(`cadenas: ${path('cadenas.toml')}:${told}`), err);
    t.match(err, /^[^\n]+ \(--no-config goes without the file\)\n$/);
  }
  t.match(await run(['config', '--check']), { exit: 1 });
  t.match(JSON.parse((await run(['whoami', '--json'])).out), { type: 'error', code: 'settings', message: /:1: / });
  t.match(await run(['whoami', '--no-config']), { exit: 1, err: /register first/ });
  for (const argv of [['--version'], ['--help'], ['send', '--help'], ['config', '--print-default']])
    t.match(await run(argv), { exit: 0, err: '' });
  const elsewhere = await run(['whoami', '--config', path('none')]);
  t.match(elsewhere, { exit: 1, err: /none can't be read \(ENOENT\) — check --config/ });
  rmSync(path('cadenas.toml'));
  t.match(await run(['whoami'], { CADENAS_PROFILE: 'x' }), {
    exit: 1,
    err: /^cadenas: CADENAS_PROFILE in the environment means nothing — did you mean CADENAS_CLIENT_PROFILE\?\n$/,
  });
  t.match(await run(['whoami', '--theme', 'blue', '--json']), {
    exit: 1,
    out: /"code":"usage".*--theme can't be this/,
  });
});

test('config --check looks at what the settings name', async (t) => {
  const { run, writes, path } = faceOf(t);
  writes('cadenas.toml', '[client]', 'secrets-file = "secrets.json"');
  t.match(await run(['config', '--check']), { exit: 1, err: /secrets\.json can't be read \(ENOENT\)/ });
  writes('secrets.json', '{"password":"correct horse","words":"river stone lamp"}');
  t.match(await run(['config', '--check']), { exit: 0, out: 'the settings can be used\n', err: '' });
  t.match(await run(['config', '--check', '--json']), { exit: 0, out: '{"type":"config","valid":true}\n' });
  chmodSync(path('secrets.json'), 0o640);
  t.match(await run(['config', '--check']), { exit: 1, err: /is open to other users — run chmod 600/ });
  chmodSync(path('secrets.json'), 0o600);
  mkdirSync(path('wide'));
  chmodSync(path('wide'), 0o755);
  t.match(await run(['config', '--check', '--home', path('wide')]), { exit: 1, err: /run chmod 700/ });
});

test('a certificate that is not checked is said at each start, unless it is for this one', async (t) => {
  const { run, writes, path } = faceOf(t);
  const said = async (argv: readonly string[], more: Variables = {}) =>
    /^cadenas: WARNING: any TLS certificate is accepted, as (\S+) has it — /.exec(
      (await run([...argv, 'whoami'], more)).err,
    )?.[1];
  writes('cadenas.toml', '[tls]', 'allow-invalid-cert = true');
  t.equal(await said([]), `${path('cadenas.toml')}:2`);
  t.equal(await said(['--json']), `${path('cadenas.toml')}:2`);
  t.equal(await said(['--no-config'], { CADENAS_TLS_ALLOW_INVALID_CERT: 'true' }), 'CADENAS_TLS_ALLOW_INVALID_CERT');
  t.equal(await said([], { CADENAS_TLS_ALLOW_INVALID_CERT: 'false' }), undefined);
  t.equal(await said(['--allow-invalid-cert']), undefined);
  t.equal(await said(['--disable-ssl']), undefined);
});

test('secrets of a descriptor go before those of a file that is set for good', async (t) => {
  const { run, writes } = faceOf(t);
  writes('cadenas.toml', '[client]', 'secrets-file = "none.json"', 'server = "127.0.0.1:1"');
  const register = ['register', '@alice'];
  t.match(await run(register), { exit: 1, err: /none\.json can't be read/ });
  t.match(await run([...register, '--secrets-fd', '99']), { exit: 1, err: /descriptor 99 is not open/ });
});

test('docs/cli.md: every setting is told, and its example is taken as it stands', (t) => {
  const docs = readFileSync(join(root, 'docs/cli.md'), 'utf8');
  for (const { table, key } of everySetting(clientSchema))
    t.match(docs, `\`${key}\` | \`${variableOf('CADENAS_', table, key)}\` |`);
  const example = /```toml\n([^]*?)```/.exec(docs)?.[1] ?? '';
  const { values } = settle(clientSchema, { file: parseToml(example, '/home/me/cadenas.toml') });
  t.match(values, {
    client: { server: { port: 7878 }, 'secrets-file': '/home/me/secrets.json' },
    screen: { bell: false },
  });
  t.end();
});
