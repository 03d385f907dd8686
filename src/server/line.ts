/** What leaves to one client, and when nothing more is read from it: frames, shared answers, back-pressure. */
import {
  ANSWER_HEADER,
  ANSWERS_PER_FRAME,
  Code,
  encode,
  Status,
  STRUCT,
  structs,
  writeHeader,
  type Header,
  type Session,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import type { QueueEntry } from '../store/store.js';
import type { Connection } from '../transport/transport.js';
import type { Context } from './context.js';
import type { Flusher } from './flusher.js';
import { CONGESTED_BYTES, CONGESTION_MS } from './limits.js';
import type { Outlet, Request } from './reply.js';

/* One buffer for all deliveries of this process: it is sealed before the next is written. */
const deliveryStruct = new Uint8Array(STRUCT);
/** What stands in it: a room's message goes to one member after another, and is written once. */
let written: QueueEntry | undefined;

export interface LineHost {
  /** The client took nothing for too long. */
  stuck(): void;
  /** It takes more again. */
  drained(): void;
  /** It is told 403. */
  forbidden(): void;
  /** Called at debug alone. */
  answered(request: Request, code: Code): void;
}

/** Why nothing more is read for a while: a command is worked on and others wait, or a new epoch's block is opened. */
export type Hold = 'command' | 'epoch';

interface PlainAnswer {
  readonly request: Request;
  readonly status: Status;
  readonly code: Code;
}

export class Line implements Outlet {
  readonly #connection: Connection;
  readonly #context: Context;
  readonly #flusher: Flusher;
  readonly #host: LineHost;
  readonly #session: Session;
  #answers: PlainAnswer[] = [];
  #congested: NodeJS.Timeout | undefined;
  readonly #held = { command: false, epoch: false };
  #closed = false;
  /** Answers without fields may share a frame: after a login, never in one (SPEC 8.4). */
  shares = false;

  constructor(connection: Connection, context: Context, flusher: Flusher, session: Session, host: LineHost) {
    this.#connection = connection;
    this.#context = context;
    this.#flusher = flusher;
    this.#session = session;
    this.#host = host;
  }

  get congested(): boolean {
    return this.#congested !== undefined;
  }

  now(): number {
    return this.#context.now();
  }

  answer(request: Request, status: Status, code: Code): void {
    if (this.#closed) return;
    this.#context.counts.answer(request.opcode, code);
    if (code === Code.forbidden) this.#host.forbidden();
    if (this.#context.log.isDebug) this.#host.answered(request, code);
    if (!this.shares) {
      this.#answerAlone({ request, status, code });
      return;
    }
    this.#answers.push({ request, status, code });
    this.#flusher.mark(this);
  }

  answerWith(request: Request, code: Code, struct: Uint8Array): void {
    if (this.#closed) return;
    this.#context.counts.answer(request.opcode, code);
    if (this.#context.log.isDebug) this.#host.answered(request, code);
    this.#send(struct);
  }

  #answerAlone({ request: { opcode, step, frameId }, status, code }: PlainAnswer): void {
    this.#send(encode(structs.answer, { opcode, step, frameId, time: this.now(), status, code }, { wait: 0 }));
  }

  event<S extends Struct>(struct: S, values: Values<S>, code: Code = Code.none): void {
    this.#send(encode(struct, eventHeader(struct.opcode, this.#context.nextId(), this.now(), code), values));
  }

  /** A queue entry as the event that it is. */
  push(entry: QueueEntry): void {
    if (entry !== written) {
      writeHeader(structs.rvum, eventHeader(entry.opcode, entry.id, entry.time), deliveryStruct);
      deliveryStruct.set(entry.fields, ANSWER_HEADER);
      deliveryStruct.fill(0, ANSWER_HEADER + entry.fields.length);
      written = entry;
    }
    this.#send(deliveryStruct);
  }

  #send(struct: Uint8Array): void {
    if (this.#closed) return;
    this.#session.send.add(struct);
    this.#flusher.mark(this);
  }

  /** Called once a tick: all that fell due in it, in one write. */
  flush(): void {
    if (this.#closed) return;
    const answers = this.#answers;
    if (answers.length > 0) this.#answers = [];
    for (let at = 0; at < answers.length; at += ANSWERS_PER_FRAME) {
      const some = answers.slice(at, at + ANSWERS_PER_FRAME);
      const only = some.length === 1 ? some[0] : undefined;
      if (only) this.#answerAlone(only);
      else this.event(structs.ansr, { answers: some.map(answerRow) });
    }

    if (this.#session.send.pending === 0) return;
    this.#connection.write(this.#session.send.take());
    if (this.#connection.buffered <= CONGESTED_BYTES || this.#congested) return;
    this.#connection.pause();
    this.#congested = setTimeout(() => {
      this.#host.stuck();
    }, CONGESTION_MS);
  }

  /** Everything written has left. */
  drained(): void {
    if (!this.#congested) return;
    clearTimeout(this.#congested);
    this.#congested = undefined;
    this.#read();
    this.#host.drained();
  }

  hold(why: Hold, held: boolean): void {
    this.#held[why] = held;
    this.#read();
  }

  #read(): void {
    if (this.#held.command || this.#held.epoch || this.#congested) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Nothing leaves after this. */
  close(): void {
    this.#closed = true;
    this.#answers = [];
    clearTimeout(this.#congested);
    this.#session.forget();
  }
}

function eventHeader(opcode: number, frameId: Uint8Array, time: number, code: Code = Code.none): Header {
  return { opcode, step: 0, frameId, time, status: Status.valid, code };
}

function answerRow({ request, status, code }: PlainAnswer) {
  return { opcode: request.opcode, step: request.step, frame: request.frameId, status, code };
}
