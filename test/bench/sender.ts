/** Messages of one user, as fast as their answers allow or at a pace: to one reader or several in turn, or in a room. */
import {
  ACKS_PER_FRAME,
  ANSWER_HEADER,
  COMMAND_HEADER,
  Code,
  encode,
  ENVELOPE,
  ENVELOPE_HEADER,
  envelopeFields,
  fieldOffset,
  ID,
  Opcode,
  peekFrameId,
  peekOpcode,
  readHeader,
  Status,
  structs,
  writeFields,
  type Header,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { RawConnection, RawUser } from '../support/raw.js';

const AT_FRAME = 6;
/** Where a message says which one it is. */
const AT_MESSAGE: Readonly<Record<number, number>> = {
  [Opcode.smpu]: COMMAND_HEADER + 2 + ID,
  [Opcode.srms]: fieldOffset(structs.srms, 'message'),
};
/** A row of shared answers: opcode, step, frame id, status, code. */
const ROW = 4 + 1 + ID + 1 + 2;
/** Answers that are gathered before as many new messages leave in one write. */
const GATHERED = 8;

/** An answered message: when, on this process's clock, how long it took, in ms, and the answer's code. */
export type Answered = (at: number, ms: number, code: number) => unknown;

export function commandHeader(opcode: number): Header {
  return { opcode, step: 0, frameId: new Uint8Array(ID), time: 0, status: Status.valid, code: Code.none };
}

export function messageStruct(from: RawUser, to: RawUser): Buffer {
  const envelope = nodeSync.random(ENVELOPE);
  const [zero, none] = [new Uint8Array(ID), new Uint8Array(32)];
  const ids = { conversation: zero, message: zero, sender: from.uid, recipient: to.uid };
  const keys = { senderKeys: none, recipientKeys: none, previous: none };
  const numbers = { version: 1, suite: 1, sequence: 1, time: Date.now(), part: 0, parts: 1 };
  writeFields(envelopeFields, { ...ids, ...keys, ...numbers }, envelope.subarray(0, ENVELOPE_HEADER), 0);
  return Buffer.from(encode(structs.smpu, commandHeader(Opcode.smpu), { envelope }));
}

/**
 * Frames that went either way, of all in this process: a message is two, acknowledgements and answers share some. And
 * messages that arrived at somebody.
 */
export const frames = { count: 0, delivered: 0 };

export class Sender {
  readonly #raw: RawConnection;
  readonly #structs: readonly Buffer[];
  readonly #opcode: number;
  readonly #atMessage: number;
  readonly #sentAt = new Map<number, number>();
  /** Never the same number twice: a message that waits already would not be kept again. */
  #next = 0;
  #open = 0;

  /** @param messages sent one after another, all of one opcode; each time as another message */
  constructor(raw: RawConnection, messages: readonly Buffer[]) {
    this.#raw = raw;
    this.#structs = messages;
    this.#opcode = messages[0] ? peekOpcode(messages[0]) : 0;
    this.#atMessage = AT_MESSAGE[this.#opcode] ?? 0;
  }

  /** Keeps `window` messages under way until `end`, on the clock of performance.now(); resolves when all are answered. */
  flood(window: number, end: number, answered: Answered): Promise<void> {
    let due = 0;
    return this.#listen(
      answered,
      (answers) => {
        due += answers;
        if (performance.now() >= end) return;
        if (due < Math.min(window, GATHERED)) return;
        this.#post(due);
        due = 0;
      },
      () => {
        this.#post(window);
        return () => performance.now() >= end;
      },
    );
  }

  /** Posts `each` messages every `everyMs` until `end`, as far as no more than `window` are under way. */
  pace(window: number, each: number, everyMs: number, end: number, answered: Answered): Promise<void> {
    let isOver = false;
    return this.#listen(
      answered,
      () => undefined,
      () => {
        const timer = setInterval(() => {
          isOver = performance.now() >= end;
          if (isOver) clearInterval(timer);
          this.#post(Math.min(each, window - this.#open));
        }, everyMs);
        return () => isOver;
      },
    );
  }

  #post(many: number): void {
    for (let i = 0; i < many; i++) {
      const struct = this.#structs[this.#next % this.#structs.length];
      if (!struct) throw new Error('sender: nobody to write to');
      struct.writeUInt32BE(this.#next, AT_FRAME);
      struct.writeUInt32BE(this.#next, this.#atMessage);
      this.#sentAt.set(this.#next, performance.now());
      this.#next++;
      this.#raw.session.send.add(struct);
    }
    frames.count += many;
    this.#open += many;
    if (many > 0) this.#raw.connection.write(this.#raw.session.send.take());
  }

  #listen(answered: Answered, gathered: (answers: number) => void, begin: () => () => boolean): Promise<void> {
    /* Who speaks in a room reads there too. */
    const read = this.#raw.fast;
    return new Promise((resolve, reject) => {
      const one = (number: number, status: number | undefined, code: number): void => {
        if (status !== Status.valid) reject(new Error(`refused: ${String(code)}`));
        const at = performance.now();
        answered(at, at - (this.#sentAt.get(number) ?? at), code);
        this.#sentAt.delete(number);
        this.#open--;
      };
      const answersIn = (bytes: Uint8Array): number => {
        if (peekOpcode(bytes) === this.#opcode) {
          const { frameId, status, code } = readHeader(structs.answer, bytes);
          one(Buffer.from(frameId).readUInt32BE(0), status, code);
          frames.count++;
          return 1;
        }
        if (peekOpcode(bytes) !== Opcode.ansr) {
          if (read) read(bytes);
          else frames.count++;
          return 0;
        }
        frames.count++;
        const count = bytes[ANSWER_HEADER] ?? 0;
        const rows = Buffer.from(bytes.buffer, bytes.byteOffset + ANSWER_HEADER + 1, count * ROW);
        for (let at = 0; at < rows.length; at += ROW)
          one(rows.readUInt32BE(at + 5), rows[at + 5 + ID], rows.readUInt16BE(at + 6 + ID));
        return count;
      };
      const isOver = begin();
      this.#raw.fast = (bytes) => {
        gathered(answersIn(bytes));
        if (this.#open > 0 || !isOver()) return;
        this.#raw.fast = read;
        resolve();
      };
    });
  }
}

const deliveries: ReadonlySet<number> = new Set([Opcode.rvum, Opcode.rvrm, Opcode.enrm]);

/**
 * The reading end: acknowledges all that one turn of the loop brought, 64 at most a frame.
 * @param other what is no delivery
 */
export function readAll(raw: RawConnection, other: (bytes: Uint8Array) => unknown = () => undefined): void {
  const ids: Uint8Array[] = [];
  const flush = (): void => {
    while (ids.length > 0) {
      const some = ids.splice(0, ACKS_PER_FRAME);
      raw.session.send.add(encode(structs.ackd, commandHeader(Opcode.ackd), { ids: some.map((id) => ({ id })) }));
      frames.count++;
    }
    raw.connection.write(raw.session.send.take());
  };
  raw.fast = (bytes) => {
    frames.count++;
    const opcode = peekOpcode(bytes);
    if (!deliveries.has(opcode)) {
      other(bytes);
      return;
    }
    if (opcode !== Opcode.enrm) frames.delivered++;
    if (ids.length === 0) setImmediate(flush);
    ids.push(peekFrameId(bytes));
  };
}
