/** Bytes from a seed, the same on every machine: SHA-256 of the seed and a counter. For tests, never for keys in use. */
import { createHash } from 'node:crypto';
import {
  fieldLength,
  uintMax,
  type Field,
  type Header,
  type Struct,
  codes,
  statuses,
  NAME_MAX,
  NAME_MIN,
  type Code,
  type Status,
} from '../../protocol/index.js';

export class Seeded {
  readonly #seed: string;
  #counter = 0;
  #rest = Buffer.alloc(0);

  constructor(seed: string) {
    this.#seed = seed;
  }

  bytes(length: number): Uint8Array {
    while (this.#rest.length < length) {
      const block = createHash('sha256')
        .update(`${this.#seed} ${String(this.#counter++)}`)
        .digest();
      this.#rest = Buffer.concat([this.#rest, block]);
    }
    const out = Uint8Array.from(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return out;
  }

  /** A whole number from 0 to below the bound; the bias of the remainder does not matter here. */
  below(bound: number): number {
    return Number(Buffer.from(this.bytes(8)).readBigUInt64BE() % BigInt(bound));
  }

  pick<T>(from: ArrayLike<T>): T {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new RangeError('nothing to pick from');
    return one;
  }

  name(): string {
    const length = NAME_MIN + this.below(NAME_MAX - NAME_MIN + 1);
    const first = this.pick('abcdefghijklmnopqrstuvwxyz');
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789_';
    return first + Array.from({ length: length - 1 }, () => this.pick(letters)).join('');
  }
}

type Row = Readonly<Record<string, unknown>>;

function fieldValue(seeded: Seeded, field: Field): unknown {
  switch (field.kind) {
    case 'uint':
      return seeded.below(uintMax(field) + 1);
    case 'bytes':
      return seeded.bytes(fieldLength(field));
    case 'name':
      return seeded.name();
    case 'data':
      return seeded.bytes(seeded.below(field.max + 1));
    case 'list':
      return Array.from({ length: seeded.below(field.max + 1) }, () => fieldValues(seeded, field.of));
  }
}

/** A value for every field, each within its range. */
export function fieldValues(seeded: Seeded, fields: readonly Field[]): Row {
  return Object.fromEntries(fields.map((field) => [field.name, fieldValue(seeded, field)]));
}

/** A header that this struct may have; `answer` serves any opcode, here that of the caller. */
export function headerFor(seeded: Seeded, struct: Struct, opcode = struct.opcode, step = struct.step): Header {
  const fromDaemon = struct.from === 'daemon';
  return {
    opcode,
    step,
    frameId: seeded.bytes(16),
    time: seeded.below(2 ** 42),
    status: fromDaemon ? seeded.pick([...statuses] as Status[]) : 0,
    code: fromDaemon ? seeded.pick([...codes] as Code[]) : 0,
  };
}
