/** What a face talks to, whether the core runs in its own process or behind the profile's socket. All of it is JSON. */
import type { Trouble } from './errors.js';
import type { Secrets } from './identity.js';
import type { Item, Line, Row } from './rows.js';
import type { Limited, OutgoingState, Relation } from './state.js';
import type { SessionState } from './session.js';

export interface ContactView {
  readonly name: string;
  readonly relation: Relation;
  readonly changed: boolean;
  /** a person compared the pinned keys, and no others came since */
  readonly verified: boolean;
  /** of the pinned keys, hexadecimal; empty where there are none */
  readonly fingerprint: string;
  /** what the daemon says now, compared with the pins; only where it was asked */
  readonly check?: 'same' | 'different' | 'unknown' | 'unpinned';
  /** messages of theirs and notices about them that were not read */
  readonly unread: number;
  /** ms since 1970: of the newest row that is kept; where there is none, of the last change of relation */
  readonly latest: number;
}

export interface StatusView {
  readonly name: string;
  readonly uid: string;
  readonly network: string;
  /** of one's own keys, hexadecimal: what others compare */
  readonly fingerprint: string;
  readonly server: string;
  readonly session: SessionState;
  /** ms since 1970: the session's end; 0 without a session */
  readonly ends: number;
  readonly unread: number;
  readonly waiting: number;
  readonly contacts: number;
  /** why there is no session */
  readonly trouble?: Trouble;
}

export interface RelationView {
  readonly name: string;
  readonly relation: Relation;
  /** the daemon has not answered yet: it is repeated by itself */
  readonly pending: boolean;
  readonly trouble?: Trouble;
}

export interface SentView {
  readonly id: string;
  readonly to: string;
  readonly state: OutgoingState;
  readonly trouble?: Trouble;
}

/** What two people compare. */
export interface SafetyView {
  readonly name: string;
  /** 60 digits */
  readonly number: string;
  /** the same as 18 words */
  readonly words: readonly string[];
  /** of the keys that it is about, hexadecimal: the ones that came last */
  readonly fingerprint: string;
  readonly verified: boolean;
  readonly changed: boolean;
  /** of the pinned keys, where others came */
  readonly former?: string;
  /** and those signed the others */
  readonly signed?: true;
}

/** offered: the common room of the network; invited: somebody waits for an answer. */
export type RoomStanding = 'member' | 'invited' | 'offered';

export interface RoomView {
  readonly name: string;
  readonly standing: RoomStanding;
  /** whether a password opens it, or an invitation alone */
  readonly kind: 'password' | 'invitation';
  /** of the owner; of the inviter where one is invited; empty where a room is only offered */
  readonly by: string;
  /** as far as this client knows them: 0 where one is not in the room */
  readonly members: number;
  /** messages and notices of the room, and about people in it, that were not read */
  readonly unread: number;
  /** ms since 1970: of the newest row that is kept; 0 where there is none */
  readonly latest: number;
  /** ms since 1970: the end of an invitation; 0 elsewhere */
  readonly until: number;
  /** the network's common room: its password is the daemon's, and no other is set */
  readonly common: boolean;
  /** why nothing can be sent there now */
  readonly trouble?: Trouble;
}

export interface MemberView {
  readonly name: string;
  /** it is oneself */
  readonly you: boolean;
  readonly role: 'owner' | 'member' | 'invited';
  /** connected now, as the daemon says; undefined where it can't be asked */
  readonly online?: boolean;
  /** a contact whose keys a person compared, and they are these */
  readonly verified: boolean;
  /** of their keys, hexadecimal */
  readonly fingerprint: string;
  /** who invited them; empty where they came by the password */
  readonly inviter: string;
}

/** One's own account, as the daemon has it. */
export interface AccountView {
  readonly name: string;
  readonly factor: 'none' | 'totp' | 'mail';
  /** recovery codes that were not used */
  readonly codes: number;
  /** ms since 1970 */
  readonly created: number;
  /** what was told at the registration; empty where nothing was */
  readonly fullName: string;
  readonly email: string;
  readonly sessions: readonly SessionView[];
}

export interface SessionView {
  /** the beginning of its id, hexadecimal */
  readonly id: string;
  /** ms since 1970 */
  readonly ends: number;
  /** it is this one */
  readonly current: boolean;
}

/** A room whose password was set: `password` where it was drawn, and is told this once. */
export type RoomSetView = RoomView & { readonly password?: string };

/** What a person types for what a session alone is not enough for. */
export interface AccountProof {
  readonly password: string;
  readonly words: string;
  /** where the account asks for one */
  readonly code?: string;
}

