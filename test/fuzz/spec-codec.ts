/**
 * SPEC 3.5 read a second time, for the fuzzers alone: made from the canonical text of the opcode table (SPEC 3.7)
 * and from the words of 3.2 to 3.6, byte by byte, without a line of the product's decoders. Slow and plain.
 */
import { canonicalTable } from '../../protocol/index.js';

export type Step = 'length' | 'version' | 'opcode' | 'range' | 'status' | 'name' | 'padding';

type Kind =
  | { readonly kind: 'uint'; readonly size: number; readonly max: bigint }
  | { readonly kind: 'bytes'; readonly length: number }
  | { readonly kind: 'name' }
  | { readonly kind: 'data'; readonly max: number }
  | { readonly kind: 'list'; readonly max: number; readonly of: readonly Word[] };
export type Word = Kind & { readonly name: string };

export interface Line {
  readonly name: string;
  readonly from: string;
  readonly opcode: number;
  readonly step: number;
  readonly size: number;
  readonly fields: readonly Word[];
}

function word(text: string): Word {
  const [, name = '', rest = ''] = /^([A-Za-z0-9]+):(.+)$/.exec(text) ?? [];
  const list = /^list(\d+)\((.+)\)$/.exec(rest);
  if (list) return { name, kind: 'list', max: Number(list[1]), of: (list[2] ?? '').split(',').map(word) };
  const [, kind, number = '', highest] = /^(u|bytes|data|name)(\d*)(?:<=(\d+))?$/.exec(rest) ?? [];
  if (kind === 'u') {
    const widest = number === '64' ? 2n ** 53n - 1n : 2n ** BigInt(number) - 1n;
    return { name, kind: 'uint', size: Number(number) / 8, max: highest === undefined ? widest : BigInt(highest) };
  }
  if (kind === 'bytes') return { name, kind, length: Number(number) };
  if (kind === 'data') return { name, kind, max: Number(number) };
  if (kind === 'name') return { name, kind };
  throw new Error(`spec: what is ${text}?`);
}

export const lines: ReadonlyMap<string, Line> = new Map(
  canonicalTable()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', from = '', opcode, step, size, ...words] = line.split(' ');
      const fields = words.map(word);
      return [name, { name, from, opcode: Number(opcode), step: Number(step), size: Number(size), fields }];
    }),
);

export function wordLength(of: Word): number {
  switch (of.kind) {
    case 'uint':
      return of.size;
    case 'bytes':
      return of.length;
    case 'name':
      return 32;
    case 'data':
      return 2 + of.max;
    case 'list':
      return 1 + of.max * of.of.reduce((sum, each) => sum + wordLength(each), 0);
  }
}

const statuses = [0, 1, 2, 3];
const codes = [0, 101, 102, 103, 200, 202, 400, 401, 403, 404, 409, 413, 426, 429, 500, 503, 507];

/** What a struct holds, or the step at which SPEC 3.5 refuses it. */
export type Reading =
  { readonly step: Step } | { readonly step?: undefined; readonly values: Readonly<Record<string, unknown>> };

class Refused extends Error {
  readonly step: Step;
  constructor(step: Step) {
    super(step);
    this.step = step;
  }
}

class Reader {
  readonly bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  take(length: number): Uint8Array {
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }
  uint(size: number, max: bigint): number {
    let value = 0n;
    for (const byte of this.take(size)) value = (value << 8n) | BigInt(byte);
    if (value > max) throw new Refused('range');
    return Number(value);
  }
  zeros(length: number): void {
    if (this.take(length).some((byte) => byte !== 0)) throw new Refused('padding');
  }
  name(): string {
    const latin = String.fromCharCode(...this.take(32));
    const [text = ''] = latin.split('\0');
    if (!/^[a-z][a-z0-9_]{2,31}$/.test(text)) throw new Refused('name');
    if (latin !== text.padEnd(32, '\0')) throw new Refused('padding');
    return text;
  }
  fields(words: readonly Word[]): Record<string, unknown> {
    return Object.fromEntries(words.map((each) => [each.name, this.field(each)]));
  }
  field(of: Word): unknown {
    switch (of.kind) {
      case 'uint':
        return this.uint(of.size, of.max);
      case 'bytes':
        return this.take(of.length);
      case 'name':
        return this.name();
      case 'data': {
        const value = this.take(this.uint(2, BigInt(of.max)));
        this.zeros(of.max - value.length);
        return value;
      }
      case 'list': {
        const count = this.uint(1, BigInt(of.max));
        const rows = Array.from({ length: count }, () => this.fields(of.of));
        this.zeros(wordLength(of) - 1 - (count * (wordLength(of) - 1)) / of.max);
        return rows;
      }
    }
  }
}

export function readBySpec(line: Line, bytes: Uint8Array): Reading {
  try {
    return { values: read(line, bytes) };
  } catch (error) {
    if (error instanceof Refused) return { step: error.step };
    throw error;
  }
}

function read(line: Line, bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length !== line.size) throw new Refused('length');
  const reader = new Reader(bytes);
  if (reader.uint(1, 255n) !== 1) throw new Refused('version');
  const step = reader.uint(1, 255n);
  const opcode = reader.uint(4, 2n ** 32n);
  if (line.name !== 'answer' && (opcode !== line.opcode || step !== line.step)) throw new Refused('opcode');
  reader.take(16);
  reader.uint(8, 2n ** 53n - 1n);
  if (line.from === 'daemon') {
    const [status, code] = [reader.uint(1, 255n), reader.uint(2, 65535n)];
    if (!statuses.includes(status) || !codes.includes(code)) throw new Refused('status');
  }
  const values = reader.fields(line.fields);
  const used = (line.from === 'daemon' ? 33 : 30) + line.fields.reduce((sum, each) => sum + wordLength(each), 0);
  reader.zeros(line.size - used);
  return values;
}
