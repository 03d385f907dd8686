import { PARTS_MAX, ROOM_HISTORY } from '../../protocol/index.js';

/** What a profile knows: tables of rows, changed only by `apply` in reducer.ts. Byte strings are hexadecimal. */

/** asked: by us; requested: by them; declined: by us; refused: by them. */
export type Relation = 'asked' | 'requested' | 'open' | 'declined' | 'refused' | 'blocked';

export interface Keys {
  readonly uid: string;
  readonly enc: string;
  readonly sig: string;
}

/** Keys that came later under a name or uid, in a bundle that is well signed. */
export interface Changed extends Keys {
  /** hash of the request that brought them */
  readonly theirs?: string;
  /** they came with the acceptance of our request */
  readonly accepts?: true;
  /** the pinned keys signed them */
  readonly signed?: true;
}

/** Where a chain of envelopes stands: the last sequence, and the hash of the last envelope. */
export interface Chain {
  readonly sequence: number;
  readonly hash: string;
}

/** Messages that did not come, from the first to the last of a contiguous range. */
export interface Missing {
  readonly from: number;
  readonly to: number;
  /** ms since 1970, when a later one came */
  readonly since: number;
}

export interface Contact {
  readonly name: string;
  readonly relation: Relation;
  /** ms since 1970, of the last change of relation */
  readonly since: number;
  /** pinned */
  readonly keys?: Keys;
  /** the last of others that came later: nothing is sent until a person decided */
  readonly changed?: Changed;
  /** uid and fingerprint of keys that a person rejected, the newest REJECTED_MAX: these are never taken without a person */
  readonly rejected?: readonly string[];
  /** uid and fingerprint whose safety number a person was shown last: those that a confirmation can mean */
  readonly shown?: string;
  /** fingerprint of the keys that a person compared; with the pinned uid, which changes by `repinned` alone */
  readonly verified?: string;
  /** hash of our request, which their acceptance must name */
  readonly request?: string;
  /** of our requests before it, the newest EARLIER_MAX: the daemon keeps the first that waits, not the last */
  readonly earlier?: readonly string[];
  /** hash of their request, which our acceptance names */
  readonly theirs?: string;
  readonly sent: Chain;
  readonly received: Chain;
  /** missing and not reported yet, at most MISSING_MAX */
  readonly missing?: readonly Missing[];
  /** how often the count of what comes from them began anew */
  readonly counts?: number;
  /** they write for keys that are to be ours already: what is received of them is counted anew */
  readonly ahead?: true;
}

/** entering: what the daemon and this client know of it is still being brought together. */
export type Standing = 'invited' | 'entering' | 'member';

/** What an inviter signed, and the head it was about. */
export interface Invited {
  readonly inviter: string;
  readonly epoch: number;
  readonly expires: number;
  readonly bound: string;
  readonly signature: string;
}

/** A room one is in, or invited to. Its key in the table is its name behind a #. */
export interface Room {
  readonly key: string;
  readonly id: string;
  readonly kind: 'password' | 'invitation';
  readonly standing: Standing;
  /** uid; empty until the room was checked */
  readonly owner: string;
  /** the daemon's count of changes up to which this client followed */
  readonly version: number;
  readonly epoch: number;
  /** hash of the epoch's head; empty until the room was checked */
  readonly head: string;
  /** R of the epoch; none where the block that came for it does not fit the head */
  readonly secret?: string;
  readonly wrapKey: string;
  /** R of the epoch before */
  readonly former?: string;
  /** somebody left: the next who sends begins a new epoch */
  readonly closed: boolean;
  /** what the daemon says of it can't be checked: nothing is sent */
  readonly untrusted?: true;
  /** leaving it was begun: at the next login the room is looked at */
  readonly leaving?: true;
  readonly invitation?: Invited;
  /** the network's common room: its password is the daemon's */
  readonly common?: true;
  /** uids of former members and their last epochs, the newest FORMERS_MAX: no invitation counts twice */
  readonly formers?: Readonly<Record<string, number>>;
  readonly sent: Chain;
}

