// npm start [-- OPTIONS OF cadenasd]: from a fresh clone to a running daemon of network dev.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  cadenasKeysQuietly,
  compile,
  DEV,
  ensureInstalled,
  keysExist,
  linkDevClient,
  PROGRAMS,
  root,
  say,
} from './lib.mjs';

await ensureInstalled();
await compile(...PROGRAMS);
if (!keysExist()) {
  await cadenasKeysQuietly('build', '--network', DEV);
  say(`made the keys of network ${DEV} in keys/${DEV}`);
}
await cadenasKeysQuietly(...linkDevClient);

const args = process.argv.slice(2);
// The file of a service that is installed on this machine is not about this network.
const own = ['--no-config', '--network', DEV, ...args];
const daemon = spawn(process.execPath, ['--max-semi-space-size=1', 'bin/cadenasd', ...own], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => daemon.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
daemon.on('error', (error) => {
  process.stderr.write(`bin/cadenasd can't be started: ${error.message}\n`);
  process.exitCode = 1;
});
daemon.on('close', (code) => (process.exitCode = code ?? 1));

let greeted = false;
createInterface(daemon.stdout).on('line', (line) => {
  process.stdout.write(`${line}\n`);
  const ready = /^ready (\S+)$/.exec(line);
  if (!ready || greeted) return;
  greeted = true;
  process.stdout.write(whatNext(ready[1]));
});

/** A conversation in two terminals. */
function whatNext(address) {
  const flags = [
    ...(address === '127.0.0.1:7878' ? [] : [`--server ${address}`]),
    ...(args.includes('--disable-ssl') ? ['--disable-ssl'] : []),
  ];
  const client = (who) => ['bin/cadenas', ...flags, '--profile', who].join(' ');
  return `
Now, in two other terminals in this folder (Ctrl-C here stops the daemon):
  1  ${client('alice')}
  2  ${client('bob')}
Both choose a name; then /add @bob in the first, Alt-Y in the second, and write. F1 shows all.

The same by commands, one at a time:
  1  ${client('alice')} register @alice
  2  ${client('bob')} register @bob
  1  ${client('alice')} login
  2  ${client('bob')} login
  1  ${client('alice')} add @bob
  2  ${client('bob')} receive
  2  ${client('bob')} accept @alice
  1  ${client('alice')} send @bob "hello"
  2  ${client('bob')} receive --follow
Each asks for the password and the three words; after "login" none does, until "logout".

`;
}
