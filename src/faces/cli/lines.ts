/** What was said, as the command line prints it. All text of others passes through plain.ts here. */
import type { Item, Line } from '../../client/index.js';
import { plainLine, plainText } from '../../plain/plain.js';
import { noticeText } from '../wording/notices.js';
import { clockTime, marks } from '../wording/people.js';
import { wrap } from './wrap.js';

const INDENT = '        ';

/** @param columns of the terminal, where it is one */
export function itemLine(item: Item, columns?: number): string {
  if (item.type === 'notice') return `* ${plainLine(noticeText(item))}`;
  const where = item.room === undefined ? '' : `#${plainLine(item.room)} `;
  return textLine(`[${clockTime(item.time)}] ${where}@${plainLine(item.from)}: `, item.text, columns);
}

/** The conversation or room is known to who asks for it: the line does not name it. */
export function historyLine(line: Line, columns?: number): string {
  if (line.type === 'in') return textLine(`[${clockTime(line.time)}] @${plainLine(line.from)}: `, line.text, columns);
  return textLine(`[${clockTime(line.at)}] me ${marks[line.state]}: `, line.text, columns);
}

function textLine(head: string, text: string, columns: number | undefined): string {
  if (columns === undefined) return head + plainText(text, INDENT);
  return wrap(head, plainText(text, ''), INDENT, columns);
}
