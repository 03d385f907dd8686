/** The table: opcode and step → handler, the states in which it is allowed, what its replay does. */
import { Opcode, type Struct, commandStruct, structs } from '../../protocol/index.js';
import * as account from './handlers/account.js';
import * as conversation from './handlers/conversation.js';
import * as keys from './handlers/keys.js';
import * as login from './handlers/login.js';
import * as mailCode from './handlers/mail-code.js';
import * as message from './handlers/message.js';
import * as password from './handlers/password.js';
import * as recovery from './handlers/recovery.js';
import * as register from './handlers/register.js';
import * as roomEntry from './handlers/room-entry.js';
import * as roomMessage from './handlers/room-message.js';
import * as roomPeople from './handlers/room-people.js';
import * as room from './handlers/room.js';
import * as security from './handlers/security.js';
import type { Handler, LinkState } from './handler.js';
import type { Rate } from './rates.js';

export interface Row {
  /** its place in the table, from 1 on: it is counted by it */
  readonly number: number;
  readonly struct: Struct;
  readonly handler: Handler<Struct>;
  readonly states: readonly LinkState[];
  /** Done once for each frame id of a user; a replay gets the same answer and has no effect. */
  readonly once: boolean;
  /** A step of a login, before it is finished: any frame that comes before its answer ends the connection. */
  readonly alone: boolean;
  /** What it is counted as after a login, before anything else of it is looked at. */
  readonly rate: Rate;
}

function row<S extends Struct>(
  struct: S,
  handler: Handler<S>,
  states: readonly LinkState[],
  how?: 'once' | 'alone' | Exclude<Rate, 'command'>,
): Omit<Row, 'number'> {
  const rate = how === 'message' || how === 'free' ? how : 'command';
  return { struct, handler, states, once: how === 'once', alone: how === 'alone', rate };
}

// prettier-ignore
const table: readonly Omit<Row, 'number'>[] = [
  row(structs.crea1, register.begin,           ['open', 'registering', 'confirming']),
  row(structs.crea2, register.prove,           ['registering']),
  row(structs.crea3, register.confirm,         ['confirming']),
  row(structs.auth1, login.begin,              ['open', 'registering', 'confirming'], 'alone'),
  row(structs.auth2, login.prove,              ['proving'], 'alone'),
  row(structs.pass,  login.finish,             ['words'], 'alone'),
  row(structs.mcod,  mailCode.send,            ['words', 'ready'], 'alone'),
  row(structs.quit,  login.quit,               ['open', 'registering', 'confirming', 'ready'], 'free'),
  row(structs.rcov1, recovery.begin,           ['open', 'registering', 'confirming'], 'alone'),
  row(structs.rcov2, recovery.finish,          ['recovering'], 'alone'),
  row(structs.jmpu,  conversation.ask,         ['ready'], 'once'),
  row(structs.ampu,  conversation.accept,      ['ready'], 'once'),
  row(structs.dmpu,  conversation.decline,     ['ready'], 'once'),
  row(structs.bloc,  conversation.block,       ['ready'], 'once'),
  row(structs.keyq,  conversation.keys,        ['ready']),
  row(structs.smpu,  message.send,             ['ready'], 'message'),
  row(structs.ackd,  message.acknowledge,      ['ready'], 'free'),
  row(structs.crms,  room.make,                ['ready'], 'once'),
  row(structs.jrms1, roomEntry.find,           ['ready']),
  row(structs.jrms2, roomEntry.unlock,         ['ready']),
  row(structs.jrms3, roomEntry.enter,          ['ready'], 'once'),
  row(structs.srms,  roomMessage.say,          ['ready'], 'message'),
  row(structs.inrm,  roomPeople.invite,        ['ready'], 'once'),
  row(structs.dcrm,  roomPeople.decline,       ['ready'], 'once'),
  row(structs.lvrm,  roomPeople.leave,         ['ready'], 'once'),
  row(structs.dlrm,  room.remove,              ['ready'], 'once'),
  row(structs.rtrm1, roomPeople.stage,         ['ready']),
  row(structs.rtrm2, roomPeople.rotate,        ['ready'], 'once'),
  row(structs.strm,  room.state,               ['ready']),
  row(structs.mbrm,  room.member,              ['ready']),
  row(structs.fact1, security.beginFactor,     ['ready']),
  row(structs.fact2, security.confirmFactor,   ['ready']),
  row(structs.rcod,  security.renewCodes,      ['ready']),
  row(structs.acct,  security.show,            ['ready']),
  row(structs.rvok,  security.revoke,          ['ready']),
  row(structs.pswd1, password.begin,           ['ready']),
  row(structs.pswd2, password.finish,          ['ready']),
  row(structs.rkey1, keys.begin,               ['ready']),
  row(structs.rkey2, keys.finish,              ['ready']),
  row(structs.dlac,  account.remove,           ['ready']),
];

export const rows: readonly Row[] = table.map((each, n) => ({ ...each, number: n + 1 }));

/** A step is any byte. */
const keyOf = (opcode: number, step: number): number => 256 * opcode + step;

const byOpcode = new Map<number, Row>(rows.map((r) => [keyOf(r.struct.opcode, r.struct.step), r]));

/** States in which frames alternate strictly: anything but the one next step ends the connection. */
export const strictStates: ReadonlySet<LinkState> = new Set(['authenticating', 'proving', 'words', 'recovering']);

export function findRow(opcode: number, step: number): Row | undefined {
  return byOpcode.get(keyOf(opcode, step));
}

/** It has a layout, but this daemon does not serve it. */
export function isKnown(opcode: number, step: number): boolean {
  return opcode !== Opcode.helo && commandStruct(opcode, step) !== undefined;
}
