/** What is kept of one user besides what waits for them: the state that a user's records lead to. */
import { ID } from '../../../protocol/index.js';
import type { Account, Attempts, Consent, Grant } from '../store.js';
import type { AccountFile } from './formats.js';
import { Kind, readAccount, readAttempts, readConsent, readGrants } from './records.js';

const NO_ATTEMPTS: Attempts = { count: 0, last: 0 };

export class AccountState {
  /** undefined: there is no account, or none yet */
  account: Account | undefined;
  attempts: Attempts = NO_ATTEMPTS;
  grants: readonly Grant[] = [];
  /** by the other's uid */
  readonly consents = new Map<string, Consent>();

  static from(file: AccountFile): AccountState {
    const state = new AccountState();
    state.account = file.account;
    state.attempts = file.attempts;
    state.grants = file.grants;
    for (const [towards, consent] of file.consents) state.consents.set(towards, consent);
    return state;
  }

  /** What the file is to hold; undefined where there is no account. */
  toFile(lsn: number): AccountFile | undefined {
    const { account, attempts, grants, consents } = this;
    return account && { lsn, account, attempts, grants, consents };
  }

  /** False where this is no record of an account. */
  apply(payload: Uint8Array): boolean {
    switch (payload[0]) {
      case Kind.account:
      case Kind.profile: {
        const account = readAccount(payload);
        if (account) this.account = account;
        return account !== undefined;
      }
      case Kind.attempts: {
        const attempts = readAttempts(payload);
        if (attempts) this.attempts = attempts;
        return attempts !== undefined;
      }
      case Kind.grants: {
        const grants = readGrants(payload);
        if (grants) this.grants = grants;
        return grants !== undefined;
      }
      case Kind.consent: {
        const said = readConsent(payload);
        if (said) this.consents.set(said.towards, said.consent);
        return said !== undefined;
      }
      case Kind.deleted:
        this.account = undefined;
        return payload.length === 1 + ID;
      default:
        return false;
    }
  }

  /** bytes of memory, about */
  get bytes(): number {
    return 2048 + 128 * this.consents.size + 128 * this.grants.length;
  }
}
