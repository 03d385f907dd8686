/** What waits for one user, in use. Payloads that the queue's file holds stay there until they are asked for. */
import type { Enqueued, QueueEntry, Reply, StoreLimits } from '../store.js';
import type { Changes } from './changes.js';
import { keep, parseMail, type Kept, type MailState } from './mail.js';
import type { Item } from './ordered.js';
import type { Part } from './pool.js';
import { recordBytes } from './record-file.js';
import { idBytes, IDS_PER_RECORD, latin1, readQueued, readQueuedHead, removedRecord } from './records.js';

/** Checkpoints that may come in between while a page is read. */
const MAX_TRIES = 5;

type Page = readonly Item<Kept>[];

export type QueueLimits = Pick<StoreLimits, 'maxQueueEntries' | 'maxQueueBytes'>;

/** What a part of a user rests on. */
export interface MailHost {
  readonly changes: Changes;
  readonly limits: () => QueueLimits;
  /** ms since 1970 */
  readonly now: () => number;
  /** The queue as its file has it now, with the payloads of the wanted ids. */
  readonly reread: (
    wanted: ReadonlySet<string>,
  ) => Promise<{ readonly state: MailState; readonly payloads: ReadonlyMap<string, Uint8Array> }>;
}

export class MailPart implements Part {
  readonly #uid: string;
  readonly #state: MailState;
  readonly #host: MailHost;
  readonly #changes: Changes;

  constructor(uid: string, state: MailState, host: MailHost) {
    this.#uid = uid;
    this.#state = state;
    this.#host = host;
    this.#changes = host.changes;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  /** Entries as they are now, durable or not. */
  get size(): number {
    return this.#state.entries.size;
  }

  /**
   * Takes its place in the order at once.
   * @param record made by queuedRecord
   */
  enqueue(record: Uint8Array): Promise<Enqueued> {
    const state = this.#state;
    state.expire(this.#host.now());
    const kept = keep(record);
    if (!kept) throw new RangeError('store: no such entry can be');
    const known = state.known(kept.replay);
    if (known) return (known.durable ?? this.#changes.settled()).then(() => 'known');
    if (state.entries.get(kept.id)) throw new RangeError('store: the id of an entry is in use');
    if (this.#isFull(kept)) return this.#full(record);
    state.add(kept);
    const undo = (): void => void state.drop(kept.id);
    kept.durable = this.#changes.append(record, undo, (segment, at) => {
      kept.source = segment;
      kept.at = at;
      kept.payload = undefined;
    });
    return kept.durable.then(() => {
      kept.durable = undefined;
      return 'queued';
    });
  }

  /** Refused for what is in the queue; if some of that is undone, it may not be. */
  async #full(record: Uint8Array): Promise<Enqueued> {
    return (await this.#changes.settled()) ? 'full' : this.enqueue(record);
  }

  /** All of it, or the half that one cause may have; its first entry takes what place there is. */
  #isFull({ replay, length }: Kept): boolean {
    const { maxQueueEntries: entries, maxQueueBytes: bytes } = this.#host.limits();
    const more = recordBytes(length);
    if (this.#state.entries.size >= entries || this.#state.queuedBytes + more > bytes) return true;
    const share = this.#state.share(replay);
    return share.entries > 0 && (share.entries + 1 > entries / 2 || share.bytes + more > bytes / 2);
  }

  async queued(after: Uint8Array | undefined, limit: number): Promise<readonly QueueEntry[]> {
    const { entries } = this.#state;
    const key = after && latin1(after);
    const first = await this.#changes.read(() => {
      this.#state.expire(this.#host.now());
      const place = key === undefined ? -1 : entries.place(key);
      return place === undefined ? [] : entries.page(place, limit);
    });
    return this.#read(first, (behind) => this.#changes.read(() => entries.page(behind, limit)));
  }

  undelivered(limit: number, isFlying: (id: Uint8Array) => boolean): Promise<readonly QueueEntry[]> {
    this.#state.expire(this.#host.now());
    const isWanted = (id: string): boolean => !isFlying(idBytes(id));
    const page = (behind: number) => this.#state.entries.page(behind, limit, isWanted);
    return this.#read(page(-1), page);
  }

