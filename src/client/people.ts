/** The contact book: asking, accepting, declining, blocking, and pinned keys (SPEC 7). */
import {
  encodeFields,
  fromHex,
  hex,
  requestHash,
  samePublic,
  signAcceptance,
  signRequest,
  structs,
  SUITE_RSA,
  toName,
  verifyAcceptance,
  verifyRequest,
  type Acceptance,
  type Request,
  type Values,
} from '../../protocol/index.js';
import { cryptoOf, newId, notice, stateOf, type Desk } from './desk.js';
import { error } from './errors.js';
import { partyOf } from './pins.js';
import type { Event } from './reducer.js';
import {
  contactByUid,
  CONTACTS_MAX,
  REQUESTS_MAX,
  type Action,
  type Changed,
  type Contact,
  type Keys,
  type Relation,
} from './state.js';

/** @throws ClientError `bad-name`, `self` */
export function otherName(desk: Desk, typed: string): string {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  if (name === desk.me.name) throw error('self');
  return name;
}

export function sameKeys(a: Keys, b: Keys): boolean {
  return a.uid === b.uid && a.enc === b.enc && a.sig === b.sig;
}

export function keysOf(bundle: { readonly uid: Uint8Array; readonly enc: Uint8Array; readonly sig: Uint8Array }): Keys {
  return { uid: hex(bundle.uid), enc: hex(bundle.enc), sig: hex(bundle.sig) };
}

/** Whether the hash is that of a request of ours to this contact. */
function isOurs(contact: Contact | undefined, hash: Uint8Array): boolean {
  const text = hex(hash);
  return contact?.request === text || contact?.earlier?.includes(text) === true;
}

export class People {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  #contact(name: string): Contact | undefined {
    return stateOf(this.#desk).contacts.get(name);
  }

