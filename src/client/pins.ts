/** What becomes of pinned keys: others came, a person looked, a person decided (SPEC 7.6). */
import { fingerprint, fromHex, hex, type SyncCrypto } from '../../protocol/index.js';
import { dropReceipts } from './receipt-rows.js';
import { applyGivenUp } from './received.js';
import { isRoom } from './rooms/names.js';
import {
  DECLINED_MAX,
  noChain,
  REJECTED_MAX,
  type Action,
  type Changed,
  type Contact,
  type Keys,
  type Outgoing,
  type Relation,
  type State,
} from './state.js';
import { setOwn } from './tables.js';

export type PinEvent =
  /** the first keys of a contact who was blocked before there were any */
  | { readonly t: 'pinned'; readonly name: string; readonly keys: Keys }
  | { readonly t: 'changed'; readonly name: string; readonly keys: Changed }
  /** a person was shown the safety number of this party (`partyOf`) */
  | { readonly t: 'shown'; readonly name: string; readonly party: string }
  /** a person compared it */
  | { readonly t: 'verified'; readonly name: string; readonly fingerprint: string }
  /** a person says that the changed keys (`partyOf`) are not theirs: the pinned ones stay */
  | { readonly t: 'rejected'; readonly name: string; readonly at: number; readonly party?: string }
  /** the changed keys are the pinned ones now: a person compared them (`fingerprint`), or the pinned ones signed them */
  | {
      readonly t: 'repinned';
      readonly name: string;
      readonly keys: Keys;
      readonly fingerprint?: string;
      readonly relation: Relation;
      readonly theirs?: string;
      readonly action?: Action;
      readonly at: number;
    };

/** A contact knows keys already that are to be ours. */
export interface AheadEvent {
  readonly t: 'ahead';
  readonly name: string;
  readonly at: number;
}

/** Our own keys are others now. */
export interface RekeyedEvent {
  readonly t: 'rekeyed';
  readonly at: number;
}

/** Rows are never changed in place: what was computed of one holds as long as it does. */
const fingerprints = new WeakMap<Keys, string>();

export function fingerprintOf(sync: SyncCrypto, keys: Keys): string {
  const known = fingerprints.get(keys);
  if (known !== undefined) return known;
  const made = hex(fingerprint(sync, { enc: fromHex(keys.enc), sig: fromHex(keys.sig) }));
  fingerprints.set(keys, made);
  return made;
}

/** What a safety number is about (SPEC 7.5): the same keys under another uid have another one. */
export function partyOf(sync: SyncCrypto, keys: Keys): string {
  return `${keys.uid}:${fingerprintOf(sync, keys)}`;
}

export function applyPin(state: State, event: PinEvent): void {
  const row = state.contacts.get(event.name);
  if (!row) return;
  switch (event.t) {
    case 'pinned':
      state.contacts.set(event.name, { ...row, keys: event.keys });
      return;
    case 'changed':
      state.contacts.set(event.name, { ...row, changed: event.keys });
      return;
    case 'shown':
      state.contacts.set(event.name, { ...row, shown: event.party });
      return;
    case 'verified':
      state.contacts.set(event.name, { ...row, verified: event.fingerprint });
      return;
    case 'rejected': {
      const { changed, shown: _other, rejected = [], ...kept } = row;
      const others = rejected.filter((one) => one !== event.party);
      const all = event.party === undefined ? others : [event.party, ...others].slice(0, REJECTED_MAX);
      state.contacts.set(event.name, { ...kept, ...(all.length === 0 ? {} : { rejected: all }) });
      if (changed?.theirs !== undefined) rememberDeclined(state, changed.theirs, event.at);
      return;
    }
    case 'repinned':
      applyRepinned(state, row, event);
  }
}

/** A request that is not shown again; the oldest of too many go. */
export function rememberDeclined(state: State, hash: string, at: number): void {
  state.declined.set(hash, at);
  for (const oldest of state.declined.keys()) {
    if (state.declined.size <= DECLINED_MAX) return;
    state.declined.delete(oldest);
  }
}

