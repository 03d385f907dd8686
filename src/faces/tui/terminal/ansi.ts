/**
 * What blessed takes a terminal to be. Its own reader of terminfo needs files that a machine may not have and a client
 * of one file can't bring along, and compiles them by `new Function` at each start; every terminal that is left
 * understands these sequences of ECMA-48 and xterm.
 */
const CSI = '\u001b[';

type Sequence = (...args: number[]) => string;

const sequences = {
  cup: (row: number, column: number) => `${CSI}${String(row + 1)};${String(column + 1)}H`,
  cuf: (columns: number) => `${CSI}${String(columns)}C`,
  csr: (top: number, bottom: number) => `${CSI}${String(top + 1)};${String(bottom + 1)}r`,
  el: () => `${CSI}K`,
  sc: () => '\u001b7',
  rc: () => '\u001b8',
  civis: () => `${CSI}?25l`,
  cnorm: () => `${CSI}?25h`,
  smcup: () => `${CSI}?1049h`,
  rmcup: () => `${CSI}?1049l`,
  clear: () => `${CSI}0m${CSI}H${CSI}2J`,
  keypad_xmit: () => '',
  keypad_local: () => '',
} as const;

/** As blessed's `tput`. */
export const ansi = {
  ...sequences,
  colors: 256,
  unicode: true,
  strings: { parm_right_cursor: `${CSI}%p1%dC` },
  bools: {},
  numbers: { U8: 1 },
  acscr: {},
};

/** As blessed's `put`: the same, written. */
export function ansiPut(write: (text: string) => void): Readonly<Record<string, (...args: number[]) => void>> {
  const put: Record<string, (...args: number[]) => void> = {};
  for (const [name, make] of Object.entries<Sequence>(sequences)) put[name] = (...args) => write(make(...args));
  return put;
}
