/** What the cases of the contract share: what is kept, and how a store is opened and opened again. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { Code } from '../../protocol/index.js';
import {
  noSecurity,
  type Account,
  type QueueEntry,
  type Reply,
  type Room,
  type RoomMessage,
  type Store,
} from '../../src/store/store.js';

export interface ContractOptions {
  readonly now: () => number;
  readonly maxAccounts?: number;
  readonly maxRooms?: number;
  readonly maxRoomsPerUser?: number;
  readonly maxQueueEntries?: number;
  readonly maxQueueBytes?: number;
}

/** A place for one store: each call opens what the one before left, which is closed by then. */
export type Reopen = (options: ContractOptions) => Promise<Store>;
/** Makes an empty place. */
export type NewPlace = (t: Test) => Reopen;

export const START = 1_800_000_000_000;
export const DAY = 24 * 3600_000;

export function account(name: string): Account {
  return {
    uid: randomBytes(16),
    name,
    enc: randomBytes(256),
    sig: randomBytes(256),
    record: randomBytes(192),
    words: randomBytes(32),
    created: START,
    security: noSecurity,
  };
}

export function entry(fields: Uint8Array = randomBytes(1400)): QueueEntry {
  return { id: randomBytes(16), opcode: 10001, from: randomBytes(16), key: randomBytes(16), time: START + 5, fields };
}

export function room(name: string, owner: Uint8Array): Room {
  return { id: randomBytes(16), name, owner, state: randomBytes(300) };
}

export function message(time = START): RoomMessage {
  return { from: randomBytes(16), key: randomBytes(16), message: randomBytes(16), time, fields: randomBytes(200) };
}

export function ids(entries: readonly QueueEntry[]): string[] {
  return entries.map((each) => Buffer.from(each.id).toString('hex'));
}

/** Bytes as such, whatever class carries them. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => {
      const bytes = each as { type?: unknown; data?: unknown } | Uint8Array | null;
      if (bytes instanceof Uint8Array) return Buffer.from(bytes).toString('hex');
      if (bytes && typeof bytes === 'object' && 'type' in bytes && bytes.type === 'Buffer') {
        return Buffer.from(bytes.data as number[]).toString('hex');
      }
      return each;
    }),
  ) as unknown;
}

export type Case = (t: Test, reopen: Reopen) => Promise<void>;

/** Opens with the clock at START, and makes one user. */
export async function withUser(
  reopen: Reopen,
  options: Partial<ContractOptions> = {},
): Promise<{ store: Store; uid: Uint8Array }> {
  const store = await reopen({ now: () => START, ...options });
  const alice = account('alice');
  await store.createAccount(alice);
  return { store, uid: alice.uid };
}

/** Makes another user. */
export async function addUser(store: Store, name: string): Promise<Uint8Array> {
  const added = account(name);
  await store.createAccount(added);
  return added.uid;
}

/** Closes, opens again. */
export async function again(store: Store, reopen: Reopen, options: Partial<ContractOptions> = {}): Promise<Store> {
  await store.close();
  return reopen({ now: () => START, ...options });
}

export function reply(n: number, time = START): Reply {
  const frameId = Buffer.alloc(16);
  frameId.writeUInt32BE(n, 4);
  return { frameId, opcode: 100007, code: Code.queued, time };
}

/** How a promise ended, in one word: what it resolved with, or the name of its error. */
export function ended(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => (error instanceof Error ? error.name : error));
}

/** The bytes that are in a value. */
export function views(of: object): Uint8Array[] {
  return Object.values(of).filter((value): value is Uint8Array => value instanceof Uint8Array);
}
