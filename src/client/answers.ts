/** What was asked of the daemon and is not answered yet, by frame id (SPEC 8.4). */
import { Code, hex, Status, type Header, type structs, type Values } from '../../protocol/index.js';
import type { ClientError } from './errors.js';

export interface Reply {
  readonly header: Header;
  readonly code: Code;
  readonly isError: boolean;
  /** seconds; 0 where the daemon names no time */
  readonly wait: number;
  /** The whole struct, ours to keep. Empty where the answer shared a frame. */
  readonly struct: Uint8Array;
}

/** From 500 on the daemon failed: it may have done what it was asked for, or not. */
export function isFailure(code: Code): boolean {
  return code >= Code.internal;
}

export interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: ClientError) => void;
  /** Called while the answer's frame is handled, before any frame behind it is opened. */
  readonly atOnce: ((reply: Reply) => void) | undefined;
  /** Ends the wait for time. */
  readonly cancel: () => void;
}

const nothing = new Uint8Array(0);

export class Answers {
  readonly #waiting = new Map<string, Waiting>();

  expect(frameId: Uint8Array, waiting: Waiting): void {
    this.#waiting.set(hex(frameId), waiting);
  }

  came(header: Header, wait: number, struct: Uint8Array): void {
    const id = hex(header.frameId);
    const waiting = this.#waiting.get(id);
    if (!waiting) return; // an answer to what timed out
    this.#waiting.delete(id);
    waiting.cancel();
    const reply = { header, code: header.code, isError: header.status === Status.error, wait, struct };
    waiting.atOnce?.(reply);
    waiting.resolve(reply);
  }

  /** Several answers in one frame. */
  cameTogether({ answers }: Values<typeof structs.ansr>, header: Header): void {
    for (const { opcode, step, frame, status, code } of answers)
      this.came({ ...header, opcode, step, frameId: frame, status: status as Status, code: code as Code }, 0, nothing);
  }

  fail(reason: ClientError): void {
    for (const waiting of this.#waiting.values()) {
      waiting.cancel();
      waiting.reject(reason);
    }
    this.#waiting.clear();
  }
}
