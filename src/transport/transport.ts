/** A stream of bytes between two programs, whatever carries it. No Node types here: the client core uses this too. */
import type { Binding } from '../../protocol/index.js';

export interface ConnectionEvents {
  data(chunk: Uint8Array): void;
  /** Everything handed to `write` has left, after `write` said that it waits. */
  drained(): void;
  /** Once, last. `error` says why where there is a reason beyond the peer's end. */
  closed(error?: Error): void;
}

export interface Connection {
  /** What the handshake binds. */
  readonly binding: Binding;
  /** The peer's address (of IPv6 its /64), for limits and logs of the daemon; never sent to anybody. */
  readonly source: string;
  /** Bytes handed to `write` that have not left. */
  readonly buffered: number;
  /** Must be called at once after the connection was made; nothing is lost before. */
  start(events: ConnectionEvents): void;
  write(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Sends what was written, then ends; a peer that does not read is cut after a deadline. */
  end(): void;
  /** Ends at once. */
  destroy(): void;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws ConnectError */
export type Connect = (to: Endpoint) => Promise<Connection>;

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Accepts no more; open connections stay. */
  close(): void;
  /** Resolves when no connection is left; those that do not end by themselves, or never began, are cut. */
  ended(): Promise<void>;
}

export type ConnectFailure = 'refused' | 'unreachable' | 'timeout' | 'not-tls' | 'pin' | 'closed';

/** Why no connection came about; `reason` is for programs, the message for logs. */
export class ConnectError extends Error {
  readonly reason: ConnectFailure;
  constructor(reason: ConnectFailure, message: string) {
    super(message);
    this.name = 'ConnectError';
    this.reason = reason;
  }
}
