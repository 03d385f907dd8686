/** The line editor: readline's keys, and that no text is lost. */
import { test } from 'tap';
import { LineEditor, type Took } from '../../src/faces/tui/text/editor.js';
import { History, HISTORY_MAX } from '../../src/faces/tui/text/history.js';
import type { Key } from '../../src/faces/tui/text/key.js';
import { KeyDecoder } from '../../src/faces/tui/text/keys.js';
import { KillRing } from '../../src/faces/tui/text/kill-ring.js';
import { TEXT_MAX } from '../../protocol/index.js';
import { widthOf } from '../../src/plain/width.js';
import { Seeded } from '../vectors/seeded.js';
import { escaped, hostileText, newSeed } from './hostile-text.js';

const seed = newSeed();
const keysOf = (bytes: string): Key[] => {
  const decoder = new KeyDecoder();
  return [...decoder.feed(Buffer.from(bytes)), ...decoder.flush()];
};
const press = (editor: LineEditor, bytes: string): Took | undefined =>
  keysOf(bytes).reduce<Took | undefined>((_, key) => editor.take(key), undefined);

/** With a bar for the cursor. */
const seen = ({ text, cursor }: LineEditor): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

function typed(bytes: string, history = new History()): string {
  const editor = new LineEditor({ limit: TEXT_MAX, history });
  press(editor, bytes);
  return seen(editor);
}

const ESC = '\x1b';

test('moving', (t) => {
  t.equal(typed('ab\x01'), '|ab');
  t.equal(typed('ab\x01\x05'), 'ab|');
  t.equal(typed('ab\x02'), 'a|b');
  t.equal(typed('ab\x01\x06'), 'a|b');
  t.equal(typed('a👩‍👩‍👧\x02'), 'a|👩‍👩‍👧');
  t.equal(typed('🇫🇷🇩\x02\x02'), '|🇫🇷🇩');
  t.equal(typed(`one, two${ESC}b`), 'one, |two');
  t.equal(typed(`one, two${ESC}b${ESC}[1;5D`), '|one, two');
  t.equal(typed(`one, two\x01${ESC}f${ESC}f`), 'one, two|');
  t.equal(typed(`one, two\x01${ESC}[1;5C`), 'one|, two');
  t.equal(typed(`ab\ncd${ESC}[H`), 'ab\n|cd');
  t.equal(typed(`ab\ncd\x01\x02\x01`), '|ab\ncd');
  t.equal(typed(`abcd\ne\nfghi${ESC}[A`), 'abcd\ne|\nfghi');
  t.equal(typed(`abcd\ne\nfghi${ESC}[A${ESC}[A`), 'abcd|\ne\nfghi', 'the column is kept over a shorter line');
  t.equal(typed(`abcd\ne\nfghi${ESC}[A${ESC}[A${ESC}[B${ESC}[B`), 'abcd\ne\nfghi|');
  t.equal(typed(`語語\nabc${ESC}[A`), '語|語\nabc', 'columns, not characters');
  t.end();
});

test('erasing, killing, yanking', (t) => {
  t.equal(typed('abc\x7f'), 'ab|');
  t.equal(typed('ae\u0301\x08'), 'a|', 'a letter with its mark');
  t.equal(typed('abc\x01\x04'), '|bc');
  t.equal(typed('one two-three\x17'), 'one |');
  t.equal(typed('one two   \x17\x17'), '|');
  t.equal(typed('  \x17'), '|');
  t.equal(typed(`one two-three${ESC}\x7f`), 'one two-|');
  t.equal(typed(`one two\x01${ESC}d`), '| two');
  t.equal(typed('one two\x01\x0b'), '|');
  t.equal(typed('ab\ncd\x02\x15'), 'ab\n|d');
  t.equal(typed('ab\ncd\x01\x15'), 'ab|cd', 'at the start of a line its break');
  t.equal(typed('one two\x15\x19\x19'), 'one twoone two|');
  t.equal(typed('one two three\x17\x17\x19'), 'one two three|', 'kills that follow each other join');
  t.equal(typed(`one two\x01${ESC}d${ESC}d\x19`), 'one two|');
  t.equal(typed(`one\x15two\x15\x19${ESC}y`), 'one|');
  t.equal(typed(`one\x15two\x15\x19${ESC}y${ESC}y`), 'two|');
  t.equal(typed(`one\x15\x0btwo\x15\x19`), 'two|', 'a kill of nothing joins nothing');
  t.equal(typed(`one${ESC}y`), 'one|', 'only behind a yank');
  t.end();
});

