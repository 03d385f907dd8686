/** What a handler is, and what it sees of the client that calls it: never a socket. */
import type { LoginTranscript, Struct, Values } from '../../protocol/index.js';
import type { Account } from '../store/store.js';
import type { Context } from './context.js';
import type { Mailbox } from './mailbox.js';
import type { Refusal } from './refusals.js';
import type { Reply, Request } from './reply.js';

export type LinkState = 'hello' | 'open' | 'registering' | 'authenticating' | 'proving' | 'words' | 'ready' | 'closed';

/** A login or registration between its steps; one at a time. */
export interface PendingLogin {
  /** undefined: a decoy */
  readonly account: Account | undefined;
  readonly s2: Uint8Array;
  readonly block: Uint8Array;
  readonly passwordState: string;
  readonly transcript: LoginTranscript;
  sessionKey?: Uint8Array;
}

export interface PendingRegistration {
  readonly uid: Uint8Array;
  readonly name: string;
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
  readonly possession: Uint8Array;
}

/** Blocks of a room's next epoch, before the head that needs them. */
export interface PendingRotation {
  /** the room's key */
  readonly room: string;
  readonly epoch: number;
  /** blocks so far, also those for somebody who had one */
  sent: number;
  /** by uid */
  readonly blocks: Map<string, Uint8Array>;
}

export interface Caller {
  readonly source: string;
  readonly state: LinkState;
  readonly th2: Uint8Array;
  /** @throws Error before a login: rows of the dispatch table keep handlers from asking then */
  readonly account: Account;
  /** @throws Error before a login */
  readonly mailbox: Mailbox;
  readonly uidKey: string;
  loginsTried: number;
  /** Messages of this client, private and in rooms, that have no answer yet. */
  unanswered: number;
  login: PendingLogin | undefined;
  registration: PendingRegistration | undefined;
  rotation: PendingRotation | undefined;
  /** H(grant) of the session, which `quit` revokes. */
  grantHash: Uint8Array | undefined;

  /** To another state before the login; drops what an unfinished login or registration left. */
  become(state: 'open' | 'registering' | 'authenticating' | 'proving' | 'words', within?: number): void;
  /** The switch to ck3: the finishing answer has been sealed under ck2. */
  authenticated(login: PendingLogin, account: Account, sessionKey: Uint8Array, ends: number, waiting: number): void;
  /** Ends without a byte. */
  refuse(reason: Refusal): void;
  /** Sends what is sealed, then ends. */
  finish(): void;
}

/** Calls of one client run one after another: a promise holds the next frame back. */
export type Handler<S extends Struct> = (
  context: Context,
  caller: Caller,
  values: Values<S>,
  reply: Reply,
  request: Request,
) => void | Promise<void>;
