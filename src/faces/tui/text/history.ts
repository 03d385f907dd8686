/** What was sent from a line editor. Secrets are kept out of it by whoever adds. */

export const HISTORY_MAX = 500;

export class History {
  #entries: string[] = [];

  /** Oldest first. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  add(text: string): void {
    if (text === '' || text === this.#entries.at(-1)) return;
    this.#entries.push(text);
    if (this.#entries.length > HISTORY_MAX) this.#entries.shift();
  }
}

/** A walk through the history and back. Its texts are copies, so that what is edited and kept on the way is found again. */
export class HistoryWalk {
  readonly #texts: string[];
  #at: number;

  /** @param current what is being written; it is the newest */
  constructor(history: History, current: string) {
    this.#texts = [...history.entries, current];
    this.#at = this.#texts.length - 1;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }

  get at(): number {
    return this.#at;
  }

  /** What was being written when the walk began, where it stands elsewhere now. */
  get left(): string | undefined {
    return this.#at === this.#texts.length - 1 ? undefined : this.#texts.at(-1);
  }

  /** What the text has become where the walk stands. */
  keep(current: string): void {
    this.#texts[this.#at] = current;
  }

  /** @param to of `texts` */
  go(to: number): void {
    this.#at = to;
  }
}