test('changing', (t) => {
  t.equal(typed('ab\x14'), 'ba|');
  t.equal(typed('abc\x02\x14'), 'acb|');
  t.equal(typed('a\x14'), 'a|');
  t.equal(typed(`one two\x01${ESC}u`), 'ONE| two');
  t.equal(typed(`one two\x01${ESC}c${ESC}c`), 'One Two|');
  t.equal(typed(`ONE TWO\x01${ESC}f${ESC}l`), 'ONE two|');
  t.equal(typed(`straße\x01${ESC}u`), 'STRASSE|');
  t.equal(typed(`a${ESC}\rb\nc`), 'a\nb\nc|');
  t.equal(typed(`${ESC}[13;2u`), '\n|');
  t.equal(typed(`${ESC}[200~x\r\ny${ESC}[201~`), 'x\ny|');
  t.end();
});

test('undo', (t) => {
  const slowly = new LineEditor({ limit: 99 });
  for (const character of 'one two') press(slowly, character);
  press(slowly, '\x1f');
  t.equal(seen(slowly), 'one|', 'a word is a step');
  press(slowly, '\x1f');
  t.equal(seen(slowly), '|');
  t.equal(typed('one two\x1f'), '|', 'what came at once goes at once');
  t.equal(typed('one two\x7f\x7f\x1f'), 'one two|');
  t.equal(typed('one\x7f\x7f\x7f\x7f\x01\x04\x1f'), 'one|', 'erasing nothing is no step');
  const editor = new LineEditor({ limit: 9 });
  t.equal(press(editor, 'aaaaaaaaaa'), 'full');
  t.equal(editor.text, '');
  press(editor, 'b\x1f');
  t.equal(editor.text, '', 'what follows something that did not fit is a step');
  press(editor, 'text');
  editor.clear();
  t.equal(editor.text, '');
  press(editor, '\x1f');
  t.equal(editor.text, 'text');
  editor.clear();
  press(editor, '\x19');
  t.equal(editor.text, 'text');
  t.equal(editor.set('b'), 'changed');
  press(editor, '\x1f');
  t.equal(editor.text, 'b', 'another conversation gets nothing of this one by undo');
  t.end();
});

test('keys that are not the editor’s, and the limit', (t) => {
  const editor = new LineEditor({ limit: 6 });
  for (const bytes of ['\x04', '\t', ESC, '\x10', '\x0e', `${ESC}[5~`, `${ESC}[I`, `${ESC}1`])
    t.equal(press(editor, bytes), 'ignored', JSON.stringify(bytes));
  t.equal(press(editor, 'ab'), 'changed');
  t.equal(press(editor, '\x04'), 'moved', 'at the end of a text it is no end of file');
  t.equal(press(editor, '語語'), 'full');
  t.equal(press(editor, 'é語'), 'full');
  t.equal(press(editor, 'é'), 'changed');
  t.equal(press(editor, `${ESC}[200~abc${ESC}[201~`), 'full');
  t.equal(editor.set('1234567'), 'full');
  t.equal(editor.replace(0, 2, 'wxyz'), 'changed');
  t.equal(editor.replace(0, 0, 'v'), 'full');
  t.equal(seen(editor), 'wxyz|é');
  t.equal(press(editor, '\r'), 'submit');
  t.equal(editor.finish(), 'wxyzé');
  t.equal(editor.text, '');
  editor.set('a\ud800\r\n');
  t.equal(editor.text, 'a\ufffd\n');
  t.end();
});

function withHistory(...texts: string[]): History {
  const history = new History();
  for (const text of texts) history.add(text);
  return history;
}

const [UP, DOWN] = [`${ESC}[A`, `${ESC}[B`];