  /**
   * Since a checkpoint, payloads may be elsewhere: those of the journal in the queue's file, those of the
   * file in a newer one. What was acknowledged meanwhile may be nowhere; where that is all of the page, the
   * one behind it counts.
   */
  async #read(page: Page, nextPage: (behind: number) => Page | Promise<Page>): Promise<readonly QueueEntry[]> {
    const { entries } = this.#state;
    const found = new Map<string, Uint8Array>();
    let items = page;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const missing = items.filter(({ key }) => !found.has(key));
      const payloads = await readKept(missing.map(({ value }) => value));
      payloads?.forEach((payload, n) => found.set(missing[n]?.key ?? '', payload));
      if (payloads) return items.flatMap(({ key }) => found.get(key) ?? []).map(readQueued);
      await this.#relocate(missing, found);
      const last = items.at(-1)?.place ?? -1;
      items = items.filter((item) => found.has(item.key) || entries.has(item));
      if (items.length === 0) items = await nextPage(last);
    }
    throw new Error('store: the payloads of a queue are nowhere');
  }

  /** Finds the new places of all entries, and the payloads of the missing ones where they are in the file. */
  async #relocate(missing: readonly Item<Kept>[], found: Map<string, Uint8Array>): Promise<void> {
    const { state, payloads } = await this.#host.reread(new Set(missing.map(({ key }) => key)));
    for (const { key, value } of missing) {
      const payload = payloads.get(key);
      if (payload && readQueuedHead(payload)?.replay === value.replay) found.set(key, payload);
    }
    for (const kept of this.#state.entries.values()) {
      const now = state.entries.get(kept.id);
      const isSame = now?.replay === kept.replay && now.time === kept.time && now.length === kept.length;
      if (isSame && kept.payload === undefined) Object.assign(kept, { source: now.source, at: now.at });
    }
  }

  length(): Promise<number> {
    return this.#changes.read(() => {
      this.#state.expire(this.#host.now());
      return this.#state.entries.size;
    });
  }

  /** @param ids copies */
  async acknowledge(ids: readonly string[]): Promise<readonly Uint8Array[]> {
    this.#state.expire(this.#host.now());
    let removed = this.#remove(ids);
    // An earlier call may be removing these: if that is undone, they are this call's to remove.
    while (removed.items.length === 0 && !(await this.#changes.settled())) removed = this.#remove(ids);
    await Promise.all(removed.appended);
    return removed.items.map((item) => idBytes(item.key));
  }

  /** Gives how many entries it removed. */
  async dequeue(from: string): Promise<number> {
    const state = this.#state;
    state.expire(this.#host.now());
    let removed = this.#remove(state.idsFrom(from));
    while (removed.items.length === 0 && !(await this.#changes.settled())) removed = this.#remove(state.idsFrom(from));
    await Promise.all(removed.appended);
    return removed.items.length;
  }

  #remove(ids: readonly string[]): { items: Item<Kept>[]; appended: Promise<void>[] } {
    const items: Item<Kept>[] = [];
    for (const id of ids) {
      const item = this.#state.drop(id);
      if (item) items.push(item);
    }
    const appended: Promise<void>[] = [];
    for (let at = 0; at < items.length; at += IDS_PER_RECORD) {
      const some = items.slice(at, at + IDS_PER_RECORD);
      const record = removedRecord(
        this.#uid,
        some.map(({ key }) => key),
      );
      appended.push(
        this.#changes.append(record, () => {
          this.#state.restore(some);
        }),
      );
    }
    return { items, appended };
  }

  reply(frameId: Uint8Array): Promise<Reply | undefined> {
    const key = latin1(frameId);
    return this.#changes.read(() => this.#state.reply(key, this.#host.now()));
  }

  /** @param record made by replyRecord */
  keepReply(record: Uint8Array): Promise<void> {
    const change = parseMail(record);
    if (change?.kind !== 'reply') throw new RangeError('store: no such answer can be');
    const { kept } = change;
    const gone = this.#state.keep(kept);
    return this.#changes.append(record, () => {
      this.#state.replies.remove(latin1(kept.reply.frameId));
      this.#state.replies.restore(gone);
    });
  }
}

/** The payloads, with one read for neighbours; undefined where a source is gone. */
async function readKept(page: readonly Kept[]): Promise<Uint8Array[] | undefined> {
  /* As they are now: another read may find new places for them while this one waits for the disk. */
  const items = page.map(({ id, source, payload, at, length }) => ({ id, source, payload, at, length }));
  const out: Uint8Array[] = [];
  for (let at = 0; at < items.length;) {
    const { source, payload } = items[at] ?? { source: undefined, payload: undefined };
    let end = at + 1;
    if (payload) out.push(payload);
    else {
      while (end < items.length && items[end]?.source === source && !items[end]?.payload) end++;
      const read = await source?.read(items.slice(at, end));
      if (!read) return undefined;
      out.push(...read);
    }
    at = end;
  }
  return out.every((payload, n) => readQueuedHead(payload)?.id === items[n]?.id) ? out : undefined;
}
