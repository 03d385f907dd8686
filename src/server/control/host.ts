/** What the commands of the control socket act on. */
import type { Drain } from '../drain.js';
import type { Server } from '../server.js';
import type { Args } from './args.js';
import type { Vitals } from './vitals.js';

export interface ControlHost {
  readonly server: Pick<Server, 'context' | 'connections' | 'address' | 'answersFrom' | 'setLimit'>;
  readonly version: string;
  /** ms since 1970 */
  readonly started: number;
  readonly vitals: Vitals;
  readonly drain: Drain;
  /** The disk has failed for good. */
  readonly diskFailed: () => boolean;
  /**
   * Reads configuration and certificates anew.
   * @returns names of settings that are others now, and of those that wait for the next start
   * @throws Error whose message is one line for the operator
   */
  readonly reload: () => Promise<{ readonly changed: readonly string[]; readonly atStart: readonly string[] }>;
  readonly setDebug: (on: boolean) => void;
}

/** Resolves when there is room for more; rejects when whoever asked is gone. */
export type Rows = (row: unknown) => Promise<void>;

/** @returns what the answer ends with. @throws ControlRefusal, StorageError */
export type Command = (host: ControlHost, args: Args, rows: Rows) => Promise<unknown>;
