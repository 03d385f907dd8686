/**
 * The keys of the network's accounts: nobody else gets one of them, nor one that has a prime in common with one, nor one
 * that the operator lists as compromised (SPEC 6.4).
 *
 * A prime in common is found by the product of all moduli that are known, modulo the new ones: 5.6 µs for each known
 * modulus, in slices of a millisecond, one question after another. That is nothing for strangers, so it is asked behind
 * a budget or a proof, and so many may wait.
 */
import { commonDivisor, modulusNumber, type SyncCrypto } from '../../protocol/index.js';
import type { Store } from '../store/store.js';
import { idKey } from './keys.js';
import type { Limits } from './limits.js';
import { Places } from './places.js';
import { Slices } from './slices.js';
import { Turns } from './turns.js';

/** `listed`: by the operator. `used`: by an account, in either place. `shared`: a prime of an account's key is in it. */
export type KeyRefusal = 'listed' | 'used' | 'shared';
/** `busy`: too many wait. The keys were not looked at. */
export type NotCompared = 'busy';

/** Moduli that `keyProblem` does not refuse. */
export interface Keys {
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
}

/** Who shows keys. What they began is done also where they are gone meanwhile: a proof that came has its effect. */
export interface Asker {
  readonly source: string;
}

/** Moduli in one product: more of them make it slower to add one, fewer make the division no faster. */
const BLOCK = 16;

interface Block {
  /** in the order in which they were begun */
  readonly number: number;
  product: bigint;
  moduli: number;
}

export class KnownKeys {
  readonly #accounts: Store['accounts'];
  readonly #sync: Pick<SyncCrypto, 'sha256'>;
  readonly #isListed: (modulus: Uint8Array) => boolean;
  readonly #limits: Pick<Limits, 'logins' | 'logins-per-source'>;
  /** those in which a modulus is left; only the last one grows */
  readonly #blocks = new Set<Block>();
  #last: Block | undefined;
  #begun = 0;
  /** by modulus: its block, and how many accounts have it, since those of before may share one */
  readonly #known = new Map<string, { readonly block: Block; uses: number }>();
  /** keys that were compared: the first block that may have got more since */
  readonly #seen = new WeakMap<Keys, number>();
  readonly #turns = new Turns();
  readonly #waiting = new Places();
  #loaded: Promise<void> | undefined;

  constructor(
    store: Pick<Store, 'accounts'>,
    sync: Pick<SyncCrypto, 'sha256'>,
    isListed: (modulus: Uint8Array) => boolean,
    limits: Pick<Limits, 'logins' | 'logins-per-source'>,
  ) {
    this.#accounts = () => store.accounts();
    this.#sync = sync;
    this.#isListed = isListed;
    this.#limits = limits;
  }

  /** How many products new keys are divided by. */
  get products(): number {
    return this.#blocks.size;
  }

  /**
   * Whether one of these very keys is listed, or an account's: two look-ups by hash, for whoever has proven nothing yet.
   * The first call of any reads all accounts, and all wait for it.
   * @throws StorageError
   */
  async equal(keys: Keys): Promise<KeyRefusal | undefined> {
    await this.#ready();
    return this.#found(keys);
  }

  /**
   * Why these can't be the keys of an account; undefined: they can.
   * @param keys not changed by the caller afterwards
   * @param asker of whom, and of all together, so many may wait as may log in
   * @throws StorageError
   */
  async refusal(keys: Keys, asker: Asker): Promise<KeyRefusal | NotCompared | undefined> {
    const { logins, 'logins-per-source': each } = this.#limits;
    if (!this.#waiting.take(asker.source, logins, each)) return 'busy';
    try {
      return await this.#inTurn(async () => {
        const refused = this.#found(keys) ?? (await this.#shares(keys));
        if (!refused) this.#seen.set(keys, this.#last?.number ?? this.#begun);
        return refused;
      });
    } finally {
      this.#waiting.give(asker.source);
    }
  }

  /**
   * The same question, and where the answer is undefined these keys are an account's from here on: of two claims at once
   * one gets them. To be called where the account is made or changed, with the object that `refusal` got: it is held
   * only against what came since. Whoever does not make the account, or takes keys from one, calls `release`.
   */
  claim(keys: Keys): Promise<KeyRefusal | undefined> {
    return this.#inTurn(async () => {
      const refused = this.#found(keys) ?? (await this.#shares(keys));
      if (!refused) this.#add(keys);
      return refused;
    });
  }

  /** No account has these any more. */
  release(keys: Keys): Promise<void> {
    return this.#turns.inTurn('', () => {
      for (const modulus of [keys.enc, keys.sig]) this.#remove(modulus);
      return Promise.resolve();
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.#ready();
    return this.#turns.inTurn('', work);
  }

  /** Once; where it failed, again at the next question. */
  #ready(): Promise<void> {
    this.#loaded ??= this.#turns
      .inTurn('', () => this.#load())
      .catch((error: unknown) => {
        this.#loaded = undefined;
        throw error;
      });
    return this.#loaded;
  }

  async #load(): Promise<void> {
    this.#blocks.clear();
    this.#known.clear();
    this.#last = undefined;
    const slices = new Slices();
    for await (const account of this.#accounts()) {
      this.#add(account);
      await slices.pause();
    }
  }

  /** 16 bytes of a hash: whoever finds two moduli with the same is refused the second one. */
  #key(modulus: Uint8Array): string {
    return idKey(this.#sync.sha256(modulus), 0, 16);
  }

  #found({ enc, sig }: Keys): KeyRefusal | undefined {
    if (this.#isListed(enc) || this.#isListed(sig)) return 'listed';
    return this.#known.has(this.#key(enc)) || this.#known.has(this.#key(sig)) ? 'used' : undefined;
  }

  async #shares(keys: Keys): Promise<KeyRefusal | undefined> {
    const [enc, sig] = [modulusNumber(keys.enc), modulusNumber(keys.sig)];
    const both = enc * sig;
    const slices = new Slices();
    const since = this.#seen.get(keys) ?? 0;
    let product = 1n;
    for (const block of this.#blocks) {
      if (block.number < since) continue;
      product = (product * (block.product % both)) % both;
      await slices.pause();
    }
    const isAlone = (n: bigint): boolean => commonDivisor(product % n, n) === 1n;
    return isAlone(enc) && isAlone(sig) ? undefined : 'shared';
  }

  #add(keys: Keys): void {
    for (const modulus of [keys.enc, keys.sig]) {
      const key = this.#key(modulus);
      const known = this.#known.get(key);
      const number = modulusNumber(modulus);
      if (known) known.uses++;
      else if (number !== 0n) this.#multiply(key, number); // zeros, from a folder, would be a multiple of everything
    }
  }

  #multiply(key: string, number: bigint): void {
    let block = this.#last;
    if (!block || block.moduli === BLOCK) {
      block = { number: this.#begun++, product: 1n, moduli: 0 };
      this.#blocks.add(block);
      this.#last = block;
    }
    block.product *= number;
    block.moduli++;
    this.#known.set(key, { block, uses: 1 });
  }

  #remove(modulus: Uint8Array): void {
    const key = this.#key(modulus);
    const known = this.#known.get(key);
    if (!known || --known.uses > 0) return;
    this.#known.delete(key);
    const { block } = known;
    block.product /= modulusNumber(modulus);
    /* Whoever renews their keys for ever would otherwise leave a product of nothing behind each time. */
    if (--block.moduli > 0) return;
    this.#blocks.delete(block);
    if (this.#last === block) this.#last = undefined;
  }
}
