/**
 * Lines that never reach the edge of a terminal: it would go on in the first column, where a text could pass
 * for another message.
 */
import { clusters, type Cluster } from './width.js';

export interface Row {
  readonly clusters: readonly Cluster[];
  /** Columns that it takes, without what stands before it. */
  readonly width: number;
}

/* The widest cluster. */
const NARROWEST = 2;

/**
 * A text with its own line breaks, as rows that are broken after a space where there is one. The spaces at a
 * break are left out; nothing else is.
 * @param text plain already; its offsets in the rows are those of the whole text
 * @param width columns of the terminal, or of its pane
 * @param indent columns that stand before each row but the first; two are left beside them, however narrow it is
 * @param head columns that stand before the first row; where nothing fits beside them, that row is empty
 */
export function wrapText(text: string, width: number, indent = 0, head = 0): Row[] {
  const rows: Row[] = [];
  const room = Math.max(width - indent, NARROWEST);
  const first = head === 0 ? Math.max(width, NARROWEST) : width - head;
  let offset = 0;
  for (const line of text.split('\n')) {
    const cells = clusters(line);
    wrapLine(
      offset === 0 ? cells : cells.map((cell) => moved(cell, offset)),
      rows.length === 0 ? first : room,
      room,
      rows,
    );
    offset += line.length + 1;
  }
  return rows;
}

function moved({ shown, width, from, to }: Cluster, by: number): Cluster {
  return { shown, width, from: from + by, to: to + by };
}

/** @param first columns left in the first row; `room` in the others @param rows what the rows are added to */
function wrapLine(cells: readonly Cluster[], first: number, room: number, rows: Row[]): void {
  const before = rows.length;
  let from = 0; // the row under way
  let used = 0;
  let gap = 0; // behind its last space, and the columns up to there
  let usedToGap = 0;
  const begin = (next: number): void => {
    from = next;
    gap = next;
    usedToGap = 0;
  };
  for (const [index, { shown, width }] of cells.entries()) {
    const isFirst = rows.length === before;
    if (shown === ' ' && index === from && !isFirst) {
      begin(index + 1); // of a break
      continue;
    }
    if (used + width > (isFirst ? first : room)) {
      if (shown === ' ') {
        rows.push(rowOf(cells, from, index));
        begin(index + 1); // the break stands in its place
        used = 0;
        continue;
      }
      /* A row without a space is broken where it is full; the first one, beside the head, may stay empty. */
      const rest = used - usedToGap;
      const keeps = (gap > from || isFirst) && rest + width <= room;
      const to = keeps ? gap : index;
      rows.push(rowOf(cells, from, to));
      begin(to);
      used = keeps ? rest : 0;
    }
    used += width;
    if (shown === ' ') {
      gap = index + 1;
      usedToGap = used;
    }
  }
  rows.push(rowOf(cells, from, cells.length));
}

/** Of the cells from `from` up to `to`; a space at a break is not seen. */
function rowOf(cells: readonly Cluster[], from: number, to: number): Row {
  let end = to;
  if (to < cells.length) while (end > from && cells[end - 1]?.shown === ' ') end--;
  const row = cells.slice(from, end);
  return { clusters: row, width: row.reduce((sum, { width }) => sum + width, 0) };
}
