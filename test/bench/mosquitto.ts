/** Mosquitto, a broker in C, where it is installed: the same load as ours, side by side. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TLS_CERT, TLS_KEY } from '../../src/keys/files.js';
import type { TestNetwork } from '../support/daemon.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';

/** Debian keeps it where only root's PATH looks. */
const env = { ...process.env, PATH: [process.env['PATH'], '/usr/sbin', '/usr/local/sbin'].join(delimiter) };

export interface Mosquitto {
  readonly pid: number;
  readonly port: number;
  /** PEM */
  readonly certificate: string;
  stop(): Promise<void>;
}

/** Its version, or undefined where there is none. */
export function mosquittoVersion(): string | undefined {
  const { stdout, error } = spawnSync('mosquitto', ['-h'], { env, encoding: 'utf8' });
  return error ? undefined : /version (\S+)/.exec(stdout)?.[1];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isServed(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // refused: it has not come so far
  } finally {
    socket.destroy();
  }
}

/** On the network's own TLS key, so that both pay the same for it; nothing is kept on disk. */
export async function startMosquitto(scope: Teardown, { keys, name }: TestNetwork): Promise<Mosquitto> {
  const folder = await temporaryFolder(scope);
  const port = await freePort();
  const [certPath, keyPath] = [join(keys, name, TLS_CERT), join(keys, name, TLS_KEY)];
  const config = [
    `user ${userInfo().username}`, // as root it would become another and not read the key
    'persistence false',
    'log_type error',
    'allow_anonymous true',
    'set_tcp_nodelay true',
    'max_inflight_messages 0', // no bound: the load has its own
    'max_queued_messages 0',
    `listener ${String(port)} 127.0.0.1`,
    `certfile ${certPath}`,
    `keyfile ${keyPath}`,
    'tls_version tlsv1.3',
  ];
  const path = join(folder, 'mosquitto.conf');
  await writeFile(path, `${config.join('\n')}\n`);
  const child = spawn('mosquitto', ['-c', path], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  scope.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text)); // of use only where it does not start
  const exited = once(child, 'exit');
  while (!(await isServed(port))) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended: ${said}`);
    await pause(20);
  }
  return {
    pid: child.pid ?? 0,
    port,
    certificate: await readFile(certPath, 'utf8'),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
