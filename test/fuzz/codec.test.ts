/**
 * Structs under both decoders, binary-parser's and the pure one, and under SPEC 3.5 read a third time: all three take
 * the same bytes for the same values and refuse the others at the same step, in both directions, for every layout.
 */
import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import {
  allStructs,
  commandStruct,
  daemonStruct,
  decode,
  encode,
  fieldOffset,
  peekFrameId,
  peekOpcode,
  peekStatus,
  peekStep,
  samePublic,
  structs,
  type Decoded,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { decodeStruct } from '../../src/wire/decode.js';
import { Draws } from '../support/draws.js';
import { findsBug, fuzz, must, sound, type Case } from '../support/fuzz.js';
import { readBySpec } from './spec-codec.js';
import { damage, drawStruct, lineOf, noise } from './struct-draws.js';

type Decoder = (struct: Struct, bytes: Uint8Array) => Decoded<Struct>;

/** Views of different classes hold the same bytes. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
};

function drawBytes(draws: Draws, struct: Struct): Uint8Array {
  if (draws.chance(0.1)) return noise(draws, draws.pick([struct.size, struct.size, 0, 1, 29, 33, draws.below(4096)]));
  const line = lineOf(struct);
  let bytes = drawStruct(draws, struct);
  for (let left = draws.pick([0, 1, 1, 1, 2, 3]); left > 0; left--) bytes = damage(draws, line, bytes);
  return bytes;
}

/** Every decoder of these against SPEC 3.5. */
function agree(decoders: Readonly<Record<string, Decoder>>, of: readonly Struct[] = allStructs): Case {
  return (draws) => {
    const struct = draws.pick(of);
    const bytes = drawBytes(draws, struct);
    const before = bytes.slice();
    const line = lineOf(struct);
    const told = readBySpec(line, bytes);
    for (const [name, decoder] of Object.entries(decoders)) {
      const decoded = sound(`${struct.name}: ${name}`, () => decoder(struct, bytes));
      must(samePublic(bytes, before), `${struct.name}: ${name} changed its input`);
      must(
        decoded.problem === told.step,
        () => `${struct.name}: ${name} says ${decoded.problem ?? 'accepted'}, SPEC ${told.step ?? 'accepted'}`,
      );
      if (decoded.problem !== undefined || told.step !== undefined) continue;
      must(isDeepStrictEqual(plain(decoded.values), plain(told.values)), `${struct.name}: values of ${name}`);
      const again = sound(`${struct.name}: encode`, () => encode(struct, decoded.header, decoded.values));
      must(samePublic(again, bytes), `${struct.name}: what ${name} reads encodes to other bytes`);
    }
  };
}

const pure: Decoder = decode;
const parser: Decoder = decodeStruct;

fuzz('two decoders and the SPEC agree', 100_000, agree({ pure, parser }));

fuzz('what a receiver peeks at never throws, and leads to a layout of that opcode or to none', 20_000, (draws) => {
  const struct = draws.pick(allStructs);
  const bytes = draws.chance(0.5) ? noise(draws, draws.below(64)) : drawBytes(draws, struct);
  const [opcode, step, status] = sound('peek', () => [peekOpcode(bytes), peekStep(bytes), peekStatus(bytes)] as const);
  sound('peek at the frame id', () => peekFrameId(bytes));
  const command = sound('commandStruct', () => commandStruct(opcode, step));
  must(
    command === undefined || (command.from === 'client' && command.opcode === opcode && command.step === step),
    'command',
  );
  must(command !== structs.helo, 'a HELLO is no command');
  const own = sound('daemonStruct', () => daemonStruct(opcode, step, status === 2));
  must(own === undefined || own.from === 'daemon', 'from the daemon');
  must(own === undefined || own === structs.answer || (own.opcode === opcode && own.step === step), 'its own layout');
});

test('each layout is drawn, accepted, and refused at every step that it has', (t) => {
  const draws = new Draws(1);
  const seen = new Set<string>();
  for (const struct of allStructs)
    for (let n = 0; n < 1500; n++)
      seen.add(`${struct.name} ${decode(struct, drawBytes(draws, struct)).problem ?? 'accepted'}`);
  for (const struct of allStructs) {
    const { fields } = lineOf(struct);
    const kinds = [...fields, ...fields.flatMap((field) => (field.kind === 'list' ? field.of : []))];
    const steps = ['accepted', 'length', 'version', 'range'];
    if (struct !== structs.smpu) steps.push('padding'); // its envelope fills it nearly
    if (struct.opcode !== 0) steps.push('opcode');
    if (struct.from === 'daemon') steps.push('status');
    if (kinds.some(({ kind }) => kind === 'name')) steps.push('name');
    t.same(
      steps.filter((step) => !seen.has(`${struct.name} ${step}`)),
      [],
      struct.name,
    );
  }
  t.end();
});

// ---- the fuzzer sees what it is for

/** The right decoder, which is shown other bytes than came. */
function deceived(fix: (bytes: Uint8Array, struct: Struct) => void): Decoder {
  return (struct, bytes) => {
    const fixed = bytes.slice();
    if (fixed.length === struct.size) fix(fixed, struct);
    return decode(struct, fixed);
  };
}
const factorAt = fieldOffset(structs.pass, 'factor');
const codeAt = fieldOffset(structs.pass, 'code');
const idsAt = fieldOffset(structs.ackd, 'ids');
const nameAt = fieldOffset(structs.keyq, 'name');

const bugs: Readonly<Record<string, Decoder>> = {
  'the last byte is not looked at': deceived((bytes) => bytes.fill(0, bytes.length - 1)),
  'any version will do': deceived((bytes) => bytes.fill(1, 0, 1)),
  'the step is not looked at': deceived((bytes, struct) => bytes.fill(struct.step, 1, 2)),
  'a time beyond 2^53 passes': deceived((bytes) => (bytes[22] = 0)),
  'a status of 4 passes': deceived((bytes, { from }) => from === 'daemon' && bytes[30] === 4 && bytes.fill(0, 30, 31)),
  'a value above its highest passes': deceived((bytes, struct) => {
    if (struct === structs.pass && bytes[factorAt] === 5) bytes[factorAt] = 4;
  }),
  'what stands behind the zero of a name is passed over': deceived((bytes, struct) => {
    const zero = bytes.indexOf(0, nameAt);
    if (struct === structs.keyq && zero < nameAt + 32) bytes.fill(0, zero, nameAt + 32);
  }),
  'a text may be one byte longer than there is room': deceived((bytes, struct) => {
    if (struct === structs.pass && bytes[codeAt] === 0 && bytes[codeAt + 1] === 33) bytes[codeAt + 1] = 32;
  }),
  'what stands behind a text is passed over': deceived((bytes, struct) => {
    if (struct === structs.pass) bytes.fill(0, codeAt + 2 + (bytes[codeAt + 1] ?? 0), codeAt + 34);
  }),
  'a list may have one row more than there is room': deceived((bytes, struct) => {
    if (struct === structs.ackd && bytes[idsAt] === 65) bytes[idsAt] = 64;
  }),
  'padding is looked at before the fields': (struct, bytes) => {
    const decoded = decode(struct, bytes);
    const late = decoded.problem === 'range' || decoded.problem === 'name';
    return late && bytes.at(-1) !== 0 ? { problem: 'padding' } : decoded;
  },
  'a list loses its last row': (struct, bytes) => {
    const decoded = decode(struct, bytes);
    if (struct !== structs.ackd || decoded.problem) return decoded;
    return {
      header: decoded.header,
      values: { ids: (decoded.values as Values<typeof structs.ackd>).ids.slice(0, 63) },
    };
  },
  'an empty struct throws': (struct, bytes) => {
    if (bytes.length === 0) throw new RangeError('nothing there');
    return decode(struct, bytes);
  },
};
/** Those in which the bugs are, so that as many cases find them however many layouts there are. */
const buggy = [structs.pass, structs.keyq, structs.ackd, structs.cnnt, structs.auth1];
for (const [name, decoder] of Object.entries(bugs)) findsBug(name, 20_000, agree({ decoder }, buggy));
