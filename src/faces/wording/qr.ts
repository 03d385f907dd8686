/** A text as a QR code made of half blocks: dark on light whatever the terminal's colours, where it has colours. */
import { encode } from 'uqr';

const LIGHT_BACKGROUND = '\u001b[30;107m';
const RESET = '\u001b[0m';
/** Light modules around the code: the standard wants four, readers are content with two, and a terminal has few lines. */
const QUIET = 2;

/** Lines of one width. @param darkBlocks dark modules are drawn, on a light ground; otherwise light ones, on a dark ground */
export function qrRows(text: string, darkBlocks: boolean): string[] {
  const { data, size } = encode(text, { ecc: 'L', border: QUIET });
  const drawn = (row: number, column: number): boolean => (data[row]?.[column] ?? false) === darkBlocks;
  const rows: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = '';
    for (let column = 0; column < size; column++) {
      const [upper, lower] = [drawn(row, column), row + 1 < size && drawn(row + 1, column)];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    rows.push(line);
  }
  return rows;
}

/**
 * @param coloured black on white; otherwise light modules are drawn as blocks, as on a dark terminal
 * @returns lines without control characters but those of the colours
 */
export function qrText(text: string, coloured: boolean): string {
  return qrRows(text, coloured)
    .map((line) => (coloured ? `${LIGHT_BACKGROUND}${line}${RESET}` : line))
    .join('\n');
}

/** Columns that it takes. */
export function qrWidth(text: string): number {
  return encode(text, { ecc: 'L', border: QUIET }).size;
}
