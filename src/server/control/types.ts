/** What the daemon says of itself by its control socket; cadenasd's commands read it. */

/** What may be asked for at once; the line is held to it, too. */
export const INVITATIONS_MAX = 1_000;
export const INVITATION_DAYS_MAX = 366;
export const WAIT_MAX_S = 86_400;

/** In ms. */
export interface Delays {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** What came in the last minute, or since the start. */
export interface Minute {
  /** how long that was */
  readonly seconds: number;
  /** by result, those that there were */
  readonly logins: Readonly<Record<string, number>>;
  readonly registrations: number;
  readonly recoveries: number;
  readonly messages: number;
  /** by reason, those that there were */
  readonly refusals: Readonly<Record<string, number>>;
}

/** The last minutes, the oldest first. */
export interface History {
  /** ms from one to the next */
  readonly every: number;
  /** in a second */
  readonly messages: readonly number[];
  readonly logins: readonly number[];
  readonly connections: readonly number[];
  /** bytes */
  readonly memory: readonly number[];
  /** ms, 99 of 100 */
  readonly lag: readonly number[];
}

export type DaemonState = 'serving' | 'draining' | 'stopping';

export interface Health {
  readonly healthy: boolean;
  readonly state: DaemonState;
  readonly disk: 'ok' | 'failed';
}

export interface Status extends Health {
  readonly version: string;
  readonly network: string;
  readonly pid: number;
  /** ms since 1970 */
  readonly started: number;
  readonly now: number;
  readonly address: string;
  /** seconds in which it answers nobody yet: it can't know who connected before its start */
  readonly silent: number;
  readonly connections: number;
  readonly online: number;
  readonly accounts: number;
  readonly rooms: number;
  /** entries that wait, as far as it is known: of so many users' queues */
  readonly queued: number;
  readonly queuesKnown: number;
  readonly journalBytes: number;
  readonly writesWaiting: number;
  readonly syncs: Delays & { readonly count: number };
  readonly lag: Delays;
  /** bytes */
  readonly memory: number;
  readonly minute: Minute;
  readonly history: History;
}

export interface UserRow {
  readonly name: string;
  readonly uid: string;
  /** ms since 1970 */
  readonly created: number;
  readonly online: boolean;
  /** entries that wait; null: what is kept of this user is damaged */
  readonly queued: number | null;
  /** by the operator */
  readonly disabled: boolean;
}

export interface UserFacts extends UserRow {
  readonly sessions: number;
  readonly secondFactor: 'none' | 'totp' | 'mail';
  /** names */
  readonly rooms: readonly string[];
}

export interface RoomRow {
  readonly name: string;
  readonly id: string;
  /** null: nobody has that account any more */
  readonly owner: string | null;
  readonly members: number;
  readonly invited: number;
  readonly epoch: number;
  /** messages that are kept */
  readonly messages: number;
}

export interface LimitRow {
  readonly name: string;
  readonly value: number;
  readonly default: number;
  readonly what: string;
}

export interface InvitationRow {
  readonly code: string;
  /** ms since 1970 */
  readonly ends: number;
}

export interface DrainRow {
  /** connections that are left */
  readonly connections: number;
  /** seconds until they are cut */
  readonly left: number;
  readonly stopping: boolean;
}
