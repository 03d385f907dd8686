/**
 * The layouts of all structs: the one source of the encoder, both decoders, the tables of SPEC.md
 * and the vectors. A struct is a header (SPEC 3.3) and the fields below, zero-padded to its size.
 */
import { fieldsLength, fieldText, type Field, type FieldValues } from './field.js';
import {
  ACK_STRUCT,
  ACKS_PER_FRAME,
  ANSWER_HEADER,
  ANSWERS_PER_FRAME,
  COMMAND_HEADER,
  DIGITS_MAX,
  EMAIL_MAX,
  ENVELOPE,
  FACTOR_CODE,
  FULL_NAME_MAX,
  HASH,
  HELLO_STRUCT,
  ID,
  INVITATION_CODE,
  KEY,
  MLKEM_CT,
  MLKEM_EK,
  MODULUS,
  OPAQUE_KE1,
  OPAQUE_KE2,
  OPAQUE_KE3,
  OPAQUE_RECORD,
  OPAQUE_REQUEST,
  OPAQUE_RESPONSE,
  RANDOM,
  RECOVERY_CODE,
  RECOVERY_CODES,
  ROOM_BLOCKS,
  ROOM_REMOVED,
  ROOM_TEXT,
  RSA_BLOCK,
  SESSIONS,
  SIGNATURE,
  STRUCT,
  TAG,
  TOTP_SECRET,
  X25519_KEY,
} from './limits.js';
import { Opcode } from './opcodes.js';
import { utf8 } from './bytes.js';

export interface Struct<Fields extends readonly Field[] = readonly Field[]> {
  readonly name: string;
  /** Who sends it; decides the header: the daemon's has status and code. */
  readonly from: 'client' | 'daemon';
  /** 0 in the one layout that serves every opcode, `answer`. */
  readonly opcode: number;
  /** The step of a command in several, from 1; 0 where there is one. */
  readonly step: number;
  readonly size: number;
  readonly fields: Fields;
}

export type Values<S extends Struct> = FieldValues<S['fields']>;

const bytes = <N extends string>(name: N, length: number) => ({ name, kind: 'bytes', length }) as const;
const u8 = <N extends string>(name: N, max?: number) => uint(name, 1, max);
const u16 = <N extends string>(name: N, max?: number) => uint(name, 2, max);
const u32 = <N extends string>(name: N, max?: number) => uint(name, 4, max);
const u64 = <N extends string>(name: N) => uint(name, 8);
function uint<N extends string, S extends 1 | 2 | 4 | 8>(name: N, size: S, max?: number) {
  return { name, kind: 'uint', size, ...(max === undefined ? {} : { max }) } as const;
}
const nameField = <N extends string>(name: N) => ({ name, kind: 'name' }) as const;
const data = <N extends string>(name: N, max: number) => ({ name, kind: 'data', max }) as const;
const list = <N extends string, Of extends readonly Field[]>(name: N, max: number, of: Of) =>
  ({ name, kind: 'list', max, of }) as const;

function command<const F extends readonly Field[]>(name: string, opcode: Opcode, step: number, fields: F): Struct<F> {
  return { name, from: 'client', opcode, step, size: STRUCT, fields };
}
function fromDaemon<const F extends readonly Field[]>(
  name: string,
  opcode: Opcode | 0,
  step: number,
  fields: F,
): Struct<F> {
  return { name, from: 'daemon', opcode, step, size: STRUCT, fields };
}

