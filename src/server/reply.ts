/** How a handler answers: it never sees a socket. */
import { Code, encode, Status, structs, type Struct, type Values } from '../../protocol/index.js';

/** A command as it arrived. Byte fields are views of `bytes`, which nobody writes again. */
export interface Request {
  readonly bytes: Uint8Array;
  readonly opcode: number;
  readonly step: number;
  readonly frameId: Uint8Array;
}

export interface Outlet {
  /** An answer without fields: may travel with others. */
  answer(request: Request, status: Status, code: Code): void;
  /** An answer with fields, as the whole struct: sealed now. */
  answerWith(request: Request, code: Code, struct: Uint8Array): void;
  now(): number;
}

export class Reply {
  readonly #outlet: Outlet;
  readonly #request: Request;

  constructor(outlet: Outlet, request: Request) {
    this.#outlet = outlet;
    this.#request = request;
  }

  /** A single-step command is done: 200, or 202 where it waits for somebody. */
  done(code: Code = Code.done): void {
    this.#outlet.answer(this.#request, Status.valid, code);
  }

  /** @param wait seconds until it is worth trying again */
  fail(code: Code, wait = 0): void {
    if (wait === 0) this.#outlet.answer(this.#request, Status.error, code);
    else this.#struct(structs.answer, { wait }, Status.error, code);
  }

  /** What a settled delivery says to its sender. */
  settled(code: Code): void {
    if (code === Code.done || code === Code.queued) this.done(code);
    else this.fail(code);
  }

  /** A step of several; gives the struct as sent, for the transcript of a login. */
  progress<S extends Struct>(struct: S, values: Values<S>, code: Code): Uint8Array {
    return this.#struct(struct, values, Status.progress, code);
  }

  /** The last step of several. */
  finish<S extends Struct>(struct: S, values: Values<S>): Uint8Array {
    return this.#struct(struct, values, Status.finished, Code.done);
  }

  /** The one answer of a command whose answer has fields. */
  give<S extends Struct>(struct: S, values: Values<S>): void {
    this.#struct(struct, values, Status.valid, Code.done);
  }

  #struct<S extends Struct>(struct: S, values: Values<S>, status: Status, code: Code): Uint8Array {
    const { opcode, step, frameId } = this.#request;
    const bytes = encode(struct, { opcode, step, frameId, time: this.#outlet.now(), status, code }, values);
    this.#outlet.answerWith(this.#request, code, bytes);
    return bytes;
  }
}
