/**
 * The profile's state on disk: one append-only log of sealed events. A record is a length (u32),
 * a random nonce and an AES-128-GCM box of the event as JSON; generation and index are authenticated,
 * so that records can't be reordered, dropped from the middle or moved between files. A torn tail is cut.
 */
import {
  concat,
  fromUtf8,
  join,
  KEY,
  NONCE,
  readUint,
  TAG,
  u64,
  utf8,
  writeUint,
  type Aead,
  type SyncCrypto,
} from '../../protocol/index.js';
import { error, type ClientError } from './errors.js';
import type { ClientPorts, ClientStorage } from './ports.js';
import { apply, rowCount, snapshot, type Event } from './reducer.js';
import { dropsKeys } from './rooms/reduce.js';
import { emptyState, type State } from './state.js';

/** Longest record: a text whose every byte JSON escapes in six characters, and its sealed parts in hexadecimal. */
const RECORD_MAX = 768 * 1024;
/** The longest write, and so what a crash may leave unfinished at the end. More is damage. */
const TORN_MAX = 4 * 1024 * 1024;
/** Records beyond twice the live rows and this many are garbage that a compaction removes. */
const GARBAGE_MIN = 1000;
/** The same in bytes, beyond twice what the last compaction left: a few records may be long. */
const GARBAGE_BYTES = 16 * 1024 * 1024;
/** Behind a record that does not open: how many of the next places in the log are tried, and how often at all. */
const NEXT_TRIED = 8;
const TRIES_MAX = 4096;
const LENGTH = 4;
const POINTER = 'current';
const domain = utf8('cadenas/1 state');

function fileName(generation: number): string {
  return `state-${String(generation)}.log`;
}

/** How often a state is read anew that another process rewrites meanwhile. */
const PEEKS_MAX = 10;

/** One event as the record at this place of this log. */
function sealRecord(sync: SyncCrypto, box: Aead, event: Event, generation: number, index: number): Uint8Array {
  const plain = utf8(JSON.stringify(event));
  const record = new Uint8Array(LENGTH + NONCE + plain.length + TAG);
  if (record.length > RECORD_MAX) throw new RangeError('journal: record length');
  writeUint(record, 0, LENGTH, record.length - LENGTH);
  const nonce = sync.random(NONCE);
  record.set(nonce, LENGTH);
  box.seal(nonce, aadOf(generation, index), plain, record, LENGTH + NONCE);
  return record;
}

function aadOf(generation: number, index: number): Uint8Array {
  return concat(domain, u64(generation), u64(index));
}

/**
 * A state of these rows, in a profile that has none: what a crash leaves is written over.
 * @param key 16 bytes @throws what the storage throws
 */
export async function writeState(
  { storage, crypto }: Pick<ClientPorts, 'storage' | 'crypto'>,
  key: Uint8Array,
  rows: readonly Event[],
): Promise<void> {
  const box = crypto.sync.aead(key);
  const records = rows.map((row, index) => sealRecord(crypto.sync, box, row, 1, index));
  await storage.replace(fileName(1), join(records));
  await storage.replace(POINTER, utf8('1'));
}

/** Removes the state of a profile. The pointer goes first: cut off, there is none, and never half of one. */
export async function dropState(storage: ClientStorage): Promise<void> {
  const pointer = await storage.read(POINTER);
  if (!pointer) return;
  await storage.remove(POINTER);
  const generation = Number(fromUtf8(pointer));
  if (!Number.isSafeInteger(generation)) return;
  for (const each of [generation - 1, generation, generation + 1]) await storage.remove(fileName(each));
}

/** After it, texts and keys may not be on the disk any more. */
function leavesDisk({ t }: Event): boolean {
  return t === 'expired' || t === 'room-gone';
}

