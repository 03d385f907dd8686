/** Two ends of a connection in memory. */
import { noExporter, Transport } from '../../protocol/index.js';
import { type Connection, type ConnectionEvents } from '../../src/transport/transport.js';

export class MemoryConnection implements Connection {
  readonly binding = { transport: Transport.tcp, exporter: noExporter };
  readonly source: string;
  readonly buffered = 0;
  other!: MemoryConnection;
  #events: ConnectionEvents | undefined;
  #early: Uint8Array[] = [];
  #over = false;

  constructor(source = 'memory') {
    this.source = source;
  }

  start(events: ConnectionEvents): void {
    this.#events = events;
    for (const chunk of this.#early.splice(0)) events.data(chunk);
  }
  write(bytes: Uint8Array): void {
    const copy = bytes.slice();
    if (!this.#over) setImmediate(() => this.other.#arrive(copy));
  }
  #arrive(chunk: Uint8Array): void {
    if (this.#over) return;
    if (this.#events) this.#events.data(chunk);
    else this.#early.push(chunk);
  }
  pause(): void {
    return undefined;
  }
  resume(): void {
    return undefined;
  }
  end(): void {
    setImmediate(() => {
      this.destroy();
    });
  }
  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    setImmediate(() => {
      this.#events?.closed();
      this.other.destroy();
    });
  }
}
