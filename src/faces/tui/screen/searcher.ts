/** Looks for a text in what was said, from the end towards the beginning, as far back as it is kept. */
import type { Conversation } from '../talk/conversation.js';
import type { Shown } from '../talk/scrollback.js';
import type { Talk } from '../talk/talk.js';

/** Older pages that one search reads at most. */
const PAGES_MAX = 64;

export class Searcher {
  /** in lower case; empty: nothing is searched for */
  pattern = '';
  #before = Infinity;

  end(): void {
    this.pattern = '';
    this.#before = Infinity;
  }

  /** The newest row that holds it, or the next older one where it is the same again or empty. @throws ClientError */
  async next(talk: Talk, one: Conversation, typed: string): Promise<Shown | undefined> {
    const wanted = typed.toLowerCase();
    if (wanted !== '' && wanted !== this.pattern) {
      this.pattern = wanted;
      this.#before = Infinity;
    }
    if (this.pattern === '') return undefined;
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const found = this.#find(one);
      if (found) {
        this.#before = found.order;
        return found;
      }
      if (!one.scroll.older) return undefined;
      await talk.older(one);
    }
    return undefined;
  }

  #find(one: Conversation): Shown | undefined {
    const { rows } = one.scroll;
    for (let at = rows.length - 1; at >= 0; at--) {
      const row = rows[at];
      if (!row || row.order >= this.#before) continue;
      if ((row.type === 'message' || row.type === 'out') && row.text.toLowerCase().includes(this.pattern)) return row;
    }
    return undefined;
  }
}