/** Commands: what they take, what they give. Each may fail with a ClientError. */
export interface Commands {
  status: { args: object; result: StatusView };
  contacts: { args: { readonly check: boolean }; result: { readonly contacts: readonly ContactView[] } };
  add: { args: { readonly name: string }; result: RelationView };
  accept: { args: { readonly name: string }; result: RelationView };
  decline: { args: { readonly name: string }; result: RelationView };
  block: { args: { readonly name: string }; result: RelationView };
  /** the safety number; after this, `confirm` means what was shown */
  verify: { args: { readonly name: string }; result: SafetyView };
  /** `again`: texts that were sealed for former keys and have to be sent again */
  confirm: {
    /** `number`: what the other side shows, compared here instead of by eye */
    args: { readonly name: string; readonly number?: string };
    result: SafetyView & { readonly again: number };
  };
  /** the keys that came are not theirs: the pinned ones stay, and are sent to again */
  reject: { args: { readonly name: string }; result: SafetyView };
  /** to a person, or to a room: its name behind a # */
  send: { args: { readonly to: string; readonly text: string }; result: SentView };
  rooms: { args: object; result: { readonly rooms: readonly RoomView[] } };
  /** needs a session, like all that changes a room; without a password one of five words is drawn */
  'room-create': {
    args: { readonly room: string; readonly inviteOnly: boolean; readonly password?: string };
    result: RoomSetView;
  };
  /** `room-needs-password` where it is not invited and not offered, and none was given */
  'room-join': { args: { readonly room: string; readonly password?: string }; result: RoomView };
  'room-decline': { args: { readonly room: string }; result: object };
  'room-invite': { args: { readonly room: string; readonly name: string }; result: RoomView };
  /** of a room with a password, it sets a new one too */
  'room-remove': {
    args: { readonly room: string; readonly name: string; readonly password?: string };
    result: RoomSetView;
  };
  'room-owner': { args: { readonly room: string; readonly name: string }; result: RoomView };
  'room-passwd': { args: { readonly room: string; readonly password?: string }; result: RoomSetView };
  'room-leave': { args: { readonly room: string }; result: object };
  'room-delete': { args: { readonly room: string }; result: object };
  /** as the client has checked them; asks the daemon who is online where there is a session */
  'room-members': { args: { readonly room: string }; result: { readonly members: readonly MemberView[] } };
  unread: { args: object; result: { readonly items: readonly Item[]; readonly more: boolean } };
  read: { args: { readonly keys: readonly string[] }; result: object };
  /** whether contacts are told that their texts were read; `on` chooses it */
  receipts: { args: { readonly on?: boolean }; result: { readonly on: boolean } };
  /** with a person, or of a room: its name behind a # */
  history: {
    args: { readonly name: string; readonly after: number };
    result: { readonly lines: readonly Line[]; readonly more: boolean };
  };
  /**
   * What a screen shows of a contact, of a room (its name behind a #), or, where `name` is empty, of the account: notices
   * that belong to no contact and no room that there is. The newest rows whose order is under `before`, oldest first;
   * Number.MAX_SAFE_INTEGER stands before none. Fails as `history` does, but a room need not have been entered.
   */
  page: {
    args: { readonly name: string; readonly before: number };
    /** `more`: there are older ones */
    result: { readonly rows: readonly Row[]; readonly more: boolean };
  };
  /** needs a session, like all that changes the account */
  account: { args: object; result: AccountView };
  /** codes of an authenticator, or by mail; `code` proves the factor that there is already */
  'factor-begin': {
    args: { readonly kind: 'totp' | 'mail'; readonly code?: string; readonly email?: string };
    /** `secret` in base32, and as authenticators read it; a code by mail is on its way */
    result: { readonly kind: 'totp'; readonly secret: string; readonly uri: string } | { readonly kind: 'mail' };
  };
  /** from here on it counts; the recovery codes are told this once */
  'factor-confirm': { args: { readonly code: string }; result: { readonly codes: readonly string[] } };
  'factor-disable': { args: { readonly code?: string }; result: object };
  /** ten new ones; those before count no more */
  'recovery-codes': { args: { readonly code?: string }; result: { readonly codes: readonly string[] } };
  /** the session whose id begins so; without one, all others */
  'session-revoke': { args: { readonly session?: string }; result: object };
  /** resolves when the queue of the present login is in; fails where there is no session */
  drained: { args: object; result: object };
  /**
   * another password, other words, or both; needs a session. `present`: what opens the profile now. `code` proves the
   * second factor, `code-needed` and `mail-code-needed` ask for one
   */
  'secrets-change': {
    args: { readonly present: Secrets; readonly next: Secrets; readonly code?: string };
    result: object;
  };
  /**
   * needs a session, and the secrets once more; afterwards there is a session with the new keys. `code-needed` and
   * `mail-code-needed` ask for a code
   */
  'renew-keys': { args: AccountProof; result: object };
  /** the same of the account's end, which is for good; the client ends */
  'delete-account': { args: AccountProof; result: object };
  /** ends the session and forgets its grant; the process that owns the profile ends too */
  logout: { args: object; result: object };
}

export type CommandName = keyof Commands;

/** Told when what it says is on the disk; news about rows in the order in which they came about. */
export type ClientEvent =
  /**
   * it is new, or further than it was: one with its key (an own text's id) is replaced. `order` says when it came; pages and
   * `history` put what came late among what its sender wrote before
   */
  | { readonly type: 'row'; readonly row: Row }
  /** rows that are not kept any more, by their keys, an own text by its id */
  | { readonly type: 'gone'; readonly keys: readonly string[] }
  /** somebody read these, in this process or another. `at`: ms since 1970 */
  | { readonly type: 'read'; readonly keys: readonly string[]; readonly at: number }
  /** what `contacts` or `rooms` give is other than before in more than what follows from rows and reading */
  | { readonly type: 'changed'; readonly of: 'contacts' | 'rooms' }
  /** there is something unread */
  | { readonly type: 'unread' }
  | { readonly type: 'sent'; readonly id: string; readonly to: string; readonly state: OutgoingState }
  | { readonly type: 'session'; readonly state: SessionState; readonly trouble?: Trouble }
  /** the daemon takes no more for so many seconds; what waits goes on by itself then. Of messages once, until all have gone */
  | { readonly type: 'limited'; readonly of: Limited; readonly wait: number }
  /** the session will not come back by itself */
  | { readonly type: 'ended'; readonly trouble: Trouble };

export interface Client {
  call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']>;
  /** Returns what takes the listener away. */
  on(listener: (event: ClientEvent) => void): () => void;
  /** Ends a core that runs here; leaves one behind a socket as it is. */
  close(): Promise<void>;
}
