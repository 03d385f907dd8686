/** The parts of the screen, each in its place, and what is told in them. */
import { test } from 'tap';
import type { Trouble } from '../../src/client/index.js';
import { bannerLines, bannerText, titleText } from '../../src/faces/tui/screen/banner.js';
import { drawBody, drawInput, drawList, drawStatus, drawTitle, promptOf } from '../../src/faces/tui/screen/draw.js';
import { INPUT_MAX, layoutOf } from '../../src/faces/tui/screen/layout.js';
import { personStyle, themeOf } from '../../src/faces/tui/screen/theme.js';
import { View } from '../../src/faces/tui/screen/view.js';
import { Grid } from '../../src/faces/tui/terminal/grid.js';
import { cellAt, lineText, rowsOf, textOf } from '../support/drawn.js';
import { contact, conversation, message, NOON, own, room, talkOf } from '../support/talked.js';

const theme = themeOf(true, 'dark');
const trouble: Trouble = { code: 'room-untrusted', message: 'it can’t be checked', hint: 'wait', exit: 4 };

test('everything has its place, and nothing lies over another', (t) => {
  for (let columns = 1; columns <= 200; columns += 7)
    for (let rows = 1; rows <= 60; rows += 3)
      for (const [banner, wanted] of [
        [0, 1],
        [3, 9],
      ] as const) {
        const at = layoutOf(columns, rows, banner, wanted);
        const isWhole =
          at.left + at.width === columns && at.input + at.inputHeight === rows && at.status === at.input - 1;
        const isApart =
          at.height === Math.max(0, at.status - at.top) && (at.listWidth === 0 || at.left === at.listWidth + 1);
        if (!isWhole || !isApart || at.width < 1 || at.inputHeight > INPUT_MAX || at.inputHeight < 1)
          t.fail(`${String(columns)}×${String(rows)}: ${JSON.stringify(at)}`);
      }
  t.equal(layoutOf(63, 24, 0, 1).listWidth, 0);
  t.equal(layoutOf(64, 24, 0, 1).listWidth, 16);
  t.equal(layoutOf(200, 24, 0, 1).listWidth, 26);
  t.match(layoutOf(40, 10, 2, 9), { top: 3, height: 4, status: 7, input: 8, inputHeight: 2 });
  t.end();
});