const keyPair = [bytes('enc', MODULUS), bytes('sig', MODULUS)] as const;
const bundle = [
  bytes('uid', ID),
  nameField('name'),
  ...keyPair,
  u64('time'),
  u8('suite'),
  bytes('signature', SIGNATURE),
] as const;
const request = [nameField('to'), ...bundle] as const;
const acceptance = [bytes('to', ID), bytes('request', HASH), ...bundle] as const;
const roomMessage = [
  bytes('room', ID),
  u32('epoch'),
  bytes('sender', ID),
  bytes('message', ID),
  u64('sequence'),
  u64('time'),
  bytes('previous', HASH),
  u16('part'),
  u16('parts'),
  bytes('salt', RANDOM),
  bytes('sealed', SIGNATURE + 2 + ROOM_TEXT + TAG),
] as const;
const wrap = [bytes('wrapSalt', RANDOM), bytes('commitment', HASH), bytes('wrapped', RANDOM + TAG)] as const;
/** What a member says of a room when its key changes (SPEC 9.5). */
const head = [
  nameField('name'),
  u32('epoch'),
  bytes('previous', HASH),
  bytes('owner', ID),
  bytes('list', HASH),
  bytes('key', HASH),
  bytes('signer', ID),
  u64('time'),
  bytes('signature', SIGNATURE),
  bytes('mac', HASH),
] as const;
/** What an inviter signs, as it is shown to others (SPEC 9.7). */
const invitation = [
  bytes('inviter', ID),
  u32('invitedEpoch'),
  u64('expires'),
  bytes('bound', HASH),
  bytes('invitation', SIGNATURE),
] as const;
/** What somebody says of themselves when they enter (SPEC 9.6). */
const entry = [
  bytes('uid', ID),
  nameField('name'),
  ...keyPair,
  u64('time'),
  ...invitation,
  bytes('mac', HASH),
  bytes('signature', SIGNATURE),
] as const;
const removed = list('removed', ROOM_REMOVED, [bytes('uid', ID)]);
const password = [bytes('salt', KEY), bytes('auth', HASH)] as const;
/** Who is there, once more: words and second factor, as at the login (SPEC 6.5, 6.8). */
const proof = [bytes('words', HASH), u8('factor', 4), data('code', FACTOR_CODE)] as const;
const recoveryCodes = [list('codes', RECOVERY_CODES, [bytes('code', RECOVERY_CODE)])] as const;

