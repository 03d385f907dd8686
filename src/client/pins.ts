/** What becomes of pinned keys: others came, a person looked, a person decided (SPEC 7.6). */
import { fingerprint, fromHex, hex, type SyncCrypto } from '../../protocol/index.js';
import { applyGivenUp } from './received.js';
import {
  DECLINED_MAX,
  noChain,
  type Action,
  type Changed,
  type Contact,
  type Keys,
  type Outgoing,
  type Relation,
  type State,
} from './state.js';

export type PinEvent =
  /** the first keys of a contact who was blocked before there were any */
  | { readonly t: 'pinned'; readonly name: string; readonly keys: Keys }
  | { readonly t: 'changed'; readonly name: string; readonly keys: Changed }
  /** a person was shown the safety number of this party (`partyOf`) */
  | { readonly t: 'shown'; readonly name: string; readonly party: string }
  /** a person compared it */
  | { readonly t: 'verified'; readonly name: string; readonly fingerprint: string }
  /** a person says that the changed keys are not theirs: the pinned ones stay */
  | { readonly t: 'rejected'; readonly name: string; readonly at: number }
  /** a person compared that of the changed keys: they are the pinned ones now */
  | {
      readonly t: 'repinned';
      readonly name: string;
      readonly keys: Keys;
      readonly fingerprint: string;
      readonly relation: Relation;
      readonly theirs?: string;
      readonly action?: Action;
      readonly at: number;
    };

export function fingerprintOf(sync: SyncCrypto, keys: Keys): string {
  return hex(fingerprint(sync, { enc: fromHex(keys.enc), sig: fromHex(keys.sig) }));
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
      const { changed, shown: _other, ...kept } = row;
      state.contacts.set(event.name, kept);
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
  const { changed: _now, shown: _before, missing: _theirs, ...kept } = row;
  const since = relation === row.relation ? row.since : at;
  const fresh = { keys, verified, relation, since, sent: noChain, received: noChain };
  state.contacts.set(name, { ...kept, ...fresh, ...(theirs === undefined ? {} : { theirs }) });
  for (const one of state.actions.values())
    if (one.name === name && (one.command === 'ampu' || one.command === 'dmpu')) state.actions.delete(one.frame);
  if (action) state.actions.set(action.frame, action);
  for (const entry of sealedBefore(state, name)) {
    const { envelope: _void, parts: _far, ...rest } = entry;
    state.outgoing.set(entry.id, { ...rest, state: 'failed', done: at });
  }
  /* What lacks of these was sealed with the former keys, and is refused now. */
  for (const { message, from } of [...state.unfinished.values()])
    if (from === name) applyGivenUp(state, { t: 'given-up', message, at });
}

/** Texts that only the present pinned keys can open, and that are not known to have arrived. */
export function sealedBefore(state: State, name: string): Outgoing[] {
  const sealed = (entry: Outgoing): boolean =>
    entry.state === 'queued' || (entry.state === 'waiting' && entry.envelope !== undefined);
  return [...state.outgoing.values()].filter((entry) => entry.to === name && sealed(entry));
}
