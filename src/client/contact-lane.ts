/** Texts and receipts to a contact: an envelope for each part, in `smpu`. */
import { Code, ENVELOPE, fromHex, partFrameId, structs, type Values } from '../../protocol/index.js';
import { stateOf, type Desk } from './desk.js';
import { error, type ClientError } from './errors.js';
import type { Carried, Lane, Refusal } from './lane.js';
import { sealedPart } from './outgoing.js';
import { otherName } from './people.js';
import { sealDraft, type Draft, type Sealed } from './sealing.js';
import type { Contact, Outgoing } from './state.js';

export class ContactLane implements Lane {
  readonly #desk: Desk;
  /** whether something must come first: the queue of the login, the answer to a command about this contact */
  readonly #busy: (name: string) => boolean;

  constructor(desk: Desk, busy: (name: string) => boolean) {
    this.#desk = desk;
    this.#busy = busy;
  }

  #contact(to: string): Contact | undefined {
    return stateOf(this.#desk).contacts.get(to);
  }

  destination(typed: string): string {
    return otherName(this.#desk, typed);
  }

  mayWrite(to: string): void {
    const contact = this.#contact(to);
    if (!contact) throw error('never-asked', to);
    if (contact.changed) throw error('changed', to);
    switch (contact.relation) {
      case 'open':
      case 'asked':
        return;
      case 'requested':
        throw error('accept-first', to);
      case 'refused':
        throw error('declined', to);
      case 'blocked':
        throw error('blocked', to);
      case 'declined':
        throw error('never-asked', to);
    }
  }

  isOpen(to: string): boolean {
    const contact = this.#contact(to);
    return contact?.relation === 'open' && !contact.changed;
  }

  async seal(to: string, draft: Draft): Promise<Sealed | undefined> {
    const contact = this.#contact(to);
    if (!contact) return undefined;
    const { me } = this.#desk;
    const sealed = await sealDraft(this.#desk, contact, draft);
    /* Whose keys have become others meanwhile, theirs or ours: it is sealed anew, in its turn. */
    const isSame = this.#contact(to)?.keys?.enc === contact.keys?.enc && this.#desk.me === me;
    return this.isOpen(to) && isSame ? sealed : undefined;
  }

  /** What was sealed for former keys has failed, and is not sealed again by itself (SPEC 7.6). */
  isStale(): boolean {
    return false;
  }

  sealAnew(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  mayGo(to: string): boolean {
    return this.isOpen(to) && !this.#busy(to);
  }

  /** Only the other's answer opens it. */
  wake(): boolean {
    return false;
  }

  carry(entry: Outgoing, part: number): Carried {
    const values: Values<typeof structs.smpu> = { envelope: sealedPart(entry, part, ENVELOPE) };
    return { struct: structs.smpu, values, frameId: partFrameId(fromHex(entry.id), part) };
  }

  /** Not in an accepted conversation, or not any more: kept, and tried again. */
  onRefusal(_to: string, code: number): Refusal {
    return code === Code.forbidden ? 'hold' : 'fail';
  }

  held(to: string): ClientError {
    return error(this.#contact(to)?.changed ? 'changed' : 'not-accepted', to);
  }

  refused(to: string): ClientError {
    return error('not-taken', to);
  }
}
