/** What waits for one user and what was answered to them: the state that the records of a queue lead to. */
import { ID } from '../../../protocol/index.js';
import { MAX_REPLY_AGE_MS, MAX_UNREAD_MS, type Reply } from '../store.js';
import { Ordered, type Item } from './ordered.js';
import { recordBytes } from './record-file.js';
import { Kind, latin1, readQueuedHead, readRemoved, readReply, REPLAY_FROM, type QueuedHead } from './records.js';

const MAX_REPLIES = 1024;
/** What an answer, and what an entry besides its payload, take in memory, about. */
const MEMORY = 400;

/** Where payloads are on the disk. */
export interface Source {
  /** undefined: it is gone, and what it held is in the queue's file */
  read(places: readonly { readonly at: number; readonly length: number }[]): Promise<Uint8Array[] | undefined>;
}

/** An entry of a queue. */
export interface Kept extends QueuedHead {
  readonly length: number;
  /** in memory until it is durable */
  payload: Uint8Array | undefined;
  source: Source | undefined;
  /** in the source */
  at: number;
  /** until the entry is durable: resolves when it is */
  durable?: Promise<void> | undefined;
}

export interface KeptReply {
  readonly reply: Reply;
  readonly payload: Uint8Array;
}

export type MailChange =
  | { readonly kind: 'queued'; readonly kept: Kept }
  | { readonly kind: 'removed'; readonly ids: readonly string[] }
  | { readonly kind: 'reply'; readonly kept: KeptReply };

/** An entry whose payload is in memory. */
export function keep(payload: Uint8Array): Kept | undefined {
  const head = readQueuedHead(payload);
  if (!head) return undefined;
  const { id, replay, time } = head;
  return { id, replay, time, length: payload.length, payload, source: undefined, at: 0, durable: undefined };
}

/** @param source where the payload is, at `at`, if it need not stay in memory */
export function parseMail(payload: Uint8Array, source?: Source, at = 0): MailChange | undefined {
  switch (payload[0]) {
    case Kind.queued: {
      const kept = keep(payload);
      if (kept && source) Object.assign(kept, { payload: undefined, source, at });
      return kept && { kind: 'queued', kept };
    }
    case Kind.removed: {
      const ids = readRemoved(payload);
      return ids && { kind: 'removed', ids };
    }
    case Kind.reply: {
      const reply = readReply(payload);
      return reply && { kind: 'reply', kept: { reply, payload: new Uint8Array(payload) } };
    }
    default:
      return undefined;
  }
}

/** What one user, or one room, caused of a queue. */
interface Share {
  entries: number;
  /** as records */
  bytes: number;
}

const noShare: Readonly<Share> = { entries: 0, bytes: 0 };

/** `from`, as it stands in what tells a replay. */
function causeOf(replay: string): string {
  return replay.slice(REPLAY_FROM, REPLAY_FROM + ID);
}

export class MailState {
  readonly entries = new Ordered<Kept>();
  readonly replies = new Ordered<KeptReply>();
  readonly #replays = new Map<string, Kept>();
  /** ms since 1970: no entry is older */
  #oldest = Infinity;
  /** bytes of the entries as records */
  queuedBytes = 0;
  /** What each cause has of it. */
  readonly #shares = new Map<string, Share>();

  apply(change: MailChange): void {
    if (change.kind === 'queued') {
      if (!this.entries.get(change.kept.id)) this.add(change.kept);
    } else if (change.kind === 'removed') for (const id of change.ids) this.drop(id);
    else this.keep(change.kept);
  }

  /** Ids of all that this one caused, in order. */
  idsFrom(from: string): string[] {
    return this.entries.values().flatMap(({ id, replay }) => (replay.startsWith(from, REPLAY_FROM) ? [id] : []));
  }

  known(replay: string): Kept | undefined {
    return this.#replays.get(replay);
  }

  add(kept: Kept): void {
    this.entries.add(kept.id, kept);
    this.#count(kept, 1);
  }

  drop(id: string): Item<Kept> | undefined {
    const item = this.entries.remove(id);
    if (item) this.#count(item.value, -1);
    return item;
  }

  restore(items: readonly Item<Kept>[]): void {
    this.entries.restore(items);
    for (const { value } of items) this.#count(value, 1);
  }

  #count(kept: Kept, sign: 1 | -1): void {
    if (sign > 0) {
      this.#replays.set(kept.replay, kept);
      this.#oldest = Math.min(this.#oldest, kept.time);
    } else if (this.#replays.get(kept.replay) === kept) this.#replays.delete(kept.replay);
    const bytes = sign * recordBytes(kept.length);
    this.queuedBytes += bytes;
    const from = causeOf(kept.replay);
    const share = this.#shares.get(from) ?? { ...noShare };
    share.entries += sign;
    share.bytes += bytes;
    if (share.entries > 0) this.#shares.set(from, share);
    else this.#shares.delete(from);
  }

  /** What the cause of an entry has of the queue. */
  share(replay: string): Readonly<Share> {
    return this.#shares.get(causeOf(replay)) ?? noShare;
  }

  /** Drops what has waited too long; looks through all only where something may have. */
  expire(now: number): void {
    const before = now - MAX_UNREAD_MS;
    if (this.#oldest >= before) return;
    this.#oldest = Infinity;
    for (const { id, time } of this.entries.values()) {
      if (time < before) this.drop(id);
      else this.#oldest = Math.min(this.#oldest, time);
    }
  }

  /** Returns what went for it. */
  keep(kept: KeptReply): Item<KeptReply>[] {
    const key = latin1(kept.reply.frameId);
    const before = this.replies.remove(key);
    const gone = before ? [before] : [];
    this.replies.add(key, kept);
    while (this.replies.size > MAX_REPLIES) {
      const first = this.replies.first();
      const item = first && this.replies.remove(first.key);
      if (item) gone.push(item);
    }
    return gone;
  }

  reply(frameId: string, now: number): Reply | undefined {
    const kept = this.replies.get(frameId);
    return kept && !isOld(kept, now) ? kept.reply : undefined;
  }

  forgetReplies(now: number): void {
    for (let first = this.replies.first(); first && isOld(first.value, now); first = this.replies.first()) {
      this.replies.remove(first.key);
    }
  }

  /** bytes of memory, about */
  get bytes(): number {
    return MEMORY * (this.entries.size + this.replies.size);
  }
}

/** The records that amount to all this, where the payloads are in memory. */
export function mailRecords({ entries, replies }: MailState): Uint8Array[] {
  const queued = entries.values().flatMap(({ payload }) => (payload ? [payload] : []));
  return [...queued, ...replies.values().map(({ payload }) => payload)];
}

function isOld({ reply }: KeptReply, now: number): boolean {
  return reply.time < now - MAX_REPLY_AGE_MS;
}
