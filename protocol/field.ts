import { NAME_MAX } from './limits.js';

/**
 * A field of a fixed layout. Every kind has one length, whatever it holds (SPEC 3.2):
 * uint: big-endian, `size` bytes, at most `max`; bytes: `length` bytes as they are;
 * name: 32 bytes, zero-padded; data: u16 length, then `max` bytes, zero-padded;
 * list: u8 count, then `max` rows of `of`, unused rows zero.
 */
export type Field =
  | { readonly name: string; readonly kind: 'uint'; readonly size: 1 | 2 | 4 | 8; readonly max?: number }
  | { readonly name: string; readonly kind: 'bytes'; readonly length: number }
  | { readonly name: string; readonly kind: 'name' }
  | { readonly name: string; readonly kind: 'data'; readonly max: number }
  | { readonly name: string; readonly kind: 'list'; readonly max: number; readonly of: readonly Field[] };

export type FieldValue<F> = F extends { kind: 'uint' }
  ? number
  : F extends { kind: 'bytes' | 'data' }
    ? Uint8Array
    : F extends { kind: 'name' }
      ? string
      : F extends { kind: 'list'; of: infer Of extends readonly Field[] }
        ? readonly FieldValues<Of>[]
        : never;

export type FieldValues<Fields extends readonly Field[]> = {
  readonly [F in Fields[number] as F['name']]: FieldValue<F>;
};

export function fieldLength(field: Field): number {
  switch (field.kind) {
    case 'uint':
      return field.size;
    case 'bytes':
      return field.length;
    case 'name':
      return NAME_MAX;
    case 'data':
      return 2 + field.max;
    case 'list':
      return 1 + field.max * fieldsLength(field.of);
  }
}

export function fieldsLength(fields: readonly Field[]): number {
  return fields.reduce((sum, field) => sum + fieldLength(field), 0);
}

/** From the first that is named on, up to the second and without it; to the end, where there is none. */
export function fieldsBetween<F extends { readonly name: string }>(
  fields: readonly F[],
  first: F['name'],
  end?: F['name'],
): readonly F[] {
  const names = fields.map(({ name }) => name);
  return fields.slice(names.indexOf(first), end === undefined ? undefined : names.indexOf(end));
}

/** Safe integers bound a u64: 2^53 ms is the year 287396. */
export function uintMax(field: { readonly size: number; readonly max?: number }): number {
  return field.max ?? Math.min(256 ** field.size - 1, Number.MAX_SAFE_INTEGER);
}

/** The canonical text of a field, part of the opcode table's hash (SPEC 3.7). */
export function fieldText(field: Field): string {
  switch (field.kind) {
    case 'uint':
      return `${field.name}:u${String(8 * field.size)}${field.max === undefined ? '' : `<=${String(field.max)}`}`;
    case 'bytes':
      return `${field.name}:bytes${String(field.length)}`;
    case 'name':
      return `${field.name}:name`;
    case 'data':
      return `${field.name}:data${String(field.max)}`;
    case 'list':
      return `${field.name}:list${String(field.max)}(${field.of.map(fieldText).join(',')})`;
  }
}
