/** The screen of a conversation, drawn into a frame. Nothing here changes what it draws. */
import { plainLine } from '../../../plain/plain.js';
import { clusters, widthOf } from '../../../plain/width.js';
import { HOME, type Conversation } from '../talk/conversation.js';
import type { Talk } from '../talk/talk.js';
import type { Grid } from '../terminal/grid.js';
import type { InputView } from '../text/input-window.js';
import { titleText } from './banner.js';
import type { Layout } from './layout.js';
import { gutterText, type Line } from './lines.js';
import type { Theme } from './theme.js';
import type { VisibleLine } from './view.js';

export function drawList(
  grid: Grid,
  layout: Layout,
  list: readonly Conversation[],
  current: Conversation,
  theme: Theme,
): void {
  const { listWidth, status } = layout;
  if (listWidth === 0) return;
  for (let y = 0; y < status; y++) grid.put(listWidth, y, '│', theme.border);
  const first = firstShown(list.indexOf(current), list.length, status);
  for (const [y, one] of list.slice(first, first + status).entries()) {
    const number = first + y < 10 ? String((first + y + 1) % 10) : ' ';
    const count = one.unread > 0 ? ` ${one.unread > 999 ? '999+' : String(one.unread)}` : '';
    const how = one === current ? theme.selected : one.unread > 0 || one.asks ? theme.unread : theme.plain;
    if (one === current) grid.fill(0, y, listWidth, how);
    grid.put(0, y, `${number}${markOf(one)}${one.label}`, how, listWidth - widthOf(count));
    grid.put(listWidth - widthOf(count), y, count, how);
  }
}

/** Told by a sign, not by colour alone. */
function markOf(one: Conversation): string {
  if (one.asks === 'changed' || one.room?.trouble) return '!';
  if (one.asks === 'request' || one.asks === 'invitation') return '?';
  return one.unread > 0 ? '*' : ' ';
}

function firstShown(selected: number, count: number, height: number): number {
  if (count <= height) return 0;
  return Math.max(0, Math.min(selected - Math.floor(height / 2), count - height));
}

export function drawTitle(grid: Grid, layout: Layout, one: Conversation, banner: readonly Line[], theme: Theme): void {
  const { left, width } = layout;
  grid.fill(left, 0, width, theme.title);
  grid.put(left, 0, ` ${titleText(one)}`, theme.title, width);
  for (const [y, line] of banner.entries()) grid.spans(left, 1 + y, line, width);
}

/** @param found what is searched for, and shown where it stands */
export function drawBody(
  grid: Grid,
  layout: Layout,
  lines: readonly VisibleLine[],
  inRoom: boolean,
  found: string,
  theme: Theme,
): void {
  const { left, top, width, height } = layout;
  const now = Date.now();
  const start = top + Math.max(0, height - lines.length);
  for (const [at, { row, line, isFirst }] of lines.entries()) {
    const y = start + at;
    grid.spans(left, y, line, width);
    if (found !== '') highlight(grid, left, y, line, found, theme);
    const gutter = isFirst ? gutterText(row, width, inRoom, now) : '';
    if (gutter !== '') grid.put(left + width - widthOf(gutter) - 1, y, gutter, theme.dim);
  }
}

/** Whole characters: a piece of one may take other columns than the whole. */
function highlight(grid: Grid, left: number, y: number, line: Line, found: string, theme: Theme): void {
  let x = left;
  for (const { text } of line) {
    const lower = lowered(text);
    const hits: number[] = [];
    for (let at = lower.indexOf(found); at >= 0; at = lower.indexOf(found, at + found.length)) hits.push(at);
    for (const { shown, width, from, to } of clusters(text)) {
      if (hits.some((at) => at < to && from < at + found.length)) grid.put(x, y, shown, theme.found);
      x += width;
    }
  }
}

/** In lower case, with the same offsets. */
function lowered(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (character) => {
    const one = character.toLowerCase();
    return one.length === character.length ? one : character;
  }).join('');
}

/** @param hint in the place of the rest, while it helps to type @param follows nothing stands below */
export function drawStatus(
  grid: Grid,
  layout: Layout,
  talk: Talk,
  list: readonly Conversation[],
  current: Conversation,
  hint: string | undefined,
  follows: boolean,
  theme: Theme,
): void {
  grid.fill(0, layout.status, grid.columns, theme.status);
  const more = follows ? '' : ' │ ↓ more below: Alt-End';
  grid.put(0, layout.status, ` ${hint ?? statusText(talk, list, current)}${more}`, theme.status);
}

export function drawInput(grid: Grid, { input }: Layout, prompt: string, view: InputView, theme: Theme): void {
  const x = grid.put(0, input, prompt, theme.strong);
  for (const [y, row] of view.rows.entries()) grid.put(x, input + y, row, theme.plain);
  grid.cursor = { x: Math.min(x + view.cursorColumn, grid.columns - 1), y: input + view.cursorRow };
}

/** Connection, time of the last text, what waits to be read and to be sent. */
function statusText(talk: Talk, list: readonly Conversation[], current: Conversation): string {
  const { status, trouble, lag, away, limited } = talk;
  const name = status ? `@${status.name}` : '';
  const link = status?.session === 'online' ? '● online' : `○ ${trouble ? plainLine(trouble.message) : 'connecting'}`;
  const hot = list.flatMap((one, index) =>
    one !== current && (one.unread > 0 || (one.asks !== undefined && one.asks !== 'offer'))
      ? [
          `${index < 10 ? `${String((index + 1) % 10)}:` : ''}${one.label}${one.asks ? '?' : ''}${one.unread > 0 ? `(${String(one.unread)})` : ''}`,
        ]
      : [],
  );
  return [
    name,
    link,
    ...(lag === undefined || status?.session !== 'online' ? [] : [`lag ${String(lag)} ms`]),
    ...(limited === undefined ? [] : ['the daemon limits how fast you send']),
    ...((status?.waiting ?? 0) > 0 ? [`outbox ${String(status?.waiting)}`] : []),
    ...(away === undefined ? [] : [`away: ${plainLine(away)}`]),
    ...(hot.length === 0 ? [] : [hot.slice(0, 5).join(' ')]),
  ].join(' │ ');
}

/** Whom a text goes to, where that leaves half of the row for it; the title has the name too. */
export function promptOf(one: Conversation, columns: number): string {
  const named = `${one.label}> `;
  return one.key === HOME || widthOf(named) > columns / 2 ? '> ' : named;
}
