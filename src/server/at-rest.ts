/**
 * What the daemon keeps of a user that nobody else should read from a stolen disk or backup of its data: sealed under a key
 * that lies beside the server's, not in the data.
 */
import { concat, KEY, label, NONCE, TAG, type SyncCrypto } from '../../protocol/index.js';

const info = label('at rest');
const SECRET = 32;

export class AtRest {
  readonly #sync: SyncCrypto;
  readonly #secret: Uint8Array;

  /** @param secret 32 bytes of the network's, beside the server's keys */
  constructor(sync: SyncCrypto, secret: Uint8Array) {
    this.#sync = sync;
    this.#secret = sync.hkdf(secret, new Uint8Array(0), info, SECRET);
  }

  /** nonce | AES-128-GCM, under a key of this account's and this use's alone. @param what names the use */
  seal(uid: Uint8Array, what: string, plain: Uint8Array): Uint8Array {
    const nonce = this.#sync.random(NONCE);
    const box = new Uint8Array(plain.length + TAG);
    this.#box(uid, what).seal(nonce, new Uint8Array(0), plain, box, 0);
    return concat(nonce, box);
  }

  /** undefined where it was not sealed with this secret, for this account and use. */
  open(uid: Uint8Array, what: string, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < NONCE + TAG) return undefined;
    return this.#box(uid, what).open(sealed.subarray(0, NONCE), new Uint8Array(0), sealed.subarray(NONCE));
  }

  #box(uid: Uint8Array, what: string) {
    return this.#sync.aead(this.#sync.hkdf(this.#secret, uid, label(`at rest ${what}`), KEY));
  }
}
