/** Questions: what is typed, what is shown of it, and what becomes of it on screens of any size. */
import { test } from 'tap';
import type { Question } from '../../src/faces/tui/commands/surface.js';
import { Dialog } from '../../src/faces/tui/screen/dialog.js';
import { themeOf } from '../../src/faces/tui/screen/theme.js';
import { Grid } from '../../src/faces/tui/terminal/grid.js';
import { press, type Key } from '../../src/faces/tui/text/key.js';
import { qrRows } from '../../src/faces/wording/qr.js';
import { cellAt, rowsOf, textOf } from '../support/drawn.js';

const theme = themeOf(true, 'dark');

class Asked {
  answers: (string | undefined)[] = [];
  readonly dialog: Dialog;

  constructor(question: Partial<Question>) {
    this.dialog = new Dialog({ title: 'Title', text: [], ...question }, (answer) => this.answers.push(answer));
  }

  /** A text, or the name of a key in brackets. */
  types(...keys: readonly (string | Key)[]): this {
    for (const key of keys) {
      if (typeof key !== 'string') this.dialog.key(key);
      else {
        const name = /^<(\w+)>$/.exec(key)?.[1];
        this.dialog.key(name === undefined ? { type: 'text', text: key } : press(name));
      }
    }
    return this;
  }

  shown(columns = 80, rows = 24, how = theme): Grid {
    const grid = new Grid(columns, rows);
    grid.cursor = { x: 0, y: 0 };
    this.dialog.draw(grid, how);
    return grid;
  }

  text(columns = 80, rows = 24): string {
    return textOf(this.shown(columns, rows));
  }
}

const secret: Partial<Question> = { field: { label: 'password: ', isSecret: true } };

test('a secret is stars, and Tab shows and hides it', (t) => {
  const asked = new Asked(secret).types('hide 語言!');
  t.match(asked.text(), /password: \*{8} *│/);
  t.notMatch(asked.text(), /hide 語|語言/);
  t.equal(asked.shown().cursor?.x, 2 + 10 + 8);
  asked.types('<tab>');
  t.match(asked.text(), /password: hide 語言!/);
  t.match(asked.text(), /Tab: hide/);
  asked.types('<tab>');
  t.match(asked.text(), /Tab: show/);
  t.notMatch(asked.text(), /hide 語/);
  asked.types('<home>');
  t.equal(asked.shown().cursor?.x, 12, 'the cursor is among the stars');
  t.match(asked.text(40, 10), /password: \*{8}/);
  const long = new Asked(secret).types('x'.repeat(200));
  t.match(long.text(), /password: \*{65} *│/, 'the end of what is longer than its place');
  t.equal(long.shown().cursor?.x, 77);
  t.same(asked.types('<enter>').answers, ['hide 語言!']);
  t.end();
});

test('a field that is no secret has no Tab, and begins with what it was given', (t) => {
  const asked = new Asked({ field: { label: 'name: ', isSecret: false, initial: 'ali' } });
  t.notMatch(asked.text(), /Tab/);
  t.same(asked.types('<tab>', 'ce', '<enter>').answers, ['alice']);
  t.end();
});

test('a field has one line, whatever is pressed or pasted', (t) => {
  const one = (...keys: (string | Key)[]): readonly (string | undefined)[] => new Asked(secret).types(...keys).answers;
  t.same(one({ type: 'paste', text: 'first\nsecond' }, '<enter>'), ['first']);
  for (const key of [press('j', { ctrl: true }), press('enter', { alt: true }), press('enter', { shift: true })])
    t.same(one('one', key), ['one']);
  t.end();
});

test('what is wrong is told, until something is typed', (t) => {
  const check = (word: string): string | undefined => (word === 'same' ? undefined : `\u001btype same, or press Esc`);
  const asked = new Asked({ field: { label: 'word: ', isSecret: false, check } }).types('other', '<enter>');
  t.same(asked.answers, []);
  t.match(asked.text(), /\[U\+001B\]type same, or press Esc/);
  t.equal(cellAt(asked.shown(), 'type same')?.style, theme.warning);
  t.match(
    asked.text(20, 8).replaceAll(/[│\s]+/g, ' '),
    /type same, or press Esc/,
    'all of it where there is little room',
  );
  asked.types('<backspace>');
  t.notMatch(asked.text(), /type same/);
  const full = new Asked(secret).types('x'.repeat(1024), 'y');
  t.match(full.text(), /this is too long/);
  t.same(asked.types(press('u', { ctrl: true }), 'same', '<enter>').answers, ['same']);
  t.end();
});

test('Esc and Ctrl-C take it away', (t) => {
  for (const question of [secret, {}, { choices: [{ key: 'c', label: 'go', value: 'x' }] }])
    for (const key of [press('escape'), press('c', { ctrl: true })])
      t.same(new Asked(question).types('typed', key).answers, [undefined]);
  t.end();
});

