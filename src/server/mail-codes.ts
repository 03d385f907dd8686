/** Codes that were sent by mail and wait to be typed: in memory, a few minutes each, one for an account at an address. */
import { hex, utf8, type SyncCrypto } from '../../protocol/index.js';
import { CODE_TRIES } from './limits.js';

/** A mail may take its time. In ms. */
const LASTS_MS = 10 * 60_000;
const DIGITS = 8;
/** Codes that wait at once; beyond it the oldest goes. */
const MOST = 10_000;

/** Whom a code is about, and where it goes: it says nothing of the same account at another address. */
export interface Addressee {
  readonly uid: Uint8Array;
  /** as `readEmail` gives it */
  readonly email: string;
}

interface Waiting {
  readonly hash: Uint8Array;
  readonly ends: number;
  tries: number;
}

export class MailCodes {
  readonly #sync: SyncCrypto;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(sync: SyncCrypto, now: () => number) {
    this.#sync = sync;
    this.#now = now;
  }

  /** A new one, as ASCII digits; one that waited is void. */
  draw(to: Addressee): string {
    const code = this.#digits();
    const key = this.#key(to);
    this.#waiting.delete(key);
    for (const [other, { ends }] of this.#waiting) {
      if (ends > this.#now() && this.#waiting.size < MOST) break;
      this.#waiting.delete(other);
    }
    this.#waiting.set(key, {
      hash: this.#sync.sha256(utf8(code)),
      ends: this.#now() + LASTS_MS,
      tries: CODE_TRIES,
    });
    return code;
  }

  /** True once for the code that waits; it is void then, and after too many others. */
  spend(to: Addressee, code: Uint8Array): boolean {
    const key = this.#key(to);
    const waiting = this.#waiting.get(key);
    if (!waiting) return false;
    const same = this.#sync.equal(this.#sync.sha256(code), waiting.hash) && waiting.ends > this.#now();
    if (same || --waiting.tries <= 0) this.#waiting.delete(key);
    return same;
  }

  /** No address waits in clear. */
  #key({ uid, email }: Addressee): string {
    return hex(this.#sync.sha256(uid, utf8(email)));
  }

  /** Evenly: numbers beyond the last whole multiple are drawn again. */
  #digits(): string {
    const many = 10 ** DIGITS;
    const limit = 2 ** 32 - (2 ** 32 % many);
    for (;;) {
      const drawn = Buffer.from(this.#sync.random(4)).readUInt32BE(0);
      if (drawn < limit) return String(drawn % many).padStart(DIGITS, '0');
    }
  }
}
