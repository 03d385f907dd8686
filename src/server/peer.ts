/** One connection from its first byte to its last: its state, its login, its mailbox. What commands mean is the handlers' business. */
import { Code, FRAME, SESSION_MS, structs, type EpochStart, type Session } from '../../protocol/index.js';
import type { Account, QueueEntry } from '../store/store.js';
import type { Connection } from '../transport/transport.js';
import { refused } from './attempts.js';
import { Commands, type CommandHost } from './commands.js';
import type { Context } from './context.js';
import type { Flusher } from './flusher.js';
import type { Admission, Gate } from './gate.js';
import type {
  Caller,
  LinkState,
  PendingEnrolment,
  PendingKeys,
  PendingLogin,
  PendingRecovery,
  PendingRegistration,
  PendingRotation,
} from './handler.js';
import { idKey } from './keys.js';
import { Line } from './line.js';
import { Mailbox, type MailboxHost } from './mailbox.js';
import type { Online } from './presence.js';
import type { Refusal } from './refusals.js';
import { deliveredEntry } from './delivered.js';
import { tellAnswer } from './told.js';

/** What there is behind the handshake. */
interface Link {
  readonly session: Session;
  readonly openBlock: Admission['openBlock'];
  readonly line: Line;
  readonly commands: Commands;
}

/** What a logged-in client is told before the daemon closes (SPEC 8.5). */
type Farewell = (typeof Code)['authentication' | 'forbidden' | 'conflict' | 'unavailable'];

export class Peer implements Caller, CommandHost, Online {
  readonly context: Context;
  readonly source: string;
  readonly #connection: Connection;
  readonly #gate: Gate;
  readonly #flusher: Flusher;
  readonly #gone: (peer: Peer) => void;
  readonly #number: number;
  #state: LinkState = 'hello';
  readonly #began = performance.now();
  #hello: Uint8Array = new Uint8Array(0);
  #deadline: NodeJS.Timeout | undefined;
  #link: Link | undefined;
  #mailbox: Mailbox | undefined;
  #account: Account | undefined;
  #uidKey = '';
  #saved: Promise<void> = Promise.resolve();
  loginsTried = 0;
  unanswered = 0;
  login: PendingLogin | undefined;
  registration: PendingRegistration | undefined;
  rotation: PendingRotation | undefined;
  enrolment: PendingEnrolment | undefined;
  passwordDue = false;
  renewal: PendingKeys | undefined;
  recovery: PendingRecovery | undefined;
  grantHash: Uint8Array | undefined;

  /** @param number of this connection, since the start */
  constructor(
    connection: Connection,
    context: Context,
    gate: Gate,
    flusher: Flusher,
    gone: (peer: Peer) => void,
    number: number,
  ) {
    this.context = context;
    this.source = connection.source;
    this.#connection = connection;
    this.#gate = gate;
    this.#flusher = flusher;
    this.#gone = gone;
    this.#number = number;
    this.#tell('connected', { source: this.source });
    this.#within(1000 * context.limits['hello-seconds'], 'hello stalled');
    connection.start({
      data: (chunk) => {
        this.#data(chunk);
      },
      drained: () => {
        this.#link?.line.drained();
      },
      closed: (error) => {
        this.#closed(error ? 'broken off' : 'the client left');
      },
    });
  }

  get connectionId(): string {
    return `c${this.#number.toString(36)}`;
  }

  get state(): LinkState {
    return this.#state;
  }
  get th2(): Uint8Array {
    return this.#link?.session.th2 ?? new Uint8Array(0);
  }

  get account(): Account {
    if (!this.#account) throw new Error('peer: nobody logged in');
    return this.#account;
  }
  get mailbox(): Mailbox {
    if (!this.#mailbox) throw new Error('peer: nobody logged in');
    return this.#mailbox;
  }
  get uidKey(): string {
    return this.#uidKey;
  }

  /** Everything that was in flight to this client is on the disk, its senders told. */
  get saved(): Promise<void> {
    return this.#saved;
  }

  // ---- from the first byte to a session

  #data(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    if (!this.#link) this.#helloData(chunk);
    else if (!this.#link.session.receive.push(chunk, this.#struct) && this.#isOpen()) this.refuse('frame');
  }

  readonly #struct = (struct: Uint8Array): boolean => {
    this.#link?.commands.take(struct);
    return this.#isOpen();
  };

  #helloData(chunk: Uint8Array): void {
    const isWhole = this.#hello.length === FRAME;
    const got = Buffer.concat([this.#hello, chunk]);
    if (isWhole || got.length > FRAME) {
      this.refuse('bytes before the answer');
      return;
    }
    this.#hello = got;
    if (got.length === FRAME) void this.#admit(got);
  }

  async #admit(hello: Uint8Array): Promise<void> {
    try {
      const answered = await this.#gate.admit(hello, this.#connection.binding, this);
      if (!this.#isOpen()) return;
      if (typeof answered === 'string') {
        this.refuse(answered);
        return;
      }
      this.#connection.write(answered.ack);
      if (answered.session) {
        this.#begin(answered.session, answered.openBlock);
        return;
      }
      this.finish('not served');
    } catch (error) {
      this.context.refusals.trouble('a handshake failed', error);
      this.#destroy('the handshake failed');
    }
  }

  #begin(session: Session, openBlock: Admission['openBlock']): void {
    const line = new Line(this.#connection, this.context, this.#flusher, session, {
      stuck: () => {
        this.refuse('congested');
      },
      drained: () => {
        void this.#mailbox?.drain();
      },
      forbidden: () => {
        const { uid } = this.#account ?? {};
        if (uid) refused(this.context, this, 'forbidden', { uid });
      },
      answered: ({ opcode, step }, code) => {
        tellAnswer(this.context.log, this.connectionId, opcode, step, code);
      },
    });
    this.context.counts.handshakes++;
    this.#hello = new Uint8Array(0);
    this.#link = { session, openBlock, line, commands: new Commands(this, line) };
    this.become('open');
    this.#tell('handshake done');
  }