  #now(): number {
    return this.#desk.ports.clock.now();
  }

  #bundle() {
    const { me } = this.#desk;
    return {
      uid: me.uid,
      name: me.name,
      enc: me.enc.modulus,
      sig: me.sig.modulus,
      time: this.#now(),
      suite: SUITE_RSA,
    };
  }

  /** What was asked, with the frame to wait for; no frame where nothing had to be sent. */
  async add(typed: string): Promise<{ name: string; relation: Relation; frame?: string }> {
    const name = otherName(this.#desk, typed);
    const known = this.#contact(name);
    if (known?.changed) throw error('changed', name);
    if (known?.relation === 'open') return { name, relation: 'open' };
    if (known?.relation === 'requested') return this.accept(name);
    if (known?.relation === 'asked') {
      const pending = [...stateOf(this.#desk).actions.values()].find(
        (one) => one.name === name && one.command === 'jmpu',
      );
      return { name, relation: 'asked', ...(pending ? { frame: pending.frame } : {}) };
    }
    if (!known) this.#mustHavePlace();
    const request = await signRequest(cryptoOf(this.#desk), this.#desk.me.sig, { to: name, ...this.#bundle() });
    const hash = hex(requestHash(cryptoOf(this.#desk).sync, request));
    const action = this.#action('jmpu', name, encodeFields(structs.jmpu, request));
    await this.#desk.record({ t: 'asked', name, hash, action, at: this.#now() });
    return { name, relation: 'asked', frame: action.frame };
  }

  #requests(): number {
    let count = 0;
    for (const { relation } of stateOf(this.#desk).contacts.values()) if (relation === 'requested') count++;
    return count;
  }

  #mustHavePlace(): void {
    const taken = stateOf(this.#desk).contacts.size - this.#requests();
    if (taken >= CONTACTS_MAX) throw error('contacts-full', String(CONTACTS_MAX));
  }

  #action(command: Action['command'], name: string, fields: Uint8Array): Action {
    return { frame: newId(this.#desk), command, name, fields: hex(fields) };
  }

  async accept(typed: string): Promise<{ name: string; relation: Relation; frame?: string }> {
    const name = otherName(this.#desk, typed);
    const known = this.#contact(name);
    if (known?.relation === 'open') return { name, relation: 'open' };
    if (known?.changed) throw error('changed', name);
    if (known?.relation !== 'requested' || !known.keys || known.theirs === undefined) throw error('no-request', name);
    this.#mustHavePlace();
    const action = await this.acceptance(name, known.keys, known.theirs);
    await this.#desk.record({ t: 'opened', name, keys: known.keys, action, at: this.#now() });
    return { name, relation: 'open', frame: action.frame };
  }

  /** Tells them that we agree with their request. */
  async acceptance(name: string, keys: Keys, theirs: string): Promise<Action> {
    const acceptance = await signAcceptance(cryptoOf(this.#desk), this.#desk.me.sig, {
      to: fromHex(keys.uid),
      request: fromHex(theirs),
      ...this.#bundle(),
    });
    return this.#action('ampu', name, encodeFields(structs.ampu, acceptance));
  }

  async decline(typed: string): Promise<{ name: string; relation: Relation; frame?: string }> {
    const name = otherName(this.#desk, typed);
    const known = this.#contact(name);
    if (known?.relation !== 'requested' || !known.keys || known.theirs === undefined) throw error('no-request', name);
    const fields = { to: fromHex(known.keys.uid), request: fromHex(known.theirs) };
    const action = this.#action('dmpu', name, encodeFields(structs.dmpu, fields));
    await this.#desk.record({ t: 'closed', name, relation: 'declined', action, at: this.#now() });
    return { name, relation: 'declined', frame: action.frame };
  }

  async block(typed: string): Promise<{ name: string; relation: Relation; frame?: string }> {
    const name = otherName(this.#desk, typed);
    const known = this.#contact(name);
    if (known?.relation === 'blocked') return { name, relation: 'blocked' };
    if (!known) throw error('never-asked', name);
    const blocked = this.#blocked(name, known.keys);
    await this.#desk.record(blocked);
    return { name, relation: 'blocked', ...(blocked.action ? { frame: blocked.action.frame } : {}) };
  }

  /** Where they have not answered yet nobody knows their uid: the daemon is told when they do. */
  #blocked(name: string, keys: Keys | undefined): Extract<Event, { t: 'closed' }> {
    const closed = { t: 'closed', name, relation: 'blocked', at: this.#now() } as const;
    if (!keys) return closed;
    const action = this.#action('bloc', name, encodeFields(structs.bloc, { uid: fromHex(keys.uid) }));
    return { ...closed, action };
  }

  /** Nothing of somebody who is blocked is taken or shown; undefined where nobody is. */
  ofBlocked(name: string, keys: Keys): Event[] | undefined {
    const state = stateOf(this.#desk);
    const known = [state.contacts.get(name), contactByUid(state, keys.uid)].find((one) => one?.relation === 'blocked');
    if (!known) return undefined;
    if (known.keys || known.name !== name) return [];
    return [{ t: 'pinned', name, keys }, this.#blocked(name, keys)];
  }

  /** A known name or uid with other keys; nothing else of what came is believed then. */
  keysChanged(name: string, keys: Keys, came: Omit<Changed, keyof Keys>): Event[] | undefined {
    const state = stateOf(this.#desk);
    const others = new Set([state.contacts.get(name), contactByUid(state, keys.uid)]);
    const events: Event[] = [];
    let changed = false;
    for (const known of others) {
      if (!known?.keys || (known.name === name && sameKeys(known.keys, keys))) continue;
      changed = true;
      /* What came with the same keys before still does. */
      const before = known.changed && sameKeys(known.changed, keys) ? known.changed : undefined;
      const news: Changed = known.name === name ? { ...before, ...keys, ...came } : keys;
      if (before && (['theirs', 'accepts', 'signed'] as const).every((each) => before[each] === news[each])) continue;
      events.push({ t: 'changed', name: known.name, keys: news });
      if (this.#newlyChanged(known, keys))
        events.push(notice(this.#desk, 'changed', known.name, news.signed ? 'signed' : ''));
    }
    return changed ? events : undefined;
  }

  /** Told once, since nothing is sent to them already; and again where a person has looked at others since. */
  #newlyChanged({ changed, shown }: Contact, keys: Keys): boolean {
    if (!changed) return true;
    return !sameKeys(changed, keys) && shown === partyOf(cryptoOf(this.#desk).sync, changed);
  }

  /** Told once, however often the same bytes come. */
  unreadable(name: string, what: string, fields: Uint8Array): Event[] {
    if (this.#contact(name)?.relation === 'blocked') return [];
    const key = hex(cryptoOf(this.#desk).sync.sha256(fields));
    return stateOf(this.#desk).notices.has(key) ? [] : [notice(this.#desk, 'unreadable', name, what, key)];
  }

  /** Somebody asks (event rjmp). */
  async onRequest(request: Request): Promise<Event[]> {
    const { me } = this.#desk;
    const { name } = request;
    const isMine = name === me.name || samePublic(request.uid, me.uid);
    if (request.to !== me.name || isMine || !(await verifyRequest(cryptoOf(this.#desk), request)))
      return this.unreadable(name, 'request', encodeFields(structs.jmpu, request));
    const keys = keysOf(request);
    const blocked = this.ofBlocked(name, keys);
    if (blocked) return blocked;
    const hash = hex(requestHash(cryptoOf(this.#desk).sync, request));
    if (stateOf(this.#desk).declined.has(hash)) return [];
    const changed = this.keysChanged(name, keys, { theirs: hash });
    if (changed) return changed;
    const known = this.#contact(name);
    const at = this.#now();
    if (known?.theirs === hash) return [];
    if (known?.relation === 'asked' || known?.relation === 'open') {
      /* Both asked, which is agreement; or they lost ours. Either way they are told. */
      const action = await this.acceptance(name, keys, hash);
      const opened: Event = { t: 'opened', name, keys, action, theirs: hash, at };
      return known.relation === 'open' ? [opened] : [opened, notice(this.#desk, 'accepted', name)];
    }
    if (known?.relation !== 'requested' && this.#requests() >= REQUESTS_MAX) {
      this.#desk.ports.log('a request was dropped: too many wait for an answer');
      return [];
    }
    return [{ t: 'requested', name, keys, hash, at }, notice(this.#desk, 'request', name)];
  }

  /** Somebody accepted (event ramp). */
  async onAcceptance(acceptance: Acceptance): Promise<Event[]> {
    const { name } = acceptance;
    const known = this.#contact(name);
    const { uid } = this.#desk.me;
    const ours = samePublic(acceptance.to, uid) && isOurs(known, acceptance.request);
    if (
      !known ||
      !ours ||
      samePublic(acceptance.uid, uid) ||
      !(await verifyAcceptance(cryptoOf(this.#desk), acceptance))
    )
      return this.unreadable(name, 'acceptance', encodeFields(structs.ampu, acceptance));
    const keys = keysOf(acceptance);
    const blocked = this.ofBlocked(name, keys);
    if (blocked) return blocked;
    const changed = this.keysChanged(name, keys, { accepts: true });
    if (changed) return changed;
    if (known.relation !== 'asked') return []; // crossing requests opened it
    return [{ t: 'opened', name, keys, at: this.#now() }, notice(this.#desk, 'accepted', name)];
  }

  /** Somebody declined (event rdmp). */
  onDecline(values: Values<(typeof structs)['rdmp']>): Event[] {
    const { name } = values;
    const known = this.#contact(name);
    if (known?.relation !== 'asked' || !isOurs(known, values.request)) return [];
    return [{ t: 'closed', name, relation: 'refused', at: this.#now() }, notice(this.#desk, 'declined', name)];
  }
}
