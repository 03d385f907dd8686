/**
 * Lines that never reach the edge of a terminal: it would go on in the first column, where a text could pass
 * for another message.
 */

/* Two columns at most terminals: East Asian wide forms and pictures. All else is counted as one, marks that
   combine too: too narrow a line does no harm. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{10ffff}]|\p{Extended_Pictographic}/u;

function widthOf(character: string): number {
  return wide.test(character) ? 2 : 1;
}

/**
 * @param head stands before the first line; it is plain, its characters take one column each
 * @param lines without control characters
 * @param indent before every line but the first
 */
export function wrap(head: string, lines: readonly string[], indent: string, columns: number): string {
  const room = Math.max(columns - indent.length, 2);
  const first = columns - [...head].length;
  const rows = lines.flatMap((line, index) => fold(line, index === 0 ? first : room, room));
  return head + rows.join(`\n${indent}`);
}

/** One line as rows, broken after a space where there is one. @param first columns left in the first row */
function fold(line: string, first: number, room: number): string[] {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  for (const character of line) {
    const width = widthOf(character);
    const limit = rows.length === 0 ? first : room;
    if (used + width > limit) {
      const cut = character === ' ' ? row.length : row.lastIndexOf(' ') + 1;
      const rest = row.slice(cut);
      /* A row without a space is broken where it is full; the first one, beside the head, may stay empty. */
      const keeps = (cut > 0 || rows.length === 0) && columnsOf(rest) + width <= room;
      rows.push(keeps ? row.slice(0, cut).trimEnd() : row);
      row = keeps ? rest : '';
      used = columnsOf(row);
      if (character === ' ') continue; // the break stands in its place
    }
    row += character;
    used += width;
  }
  rows.push(row);
  return rows;
}

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}
