/** The answers kept for one user: a log, and the newest of them in memory. */
import { ID, codes, hex, readUint, writeUint, type Code } from '../../../protocol/index.js';
import { StoreRefusal, type Reply } from '../store.js';
import { AppendLog, recordBytes } from './append-log.js';
import { copyOf } from './copy.js';
import type { Disk } from './disk.js';
import { Ordered, type Item } from './ordered.js';

const AT_OPCODE = ID;
const AT_CODE = AT_OPCODE + 4;
const AT_TIME = AT_CODE + 2;
const RECORD = AT_TIME + 8;

const MAX_REPLIES = 1024;
const MAX_REPLY_AGE_MS = 21 * 24 * 3600_000;
/** What an answer takes in memory, about. */
const MEMORY = 400;

/** The record of an answer: a copy of all its bytes. */
export function replyRecord(reply: Reply): Uint8Array {
  if (reply.frameId.length !== ID) throw new RangeError('replies: a frame id is not 16 bytes');
  const out = new Uint8Array(RECORD);
  out.set(reply.frameId);
  writeUint(out, AT_OPCODE, 4, reply.opcode);
  writeUint(out, AT_CODE, 2, reply.code);
  writeUint(out, AT_TIME, 8, reply.time);
  return out;
}

function readReply(record: Uint8Array): Reply {
  return {
    frameId: record.subarray(0, ID),
    opcode: readUint(record, AT_OPCODE, 4),
    code: readUint(record, AT_CODE, 2) as Code,
    time: readUint(record, AT_TIME, 8),
  };
}

export class Replies {
  readonly #now: () => number;
  readonly #records = new Ordered<Uint8Array>();
  #log!: AppendLog;

  private constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws StoreRefusal where the file is damaged */
  static async open(path: string, disk: Disk, now: () => number): Promise<Replies> {
    const replies = new Replies(now);
    replies.#log = await AppendLog.open(path, disk, (payload) => {
      if (payload.length !== RECORD || !codes.has(readUint(payload, AT_CODE, 2))) {
        throw new StoreRefusal(`${path} holds an unknown record: restore it from a backup`);
      }
      replies.#add(copyOf(payload));
    });
    return replies;
  }

  /** Returns what went for it. */
  #add(record: Uint8Array): Item<Uint8Array>[] {
    const gone: Item<Uint8Array>[] = [];
    const take = (key: string): void => {
      const item = this.#records.remove(key);
      if (item) gone.push(item);
    };
    const key = hex(record.subarray(0, ID));
    take(key);
    this.#records.add(key, record);
    for (let first = this.#records.first(); first; first = this.#records.first()) {
      if (this.#records.size <= MAX_REPLIES && !this.#old(first.value)) break;
      take(first.key);
    }
    return gone.filter((item) => item.value !== record); // one that came too old is not put back
  }

  #old(record: Uint8Array): boolean {
    return readUint(record, AT_TIME, 8) < this.#now() - MAX_REPLY_AGE_MS;
  }

  get bytes(): number {
    return this.#records.size * MEMORY;
  }

  reply(frameId: Uint8Array): Promise<Reply | undefined> {
    const key = hex(frameId);
    return this.#log.read(() => {
      const record = this.#records.get(key);
      return record && !this.#old(record) ? readReply(record) : undefined;
    });
  }

  /** @param record made by replyRecord */
  async keep(record: Uint8Array): Promise<void> {
    const gone = this.#add(record);
    const appended = this.#log.append(record, () => {
      this.#records.remove(hex(record.subarray(0, ID)));
      this.#records.restore(gone);
    });
    this.#log.tidy(this.#records.size * recordBytes(record), () => this.#records.values());
    await appended;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
