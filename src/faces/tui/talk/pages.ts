/** Pages of what is kept, read into conversations. */
import type { Client } from '../../../client/index.js';
import type { Conversation } from './conversation.js';
import type { Shown } from './scrollback.js';

/** Stands before none. */
const END = Number.MAX_SAFE_INTEGER;
/** Pages that are read to find the first of what is unread. */
const PAGES_MAX = 8;

export class Pages {
  readonly #client: Client;
  readonly #changed: () => void;
  readonly #loading = new Map<Conversation, Promise<void>>();

  /** @param changed something that is shown is other than before */
  constructor(client: Client, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  isLoading(one: Conversation): boolean {
    return this.#loading.has(one);
  }

  /** The newest page, and so many before it that the first of what is unread is among them. @throws ClientError */
  load(one: Conversation): Promise<void> {
    if (one.loaded) return Promise.resolve();
    const under = this.#loading.get(one) ?? this.#load(one).finally(() => this.#loading.delete(one));
    this.#loading.set(one, under);
    return under;
  }

  async #load(one: Conversation): Promise<void> {
    const { rows, more } = await this.#client.call('page', { name: one.key, before: END });
    /* Said before anything was here: its place is behind all of it. */
    const said = one.scroll.rows.filter((row) => row.type === 'local');
    for (const { key } of said) one.scroll.remove(key);
    one.scroll.restart(rows, more);
    for (const { text, at, warns } of said) one.scroll.say(text, at, warns);
    for (let pages = 1; pages < PAGES_MAX && unreadOf(one).length < one.unread && one.scroll.older; pages++)
      await this.older(one);
    one.loaded = true;
    this.#changed();
  }

  /** @throws ClientError */
  async older(one: Conversation): Promise<void> {
    const before = firstOf(one);
    const { rows, more } = await this.#client.call('page', { name: one.key, before });
    /* Meanwhile somebody went to the end: it does not belong before what is there now. */
    if (firstOf(one) !== before) return;
    one.scroll.prepend(rows, more);
    this.#changed();
  }

  /** Back to the newest rows, where they were let go. @throws ClientError */
  async toEnd(one: Conversation): Promise<void> {
    const { rows, more } = await this.#client.call('page', { name: one.key, before: END });
    one.scroll.restart(rows, more);
    this.#changed();
  }
}

/** The order of the oldest row that is here. */
function firstOf(one: Conversation): number {
  return one.scroll.rows.find((row) => row.type !== 'local')?.order ?? END;
}

/** Rows that were not read, oldest first. */
export function unreadOf(one: Conversation): Extract<Shown, { type: 'message' | 'notice' }>[] {
  return one.scroll.rows.filter(
    (row): row is Extract<Shown, { type: 'message' | 'notice' }> =>
      (row.type === 'message' || row.type === 'notice') && row.read === undefined,
  );
}
