/**
 * The users of a store of format 1, read and nothing else:
 *
 *     users/<uid>/account.json      written last: without it there is no account
 *     users/<uid>/attempts.json, grants.json, consents/<other uid>.json
 *     users/<uid>/queue.log, replies.log
 */
import { join } from 'node:path';
import { codes, hex, ID, type Code } from '../../../protocol/index.js';
import { StoreRefusal, type Account, type Attempts, type Consent, type Grant } from '../store.js';
import type { Files } from '../journal/disk.js';
import { exists, readWhole, TEMPORARY } from '../journal/durable.js';
import { readOldLog } from './format1-log.js';
import { accountFormat, attemptsFormat, fromFile, grantsFormat, type Format } from '../journal/formats.js';
import { ACCOUNT_FILE, USERS } from '../journal/layout.js';
import { MailState, parseMail } from '../journal/mail.js';
import { latin1, queuedRecord, removedRecord, replyRecord } from '../journal/records.js';

export const OLD_CONSENTS = 'consents';
const OLD_QUEUE = 'queue.log';
const OLD_REPLIES = 'replies.log';
const OLD_ATTEMPTS = 'attempts.json';
const OLD_GRANTS = 'grants.json';
/** What format 2 has no use for, in the folder of a user. */
export const OLD_FILES: readonly string[] = [OLD_QUEUE, OLD_REPLIES, OLD_ATTEMPTS, OLD_GRANTS];

/* a record of queue.log: kind, id, opcode, from, key, time, fields; or kind and ids */
const ADD = 1;
const REMOVE = 2;
const AT_ID = 1;
const AT_OPCODE = AT_ID + ID;
const AT_FROM = AT_OPCODE + 4;
const AT_KEY = AT_FROM + ID;
const AT_TIME = AT_KEY + ID;
const AT_FIELDS = AT_TIME + 8;

/* a record of replies.log: frame id, opcode, code, time */
const AT_REPLY_OPCODE = ID;
const AT_CODE = AT_REPLY_OPCODE + 4;
const AT_REPLY_TIME = AT_CODE + 2;
const REPLY = AT_REPLY_TIME + 8;

export interface OldUser {
  readonly account: Account;
  readonly attempts: Attempts;
  readonly grants: readonly Grant[];
  /** by the other's uid, one character a byte */
  readonly consents: ReadonlyMap<string, Consent>;
  readonly mail: MailState;
}

/** The names of the folders of users. */
export async function oldUserIds(files: Files, folder: string): Promise<string[]> {
  const users = join(folder, USERS);
  if (!(await exists(files, users))) return [];
  return (await files.readdir(users)).filter((name) => /^[0-9a-f]{32}$/.test(name));
}

/**
 * All accounts, one at a time.
 * @throws StoreRefusal where one is damaged
 */
export async function* oldUsers(files: Files, folder: string): AsyncGenerator<OldUser> {
  for (const id of await oldUserIds(files, folder)) {
    const user = await readUser(files, join(folder, USERS, id), id);
    if (user) yield user;
  }
}

/** undefined: the account's making was cut short, and nobody was told that there is one. */
async function readUser(files: Files, own: string, id: string): Promise<OldUser | undefined> {
  const names = new Set(await files.readdir(own));
  const consents = names.has(OLD_CONSENTS) ? await readConsents(files, join(own, OLD_CONSENTS)) : new Map();
  if (!names.has(ACCOUNT_FILE)) {
    const neverWas = [...names].every((name) => name === OLD_CONSENTS || name.endsWith(TEMPORARY));
    if (neverWas && consents.size === 0) return undefined;
    throw new StoreRefusal(`${own} has lost its ${ACCOUNT_FILE}: restore it from a backup`);
  }
  const value = <T>(name: string, format: Format<T>): Promise<T | undefined> =>
    names.has(name) ? readValue(files, join(own, name), format) : Promise.resolve(undefined);
  const account = await value(ACCOUNT_FILE, accountFormat);
  if (!account || hex(account.uid) !== id) {
    throw new StoreRefusal(`${join(own, ACCOUNT_FILE)} belongs to another user: restore it from a backup`);
  }
  return {
    account,
    attempts: (await value(OLD_ATTEMPTS, attemptsFormat)) ?? { count: 0, last: 0 },
    grants: (await value(OLD_GRANTS, grantsFormat)) ?? [],
    consents,
    mail: await readMail(files, own, names, latin1(account.uid)),
  };
}

