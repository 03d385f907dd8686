/**
 * Holds a listening socket and runs the daemon on it again and again, as a service manager does. Its loop stands still
 * meanwhile: it takes no connection itself.
 */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';

/** Where each daemon gets its own process id from: a variable can't know it before. */
const ENTER = 'count=$1; shift; echo "pid $$"; LISTEN_PID=$$ LISTEN_FDS=$count exec "$0" "$@"';

function listening(host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ host, port: 0, backlog: 1024 }, () => {
      resolve(server);
    });
  });
}

const [hosts = '', ...command] = process.argv.slice(2);
const servers = await Promise.all(hosts.split(',').map(listening));
const descriptors = servers.map((server) => (server as unknown as { _handle: { fd: number } })._handle.fd);
let status: number | null = 0;
while (status === 0) {
  const args = ['-c', ENTER, process.execPath, String(descriptors.length), ...command];
  ({ status } = spawnSync('/bin/sh', args, { stdio: ['ignore', 1, 1, ...descriptors] }));
}
process.exit(status ?? 2);
