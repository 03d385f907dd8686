import type { AddressInfo, Server, Socket } from 'node:net';
import { sourceOf } from './source.js';
import type { Endpoint, Listener } from './transport.js';

/** A listener that was closed gives what is still open this long to end by itself. */
const LINGER_MS = 500;
/** Connections that wait to be taken, those that come during a restart among them; net.core.somaxconn may be less. */
const BACKLOG = 1024;

export type Turned = 'connections' | 'tls' | 'accept';

/** Where to listen: an address, or a socket that listens already and was handed to this process. */
export type Place = Endpoint | { readonly fd: number };

export interface ListenOptions {
  readonly at: Place;
  /** Shared by all listeners that are limited together. */
  readonly sockets: Sockets;
  /** False: too many came from this source lately. */
  readonly mayConnect: (source: string) => boolean;
  /** A socket that was turned away before it became a connection. */
  readonly refused: (reason: Turned, source: string) => void;
}

/** Sockets from their very first moment: whoever only connects counts too. */
export class Sockets {
  readonly #most: () => readonly [all: number, ofOneSource: number];
  readonly #open = new Set<Socket>();
  readonly #bySource = new Map<string, number>();
  #empty: (() => void) | undefined;
  #ended: Promise<void> | undefined;

  /** @param most sockets at once, unfinished TLS handshakes included, and the same of one source; asked each time */
  constructor(most: () => readonly [all: number, ofOneSource: number]) {
    this.#most = most;
  }

  add(socket: Socket, source: string): boolean {
    const own = this.#bySource.get(source) ?? 0;
    const [all, ofOneSource] = this.#most();
    if (own >= ofOneSource || this.#open.size >= all) return false;
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
  end(): Promise<void> {
    return (this.#ended ??= this.#end());
  }

  async #end(): Promise<void> {
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
  const { at, sockets } = options;
  server.on('connection', (socket: Socket) => {
    const source = sourceOf(socket.remoteAddress);
    if (options.mayConnect(source) && sockets.add(socket, source)) {
      accept?.(socket);
      return;
    }
    options.refused('connections', source);
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...at, backlog: BACKLOG }, () => {
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
