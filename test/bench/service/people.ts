/**
 * Who uses the service that is measured: accounts that every process of the bench reckons by itself, in a store that the
 * daemon finds at its start. Through the daemon they would take minutes, most of it for RSA pairs that nobody else has.
 */
import { hex, ID, utf8, wordsProof, type PasswordServer } from '../../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../../src/crypto/index.js';
import { noSecurity, type Account } from '../../../src/store/store.js';
import { hurriedPasswords } from '../../support/passwords.js';
import type { RawUser } from '../../support/raw.js';
import { nextRsa } from '../../support/rsa-pairs.js';

/** Pairs that all of them share: the daemon reckons with each as with any other, and registers none of them. */
const PAIRS = 32;

export class People {
  readonly #keys: readonly NodeRsaPrivate[];

  private constructor(keys: readonly NodeRsaPrivate[]) {
    this.#keys = keys;
  }

  static async make(): Promise<People> {
    return new People(await Promise.all(Array.from({ length: PAIRS }, nextRsa)));
  }

  /** @param at from 0 on: the same number is the same person in each process */
  person(at: number): RawUser {
    const name = `person${String(at)}`;
    const [enc, sig] = [this.#keys[at % PAIRS], this.#keys[(at + 1) % PAIRS]];
    if (!enc || !sig) throw new Error('people: no keys');
    const seed = (what: string): Uint8Array => nodeSync.sha256(utf8(`${what} of ${name}`));
    const uid = seed('uid').slice(0, ID);
    const [password, w, proof] = [`password of ${name}`, seed('words'), new Uint8Array(32)];
    return { name, password, enc, sig, w, uid, proof };
  }
}

/** What a registration would have left in the store. */
export async function accountOf(user: RawUser, server: PasswordServer, created: number): Promise<Account> {
  const client = await hurriedPasswords();
  const begun = client.registrationStart(user.password);
  const response = await server.registrationResponse(user.uid, begun.request);
  const done = response && client.registrationFinish(user.password, begun.state, response);
  if (!done) throw new Error(`people: ${hex(user.uid)} can't be registered`);
  return {
    uid: user.uid,
    name: user.name,
    enc: user.enc.modulus,
    sig: user.sig.modulus,
    record: done.record,
    words: nodeSync.sha256(wordsProof(nodeSync, done.exportKey, user.w)),
    created,
    security: noSecurity,
  };
}

/**
 * The address from which somebody comes, each from one of their own, as people do: so the daemon's limits for one address
 * stay what they are for everybody. All of 127.0.0.0/8 is the machine itself.
 */
export function addressOf(at: number): string {
  const byte = (shift: number): string => String((at >> shift) & 255);
  return `127.${String(1 + ((at >> 16) & 127))}.${byte(8)}.${byte(0)}`;
}
