/**
 * Codes that let somebody in to register, once (SPEC 6.10). Who has the network's keys draws them; nothing is written, since
 * a code shows itself that it was drawn so, and until when it counts.
 */
import { concat, INVITATION_CODE, label, readUint, writeUint, type SyncCrypto } from '../../protocol/index.js';
import type { UsedInvitation } from '../store/store.js';

const info = label('invitation code');
const SECRET = 32;
/** hours since 1970 */
const EXPIRY = 3;
const RANDOM = 5;
const MAC = INVITATION_CODE - EXPIRY - RANDOM;
const HOUR = 3600_000;

export class Invitations {
  readonly #sync: SyncCrypto;
  readonly #secret: Uint8Array;

  /** @param secret 32 bytes of the network's, beside the server's keys */
  constructor(sync: SyncCrypto, secret: Uint8Array) {
    this.#sync = sync;
    this.#secret = sync.hkdf(secret, new Uint8Array(0), info, SECRET);
  }

  /** A new one. @param until ms since 1970; it counts to the end of that hour */
  draw(until: number): { readonly code: Uint8Array; readonly ends: number } {
    const hours = Math.ceil(until / HOUR);
    const expiry = new Uint8Array(EXPIRY);
    writeUint(expiry, 0, EXPIRY, hours);
    const head = concat(expiry, this.#sync.random(RANDOM));
    return { code: concat(head, this.#mac(head)), ends: hours * HOUR };
  }

  /** What it stands for, used already or not; undefined where nobody drew it, or it has ended. @param now ms since 1970 */
  read(code: Uint8Array, now: number): UsedInvitation | undefined {
    if (code.length !== INVITATION_CODE) return undefined;
    const head = code.subarray(0, EXPIRY + RANDOM);
    const isDrawn = this.#sync.equal(this.#mac(head), code.subarray(EXPIRY + RANDOM));
    const ends = readUint(head, 0, EXPIRY) * HOUR;
    return isDrawn && ends > now ? { id: new Uint8Array(code), ends } : undefined;
  }

  #mac(head: Uint8Array): Uint8Array {
    return this.#sync.hmac(this.#secret, head).subarray(0, MAC);
  }
}
