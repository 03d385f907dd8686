/** Structs to bytes and back (SPEC 3). */
import { fromUtf8, isZero, readUint, utf8, writeUint } from './bytes.js';
import { fieldLength, fieldsLength, uintMax, type Field, type FieldValue } from './field.js';
import { headerLength, type Struct, type Values } from './layouts.js';
import { ID, NAME_MAX } from './limits.js';
import { isName } from './names.js';
import { codes, Code, Status, statuses } from './status.js';

export const VERSION = 1;

export interface Header {
  readonly opcode: number;
  readonly step: number;
  /** The same in a request, its replay and its answer; made by the daemon in events. */
  readonly frameId: Uint8Array;
  /** ms since 1970 */
  readonly time: number;
  /** 0 in commands */
  readonly status: Status;
  /** 0 in commands */
  readonly code: Code;
}

/** Why a struct is refused: the first reason found, in the order of SPEC 3.5. */
export type Problem = 'length' | 'version' | 'opcode' | 'status' | 'range' | 'name' | 'padding';

export type Decoded<S extends Struct> =
  { readonly problem?: undefined; readonly header: Header; readonly values: Values<S> } | { readonly problem: Problem };

const AT_STEP = 1;
const AT_OPCODE = 2;
const AT_ID = 6;
const AT_TIME = AT_ID + ID;
const AT_STATUS = AT_TIME + 8;
const AT_CODE = AT_STATUS + 1;

export function peekOpcode(bytes: Uint8Array): number {
  return readUint(bytes, AT_OPCODE, 4);
}
export function peekStep(bytes: Uint8Array): number {
  return bytes[AT_STEP] ?? 0;
}
export function peekStatus(bytes: Uint8Array): number {
  return bytes[AT_STATUS] ?? 0;
}
export function peekFrameId(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(AT_ID, AT_ID + ID);
}

export function readHeader(struct: Struct, bytes: Uint8Array): Header {
  const answers = struct.from === 'daemon';
  return {
    opcode: peekOpcode(bytes),
    step: peekStep(bytes),
    frameId: peekFrameId(bytes),
    time: readUint(bytes, AT_TIME, 8),
    status: (answers ? readUint(bytes, AT_STATUS, 1) : Status.valid) as Status,
    code: (answers ? readUint(bytes, AT_CODE, 2) : Code.none) as Code,
  };
}

export function writeHeader(struct: Struct, header: Header, out: Uint8Array): void {
  out[0] = VERSION;
  out[AT_STEP] = header.step;
  writeUint(out, AT_OPCODE, 4, header.opcode);
  out.set(header.frameId, AT_ID);
  writeUint(out, AT_TIME, 8, header.time);
  if (struct.from === 'daemon') {
    out[AT_STATUS] = header.status;
    writeUint(out, AT_CODE, 2, header.code);
  }
}

/**
 * @throws RangeError where a value does not fit its field: values are made by our own code, so this
 *   is a bug and not an input.
 */
export function encode<S extends Struct>(struct: S, header: Header, values: Values<S>): Uint8Array {
  const { opcode, step, frameId } = header;
  const fits = struct.opcode === 0 || (opcode === struct.opcode && step === struct.step);
  if (!fits || frameId.length !== ID) throw new RangeError('codec: header');
  const out = new Uint8Array(struct.size);
  writeHeader(struct, header, out);
  writeFields(struct.fields, values, out, headerLength(struct));
  return out;
}

type Row = Readonly<Record<string, unknown>>;

export function writeFields(fields: readonly Field[], values: Row, out: Uint8Array, from: number): void {
  let at = from;
  for (const field of fields) {
    writeField(field, values[field.name], out, at);
    at += fieldLength(field);
  }
}

function writeField(field: Field, value: unknown, out: Uint8Array, at: number): void {
  const fits = (condition: boolean): void => {
    if (!condition) throw new RangeError(`codec: field ${field.name}`);
  };
  switch (field.kind) {
    case 'uint': {
      const number = value as FieldValue<typeof field>;
      fits(Number.isSafeInteger(number) && number >= 0 && number <= uintMax(field));
      return writeUint(out, at, field.size, number);
    }
    case 'bytes': {
      const bytes = value as FieldValue<typeof field>;
      fits(bytes.length === field.length);
      return out.set(bytes, at);
    }
    case 'name': {
      const name = value as FieldValue<typeof field>;
      fits(isName(name));
      return out.set(utf8(name), at);
    }
    case 'data': {
      const bytes = value as FieldValue<typeof field>;
      fits(bytes.length <= field.max);
      writeUint(out, at, 2, bytes.length);
      return out.set(bytes, at + 2);
    }
    case 'list': {
      const rows = value as readonly Row[];
      fits(rows.length <= field.max);
      out[at] = rows.length;
      const length = fieldsLength(field.of);
      rows.forEach((row, i) => {
        writeFields(field.of, row, out, at + 1 + i * length);
      });
    }
  }
}

