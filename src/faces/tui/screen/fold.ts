import { shownText } from '../../../plain/width.js';
import { wrapText } from '../../../plain/wrap.js';

/** A line of this program's own, as rows. @param text plain @param width columns @param indent before all rows but the first */
export function fold(text: string, width: number, indent = 0): string[] {
  const rows = wrapText(text, width, indent).map((row) => shownText(row.clusters));
  return rows.map((row, index) => (index === 0 ? row : ' '.repeat(indent) + row));
}
