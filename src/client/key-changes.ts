/** New keys of contacts: those that the pinned ones signed, and those that nobody vouches for (SPEC 7.6). */
import {
  encodeFields,
  fromHex,
  hex,
  isSignedByFormer,
  keyBundleProblem,
  samePublic,
  structs,
  type KeyChange,
} from '../../protocol/index.js';
import { cryptoOf, notice, stateOf, type Desk } from './desk.js';
import type { Gaps } from './gaps.js';
import { keysOf, sameKeys, type People } from './people.js';
import { fingerprintOf, partyOf, sealedBefore, type PinEvent } from './pins.js';
import type { Event } from './reducer.js';
import { contactByUid, type Changed, type Contact } from './state.js';

/** Other keys are pinned: the count begins anew, and what is missing of the former one does not come any more. */
export function repinning(
  desk: Desk,
  gaps: Gaps,
  contact: Contact,
  event: Extract<PinEvent, { t: 'repinned' }>,
): Event[] {
  const { name } = event;
  const events: Event[] = [...gaps.ofContact(contact), event];
  const again = sealedBefore(stateOf(desk), name).length;
  return again > 0 ? [...events, notice(desk, 'send-again', name, String(again))] : events;
}

export class KeyChanges {
  readonly #desk: Desk;
  readonly #people: People;
  readonly #gaps: Gaps;

  constructor(desk: Desk, people: People, gaps: Gaps) {
    this.#desk = desk;
    this.#people = people;
    this.#gaps = gaps;
  }

  /** Somebody has new keys, as the daemon says (event chky). Of somebody who is no contact it means nothing. */
  async onChange(change: KeyChange): Promise<Event[]> {
    const { me } = this.#desk;
    const state = stateOf(this.#desk);
    const crypto = cryptoOf(this.#desk);
    const { name } = change;
    const keys = keysOf(change);
    const contact = contactByUid(state, keys.uid);
    const isMine = name === me.name || samePublic(change.uid, me.uid);
    if (isMine || !(contact ?? state.contacts.get(name))?.keys) return [];
    const blocked = this.#people.ofBlocked(name, keys);
    if (blocked) return blocked;
    if ((await keyBundleProblem(crypto, change)) !== undefined)
      return this.#people.unreadable(contact?.name ?? name, 'keys', encodeFields(structs.chky, change));
    if (!contact?.keys || contact.name !== name) return this.#people.keysChanged(name, keys, {}) ?? [];
    if (sameKeys(contact.keys, keys)) return [];
    const kept = await this.#asked(contact, change);
    if (!(await isSignedByFormer(crypto, change, fromHex(contact.keys.sig))))
      return this.#people.keysChanged(name, keys, kept) ?? [];
    /*
     * A person who compared keys is not moved to others without a person; nor while others wait for a decision, nor to
     * those that a person rejected.
     */
    const isCompared = contact.verified === fingerprintOf(crypto.sync, contact.keys);
    const isRejected = contact.rejected?.includes(partyOf(crypto.sync, keys)) === true;
    if (isCompared || isRejected || contact.changed)
      return this.#people.keysChanged(name, keys, { ...kept, signed: true }) ?? [];
    const { relation } = contact;
    const at = this.#desk.ports.clock.now();
    const events = repinning(this.#desk, this.#gaps, contact, { t: 'repinned', name, keys, relation, at });
    return [...events, notice(this.#desk, 'renewed', name)];
  }

  /**
   * What came with keys that wait for a decision goes over to those that they signed: it is the same person, if anybody. No
   * daemon can do so with a request of somebody else's, and a person decides in any case.
   */
  async #asked({ changed }: Contact, change: KeyChange): Promise<Pick<Changed, 'theirs' | 'accepts'>> {
    if (!changed || changed.uid !== hex(change.uid)) return {};
    if (!(await isSignedByFormer(cryptoOf(this.#desk), change, fromHex(changed.sig)))) return {};
    const { theirs, accepts } = changed;
    return { ...(theirs === undefined ? {} : { theirs }), ...(accepts ? { accepts } : {}) };
  }
}