/** Somebody in a room. The key in the table is the room's, @ and their name. */
export interface Member extends Keys {
  readonly key: string;
  readonly name: string;
  /** in the list of the head; others entered since */
  readonly settled: boolean;
  /** uid of who invited them; empty where they came by the password */
  readonly inviter: string;
  /** in the list of the head or entered since, and left: known until the next head, so that nobody comes back as another */
  readonly left?: true;
  /** a contact's name or uid with other keys than the pinned: nothing of theirs is shown */
  readonly refused?: true;
  /** none until their first message, where they were here before us */
  readonly received?: Chain;
  /** what had been shown when they entered: whoever comes back counts from 1 again */
  readonly since?: number;
  readonly missing?: readonly Missing[];
}

/** A message of a room that can't be looked at before the room was. */
export interface Held {
  readonly key: string;
  /** of the room */
  readonly room: string;
  /** the fields, as they came */
  readonly fields: string;
}

/** The common room, as the daemon offers it. */
export interface Offer {
  readonly key: string;
  readonly secret: string;
}

/** What the daemon's limits make wait. */
export type Limited = 'messages' | 'look-ups';

/** read: whom it is to says so. failed: the daemon will never take it. */
export type OutgoingState = 'waiting' | 'queued' | 'delivered' | 'read' | 'failed';

export interface Outgoing {
  readonly id: string;
  readonly order: number;
  readonly to: string;
  readonly text: string;
  readonly at: number;
  readonly state: OutgoingState;
  /** the sealed bytes of all parts, once the contact's keys are known; gone when the daemon has them */
  readonly envelope?: string;
  /** of a message in several parts: a letter for each, `.` waiting, `q` queued, `d` delivered (outgoing.ts) */
  readonly parts?: string;
  /** ms since 1970: delivered, read before that was known, or failed */
  readonly done?: number;
}

/** What a contact is to be told of. */
export interface Owed {
  readonly to: string;
  /** of messages of theirs that were read, oldest first, at most RECEIPTS_OWED_MAX */
  readonly ids: readonly string[];
}

/** What a person chose. */
export interface Setting {
  readonly on: boolean;
}

export interface Incoming {
  /** sender uid, message id and part (of a joined message the first): what duplicates are told by */
  readonly key: string;
  readonly order: number;
  /** the sender's count, by which what came late is put in its place */
  readonly sequence?: number;
  /** which of their times in the room, or of a contact's counts, it is of */
  readonly since?: number;
  readonly id: string;
  readonly from: string;
  readonly text: string;
  /** ms since 1970, the sender's clock */
  readonly time: number;
  /** ms since 1970, ours */
  readonly at: number;
  readonly read?: number;
}

/** A message of several parts that are not all here. */
export interface Unfinished {
  /** sender uid and message id */
  readonly message: string;
  readonly id: string;
  readonly from: string;
  /** the sequence that its first part has */
  readonly first: number;
  readonly parts: number;
  /** ms since 1970, the sender's clock */
  readonly time: number;
  /** ms since 1970, ours, when the last part came */
  readonly at: number;
  /** bytes by part */
  readonly pieces: Readonly<Record<number, string>>;
  /** a notice says that it is incomplete */
  readonly told?: boolean;
}

export type NoticeKind =
  | 'request'
  | 'accepted'
  | 'declined'
  | 'unknown-name'
  | 'refused'
  | 'changed'
  | 'renewed'
  | 'renewal-open'
  | 'renewal-done'
  | 'send-again'
  | 'unreadable'
  | 'gap'
  | 'incomplete'
  | 'given-up'
  | 'not-taken'
  | RoomNoticeKind;