export const structs = {
  helo: {
    ...command('helo', Opcode.helo, 0, [
      u32('build'),
      bytes('software', ID),
      bytes('table', HASH),
      bytes('x25519', X25519_KEY),
      bytes('mlkem', MLKEM_EK),
    ]),
    size: HELLO_STRUCT,
  },
  crea1: command('crea1', Opcode.crea, 1, [
    nameField('name'),
    ...keyPair,
    bytes('opaque', OPAQUE_REQUEST),
    data('invitation', INVITATION_CODE),
  ]),
  crea2: command('crea2', Opcode.crea, 2, [
    bytes('mac', HASH),
    bytes('signature', SIGNATURE),
    bytes('record', OPAQUE_RECORD),
    bytes('words', HASH),
    data('fullName', FULL_NAME_MAX),
    data('email', EMAIL_MAX),
  ]),
  crea3: command('crea3', Opcode.crea, 3, [data('code', DIGITS_MAX)]),
  auth1: command('auth1', Opcode.auth, 1, [nameField('name'), bytes('signature', SIGNATURE), bytes('ke1', OPAQUE_KE1)]),
  auth2: command('auth2', Opcode.auth, 2, [bytes('ke3', OPAQUE_KE3)]),
  pass: command('pass', Opcode.pass, 0, proof),
  crms: command('crms', Opcode.crms, 0, [
    u8('kind', 1),
    bytes('nonce', RANDOM),
    ...password,
    ...wrap,
    bytes('block', RSA_BLOCK),
    ...head,
  ]),
  jrms1: command('jrms1', Opcode.jrms, 1, [nameField('name')]),
  jrms2: command('jrms2', Opcode.jrms, 2, [bytes('room', ID), bytes('auth', HASH)]),
  jrms3: command('jrms3', Opcode.jrms, 3, [
    bytes('room', ID),
    u32('epoch'),
    bytes('auth', HASH),
    bytes('block', RSA_BLOCK),
    u64('time'),
    bytes('mac', HASH),
    bytes('signature', SIGNATURE),
  ]),
  srms: command('srms', Opcode.srms, 0, roomMessage),
  jmpu: command('jmpu', Opcode.jmpu, 0, request),
  ampu: command('ampu', Opcode.ampu, 0, acceptance),
  smpu: command('smpu', Opcode.smpu, 0, [bytes('envelope', ENVELOPE)]),
  ackd: command('ackd', Opcode.ackd, 0, [list('ids', ACKS_PER_FRAME, [bytes('id', ID)])]),
  keyq: command('keyq', Opcode.keyq, 0, [nameField('name')]),
  dmpu: command('dmpu', Opcode.dmpu, 0, [bytes('to', ID), bytes('request', HASH)]),
  bloc: command('bloc', Opcode.bloc, 0, [bytes('uid', ID)]),
  quit: command('quit', Opcode.quit, 0, []),
  inrm: command('inrm', Opcode.inrm, 0, [
    bytes('room', ID),
    bytes('invitee', ID),
    u32('epoch'),
    u64('expires'),
    bytes('head', HASH),
    bytes('block', RSA_BLOCK),
    bytes('invitation', SIGNATURE),
  ]),
  dcrm: command('dcrm', Opcode.dcrm, 0, [bytes('room', ID)]),
  lvrm: command('lvrm', Opcode.lvrm, 0, [bytes('room', ID)]),
  dlrm: command('dlrm', Opcode.dlrm, 0, [bytes('room', ID)]),
  rtrm1: command('rtrm1', Opcode.rtrm, 1, [
    bytes('room', ID),
    u32('epoch'),
    u16('from'),
    list('blocks', ROOM_BLOCKS, [bytes('uid', ID), bytes('block', RSA_BLOCK)]),
  ]),
  rtrm2: command('rtrm2', Opcode.rtrm, 2, [
    bytes('room', ID),
    u64('version'),
    u8('renewed', 1),
    ...password,
    ...wrap,
    ...head,
    removed,
  ]),
  strm: command('strm', Opcode.strm, 0, [bytes('room', ID)]),
  mbrm: command('mbrm', Opcode.mbrm, 0, [bytes('room', ID), u16('index')]),
  mcod: command('mcod', Opcode.mcod, 0, [bytes('words', HASH)]),
  fact1: command('fact1', Opcode.fact, 1, [u8('kind', 2), ...proof, data('email', EMAIL_MAX)]),
  fact2: command('fact2', Opcode.fact, 2, [data('code', DIGITS_MAX)]),
  rcod: command('rcod', Opcode.rcod, 0, proof),
  acct: command('acct', Opcode.acct, 0, []),
  rvok: command('rvok', Opcode.rvok, 0, [bytes('session', ID)]),
  pswd1: command('pswd1', Opcode.pswd, 1, [bytes('opaque', OPAQUE_REQUEST)]),
  pswd2: command('pswd2', Opcode.pswd, 2, [...proof, bytes('record', OPAQUE_RECORD), bytes('newWords', HASH)]),
  rkey1: command('rkey1', Opcode.rkey, 1, keyPair),
  rkey2: command('rkey2', Opcode.rkey, 2, [
    ...proof,
    bytes('mac', HASH),
    u64('time'),
    u8('suite'),
    bytes('signature', SIGNATURE),
    bytes('former', SIGNATURE),
  ]),
  rcov1: command('rcov1', Opcode.rcov, 1, [
    nameField('name'),
    bytes('code', RECOVERY_CODE),
    ...keyPair,
    bytes('ke1', OPAQUE_KE1),
  ]),
  rcov2: command('rcov2', Opcode.rcov, 2, [
    bytes('ke3', OPAQUE_KE3),
    bytes('mac', HASH),
    bytes('words', HASH),
    u64('time'),
    u8('suite'),
    bytes('signature', SIGNATURE),
  ]),
  dlac: command('dlac', Opcode.dlac, 0, proof),

  ack: {
    ...fromDaemon('ack', Opcode.helo, 0, [
      bytes('x25519', X25519_KEY),
      bytes('mlkem', MLKEM_CT),
      bytes('challenge', RANDOM),
      bytes('session', ID),
      u16('window'),
    ]),
    size: ACK_STRUCT,
  },
  answer: fromDaemon('answer', 0, 0, [u32('wait')]),
  crea1Answer: fromDaemon('crea1Answer', Opcode.crea, 1, [
    bytes('uid', ID),
    bytes('block', RSA_BLOCK),
    bytes('opaque', OPAQUE_RESPONSE),
  ]),
  auth1Answer: fromDaemon('auth1Answer', Opcode.auth, 1, [bytes('block', RSA_BLOCK), bytes('ke2', OPAQUE_KE2)]),
  auth2Answer: fromDaemon('auth2Answer', Opcode.auth, 2, [u8('factor', 2)]),
  passAnswer: fromDaemon('passAnswer', Opcode.pass, 0, [bytes('grant', RANDOM), u64('ends')]),
  jrms1Answer: fromDaemon('jrms1Answer', Opcode.jrms, 1, [bytes('room', ID), bytes('salt', KEY)]),
  jrms2Answer: fromDaemon('jrms2Answer', Opcode.jrms, 2, [u32('epoch'), ...wrap]),
  keyqAnswer: fromDaemon('keyqAnswer', Opcode.keyq, 0, [bytes('uid', ID), nameField('name'), ...keyPair]),

  strmAnswer: fromDaemon('strmAnswer', Opcode.strm, 0, [
    bytes('room', ID),
    u64('version'),
    u8('kind', 1),
    u8('closed', 1),
    u8('behind', 1),
    u16('rows'),
    u16('kept'),
    bytes('block', RSA_BLOCK),
    ...head,
  ]),
  mbrmAnswer: fromDaemon('mbrmAnswer', Opcode.mbrm, 0, [
    bytes('room', ID),
    u64('version'),
    u16('index'),
    u8('state', 3),
    u8('online', 1),
    u32('epoch'),
    bytes('fingerprint', HASH),
    ...entry,
  ]),
  fact1Answer: fromDaemon('fact1Answer', Opcode.fact, 1, [data('secret', TOTP_SECRET)]),
  fact2Answer: fromDaemon('fact2Answer', Opcode.fact, 2, recoveryCodes),
  rcodAnswer: fromDaemon('rcodAnswer', Opcode.rcod, 0, recoveryCodes),
  acctAnswer: fromDaemon('acctAnswer', Opcode.acct, 0, [
    u8('factor', 2),
    u8('codes', RECOVERY_CODES),
    u64('created'),
    data('fullName', FULL_NAME_MAX),
    data('email', EMAIL_MAX),
    bytes('current', ID),
    list('sessions', SESSIONS, [bytes('id', ID), u64('ends')]),
  ]),
  pswd1Answer: fromDaemon('pswd1Answer', Opcode.pswd, 1, [bytes('opaque', OPAQUE_RESPONSE)]),
  rkey1Answer: fromDaemon('rkey1Answer', Opcode.rkey, 1, [bytes('block', RSA_BLOCK)]),
  rcov1Answer: fromDaemon('rcov1Answer', Opcode.rcov, 1, [
    bytes('uid', ID),
    bytes('block', RSA_BLOCK),
    bytes('ke2', OPAQUE_KE2),
  ]),

  cnnt: fromDaemon('cnnt', Opcode.cnnt, 0, [bytes('uid', ID), nameField('name'), u32('queued')]),
  rvum: fromDaemon('rvum', Opcode.rvum, 0, [bytes('envelope', ENVELOPE)]),
  rvrm: fromDaemon('rvrm', Opcode.rvrm, 0, roomMessage),
  dlvd: fromDaemon('dlvd', Opcode.dlvd, 0, [bytes('message', ID), bytes('recipient', ID), u64('at')]),
  drnd: fromDaemon('drnd', Opcode.drnd, 0, [u32('delivered')]),
  rjmp: fromDaemon('rjmp', Opcode.rjmp, 0, request),
  ramp: fromDaemon('ramp', Opcode.ramp, 0, acceptance),
  rdmp: fromDaemon('rdmp', Opcode.rdmp, 0, [bytes('from', ID), nameField('name'), bytes('request', HASH)]),
  ansr: fromDaemon('ansr', Opcode.ansr, 0, [
    list('answers', ANSWERS_PER_FRAME, [
      u32('opcode'),
      u8('step'),
      bytes('frame', ID),
      u8('status', 3),
      u16('code', 999),
    ]),
  ]),
  clos: fromDaemon('clos', Opcode.clos, 0, []),
  ivrm: fromDaemon('ivrm', Opcode.ivrm, 0, [
    bytes('room', ID),
    nameField('name'),
    u8('kind', 1),
    bytes('inviter', ID),
    u32('epoch'),
    u64('expires'),
    bytes('head', HASH),
    bytes('block', RSA_BLOCK),
    bytes('invitation', SIGNATURE),
  ]),
  enrm: fromDaemon('enrm', Opcode.enrm, 0, [bytes('room', ID), u64('version'), u32('epoch'), ...entry]),
  lfrm: fromDaemon('lfrm', Opcode.lfrm, 0, [bytes('room', ID), u64('version'), bytes('uid', ID), u8('what', 4)]),
  chrm: fromDaemon('chrm', Opcode.chrm, 0, [
    bytes('room', ID),
    u64('version'),
    u8('renewed', 1),
    bytes('block', RSA_BLOCK),
    ...head,
    removed,
  ]),
  ofrm: fromDaemon('ofrm', Opcode.ofrm, 0, [nameField('name'), bytes('secret', RANDOM)]),
  chky: fromDaemon('chky', Opcode.chky, 0, [...bundle, bytes('former', SIGNATURE)]),
} as const satisfies Record<string, Struct>;

