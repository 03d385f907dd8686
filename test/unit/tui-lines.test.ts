/** Rows as lines of the screen: whose text it is can be told, whatever is in it, and no warning looks like a text. */
import { test } from 'tap';
import type { NoticeKind, OutgoingState } from '../../src/client/index.js';
import { dayLine, gutterText, isWarning, linesOf, markerLine, plainRow } from '../../src/faces/tui/screen/lines.js';
import { personStyle, themeOf } from '../../src/faces/tui/screen/theme.js';
import { noticeText } from '../../src/faces/wording/notices.js';
import { widthOf } from '../../src/plain/width.js';
import { lineText } from '../support/drawn.js';
import { message, NOON, notice, own } from '../support/talked.js';
import { Seeded } from '../vectors/seeded.js';
import { hostileText, newSeed } from './hostile-text.js';

const HOUR_MS = 3600_000;
const theme = themeOf(true, 'dark');
const seed = newSeed();

/** Every kind there is, and whether a person must not miss it. */
const kinds: Readonly<Record<NoticeKind, boolean>> = {
  ...{ request: false, accepted: false, declined: false, 'unknown-name': false, refused: false, changed: true },
  ...{ renewed: false, 'renewal-done': false, 'renewal-open': false, 'send-again': true, unreadable: true, gap: true },
  ...{ incomplete: false, 'given-up': false, 'not-taken': false, offered: false, invited: false, entered: false },
  ...{ 'invitation-refused': true, 'invitation-ended': false, 'invitation-declined': false, left: false },
  ...{ removed: false, owner: false, 'you-removed': false, 'room-deleted': false, ghost: true },
  ...{ 'change-refused': true, 'room-key': true, untrusted: true },
};

test('each kind of warning has its mark and its colour, and no other notice has', (t) => {
  for (const [kind, warns] of Object.entries(kinds) as [NoticeKind, boolean][]) {
    const row = notice(1, kind);
    const [first = []] = linesOf(row, 'alice', 80, theme);
    t.equal(isWarning(row), warns, kind);
    t.match(lineText(first), warns ? /^12:00 ! / : /^12:00 · /, kind);
    t.ok(
      first.slice(1).every(({ style }) => style === (warns ? theme.warning : theme.notice)),
      kind,
    );
    t.match(plainRow(row, 'alice'), warns ? /^12:00 ! / : /^12:00 \* /, `${kind}, on a screen of lines`);
    if (noticeText(row).startsWith('WARNING')) t.ok(warns, `${kind} says that it is a warning`);
  }
  t.end();
});

test('who says what', (t) => {
  const text = (row: Parameters<typeof linesOf>[0]): string[] => linesOf(row, 'alice', 80, theme).map(lineText);
  t.same(text(message(1, 'hello')), ['12:00 @bobby: hello']);
  t.same(text(own(1, 'one\ntwo')), ['12:00 @alice: one', '        two']);
  t.same(text(message(1, '/me waves')), ['12:00 * @bobby waves']);
  t.same(text(message(1, '/mexico')), ['12:00 @bobby: /mexico']);
  t.same(text(message(1, '/me ')), ['12:00 @bobby: /me ']);
  const local = { type: 'local', key: 'local:1', order: 1, at: NOON, text: 'said\nhere', warns: false } as const;
  t.same(text(local), ['12:00   said', '        here']);
  t.same(text({ ...local, warns: true })[0], '12:00 ! said');
  const [first = []] = linesOf(message(1, 'x'), 'alice', 80, theme);
  t.equal(first[1]?.style, personStyle(theme, 'bobby'));
  t.equal(linesOf(own(1, 'x'), 'alice', 80, theme)[0]?.[1]?.style, theme.own);
  t.equal(plainRow(own(1, 'x\ny', { state: 'delivered' }), 'alice'), '12:00 @alice ✓✓: x\n        y');
  t.end();
});

