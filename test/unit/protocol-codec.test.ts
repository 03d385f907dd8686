/** Structs to bytes and back: round trips, hostile bytes, our own mistakes. */
import { test } from 'tap';
import {
  allStructs,
  check,
  COMMANDS_FROM,
  commandStruct,
  daemonStruct,
  decode,
  encode,
  encodeFields,
  fieldOffset,
  fieldsBetween,
  fieldsLength,
  headerLength,
  hex,
  Opcode,
  peekFrameId,
  peekOpcode,
  peekStatus,
  peekStep,
  structs,
  type Header,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { toJson } from '../vectors/format.js';
import { fieldValues, headerFor, Seeded } from '../vectors/seeded.js';

const seed = process.env.SEED ?? String(Date.now());
const ROUNDS = 8;

function sample(seeded: Seeded, struct: Struct): { header: Header; values: Values<Struct>; bytes: Uint8Array } {
  const header = headerFor(seeded, struct, struct.opcode === 0 ? Opcode.smpu : struct.opcode);
  const values = fieldValues(seeded, struct.fields) as Values<Struct>;
  return { header, values, bytes: encode(struct, header, values) };
}

test(`every struct comes back as it was (SEED=${seed})`, (t) => {
  const seeded = new Seeded(`codec ${seed}`);
  for (const struct of allStructs)
    for (let round = 0; round < ROUNDS; round++) {
      const { header, values, bytes } = sample(seeded, struct);
      const decoded = decode(struct, bytes);
      if (decoded.problem) t.fail(`${struct.name}: ${decoded.problem}`);
      else if (JSON.stringify(toJson(decoded.values)) !== JSON.stringify(toJson(values)))
        t.fail(`${struct.name}: values`);
      else if (JSON.stringify(toJson(decoded.header)) !== JSON.stringify(toJson(header)))
        t.fail(`${struct.name}: header`);
      if (bytes.length !== struct.size) t.fail(`${struct.name}: size`);
    }
  t.pass(`${String(allStructs.length)} structs, ${String(ROUNDS)} rounds`);
  t.end();
});

test(`one changed byte never throws, and what is accepted encodes again to the same bytes (SEED=${seed})`, (t) => {
  const seeded = new Seeded(`hostile ${seed}`);
  let accepted = 0;
  let refused = 0;
  for (const struct of allStructs) {
    const { bytes } = sample(seeded, struct);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 + seeded.below(255));
      const decoded = decode(struct, changed);
      if (decoded.problem) {
        refused++;
        continue;
      }
      accepted++;
      if (hex(encode(struct, decoded.header, decoded.values)) !== hex(changed))
        t.fail(`${struct.name}: byte ${String(at)}`);
    }
  }
  t.ok(accepted > 1000, `${String(accepted)} accepted`);
  t.ok(refused > 1000, `${String(refused)} refused`);
  t.end();
});

test(`random bytes never throw (SEED=${seed})`, (t) => {
  const seeded = new Seeded(`random ${seed}`);
  for (const struct of allStructs) {
    for (const length of [0, 1, headerLength(struct), struct.size - 1, struct.size + 1])
      t.equal(check(struct, seeded.bytes(length)), 'length', `${struct.name}: ${String(length)} bytes`);
    const noise = seeded.bytes(struct.size);
    noise[0] = 1;
    t.type(check(struct, noise), 'string', `${struct.name}: noise`);
  }
  t.end();
});

test('the first failing check is the one reported', (t) => {
  const { bytes } = sample(new Seeded('order'), structs.rdmp);
  bytes[0] = 9;
  bytes[5] = 9;
  bytes.fill(0xff, 22, 30);
  bytes[30] = 9;
  bytes.fill(0xff, fieldOffset(structs.rdmp, 'name'), fieldOffset(structs.rdmp, 'name') + 32);
  bytes[bytes.length - 1] = 9;
  const { bytes: sound } = sample(new Seeded('order'), structs.rdmp);
  const repair = [
    ['version', 0, 1],
    ['opcode', 5, 6],
    ['range', 22, 30],
    ['status', 30, 31],
    ['name', 49, 81],
    ['padding', bytes.length - 1, bytes.length],
  ] as const;
  for (const [problem, from, to] of repair) {
    t.equal(check(structs.rdmp, bytes), problem);
    bytes.set(sound.subarray(from, to), from);
  }
  t.equal(check(structs.rdmp, bytes), undefined);
  t.end();
});

