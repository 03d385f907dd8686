/** What somebody does with their own account: new keys, and its end (SPEC 6.13, 6.14). */
import {
  keyProblem,
  Label,
  RANDOM,
  renewalMac,
  samePublic,
  signFormer,
  signKeyBundle,
  structs,
  SUITE_RSA,
  utf8,
} from '../../protocol/index.js';
import { isFailure } from './answers.js';
import { cryptoOf, notice, stateOf, type Desk } from './desk.js';
import { ClientError, error } from './errors.js';
import type { Gaps } from './gaps.js';
import {
  DELETION_FILE,
  IDENTITY_FILE,
  KEYS_FILE,
  NEXT_FILE,
  openIdentity,
  sealIdentity,
  unlockIdentity,
  type Me,
  type Secrets,
  type Stretched,
} from './identity.js';
import type { Link } from './link.js';
import { read } from './login.js';
import { torn } from './pins.js';
import { proofFor, proofRefusal } from './proof.js';
import type { Event } from './reducer.js';
import type { Session } from './session.js';
import { mustBeSettled } from './unsettled.js';

const RENEWAL = 'the new keys';
const DELETION = 'to delete the account';

export interface OwnAccountParts {
  readonly desk: Desk;
  readonly gaps: Gaps;
  readonly session: Session;
  /** what came is in, and what is to go has gone as far as it can now */
  readonly settled: () => Promise<void>;
  /** these keys are the account's own from now on */
  readonly become: (me: Me) => void;
  /** the account is no more */
  readonly gone: () => void;
}

/** Keys of which nobody knows whether the daemon has them. */
export interface NextKeys {
  readonly me: Me;
  /** the file, as it is */
  readonly sealed: Uint8Array;
}

/** What was begun before this start. */
export interface Begun {
  readonly next: NextKeys | undefined;
  /** the daemon was asked to delete the account */
  readonly isDeleting: boolean;
}

/** What a person types for something that a session alone is not enough for. */
export interface Typed extends Secrets {
  readonly code?: string;
}

export class OwnAccount {
  readonly #parts: OwnAccountParts;
  #next: NextKeys | undefined;
  #isDeleting: boolean;
  #adopting: Promise<void> | undefined;

  constructor(parts: OwnAccountParts, { next, isDeleting }: Begun) {
    this.#parts = parts;
    this.#next = next;
    this.#isDeleting = isDeleting;
  }

  get next(): Me | undefined {
    return this.#next?.me;
  }

  // ---- what is asked for

  /**
   * New keys, signed with those of now. They are on the disk before the daemon is asked: whichever it has when an answer
   * is lost, a login with them works.
   * @throws ClientError
   */
  renew(typed: Typed): Promise<void> {
    return this.#parts.desk.inOwnTurn(() => this.#renew(typed));
  }

  async #renew(typed: Typed): Promise<void> {
    const { desk, session, settled } = this.#parts;
    await mustBeSettled(desk, NEXT_FILE);
    const unlocked = await this.#unlock(typed);
    const proof = await proofFor(session, typed.code);
    await settled();
    if (stateOf(desk).actions.size > 0) throw error('renewal-busy');
    const link = this.#link();
    const isNew = this.#next === undefined;
    const next = this.next ?? (await this.#draw());
    const first = await link.request(structs.rkey1, { enc: next.enc.modulus, sig: next.sig.modulus });
    if (first.isError) throw proofRefusal(first, session, typed.code, RENEWAL);
    const values = await this.#proofs(link, next, read(first, structs.rkey1Answer).block);
    if (isNew) await this.#keep(next, unlocked.stretched);
    const second = await link.request(structs.rkey2, { ...proof, ...values });
    if (second.isError) {
      /* Where the daemon only failed it may have told somebody: the same keys are tried again. */
      if (isFailure(second.code)) await this.unadopted();
      else if (isNew) await this.#drop();
      throw proofRefusal(second, session, typed.code, RENEWAL);
    }
    await this.adopt();
    await session.again();
  }