test(`no text of others passes for a line of its own, or leaves its place (SEED=${seed})`, (t) => {
  const random = new Seeded(seed);
  let wrong: string | undefined;
  for (let round = 0; round < 1_500 && wrong === undefined; round++) {
    const width = 8 + random.below(110);
    const [room, first] = [width - 1, width - (width >= 56 ? 12 : 6)];
    const text = `${random.pick(['', '/me ', '\n', '\r\n12:00 @carol: '])}${hostileText(random, 60)}`;
    const lines = linesOf(message(1, text), 'alice', width, theme);
    const shown = lines.map(lineText);
    const isPlain = shown.every((line) => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(line));
    const isIndented = shown.slice(1).every((line) => line.startsWith(' '.repeat(8)));
    /* The head is as long as it is; below 8 + 2 columns nothing fits. */
    const fits = shown.slice(1).every((line) => widthOf(line) <= Math.max(room, 10));
    const head = widthOf('12:00 * @bobby ') <= first ? widthOf(shown[0] ?? '') <= first : true;
    if (!isPlain || !isIndented || !fits || !head) wrong = JSON.stringify({ width, text, shown });
  }
  t.equal(wrong, undefined);
  t.end();
});

test('the line of a day stands where another day begins', (t) => {
  const [monday, tuesday] = [message(1, 'x', { at: NOON - 24 * HOUR_MS }), message(2, 'y')];
  const day = (...args: Parameters<typeof dayLine>): string | undefined => {
    const line = dayLine(...args);
    return line && lineText(line);
  };
  t.match(day(monday, tuesday, 40, theme), /^─+ Tuesday 2024-05-14 ─+$/);
  t.equal(widthOf(day(monday, tuesday, 40, theme) ?? ''), 40);
  t.equal(widthOf(day(monday, tuesday, 200, theme) ?? ''), 60);
  t.match(day(undefined, monday, 10, theme), / Monday 2024-05-13 /);
  t.equal(day(tuesday, own(3, 'z'), 40, theme), undefined);
  t.equal(day(undefined, message(1, 'x', { at: Date.now() }), 40, theme), undefined, 'of today none at the beginning');
  t.match(lineText(markerLine(20, theme)), /^─+ new ─+$/);
  t.equal(markerLine(20, theme)[0]?.style, theme.unread);
  t.end();
});

test('how far a text is, and how long it stays', (t) => {
  const minutes = (count: number): number => NOON + count * 60_000;
  const states: Readonly<Record<OutgoingState, string>> = {
    ...{ waiting: '…   ', queued: '✓   ', delivered: '✓✓  ', read: 'read', failed: '✗   ' },
  };
  for (const [state, mark] of Object.entries(states) as [OutgoingState, string][]) {
    t.equal(gutterText(own(1, 'x', { state }), 80, false, NOON), mark);
    t.equal(gutterText(own(1, 'x', { state, done: NOON }), 80, false, minutes(1)), `${mark} ⏱ 59m`);
  }
  const read = message(1, 'x', { read: NOON });
  t.equal(gutterText(read, 80, false, minutes(0)), '     ⏱ 60m');
  t.equal(gutterText(read, 80, false, minutes(-9)), '     ⏱ 60m', 'a clock that was set back');
  t.equal(gutterText(read, 80, false, minutes(51.5)), '     ⏱  9m');
  t.equal(gutterText(read, 80, false, minutes(99)), '     ⏱  0m');
  t.equal(gutterText(read, 55, false, NOON).trim(), '', 'narrow screens have no place for it');
  t.equal(gutterText(read, 80, true, NOON).trim(), '', 'and in rooms each has their own');
  t.equal(gutterText(message(1, 'x'), 80, false, NOON).trim(), '');
  t.equal(gutterText(notice(1, 'gap'), 80, false, NOON), '');
  for (const width of [56, 80])
    t.ok(widthOf(gutterText(own(1, 'x', { state: 'read', done: NOON }), width, false, NOON)) < 11);
  t.end();
});
