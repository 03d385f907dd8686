import type { AddressInfo, Server, Socket } from 'node:net';
import { sourceOf } from './source.js';
import type { Endpoint, Listener } from './transport.js';

/** A listener that was closed gives what is still open this long to end by itself. */
const LINGER_MS = 500;

export type Turned = 'connections' | 'tls' | 'accept';

export interface ListenOptions extends Endpoint {
  /** Sockets at once, unfinished TLS handshakes included; and the same of one source. Asked each time. */
  readonly most: () => readonly [all: number, each: number];
  /** False: too many came from this source lately. */
  readonly mayConnect: (source: string) => boolean;
  /** A socket that was turned away before it became a connection. */
  readonly refused: (reason: Turned, source: string) => void;
}

/** Sockets from their very first moment: whoever only connects counts too. */
class Sockets {
  readonly #open = new Set<Socket>();
  readonly #bySource = new Map<string, number>();
  #empty: (() => void) | undefined;

  add(socket: Socket, source: string, [all, each]: readonly [number, number]): boolean {
    const own = this.#bySource.get(source) ?? 0;
    if (own >= each || this.#open.size >= all) return false;
    this.#bySource.set(source, own + 1);
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      const left = (this.#bySource.get(source) ?? 1) - 1;
      if (left === 0) this.#bySource.delete(source);
      else this.#bySource.set(source, left);
      if (this.#open.size === 0) this.#empty?.();
    });
    return true;
  }

  /** Resolves when none is left; what does not end by itself is cut. */
  async end(): Promise<void> {
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#empty = resolve));
    const cut = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, LINGER_MS);
    await empty;
    clearTimeout(cut);
  }
}

/**
 * @param accept called for each socket that is not turned away
 * @throws Error as the operating system gives it (EADDRINUSE, EACCES …)
 */
export async function listen(
  server: Server,
  options: ListenOptions,
  accept?: (socket: Socket) => void,
): Promise<Listener> {
  const sockets = new Sockets();
  server.on('connection', (socket: Socket) => {
    const source = sourceOf(socket.remoteAddress);
    if (options.mayConnect(source) && sockets.add(socket, source, options.most())) {
      accept?.(socket);
      return;
    }
    options.refused('connections', source);
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => {
    options.refused('accept', ''); // out of descriptors, say: the next connection may succeed
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    close: () => {
      server.close();
    },
    ended: () => sockets.end(),
  };
}
