/** binary-parser's decoder of commands, built from the same tables as the pure one (`protocol/codec.ts`). */
import { Parser } from 'binary-parser';
import {
  allStructs,
  check,
  fieldsLength,
  headerLength,
  NAME_MAX,
  readHeader,
  type Decoded,
  type Field,
  type Struct,
  type Values,
} from '../../protocol/index.js';

const text = (bytes: Buffer): string => {
  const zero = bytes.indexOf(0);
  return bytes.toString('latin1', 0, zero < 0 ? bytes.length : zero); // `check` has found it to be a name: ASCII
};

/** Bytes to the end of a field that is as long as it may be, whatever it holds. */
function unused(of: 'length' | 'count', max: number, each: number) {
  return function (this: Readonly<Record<'length' | 'count', number>>): number {
    return (max - this[of]) * each;
  };
}

function add(parser: Parser, field: Field): Parser {
  switch (field.kind) {
    case 'uint':
      if (field.size === 8) return parser.uint64(field.name, { formatter: (value: unknown) => Number(value) });
      if (field.size === 4) return parser.uint32(field.name);
      return field.size === 2 ? parser.uint16(field.name) : parser.uint8(field.name);
    case 'bytes':
      return parser.buffer(field.name, { length: field.length });
    case 'name':
      return parser.buffer(field.name, { length: NAME_MAX, formatter: (bytes: unknown) => text(bytes as Buffer) });
    case 'data': {
      const inner = new Parser()
        .endianness('big')
        .uint16('length')
        .buffer('bytes', { length: 'length' })
        .seek(unused('length', field.max, 1));
      return parser.nest(field.name, {
        type: inner,
        formatter: (value: unknown) => (value as { bytes: Buffer }).bytes,
      });
    }
    case 'list':
      return parser.nest(field.name, {
        type: new Parser()
          .endianness('big')
          .uint8('count')
          .array('rows', { type: build(field.of), length: 'count' })
          .seek(unused('count', field.max, fieldsLength(field.of))),
        formatter: (value: unknown) => (value as { rows: unknown[] }).rows,
      });
  }
}

function build(fields: readonly Field[]): Parser {
  return fields.reduce(add, new Parser().endianness('big'));
}

const parsers = new Map<Struct, { parse(bytes: Buffer): unknown }>(
  allStructs.map((struct) => [struct, build(struct.fields)]),
);

/** Checks, then decodes; byte fields are views of the input. */
export function decodeStruct<S extends Struct>(struct: S, bytes: Uint8Array): Decoded<S> {
  const problem = check(struct, bytes);
  if (problem) return { problem };
  const at = headerLength(struct);
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  return { header: readHeader(struct, bytes), values: parsers.get(struct)?.parse(body) as Values<S> };
}