  async #draw(): Promise<Me> {
    const { desk } = this.#parts;
    const { keys } = desk.ports.crypto;
    const [enc, sig] = await Promise.all([keys.generate(), keys.generate()]);
    const problem = keyProblem({ enc: enc.modulus, sig: sig.modulus });
    if (problem) throw error('weak-keys', problem);
    return { ...desk.me, enc, sig };
  }

  async #proofs(link: Link, next: Me, block: Uint8Array) {
    const { desk } = this.#parts;
    const ports = cryptoOf(desk);
    const p = await ports.asymmetric.oaepOpen(next.enc, Label.pop, block);
    if (p?.length !== RANDOM) throw error('protocol', 'rkey');
    const { uid, name, enc, sig } = next;
    const bundle = await signKeyBundle(ports, sig, {
      uid,
      name,
      enc: enc.modulus,
      sig: sig.modulus,
      time: desk.ports.clock.now(),
      suite: SUITE_RSA,
    });
    const { time, suite, signature } = bundle;
    const former = await signFormer(ports, desk.me.sig, bundle);
    return { mac: renewalMac(ports.sync, p, link.th2, bundle), time, suite, signature, former };
  }

  /**
   * Deletes the account, for good. Resolves when the daemon did, be it that it says so or that it knows nobody of the name
   * afterwards.
   * @throws ClientError
   */
  remove(typed: Typed): Promise<void> {
    return this.#parts.desk.inOwnTurn(() => this.#remove(typed));
  }

  async #remove(typed: Typed): Promise<void> {
    const { desk, session, gone } = this.#parts;
    const { storage } = desk.ports;
    await this.#unlock(typed);
    const proof = await proofFor(session, typed.code);
    const link = this.#link();
    this.#isDeleting = true;
    await storage.replace(DELETION_FILE, utf8('{"format":1}\n'));
    const reply = await link.request(structs.dlac, proof).catch((thrown: unknown) => {
      if (thrown instanceof ClientError) return undefined; // the answer was lost
      throw thrown;
    });
    const done = reply ? !reply.isError : await this.#isRefused();
    if (done) {
      gone();
      return;
    }
    await this.#notDeleted();
    throw reply ? proofRefusal(reply, session, typed.code, DELETION) : (session.trouble ?? error('disconnected'));
  }

  /** The account is there: whatever was asked of the daemon before, it did not delete it. */
  async loggedIn(): Promise<void> {
    if (this.#isDeleting) await this.#parts.desk.inOwnTurn(() => this.#notDeleted());
  }

  async #notDeleted(): Promise<void> {
    if (!this.#isDeleting) return;
    await this.#parts.desk.ports.storage.remove(DELETION_FILE);
    this.#isDeleting = false;
  }

  /** The login is refused: there is no such account any more. */
  async #isRefused(): Promise<boolean> {
    try {
      await this.#parts.session.again();
      return false;
    } catch (thrown) {
      if (thrown instanceof ClientError && thrown.code === 'login-refused') return true;
      throw thrown; // it is not known: the file stays, and the same is asked again
    }
  }

  #link(): Link {
    const { link, trouble } = this.#parts.session;
    if (!link) throw trouble ?? error('offline');
    return link;
  }

  /** Whoever asks knows password and words: a session that is open is not enough. */
  async #unlock(secrets: Secrets): Promise<{ readonly me: Me; readonly stretched: Stretched }> {
    const { crypto, storage, linked } = this.#parts.desk.ports;
    const file = await storage.read(IDENTITY_FILE);
    if (!file) throw error('damaged-identity');
    return unlockIdentity(crypto, linked.network, file, secrets);
  }

  // ---- the keys that are to be

  async #keep(me: Me, stretched: Stretched): Promise<void> {
    const { desk } = this.#parts;
    const { crypto, storage, linked } = desk.ports;
    await mustBeSettled(desk, NEXT_FILE);
    const sealed = sealIdentity(crypto, linked.network, me, stretched);
    await storage.replace(KEYS_FILE, sealed);
    this.#next = { me, sealed };
  }

  async #drop(): Promise<void> {
    this.#next = undefined;
    await this.#parts.desk.ports.storage.remove(KEYS_FILE);
  }

  /** The daemon has the next keys: they are ours. What was under way under the former ones is put right first. */
  adopt(): Promise<void> {
    const { desk } = this.#parts;
    /* In turn: what contacts write for them is handled when they are ours and the counts have begun anew. */
    this.#adopting ??= desk.inTurn(() => this.#adopt()).finally(() => (this.#adopting = undefined));
    return this.#adopting;
  }

  async #adopt(): Promise<void> {
    const next = this.#next;
    if (!next) return;
    const { desk } = this.#parts;
    const { storage } = desk.ports;
    await mustBeSettled(desk, NEXT_FILE);
    if (desk.me !== next.me) await this.#become(next.me);
    await storage.replace(IDENTITY_FILE, next.sealed);
    await this.#drop();
  }

  /** Once: the counts do not begin anew again where the disk fails behind it, and the next login tries once more. */
  async #become(next: Me): Promise<void> {
    const { desk, gaps, become } = this.#parts;
    const state = stateOf(desk);
    const at = desk.ports.clock.now();
    const missing = [...state.contacts.values()].flatMap((contact) => (contact.ahead ? [] : gaps.ofContact(contact)));
    const again = new Map<string, number>();
    for (const { to } of torn(state)) again.set(to, (again.get(to) ?? 0) + 1);
    const events: Event[] = [
      ...missing,
      { t: 'rekeyed', at },
      ...[...again].map(([to, count]) => notice(desk, 'send-again', to, String(count))),
      notice(desk, 'renewal-done', ''),
    ];
    become(next);
    await desk.record(...events);
  }

  /** The daemon has the former ones still, and somebody may know the next ones already: told once. */
  async unadopted(): Promise<void> {
    const { desk } = this.#parts;
    const key = 'renewal-open';
    if (!stateOf(desk).notices.has(key)) await desk.record(notice(desk, 'renewal-open', '', '', key));
  }
}

/**
 * The identity with other keys that lies beside the present one; one that is the present one by now is removed.
 * Secrets do not change while there is one: what opens the one opens the other.
 */
export async function nextIdentity(ports: Desk['ports'], secrets: Secrets): Promise<NextKeys | undefined> {
  const { crypto, storage, linked } = ports;
  const file = await storage.read(KEYS_FILE);
  if (!file) return undefined;
  const present = await storage.read(IDENTITY_FILE);
  if (present && samePublic(present, file)) {
    await storage.remove(KEYS_FILE);
    return undefined;
  }
  return { me: await openIdentity(crypto, linked.network, file, secrets), sealed: file };
}
