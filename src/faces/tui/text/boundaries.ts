import { graphemeEnds } from '../../../plain/graphemes.js';

/** What a word begins with, and each character in it. */
const WORD = /^[\p{L}\p{N}\p{M}_]/u;
/** All between spaces. */
export const SPACED = /^\S/u;

/** Where a cursor may stand in a text, in UTF-16 units: between the characters that people see. */
export class Boundaries {
  readonly #text: string;
  readonly #places: readonly number[];

  constructor(text: string) {
    this.#text = text;
    const places = graphemeEnds(text);
    places.unshift(0);
    this.#places = places;
  }

  /** The first place at or behind an offset. */
  atOrAfter(offset: number): number {
    return this.#places[this.#index(offset)] ?? this.#text.length;
  }

  before(offset: number): number {
    return this.#places[this.#index(offset) - 1] ?? 0;
  }

  after(offset: number): number {
    return this.#places[this.#index(offset + 1)] ?? this.#text.length;
  }

  /** Where the word before an offset begins, whatever stands between. */
  wordBefore(offset: number, word = WORD): number {
    return this.#back(this.#back(offset, word, false), word, true);
  }

  /** Where the word behind an offset ends, whatever stands between. */
  wordAfter(offset: number): number {
    return this.#on(this.wordStart(offset), true);
  }

  /** Where the word at or behind an offset begins. */
  wordStart(offset: number): number {
    return this.#on(offset, false);
  }

  /** Past characters before it that are of words, or are not. */
  #back(offset: number, word: RegExp, ofWord: boolean): number {
    let index = this.#index(offset);
    while (index > 0 && word.test(this.#character(index - 1)) === ofWord) index--;
    return this.#places[index] ?? 0;
  }

  #on(offset: number, ofWord: boolean): number {
    let index = this.#index(offset);
    while (index < this.#places.length - 1 && WORD.test(this.#character(index)) === ofWord) index++;
    return this.#places[index] ?? this.#text.length;
  }

  /** What the one behind a place begins with. */
  #character(index: number): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#places[index] ?? 0) ?? 0);
  }

  /** Of the first place at or behind an offset, found by halves. */
  #index(offset: number): number {
    let low = 0;
    let high = this.#places.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The line that an offset is in, without its line break. */
export function lineAt(text: string, offset: number): { readonly from: number; readonly to: number } {
  const to = text.indexOf('\n', offset);
  return { from: offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1, to: to < 0 ? text.length : to };
}