test('choices are taken by their keys', (t) => {
  const choices = [
    { key: 'enter', label: 'go on', value: 'on' },
    { key: 't', label: 'try', value: 'try' },
  ];
  const chosen = (...keys: string[]): readonly (string | undefined)[] => new Asked({ choices }).types(...keys).answers;
  t.same(chosen('<enter>'), ['on']);
  t.same(chosen('T'), ['try']);
  t.same(chosen('x', 'o', '<tab>'), []);
  t.match(new Asked({ choices }).text(), 'Enter: go on · T: try · Esc: close');
  t.equal(new Asked({ choices }).shown().cursor, undefined);
  t.same(new Asked({ choices: [choices[1] ?? { key: '', label: '', value: '' }] }).types('<enter>').answers, []);
  t.same(new Asked({}).types('<enter>').answers, [undefined], 'Enter closes what has nothing to choose');
  t.end();
});

test('all of a text can be read, on any screen', (t) => {
  const text = Array.from({ length: 30 }, (_, at) => `line${String(at)};`);
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [20, 6],
    [20, 4],
  ] as const) {
    for (const question of [{ text }, { text, ...secret }]) {
      const asked = new Asked(question);
      const seen = new Set<string>();
      const steps: string[] = [];
      for (let step = 0; step < 40; step++) {
        const shown = asked.text(columns, rows);
        for (const line of shown.match(/line\d+;/g) ?? []) seen.add(line);
        steps.push(shown);
        asked.types(step % 2 === 0 ? '<pagedown>' : '<down>');
      }
      t.same(seen.size, 30, `${String(columns)}×${String(rows)}`);
      t.match(steps[0], /more: ↓/);
      t.notMatch(steps.at(-1), /more: ↓/, 'at its end there is no more');
      for (let step = 0; step < 40; step++) asked.types('<pageup>', '<up>');
      t.equal(asked.text(columns, rows), steps[0]);
      if (rows > 4) t.match(steps[0], 'field' in question ? /Tab: show/ : /Esc: close/);
    }
  }
  t.end();
});

test('a title is never cut, and rows of a table keep their indent', (t) => {
  const title = 'Safety number of you and @somebody_with_a_name: not verified';
  const asked = new Asked({ title, text: [` name ${'wide '.repeat(20)}`] });
  t.match(asked.text(40, 10).replaceAll(/[│\s]+/g, ' '), title);
  t.match(rowsOf(asked.shown(40, 10)).slice(2), [/^│ @somebody/, /^│ {2}name wide/, /^│ {5}wide/]);
  t.end();
});

test('what is behind it stays, as far as it is no part of the box', (t) => {
  const grid = new Grid(100, 24);
  for (let y = 0; y < 24; y++) grid.fill(0, y, 100, theme.plain, '.');
  new Asked({ text: ['short'] }).dialog.draw(grid, theme);
  const rows = rowsOf(grid);
  t.equal(rows[0], '.'.repeat(100));
  const top = rows.findIndex((row) => row.includes('┌'));
  t.match(rows[top], /^\.{10}┌─{78}┐\.{10}$/);
  t.match(rows[top + 2], /^\.{10}│ short {72}│\.{10}$/);
  t.end();
});

const code = 'otpauth://totp/Cadenas:alice?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const picture = qrRows(code, true);

test('a QR code stands beside the text, under it, or nowhere and then it is said', (t) => {
  const asked = new Asked({ code, text: ['Scan the picture'], ...secret });
  const isWhole = (grid: Grid): boolean => picture.every((row) => textOf(grid).includes(row.trimEnd()));
  const [wide = 0, high] = [picture[0]?.length, picture.length];
  const beside = asked.shown(wide + 30, high);
  t.ok(isWhole(beside));
  t.match(rowsOf(beside)[1], /Scan the picture/);
  const under = asked.shown(wide + 4, high + 12);
  t.ok(isWhole(under));
  t.notMatch(textOf(under), /no room/);
  for (const grid of [beside, under]) {
    const dark = grid.cells.flat().filter((cell) => /[█▀▄]/.test(cell.shown));
    t.ok(dark.length > 100 && dark.every((cell) => cell.style === theme.code), 'dark on light');
  }
  for (const [columns, rows] of [
    [wide + 3, 40],
    [wide + 4, high + 3],
    [100, high - 1],
    [40, 10],
    [20, 6],
  ] as const) {
    const none = asked.shown(columns, rows);
    t.notOk(
      none.cells.flat().some((cell) => /[█▀▄]/.test(cell.shown)),
      `${String(columns)}×${String(rows)}`,
    );
    let text = textOf(none);
    for (let step = 0; step < 20; step++) text += asked.types('<down>').text(columns, rows);
    t.match(text.replaceAll(/\s+/g, ' '), /no room/);
    for (let step = 0; step < 20; step++) asked.types('<up>');
  }
  t.end();
});

test('a QR code under a text that is longer than the screen can be scrolled to', (t) => {
  const asked = new Asked({ code, text: Array.from({ length: 30 }, () => 'words') });
  const rows = picture.length + 5;
  for (let step = 0; step < 60; step++) asked.types('<down>').shown(50, rows);
  const shown = asked.text(50, rows);
  t.ok(picture.every((row) => shown.includes(row.trimEnd())));
  t.end();
});