test('the history is walked, and what is being written comes back', (t) => {
  const history = (): History => withHistory('one', 'two', 'two', '', 'three');
  t.same(history().entries, ['one', 'two', 'three']);
  t.equal(typed(`new${UP}`, history()), 'three|');
  t.equal(typed(`new${UP}${UP}${UP}${UP}`, history()), 'one|');
  t.equal(typed(`new${UP}${UP}${DOWN}${DOWN}${DOWN}`, history()), 'new|');
  t.equal(typed(`new${UP}!${UP}${DOWN}`, history()), 'three!|', 'so does what was edited on the way');
  t.equal(typed(`new${UP}\x1f`, history()), 'new|');
  t.equal(typed(`a\nb${UP}${UP}`, history()), 'three|', 'from the first line');
  const editor = new LineEditor({ limit: 99, history: history() });
  press(editor, `draft${UP}`);
  t.equal(editor.finish(), 'three');
  press(editor, '\x19');
  t.equal(editor.text, 'draft', 'sending another text does not lose it');
  const secret = new LineEditor({ limit: 99 });
  press(secret, 'password');
  secret.finish(false);
  press(secret, UP);
  t.equal(secret.text, '');
  const long = withHistory(...Array.from({ length: HISTORY_MAX + 3 }, (_, i) => String(i)));
  t.equal(long.entries.length, HISTORY_MAX);
  t.equal(long.entries[0], '3');
  const narrow = new LineEditor({ limit: 4, history: history() });
  press(narrow, 'new');
  t.equal(press(narrow, UP), 'full', 'an entry of another editor may not fit');
  t.equal(narrow.text, 'new');
  t.end();
});

test('the history is searched while the pattern is typed', (t) => {
  const history = (): History => withHistory('ask bob', 'tell carol', 'ask Carol', 'bye');
  const editor = new LineEditor({ limit: 99, history: history() });
  press(editor, 'draft\x02\x12');
  t.same(editor.search, { pattern: '', found: true });
  t.equal(seen(editor), 'draf|t');
  press(editor, 'car');
  t.same(editor.search, { pattern: 'car', found: true });
  t.equal(seen(editor), 'ask |Carol');
  press(editor, '\x12');
  t.equal(seen(editor), 'tell |carol');
  press(editor, '\x12');
  t.same(editor.search, { pattern: 'car', found: false });
  t.equal(seen(editor), 'tell |carol', 'what was found last stays');
  press(editor, '\x13');
  t.equal(seen(editor), 'ask |Carol');
  press(editor, '\x7f\x7f\x7f');
  t.equal(seen(editor), 'draf|t');
  press(editor, `bob${ESC}`);
  t.equal(editor.search, undefined);
  t.equal(seen(editor), 'draf|t', 'Esc gives back what was there');
  press(editor, '\x12\x12');
  t.equal(seen(editor), 'ask |bob', 'again the pattern before');
  press(editor, '\x07');
  press(editor, '\x12tell\x05!');
  t.equal(seen(editor), 'tell carol!|', 'other keys take it and act');
  press(editor, '\x1f\x1f');
  t.equal(seen(editor), 'draf|t');
  t.equal(press(editor, '\x12bye\r'), 'submit');
  t.equal(editor.finish(), 'bye');
  press(editor, '\x19');
  t.equal(editor.text, 'draft');
  t.equal(typed('\x12x\x7f\x7f\x12\x13', history()), '|');
  t.equal(typed(`\x12carol${UP}`, history()), 'tell carol|', 'the walk goes on from there');
  t.end();
});

test('the window follows the cursor', (t) => {
  const editor = new LineEditor({ limit: TEXT_MAX });
  t.same(editor.view(10, 3), { rows: [''], cursorRow: 0, cursorColumn: 0 });
  press(editor, '語ab');
  t.same(editor.view(10, 3), { rows: ['語ab'], cursorRow: 0, cursorColumn: 4 });
  t.same(editor.view(4, 3), { rows: ['語ab', ''], cursorRow: 1, cursorColumn: 0 });
  t.same(editor.view(3, 3), { rows: ['語a', 'b'], cursorRow: 1, cursorColumn: 1 });
  t.same(editor.view(3, 1), { rows: ['b'], cursorRow: 0, cursorColumn: 1 });
  editor.set('1\n2\n3\n4\n5');
  t.same(editor.view(9, 3), { rows: ['3', '4', '5'], cursorRow: 2, cursorColumn: 1 });
  press(editor, UP);
  t.same(editor.view(9, 3), { rows: ['3', '4', '5'], cursorRow: 1, cursorColumn: 1 }, 'it stays where it can');
  press(editor, `${UP}${UP}`);
  t.same(editor.view(9, 3), { rows: ['2', '3', '4'], cursorRow: 0, cursorColumn: 1 });
  editor.set('a\u001b[31m\u202eb\t');
  t.same(editor.view(30, 3).rows, ['a[U+001B][31m[U+202E]b ']);
  press(editor, '\x02\x02');
  t.equal(editor.view(30, 3).cursorColumn, 21);
  t.end();
});

