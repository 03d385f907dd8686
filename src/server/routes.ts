/** Whether one user may write to another: both have to have asked or accepted (SPEC 7.1). */
import { ID } from '../../protocol/index.js';
import type { Consent, Store } from '../store/store.js';
import { idKey } from './keys.js';

/** Pairs kept in memory; beyond it the oldest are read again when needed. */
const CACHED = 50_000;

export class Routes {
  readonly #store: Store;
  /** by sender uid | recipient uid, 32 characters, as the two stand in an envelope */
  readonly #open = new Map<string, boolean>();
  /** Changes so far: what was read before one is not kept after it. */
  #changes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** undefined: not in memory, ask `load`. */
  known(pair: string): boolean | undefined {
    return this.#open.get(pair);
  }

  async load(pair: string): Promise<boolean> {
    const from = Buffer.from(pair.slice(0, ID), 'latin1');
    const to = Buffer.from(pair.slice(ID), 'latin1');
    const changes = this.#changes;
    const [there, back] = await Promise.all([this.says(from, to), this.says(to, from)]);
    const open = there && back;
    if (changes !== this.#changes) return open;
    if (this.#open.size >= CACHED) {
      const oldest = this.#open.keys().next();
      if (!oldest.done) this.#open.delete(oldest.value);
    }
    this.#open.set(pair, open);
    return open;
  }

  /** Whether one's word about another is open. What was said before a recovery is not, also where nobody has closed it yet. */
  async says(of: Uint8Array, towards: Uint8Array): Promise<boolean> {
    if ((await this.#store.consent(of, towards)) !== 'open') return false;
    return (await this.#store.accountByUid(of))?.security.unsettled === false;
  }

  /** An account that is no more. */
  forget(uidKey: string): void {
    this.#changes++;
    for (const pair of this.#open.keys()) if (pair.startsWith(uidKey) || pair.endsWith(uidKey)) this.#open.delete(pair);
  }

  async setConsent(of: Uint8Array, towards: Uint8Array, consent: Consent): Promise<void> {
    const forget = (): void => {
      this.#changes++;
      this.#open.delete(idKey(of) + idKey(towards));
      this.#open.delete(idKey(towards) + idKey(of));
    };
    /* Before, so that a block holds at once; after, lest a load in between kept the old state. */
    forget();
    await this.#store.setConsent(of, towards, consent);
    forget();
  }
}
