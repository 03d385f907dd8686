/**
 * What a text takes on a terminal. Terminals differ in what they make of joined pictures, flags, marks and invisible
 * characters, so each cell is given only what all of them count alike; a row whose width we mistook would run into
 * the first column or into another pane.
 */
import { eastAsianWidth } from 'get-east-asian-width';
import { graphemeEnds, isSimple } from './graphemes.js';

/** What stands in one or two columns. */
export interface Cluster {
  readonly shown: string;
  /** Columns. */
  readonly width: 1 | 2;
  /**
   * Where its character stands in the text, in UTF-16 units. An Indic or Thai syllable can be one character in several
   * clusters, which all say the same.
   */
  readonly from: number;
  readonly to: number;
}

/** Instead of what can't be shown. */
const REPLACEMENT = '\ufffd';
const DOTTED_CIRCLE = '\u25cc';
/* More are no script, but a way to paint over other lines. */
const MARKS_MAX = 4;
/* UTF-16 units of one character that are looked at; reordering marks (NFC) takes time by their number squared. */
const LOOKED_AT = 64;

const regional = /^[\u{1f1e6}-\u{1f1ff}]/u;
const picture = /^\p{Extended_Pictographic}/u;
const invisible = /^[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Emoji_Modifier}\u20e3]/u;
const mark = /^[\p{Mn}\p{Me}]/u;
/* Vowels and final consonants of Hangul, which take no column behind a first consonant. */
const jamo = /^[\u1160-\u11ff\ud7b0-\ud7ff]/;
const spacingMark = /^\p{Mc}/u;
/*
 * Control characters, line separators, lone surrogates; what is not assigned, as tables of any age differ on it; numbers in
 * black squares, which some take for wide.
 */
const unshowable = /^[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u3248-\u324f]/u;

/** The clusters of one line, in order; together they cover it. A control character is one too, shown as U+FFFD. */
export function clusters(text: string): Cluster[] {
  const found: Cluster[] = [];
  let from = 0;
  for (const to of graphemeEnds(text)) {
    const unit = text.charCodeAt(from);
    if (to === from + 1 && isSimple(unit)) found.push({ shown: text.charAt(from), width: simpleWidth(unit), from, to });
    else for (const { shown, width } of cellsOf(text.slice(from, to))) found.push({ shown, width, from, to });
    from = to;
  }
  return found;
}

/** Columns that a line takes as `clusters` shows it. */
export function widthOf(text: string): number {
  let columns = 0;
  let from = 0;
  for (const to of graphemeEnds(text)) {
    const unit = text.charCodeAt(from);
    if (to === from + 1 && isSimple(unit)) columns += simpleWidth(unit);
    else for (const { width } of cellsOf(text.slice(from, to))) columns += width;
    from = to;
  }
  return columns;
}

/** A line as it is put on a terminal. */
export function shownText(cells: readonly Cluster[]): string {
  let text = '';
  for (const { shown } of cells) text += shown;
  return text;
}

function simpleWidth(unit: number): 1 | 2 {
  return unit < 0x3001 ? 1 : 2;
}

interface Cell {
  readonly shown: string;
  readonly width: 1 | 2;
}

const twoLetters = ([first, second]: readonly string[]): Cell =>
  second === undefined ? { shown: letter(first), width: 1 } : { shown: letter(first) + letter(second), width: 2 };

/** Of a regional indicator. */
function letter(indicator = ''): string {
  return String.fromCharCode((indicator.codePointAt(0) ?? 0) - 0x1f1e6 + 0x41);
}

/** One character, as cells. */
function cellsOf(character: string): readonly Cell[] {
  if (regional.test(character)) return [twoLetters([...character].filter((one) => regional.test(one)))];
  if (picture.test(character) && !unshowable.test(character))
    return [one(String.fromCodePoint(character.codePointAt(0) ?? 0))];
  return syllable(character.slice(0, LOOKED_AT).normalize('NFC'));
}

function one(point: string): Cell {
  if (regional.test(point)) return twoLetters([point]);
  return { shown: point, width: eastAsianWidth(point.codePointAt(0) ?? 0) };
}

/** Letters with their marks: a cell begins at each one that takes a column, except one spacing mark. */
function syllable(character: string): Cell[] {
  const cells: Cell[] = [];
  let cell: Cell | undefined;
  let marks = 0;
  const begin = (next: Cell): void => {
    if (cell) cells.push(cell);
    cell = next;
    marks = picture.test(next.shown) ? MARKS_MAX : 0; // a picture takes none
  };
  for (const point of character) {
    if (invisible.test(point)) {
      if (!cell) begin({ shown: REPLACEMENT, width: 1 });
    } else if (unshowable.test(point)) begin({ shown: REPLACEMENT, width: 1 });
    else if (mark.test(point) || jamo.test(point)) {
      /* A jamo joins with Hangul alone: behind an invisible prefix it has none before it. */
      if (jamo.test(point) && cell?.width !== 2) begin({ shown: REPLACEMENT, width: 1 });
      else if (!cell) begin({ shown: DOTTED_CIRCLE + point, width: 1 });
      else if (++marks <= MARKS_MAX) cell = { shown: cell.shown + point, width: cell.width };
    } else if (!spacingMark.test(point)) begin(one(point));
    else if (!cell) begin({ shown: REPLACEMENT, width: 1 });
    else if (marks >= MARKS_MAX) continue;
    else if (one(point).width === 2)
      begin({ shown: REPLACEMENT, width: 1 }); // terminals differ on it
    else if (cell.width === 1) cell = { shown: cell.shown + point, width: 2 };
    else begin(one(point));
  }
  if (cell) cells.push(cell);
  return cells;
}
