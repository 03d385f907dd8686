/** Where the characters that people see end in a text. Any string will do, lone surrogates too. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/* The segmenter copies its whole text for each step (V8): 1 MiB of pictures in one piece would take minutes. */
const PIECE = 256;

/**
 * UTF-16 units of which each is a character of its own beside others of these, takes a place on a terminal and is
 * assigned: most letters that people write, without what joins (marks, pictures), and line breaks.
 */
export function isSimple(unit: number): boolean {
  if (unit < 0x7f) return unit >= 0x20;
  if (unit < 0x300) return unit > 0xa0 && unit !== 0xad && unit !== 0xa9 && unit !== 0xae;
  if (unit < 0x530) return unit >= 0x38e && unit !== 0x3a2 && (unit < 0x483 || unit > 0x489); // Greek, Cyrillic
  if (unit < 0x2010) return (unit >= 0x5d0 && unit <= 0x5ea) || (unit >= 0x620 && unit <= 0x64a); // Hebrew, Arabic
  if (unit < 0x3001) return unit < 0x2028; // dashes and quotation marks
  if (unit < 0x4e00) return isSimpleAsian(unit);
  return unit <= 0x9fff || (unit >= 0xac00 && unit <= 0xd7a3) || (unit >= 0xff01 && unit <= 0xff60); // Han, Hangul
}

/** Punctuation, hiragana, katakana. */
function isSimpleAsian(unit: number): boolean {
  return unit <= 0x3020 || (unit >= 0x3041 && unit <= 0x3096) || (unit >= 0x30a1 && unit <= 0x30fa);
}

/** A line break too, unless it is half of one; as the other half is not simple, the segmenter sees both. */
function standsAlone(unit: number): boolean {
  return unit === 0x0a || isSimple(unit);
}

/** @returns UTF-16 offsets, ascending, each behind a character; the last is the text's length */
export function graphemeEnds(text: string): number[] {
  const ends: number[] = [];
  const length = text.length;
  let at = 0;
  let alone = standsAlone(text.charCodeAt(0));
  while (at < length) {
    const from = at++;
    let next = standsAlone(text.charCodeAt(at));
    /* One that stands alone ends where another follows, and only then: a mark may come. */
    if (alone && (next || at === length)) ends.push(at);
    else {
      while (at < length && !(alone && next)) {
        alone = next;
        next = standsAlone(text.charCodeAt(++at));
      }
      segment(text, from, at, ends);
    }
    alone = next;
  }
  return ends;
}

/** By pieces that each begin where a character does: all that the rules look back at is within the character. */
function segment(text: string, from: number, to: number, ends: number[]): void {
  let start = from;
  let size = PIECE;
  while (start < to) {
    const end = Math.min(start + size, to);
    let last = start;
    for (const { index } of segmenter.segment(text.slice(start, end))) {
      if (index === 0) continue;
      last = start + index;
      ends.push(last);
    }
    if (end === to) {
      ends.push(to);
      return;
    }
    /* What the piece ends with may go on behind it. */
    size = last === start ? size * 2 : PIECE;
    start = last;
  }
}
