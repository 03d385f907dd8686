/** What a text takes on a terminal. */
import { test } from 'tap';
import { eastAsianWidth } from 'get-east-asian-width';
import { graphemeEnds, isSimple } from '../../src/plain/graphemes.js';
import { clusters, shownText, widthOf } from '../../src/plain/width.js';
import { Seeded } from '../vectors/seeded.js';
import { escaped, floods, hostileText, newSeed } from './hostile-text.js';

const seed = newSeed();
const shown = (text: string): string[] => clusters(text).map((cell) => `${cell.shown} ${cell.width}`);

test('each character is shown as all terminals count it', (t) => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    ab: ['a 1', 'b 1'],
    語: ['語 2'],
    'e\u0301': ['\u00e9 1'],
    'q\u0301': ['q\u0301 1'],
    '👩‍👩‍👧!': ['👩 2', '! 1'],
    '👍🏽': ['👍 2'],
    '🇫🇷': ['FR 2'],
    '🇫🇷🇩': ['FR 2', 'D 1'],
    '❤️': ['❤ 1'],
    '⌚︎': ['⌚ 2'],
    '1️⃣': ['1 1'],
    '#️⃣': ['# 1'],
    '\u1112\u1161\u11ab': ['한 2'],
    '\u1112': ['\u1112 2'],
    '\u1161': ['\ufffd 1'],
    '\u0301x': ['\u25cc\u0301 1', 'x 1'],
    '\u200dx': ['\ufffd 1', 'x 1'],
    'a\u200db': ['a 1', 'b 1'],
    '\u200b': ['\ufffd 1'],
    '🏽': ['\ufffd 1'],
    '\ud83d': ['\ufffd 1'],
    '\u0378': ['\ufffd 1'],
    '\u001b': ['\ufffd 1'],
    क्षि: ['क् 1', 'षि 2'],
    काः: ['का 2', 'ः 1'],
    กำ: ['ก 1', 'ำ 1'],
    '\u06005': ['\ufffd 1', '5 1'],
    '\u0600👍🏽\u0bbe': ['\ufffd 1', '👍 2'],
    [`👩${'\u0301'.repeat(300)}\u200d👩`]: ['👩 2'],
    ש: ['ש 1'],
    '\uff21\uff71': ['\uff21 2', '\uff71 1'],
    '…—·': ['… 1', '— 1', '· 1'],
    [`a${'\u0301\u0316'.repeat(50)}`]: ['\u00e1\u0316\u0316\u0316\u0316 1'],
  };
  for (const [text, cells] of Object.entries(cases)) t.same(shown(text), cells, escaped(text));
  t.end();
});

test('what is taken as simple is', (t) => {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const all = Array.from({ length: 0x10000 }, (_, unit) => unit).filter(isSimple);
  t.ok(all.length > 30_000);
  const text = String.fromCharCode(...all.filter((_, index) => index % 3 === 0));
  t.equal([...segmenter.segment(text)].length, text.length);
  const wrong = all.filter((unit) => {
    const character = String.fromCharCode(unit);
    const [cell, ...others] = clusters(character);
    const odd = /[\p{C}\p{M}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Extended_Pictographic}]/u.test(character);
    return odd || others.length > 0 || cell?.shown !== character || cell.width !== eastAsianWidth(unit);
  });
  t.same(wrong, []);
  t.end();
});

test(`clusters cover their text, none is empty or wide beyond two (SEED=${seed})`, (t) => {
  const random = new Seeded(seed);
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  let wrong: string | undefined;
  for (let round = 0; round < 3_000 && wrong === undefined; round++) {
    const text = hostileText(random, 12);
    const ends = [...segmenter.segment(text)].map(({ index, segment }) => index + segment.length);
    const cells = clusters(text);
    let at = 0;
    let good = cells.length > 0 || text === '';
    for (const cell of cells) {
      good &&= cell.from === at || (cell.to === at && cell.from < at);
      good &&=
        cell.width <= 2 && cell.shown !== '' && !/\p{Default_Ignorable_Code_Point}|\p{Cc}|\p{Cs}/u.test(cell.shown);
      good &&= [...cell.shown].length <= 6;
      at = cell.to;
    }
    const same = JSON.stringify(graphemeEnds(text)) === JSON.stringify(ends);
    /* What is put on a row counts there as it counted here, whatever stands beside it. */
    good &&= widthOf(text) === sum(cells) && widthOf(shownText(cells)) === sum(cells);
    if (!same || !good || at !== text.length) wrong = escaped({ text, ends, cells });
  }
  t.equal(wrong, undefined);
  t.end();
});

function sum(cells: readonly { width: number }[]): number {
  return cells.reduce((columns, { width }) => columns + width, 0);
}

test('characters end where the segmenter says, across its pieces too', (t) => {
  const random = new Seeded(seed);
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (let round = 0; round < 20; round++) {
    const text = hostileText(random, 900);
    const ends = [...segmenter.segment(text)].map(({ index, segment }) => index + segment.length);
    t.equal(escaped(graphemeEnds(text)), escaped(ends), escaped(text));
  }
  for (const [name, text] of Object.entries(floods)) {
    const began = performance.now();
    const cells = clusters(text);
    const took = performance.now() - began;
    t.equal(cells.at(-1)?.to, text.length, name);
    t.ok(took < 5_000, `${name}: ${took.toFixed(0)} ms`);
    t.ok(shownText(cells.slice(0, 5)).length < 60, name);
  }
  t.equal(clusters(floods['zalgo'] ?? '').length, 1);
  t.equal(widthOf(floods['flags in an odd number'] ?? ''), (1 << 16) + 1);
  t.end();
});

test('what terminals take for wider than others is shown by none', (t) => {
  const odd = ['\u3248', '\u324f', 'a\u302e', 'a\u302f', 'a\u{16ff0}', '\u3248\u302e'];
  for (const text of odd) {
    const cells = clusters(text.repeat(20));
    t.ok(
      cells.every(
        ({ shown }) => ![...shown].some((point) => odd.join('').replace('a', '').includes(point) && point !== 'a'),
      ),
      escaped(text),
    );
  }
  t.equal(clusters('का').length, 1, 'a vowel that takes a column of its own stays with its letter');
  t.end();
});
