/** Texts as rows of a terminal. */
import { test } from 'tap';
import { shownText, widthOf } from '../../src/plain/width.js';
import { wrapText } from '../../src/plain/wrap.js';
import { Seeded } from '../vectors/seeded.js';
import { escaped, floods, hostileText, newSeed } from './hostile-text.js';

const seed = newSeed();
const rows = (...args: Parameters<typeof wrapText>): string[] =>
  wrapText(...args).map((row) => shownText(row.clusters));

test('rows break after a space where there is one', (t) => {
  t.same(rows('one two three', 8), ['one two', 'three']);
  t.same(rows('one two three', 7), ['one two', 'three']);
  t.same(rows('abcdefgh ij', 5), ['abcde', 'fgh', 'ij']);
  t.same(rows('one   two', 4), ['one', 'two']);
  t.same(rows('one two three', 9, 4), ['one two', 'three']);
  t.same(rows('one two three', 9, 4, 6), ['one', 'two', 'three']);
  t.same(rows('three', 9, 2, 6), ['', 'three'], 'a word that fits in the next row goes there');
  t.same(rows('', 9), ['']);
  t.same(rows('a\n\nb', 9), ['a', '', 'b']);
  t.same(rows('語語語', 5), ['語語', '語']);
  t.same(rows('語語', 1), ['語', '語'], 'two columns are the least');
  t.same(rows('ab', 4, 9), ['ab']);
  t.same(rows('👩‍👩‍👧👩‍👩‍👧', 3), ['👩', '👩']);
  t.end();
});

test('offsets are those of the whole text', (t) => {
  const text = 'one 語\ntwo';
  for (const row of wrapText(text, 4))
    for (const cell of row.clusters) t.equal(text.slice(cell.from, cell.to), cell.shown);
  t.end();
});

test(`no row is too wide, and nothing but spaces is left out (SEED=${seed})`, (t) => {
  const random = new Seeded(seed);
  let wrong: string | undefined;
  for (let round = 0; round < 3_000 && wrong === undefined; round++) {
    const text = hostileText(random, 40).replaceAll('_', '\n');
    const [width, indent, head] = [2 + random.below(30), random.below(6), random.below(40)];
    const found = wrapText(text, width, indent, head);
    const tooWide = found.findIndex(({ clusters, width: used }, index) => {
      const wide = clusters.reduce((sum, cell) => sum + cell.width, 0);
      const first = head === 0 ? width : width - head;
      return used !== wide || wide > (index === 0 ? Math.max(first, 0) : Math.max(width - indent, 2));
    });
    const kept = found.map((row) => shownText(row.clusters)).join('');
    const whole = rows(text, 1 << 20).join('');
    const lost = kept.replaceAll(' ', '') !== whole.replaceAll(' ', '');
    if (tooWide >= 0 || lost) wrong = escaped({ text, width, indent, head, tooWide, found });
  }
  t.equal(wrong, undefined);
  t.end();
});

test('floods are wrapped too', (t) => {
  for (const [name, text] of Object.entries(floods)) {
    const found = wrapText(text, 80, 4, 10);
    t.ok(
      found.every((row) => row.width <= 76),
      name,
    );
    t.ok(widthOf(text) >= 1);
  }
  t.end();
});