interface Waiting {
  readonly bytes: Uint8Array[];
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Journal {
  readonly state: State = emptyState();
  readonly #ports: ClientPorts;
  readonly #storage: ClientStorage;
  readonly #box: Aead;
  #generation = 0;
  #records = 0;
  /** of the log, and of the log as the last compaction left it */
  #bytes = 0;
  #compacted = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #compactions: Waiting[] = [];
  /** The log tells of texts or keys that went: no rewrite was finished since, and they are still in it. */
  #gone = false;
  #broken: unknown;
  #closed = false;
  /** Told once, after those who waited, when a write failed: the state in memory is not what the disk has. */
  onBroken: (why: ClientError) => void = () => undefined;

  private constructor(ports: ClientPorts, key: Uint8Array) {
    if (key.length !== KEY) throw new RangeError('journal: key length');
    this.#ports = ports;
    this.#storage = ports.storage;
    this.#box = ports.crypto.sync.aead(key);
  }

  /** @param key 16 bytes, sealed files only @throws ClientError `damaged-state` */
  static async open(ports: ClientPorts, key: Uint8Array): Promise<Journal> {
    const journal = new Journal(ports, key);
    await journal.#load();
    return journal;
  }

  /**
   * The state as the disk has it, and nothing is written: also while another process writes there.
   * @param key 16 bytes @throws ClientError `damaged-state`
   */
  static async peek(ports: ClientPorts, key: Uint8Array): Promise<State> {
    for (let left = PEEKS_MAX; left > 0; left--) {
      const journal = new Journal(ports, key);
      if ((await journal.#read()) !== 'moved') return journal.state;
    }
    throw error('damaged-state');
  }

  /** moved: the pointer names a log that is not there. */
  async #read(): Promise<'empty' | 'moved' | 'torn' | 'whole'> {
    const pointer = await this.#storage.read(POINTER);
    if (!pointer) return 'empty';
    const generation = Number(fromUtf8(pointer));
    if (!Number.isSafeInteger(generation) || generation < 1) throw error('damaged-state');
    this.#generation = generation;
    const log = await this.#storage.read(fileName(generation));
    if (!log) return 'moved';
    this.#bytes = log.length;
    return this.#replay(log) ? 'torn' : 'whole';
  }

  async #load(): Promise<void> {
    const found = await this.#read();
    if (found === 'empty') return this.compact();
    if (found === 'moved') throw error('damaged-state');
    const torn = found === 'torn';
    const generation = this.#generation;
    /* A compaction that ended before its last step, or before its next to last one. */
    for (const other of [generation - 1, generation + 1]) await this.#storage.remove(fileName(other));
    if (torn) this.#ports.log('the state file ended in an unfinished record, which was cut');
    if (torn || this.#gone || this.garbage) await this.compact();
  }

  /** True where the file ends in a record that was not finished. */
  #replay(log: Uint8Array): boolean {
    let at = 0;
    while (at < log.length) {
      const length = log.length - at < LENGTH ? 0 : readUint(log, at, LENGTH);
      const end = at + LENGTH + length;
      const plain = length > NONCE + TAG && end <= log.length ? this.#open(log.subarray(at + LENGTH, end)) : undefined;
      if (!plain) {
        const last = length === 0 || length > RECORD_MAX || end >= log.length;
        if (!last || log.length - at > TORN_MAX || this.#soundBehind(log, at)) throw error('damaged-state');
        return true;
      }
      this.#gone ||= leavesDisk(plain) || dropsKeys(this.state, plain);
      apply(this.state, plain);
      this.#records++;
      if (plain.t === 'row') this.#compacted += end - at;
      at = end;
    }
    return false;
  }

  /** Whether a sound record follows one that does not open: then it is damage, not an unfinished write. */
  #soundBehind(log: Uint8Array, at: number): boolean {
    let tries = 0;
    for (let place = at + 1; place + LENGTH + NONCE + TAG < log.length; place++) {
      const length = readUint(log, place, LENGTH);
      const end = place + LENGTH + length;
      if (length <= NONCE + TAG || length > RECORD_MAX || end > log.length) continue;
      if (++tries > TRIES_MAX) return true; // no unfinished write looks like this
      for (let ahead = 0; ahead <= NEXT_TRIED; ahead++)
        if (this.#open(log.subarray(place + LENGTH, end), this.#records + ahead)) return true;
    }
    return false;
  }

  #open(record: Uint8Array, index = this.#records): Event | undefined {
    const aad = aadOf(this.#generation, index);
    const plain = this.#box.open(record.subarray(0, NONCE), aad, record.subarray(NONCE));
    const text = plain && fromUtf8(plain);
    return text === undefined ? undefined : (JSON.parse(text) as Event); // authenticated: we wrote it
  }

  #seal(event: Event, generation: number, index: number): Uint8Array {
    return sealRecord(this.#ports.crypto.sync, this.#box, event, generation, index);
  }

  /** Something that has to leave the disk is in the log still: whoever looks after times has it rewritten. */
  get holdsGone(): boolean {
    return this.#gone;
  }

  /** More dead records than live ones. */
  get garbage(): boolean {
    const tooMany = this.#records > 2 * rowCount(this.state) + GARBAGE_MIN;
    return tooMany || this.#bytes > 2 * this.#compacted + GARBAGE_BYTES;
  }

  /** The state changes at once; the promise resolves when the events are synced, and what they take away is gone. */
  append(...events: readonly Event[]): Promise<void> {
    if (this.#closed) return Promise.reject(error('session-over'));
    if (this.#broken) return Promise.reject(error('storage', 'an earlier write failed'));
    if (events.length === 0) return this.synced();
    const bytes = events.map((event) => {
      this.#gone ||= dropsKeys(this.state, event);
      apply(this.state, event);
      return this.#seal(event, this.#generation, this.#records++);
    });
    for (const { length } of bytes) this.#bytes += length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      /*
       * What comes in must not make the log grow without end, and what goes is to leave it; who appended waits for the
       * rewrite, and for its failure.
       */
      if ((this.garbage || events.some(leavesDisk)) && this.#compactions.length === 0)
        this.#compactions.push({ bytes: [], resolve: () => undefined, reject: () => undefined });
      this.#start();
    });
  }

  /** Resolves when all that was appended so far is synced. */
  async synced(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /**
   * Nothing is taken any more: another process may write there next. Resolves when all that was appended is synced. What
   * is refused from here on is not applied either.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.synced();
  }

  /** Rewrites the log from what is alive: what expired is then gone from the disk. */
  compact(): Promise<void> {
    if (this.#closed) return Promise.reject(error('session-over'));
    if (this.#broken) return Promise.reject(error('storage', 'an earlier write failed'));
    return new Promise((resolve, reject) => {
      this.#compactions.push({ bytes: [], resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0 || this.#compactions.length > 0) await this.#writeOnce();
    /* In the same turn as the look above: what is appended from now on starts anew. */
    this.#writing = undefined;
  }

  async #writeOnce(): Promise<void> {
    const compacting = this.#compactions.length > 0;
    const batch = compacting ? this.#waiting.splice(0) : this.#nextBatch();
    const settled = [...batch, ...this.#compactions];
    this.#compactions = [];
    try {
      if (compacting) await this.#rewrite();
      else await this.#storage.append(fileName(this.#generation), join(batch.flatMap((one) => one.bytes)));
      for (const one of settled) one.resolve();
    } catch (thrown) {
      /* The file's end is unknown now: nothing more is written; the next start cuts the tail. */
      this.#broken = thrown;
      const failure = error('storage', thrown instanceof Error ? thrown.message : 'unknown');
      for (const one of [...settled, ...this.#waiting, ...this.#compactions]) one.reject(failure);
      this.#waiting = [];
      this.#compactions = [];
      this.onBroken(failure);
    }
  }

  /** What waits, as far as one write goes. */
  #nextBatch(): Waiting[] {
    let length = 0;
    const over = this.#waiting.findIndex(({ bytes }, index) => {
      for (const record of bytes) length += record.length;
      return length > TORN_MAX && index > 0;
    });
    return this.#waiting.splice(0, over < 0 ? this.#waiting.length : over);
  }

  /** The snapshot holds all events so far, those that wait for the disk included. */
  async #rewrite(): Promise<void> {
    const old = this.#generation;
    const generation = old + 1;
    const records: Uint8Array[] = [];
    for (const event of snapshot(this.state)) records.push(this.#seal(event, generation, records.length));
    /* From here on new events are sealed for the new file; they are written behind this rewrite. */
    this.#generation = generation;
    this.#gone = false;
    this.#records = records.length;
    this.#bytes = this.#compacted = records.reduce((sum, { length }) => sum + length, 0);
    await this.#storage.replace(fileName(generation), join(records));
    await this.#storage.replace(POINTER, utf8(String(generation)));
    if (old > 0) await this.#storage.remove(fileName(old));
  }
}
