/** The screen as cells, filled from top left: what is written over the edge is cut, and a wide character never halved. */
import { clusters } from '../../../plain/width.js';

/** Colours and attributes as blessed packs them: foreground and background of 9 bits (0x1ff: the terminal's own), then flags. */
export type Style = number;

/** In the second column of a wide character. */
const HALF = '';

const DEFAULT_COLOUR = 0x1ff;
export const Flag = { bold: 1, underline: 2, inverse: 8 } as const;

/** @param flags of `Flag`, added */
export function style(flags = 0, foreground = DEFAULT_COLOUR, background = DEFAULT_COLOUR): Style {
  return (flags << 18) | (foreground << 9) | background;
}
export const plainStyle: Style = style();

export interface Cell {
  shown: string;
  style: Style;
}

export interface Span {
  readonly text: string;
  readonly style: Style;
}

export class Grid {
  readonly columns: number;
  readonly rows: number;
  readonly cells: readonly (readonly Cell[])[];
  /** what takes two columns, of all that was put */
  readonly wide = new Set<string>();
  cursor: { readonly x: number; readonly y: number } | undefined;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.cells = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => ({ shown: ' ', style: plainStyle })),
    );
  }

  clear(): void {
    this.wide.clear();
    this.cursor = undefined;
    for (const row of this.cells)
      for (const cell of row) {
        cell.shown = ' ';
        cell.style = plainStyle;
      }
  }

  /**
   * @param text plain: no control character is in it
   * @param width columns that it may take, from x on
   * @returns the column behind it
   */
  put(x: number, y: number, text: string, how: Style = plainStyle, width = this.columns - x): number {
    const row = this.cells[y];
    const end = Math.min(x + width, this.columns);
    if (!row) return x;
    let at = x;
    for (const cluster of clusters(text)) {
      if (at + cluster.width > end) break;
      const cell = row[at];
      if (!cell) break;
      const before = row[at - 1];
      if (cell.shown === HALF && before) before.shown = ' ';
      cell.shown = cluster.shown;
      cell.style = how;
      if (cluster.width === 2) {
        this.wide.add(cluster.shown);
        const second = row[at + 1];
        if (second) {
          second.shown = HALF;
          second.style = how;
        }
      }
      at += cluster.width;
      const behind = row[at];
      if (behind?.shown === HALF) behind.shown = ' ';
    }
    return at;
  }

  spans(x: number, y: number, spans: readonly Span[], width = this.columns - x): number {
    let at = x;
    for (const { text, style: how } of spans) at = this.put(at, y, text, how, x + width - at);
    return at;
  }

  /** Fills columns from x on. */
  fill(x: number, y: number, width: number, how: Style, character = ' '): void {
    this.put(x, y, character.repeat(Math.max(0, width)), how, width);
  }
}