/** Of rooms: `name` is the room behind a #, or the room, @ and somebody in it. */
export type RoomNoticeKind =
  | 'offered'
  | 'invited'
  | 'invitation-refused'
  | 'invitation-ended'
  | 'invitation-declined'
  | 'entered'
  | 'left'
  | 'removed'
  | 'owner'
  | 'you-removed'
  | 'room-deleted'
  | 'ghost'
  | 'change-refused'
  | 'room-key'
  | 'untrusted';

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
  /** receipts to contacts that are not sealed yet, by name */
  readonly owed: Map<string, Owed>;
  /** receipts of ours that the daemon does not have yet: as texts of no letters, and no person sees them */
  readonly receipts: Map<string, Outgoing>;
  readonly incoming: Map<string, Incoming>;
  /** by sender uid and message id, in the order in which their first parts came */
  readonly unfinished: Map<string, Unfinished>;
  readonly notices: Map<string, Notice>;
  readonly actions: Map<string, Action>;
  /** keys of all parts that ever came, kept when the text is gone, and of messages given up; the value is the time */
  readonly seen: Map<string, number>;
  /** hashes of requests that were declined, so that they are not shown again; the value is the time */
  readonly declined: Map<string, number>;
  readonly grant: Map<string, Grant>;
  readonly rooms: Map<string, Room>;
  readonly members: Map<string, Member>;
  readonly held: Map<string, Held>;
  /** under `offer` */
  readonly offer: Map<string, Offer>;
  /** `receipts`: whether they are sent */
  readonly settings: Map<string, Setting>;
}

/** What became of a row that is shown: it is there, in the place of one with its key if there was one; or it went. */
export type Noted =
  | { readonly of: 'incoming'; readonly row: Incoming }
  | { readonly of: 'notices'; readonly row: Notice }
  | { readonly of: 'outgoing'; readonly row: Outgoing }
  | { readonly of: 'gone'; readonly key: string };

export interface State extends Tables {
  /** counts what is shown, in the order in which it came */
  order: number;
  /** where somebody wants to tell of it: what becomes of rows from here on, in its order */
  noted?: Noted[];
}

export const tableNames = [
  'contacts',
  'outgoing',
  'owed',
  'receipts',
  'incoming',
  'unfinished',
  'notices',
  'actions',
  'seen',
  'declined',
  'grant',
  'rooms',
  'members',
  'held',
  'offer',
  'settings',
] as const;

export function emptyState(): State {
  return {
    order: 0,
    contacts: new Map(),
    outgoing: new Map(),
    owed: new Map(),
    receipts: new Map(),
    incoming: new Map(),
    unfinished: new Map(),
    notices: new Map(),
    actions: new Map(),
    seen: new Map(),
    declined: new Map(),
    grant: new Map(),
    rooms: new Map(),
    members: new Map(),
    held: new Map(),
    offer: new Map(),
    settings: new Map(),
  };
}

/** Notices beyond this many push out the oldest: a hostile daemon can't fill a disk with them. */
export const NOTICES_MAX = 1000;
/** Contacts in the book, without requests that wait for an answer. */
export const CONTACTS_MAX = 10_000;
/** Requests that wait for an answer: strangers can't take the places of those whom one asks oneself. */
export const REQUESTS_MAX = 1_000;
/** Declined requests that are told from new ones; the oldest go first. */
export const DECLINED_MAX = 1_000;
/** Ranges of missing messages that a contact may have before the oldest is reported at once. */
export const MISSING_MAX = 32;
/** Earlier requests to one contact that may still be answered. */
export const EARLIER_MAX = 4;
/** Messages of a contact whose parts are not all here; the oldest is given up for a further one. */
export const UNFINISHED_MAX = 32;
/** Keys of a contact that a person rejected, and that are known again. */
export const REJECTED_MAX = 32;
/** Rooms one is in or invited to. */
export const ROOMS_MAX = 1_000;
/** Former members of a room that are remembered. */
export const FORMERS_MAX = 1_000;
/** Messages of rooms that wait for a look at the room; what comes beyond is refused. */
export const HELD_MAX = 256;
/** The same, where one is entering: all that was said before comes at once. */
export const HELD_ENTERING_MAX = HELD_MAX + ROOM_HISTORY * PARTS_MAX;
/** Parts of messages that wait for the daemon or for an acceptance. */
export const OUTBOX_MAX = 10_000;
/** Messages of a contact of which they are not told yet that they were read; of the oldest they never are. */
export const RECEIPTS_OWED_MAX = 1_024;

export const noChain: Chain = { sequence: 0, hash: '00'.repeat(32) };

export function contactByUid(state: State, uid: string): Contact | undefined {
  for (const contact of state.contacts.values()) if (contact.keys?.uid === uid) return contact;
  return undefined;
}
