/** The daemon without its composition: accepts connections, hands events to users, stops. */
import { randomBytes } from 'node:crypto';
import { UnknownId } from '../store/store.js';
import type { Connection, Listener } from '../transport/transport.js';
import type { Context } from './context.js';
import { AtRest } from './at-rest.js';
import { Audit, auditNameHash, type AuditFile } from './audit.js';
import { BackOff } from './back-off.js';
import { Counts } from './counts.js';
import { rows } from './dispatch.js';
import { Flusher } from './flusher.js';
import { Gate, SeenHellos } from './gate.js';
import { Invitations } from './invitations.js';
import { idKey } from './keys.js';
import { WRONG_CODES, type LimitName } from './limits.js';
import { Code, ID, SESSION_MS } from '../../protocol/index.js';
import { KnownKeys } from './known-keys.js';
import type { IsListed } from './blocklist.js';
import { hostPortText } from '../settings/index.js';
import { LiveLimits } from './live-limits.js';
import { Logins } from './logins.js';
import { MailCodes } from './mail-codes.js';
import { Peer } from './peer.js';
import { PerKey } from './per-key.js';
import { Presence } from './presence.js';
import { Rates } from './rates.js';
import { lobbyOf } from './lobby.js';
import { Rooms } from './rooms.js';
import { Routes } from './routes.js';

type Made =
  | 'atRest'
  | 'counts'
  | 'mailCodes'
  | 'knownKeys'
  | 'invitations'
  | 'presence'
  | 'routes'
  | 'rooms'
  | 'rates'
  | 'failures'
  | 'codeFailures'
  | 'roomFailures'
  | 'audit'
  | 'logins'
  | 'nextId'
  | 'deliver';
/** What a reload changes. */
export interface Renewal extends Pick<Context, 'registration' | 'clients' | 'mailer' | 'limits'> {
  readonly isListed: IsListed | undefined;
}

type Given = Omit<Context, Made> & {
  /** where unauthorised attempts are put on record */
  readonly auditFile: AuditFile;
  /** name of the room that is offered to everybody */
  readonly lobby?: string | undefined;
  /** whether the operator lists a key as compromised */
  readonly isListed?: IsListed | undefined;
};

const nobodyListed: IsListed = () => false;

/** Never the same twice: eight random bytes for each start, then a counter. */
function idMaker(): () => Uint8Array {
  const base = randomBytes(ID);
  let next = 0;
  return () => {
    const id = Buffer.from(base);
    id.writeUInt32BE(Math.floor(next / 2 ** 32), ID - 8);
    id.writeUInt32BE(next % 2 ** 32, ID - 4);
    next++;
    return id;
  };
}

export class Server {
  readonly context: Context;
  /** ms since 1970: until then nobody's HELLO can be told from a replay; 0 where it always could */
  readonly answersFrom: number;
  readonly #gate: Gate;
  readonly #limits: LiveLimits;
  readonly #flusher = new Flusher();
  readonly #peers = new Set<Peer>();
  readonly #saving = new Set<Promise<void>>();
  readonly #listeners: Listener[] = [];
  #whenEmpty: () => void = () => undefined;
  #isOpen = true;
  #isListed: IsListed;

  constructor({ lobby, auditFile, isListed = nobodyListed, ...given }: Given, seen: SeenHellos) {
    this.#isListed = isListed;
    const { store, sync, decoySecret, now } = given;
    this.#limits = new LiveLimits(given.limits);
    const limits = this.#limits.now;
    const counts = new Counts(rows.length);
    const shared = { ...given, limits, counts, presence: new Presence(), nextId: idMaker(), deliver: this.#deliver };
    this.context = Object.assign(shared, {
      routes: new Routes(store),
      rooms: new Rooms(shared, lobby === undefined ? undefined : lobbyOf(sync, decoySecret, lobby)),
      rates: new Rates(limits),
      failures: new PerKey((at) => new BackOff(limits['failures-per-quarter'], at)),
      codeFailures: new PerKey((at) => new BackOff(WRONG_CODES, at, SESSION_MS)),
      roomFailures: new PerKey((at) => new BackOff(limits['room-failures-per-quarter'], at)),
      audit: new Audit(auditFile, (name) => auditNameHash(sync, decoySecret, name), now),
      logins: new Logins(limits),
      invitations: new Invitations(sync, decoySecret),
      atRest: new AtRest(sync, decoySecret),
      mailCodes: new MailCodes(sync, now),
      knownKeys: new KnownKeys(store, sync, (modulus) => this.#isListed(modulus), limits),
    });
    this.#gate = new Gate(this.context, seen);
    this.answersFrom = Math.max(0, seen.notBefore);
  }

  add(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Connections, from their first byte on. */
  get connections(): number {
    return this.#peers.size;
  }

  /** As `LiveLimits.set`. */
  setLimit(name: LimitName, value: number): boolean {
    return this.#limits.set(name, value, this.context);
  }

  /** HOST:PORT of the first listener. */
  get address(): string {
    return hostPortText(this.#listeners[0] ?? { host: '', port: 0 });
  }

  renew({ isListed = nobodyListed, limits, registration, clients, mailer }: Renewal): void {
    this.#isListed = isListed;
    this.#limits.become(limits, this.context);
    Object.assign(this.context, { registration, clients, mailer });
  }

  readonly accept = (connection: Connection): void => {
    if (!this.#isOpen) {
      connection.destroy();
      return;
    }
    const number = ++this.context.counts.accepted;
    this.#peers.add(new Peer(connection, this.context, this.#gate, this.#flusher, this.#gone, number));
  };

  readonly #gone = (peer: Peer): void => {
    this.#peers.delete(peer);
    if (this.#peers.size === 0) this.#whenEmpty();
    const { saved } = peer;
    this.#saving.add(saved);
    void saved.finally(() => this.#saving.delete(saved));
  };

  readonly #deliver: Context['deliver'] = (to, entry, settle, key = idKey(to)) => {
    const { presence, store, refusals, counts } = this.context;
    const online = presence.get(key);
    if (online) {
      counts.toOnline++;
      online.mailbox.deliver(entry, settle);
      return;
    }
    counts.toOffline++;
    const write = store.enqueue(to, entry).then(
      (result) => {
        settle(result === 'full' ? Code.limited : Code.queued);
      },
      (error: unknown) => {
        if (error instanceof UnknownId) {
          settle(Code.notFound); // the account was deleted
          return;
        }
        refusals.trouble('the store failed', error);
        settle(Code.storage);
      },
    );
    this.#saving.add(write);
    void write.finally(() => this.#saving.delete(write));
  };

  /** No new connections; those that there are stay. Resolves when none is left. */
  turnAway(): Promise<void> {
    this.#isOpen = false;
    for (const listener of this.#listeners) listener.close();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      if (this.#peers.size === 0) resolve();
    });
  }

  /** No new connections; clients are told; everything in flight is on disk when it resolves. */
  async stop(): Promise<void> {
    void this.turnAway();
    for (const peer of [...this.#peers]) {
      if (peer.state === 'ready') peer.close(Code.unavailable);
      else peer.finish();
    }
    await this.context.rooms.idle();
    while (this.#saving.size > 0) await Promise.all(this.#saving);
    await Promise.all(this.#listeners.map((listener) => listener.ended()));
    await this.context.audit.close();
  }
}
