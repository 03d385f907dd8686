import { plainLine } from '../../../plain/plain.js';
import { clusters, type Cluster } from '../../../plain/width.js';

export interface InputView {
  /** Plain, none wider than was asked for, one at least. */
  readonly rows: readonly string[];
  /** Of `rows`. */
  readonly cursorRow: number;
  /** Columns before the cursor. */
  readonly cursorColumn: number;
}

interface Folded {
  readonly cells: readonly Cluster[];
  readonly rows: readonly string[];
}

interface Place {
  readonly row: number;
  readonly column: number;
}

/** The part of a text that is seen where it is written: it moves no further than the cursor asks for. */
export class InputWindow {
  #top = 0;
  #width = 0;
  /** The lines that were there at the last look: one line changes, the others do not. */
  #known = new Map<string, Folded>();

  /** @param cursor UTF-16 offset @param width columns, two at least @param height rows, one at least */
  view(text: string, cursor: number, width: number, height: number): InputView {
    const [columns, limit] = [Math.max(width, 2), Math.max(height, 1)];
    const known = columns === this.#width ? this.#known : new Map<string, Folded>();
    this.#known = new Map();
    this.#width = columns;
    const all: string[] = [];
    let place: Place = { row: 0, column: 0 };
    let from = 0;
    for (const line of text.split('\n')) {
      const folded = known.get(line) ?? fold(line, columns);
      this.#known.set(line, folded);
      const { cells, rows } = folded;
      const above = all.length;
      for (const row of rows) all.push(row);
      if (cursor >= from && cursor <= from + line.length) {
        const { row, column } = placeIn(cells, plainLine(line.slice(0, cursor - from)).length, columns);
        if (row === rows.length) all.push(''); // behind a row that is full
        place = { row: above + row, column };
      }
      from += line.length + 1;
    }
    this.#top = Math.min(this.#top, place.row, Math.max(all.length - limit, 0));
    this.#top = Math.max(this.#top, place.row - limit + 1);
    return {
      rows: all.slice(this.#top, this.#top + limit),
      cursorRow: place.row - this.#top,
      cursorColumn: place.column,
    };
  }
}

/** Rows that are full, but for what a wide character leaves: spaces are seen as they are typed. */
function fold(line: string, columns: number): Folded {
  const cells = clusters(plainLine(line));
  const rows: string[] = [];
  let row = '';
  let used = 0;
  for (const { shown, width } of cells) {
    if (used + width > columns) {
      rows.push(row);
      row = '';
      used = 0;
    }
    row += shown;
    used += width;
  }
  rows.push(row);
  return { cells, rows };
}

/** Where the cell at an offset stands, or would. */
function placeIn(cells: readonly Cluster[], offset: number, columns: number): Place {
  let row = 0;
  let used = 0;
  for (const { from, width } of cells) {
    if (used + width > columns) {
      row++;
      used = 0;
    }
    if (from >= offset) return { row, column: used };
    used += width;
  }
  return used < columns ? { row, column: used } : { row: row + 1, column: 0 };
}
