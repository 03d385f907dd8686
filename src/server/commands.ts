/** What arrives from one client, struct by struct, in order: found in the dispatch table, checked, run. */
import {
  Code,
  decode,
  laterCodes,
  peekFrameId,
  peekOpcode,
  peekStep,
  Status,
  structs,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { StorageError, UnknownId } from '../store/store.js';
import { refused } from './attempts.js';
import { decodeStruct } from '../wire/decode.js';
import { findRow, isKnown, strictStates, type Row } from './dispatch.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import { Reply, type Outlet, type Request } from './reply.js';

/** Read by the protocol's own decoder, four times as fast as binary-parser: they come once for each message. */
const hot: ReadonlySet<Struct> = new Set<Struct>([structs.smpu, structs.srms, structs.ackd]);

/** What this needs of the connection besides what handlers see of it. */
export interface CommandHost extends Caller {
  readonly context: Context;
  /** Stops and resumes reading, while a command is being worked on. */
  hold(held: boolean): void;
}

export class Commands {
  readonly #peer: CommandHost;
  readonly #out: Outlet;
  /** A command that is being worked on; what comes meanwhile waits, and reading stops. */
  #busy = false;
  /** It is a step of a login: nothing may come before its answer (SPEC 6.5). */
  #alone = false;
  #waiting: Uint8Array[] = [];

  constructor(peer: CommandHost, out: Outlet) {
    this.#peer = peer;
    this.#out = out;
  }

  take(struct: Uint8Array): void {
    if (!this.#busy) {
      this.#command(struct);
      return;
    }
    if (this.#alone) {
      this.#peer.refuse('out of turn');
      return;
    }
    if (this.#waiting.push(struct) === 1) this.#peer.hold(true);
  }

  #command(bytes: Uint8Array): void {
    const opcode = peekOpcode(bytes);
    const step = peekStep(bytes);
    const request: Request = { bytes, opcode, step, frameId: peekFrameId(bytes) };
    const row = findRow(opcode, step);
    const { frames } = this.#peer.context.counts;
    const number = row?.number ?? 0;
    frames[number] = (frames[number] ?? 0) + 1;
    /* Before the login each has budgets of its own. */
    const wait = this.#peer.state === 'ready' ? this.#peer.context.rates.take(row?.rate ?? 'command', this.#peer) : 0;
    if (wait > 0) {
      new Reply(this.#out, request).fail(Code.limited, wait);
      return;
    }
    const strict = strictStates.has(this.#peer.state);
    if (!row?.states.includes(this.#peer.state)) {
      if (strict) this.#peer.refuse('out of turn');
      else this.#out.answer(request, Status.error, this.#refusalOf(row, opcode, step));
      return;
    }
    const decoded = (hot.has(row.struct) ? decode : decodeStruct)(row.struct, bytes);
    if (decoded.problem) {
      if (strict) this.#peer.become('open');
      this.#out.answer(request, Status.error, Code.malformed);
      return;
    }
    this.#run(row, decoded.values, request);
  }

  #refusalOf(row: Row | undefined, opcode: number, step: number): Code {
    if (!isKnown(opcode, step)) return Code.malformed;
    if (this.#peer.state !== 'ready') {
      refused(this.#peer.context, this.#peer, 'not logged in');
      return Code.forbidden;
    }
    return row ? Code.conflict : Code.notFound;
  }

  #run(row: Row, values: Values<Struct>, request: Request): void {
    const reply = new Reply(this.#out, request);
    const alone = row.alone && this.#peer.state !== 'ready';
    try {
      const running = row.once
        ? this.#once(row, values, request)
        : row.handler(this.#peer.context, this.#peer, values, reply, request);
      if (!running) return;
      this.#busy = true;
      this.#alone = alone;
      running
        .catch((error: unknown) => {
          this.#failed(error, reply);
        })
        .finally(() => {
          this.#next();
        });
    } catch (error) {
      this.#failed(error, reply);
    }
  }

  /** A replay is answered as the command was, without a second effect (SPEC 8.3). */
  async #once(row: Row, values: Values<Struct>, request: Request): Promise<void> {
    const { context, account } = this.#peer;
    const out = this.#out;
    const before = await context.store.reply(account.uid, request.frameId);
    if (before) {
      out.answer(request, before.code >= Code.malformed ? Status.error : Status.valid, before.code);
      return;
    }
    const keeping: Outlet = {
      now: () => out.now(),
      answerWith: (_request, code, struct) => {
        out.answerWith(request, code, struct);
      },
      answer: (_request, status, code) => {
        if (laterCodes.has(code)) {
          out.answer(request, status, code); // "later" is no end: its replay is a new try
          return;
        }
        const { opcode, frameId } = request;
        context.store.keepReply(account.uid, { frameId, opcode, code, time: out.now() }).then(
          () => {
            out.answer(request, status, code);
          },
          (error: unknown) => {
            /* The account was deleted meanwhile, on this connection: what was done before it is done. */
            if (error instanceof UnknownId) out.answer(request, status, code);
            else this.#failed(error, new Reply(out, request));
          },
        );
      },
    };
    await row.handler(context, this.#peer, values, new Reply(keeping, request), request);
  }

  #failed(error: unknown, reply: Reply): void {
    if (this.#peer.state === 'closed' && error instanceof UnknownId) return; // whose account was deleted waits for nothing
    const storage = error instanceof StorageError;
    this.#peer.context.refusals.trouble(storage ? 'the store failed' : 'a handler failed', error);
    if (strictStates.has(this.#peer.state)) this.#peer.become('open');
    reply.fail(storage ? Code.storage : Code.internal);
  }

  #next(): void {
    this.#busy = false;
    this.#alone = false;
    while (this.#isFree()) {
      const struct = this.#waiting.shift();
      if (!struct) return;
      if (this.#waiting.length === 0) this.#peer.hold(false);
      this.#command(struct);
      if (this.#isAlone() && this.#waiting.length > 0) this.#peer.refuse('out of turn');
    }
  }

  #isAlone(): boolean {
    return this.#alone;
  }

  #isFree(): boolean {
    return !this.#busy && this.#peer.state !== 'closed';
  }
}
