/** A client that finds everything in its file: the real command line, and the terminal interface. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Guest } from '../support/at-table.js';
import { clientOf, CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { Screen } from '../support/screen.js';

type Variables = Readonly<Record<string, string>>;

/** A registered @alice, whose file says where all is. */
async function makeAlice(t: Test) {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  const user = await CliUser.make(t, { network, where: daemon, name: 'alice' });
  const bobby = await Guest.comes(t, daemon, 'bobby');
  const client = await clientOf(network);
  const folder = join(user.home, '../config/cadenas');
  mkdirSync(folder, { recursive: true });
  const basis = [
    ...['[client]', `server = "${daemon.host}:${String(daemon.port)}"`],
    ...['home = "../../home"', 'secrets-file = "../../secrets.json"', '[tls]', 'on = false'],
  ];
  const env = { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: join(folder, '..') };
  return {
    bobby,
    folder,
    writes: (lines: readonly string[]): void => {
      writeFileSync(join(folder, 'cadenas.toml'), [...basis, ...lines, ''].join('\n'), { mode: 0o600 });
    },
    run: async (argv: readonly string[], more: Variables = {}) => {
      const child = spawn(process.execPath, [client, ...argv], { env: { ...env, ...more } });
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return { code: child.exitCode, out, err };
    },
    sits: (more: Variables = {}): Screen =>
      Screen.open(t, { command: process.execPath, args: [client], env: { ...env, ...more }, columns: 100, rows: 30 }),
  };
}

const line = (parts: readonly string[]): RegExp => new RegExp(parts.join('.*'));

void test('a client and its file', async (t) => {
  const alice = await makeAlice(t);
  const { run, writes, folder } = alice;
  const file = join(folder, 'cadenas.toml');
  writes([]);

  t.match(await run(['register', '@alice']), { code: 0, err: '' });
  t.match(await run(['login']), { code: 0, err: '', out: /^logged in as @alice/ });
  t.match(await run(['status']), { code: 0, out: /^connected to 127\.0\.0\.1/m });
  t.match(await run(['logout']), { code: 0, out: '@alice is logged out\n' });
  const { out } = await run(['config']);
  t.match(out, `server = "127.0.0.1:`);
  t.match(out, line([`home = "${join(folder, '../../home')}"`, `# ${file}:3`]), 'seen from the file');
  t.match(out, line(['profile = "default"', '# default']));
  t.match(await run(['config', '--print-default']), { code: 0, out: /^server = "127\.0\.0\.1:7878"$/m });

  writes(['[screen]', 'colour = false']);
  const told = `${file}:8: [screen] has no colour — did you mean "color"?`;
  t.same(await run(['whoami']), { code: 1, out: '', err: `cadenas: ${told} (--no-config goes without the file)\n` });
  t.match(await run(['--no-config', '--home', join(folder, '../../home'), 'whoami']), { code: 0, out: /^@alice/ });
});

/** Grounds of the status line. */
const dark = '48;5;236';
const light = '48;5;253';

void test('the terminal interface and its file', async (t) => {
  const alice = await makeAlice(t);
  alice.writes(['[screen]', 'theme = "light"', 'bell = false']);
  t.match(await alice.run(['register', '@alice']), { code: 0 });
  await alice.bobby.core.call('add', { name: 'alice' });

  const screen = alice.sits();
  await screen.sees('● online');
  await screen.sees('@bobby asks to talk');
  t.match(screen.raw, light);
  t.notMatch(screen.raw, dark);
  screen.type('/accept @bobby\r');
  await screen.sees('accepted @bobby');
  screen.focus(false);
  await alice.bobby.says('alice', 'are you there?');
  await screen.until(() => screen.osc.some(({ code }) => code === 9));
  t.equal(screen.bells, 0, 'a notification, and no bell before it');
  screen.type('/quit\r');
  await screen.exited;

  const set = alice.sits({
    CADENAS_SCREEN_THEME: 'dark',
    CADENAS_TLS_ON: 'true',
    CADENAS_TLS_ALLOW_INVALID_CERT: 'true',
  });
  /* Not the line above the screen, which is gone with it. */
  await set.until(() => set.alternate && set.text().includes('WARNING: any TLS certificate is accepted'));
  t.match(set.raw, dark);
  set.type('/quit\r');
  await set.exited;

  alice.writes(['[screen]', 'plain = true']);
  const plain = alice.sits();
  await plain.sees('/help shows all commands');
  plain.type('/quit\r');
  t.same(await plain.exited, { code: 0, signal: undefined });
  t.notOk(plain.raw.includes('\u001b'), 'lines alone');
});
