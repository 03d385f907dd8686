/** What this face is handed: its process, and one profile. */
import type { Readable } from 'node:stream';
import type { Application, Client, PublicIdentity, Secrets } from '../../client/index.js';
import type { TerminalOutput } from './terminal/terminal.js';

/** A client, and what holds it. */
export interface OpenClient {
  readonly client: Client;
  readonly close: () => Promise<void>;
  /** logs in, where the core runs in this process; with a code of the second factor, once one was asked for */
  readonly connect?: (code?: string) => Promise<void>;
}

/** One profile on this machine. */
export interface Door {
  readonly network: string;
  /** undefined where nobody registered */
  identity(): Promise<PublicIdentity | undefined>;
  /** the name of a registration or recovery whose end is not known */
  unfinished(): Promise<string | undefined>;
  /** the client of the process that owns the profile, if one does */
  remote(): Promise<OpenClient | undefined>;
  /** @throws ClientError `wrong-password`, `wrong-words` … */
  open(secrets: Secrets): Promise<OpenClient>;
  /** @throws ClientError */
  register(name: string, secrets: Secrets, application: Application): Promise<OpenClient>;
  /** three words for a new account */
  newWords(): string;
  /** secrets that came by file or descriptor */
  given(): Promise<Secrets | undefined>;
}

export interface TuiHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: TerminalOutput & { readonly isTTY?: boolean };
  /** aborted by SIGINT and SIGTERM */
  readonly signal: AbortSignal;
  /** what SIGINT does: the process ends with this face, also where a daemon does not answer */
  readonly interrupt: () => void;
}

export interface TuiOptions {
  readonly colour: boolean;
  readonly theme: 'dark' | 'light';
  /** rings when something comes while nobody looks */
  readonly bell: boolean;
  /** has the terminal notify then */
  readonly notify: boolean;
  /** said at the start, plain */
  readonly warning: string | undefined;
}
