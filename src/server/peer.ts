/** One connection: its link state, its limits, its back-pressure. What commands mean is the handlers' business. */
import {
  ANSWER_HEADER,
  ANSWERS_PER_FRAME,
  Code,
  decode,
  encode,
  FRAME,
  laterCodes,
  LoginTranscript,
  Opcode,
  peekFrameId,
  peekOpcode,
  peekStep,
  Status,
  STRUCT,
  structs,
  writeHeader,
  type Header,
  type Session,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { StorageError, type Account, type QueueEntry } from '../store/store.js';
import type { Connection } from '../transport/transport.js';
import { decodeStruct } from '../wire/decode.js';
import type { Context } from './context.js';
import { findRow, isKnown, strictStates, type Row } from './dispatch.js';
import type { Flusher } from './flusher.js';
import type { Gate } from './gate.js';
import { CONGESTED_BYTES, CONGESTION_MS, UNAUTHENTICATED_MS } from './limits.js';
import { Mailbox } from './mailbox.js';
import type { Online } from './presence.js';
import type { Refusal } from './refusals.js';
import { Reply, type Outlet, type Request } from './reply.js';
import { idKey } from './keys.js';

export type PeerState = 'hello' | 'open' | 'registering' | 'proving' | 'words' | 'ready' | 'closed';

/** A login or registration between its steps; one at a time. */
export interface PendingLogin {
  /** undefined: a decoy */
  readonly account: Account | undefined;
  readonly s2: Uint8Array;
  readonly block: Uint8Array;
  readonly passwordState: string;
  readonly transcript: LoginTranscript;
  sessionKey?: Uint8Array;
}

export interface PendingRegistration {
  readonly uid: Uint8Array;
  readonly name: string;
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
  readonly possession: Uint8Array;
}

/** Read by their own fast decoder: they come once for each message. */
const hot: ReadonlySet<Struct> = new Set<Struct>([structs.smpu, structs.ackd]);

/* One buffer for all deliveries of this process: it is sealed before the next is written. */
const deliveryStruct = new Uint8Array(STRUCT);

export class Peer implements Outlet, Online {
  readonly context: Context;
  readonly source: string;
  readonly #connection: Connection;
  readonly #gate: Gate;
  readonly #flusher: Flusher;
  readonly #gone: (peer: Peer) => void;
  #state: PeerState = 'hello';
  #hello = new Uint8Array(0);
  #session: Session | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #busy = false;
  #held: Uint8Array[] = [];
  #congested: NodeJS.Timeout | undefined;
  #answers: { request: Request; status: Status; code: Code }[] = [];
  #mailbox: Mailbox | undefined;
  #account: Account | undefined;
  #uidKey = '';
  #saved: Promise<void> = Promise.resolve();
  loginsTried = 0;
  /** Private messages of this client that have no answer yet. */
  unanswered = 0;
  login: PendingLogin | undefined;
  registration: PendingRegistration | undefined;
  /** H(grant) of the session, which `quit` revokes. */
  grantHash: Uint8Array | undefined;

  constructor(connection: Connection, context: Context, gate: Gate, flusher: Flusher, gone: (peer: Peer) => void) {
    this.context = context;
    this.source = connection.source;
    this.#connection = connection;
    this.#gate = gate;
    this.#flusher = flusher;
    this.#gone = gone;
    this.#within(1000 * context.limits['hello-seconds'], 'hello stalled');
    connection.start({
      data: (chunk) => {
        this.#data(chunk);
      },
      drained: () => {
        this.#drained();
      },
      closed: () => {
        this.#closed();
      },
    });
  }

  get state(): PeerState {
    return this.#state;
  }

  get th2(): Uint8Array {
    return this.#session?.th2 ?? new Uint8Array(0);
  }

  /** @throws Error before a login: rows of the dispatch table keep handlers from asking then */
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

  /** To another state before the login; drops what an unfinished login or registration left. */
  become(state: 'open' | 'registering' | 'proving' | 'words', within = UNAUTHENTICATED_MS): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    if (state === 'open') this.login = undefined;
    if (state !== 'registering') this.registration = undefined;
    this.#within(within, 'nobody logged in');
  }

  /** The switch to ck3: the finishing answer has been sealed under ck2. */
  authenticated(login: PendingLogin, account: Account, sessionKey: Uint8Array, ends: number, waiting: number): void {
    if (this.#state === 'closed' || !this.#session) return;
    const secret = Buffer.concat([login.s2, sessionKey]);
    this.#session.authenticated(secret, login.transcript.hash(this.context.sync, this.th2), login.block);
    for (const spent of [secret, login.s2, sessionKey]) spent.fill(0);
    this.login = undefined;
    this.#account = account;
    this.#uidKey = idKey(account.uid);
    this.#state = 'ready';
    const host = {
      push: (entry: QueueEntry) => {
        this.#push(entry);
      },
      ready: () => this.#state === 'ready' && !this.#congested,
      drained: (delivered: number) => {
        this.event(structs.drnd, { delivered });
      },
      delivered: (entry: QueueEntry) => {
        this.#tellSender(entry);
      },
      failed: (error: unknown) => {
        this.context.log.error('the store failed', { error: String(error) });
      },
      now: this.context.now,
    };
    const { store, limits, presence } = this.context;
    this.#mailbox = new Mailbox(account.uid, store, host, limits.flights, waiting);
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      () => {
        this.close(Code.authentication);
      },
      Math.max(0, ends - this.context.now()),
    );
    presence.enter(this.#uidKey, this);
    this.event(structs.cnnt, { uid: account.uid, name: account.name, queued: waiting });
    this.#mailbox.start();
  }

  // ---- what leaves

  now(): number {
    return this.context.now();
  }

  answer(request: Request, status: Status, code: Code): void {
    if (this.#state === 'ready') {
      this.#answers.push({ request, status, code });
      this.#flusher.mark(this);
    } else {
      this.#answerAlone(request, status, code);
    }
  }

  #answerAlone({ opcode, step, frameId }: Request, status: Status, code: Code): void {
    this.send(encode(structs.answer, { opcode, step, frameId, time: this.now(), status, code }, { wait: 0 }));
  }

  event<S extends Struct>(struct: S, values: Values<S>, code: Code = Code.none): void {
    this.send(encode(struct, this.#eventHeader(struct.opcode, this.context.nextId(), this.now(), code), values));
  }

  #eventHeader(opcode: number, frameId: Uint8Array, time: number, code: Code = Code.none): Header {
    return { opcode, step: 0, frameId, time, status: Status.valid, code };
  }

  send(struct: Uint8Array): void {
    if (this.#state === 'closed' || !this.#session) return;
    if (this.#session.send.exhausted) {
      this.#destroy(); // the client comes back with fresh keys
      return;
    }
    this.#session.send.add(struct);
    this.#flusher.mark(this);
  }

  #push(entry: QueueEntry): void {
    writeHeader(structs.rvum, this.#eventHeader(entry.opcode, entry.id, entry.time), deliveryStruct);
    deliveryStruct.set(entry.fields, ANSWER_HEADER);
    deliveryStruct.fill(0, ANSWER_HEADER + entry.fields.length);
    this.send(deliveryStruct);
  }

  /** Called once a tick: all that fell due in it, in one write. */
  flush(): void {
    const session = this.#session;
    if (this.#state === 'closed' || !session) return;
    for (let at = 0; at < this.#answers.length; at += ANSWERS_PER_FRAME) {
      const some = this.#answers.slice(at, at + ANSWERS_PER_FRAME);
      const only = some.length === 1 ? some[0] : undefined;
      if (only) this.#answerAlone(only.request, only.status, only.code);
      else this.event(structs.ansr, { answers: some.map(answerRow) });
    }
    this.#answers = [];
    if (session.send.pending === 0) return;
    this.#connection.write(session.send.take());
    if (this.#connection.buffered > CONGESTED_BYTES && !this.#congested) {
      this.#connection.pause();
      this.#congested = setTimeout(() => {
        this.refuse('congested');
      }, CONGESTION_MS);
    }
  }

  #drained(): void {
    if (!this.#congested) return;
    clearTimeout(this.#congested);
    this.#congested = undefined;
    if (this.#held.length === 0) this.#connection.resume();
    void this.#mailbox?.drain();
  }

  // ---- what arrives

  #data(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'hello') {
      this.#helloData(chunk);
      return;
    }
    if (!this.#session?.receive.push(chunk, this.#struct) && this.#isOpen()) this.refuse('frame');
  }

  #helloData(chunk: Uint8Array): void {
    const got = Buffer.concat([this.#hello, chunk]);
    if (this.#busy || got.length > FRAME) {
      this.refuse('bytes before the answer');
      return;
    }
    this.#hello = got;
    if (got.length < FRAME) return;
    this.#busy = true;
    this.#gate.admit(got, this.#connection.binding, this.source).then(
      (answered) => {
        if (!this.#isOpen()) return;
        if (typeof answered === 'string') {
          this.refuse(answered);
          return;
        }
        this.#busy = false;
        this.#hello = new Uint8Array(0);
        this.#connection.write(answered.ack);
        if (!answered.session) {
          this.context.refusals.count('build', this.source);
          this.#end();
          return;
        }
        this.#session = answered.session;
        this.become('open');
      },
      (error: unknown) => {
        this.context.log.error('a handshake failed', { error: String(error) });
        this.#destroy();
      },
    );
  }

  readonly #struct = (struct: Uint8Array): boolean => {
    if (this.#busy) {
      /* In a login nothing may come before the answer; later, frames wait their turn. */
      if (this.#state !== 'ready' && this.#state !== 'registering' && this.#state !== 'open') return this.#outOfTurn();
      this.#held.push(struct);
      this.#connection.pause();
      return true;
    }
    this.#command(struct);
    return this.#isOpen();
  };

  #outOfTurn(): false {
    this.refuse('out of turn');
    return false;
  }

  #command(bytes: Uint8Array): void {
    const opcode = peekOpcode(bytes);
    const step = peekStep(bytes);
    const request: Request = { bytes, opcode, step, frameId: peekFrameId(bytes) };
    const row = findRow(opcode, step);
    if (!row?.states.includes(this.#state)) {
      if (strictStates.has(this.#state)) this.#outOfTurn();
      else this.answer(request, Status.error, this.#refusalOf(row, opcode, step));
      return;
    }
    const decoded = (hot.has(row.struct) ? decode : decodeStruct)(row.struct, bytes);
    if (decoded.problem) {
      if (strictStates.has(this.#state)) this.become('open');
      this.answer(request, Status.error, Code.malformed);
      return;
    }
    this.#run(row, decoded.values, request);
  }

  #refusalOf(row: Row | undefined, opcode: number, step: number): Code {
    if (!isKnown(opcode, step)) return Code.malformed;
    if (this.#state !== 'ready') return Code.forbidden;
    return row ? Code.conflict : Code.notFound;
  }

  #run(row: Row, values: Values<Struct>, request: Request): void {
    const reply = new Reply(this, request);
    try {
      const running = row.once
        ? this.#once(row, values, request)
        : row.handler(this.context, this, values, reply, request);
      if (!running) return;
      this.#busy = true;
      running.then(
        () => {
          this.#next();
        },
        (error: unknown) => {
          this.#failed(error, reply);
          this.#next();
        },
      );
    } catch (error) {
      this.#failed(error, reply);
    }
  }

  /** A replay is answered as the command was, without a second effect (SPEC 8.3). */
  async #once(row: Row, values: Values<Struct>, request: Request): Promise<void> {
    const { store } = this.context;
    const { uid } = this.account;
    const before = await store.reply(uid, request.frameId);
    if (before) {
      this.answer(request, before.code >= Code.malformed ? Status.error : Status.valid, before.code);
      return;
    }
    const outlet: Outlet = {
      now: () => this.now(),
      send: (struct) => {
        this.send(struct);
      },
      answer: (_request, status, code) => {
        if (laterCodes.has(code)) {
          this.answer(request, status, code); // "later" is no end: its replay is a new try
          return;
        }
        const { opcode, frameId } = request;
        store.keepReply(uid, { frameId, opcode, code, time: this.now() }).then(
          () => {
            this.answer(request, status, code);
          },
          (error: unknown) => {
            this.#failed(error, new Reply(this, request));
          },
        );
      },
    };
    await row.handler(this.context, this, values, new Reply(outlet, request), request);
  }

  #failed(error: unknown, reply: Reply): void {
    const storage = error instanceof StorageError;
    this.context.log.error(storage ? 'the store failed' : 'a handler failed', { error: String(error) });
    if (strictStates.has(this.#state)) this.become('open');
    reply.fail(storage ? Code.storage : Code.internal);
  }

  #next(): void {
    this.#busy = false;
    while (this.#isFree()) {
      const struct = this.#held.shift();
      if (!struct) {
        if (!this.#congested) this.#connection.resume();
        return;
      }
      this.#command(struct);
    }
  }

  #tellSender(entry: QueueEntry): void {
    const { deliver, nextId } = this.context;
    const { uid } = this.account;
    const at = this.now();
    const fields = Buffer.alloc(16 + 16 + 8);
    fields.set(entry.key, 0);
    fields.set(uid, 16);
    fields.writeBigUInt64BE(BigInt(at), 32);
    deliver(entry.from, { id: nextId(), opcode: Opcode.dlvd, from: uid, key: entry.key, time: at, fields }, () => {
      /* The mark is the sender's to acknowledge; nobody waits for it here. */
    });
  }

  // ---- the end

  #isFree(): boolean {
    return !this.#busy && this.#isOpen();
  }

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
    this.context.refusals.count(reason, this.source);
    this.#destroy();
  }

  close(code: typeof Code.authentication | typeof Code.conflict | typeof Code.unavailable): void {
    this.event(structs.clos, {}, code);
    this.#end();
  }

  /** Sends what is sealed, then ends. */
  finish(): void {
    this.#end();
  }

  #end(): void {
    this.flush();
    this.#connection.end();
    this.#closed();
  }

  #destroy(): void {
    this.#connection.destroy();
    this.#closed();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#deadline);
    clearTimeout(this.#congested);
    this.#session?.forget();
    this.#held = [];
    this.login = undefined;
    this.registration = undefined;
    if (this.#mailbox) {
      this.context.presence.leave(this.#uidKey, this);
      this.#saved = this.#mailbox.close();
    }
    this.#gone(this);
  }
}

function answerRow({ request, status, code }: { request: Request; status: Status; code: Code }) {
  return { opcode: request.opcode, step: request.step, frame: request.frameId, status, code };
}
