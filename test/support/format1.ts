/** Writes the folder of a store of format 1, byte by byte, as the program of that time left it. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { concat, hex, u64, utf8, writeUint } from '../../protocol/index.js';
import type { Files } from '../../src/store/journal/disk.js';
import { ensureFolder, makeFolder, replaceFile, syncFolder } from '../../src/store/journal/durable.js';
import type { Account, Attempts, Consent, Grant, QueueEntry, Reply } from '../../src/store/store.js';
import type { Draws } from './draws.js';
import { noSecurity } from '../../src/store/store.js';

/** Payloads that were written and synced together. */
type Batches = readonly (readonly Uint8Array[])[];

export interface OldUser {
  readonly account: Account;
  readonly attempts?: Attempts;
  readonly grants?: readonly Grant[];
  /** by the other's uid, in hexadecimal */
  readonly consents?: Readonly<Record<string, Consent>>;
  readonly queue?: Batches;
  readonly replies?: Batches;
}

const SALT = 0x5a17ca5e;
export const OLD_FILE_HEADER = 12;
export const OLD_RECORD_HEADER = 16;

export function oldLog(batches: Batches): Uint8Array {
  const head = concat(utf8('cadenas'), Uint8Array.of(1), u32(SALT));
  let log = head;
  for (const batch of batches) {
    const synced = log.length;
    for (const payload of batch) log = concat(log, oldRecord(payload, synced));
  }
  return log;
}

function oldRecord(payload: Uint8Array, synced: number): Uint8Array {
  const summed = new Uint8Array(10);
  writeUint(summed, 0, 4, payload.length);
  writeUint(summed, 4, 6, synced);
  return concat(Uint8Array.of(0xca, 0xde), summed, u32(crc32(concat(summed, payload), SALT)), payload);
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  writeUint(out, 0, 4, value);
  return out;
}

export function oldEntry({ id, opcode, from, key, time, fields }: QueueEntry): Uint8Array {
  return concat(Uint8Array.of(1), id, u32(opcode), from, key, u64(time), fields);
}

export function oldRemoved(...entries: readonly QueueEntry[]): Uint8Array {
  return concat(Uint8Array.of(2), ...entries.map(({ id }) => id));
}

export function oldReply({ frameId, opcode, code, time }: Reply): Uint8Array {
  return concat(frameId, u32(opcode), u32(code).subarray(2), u64(time));
}

function oldAccount({ uid, name, enc, sig, record, words, created }: Account): object {
  const bytes = { enc: hex(enc), sig: hex(sig), record: hex(record), words: hex(words) };
  return { uid: hex(uid), name, ...bytes, created };
}

export async function writeOldStore(files: Files, folder: string, users: readonly OldUser[]): Promise<void> {
  const put = (path: string, bytes: Uint8Array): Promise<void> => replaceFile(files, join(folder, path), bytes);
  const putJson = (path: string, value: unknown): Promise<void> => put(path, utf8(JSON.stringify(value) + '\n'));
  await ensureFolder(files, join(folder, 'users'));
  await putJson('format.json', { format: 1 });
  await put('hellos-1.log', oldLog([[concat(Uint8Array.of(1), u64(0), u64(0))]]));
  for (const { account, attempts, grants, consents = {}, queue, replies } of users) {
    const own = join('users', hex(account.uid));
    await makeFolder(files, join(folder, own));
    await makeFolder(files, join(folder, own, 'consents'));
    for (const [uid, consent] of Object.entries(consents)) {
      await putJson(join(own, 'consents', `${uid}.json`), { consent });
    }
    if (attempts) await putJson(join(own, 'attempts.json'), attempts);
    if (grants) {
      const rows = grants.map(({ hash, ends }) => ({ hash: hex(hash), ends }));
      await putJson(join(own, 'grants.json'), rows);
    }
    if (queue) await put(join(own, 'queue.log'), oldLog(queue));
    if (replies) await put(join(own, 'replies.log'), oldLog(replies));
    await putJson(join(own, 'account.json'), oldAccount(account));
  }
  await syncFolder(files, join(folder, 'users'));
}

export function drawnAccount(draws: Draws, name: string, created: number): Account {
  const bytes = { enc: draws.bytes(256), sig: draws.bytes(256), record: draws.bytes(192), words: draws.bytes(32) };
  return { uid: draws.bytes(16), name, ...bytes, created, security: noSecurity };
}

export function drawnEntry(draws: Draws, time: number, length: number): QueueEntry {
  const [id, from, key] = [draws.bytes(16), draws.bytes(16), draws.bytes(16)];
  return { id, opcode: 10001, from, key, time, fields: draws.bytes(length) };
}
