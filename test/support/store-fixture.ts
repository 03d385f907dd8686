/** A small store on a real disk: two accounts with mail and a room, some of it in files, some in the journal. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accountFileFormat, fromFile, toFile } from '../../src/store/journal/formats.js';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import type { Account, QueueEntry } from '../../src/store/store.js';
import { temporaryFolder, type Teardown } from './temp.js';
import { noSecurity } from '../../src/store/store.js';

export const id = (number: number): Uint8Array => new Uint8Array(16).fill(number);

export function account(number: number, name: string): Account {
  const modulus = new Uint8Array(256).fill(number);
  const record = new Uint8Array(192).fill(100 + number);
  return {
    uid: id(number),
    name,
    enc: modulus,
    sig: modulus,
    record,
    words: new Uint8Array(32),
    created: 1000,
    security: noSecurity,
  };
}

/** A message of the user `from`; its number tells it. */
export function entry(number: number, from: Uint8Array): QueueEntry {
  const own = Buffer.alloc(16);
  own.writeUInt32BE(number, 12);
  return { id: own, opcode: 0x31, from, key: own, time: Date.now(), fields: Buffer.alloc(40, number) };
}

export interface StoreFixture {
  readonly data: string;
  /** data/net */
  readonly folder: string;
  open(): Promise<JournalStore>;
  /** Opens it, does this, closes it. */
  with<T>(work: (store: JournalStore) => Promise<T>): Promise<T>;
}

export const alice = account(1, 'alice');
export const bobby = account(2, 'bobby');
export const hall = { id: id(9), name: 'hall', owner: alice.uid, state: new Uint8Array(8) };

/** alice has 10 messages from bobby in her queue's file, and 5 more in the journal; she owns the room `hall`. */
export async function storeFixture(t: Teardown): Promise<StoreFixture> {
  const data = join(await temporaryFolder(t), 'data');
  const folder = join(data, 'net');
  const open = (): Promise<JournalStore> => openJournalStore(folder, { now: Date.now, inThread: true });
  const fixture: StoreFixture = {
    data,
    folder,
    open,
    with: async (work) => {
      const store = await open();
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
  };
  await fixture.with(async (store) => {
    for (const each of [alice, bobby]) await store.createAccount(each);
    await store.createRoom(hall);
    const said = { from: bobby.uid, key: id(7), message: id(8), time: Date.now(), fields: new Uint8Array(10) };
    await store.say(hall.id, said);
    await store.setConsent(alice.uid, bobby.uid, 'open');
    await store.saveGrant(alice.uid, { hash: new Uint8Array(32).fill(5), ends: Date.now() + 1e6 }, Date.now());
    for (let n = 0; n < 10; n++) await store.enqueue(alice.uid, entry(n, bobby.uid));
    await store.checkpoint();
    for (let n = 10; n < 15; n++) await store.enqueue(alice.uid, entry(n, bobby.uid));
  });
  return fixture;
}

/** Numbers of what waits for a user, in order. */
export async function waiting(store: JournalStore, uid: Uint8Array): Promise<number[]> {
  return (await store.queued(uid, undefined, 1e6)).map((each) => Buffer.from(each.id).readUInt32BE(12));
}

export const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const userFile = (folder: string, uid: Uint8Array, name: string): string =>
  join(folder, 'users', hex(uid), name);
export const lastSegment = (folder: string): string => {
  const names = readdirSync(join(folder, 'journal')).sort();
  return join(folder, 'journal', names.at(-1) ?? '');
};

/** Flips a bit at an offset; from the end where it is negative. */
export function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 4;
  writeFileSync(path, bytes);
}

/** Gives an account's file another name, as if it were right. */
export function rename(path: string, name: string): void {
  const file = fromFile(accountFileFormat, readFileSync(path));
  if (!file) throw new Error('no account');
  writeFileSync(path, toFile(accountFileFormat, { ...file, account: { ...file.account, name } }));
}
