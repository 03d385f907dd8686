/**
 * Daemon, client and the client's background session, started as people start them: by their first lines. All run under
 * the Node that runs this test, which is what makes a run of the scenarios under another Node one of the product; and
 * none has a warning of Node's to tell.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { test } from 'tap';
import { clientOf, CliUser } from '../support/cli.js';
import { makeNetwork } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';

const run = promisify(execFile);
const root = process.cwd();
const node = realpathSync(process.execPath);
const env = { PATH: [dirname(node), process.env['PATH']].join(delimiter), NODE_OPTIONS: '--throw-deprecation' };

/** The program of each process with this argument. */
function programsWith(argument: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args.includes(argument) ? [readlinkSync(`/proc/${pid}/exe`)] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
}

test('everything runs under one Node, and Node has nothing to warn of', async (t) => {
  const network = await makeNetwork();
  const data = join(await temporaryFolder(t), 'data');
  const where = ['--network', network.name, '--keys', network.keys, '--data', data, '--listen', '127.0.0.1:0'];
  const daemon = spawn(join(root, 'bin/cadenasd'), [...where, '--disable-ssl'], { env });
  const exited = once(daemon, 'exit');
  t.teardown(async () => {
    daemon.kill('SIGKILL');
    await exited;
  });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const [ready] = (await Promise.race([once(createInterface(daemon.stdout), 'line'), exited])) as [unknown];
  const port = /^ready \S+:(\d+)$/.exec(String(ready))?.[1];
  if (port === undefined) throw new Error(`the daemon did not start: ${log}`);
  t.same(programsWith(data), [node], 'the daemon');

  const place = { host: '127.0.0.1', port: Number(port), tls: false };
  const user = await CliUser.make(t, { where: place, network, name: 'alice' });
  const options = ['--home', user.home, '--server', `127.0.0.1:${port}`, '--disable-ssl'];
  const secrets = ['--secrets-file', user.secrets];
  const client = await clientOf(network);
  const commands = [['register', '@alice'], ['login'], ['contacts']];
  for (const command of commands) {
    const { stderr } = await run(client, [...options, ...secrets, ...command], { env });
    t.notMatch(stderr, /warning/i, command.join(' '));
  }
  t.same(programsWith(user.home), [node], 'the background session');
  await user.run('logout');

  daemon.kill('SIGTERM');
  t.same(await exited, [0, null]);
  t.notMatch(log, /warning/i, 'the daemon');
});
