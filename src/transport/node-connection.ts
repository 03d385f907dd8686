import type { Socket } from 'node:net';
import { noExporter, type Binding } from '../../protocol/index.js';
import { sourceOf } from './source.js';
import type { Connection, ConnectionEvents } from './transport.js';

/** A peer that does not take the last bytes in this time is cut. */
const END_DEADLINE_MS = 2_000;
const KEEPALIVE_MS = 60_000;

export const tcpBinding: Binding = { transport: 0, exporter: noExporter };

/** A connection over a Node socket, plain or TLS. */
export class NodeConnection implements Connection {
  readonly binding: Binding;
  readonly source: string;
  readonly #socket: Socket;
  #error: Error | undefined;

  constructor(socket: Socket, binding: Binding) {
    this.#socket = socket;
    this.binding = binding;
    this.source = sourceOf(socket.remoteAddress);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  start(events: ConnectionEvents): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      events.data(chunk);
    });
    socket.on('drain', () => {
      events.drained();
    });
    socket.on('end', () => {
      socket.end();
    });
    if (socket.destroyed) {
      /* It died between being accepted and being started: the event is past. */
      process.nextTick(() => {
        events.closed(this.#error);
      });
      return;
    }
    socket.on('close', () => {
      events.closed(this.#error);
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(): void {
    if (this.#socket.destroyed) return;
    const cut = setTimeout(() => this.#socket.destroy(), END_DEADLINE_MS);
    this.#socket.once('close', () => {
      clearTimeout(cut);
    });
    this.#socket.end(() => this.#socket.destroySoon());
  }
  destroy(): void {
    this.#socket.destroy();
  }
}
