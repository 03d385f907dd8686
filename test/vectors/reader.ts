/** Reads vectors: each member of the type that its kind gives it. */
import { fromHex, hex, type Field } from '../../protocol/index.js';
import type { Json, Vector } from './format.js';

/** The members of a vector, each of the type that its kind gives it. A missing one throws. */
export class Reader {
  readonly #of: Readonly<Record<string, Json | undefined>>;
  constructor(of: Json | Vector | undefined) {
    if (typeof of !== 'object' || Array.isArray(of)) throw new TypeError('a vector lacks an object');
    this.#of = of as Readonly<Record<string, Json | undefined>>;
  }
  at(name: string): Reader {
    return new Reader(this.#of[name]);
  }
  rows(name: string): readonly Reader[] {
    const rows = this.#of[name];
    if (!Array.isArray(rows)) throw new TypeError(`a vector lacks the list ${name}`);
    return rows.map((row: Json) => new Reader(row));
  }
  text(name: string): string {
    const text = this.#of[name];
    if (typeof text !== 'string') throw new TypeError(`a vector lacks the text ${name}`);
    return text;
  }
  bytes(name: string): Uint8Array {
    return fromHex(this.text(name));
  }
  number(name: string): number {
    const number = this.#of[name];
    if (typeof number !== 'number') throw new TypeError(`a vector lacks the number ${name}`);
    return number;
  }
  get json(): Json {
    return this.#of as Json;
  }
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((value) => (value instanceof Uint8Array ? hex(value) : JSON.stringify(value)));
  if (a !== b) throw new Error(`${what}: ${String(a)} instead of ${String(b)}`);
}

export function fromJson(fields: readonly Field[], values: Reader): Readonly<Record<string, unknown>> {
  const value = (field: Field): unknown => {
    if (field.kind === 'uint') return values.number(field.name);
    if (field.kind === 'name') return values.text(field.name);
    if (field.kind === 'list') return values.rows(field.name).map((row) => fromJson(field.of, row));
    return values.bytes(field.name);
  };
  return Object.fromEntries(fields.map((field) => [field.name, value(field)]));
}
