import type { AddressInfo, Server } from 'node:net';
import type { Endpoint, Listener } from './transport.js';

export interface ListenOptions extends Endpoint {
  /** Connections at once, half-open TLS handshakes included; the kernel's queue holds the rest. */
  readonly maxConnections: number;
}

/** @throws Error as the operating system gives it (EADDRINUSE, EACCES …) */
export async function listen(server: Server, at: ListenOptions): Promise<Listener> {
  server.maxConnections = at.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.host, port: at.port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    close: () => {
      server.close(); // open connections stay: nobody waits for them here
      return Promise.resolve();
    },
  };
}