/** Counts and chains begin anew. What was sealed for the former keys stays unread, and answers to them are void. */
function applyRepinned(state: State, row: Contact, event: Extract<PinEvent, { t: 'repinned' }>): void {
  const { name, keys, fingerprint: verified, relation, theirs, action, at } = event;
  const { changed: _now, shown: _before, verified: _former, missing: _theirs, ...kept } = row;
  const since = relation === row.relation ? row.since : at;
  const fresh = { keys, relation, since, sent: noChain, ...countedAnew(row) };
  const more = { ...(verified === undefined ? {} : { verified }), ...(theirs === undefined ? {} : { theirs }) };
  state.contacts.set(name, { ...kept, ...fresh, ...more });
  /* Keys that the former ones signed are of the same person: what answers them still does. */
  if (verified !== undefined) dropAnswers(state, name);
  if (action) state.actions.set(action.frame, action);
  for (const entry of sealedBefore(state, name)) {
    const { envelope: _void, parts: _far, ...rest } = entry;
    setOwn(state, { ...rest, state: 'failed', done: at });
  }
  dropReceipts(state, name);
  giveUpParts(state, name, at);
}

function countedAnew({ counts = 0 }: Contact): Pick<Contact, 'received' | 'counts'> {
  return { received: noChain, counts: counts + 1 };
}

function dropAnswers(state: State, name: string): void {
  for (const one of state.actions.values())
    if (one.name === name && (one.command === 'ampu' || one.command === 'dmpu')) state.actions.delete(one.frame);
}

/** What lacks of unfinished messages was sealed with keys that count no more, and is refused now. */
function giveUpParts(state: State, name: string, at: number): void {
  for (const { message, from } of [...state.unfinished.values()])
    if (from === name) applyGivenUp(state, { t: 'given-up', message, at });
}

/** What they write for other keys of ours they count from 1. */
export function applyAhead(state: State, { name, at }: AheadEvent): void {
  const row = state.contacts.get(name);
  if (!row) return;
  const { missing: _former, ...kept } = row;
  state.contacts.set(name, { ...kept, ...countedAnew(row), ahead: true });
  giveUpParts(state, name, at);
}

/**
 * Others take us for who we are by the new keys, and count from 1 with them. What we sealed for keys of others, which are
 * the same, is sealed anew unless a part of it went already: of that the rest would be of another message.
 */
export function applyRekeyed(state: State, { at }: RekeyedEvent): void {
  for (const row of [...state.contacts.values()]) {
    if (!row.ahead) applyAhead(state, { t: 'ahead', name: row.name, at });
    const { ahead: _now, ...kept } = state.contacts.get(row.name) ?? row;
    state.contacts.set(row.name, { ...kept, sent: noChain });
    dropReceipts(state, row.name);
  }
  for (const entry of [...state.outgoing.values()]) {
    if (isRoom(entry.to) || entry.state !== 'waiting' || entry.envelope === undefined) continue;
    const { envelope: _void, parts, ...rest } = entry;
    if (isUnderWay(parts)) setOwn(state, { ...rest, state: 'failed', done: at });
    else state.outgoing.set(entry.id, rest);
  }
}

/** Texts of which the daemon has some parts and not all. */
export function torn(state: State): Outgoing[] {
  return [...state.outgoing.values()].filter(
    ({ to, state: how, parts }) => !isRoom(to) && how === 'waiting' && isUnderWay(parts),
  );
}

function isUnderWay(parts: string | undefined): boolean {
  return parts !== undefined && /[^.]/.test(parts);
}

/** Texts that only the present pinned keys can open, and that are not known to have arrived. */
export function sealedBefore(state: State, name: string): Outgoing[] {
  const sealed = (entry: Outgoing): boolean =>
    entry.state === 'queued' || (entry.state === 'waiting' && entry.envelope !== undefined);
  return [...state.outgoing.values()].filter((entry) => entry.to === name && sealed(entry));
}
