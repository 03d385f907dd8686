/** Holds one logged-in link: makes it, watches it, makes it again with growing pauses. */
import { fromHex, hex } from '../../protocol/index.js';
import { asClientError, ClientError, error } from './errors.js';
import type { Me } from './identity.js';
import { Link, type OnEvent } from './link.js';
import { login, type SessionGrant } from './login.js';
import type { ClientPorts } from './ports.js';
import { readFactorCode, SecondFactor } from './second-factor.js';
import type { Grant } from './state.js';
import { loginEither } from './unsettled.js';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** The daemon may end a session sooner, never later. */
const SESSION_MAX_MS = 12 * 3600_000;
/** Of a pause, drawn anew each time, so that a restarted daemon isn't met by everybody at once. */
const JITTER = 0.3;

/** After these the session is not made again by itself. */
const final: ReadonlySet<string> = new Set([
  'too-old',
  'old-keys',
  'damaged-generation',
  'pin',
  'login-refused',
  'former-secrets',
  'newer-secrets',
  'taken-over',
  'session-over',
  'disabled',
  'protocol',
  'wrong-password',
  'refused',
]);
/** After these it is made again when somebody typed a code. */
const needsPerson: ReadonlySet<string> = new Set([
  'code-needed',
  'mail-code-needed',
  'wrong-code',
  'bad-code',
  'mail-unsent',
]);

export type SessionState = 'idle' | 'connecting' | 'online' | 'waiting' | 'ended';

export interface SessionParts {
  readonly ports: ClientPorts;
  readonly me: () => Me;
  /** New keys of which nobody knows yet whether the daemon has them: they are tried first. */
  readonly next: () => Me | undefined;
  /** The daemon has them: they are kept, durably. Events that come after the call are handled after it. */
  readonly adopt: () => Promise<void>;
  /** The daemon has the former ones still. */
  readonly unadopted: () => Promise<void>;
  readonly grant: () => Grant | undefined;
  readonly keepGrant: (grant: Grant | undefined) => Promise<void>;
  readonly onEvent: OnEvent;
  readonly online: (link: Link) => void;
  readonly offline: (why: ClientError) => void;
  /** The session will not come back by itself. */
  readonly ended: (why: ClientError) => void;
}

