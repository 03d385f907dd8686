/** Holds one logged-in link: makes it, watches it, makes it again with growing pauses. */
import { fromHex, hex } from '../../protocol/index.js';
import { asClientError, ClientError, error } from './errors.js';
import type { Me } from './identity.js';
import { Link, type OnEvent } from './link.js';
import { login } from './login.js';
import type { ClientPorts } from './ports.js';
import type { Grant } from './state.js';

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
  'taken-over',
  'session-over',
  'protocol',
  'wrong-password',
  'refused',
]);

export type SessionState = 'idle' | 'connecting' | 'online' | 'waiting' | 'ended';

export interface SessionParts {
  readonly ports: ClientPorts;
  readonly me: Me;
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
  /** Why there is no session, while none is being made. */
  get trouble(): ClientError | undefined {
    if (this.#state === 'online' || this.#state === 'connecting') return undefined;
    return this.#why ?? error('offline');
  }

  /**
   * Resolves with the first session, rejects with the first failure; goes on trying either way.
   * @param ready a link that exists already, as after a registration
   */
  connect(ready?: Link): Promise<void> {
    if (this.#state === 'online') return Promise.resolve();
    if (this.#state === 'ended' && this.#why) return Promise.reject(this.#why);
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
      const over = this.#isStopped() || final.has(why.code);
      this.#state = over ? 'ended' : 'waiting';
      this.#parts.offline(why);
      for (const attempt of this.#attempts.splice(0)) attempt.reject(why);
      if (over) {
        if (!this.#isStopped()) this.#parts.ended(why);
        return;
      }
      await this.#pause(why.wait);
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
    const { ports, me } = this.#parts;
    const kept = this.#parts.grant();
    const grant = kept && kept.ends > ports.clock.now() ? kept : undefined;
    try {
      const made = await login(ports, link, me, grant && fromHex(grant.grant));
      const ends = Math.min(made.ends, ports.clock.now() + SESSION_MAX_MS);
      await this.#parts.keepGrant({ grant: hex(made.grant), ends });
    } catch (thrown) {
      /* A grant that was revoked must not stand in the way of the next login. */
      if (grant && thrown instanceof ClientError && thrown.code === 'login-refused')
        await this.#parts.keepGrant(undefined);
      throw thrown;
    }
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
      const cancel = clock.after(ms, () => {
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
