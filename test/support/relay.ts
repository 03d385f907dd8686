/** Somebody on the path between a client and a daemon: everything passes through here, and is recorded. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { generateTlsCertificate } from '../../src/keys/network.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';

export interface Relay {
  readonly port: number;
  /** What came from either side, in the order of arrival, whatever the connection. */
  readonly fromClient: Buffer[];
  readonly fromDaemon: Buffer[];
}

/** @param tls an end of TLS on either side, with a certificate of its own: what passes is seen without it */
export async function relayTo(t: Teardown, daemon: Daemon, tls: boolean): Promise<Relay> {
  const [fromClient, fromDaemon]: Buffer[][] = [[], []];
  const join = (near: Socket): void => {
    const to = { host: daemon.host, port: daemon.port };
    const far = tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    for (const end of [near, far]) end.on('error', () => undefined); // either may end as it likes
    near.on('data', (chunk: Buffer) => fromClient?.push(chunk));
    far.on('data', (chunk: Buffer) => fromDaemon?.push(chunk));
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  };
  const own = tls ? await generateTlsCertificate('path', []) : undefined;
  const server = own ? createTlsServer({ cert: own.certPem, key: own.keyPem }, join) : createServer(join);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, fromClient: fromClient ?? [], fromDaemon: fromDaemon ?? [] };
}