const chunks = [
  ...Array.from('\x01\x02\x04\x05\x06\x08\x0a\x0b\x12\x13\x14\x15\x17\x19\x1f\x07\x7f'),
  ...['b', 'f', 'd', 'u', 'l', 'c', 'y', '\x7f', '\r'].map((key) => ESC + key),
  ...[UP, DOWN, `${ESC}[C`, `${ESC}[D`, `${ESC}[1;5C`, `${ESC}[1;5D`, `${ESC}[H`, `${ESC}[F`, `${ESC}[3~`],
];

/** Of a random key or text, as bytes would have it. */
function randomKeys(random: Seeded): readonly Key[] {
  const kind = random.below(5);
  if (kind === 0) return [{ type: 'text', text: hostileText(random, 4) }];
  if (kind === 1) return [{ type: 'paste', text: hostileText(random, 12).replaceAll('-', '\n') }];
  return keysOf(random.pick(chunks));
}

/** @returns what is wrong with an editor after it was handled at random */
function wrong(random: Seeded): string | undefined {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const limit = 20 + random.below(300);
  const editor = new LineEditor({ limit, history: withHistory('one', 'two 語', hostileText(random, 9)) });
  editor.set(hostileText(random, 3));
  const first = editor.text;
  const pressed: Key[] = [];
  for (let step = 0; step < 60; step++) {
    for (const key of randomKeys(random)) {
      pressed.push(key);
      const before = editor.text;
      const searching = editor.search !== undefined;
      const took = editor.take(key);
      if ((took === 'full' || took === 'ignored') && !searching && editor.text !== before)
        return escaped({ pressed, took });
    }
    const { text, cursor } = editor;
    const places = [...segmenter.segment(text)].map(({ index }) => index);
    const [width, height] = [2 + random.below(20), 1 + random.below(4)];
    const view = editor.view(width, height);
    const good =
      (cursor === text.length || places.includes(cursor)) &&
      (editor.search !== undefined || Buffer.byteLength(text) <= limit) &&
      view.rows.length <= height &&
      view.rows.every((row) => widthOf(row) <= width) &&
      view.rows[view.cursorRow] !== undefined &&
      view.cursorColumn >= 0 &&
      view.cursorColumn < width;
    if (!good) return escaped({ text, cursor, view, width, height, pressed });
  }
  if (editor.search) press(editor, ESC);
  for (let step = 0; step < 400; step++) press(editor, '\x1f');
  return editor.text === first ? undefined : escaped({ first, text: editor.text, pressed });
}

test(`whatever is pressed: the cursor is between characters, the limit holds, undo leads back (SEED=${seed})`, (t) => {
  const random = new Seeded(seed);
  let found: string | undefined;
  for (let round = 0; round < 300 && found === undefined; round++) found = wrong(random);
  t.equal(found, undefined);
  t.end();
});

test('a long text is edited and seen at once', (t) => {
  const texts = { letters: 'word '.repeat(12_000), lines: 'a line of text\n'.repeat(4_000), faces: '👩‍👩‍👧'.repeat(3_000) };
  for (const [name, text] of Object.entries(texts)) {
    const editor = new LineEditor({ limit: TEXT_MAX, kills: new KillRing() });
    t.equal(editor.set(text), 'changed', name);
    const began = performance.now();
    for (let i = 0; i < 10; i++) {
      press(editor, i % 2 === 0 ? 'x' : `${ESC}b`);
      editor.view(80, 5);
    }
    const each = (performance.now() - began) / 10;
    t.comment(`${name}: ${each.toFixed(2)} ms for a key and a view`);
    t.ok(each < 500);
  }
  t.end();
});
