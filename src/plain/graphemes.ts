/** Where the characters that people see end in a text. Any string will do, lone surrogates too. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/* The segmenter copies its whole text for each step (V8): 1 MiB of pictures in one piece would take minutes. */
const PIECE = 256;

/**
 * UTF-16 units of which each is a character of its own beside others of these: Latin, Greek, Cyrillic, kana, Han and
 * Hangul syllables, without what joins (marks, pictures) and without control characters.
 */
export function isSimple(unit: number): boolean {
  if (unit < 0x7f) return unit >= 0x20;
  if (unit < 0x300) return unit > 0xa0 && unit !== 0xad && unit !== 0xa9 && unit !== 0xae;
  if (unit < 0x530) return unit >= 0x38e && unit !== 0x3a2 && (unit < 0x483 || unit > 0x489);
  if (unit < 0x3041 || unit > 0xd7a3) return false;
  return unit <= 0x3096 || (unit >= 0x30a1 && unit <= 0x30fa) || (unit >= 0x4e00 && unit <= 0x9fff) || unit >= 0xac00;
}

/** @returns UTF-16 offsets, ascending, each behind a character; the last is the text's length */
export function graphemeEnds(text: string): number[] {
  const ends: number[] = [];
  const length = text.length;
  let at = 0;
  while (at < length) {
    /* A simple one ends where another follows, and only then: a mark may come. */
    if (isSimple(text.charCodeAt(at)) && (at + 1 === length || isSimple(text.charCodeAt(at + 1)))) {
      ends.push(++at);
      continue;
    }
    const from = at;
    at++;
    while (at < length && !(isSimple(text.charCodeAt(at - 1)) && isSimple(text.charCodeAt(at)))) at++;
    segment(text, from, at, ends);
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
