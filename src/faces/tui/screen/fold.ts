import { shownText } from '../../../plain/width.js';
import { wrapText } from '../../../plain/wrap.js';

/** A line of this program's own, as rows. @param text plain @param width columns */
export function fold(text: string, width: number): string[] {
  return wrapText(text, width).map((row) => shownText(row.clusters));
}
