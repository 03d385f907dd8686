/** What a play knows of its own account and of its connection: what it sends and what is due follow from it. */
import { LoginTranscript, type PasswordClient, type Values, type structs } from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { nextRsa } from '../support/rsa-pairs.js';
import type { State } from './daemon-model.js';
import type { FuzzedDaemon } from './daemon-server.js';
import type { Wire } from './daemon-wire.js';

interface Person {
  readonly name: string;
  uid: Uint8Array;
}

export interface Registration {
  /** wrong codes so far, and H of the words, where a code by mail is due */
  due?: { tries: number; readonly wordsHash: string };
  readonly state: string;
  readonly request: Uint8Array;
  /** the fields of a `crea2` that is accepted, once the first answer has come */
  proof?: Uint8Array;
  uid?: Uint8Array;
  exportKey?: Uint8Array;
}

/** What `pswd1` was answered with, as far as `pswd2` needs it. */
interface Renewal {
  readonly record: Uint8Array;
  readonly words: Uint8Array;
}

interface Login {
  readonly begun: ReturnType<PasswordClient['loginStart']>;
  readonly typed: string;
  /** whose signature it has, over this connection and for its own name */
  readonly signer: OwnKeys | undefined;
  /** it has that of the account's present keys */
  real: boolean;
  readonly transcript: LoginTranscript;
  ke3?: Uint8Array;
  sessionKey?: Uint8Array;
  block?: Uint8Array;
  s2?: Uint8Array;
}

export interface Recovery {
  readonly begun: ReturnType<PasswordClient['loginStart']>;
  readonly typed: string;
  readonly code: Uint8Array;
  readonly name: string;
  /** the code is one of the account's own */
  real: boolean;
  /** the fields of an `rcov2` that is accepted */
  proof?: Values<typeof structs.rcov2>;
  words?: Uint8Array;
}

interface OwnKeys {
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
}
/** Those of plays that ended; plays side by side have keys of their own. */
const free: OwnKeys[] = [];

let people = 0;

/** What ends with a connection. */
class OfConnection {
  tried = 0;
  /** Codes that may still be mistyped while one-time codes are set up. */
  mistypes = 0;
  registration: Registration | undefined;
  /** Registrations begun on this connection whose first answer is to come, by their request. */
  readonly requests = new Map<string, Registration>();
  login: Login | undefined;
  readonly logins = new Map<string, Login>();
  /** `pswd1` was answered on this connection, and `pswd2` is due. */
  passwordDue = false;
  recovery: Recovery | undefined;
  readonly recoveries = new Map<string, Recovery>();
  /** what `rkey1` sealed: the fields of an `rkey2` that is accepted follow from it */
  renewal: { p?: Uint8Array } | undefined;
}

export class Known {
  readonly daemon: FuzzedDaemon;
  readonly passwords: PasswordClient;
  readonly me: Person = { name: `me${String(people)}`, uid: new Uint8Array(16) };
  readonly partner: Person = { name: `you${String(people++)}`, uid: nodeSync.random(16) };
  readonly password = 'correct horse';
  readonly w = nodeSync.random(32);
  words = new Uint8Array(0) as Uint8Array;
  /** of the words proof, as it was sent last */
  wordsHash = '';
  registered = false;
  partnerAsked = false;
  mine: 'none' | 'open' | 'declined' | 'blocked' = 'none';
  /** Commands that are done once for a frame id, as they were sent and answered. */
  readonly done = new Map<string, { readonly bytes: Uint8Array; readonly code: number }>();
  grant = new Uint8Array(0) as Uint8Array;
  grantRuns = false;
  /** The account asks for a code by mail. */
  byMail = false;
  /** The code that came by mail for a login and counts, and how many others were tried. */
  code: { readonly digits: string; tries: number } | undefined;
  registeredAnew: Renewal | undefined;
  /** recovery codes that were not used */
  codes: Uint8Array[] = [];
  /** `rkey2` whose mac and signatures are right. */
  readonly sound = new Set<string>();

  state: State = 'closed';
  here = new OfConnection();
  #wire: Wire | undefined;
  /** the account's, and those that may take their place */
  #own: OwnKeys;
  #next: OwnKeys;

  private constructor(daemon: FuzzedDaemon, passwords: PasswordClient, own: OwnKeys, next: OwnKeys) {
    this.daemon = daemon;
    this.passwords = passwords;
    this.#own = own;
    this.#next = next;
  }

  static async begin(daemon: FuzzedDaemon, passwords: PasswordClient): Promise<Known> {
    const keys = async (): Promise<OwnKeys> => free.pop() ?? { enc: await nextRsa(), sig: await nextRsa() };
    return new Known(daemon, passwords, await keys(), await keys());
  }

  /** Others may have the keys. */
  async end(): Promise<void> {
    if (this.registered) await this.daemon.context.knownKeys.release(this.keys);
    free.push(this.#own, this.#next);
  }

  get wire(): Wire {
    if (!this.#wire) throw new Error('not connected');
    return this.#wire;
  }

  connected(wire: Wire): void {
    this.#wire = wire;
    this.here = new OfConnection();
    this.state = 'open';
  }

  get own(): OwnKeys {
    return this.#own;
  }

  get next(): OwnKeys {
    return this.#next;
  }

  get keys(): { readonly enc: Uint8Array; readonly sig: Uint8Array } {
    return { enc: this.#own.enc.modulus, sig: this.#own.sig.modulus };
  }

  /** The others are the account's from now on. */
  exchangeKeys(): void {
    [this.#own, this.#next] = [this.#next, this.#own];
  }

  get address(): string {
    return `${this.me.name}@mail.example`;
  }
}
