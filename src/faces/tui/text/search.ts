import { graphemeEnds } from '../../../plain/graphemes.js';

/** UTF-16 units of what is looked for. */
const PATTERN_MAX = 200;

/** Looks for a text in the history, while it is typed. Capitals and small letters are the same to it. */
export class HistorySearch {
  readonly #texts: readonly string[];
  #pattern = '';
  #at: number | undefined;
  #found = true;

  /** @param texts oldest first */
  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  get pattern(): string {
    return this.#pattern;
  }

  /** Whether what is shown has the pattern; else it is what was found last. */
  get found(): boolean {
    return this.#found;
  }

  /** What was found last: which of the texts, and where the pattern begins in it, in UTF-16 units. */
  get match(): { readonly at: number; readonly text: string; readonly offset: number } | undefined {
    const at = this.#at;
    const text = at === undefined ? undefined : this.#texts[at];
    if (at === undefined || text === undefined) return undefined;
    return { at, text, offset: Math.min(Math.max(this.#where(text), 0), text.length) };
  }

  type(text: string): void {
    const pattern = this.#pattern + text.replaceAll('\n', ' ');
    if (pattern.length > PATTERN_MAX) return;
    this.#pattern = pattern;
    this.#look(this.#at ?? this.#newest, -1);
  }

  erase(): void {
    this.#pattern = this.#pattern.slice(0, graphemeEnds(this.#pattern).at(-2) ?? 0);
    this.#at = undefined;
    if (this.#pattern === '') this.#found = true;
    else this.#look(this.#newest, -1);
  }

  older(): void {
    if (this.#pattern !== '') this.#look((this.#at ?? this.#texts.length) - 1, -1);
  }

  newer(): void {
    if (this.#pattern !== '') this.#look((this.#at ?? this.#newest) + 1, 1);
  }

  #look(from: number, step: 1 | -1): void {
    const shown = this.#at === undefined ? undefined : this.#texts[this.#at];
    for (let index = from; ; index += step) {
      const text = this.#texts[index];
      if (text === undefined) break;
      /* Where it is the same text as before, nothing would be seen to happen. */
      if (this.#where(text) < 0 || (text === shown && index !== this.#at)) continue;
      this.#at = index;
      this.#found = true;
      return;
    }
    this.#found = false;
  }

  get #newest(): number {
    return this.#texts.length - 1;
  }

  #where(text: string): number {
    return text.toLowerCase().indexOf(this.#pattern.toLowerCase());
  }
}
