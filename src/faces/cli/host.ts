/** What the command line needs of its process: real in `main`, replaced in tests. */
import type { Readable, Writable } from 'node:stream';

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?: (raw: boolean) => unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  /** program and arguments that start this command line again, for the background process */
  readonly self: readonly string[];
  /** aborted by SIGINT and SIGTERM; its reason is the signal's name */
  readonly signal: AbortSignal;
  /** what SIGINT does: a terminal that is read key by key sends none at Ctrl-C */
  readonly interrupt: () => void;
}