test('what is asked, and how to answer', (t) => {
  const text = (one: ReturnType<typeof conversation>, words = ''): string =>
    (bannerText(one, words, NOON) ?? ['none']).join('\n');
  const one = conversation('bobby');
  t.equal(text(one), 'none');
  one.contact = contact('bobby', { relation: 'requested' });
  t.match(text(one), /^@bobby asks to talk with you\. {2}Alt-Y: accept · Alt-N: decline$/);
  t.match(text(one, 'river stone'), /\nSafety words: river stone$/);
  one.contact = contact('bobby', { relation: 'requested', changed: true });
  t.match(text(one), /THE KEYS OF @bobby CHANGED.*\/verify/, 'changed keys come before all else');
  const place = conversation('#garden');
  t.equal(text(place), 'none');
  place.room = room('garden', { standing: 'invited', until: NOON + 3600_000 });
  t.match(text(place), /^@carol invites you to #garden, .*Alt-Y: join/);
  place.room = room('garden', { standing: 'offered' });
  t.match(text(place), /whoever runs the daemon can read it.*Alt-Y: join/);
  place.room = room('garden', { trouble });
  t.equal(text(place), '! it can’t be checked');
  t.end();
});

test('a banner is as wide as its place, and safety words stand there whole or not at all', (t) => {
  const one = conversation('bobby');
  one.contact = contact('bobby', { relation: 'requested' });
  const words = Array.from({ length: 18 }, (_, at) => `word${String(at)}`).join(' ');
  const shown = (width: number, height: number): string[] =>
    bannerLines(one, words, theme, NOON, { width, height }).map(lineText);
  t.match(shown(59, 6).join(' '), /word17/);
  t.ok(shown(59, 6).every((line) => line.length === 59));
  t.notMatch(shown(40, 3).join(' '), /word/);
  t.match(shown(40, 3).join('').replaceAll(/\s+/g, ' '), 'Alt-Y: accept · Alt-N: decline');
  t.equal(shown(20, 1).length, 1);
  t.same(bannerLines(conversation('carol'), '', theme, NOON, { width: 40, height: 6 }), []);
  one.contact = contact('bobby', { changed: true });
  t.equal(bannerLines(one, '', theme, NOON, { width: 80, height: 6 })[0]?.[0]?.style, theme.warning);
  t.end();
});

test('the title tells how far somebody is who they say', (t) => {
  const one = conversation('bobby');
  const title = (more: Parameters<typeof contact>[1]): string =>
    titleText(Object.assign(one, { contact: contact('bobby', more) }));
  t.equal(title({}), '@bobby — end-to-end encrypted — not verified: /verify');
  t.equal(title({ verified: true }), '@bobby — end-to-end encrypted — verified ✓');
  t.equal(title({ verified: true, changed: true }), '@bobby — end-to-end encrypted — KEYS CHANGED');
  t.equal(
    title({ fingerprint: '', relation: 'asked' }),
    '@bobby — no keys yet — not verified: /verify — asked, not answered yet',
  );
  t.equal(title({ relation: 'refused' }).split(' — ').at(-1), 'they declined');
  const place = conversation('#garden');
  t.equal(titleText(place), '#garden — 3 members — owner @carol — end-to-end encrypted');
  place.room = room('garden', { members: 1, common: true, by: '' });
  t.equal(titleText(place), '#garden — 1 member — whoever runs the daemon can read it');
  place.room = room('garden', { standing: 'invited' });
  t.match(titleText(place), /^#garden — invited — /);
  t.match(titleText(conversation('')), /^home — /);
  t.end();
});

test('the list: numbers, marks and counts, and the one that is shown always among them', (t) => {
  const [bobby, carol, garden] = [conversation('bobby'), conversation('carol'), conversation('#garden')];
  carol.contact = contact('carol', { relation: 'requested' });
  carol.unread = 1_000;
  garden.room = room('garden', { trouble });
  bobby.unread = 7;
  const many = Array.from({ length: 30 }, (_, at) => conversation(`person${String(at)}`));
  const list = [carol, bobby, garden, ...many];
  const grid = new Grid(80, 10);
  drawList(grid, layoutOf(80, 10, 0, 1), list, bobby, theme);
  const rows = rowsOf(grid).map((row) => row.slice(0, 20));
  t.same(rows.slice(0, 4), [
    '1?@carol        999+',
    '2*@bobby           7',
    '3!#garden           ',
    '4 @person0          ',
  ]);
  t.equal(cellAt(grid, '2*@bobby')?.style, theme.selected);
  t.equal(cellAt(grid, '1?@carol')?.style, theme.unread);
  const below = new Grid(80, 10);
  const last = many.at(-1) ?? bobby;
  drawList(below, layoutOf(80, 10, 0, 1), list, last, theme);
  t.match(textOf(below), /@person29/);
  t.match(rowsOf(below)[7], /^ {2}@person29/, 'without a number, in the last row above the status');
  const narrow = new Grid(50, 10);
  drawList(narrow, layoutOf(50, 10, 0, 1), list, bobby, theme);
  t.equal(textOf(narrow).trim(), '');
  t.end();
});

test('what was said stands at the bottom, with its marks at the right', (t) => {
  const one = conversation('bobby', [message(1, 'one'), own(2, 'two\nlines', { state: 'read', done: Date.now() })]);
  const view = new View(one, 'alice', theme);
  const layout = layoutOf(60, 12, 0, 1);
  view.size(layout.width, layout.height, theme);
  const grid = new Grid(60, 12);
  drawBody(grid, layout, view.visible(), false, '', theme);
  const rows = rowsOf(grid);
  t.match(rows.slice(6, 10), [/Tuesday/, /^12:00 @bobby: one$/, /^12:00 @alice: two +read ⏱ 60m$/, /^ {8}lines$/]);
  t.equal(rows[8]?.length, 59);
  drawTitle(grid, layout, one, [[{ text: ' banner', style: theme.warning }]], theme);
  t.match(rowsOf(grid).slice(0, 2), [/^ @bobby — /, /^ banner/]);
  t.equal(grid.cells[0]?.[59]?.style, theme.title);
  t.end();
});

test('what is searched for is shown where it stands, in whole characters', (t) => {
  const found = (text: string, pattern: string): string[] => {
    const one = conversation('bobby', [message(1, text, { at: Date.now(), time: Date.now() })]);
    const view = new View(one, 'alice', theme);
    const layout = layoutOf(60, 12, 0, 1);
    view.size(layout.width, layout.height, theme);
    const [plain, grid] = [new Grid(60, 12), new Grid(60, 12)];
    drawBody(plain, layout, view.visible(), false, '', theme);
    drawBody(grid, layout, view.visible(), false, pattern, theme);
    t.equal(textOf(grid), textOf(plain), `${text} is as it was`);
    return grid.cells.flat().flatMap(({ shown, style }) => (style === theme.found ? [shown] : []));
  };
  t.same(found('Apples, apples', 'apple').join(''), 'Appleapple');
  t.same(found('語言 so 言', '言'), ['言', '', '言', '']);
  t.same(found('q\u0301uite', 'q'), ['q\u0301'], 'a letter keeps its mark');
  t.same(found('x 👩‍👩‍👧 🇫🇷 y', '👧'), [], 'no part of a picture');
  t.same(found('İİİ find me', 'find').join(''), 'find', 'behind what is longer in lower case');
  t.same(found('nothing', 'zzz'), []);
  t.end();
});

test('the status: what waits, what is slow, and what stands below', async (t) => {
  const { talk } = await talkOf(
    [contact('bobby', { unread: 3 }), contact('carol', { relation: 'requested' })],
    [room('garden')],
  );
  const status = (follows = true, hint?: string): string => {
    const grid = new Grid(120, 10);
    const layout = layoutOf(120, 10, 0, 1);
    drawStatus(grid, layout, talk, talk.list(), talk.conversation('#garden'), hint, follows, theme);
    t.equal(grid.cells[layout.status]?.[119]?.style, theme.status);
    return rowsOf(grid)[layout.status] ?? '';
  };
  t.match(status(), /^ @alice │ ● online │ 1:@carol\? 2:@bobby\(3\)$/);
  t.match(status(false), /↓ more below: Alt-End$/);
  t.equal(status(true, 'a hint'), ' a hint');
  talk.lag = 12;
  talk.away = 'tea\u0007';
  talk.limited = 3;
  t.match(status(), /│ lag 12 ms │ the daemon limits how fast you send │ away: tea\[U\+0007\] │ 1:@carol/);
});

test('what is typed has a place beside any name', (t) => {
  const long = conversation(`n${'a'.repeat(31)}`);
  for (const columns of [20, 40, 80]) {
    const prompt = promptOf(long, columns);
    t.ok(prompt.length <= columns / 2 || columns === 80, `${String(columns)}: ${prompt}`);
    const grid = new Grid(columns, 10);
    drawInput(
      grid,
      layoutOf(columns, 10, 0, 2),
      prompt,
      { rows: ['first', 'second'], cursorRow: 1, cursorColumn: 6 },
      theme,
    );
    t.same(rowsOf(grid).slice(8), [`${prompt}first`, `${' '.repeat(prompt.length)}second`]);
    t.same(grid.cursor, { x: prompt.length + 6, y: 9 });
  }
  t.equal(promptOf(long, 80), `@${long.key}> `);
  t.equal(promptOf(long, 20), '> ', 'the title has the name too');
  t.equal(promptOf(conversation('bobby'), 20), '@bobby> ');
  t.equal(promptOf(conversation(''), 20), '> ');
  t.end();
});

test('a person has one colour everywhere, and without colours nothing has one', (t) => {
  const mono = themeOf(false, 'light');
  t.equal(themeOf(true, 'light').people.length, theme.people.length);
  t.equal(personStyle(theme, 'bobby'), personStyle(theme, 'bobby'));
  const people = Array.from({ length: 200 }, (_, at) => personStyle(theme, `person${String(at)}`));
  t.equal(new Set(people).size, theme.people.length, 'all are used');
  const colours = 0x3ffff;
  const { people: monoPeople, code, ...styles } = mono;
  t.equal(code, undefined);
  for (const style of [...Object.values(styles), ...monoPeople]) t.equal(style & colours, colours);
  for (const each of [theme, themeOf(true, 'light')]) {
    t.not(each.warning, each.notice);
    t.ok(
      [each.plain, each.own].every((style) => !each.people.includes(style)),
      'nobody looks like oneself',
    );
  }
  t.end();
});
