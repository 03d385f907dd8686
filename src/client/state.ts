/** What a profile knows: tables of rows, changed only by `apply` in reducer.ts. Byte strings are hexadecimal. */

/** asked: by us; requested: by them; declined: by us; refused: by them. */
export type Relation = 'asked' | 'requested' | 'open' | 'declined' | 'refused' | 'blocked';

export interface Keys {
  readonly uid: string;
  readonly enc: string;
  readonly sig: string;
}

/** Where a chain of envelopes stands: the last sequence, and the hash of the last envelope. */
export interface Chain {
  readonly sequence: number;
  readonly hash: string;
}

export interface Contact {
  readonly name: string;
  readonly relation: Relation;
  /** ms since 1970, of the last change of relation */
  readonly since: number;
  /** pinned */
  readonly keys?: Keys;
  /** others that came later under the same name or uid: nothing is sent until that is resolved */
  readonly changed?: Keys;
  /** hash of our request, which their acceptance must name */
  readonly request?: string;
  /** hash of their request, which our acceptance names */
  readonly theirs?: string;
  readonly sent: Chain;
  readonly received: Chain;
}

/** failed: the daemon will never take it. */
export type OutgoingState = 'waiting' | 'queued' | 'delivered' | 'failed';

export interface Outgoing {
  readonly id: string;
  readonly order: number;
  readonly to: string;
  readonly text: string;
  readonly at: number;
  readonly state: OutgoingState;
  /** the sealed bytes, once the contact's keys are known; gone when the daemon has them */
  readonly envelope?: string;
  /** ms since 1970: delivered or failed */
  readonly done?: number;
}

export interface Incoming {
  /** sender uid, message id and part: what duplicates are told by */
  readonly key: string;
  readonly order: number;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  /** ms since 1970, the sender's clock */
  readonly time: number;
  /** ms since 1970, ours */
  readonly at: number;
  readonly read?: number;
}

export type NoticeKind =
  'request' | 'accepted' | 'declined' | 'unknown-name' | 'refused' | 'changed' | 'unreadable' | 'gap' | 'not-taken';

export interface Notice {
  readonly key: string;
  readonly order: number;
  readonly kind: NoticeKind;
  readonly name: string;
  readonly at: number;
  /** a word of the protocol that says more, as the step at which an envelope failed */
  readonly detail: string;
  readonly read?: number;
}

/** A command that is repeated until it is answered, always with the same frame id. */
export interface Action {
  readonly frame: string;
  readonly command: 'jmpu' | 'ampu' | 'dmpu' | 'bloc';
  readonly name: string;
  /** the struct's fields as on the wire */
  readonly fields: string;
}

export interface Grant {
  readonly grant: string;
  /** ms since 1970 */
  readonly ends: number;
}

export interface Tables {
  readonly contacts: Map<string, Contact>;
  readonly outgoing: Map<string, Outgoing>;
  readonly incoming: Map<string, Incoming>;
  readonly notices: Map<string, Notice>;
  readonly actions: Map<string, Action>;
  /** keys of all messages that ever came, kept when the text is gone; the value is the time */
  readonly seen: Map<string, number>;
  readonly grant: Map<string, Grant>;
}

export interface State extends Tables {
  /** counts what is shown, in the order in which it came */
  order: number;
}

export const tableNames = ['contacts', 'outgoing', 'incoming', 'notices', 'actions', 'seen', 'grant'] as const;

export function emptyState(): State {
  return {
    order: 0,
    contacts: new Map(),
    outgoing: new Map(),
    incoming: new Map(),
    notices: new Map(),
    actions: new Map(),
    seen: new Map(),
    grant: new Map(),
  };
}

/** Notices beyond this many push out the oldest: a hostile daemon can't fill a disk with them. */
export const NOTICES_MAX = 1000;
/** Contacts in the book, requests of strangers included. */
export const CONTACTS_MAX = 10_000;
/** Messages that wait for the daemon or for an acceptance. */
export const OUTBOX_MAX = 10_000;

export const noChain: Chain = { sequence: 0, hash: '00'.repeat(32) };

export function contactByUid(state: State, uid: string): Contact | undefined {
  for (const contact of state.contacts.values()) if (contact.keys?.uid === uid) return contact;
  return undefined;
}
