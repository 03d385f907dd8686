import { utf8 } from '../../../../protocol/index.js';
import { Boundaries, lineAt } from './boundaries.js';

export interface Draft {
  readonly text: string;
  /** UTF-16 offset. */
  readonly cursor: number;
}

/** Steps of undo that are kept; the oldest are forgotten. */
const UNDO_MAX = 200;

/** A text within its limit, a cursor between its characters, and what both were before. */
export class TextBuffer {
  readonly #limit: number;
  #draft: Draft = { text: '', cursor: 0 };
  #places = new Boundaries('');
  readonly #undo: Draft[] = [];

  /** @param limit bytes of UTF-8 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get draft(): Draft {
    return this.#draft;
  }

  get text(): string {
    return this.#draft.text;
  }

  get cursor(): number {
    return this.#draft.cursor;
  }

  get places(): Boundaries {
    return this.#places;
  }

  /** Around the cursor, without its line break. */
  get line(): { readonly from: number; readonly to: number } {
    return lineAt(this.#draft.text, this.#draft.cursor);
  }

  /** @param cursor one of `places` */
  move(cursor: number): void {
    this.#draft = { text: this.#draft.text, cursor };
  }

  /**
   * Puts a text in the place of another, and the cursor behind it, or further where it joined with what stands there.
   * @param goesOn no step of undo of its own, but part of the last one
   * @returns false where it does not fit: nothing is changed then
   */
  splice(from: number, to: number, insert: string, goesOn = false): boolean {
    const { text } = this.#draft;
    const clean = cleaned(insert);
    const next = text.slice(0, from) + clean + text.slice(to);
    if (utf8(next).length > this.#limit) return false;
    if (!goesOn) this.#record();
    this.#put({ text: next, cursor: from + clean.length });
    return true;
  }

  /** @returns whether there was something to take back */
  undo(): boolean {
    const draft = this.#undo.pop();
    if (draft) this.#put(draft);
    return draft !== undefined;
  }

  forgetUndo(): void {
    this.#undo.length = 0;
  }

  #record(): void {
    this.#undo.push(this.#draft);
    if (this.#undo.length > UNDO_MAX) this.#undo.shift();
  }

  #put({ text, cursor }: Draft): void {
    if (text !== this.#draft.text) this.#places = new Boundaries(text);
    this.#draft = { text, cursor: this.#places.atOrAfter(cursor) };
  }
}

/** With line breaks of one kind, and in UTF-8 what it is here. */
export function cleaned(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\p{Cs}/gu, '\ufffd');
}
