/** What waits for one user: a log of entries added and ids removed, and the entries that live, in memory. */
import { ID, concat, readUint, writeUint } from '../../../protocol/index.js';
import { StoreRefusal, type Enqueued, type QueueEntry } from '../store.js';
import { AppendLog, recordBytes } from './append-log.js';
import { copyOf } from './copy.js';
import type { Disk } from './disk.js';
import { Ordered, type Item } from './ordered.js';

const ADD = 1;
const REMOVE = 2;
const AT_ID = 1;
const AT_OPCODE = AT_ID + ID;
const AT_FROM = AT_OPCODE + 4;
const AT_KEY = AT_FROM + ID;
const AT_TIME = AT_KEY + ID;
const AT_FIELDS = AT_TIME + 8;
/** Ids that one record removes at most. */
const IDS_PER_RECORD = 4096;

export interface QueueLimits {
  readonly entries: number;
  /** bytes of the records that live */
  readonly bytes: number;
}

interface Kept {
  readonly entry: QueueEntry;
  readonly record: Uint8Array;
  /** until the entry is durable: resolves when it is */
  durable: Promise<void> | undefined;
}

/** The record of an entry: a copy of all its bytes. */
export function entryRecord(entry: QueueEntry): Uint8Array {
  if (entry.id.length !== ID || entry.from.length !== ID || entry.key.length !== ID) {
    throw new RangeError('queue: an id is not 16 bytes');
  }
  const out = new Uint8Array(AT_FIELDS + entry.fields.length);
  out[0] = ADD;
  out.set(entry.id, AT_ID);
  writeUint(out, AT_OPCODE, 4, entry.opcode);
  out.set(entry.from, AT_FROM);
  out.set(entry.key, AT_KEY);
  writeUint(out, AT_TIME, 8, entry.time);
  out.set(entry.fields, AT_FIELDS);
  return out;
}

function readEntry(record: Uint8Array): QueueEntry {
  return {
    id: record.subarray(AT_ID, AT_OPCODE),
    opcode: readUint(record, AT_OPCODE, 4),
    from: record.subarray(AT_FROM, AT_KEY),
    key: record.subarray(AT_KEY, AT_TIME),
    time: readUint(record, AT_TIME, 8),
    fields: record.subarray(AT_FIELDS),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** What a replay has in common with the entry: opcode, from and key. */
function replayKey(record: Uint8Array): string {
  return text(record.subarray(AT_OPCODE, AT_TIME));
}

export class Queue {
  readonly #limits: QueueLimits;
  readonly #entries = new Ordered<Kept>();
  readonly #replays = new Map<string, Kept>();
  #log!: AppendLog;
  #live = 0;

  private constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** @throws StoreRefusal where the file is damaged */
  static async open(path: string, disk: Disk, limits: QueueLimits): Promise<Queue> {
    const queue = new Queue(limits);
    queue.#log = await AppendLog.open(path, disk, (payload) => {
      if (!queue.#take(payload)) throw new StoreRefusal(`${path} holds an unknown record: restore it from a backup`);
    });
    return queue;
  }

  #take(payload: Uint8Array): boolean {
    if (payload[0] === ADD && payload.length >= AT_FIELDS) {
      this.#add(copyOf(payload));
      return true;
    }
    if (payload[0] !== REMOVE || payload.length % ID !== 1) return false;
    for (let at = 1; at < payload.length; at += ID) this.#drop(text(payload.subarray(at, at + ID)));
    return true;
  }

  #add(record: Uint8Array): Kept {
    const kept: Kept = { entry: readEntry(record), record, durable: undefined };
    this.#entries.add(text(kept.entry.id), kept);
    this.#replays.set(replayKey(record), kept);
    this.#live += recordBytes(record);
    return kept;
  }

  #drop(id: string): Item<Kept> | undefined {
    const item = this.#entries.remove(id);
    if (!item) return undefined;
    this.#replays.delete(replayKey(item.value.record));
    this.#live -= recordBytes(item.value.record);
    return item;
  }

  #restore(items: readonly Item<Kept>[]): void {
    this.#entries.restore(items);
    for (const { value } of items) {
      this.#replays.set(replayKey(value.record), value);
      this.#live += recordBytes(value.record);
    }
  }

  /** bytes of memory, about */
  get bytes(): number {
    return this.#live;
  }

  /** @param record made by entryRecord */
  async enqueue(record: Uint8Array): Promise<Enqueued> {
    const known = this.#replays.get(replayKey(record));
    if (known) {
      await known.durable;
      return 'known';
    }
    const id = text(record.subarray(AT_ID, AT_OPCODE));
    if (this.#entries.get(id)) throw new RangeError('queue: the id is in use');
    if (this.#entries.size >= this.#limits.entries || this.#live + recordBytes(record) > this.#limits.bytes)
      return 'full';
    const kept = this.#add(record);
    kept.durable = this.#log.append(record, () => this.#drop(id));
    await kept.durable;
    kept.durable = undefined;
    return 'queued';
  }

  queued(after: Uint8Array | undefined, limit: number): Promise<readonly QueueEntry[]> {
    const from = after && text(after);
    return this.#log.read(() => this.#entries.page(from, limit).map((kept) => kept.entry));
  }

  length(): Promise<number> {
    return this.#log.read(() => this.#entries.size);
  }

  /** @param ids copies */
  async acknowledge(ids: readonly Uint8Array[]): Promise<readonly QueueEntry[]> {
    let removed = this.#remove(ids);
    // An earlier call may be removing these: if that is undone, they are this call's to remove.
    while (removed.items.length === 0 && !(await this.#log.settled())) removed = this.#remove(ids);
    await Promise.all(removed.appended);
    return removed.items.map((item) => item.value.entry);
  }

  #remove(ids: readonly Uint8Array[]): { items: Item<Kept>[]; appended: Promise<void>[] } {
    const items: Item<Kept>[] = [];
    for (const id of ids) {
      const item = this.#drop(text(id));
      if (item) items.push(item);
    }
    const appended: Promise<void>[] = [];
    for (let at = 0; at < items.length; at += IDS_PER_RECORD) {
      const some = items.slice(at, at + IDS_PER_RECORD);
      const payload = concat(Uint8Array.of(REMOVE), ...some.map((item) => item.value.entry.id));
      appended.push(this.#log.append(payload, () => this.#restore(some)));
    }
    if (items.length > 0) this.#log.tidy(this.#live, () => this.#entries.values().map((kept) => kept.record));
    return { items, appended };
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
