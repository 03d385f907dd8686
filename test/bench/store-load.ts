/** The store alone, in a process of its own: calls that wait for nothing but the disk. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { nodeFiles, type DiskFile, type Files } from '../../src/store/journal/disk.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import type { QueueEntry } from '../../src/store/store.js';
import { ENVELOPE } from '../../protocol/index.js';
import { obeyParent } from './child.js';
import { noSecurity } from '../../src/store/store.js';

export interface StoreSetup {
  readonly folder: string;
  readonly users: number;
  /** Counts syncs; checkpoints are made in the same thread then. */
  readonly counting: boolean;
}

export type StoreOrder =
  | { readonly kind: 'enqueue'; readonly atOnce: number; readonly seconds: number }
  /** The same, and one checkpoint after another. */
  | { readonly kind: 'checkpoints'; readonly atOnce: number; readonly seconds: number };

export interface StoreLoad {
  readonly messages: number;
  readonly ms: number;
  /** µs of this process, all threads */
  readonly cpu: number;
  readonly journalSyncs: number;
  readonly otherSyncs: number;
  readonly checkpoints: number;
  /** ms by which timers of 1 ms were late, machine and all */
  readonly pause99: number;
  readonly pauseMax: number;
}

const syncs = { journal: 0, other: 0 };

/** These files, and how often they were synced. */
function counted(files: Files): Files {
  return {
    ...files,
    async open(path, flags, mode) {
      const kind = basename(path).endsWith('.log') ? 'journal' : 'other';
      return countedFile(await files.open(path, flags, mode), () => syncs[kind]++);
    },
  };
}

function countedFile(file: DiskFile, synced: () => void): DiskFile {
  return {
    read: (...args) => file.read(...args),
    write: (...args) => file.write(...args),
    stat: () => file.stat(),
    truncate: (length) => file.truncate(length),
    chmod: (mode) => file.chmod(mode),
    close: () => file.close(),
    sync: () => (synced(), file.sync()),
    datasync: () => (synced(), file.datasync()),
  };
}

const { folder, users, counting } = JSON.parse(process.argv[2] ?? '{}') as StoreSetup;
const store = await openJournalStore(folder, {
  now: Date.now,
  maxQueueEntries: 1e9,
  maxQueueBytes: 1e12,
  ...(counting ? { files: counted(nodeFiles) } : {}),
});
const account = { enc: randomBytes(256), sig: randomBytes(256), record: randomBytes(192), words: randomBytes(32) };
const uids = Array.from({ length: users }, () => randomBytes(16));
await Promise.all(
  uids.map((uid, at) =>
    store.createAccount({ ...account, uid, name: `user${String(at)}`, created: Date.now(), security: noSecurity }),
  ),
);
const fields = randomBytes(ENVELOPE);
let made = 0;

function entry(): QueueEntry {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(++made);
  return { id, opcode: 1, from: uids[0] ?? id, key: id, time: Date.now(), fields };
}

async function load(atOnce: number, seconds: number, besides: (isOver: () => boolean) => Promise<number>) {
  const [journal, other] = [syncs.journal, syncs.other];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let messages = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began > 1000 * seconds;
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      const uid = uids[made % users];
      if (!uid || (await store.enqueue(uid, entry())) !== 'queued') throw new Error('not queued');
      messages++;
    }
  };
  delay.enable();
  const [checkpoints] = await Promise.all([
    besides(isOver),
    pause(1000 * seconds),
    ...Array.from({ length: atOnce }, worker),
  ]);
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  return {
    messages,
    ms: performance.now() - began,
    cpu: user + system,
    journalSyncs: syncs.journal - journal,
    otherSyncs: syncs.other - other,
    checkpoints,
    pause99: delay.percentile(99) / 1e6,
    pauseMax: delay.max / 1e6,
  } satisfies StoreLoad;
}

async function checkpoints(isOver: () => boolean): Promise<number> {
  let count = 0;
  for (; !isOver(); count++) await store.checkpoint();
  return count;
}

await obeyParent(({ kind, atOnce, seconds }: StoreOrder) =>
  load(atOnce, seconds, kind === 'checkpoints' ? checkpoints : () => Promise.resolve(0)),
);
