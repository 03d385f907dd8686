/** Rows of a conversation as lines of the screen. All text of others passes through plain.ts here. */
import type { Row } from '../../../client/index.js';
import { plainLine, plainText } from '../../../plain/plain.js';
import { shownText, widthOf } from '../../../plain/width.js';
import { wrapText } from '../../../plain/wrap.js';
import { noticeText } from '../../wording/notices.js';
import { clockTime } from '../../wording/people.js';
import { typed } from '../commands/typed.js';
import type { Shown } from '../talk/scrollback.js';
import type { Span, Style } from '../terminal/grid.js';
import { personStyle, type Theme } from './theme.js';

export type Line = readonly Span[];

/** Before every line of a text but the first: none of them can pass for another message. */
const INDENT = 8;
/** For the mark and the time that is left, at the right of a text's first line. */
const GUTTER = 12;
const NARROW_GUTTER = 6;
/** From this width on the time that is left has a place. */
const WIDE = 56;
const HOUR_MS = 3600_000;
const MINUTE_MS = 60_000;

/** What a person must not miss. */
const warnings: ReadonlySet<string> = new Set([
  'changed',
  'ghost',
  'change-refused',
  'room-key',
  'untrusted',
  'invitation-refused',
  'gap',
  'unreadable',
  'send-again',
]);

export const isWarning = (row: Shown): boolean =>
  row.type === 'notice' ? warnings.has(row.kind) : row.type === 'local' && row.warns;

/** The same as one text, for a screen of lines. @param me name of who looks */
export function plainRow(row: Row, me: string): string {
  const time = clockTime(row.type === 'message' ? row.time : row.at);
  if (row.type === 'notice') return `${time} ${isWarning(row) ? '! ' : '* '}${plainLine(typed(noticeText(row)))}`;
  const [who, mark] = row.type === 'message' ? [row.from, ''] : [me, ` ${marks[row.state]}`];
  const act = actOf(row.text);
  const said = plainText(act ?? row.text, ' '.repeat(INDENT));
  return act === undefined
    ? `${time} @${plainLine(who)}${mark}: ${said}`
    : `${time} * @${plainLine(who)}${mark} ${said}`;
}

function gutterOf(width: number): number {
  return width >= WIDE ? GUTTER : NARROW_GUTTER;
}

/** @param name of who looks @param width columns */
export function linesOf(row: Shown, me: string, width: number, theme: Theme): Line[] {
  const at = row.type === 'message' ? row.time : row.at;
  const time: Span = { text: `${clockTime(at)} `, style: theme.dim };
  if (row.type === 'message') return said(row.from, row.text, time, width, theme, personStyle(theme, row.from));
  if (row.type === 'out') return said(me, row.text, time, width, theme, theme.own);
  const how = isWarning(row) ? theme.warning : theme.notice;
  const text = row.type === 'local' ? row.text : plainLine(typed(noticeText(row)));
  const mark = isWarning(row) ? '! ' : row.type === 'local' ? '  ' : '· ';
  return folded([time, { text: mark, style: how }], text, width, how);
}

function said(who: string, text: string, time: Span, width: number, theme: Theme, how: Style): Line[] {
  const name = `@${plainLine(who)}`;
  const gutter = gutterOf(width);
  const act = actOf(text);
  if (act !== undefined) return folded([time, { text: `* ${name} `, style: how }], act, width, theme.plain, gutter);
  return folded([time, { text: `${name}: `, style: how }], text, width, theme.plain, gutter);
}

/** What somebody does, where that is what they say. */
function actOf(text: string): string | undefined {
  return /^\/me\s+(\S.*)$/s.exec(text)?.[1];
}

/** @param text with line breaks of its own @param gutter columns that stay free at the right of the first line */
function folded(head: readonly Span[], text: string, width: number, how: Style, gutter = 0): Line[] {
  const used = head.reduce((sum, { text: part }) => sum + widthOf(part), gutter);
  const rows = wrapText(plainText(text, ''), width - 1, INDENT, used).map((row) => shownText(row.clusters));
  return rows.map((row, index) =>
    index === 0
      ? [...head, { text: row, style: how }]
      : [
          { text: ' '.repeat(INDENT), style: how },
          { text: row, style: how },
        ],
  );
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Above the first row of a day that is another than that of the row before; today needs none at the beginning. */
export function dayLine(before: Shown | undefined, row: Shown, width: number, theme: Theme): Line | undefined {
  const day = dayOf(row);
  if (day === (before ? dayOf(before) : new Date().toDateString())) return undefined;
  const date = new Date(row.at);
  const two = (number: number): string => String(number).padStart(2, '0');
  const name = `${weekdays[date.getDay()] ?? ''} ${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return rule(name, width, theme);
}

function dayOf(row: Shown): string {
  return new Date(row.at).toDateString();
}

export function markerLine(width: number, theme: Theme): Line {
  return rule('new', width, { ...theme, dim: theme.unread });
}

function rule(text: string, width: number, theme: Theme): Line {
  const room = Math.max(0, Math.min(width, 60) - text.length - 2);
  const left = '─'.repeat(Math.floor(room / 2));
  return [{ text: `${left} ${text} ${'─'.repeat(room - left.length)}`, style: theme.dim }];
}

const marks = { waiting: '…', queued: '✓', delivered: '✓✓', read: 'read', failed: '✗' } as const;

/** What stands at the right of a text's first line: how far it is, and how long it stays. @param now ms since 1970 */
export function gutterText(row: Shown, width: number, inRoom: boolean, now: number): string {
  if (row.type !== 'message' && row.type !== 'out') return '';
  const mark = row.type === 'out' ? marks[row.state] : '';
  const since = row.type === 'out' ? row.done : row.read;
  if (width < WIDE || inRoom || since === undefined) return mark.padEnd(4);
  const left = Math.max(0, Math.ceil((since + HOUR_MS - now) / MINUTE_MS));
  return `${mark.padEnd(4)} ⏱ ${String(Math.min(left, 60)).padStart(2)}m`;
}
