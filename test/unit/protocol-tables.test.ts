/** The tables agree with each other: sizes, opcodes, codes, and the text that is hashed. */
import { test } from 'tap';
import {
  ACK_STRUCT,
  ACKS_PER_FRAME,
  allStructs,
  ANSWER_HEADER,
  ANSWERS_PER_FRAME,
  canonicalTable,
  Code,
  COMMAND_HEADER,
  codes,
  COMMANDS_FROM,
  ENVELOPE,
  ENVELOPE_HEADER,
  envelopeFields,
  FRAME,
  fieldsLength,
  headerLength,
  HELLO_STRUCT,
  hex,
  laterCodes,
  Opcode,
  ROOM_BLOCKS,
  ROOM_MEMBERS,
  ROOM_MESSAGE,
  ROOM_TEXT,
  RSA_BLOCK,
  opcodeName,
  Status,
  statuses,
  STRUCT,
  SIGNATURE,
  structs,
  tableHash,
  TAG,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';

test('sizes', (t) => {
  t.equal(ANSWER_HEADER + 1 + ACKS_PER_FRAME * 16 <= STRUCT, true, 'acknowledgements fit a frame');
  t.equal(ANSWER_HEADER + 1 + ANSWERS_PER_FRAME * (4 + 1 + 16 + 1 + 2) <= STRUCT, true, 'answers fit a frame');
  t.equal(ANSWER_HEADER + ENVELOPE <= STRUCT, true, 'an envelope fits an event');
  t.equal(fieldsLength(envelopeFields), ENVELOPE_HEADER);
  t.equal(32 + 8 + 256 + HELLO_STRUCT + 2 * TAG, FRAME);
  t.equal(32 + ACK_STRUCT + TAG, FRAME);
  t.equal(256 + STRUCT + TAG, FRAME);
  t.equal(ENVELOPE, 1736);
  for (const struct of allStructs) {
    const own = struct === structs.helo ? HELLO_STRUCT : struct === structs.ack ? ACK_STRUCT : STRUCT;
    t.equal(struct.size, own, struct.name);
    t.ok(headerLength(struct) + fieldsLength(struct.fields) <= struct.size, `${struct.name} fits`);
  }
  t.end();
});

test('sizes of rooms', (t) => {
  const sum = (of: (typeof allStructs)[number]): number => headerLength(of) + fieldsLength(of.fields);
  t.equal(sum(structs.rtrm1), COMMAND_HEADER + 16 + 4 + 2 + 1 + ROOM_BLOCKS * (16 + RSA_BLOCK));
  t.ok(sum(structs.rtrm1) + 16 + RSA_BLOCK > STRUCT, 'as many blocks as fit');
  t.equal(ROOM_MESSAGE, 104 + 32 + SIGNATURE + 2 + ROOM_TEXT + TAG);
  t.equal(sum(structs.rvrm), ANSWER_HEADER + ROOM_MESSAGE, 'a message fits an event');
  t.same(structs.rvrm.fields, structs.srms.fields, 'what comes is what was sent');
  const head = structs.crms.fields.slice(-10);
  t.equal(fieldsLength(head), 188 - 16 + SIGNATURE + 32);
  t.same(structs.strmAnswer.fields.slice(-10), head);
  for (const struct of [structs.chrm, structs.rtrm2]) t.same(struct.fields.slice(-11, -1), head, struct.name);
  t.same(structs.mbrmAnswer.fields.slice(-12), structs.enrm.fields.slice(-12), 'an entry is shown as it was told');
  t.ok(Math.ceil(ROOM_MEMBERS / ROOM_BLOCKS) < 2 ** 16, 'and all of a room’s blocks can be counted');
  t.end();
});

test('the opcodes of the specification that this network follows', (t) => {
  const given = {
    crea: 100001,
    auth: 100002,
    pass: 100003,
    crms: 100004,
    jrms: 100005,
    srms: 100006,
    jmpu: 100007,
    ampu: 100008,
    smpu: 100009,
  };
  for (const [name, opcode] of Object.entries(given)) t.equal(opcodeName(opcode), name);
  const events = { cnnt: 10001, rvum: 10002, rvrm: 10003, dlvd: 10004 };
  for (const [name, opcode] of Object.entries(events)) t.equal(opcodeName(opcode), name);
  t.equal(opcodeName(1), '1');
  const all = Object.values(Opcode);
  t.equal(new Set(all).size, all.length, 'none twice');
  for (const struct of allStructs)
    if (struct.from === 'client') t.ok(struct.opcode >= COMMANDS_FROM, `${struct.name} is a command`);
  for (const [name, opcode] of Object.entries(Opcode))
    t.ok(
      allStructs.some((struct) => struct.opcode === opcode),
      `${name} has a layout`,
    );
  t.end();
});

test('codes', (t) => {
  t.same([...statuses], [0, 1, 2, 3]);
  t.equal(Status.error, 2);
  for (const code of laterCodes) t.ok(codes.has(code) && code >= Code.limited);
  t.notOk(laterCodes.has(Code.forbidden));
  t.end();
});

test('every field has its own name in its struct', (t) => {
  for (const { name, fields } of allStructs) {
    t.equal(new Set(fields.map((field) => field.name)).size, fields.length, name);
  }
  t.end();
});

test('the canonical text has one line for each struct, and its hash moves with it', (t) => {
  const lines = canonicalTable().split('\n');
  t.equal(lines.pop(), '', 'ended by a newline');
  t.equal(lines.length, allStructs.length);
  t.equal(
    lines[0],
    'helo client 100010 0 1720 build:u32 software:bytes16 table:bytes32 x25519:bytes32 mlkem:bytes1184',
  );
  t.ok(lines.includes('quit client 100015 0 1776'));
  t.ok(
    lines.includes(
      'rtrm1 client 100020 1 1776 room:bytes16 epoch:u32 from:u16 blocks:list6(uid:bytes16,block:bytes256)',
    ),
  );
  t.ok(lines.includes('mbrm client 100022 0 1776 room:bytes16 index:u16'));
  t.ok(lines.includes('lfrm daemon 10013 0 1776 room:bytes16 version:u64 uid:bytes16 what:u8<=4'));
  t.ok(lines.includes('ackd client 100011 0 1776 ids:list64(id:bytes16)'));
  t.ok(lines.includes('pass client 100003 0 1776 words:bytes32 factor:u8<=4 code:data32'));
  t.equal(hex(tableHash((text) => nodeSync.sha256(text))), hex(nodeSync.sha256(Buffer.from(canonicalTable()))));
  t.end();
});
