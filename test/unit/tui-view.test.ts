/** Which lines of a conversation are on the screen: nothing is skipped, whatever comes, goes or is turned over. */
import { test } from 'tap';
import { themeOf } from '../../src/faces/tui/screen/theme.js';
import { View, type VisibleLine } from '../../src/faces/tui/screen/view.js';
import type { Conversation } from '../../src/faces/tui/talk/conversation.js';
import { Draws } from '../support/draws.js';
import { lineText } from '../support/drawn.js';
import { newSeed } from '../support/random.js';
import { conversation, message, notice, NOON } from '../support/talked.js';

const DAY_MS = 24 * 3600_000;
const ROWS = 2_000;
const theme = themeOf(true, 'dark');
const seed = newSeed();

const shown = (lines: readonly VisibleLine[]): string[] => lines.map(({ line }) => lineText(line));

function viewOf(one: Conversation, width: number, height: number): View {
  const view = new View(one, 'alice', theme);
  view.size(width, height, theme);
  return view;
}

/** Rows of many heights on several days, the middle one marked as the first that is new. */
function long(draws: Draws, count = ROWS): Conversation {
  let at = NOON - 9 * DAY_MS;
  const rows = Array.from({ length: count }, (_, index) => {
    if (draws.chance(0.004)) at += DAY_MS;
    /* Numbered, so that no two lines are the same. */
    const words = Array.from(
      { length: draws.below(draws.chance(0.1) ? 200 : 12) },
      (_none, number) => `${String(number)}${draws.pick(['so', '語言', 'x\n'])}`,
    );
    return draws.chance(0.1)
      ? notice(index + 1, 'accepted', { at })
      : message(index + 1, `#${String(index)}; ${words.join(' ')}`, { at, time: at });
  });
  const one = conversation('bobby', rows);
  one.marker = Math.floor(count / 2);
  return one;
}

/** All lines there are, by a screen that has room for them. */
const whole = (one: Conversation, width: number): string[] => shown(viewOf(one, width, Infinity).visible());

const nameOf = ({ row, line }: VisibleLine): string => `${String(row.order)} ${lineText(line)}`;

/** Where a screen stands in the whole; -1 where it is no piece of it. */
function placeOf(piece: readonly VisibleLine[], places: ReadonlyMap<string, number>): number {
  const [from = -1, ...others] = piece.map((one) => places.get(nameOf(one)) ?? -1);
  return others.every((place, y) => place === from + y + 1) ? from : -1;
}

test(`pages up and down through ${String(ROWS)} rows show the same lines, and all (SEED=${String(seed)})`, (t) => {
  const draws = new Draws(seed);
  for (const height of [1, 2, 7, 40]) {
    const one = long(draws, height < 3 ? 200 : ROWS);
    const width = 30 + draws.below(90);
    const view = viewOf(one, width, height);
    const all = viewOf(one, width, Infinity).visible();
    const placesOf = new Map(all.map((one, place) => [nameOf(one), place]));
    const page = Math.max(1, height - 1);
    const up = [view.visible()];
    let isTop = false;
    while (!isTop && up.length <= all.length) {
      isTop = view.scroll(-page);
      up.push(view.visible());
    }
    const places = up.map((screen) => placeOf(screen, placesOf));
    t.equal(placesOf.size, all.length, 'no two lines are the same');
    t.notOk(places.includes(-1), 'each is a piece of the whole');
    t.equal(places[0], all.length - height, 'it begins at the end');
    t.equal(places.at(-1), 0, 'and ends at the beginning');
    t.ok(
      up.every((screen) => screen.length === height),
      'the screen is always full',
    );
    const gaps = places.slice(1).filter((place, at) => (places[at] ?? 0) - place > height);
    t.same(gaps, [], 'no line is between two pages');
    view.end();
    const half = Math.floor(places.length / 2);
    for (let at = 0; at < half; at++) view.scroll(-page);
    for (let at = half; at > 0; at--) {
      if (placeOf(view.visible(), placesOf) !== places[at]) t.fail(`page ${String(at)} is another on the way down`);
      view.scroll(page);
    }
    t.same(shown(view.visible()), shown(up[0] ?? []), 'and back at the end');
    t.ok(view.follows);
  }
  t.end();
});

test('a step of one line moves by one line, over day lines and the marker', (t) => {
  const one = conversation('bobby', [
    message(1, 'one', { at: NOON - 2 * DAY_MS }),
    message(2, 'two', { at: NOON - DAY_MS }),
    message(3, 'three\nfour', { at: NOON - DAY_MS }),
    message(4, 'five'),
  ]);
  one.marker = 3;
  const all = whole(one, 60);
  t.equal(all.length, 9);
  t.match(all, [/Sunday 2024-05-12/, /one/, /Monday/, /two/, / new /, /three/, /four/, /Tuesday/, /five/]);
  const view = viewOf(one, 60, 3);
  for (let top = 6; top >= 0; top--) {
    t.same(shown(view.visible()), all.slice(top, top + 3));
    t.equal(view.scroll(-1), top === 0, 'what is older is asked for at the beginning alone');
  }
  t.end();
});

