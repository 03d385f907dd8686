import { shownText, widthOf } from '../../plain/width.js';
import { wrapText } from '../../plain/wrap.js';

/**
 * @param head stands before the first line; it is plain
 * @param text plain, with its own line breaks
 * @param indent before every line but the first
 */
export function wrap(head: string, text: string, indent: string, columns: number): string {
  const rows = wrapText(text, columns, indent.length, widthOf(head));
  return head + rows.map((row) => shownText(row.clusters)).join(`\n${indent}`);
}