export class Session {
  readonly #parts: SessionParts;
  #state: SessionState = 'idle';
  #link: Link | undefined;
  #why: ClientError | undefined;
  /** Set before a link is closed by the daemon's `clos`, which says more than the close itself. */
  #farewell: ClientError | undefined;
  #failures = 0;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Typed by a person for the next login, and for no other. */
  #code: string | undefined;
  #proof: Uint8Array | undefined;
  #factor: number = SecondFactor.none;
  /** The connection is ended to be made anew at once. */
  #again = false;
  #attempts: { resolve: () => void; reject: (why: ClientError) => void }[] = [];

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  get state(): SessionState {
    return this.#state;
  }
  get link(): Link | undefined {
    return this.#state === 'online' ? this.#link : undefined;
  }
  /** Of the words, while there is a session: what shows the daemon that the person is there (SPEC 6.8). */
  get proof(): Uint8Array | undefined {
    return this.link && this.#proof;
  }
  /** The second factor that the account asks for, of SecondFactor. */
  get factor(): number {
    return this.#factor;
  }
  get name(): string {
    return this.#parts.me().name;
  }
  /** Words or second factor were changed in this session. */
  changed({ proof = this.#proof, factor = this.#factor }: { proof?: Uint8Array; factor?: number }): void {
    this.#proof = proof;
    this.#factor = factor;
  }
  /** Why there is no session, while none is being made. */
  get trouble(): ClientError | undefined {
    if (this.#state === 'online' || this.#state === 'connecting') return undefined;
    return this.#why ?? error('offline');
  }

  /**
   * Resolves with the first session, rejects with the first failure; goes on trying either way.
   * @param ready a link that exists already, as after a registration
   * @param code proves the second factor at the login that follows
   */
  connect(ready?: Link, code?: string): Promise<void> {
    if (this.#state === 'online') return Promise.resolve();
    if (this.#state === 'ended' && this.#why) return Promise.reject(this.#why);
    if (code !== undefined) this.#code = code;
    return new Promise((resolve, reject) => {
      this.#attempts.push({ resolve, reject });
      this.#running ??= this.#run(ready);
      this.#wake?.();
    });
  }

  async #run(ready: Link | undefined): Promise<void> {
    let link = ready;
    while (!this.#stopped) {
      this.#state = 'connecting';
      const why = await this.#once(link);
      link = undefined;
      this.#link = undefined;
      this.#why = why;
      this.#parts.ports.log(`session: ${why.code}`);
      if (this.#again && !this.#isStopped()) {
        this.#again = false;
        this.#state = 'connecting';
        this.#parts.offline(why);
        continue;
      }
      const over = this.#isStopped() || final.has(why.code);
      this.#state = over ? 'ended' : 'waiting';
      this.#parts.offline(why);
      for (const attempt of this.#attempts.splice(0)) attempt.reject(why);
      if (over) {
        if (!this.#isStopped()) this.#parts.ended(why);
        return;
      }
      await this.#pause(needsPerson.has(why.code) ? Infinity : why.wait);
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  /** What the daemon said before the end says more than the end. */
  #reason(why: ClientError): ClientError {
    return this.#farewell ?? why;
  }

  /** One connection from its beginning to its end; the reason of the end. */
  async #once(ready: Link | undefined): Promise<ClientError> {
    const { ports } = this.#parts;
    this.#farewell = undefined;
    let link: Link | undefined;
    try {
      link = ready ?? (await Link.open(ports, this.#parts.onEvent));
      this.#link = link;
      if (this.#isStopped()) {
        link.fail(error('offline'));
        return error('offline');
      }
      await this.#login(link);
      this.#failures = 0;
      this.#state = 'online';
      this.#why = undefined;
      this.#parts.online(link);
      for (const attempt of this.#attempts.splice(0)) attempt.resolve();
    } catch (thrown) {
      const why = asClientError(thrown, `${ports.server.host}:${String(ports.server.port)}`);
      link?.fail(why);
      return this.#reason(why);
    }
    const why = await link.closed;
    return this.#reason(why);
  }

  async #login(link: Link): Promise<void> {
    const { ports } = this.#parts;
    const kept = this.#parts.grant();
    const grant = kept && kept.ends > ports.clock.now() ? kept : undefined;
    try {
      const code = this.#code;
      this.#code = undefined;
      const typed = code === undefined ? undefined : readFactorCode(code);
      const made = await this.#loginAs(link, grant && fromHex(grant.grant), typed);
      this.#proof = made.proof;
      this.#factor = made.factor;
      const ends = Math.min(made.ends, ports.clock.now() + SESSION_MAX_MS);
      await this.#parts.keepGrant({ grant: hex(made.grant), ends });
    } catch (thrown) {
      /* A grant that was revoked must not stand in the way of the next login. */
      if (grant && thrown instanceof ClientError && (thrown.code === 'login-refused' || thrown.code === 'code-needed'))
        await this.#parts.keepGrant(undefined);
      throw thrown;
    }
  }

  /** With the keys that the daemon has: the next ones, where there are any and it knows them. */
  async #loginAs(
    link: Link,
    grant: Uint8Array | undefined,
    typed: ReturnType<typeof readFactorCode> | undefined,
  ): Promise<SessionGrant> {
    const { ports, me, next, adopt, unadopted } = this.#parts;
    const candidate = next();
    if (!candidate) return loginEither(ports, link, me(), grant, typed);
    try {
      let adopted: Promise<void> | undefined;
      const made = await login(ports, link, candidate, grant, typed, () => {
        adopted = adopt();
        adopted.catch(() => undefined); // awaited below, unless the login itself fails
      });
      await adopted;
      return made;
    } catch (thrown) {
      if (!(thrown instanceof ClientError) || thrown.code !== 'login-refused') throw thrown;
    }
    const made = await loginEither(ports, link, me(), grant, typed);
    await unadopted();
    return made;
  }

  /** Ends the connection, and resolves with the next session. */
  again(): Promise<void> {
    if (this.#state !== 'online') return this.connect();
    this.#again = true;
    return new Promise((resolve, reject) => {
      this.#attempts.push({ resolve, reject });
      this.#link?.fail(error('disconnected'));
    });
  }

  /** What the daemon said before it closes. */
  farewell(why: ClientError): void {
    this.#farewell = why;
    this.#link?.fail(why);
  }

  #pause(wait: number): Promise<void> {
    const { clock, crypto } = this.#parts.ports;
    const grown = Math.min(RETRY_MIN_MS * 2 ** this.#failures++, RETRY_MAX_MS);
    const draw = (crypto.sync.random(1)[0] ?? 0) / 255;
    const ms = Math.max(wait, grown * (1 - JITTER * draw));
    return new Promise((resolve) => {
      const cancel =
        ms === Infinity
          ? () => undefined // until somebody asks
          : clock.after(ms, () => {
              this.#wake = undefined;
              resolve();
            });
      this.#wake = () => {
        this.#wake = undefined;
        cancel();
        resolve();
      };
    });
  }

  /**
   * No reconnecting after this.
   * @param quit the session is over for good, not this connection alone
   */
  async stop(quit: boolean): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    if (this.#state === 'online') await this.#link?.leave(quit);
    else this.#link?.fail(error('offline'));
    await this.#running;
    this.#state = 'ended';
  }
}