test(`what comes and goes moves nothing that is looked at, or all that is followed (SEED=${String(seed)})`, (t) => {
  const draws = new Draws(seed);
  const one = long(draws, 300);
  const [following, reading] = [viewOf(one, 50, 12), viewOf(one, 50, 12)];
  reading.scroll(-100);
  const before = shown(reading.visible());
  const looked = new Set(reading.visible().map(({ row }) => row.order));
  for (let order = 1_000; order < 1_300; order++) {
    one.scroll.add(message(order, `came ${String(order)}`));
    const [first] = one.scroll.rows;
    /* Among those that are far above or below. */
    const other = draws.pick(one.scroll.rows);
    if (first && other !== first && !looked.has(other.order) && other.type === 'message') one.scroll.remove(other.key);
    t.equal(one.scroll.last, following.visible().at(-1)?.row, 'the newest is at the bottom');
  }
  t.same(shown(reading.visible()), before);
  t.notOk(reading.follows);
  t.end();
});

test('a row that goes while the screen stands on it leaves its neighbours there', (t) => {
  const one = conversation(
    'bobby',
    Array.from({ length: 20 }, (_, at) => message(at + 1, `row ${String(at + 1)}`)),
  );
  one.scroll.add(message(10, 'row 10'));
  const view = viewOf(one, 60, 4);
  const ends = (): string[] => shown(view.visible()).map((line) => /row \d+/.exec(line)?.[0] ?? line);
  view.scroll(-8);
  t.same(ends(), ['row 9', 'row 10', 'row 11', 'row 12']);
  one.scroll.remove('m12');
  t.same(ends(), ['row 8', 'row 9', 'row 10', 'row 11']);
  view.scroll(1);
  t.same(ends(), ['row 9', 'row 10', 'row 11', 'row 13']);
  for (let order = 1; order <= 13; order++) one.scroll.remove(`m${String(order)}`);
  t.same(ends().slice(1), ['row 14', 'row 15', 'row 16'], 'what is below fills the screen');
  for (let order = 14; order <= 20; order++) one.scroll.remove(`m${String(order)}`);
  t.same(view.visible(), []);
  t.ok(view.scroll(-3), 'and what is older may be there');
  view.scroll(3);
  t.ok(view.follows);
  t.end();
});

test('a screen that grows at the beginning is full', (t) => {
  const one = conversation(
    'bobby',
    Array.from({ length: 50 }, (_, at) => message(at + 1, `row ${String(at + 1)}`)),
  );
  const view = viewOf(one, 60, 5);
  view.scroll(-500);
  view.size(60, 20, theme);
  t.equal(view.visible().length, 20);
  t.match(shown(view.visible())[1], /row 1$/);
  view.size(60, 200, theme);
  t.equal(view.visible().length, 51, 'with the line of the day');
  t.end();
});

test('a screen of no line, and of one', (t) => {
  const one = conversation('bobby', [message(1, 'one'), message(2, 'two')]);
  const none = viewOf(one, 60, 0);
  t.same(none.visible(), []);
  t.same(none.unread(), []);
  none.scroll(-1);
  none.scroll(1);
  none.showFrom(1);
  none.showAround(1);
  t.same(none.visible(), []);
  const single = viewOf(one, 60, 1);
  t.match(shown(single.visible()), [/two/]);
  single.scroll(-1);
  t.match(shown(single.visible()), [/one/]);
  t.end();
});

test('from a row on, or at the end where less than a screen follows', (t) => {
  const one = conversation(
    'bobby',
    Array.from({ length: 30 }, (_, at) => message(at + 1, `row ${String(at + 1)}`)),
  );
  one.marker = 5;
  const view = viewOf(one, 60, 6);
  view.showFrom(5);
  t.match(shown(view.visible()), [/ new /, /row 5/, /row 6/, /row 7/, /row 8/, /row 9/]);
  t.notOk(view.follows);
  view.showFrom(25);
  t.match(shown(view.visible()).at(-1), /row 30/);
  t.ok(view.follows, 'six rows are a screen');
  view.showFrom(24);
  t.notOk(view.follows);
  view.showFrom(31);
  t.ok(view.follows);
  view.showAround(10);
  t.match(shown(view.visible())[2], /row 10/);
  t.end();
});

test('what stands on the screen is what was read', (t) => {
  const one = conversation('bobby', [
    message(1, 'read', { read: NOON }),
    message(2, 'above', { at: NOON - DAY_MS }),
    notice(3, 'accepted'),
    message(4, 'below'),
  ]);
  const view = viewOf(one, 60, 1);
  t.same(view.unread(), ['m4']);
  view.scroll(-1);
  t.same(view.unread(), ['n3']);
  view.scroll(-1);
  t.match(shown(view.visible()), [/Tuesday/]);
  t.same(view.unread(), [], 'a line of the day above it is not the row');
  t.end();
});