async function readValue<T>(files: Files, path: string, format: Format<T>): Promise<T> {
  const bytes = await readWhole(files, path);
  const value = bytes && fromFile(format, bytes);
  if (value === undefined) throw new StoreRefusal(`${path} is damaged: restore it from a backup`);
  return value;
}

const consentValues: ReadonlySet<unknown> = new Set<Consent>(['open', 'declined', 'blocked']);

const consentFormat: Format<Consent> = {
  toJson: (consent) => ({ consent }),
  fromJson(json) {
    const consent = (json as { consent?: unknown } | null)?.consent;
    return consentValues.has(consent) ? (consent as Consent) : undefined;
  },
};

async function readConsents(files: Files, own: string): Promise<Map<string, Consent>> {
  const out = new Map<string, Consent>();
  for (const name of await files.readdir(own)) {
    if (name.endsWith(TEMPORARY)) continue;
    const path = join(own, name);
    const towards = /^([0-9a-f]{32})\.json$/.exec(name)?.[1];
    // This folder goes when its files are taken over: nothing else may be lost with it.
    if (towards === undefined) throw new StoreRefusal(`${path} is none of the store's files: move it away`);
    out.set(Buffer.from(towards, 'hex').toString('latin1'), await readValue(files, path, consentFormat));
  }
  return out;
}

async function readMail(files: Files, own: string, names: ReadonlySet<string>, uid: string): Promise<MailState> {
  const state = new MailState();
  for (const [name, convert] of [
    [OLD_QUEUE, queueRecord],
    [OLD_REPLIES, answerRecord],
  ] as const) {
    if (!names.has(name)) continue;
    const path = join(own, name);
    readOldLog(path, (await readWhole(files, path)) ?? new Uint8Array(0), (payload) => {
      const converted = convert(uid, Buffer.from(payload.buffer, payload.byteOffset, payload.length));
      const change = converted && parseMail(converted);
      if (!change) throw new StoreRefusal(`${path} holds an unknown record: restore it from a backup`);
      state.apply(change);
    });
  }
  return state;
}

/** The record of format 2 for one of queue.log; undefined where it is none. */
function queueRecord(uid: string, old: Buffer): Uint8Array | undefined {
  if (old[0] === REMOVE && old.length % ID === 1) {
    const ids: string[] = [];
    for (let at = 1; at < old.length; at += ID) ids.push(latin1(old, at, at + ID));
    return removedRecord(uid, ids);
  }
  const time = old[0] === ADD && old.length >= AT_FIELDS ? readTime(old, AT_TIME) : undefined;
  if (time === undefined) return undefined;
  return queuedRecord(uid, {
    id: old.subarray(AT_ID, AT_OPCODE),
    opcode: old.readUInt32BE(AT_OPCODE),
    from: old.subarray(AT_FROM, AT_KEY),
    key: old.subarray(AT_KEY, AT_TIME),
    time,
    fields: old.subarray(AT_FIELDS),
  });
}

/** The record of format 2 for one of replies.log; undefined where it is none. */
function answerRecord(uid: string, old: Buffer): Uint8Array | undefined {
  const code = old.length === REPLY ? old.readUInt16BE(AT_CODE) : undefined;
  const time = old.length === REPLY ? readTime(old, AT_REPLY_TIME) : undefined;
  if (code === undefined || time === undefined || !codes.has(code)) return undefined;
  return replyRecord(uid, {
    frameId: old.subarray(0, AT_REPLY_OPCODE),
    opcode: old.readUInt32BE(AT_REPLY_OPCODE),
    code: code as Code,
    time,
  });
}

/** ms since 1970; undefined where no clock can say this. */
function readTime(old: Buffer, at: number): number | undefined {
  const time = Number(old.readBigUInt64BE(at));
  return Number.isSafeInteger(time) ? time : undefined;
}
