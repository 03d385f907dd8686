/** What a handler is, and what it sees of the client that calls it: never a socket. */
import type { Code, LoginTranscript, Struct, Values } from '../../protocol/index.js';
import type { Account, UsedInvitation, SecondFactor } from '../store/store.js';
import type { Context } from './context.js';
import type { Keys } from './known-keys.js';
import type { Mailbox } from './mailbox.js';
import type { Refusal } from './refusals.js';
import type { Reply, Request } from './reply.js';

export type LinkState =
  | 'hello'
  | 'open'
  | 'registering'
  | 'confirming'
  | 'authenticating'
  | 'proving'
  | 'words'
  | 'recovering'
  | 'ready'
  | 'closed';

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
  /** as they were compared */
  readonly keys: Keys;
  readonly possession: Uint8Array;
  /** that let it in, where one is needed */
  readonly invitation: UsedInvitation | undefined;
  /** complete, once all but the code that was sent by mail is proven */
  readonly account?: Account;
  /** wrong codes so far */
  readonly tries: number;
}

/** A second factor that is being set up: it counts when somebody has shown a code of it. */
export type PendingEnrolment = {
  /** codes that may still be mistyped */
  tries: number;
} & (
  | { readonly kind: typeof SecondFactor.totp; readonly secret: Uint8Array }
  | { readonly kind: typeof SecondFactor.mail; readonly email: string }
);
/** New keys that are to be proven: p was sealed for their `enc`. */
export interface PendingKeys {
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
  readonly possession: Uint8Array;
}

export interface PendingRecovery extends PendingKeys {
  /** as they are compared */
  readonly keys: Keys;
  /** undefined: a decoy */
  readonly account: Account | undefined;
  /** H(uid | code) */
  readonly code: Uint8Array;
  readonly passwordState: string;
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
  /** The connection's, in the log alone: never on the wire, and never beside a room or a second user. */
  readonly connectionId: string;
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
  enrolment: PendingEnrolment | undefined;
  /** `pswd1` was answered: `pswd2` is due. */
  passwordDue: boolean;
  renewal: PendingKeys | undefined;
  recovery: PendingRecovery | undefined;
  /** H(grant) of the session, which `quit` revokes. */
  grantHash: Uint8Array | undefined;

  /** To another state before the login; drops what an unfinished login or registration left. */
  become(state: Exclude<LinkState, 'hello' | 'ready' | 'closed'>, within?: number): void;
  /** The switch to ck3: the finishing answer has been sealed under ck2. */
  authenticated(login: PendingLogin, account: Account, sessionKey: Uint8Array, ends: number, waiting: number): void;
  /** Sends what is due, tells a logged-in client why, then ends. */
  close(code: typeof Code.unavailable): void;
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