export const allStructs: readonly Struct[] = Object.values(structs);

export function headerLength(struct: Struct): number {
  return struct.from === 'client' ? COMMAND_HEADER : ANSWER_HEADER;
}

/** Where a field begins, from the first byte of the struct. For the path of a message, which decodes nothing else. */
export function fieldOffset(struct: Struct, name: string): number {
  const index = struct.fields.findIndex((field) => field.name === name);
  if (index < 0) throw new Error(`layouts: ${struct.name} has no field ${name}`);
  return headerLength(struct) + fieldsLength(struct.fields.slice(0, index));
}

const byKey = new Map(
  allStructs.map((struct) => [`${struct.from} ${String(struct.opcode)} ${String(struct.step)}`, struct]),
);

export function commandStruct(opcode: number, step: number): Struct | undefined {
  return opcode === Opcode.helo ? undefined : byKey.get(`client ${String(opcode)} ${String(step)}`);
}

/** The layout of what a daemon sent: every error has the common one, and so has an answer without fields of its own. */
export function daemonStruct(opcode: number, step: number, isError: boolean): Struct | undefined {
  if (isError) return structs.answer;
  const own = opcode === Opcode.helo ? undefined : byKey.get(`daemon ${String(opcode)} ${String(step)}`);
  return own ?? (commandStruct(opcode, step) && structs.answer);
}

/** The opcode table as text; its hash goes into HELLO (SPEC 3.7). */
export function canonicalTable(): string {
  return allStructs
    .map((s) =>
      `${s.name} ${s.from} ${String(s.opcode)} ${String(s.step)} ${String(s.size)} ${s.fields.map(fieldText).join(' ')}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

export function tableHash(sha256: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return sha256(utf8(canonicalTable()));
}
