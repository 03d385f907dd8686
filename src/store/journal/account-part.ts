/** One user's account in use: what a change makes is a record of the journal. */
import { MAX_GRANTS, type Account, type Attempts, type Consent, type Grant } from '../store.js';
import type { AccountState } from './account.js';
import type { Changes } from './changes.js';
import type { Part } from './pool.js';
import { attemptsRecord, consentRecord, grantsRecord, idBytes, latin1, profileRecord, readAccount } from './records.js';

export class AccountPart implements Part {
  readonly #uid: string;
  readonly #state: AccountState;
  readonly #changes: Changes;

  constructor(uid: string, state: AccountState, changes: Changes) {
    this.#uid = uid;
    this.#state = state;
    this.#changes = changes;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  account(): Promise<Account | undefined> {
    return this.#changes.read(() => this.#state.account);
  }

  /** Puts what `change` makes of the account in its place; undefined: nothing was changed. */
  async change(change: (account: Account) => Account | undefined): Promise<Account | undefined> {
    const before = this.#state.account;
    const made = before && change(before);
    if (!made) {
      // Refused for what it rests on; if that is undone, it may not be.
      return (await this.#changes.settled()) ? undefined : this.change(change);
    }
    const record = profileRecord({ ...made, uid: before.uid, name: before.name, created: before.created });
    const after = readAccount(record);
    if (!after) throw new Error('store: an account can’t be read again');
    this.#state.account = after;
    await this.#changes.append(record, () => {
      this.#state.account = before;
    });
    return after;
  }

  attempts(): Promise<Attempts> {
    return this.#changes.read(() => this.#state.attempts);
  }

  async setAttempts(change: (before: Attempts) => Attempts): Promise<Attempts> {
    const before = this.#state.attempts;
    const after = change(before);
    if (after.count === before.count && after.last === before.last) {
      // Nothing to do now; if what it rests on is undone, there is.
      return (await this.#changes.settled()) ? before : this.setAttempts(change);
    }
    this.#state.attempts = after;
    await this.#changes.append(attemptsRecord(this.#uid, after), () => {
      this.#state.attempts = before;
    });
    return after;
  }

  grants(): Promise<readonly Grant[]> {
    return this.#changes.read(() => this.#state.grants);
  }

  /** Keeps this one and drops those that ended before `now`. */
  saveGrant(grant: Grant, now: number): Promise<void> {
    const others = this.#state.grants.filter((other) => other.ends >= now && !isSame(other.hash, grant.hash));
    return this.#setGrants([...others, grant].slice(-MAX_GRANTS));
  }

  async revokeGrant(hash: Uint8Array): Promise<void> {
    const left = this.#state.grants.filter((grant) => !isSame(grant.hash, hash));
    if (left.length < this.#state.grants.length) return this.#setGrants(left);
    return (await this.#changes.settled()) ? undefined : this.revokeGrant(hash);
  }

  async #setGrants(grants: readonly Grant[]): Promise<void> {
    const before = this.#state.grants;
    this.#state.grants = grants;
    await this.#changes.append(grantsRecord(this.#uid, grants), () => {
      this.#state.grants = before;
    });
  }

  consent(towards: Uint8Array): Promise<Consent | undefined> {
    const key = latin1(towards);
    return this.#changes.read(() => this.#state.consents.get(key));
  }

  openTowards(): Promise<readonly Uint8Array[]> {
    return this.#changes.read(() =>
      [...this.#state.consents].flatMap(([towards, consent]) => (consent === 'open' ? [idBytes(towards)] : [])),
    );
  }

  async setConsent(towards: Uint8Array, consent: Consent): Promise<void> {
    const { consents } = this.#state;
    const key = latin1(towards);
    const before = consents.get(key);
    if (before === consent) return (await this.#changes.settled()) ? undefined : this.setConsent(towards, consent);
    consents.set(key, consent);
    await this.#changes.append(consentRecord(this.#uid, key, consent), () => {
      if (before === undefined) consents.delete(key);
      else consents.set(key, before);
    });
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