/** The first thing wrong with a struct, or undefined: after that, reading it can't fail (SPEC 3.5). */
export function check(struct: Struct, bytes: Uint8Array): Problem | undefined {
  if (bytes.length !== struct.size) return 'length';
  if (bytes[0] !== VERSION) return 'version';
  if (struct.opcode !== 0 && (peekOpcode(bytes) !== struct.opcode || peekStep(bytes) !== struct.step)) return 'opcode';
  if (readUint(bytes, AT_TIME, 8) > Number.MAX_SAFE_INTEGER) return 'range';
  if (struct.from === 'daemon') {
    if (!statuses.has(peekStatus(bytes)) || !codes.has(readUint(bytes, AT_CODE, 2))) return 'status';
  }
  let at = headerLength(struct);
  for (const field of struct.fields) {
    const problem = checkField(field, bytes, at);
    if (problem) return problem;
    at += fieldLength(field);
  }
  return isZero(bytes.subarray(at)) ? undefined : 'padding';
}

function checkField(field: Field, bytes: Uint8Array, at: number): Problem | undefined {
  const end = at + fieldLength(field);
  switch (field.kind) {
    case 'uint':
      return readUint(bytes, at, field.size) > uintMax(field) ? 'range' : undefined;
    case 'bytes':
      return undefined;
    case 'name': {
      const name = readName(bytes, at);
      if (name === undefined || !isName(name)) return 'name';
      return isZero(bytes.subarray(at + name.length, end)) ? undefined : 'padding';
    }
    case 'data': {
      const length = readUint(bytes, at, 2);
      if (length > field.max) return 'range';
      return isZero(bytes.subarray(at + 2 + length, end)) ? undefined : 'padding';
    }
    case 'list': {
      const count = readUint(bytes, at, 1);
      if (count > field.max) return 'range';
      const length = fieldsLength(field.of);
      for (let i = 0; i < count; i++) {
        let inner = at + 1 + i * length;
        for (const of of field.of) {
          const problem = checkField(of, bytes, inner);
          if (problem) return problem;
          inner += fieldLength(of);
        }
      }
      return isZero(bytes.subarray(at + 1 + count * length, end)) ? undefined : 'padding';
    }
  }
}

function readName(bytes: Uint8Array, at: number): string | undefined {
  const padded = bytes.subarray(at, at + NAME_MAX);
  const zero = padded.indexOf(0);
  return fromUtf8(zero < 0 ? padded : padded.subarray(0, zero));
}

/** The pure decoder. Byte fields are views of the input: copy what is kept. */
export function decode<S extends Struct>(struct: S, bytes: Uint8Array): Decoded<S> {
  const problem = check(struct, bytes);
  if (problem) return { problem };
  return {
    header: readHeader(struct, bytes),
    values: readFields(struct.fields, bytes, headerLength(struct)) as Values<S>,
  };
}

/** Fields that `check` found sound. */
export function readFields(fields: readonly Field[], bytes: Uint8Array, from: number): Row {
  const values: Record<string, unknown> = {};
  let at = from;
  for (const field of fields) {
    values[field.name] = readField(field, bytes, at);
    at += fieldLength(field);
  }
  return values;
}

function readField(field: Field, bytes: Uint8Array, at: number): unknown {
  switch (field.kind) {
    case 'uint':
      return readUint(bytes, at, field.size);
    case 'bytes':
      return bytes.subarray(at, at + field.length);
    case 'name':
      return readName(bytes, at);
    case 'data':
      return bytes.subarray(at + 2, at + 2 + readUint(bytes, at, 2));
    case 'list': {
      const length = fieldsLength(field.of);
      return Array.from({ length: readUint(bytes, at, 1) }, (_, i) => readFields(field.of, bytes, at + 1 + i * length));
    }
  }
}

/** The bytes of fields alone, without a header: what is signed or hashed, and what a queue keeps. */
export function encodeFields<S extends Struct>(struct: S, values: Values<S>): Uint8Array {
  const out = new Uint8Array(fieldsLength(struct.fields));
  writeFields(struct.fields, values, out, 0);
  return out;
}
