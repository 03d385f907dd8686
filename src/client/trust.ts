/** Comparing safety numbers, and deciding on keys that changed (SPEC 7.5, 7.6). */
import {
  fingerprint as ownFingerprint,
  fromHex,
  readSafetyCode,
  safetyNumber,
  safetyWords,
} from '../../protocol/index.js';
import type { SafetyView } from './client.js';
import { cryptoOf, notice, stateOf, type Desk } from './desk.js';
import { error } from './errors.js';
import type { Gaps } from './gaps.js';
import type { Me } from './identity.js';
import { repinning } from './key-changes.js';
import { otherName, type People } from './people.js';
import { fingerprintOf, partyOf, sealedBefore } from './pins.js';
import type { Event } from './reducer.js';
import { contactByUid, type Action, type Changed, type Contact, type Keys, type Relation } from './state.js';

/** Whether a person compared the pinned keys, and no others came since. */
export function isVerified(contact: Contact, pinned: string): boolean {
  return contact.changed === undefined && contact.verified === pinned;
}

export class Trust {
  readonly #desk: Desk;
  readonly #people: People;
  readonly #gaps: Gaps;
  /** By uid and fingerprint: some ten milliseconds each. */
  readonly #numbers = new Map<string, string>();
  /** whose they are too */
  #own: Me | undefined;

  constructor(desk: Desk, people: People, gaps: Gaps) {
    this.#desk = desk;
    this.#people = people;
    this.#gaps = gaps;
  }

  #fingerprint(keys: Keys): string {
    return fingerprintOf(cryptoOf(this.#desk).sync, keys);
  }

  /** @throws ClientError `never-asked`, `no-keys` */
  #known(typed: string): { contact: Contact; pinned: Keys; present: Keys | Changed; fingerprint: string } {
    const name = otherName(this.#desk, typed);
    const contact = stateOf(this.#desk).contacts.get(name);
    if (!contact) throw error('never-asked', name);
    if (!contact.keys) throw error('no-keys', name);
    const present = contact.changed ?? contact.keys;
    return { contact, pinned: contact.keys, present, fingerprint: this.#fingerprint(present) };
  }

  #number({ uid }: Keys, fingerprint: string): string {
    const { me } = this.#desk;
    if (this.#own !== me) this.#numbers.clear(); // ours are others now
    this.#own = me;
    const key = `${uid}:${fingerprint}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const { sync } = cryptoOf(this.#desk);
    const own = ownFingerprint(sync, { enc: me.enc.modulus, sig: me.sig.modulus });
    const made = safetyNumber(
      sync,
      { uid: me.uid, fingerprint: own },
      { uid: fromHex(uid), fingerprint: fromHex(fingerprint) },
    );
    this.#numbers.set(key, made);
    return made;
  }

  /** The safety number with the keys that came last; it is remembered which were shown. */
  async show(typed: string): Promise<SafetyView> {
    const { contact, present } = this.#known(typed);
    const party = partyOf(cryptoOf(this.#desk).sync, present);
    if (contact.shown !== party) await this.#desk.record({ t: 'shown', name: contact.name, party });
    return this.#view(typed);
  }

  #view(typed: string): SafetyView {
    const { contact, pinned, present, fingerprint } = this.#known(typed);
    const { name } = contact;
    const number = this.#number(present, fingerprint);
    const former = contact.changed ? this.#fingerprint(pinned) : undefined;
    return {
      name,
      number,
      words: safetyWords(number),
      fingerprint,
      verified: isVerified(contact, fingerprint),
      changed: contact.changed !== undefined,
      ...(contact.changed?.signed ? { signed: true } : {}),
      ...(former === undefined ? {} : { former }),
    };
  }

  /**
   * A person says that they compared what was shown: a uid or keys that came since are not what they mean. Or they hand in
   * what the other side shows, which is compared with the number of the present keys, whatever was shown.
   * @param given the other's safety number as it stands in their QR code, or its digits
   * @returns also how many texts were sealed for former keys and have to be sent again
   * @throws ClientError `not-shown`, `changed-again`, `uid-taken`; `bad-number`, `numbers-differ`
   */
  async confirm(typed: string, given?: string): Promise<SafetyView & { readonly again: number }> {
    const { contact, present, fingerprint } = this.#known(typed);
    const { name } = contact;
    if (given === undefined) {
      if (contact.shown === undefined) throw error('not-shown', name);
      if (contact.shown !== partyOf(cryptoOf(this.#desk).sync, present)) throw error('changed-again', name);
    } else {
      const number = readSafetyCode(given);
      if (number === undefined) throw error('bad-number');
      if (number !== this.#number(present, fingerprint)) throw error('numbers-differ', name);
    }
    if (!contact.changed) {
      if (contact.verified !== fingerprint) await this.#desk.record({ t: 'verified', name, fingerprint });
      return { ...(await this.show(name)), again: 0 };
    }
    const owner = contactByUid(stateOf(this.#desk), present.uid);
    if (owner && owner.name !== name) throw error('uid-taken', name, owner.name);
    const again = sealedBefore(stateOf(this.#desk), name).length;
    await this.#desk.record(...(await this.#repinned(contact, contact.changed, fingerprint)));
    return { ...(await this.show(name)), again };
  }

  /** A person says that the keys that came are not theirs. Their request does not come again. */
  async reject(typed: string): Promise<SafetyView> {
    const { contact } = this.#known(typed);
    if (!contact.changed) throw error('not-changed', contact.name);
    const party = partyOf(cryptoOf(this.#desk).sync, contact.changed);
    await this.#desk.record({ t: 'rejected', name: contact.name, party, at: this.#desk.ports.clock.now() });
    return this.#view(typed); // nobody was shown a number to compare by this
  }

  async #repinned(contact: Contact, changed: Changed, fingerprint: string): Promise<Event[]> {
    const { name } = contact;
    const { theirs, accepts: _used, signed: _seen, ...keys } = changed;
    const relation = relationAfter(contact.relation, changed);
    const action: Action | undefined =
      relation === 'open' && theirs !== undefined ? await this.#people.acceptance(name, keys, theirs) : undefined;
    const at = this.#desk.ports.clock.now();
    const events = repinning(this.#desk, this.#gaps, contact, {
      t: 'repinned',
      name,
      keys,
      fingerprint,
      relation,
      at,
      ...(theirs === undefined ? {} : { theirs }),
      ...(action ? { action } : {}),
    });
    if (relation === 'requested') events.push(notice(this.#desk, 'request', name));
    return events;
  }
}

/** What was agreed with the name goes on with its new keys; a request that came with them is answered, or waits. */
function relationAfter(before: Relation, { theirs, accepts }: Changed): Relation {
  if (before === 'open' || before === 'blocked') return before;
  if (before === 'asked') return theirs !== undefined || accepts ? 'open' : 'asked';
  return theirs === undefined ? before : 'requested';
}
