/** Vectors of the structs: one for each layout, and one for each way in which a struct is refused. */
import {
  ACKS_PER_FRAME,
  allStructs,
  COMMAND_HEADER,
  encode,
  hex,
  Opcode,
  structs,
  utf8,
  type Problem,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { toJson, type Vector } from './format.js';
import { fieldValues, headerFor, Seeded } from './seeded.js';

export type Case = readonly [file: string, vector: Vector];

function accepted(struct: Struct): Case {
  const seeded = new Seeded(`struct ${struct.name}`);
  const header = headerFor(seeded, struct, struct.opcode === 0 ? Opcode.jmpu : struct.opcode);
  const values = fieldValues(seeded, struct.fields) as Values<Struct>;
  const what = `the struct ${struct.name} with a value in every field`;
  const bytes = hex(encode(struct, header, values));
  const { opcode, step, frameId, time, status, code } = header;
  const answer = struct.from === 'daemon' ? { status, code } : {};
  return [
    `struct-${struct.name}`,
    {
      kind: 'struct',
      what,
      expect: 'accepted',
      struct: struct.name,
      header: { opcode, step, frameId: hex(frameId), time, ...answer },
      values: toJson(values),
      bytes,
    },
  ];
}

interface Refusal {
  readonly name: string;
  readonly what: string;
  readonly step: Problem;
  readonly struct: Struct;
  readonly change: (bytes: Uint8Array) => Uint8Array | undefined;
}

const at =
  (where: number, ...bytes: readonly number[]) =>
  (struct: Uint8Array): undefined => {
    struct.set(bytes, where);
  };
const nameIs =
  (name: Uint8Array) =>
  (struct: Uint8Array): undefined => {
    struct.fill(0, COMMAND_HEADER);
    struct.set(name, COMMAND_HEADER);
  };
const badName = (name: string, what: string, bytes: Uint8Array, step: Problem = 'name'): Refusal => {
  return { name, what, step, struct: structs.keyq, change: nameIs(bytes) };
};

const AT_STATUS = COMMAND_HEADER;
const AT_CODE = COMMAND_HEADER + 1;
const AT_TIME = COMMAND_HEADER - 8;
const AT_FACTOR = COMMAND_HEADER + 32;
const AT_DATA = AT_FACTOR + 1;

const refusals: readonly Refusal[] = [
  {
    name: 'length',
    what: 'a struct that is one byte short',
    step: 'length',
    struct: structs.keyq,
    change: (bytes) => bytes.slice(0, -1),
  },
  { name: 'version', what: 'version 2', step: 'version', struct: structs.keyq, change: at(0, 2) },
  { name: 'opcode', what: 'an opcode of another struct', step: 'opcode', struct: structs.keyq, change: at(5, 0xa4) },
  { name: 'step', what: 'step 2 in the struct of step 1', step: 'opcode', struct: structs.auth1, change: at(1, 2) },
  { name: 'status', what: 'status 4', step: 'status', struct: structs.cnnt, change: at(AT_STATUS, 4) },
  {
    name: 'code',
    what: 'the unlisted code 418',
    step: 'status',
    struct: structs.cnnt,
    change: at(AT_CODE, 0x01, 0xa2),
  },
  {
    name: 'time',
    what: 'a time of 2^53',
    step: 'range',
    struct: structs.quit,
    change: at(AT_TIME, 0, 0x20, 0, 0, 0, 0, 0, 0),
  },
  {
    name: 'uint',
    what: 'factor 5, where 4 is the highest',
    step: 'range',
    struct: structs.pass,
    change: at(AT_FACTOR, 5),
  },
  {
    name: 'data-length',
    what: '33 bytes said to be in 32',
    step: 'range',
    struct: structs.pass,
    change: at(AT_DATA, 0, 33),
  },
  {
    name: 'list-count',
    what: 'one row more than a list may have',
    step: 'range',
    struct: structs.ackd,
    change: at(COMMAND_HEADER, ACKS_PER_FRAME + 1),
  },
  badName('name-capital', 'a capital letter in a name', utf8('Name')),
  badName('name-short', 'a name of two letters', utf8('ab')),
  badName('name-empty', 'no name at all', new Uint8Array(0)),
  badName('name-digit', 'a name that begins with a digit', utf8('1abc')),
  badName('name-path', 'a name with path separators', utf8('../abc')),
  badName('name-cyrillic', 'a Cyrillic letter that looks like a Latin one', utf8('n\u0430me')),
  badName('name-overlong', 'a letter in overlong UTF-8', Uint8Array.of(0x61, 0xc1, 0xa1, 0x61, 0x61)),
  badName('name-utf8', 'a byte that is no UTF-8', Uint8Array.of(0x61, 0x62, 0xff, 0x63)),
  badName('name-nul', 'a NUL in a name with letters behind it', utf8('abc\0d'), 'padding'),
  {
    name: 'padding',
    what: 'the last byte of a struct is not zero',
    step: 'padding',
    struct: structs.keyq,
    change: at(structs.keyq.size - 1, 1),
  },
  {
    name: 'padding-data',
    what: 'a byte behind the end of a data field',
    step: 'padding',
    struct: structs.pass,
    change: at(AT_DATA, 0, 1, 0x31, 0x31),
  },
  {
    name: 'padding-list',
    what: 'a byte in an unused row of a list',
    step: 'padding',
    struct: structs.ackd,
    change: (bytes) => {
      bytes.fill(0, COMMAND_HEADER);
      bytes[COMMAND_HEADER + 1] = 7;
      return bytes;
    },
  },
];

function refused({ name, what, step, struct, change }: Refusal): Case {
  const seeded = new Seeded(`struct refused ${name}`);
  const header = headerFor(seeded, struct);
  const bytes = encode(struct, header, fieldValues(seeded, struct.fields) as Values<Struct>);
  const changed = change(bytes) ?? bytes;
  return [
    `struct-refused-${name}`,
    { kind: 'struct', what, expect: 'refused', step, struct: struct.name, bytes: hex(changed) },
  ];
}

export function structCases(): readonly Case[] {
  return [...allStructs.map(accepted), ...refusals.map(refused)];
}
