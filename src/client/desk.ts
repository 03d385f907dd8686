/** What the parts of the core share. */
import type { Ports } from '../../protocol/index.js';
import { hex, ID } from '../../protocol/index.js';
import type { ClientError } from './errors.js';
import type { Me } from './identity.js';
import type { Journal } from './journal.js';
import type { ClientPorts } from './ports.js';
import type { Event } from './reducer.js';
import type { Limited, NoticeKind, State } from './state.js';

export interface Desk {
  readonly ports: ClientPorts;
  readonly me: Me;
  /** Keys that are to be ours: nobody knows whether the daemon has them, and contacts may know them already. */
  readonly next: Me | undefined;
  readonly journal: Journal;
  /** Applies the events at once and tells listeners; resolves when they are synced. */
  record(...events: readonly Event[]): Promise<void>;
  /** One thing after another: what reads the state, waits, and then changes it. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** The same of what decides which secrets and keys are this account's. */
  inOwnTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Work that nobody awaits: its failure ends the core, since it means a bug or a disk that fails. */
  background(work: Promise<unknown>): void;
  /** Tells a person that the daemon's limits make something wait, in seconds. */
  limited(of: Limited, wait: number): void;
  /** Why there is no session at the moment; undefined while there is one, or one is being made. */
  trouble(): ClientError | undefined;
}

export function stateOf(desk: Desk): State {
  return desk.journal.state;
}

export function cryptoOf(desk: Desk): Ports {
  return desk.ports.crypto;
}

export function newId(desk: Desk): string {
  return hex(desk.ports.crypto.sync.random(ID));
}

export function notice(desk: Desk, kind: NoticeKind, name: string, detail = '', key = newId(desk)): Event {
  return { t: 'notice', key, kind, name, detail, at: desk.ports.clock.now() };
}