  // ---- from a session to a login

  become(state: Exclude<LinkState, 'hello' | 'ready' | 'closed'>, within = Infinity): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    if (state === 'open') this.login = undefined;
    if (state !== 'registering' && state !== 'confirming') this.registration = undefined;
    if (state !== 'recovering') this.recovery = undefined;
    /* The whole time without a login is limited, however often the state changes. */
    const left = this.#began + 1000 * this.context.limits['login-seconds'] - performance.now();
    this.#within(Math.min(within, left), 'nobody logged in');
  }

  authenticated(login: PendingLogin, account: Account, sessionKey: Uint8Array, ends: number, waiting: number): void {
    if (!this.#link || !this.#isOpen()) return;
    const { session, line } = this.#link;
    const { store, limits, presence, rooms, sync, now } = this.context;
    const secret = Buffer.concat([login.s2, sessionKey]);
    const epochs = this.#epochs(this.#link, account.enc);
    session.authenticated(secret, login.transcript.hash(sync, session.th2), login.block, epochs);
    for (const spent of [secret, login.s2, sessionKey]) spent.fill(0);
    this.login = undefined;
    this.#account = account;
    this.#uidKey = idKey(account.uid);
    this.#state = 'ready';
    line.shares = true;
    this.#mailbox = new Mailbox(account.uid, store, this.#mailboxHost(line, account), limits.flights, waiting);
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      () => {
        this.close(Code.authentication);
      },
      Math.min(Math.max(0, ends - now()), SESSION_MS),
    );
    presence.enter(this.#uidKey, this);
    line.event(structs.cnnt, { uid: account.uid, name: account.name, queued: waiting });
    const offered = rooms.offer(this.#uidKey);
    if (offered) line.event(structs.ofrm, { name: offered.name, secret: offered.secret });
    this.#mailbox.start();
  }

  #epochs({ line, openBlock }: Link, theirs: Uint8Array): EpochStart {
    const host = {
      elapsed: () => performance.now(),
      hold: (held: boolean) => {
        if (this.#isOpen()) line.hold('epoch', held);
      },
      refused: (cause?: unknown) => {
        if (!this.#isOpen()) return; // a handler ended the connection
        if (cause) this.context.refusals.trouble('a block was not opened', cause);
        this.refuse('frame');
      },
    };
    return { keys: { theirs, open: openBlock }, host, frames: this.context.limits['epoch-frames'] };
  }

  #mailboxHost(line: Line, account: Account): MailboxHost {
    const { refusals, counts, deliver, nextId, now } = this.context;
    return {
      push: (entry: QueueEntry) => {
        counts.pushed++;
        line.push(entry);
      },
      ready: () => this.#isOpen() && !line.congested,
      drained: (delivered: number) => {
        line.event(structs.drnd, { delivered });
      },
      delivered: (entry: QueueEntry) => {
        deliver(entry.from, deliveredEntry(nextId(), account.uid, entry, now()), () => {
          /* The mark is the sender's to acknowledge; nobody waits for it here. */
        });
      },
      failed: (error: unknown) => {
        refusals.trouble('the store failed', error);
      },
      now: () => performance.now(),
      after: (ms: number, work: () => void) => {
        const timer = setTimeout(work, ms);
        return () => {
          clearTimeout(timer);
        };
      },
    };
  }

  /** Stops and resumes reading, while a command is being worked on. */
  hold(held: boolean): void {
    if (this.#isOpen()) this.#link?.line.hold('command', held);
  }

  // ---- the end

  #isOpen(): boolean {
    return this.#state !== 'closed';
  }

  #within(ms: number, refusal: Refusal): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.refuse(refusal);
    }, ms);
  }

  /** Ends without a byte. */
  refuse(reason: Refusal): void {
    this.context.refusals.count(reason, this.source, { connection: this.connectionId });
    this.#destroy(reason);
  }

  /** Sends what is due, tells a logged-in client why, then ends. */
  close(code: Farewell): void {
    this.#link?.line.flush(); // answers that are due come before the farewell
    this.#link?.line.event(structs.clos, {}, code);
    this.finish(`told ${String(code)}`);
  }

  /** Sends what is sealed, then ends. */
  finish(reason = 'finished'): void {
    this.#link?.line.flush();
    this.#connection.end();
    this.#closed(reason);
  }

  #destroy(reason: string): void {
    this.#connection.destroy();
    this.#closed(reason);
  }

  /** @param reason for the log */
  #closed(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#deadline);
    this.#tell('closed', { reason, seconds: Math.round((performance.now() - this.#began) / 1000) });
    this.#link?.line.close();
    this.login = undefined;
    this.registration = undefined;
    this.rotation = undefined;
    this.enrolment = undefined;
    this.renewal = undefined;
    this.recovery = undefined;
    if (this.#mailbox) {
      this.context.presence.leave(this.#uidKey, this);
      this.#saved = this.#mailbox.close();
    }
    this.#gone(this);
  }

  #tell(what: string, fields?: Readonly<Record<string, string | number>>): void {
    const { log } = this.context;
    if (log.isDebug) log.debug(what, { connection: this.connectionId, ...fields });
  }
}