test('a value that does not fit its field is our own mistake and throws', (t) => {
  const header = headerFor(new Seeded('throws'), structs.pass);
  const sound = { words: new Uint8Array(32), factor: 0, code: new Uint8Array(0) };
  t.throws(() => encode(structs.pass, header, { ...sound, factor: 5 }), RangeError);
  t.throws(() => encode(structs.pass, header, { ...sound, factor: 0.5 }), RangeError);
  t.throws(() => encode(structs.pass, header, { ...sound, factor: -1 }), RangeError);
  t.throws(() => encode(structs.pass, header, { ...sound, words: new Uint8Array(31) }), RangeError);
  t.throws(() => encode(structs.pass, header, { ...sound, code: new Uint8Array(33) }), RangeError);
  t.throws(() => encode(structs.keyq, headerFor(new Seeded('throws'), structs.keyq), { name: 'Name' }), RangeError);
  const ids = Array.from({ length: 65 }, () => ({ id: new Uint8Array(16) }));
  t.throws(() => encode(structs.ackd, headerFor(new Seeded('throws'), structs.ackd), { ids }), RangeError);
  t.end();
});

test('a header that does not fit its struct is our own mistake and throws', (t) => {
  const header = headerFor(new Seeded('header'), structs.crea1);
  const values = fieldValues(new Seeded('header'), structs.crea1.fields) as Values<typeof structs.crea1>;
  t.doesNotThrow(() => encode(structs.crea1, header, values));
  const wrong = [
    { opcode: Opcode.auth },
    { step: 2 },
    { frameId: new Uint8Array(15) },
    { frameId: new Uint8Array(17) },
  ];
  for (const change of wrong) t.throws(() => encode(structs.crea1, { ...header, ...change }, values), RangeError);
  t.end();
});

test('what is read without decoding is what decoding reads', (t) => {
  for (const struct of allStructs) {
    const { header, bytes } = sample(new Seeded(`peek ${struct.name}`), struct);
    const peeked = [peekOpcode(bytes), peekStep(bytes), hex(peekFrameId(bytes))];
    t.same(peeked, [header.opcode, header.step, hex(header.frameId)], struct.name);
    if (struct.from === 'daemon') t.equal(peekStatus(bytes), header.status);
  }
  const { bytes, values } = sample(new Seeded('offset'), structs.dlvd);
  const recipient = fieldOffset(structs.dlvd, 'recipient');
  t.equal(hex(bytes.subarray(recipient, recipient + 16)), hex((values as Values<typeof structs.dlvd>).recipient));
  t.throws(() => fieldOffset(structs.dlvd, 'nothing'), /no field nothing/);
  t.end();
});

test('fields alone are the struct without header and padding', (t) => {
  for (const struct of allStructs) {
    const { values, bytes } = sample(new Seeded(`fields ${struct.name}`), struct);
    const from = headerLength(struct);
    const fields = bytes.subarray(from, from + fieldsLength(struct.fields));
    t.equal(hex(encodeFields(struct, values)), hex(fields), struct.name);
  }
  t.end();
});

test('opcode and step lead to the layout', (t) => {
  for (const struct of allStructs) {
    if (struct === structs.helo || struct === structs.ack || struct === structs.answer) continue;
    if (struct.from === 'client') t.equal(commandStruct(struct.opcode, struct.step), struct, struct.name);
    else t.equal(daemonStruct(struct.opcode, struct.step, false), struct, struct.name);
  }
  t.equal(commandStruct(Opcode.helo, 0), undefined, 'helo is no command of a session');
  t.equal(daemonStruct(Opcode.helo, 0, false), undefined);
  t.equal(daemonStruct(Opcode.crea, 1, true), structs.answer, 'an error has the common layout');
  t.equal(daemonStruct(Opcode.crea, 2, false), structs.answer, 'so has an answer without fields');
  t.equal(daemonStruct(COMMANDS_FROM + 99, 7, true), structs.answer, 'also one to an opcode that there is not');
  t.equal(daemonStruct(COMMANDS_FROM + 99, 7, false), undefined);
  t.equal(commandStruct(COMMANDS_FROM + 99, 0), undefined);
  t.equal(commandStruct(Opcode.crea, 4), undefined, 'a step that there is not');
  t.end();
});

test('the fields from one to another, and to the end', (t) => {
  const names = (of: readonly { readonly name: string }[]): string[] => of.map(({ name }) => name);
  t.same(names(fieldsBetween(structs.srms.fields, 'epoch', 'message')), ['epoch', 'sender']);
  t.same(names(fieldsBetween(structs.srms.fields, 'salt')), ['salt', 'sealed']);
  t.end();
});
