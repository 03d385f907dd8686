/** A frame as text: what stands on a grid, without a terminal. */
import { Grid, type Cell } from '../../src/faces/tui/terminal/grid.js';
import type { Line } from '../../src/faces/tui/screen/lines.js';
import { widthOf } from '../../src/plain/width.js';

/** The rows of a frame, without spaces at their ends; what is behind a wide character is left out. */
export function rowsOf(grid: Grid): string[] {
  return grid.cells.map((row) => {
    let text = '';
    for (let x = 0; x < row.length; x += widthOf(row[x]?.shown ?? ' ')) text += row[x]?.shown ?? '';
    return text.trimEnd();
  });
}

export const textOf = (grid: Grid): string => rowsOf(grid).join('\n');

export const lineText = (line: Line): string => line.map(({ text }) => text).join('');

/** The first cell of a text on the frame; undefined where it is not there. Without wide characters before it. */
export function cellAt(grid: Grid, text: string): Cell | undefined {
  for (const [y, row] of rowsOf(grid).entries()) {
    const x = row.indexOf(text);
    if (x >= 0) return grid.cells[y]?.[x];
  }
  return undefined;
}
