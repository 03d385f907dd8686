/** Frames on a terminal: whatever was painted before, the last one is what is seen. */
import { test } from 'tap';
import { Canvas } from '../../src/faces/tui/terminal/canvas.js';
import { Flag, Grid, plainStyle, style, type Style } from '../../src/faces/tui/terminal/grid.js';
import { Draws } from '../support/draws.js';
import type { Cell } from '../support/cell.js';
import { Emulator } from '../support/emulator.js';
import { newSeed } from '../support/random.js';

const seed = newSeed();

/** A canvas and the terminal that it paints on. */
class Easel {
  readonly emulator: Emulator;
  readonly canvas: Canvas;
  /** since it was asked for last */
  #written = '';

  constructor(columns: number, rows: number) {
    const emulator = new Emulator(columns, rows, () => undefined);
    this.emulator = emulator;
    const write = (text: string): void => {
      this.#written += text;
      emulator.write(text);
    };
    this.canvas = new Canvas({
      get columns() {
        return emulator.columns;
      },
      get rows() {
        return emulator.rows;
      },
      write,
    });
  }

  written(): string {
    const text = this.#written;
    this.#written = '';
    return text;
  }

  async cells(): Promise<Cell[][]> {
    const { emulator } = this;
    await new Promise<void>((resolve) => emulator.write('', resolve));
    return Array.from({ length: emulator.rows }, (_, y) =>
      Array.from({ length: emulator.columns }, (__, x) => emulator.cell(x, y)),
    );
  }
}

/** The frame alone, on a terminal of its own. */
async function alone(grid: Grid): Promise<Cell[][]> {
  const easel = new Easel(grid.columns, grid.rows);
  easel.canvas.paint(grid);
  return easel.cells();
}

const styles: readonly Style[] = [
  plainStyle,
  ...[Flag.bold, Flag.underline, Flag.inverse, Flag.bold | Flag.inverse].map((flags) => style(flags)),
  ...[style(0, 1), style(0, 9, 0), style(Flag.bold, 255, 24), style(0, 16, 231), style(Flag.underline, 200, 15)],
];
const texts = ['a', 'word ', '語', '言語', '👩‍👩‍👧', '🇫🇷', 'é', 'e\u0301', '│', '┌─┐', '—', '  ', 'x語y', 'ﾊ', '한글'];

function drawn(draws: Draws, columns: number, rows: number): Grid {
  const grid = new Grid(columns, rows);
  for (let y = 0; y < rows; y++) {
    if (draws.chance(0.3)) continue;
    let x = draws.below(columns);
    while (x < columns) {
      const next = grid.put(x, y, draws.pick(texts), draws.pick(styles));
      if (next === x) break; // the last column has no room for it
      x = next + (draws.chance(0.3) ? draws.below(5) : 0);
    }
  }
  /* Over what is there, as a box is. */
  for (let over = draws.below(6); over > 0; over--)
    grid.put(draws.below(columns), draws.below(rows), draws.pick(texts), draws.pick(styles));
  if (draws.chance(0.8)) grid.cursor = { x: draws.below(columns), y: draws.below(rows) };
  return grid;
}

for (const [columns, rows] of [
  [40, 10],
  [7, 3],
  [2, 2],
  [1, 1],
] as const)
  test(`frames one after another, ${String(columns)}×${String(rows)} (SEED=${String(seed)})`, async (t) => {
    const draws = new Draws(seed);
    const easel = new Easel(columns, rows);
    for (let frame = 0; frame < 60; frame++) {
      const grid = drawn(draws, columns, rows);
      easel.canvas.paint(grid);
      const [seen, wanted] = [await easel.cells(), await alone(grid)];
      t.same(seen, wanted, `frame ${String(frame)}`);
      const { x, y, hidden } = easel.emulator.cursor();
      t.equal(hidden, grid.cursor === undefined);
      if (grid.cursor) t.same({ x, y }, grid.cursor);
      if (frame % 20 === 19) easel.canvas.forget();
    }
  });

test('what stands on the grid is what is seen, in its colours', async (t) => {
  const grid = new Grid(10, 2);
  grid.put(0, 0, 'ab', style(Flag.bold | Flag.underline, 1, 4));
  grid.put(3, 0, '語', style(Flag.inverse, 222, 24));
  grid.put(6, 0, 'é', style(0, 12, 9));
  grid.put(8, 1, '語', plainStyle);
  const [first = [], second = []] = await alone(grid);
  t.match(first[0], { chars: 'a', fg: 1, bg: 4, bold: true, underline: true, inverse: false });
  t.match(first[2], { chars: ' ', fg: undefined, bg: undefined, bold: false, underline: false });
  t.match(first[3], { chars: '語', width: 2, fg: 222, bg: 24, inverse: true, bold: false });
  t.match(first[4], { chars: '', width: 0 });
  t.match(first[6], { chars: 'é', fg: 12, bg: 9, inverse: false });
  t.match(second[8], { chars: '語', width: 2 }, 'it has its place at the right edge');
});

test('wide characters, narrow ones in their place, and back', async (t) => {
  const easel = new Easel(6, 1);
  const line = async (text: string, from = 0): Promise<string> => {
    const grid = new Grid(6, 1);
    grid.put(from, 0, text);
    easel.canvas.paint(grid);
    await easel.cells();
    return easel.emulator.line(0).trimEnd();
  };
  for (const text of ['語言語', 'abcdef', '語言語', 'a語言b', '語言', '語a言', 'ab', '語言語'])
    t.equal(await line(text), text);
  t.equal(await line('語言', 1), ' 語言');
  t.equal(await line('語', 4), '    語');
  t.equal(await line('xy', 4), '    xy');
});

test('nothing but a frame is written where nothing changed', async (t) => {
  const easel = new Easel(20, 3);
  const grid = drawn(new Draws(seed), 20, 3);
  grid.put(0, 1, '語言 wide');
  grid.cursor = { x: 3, y: 2 };
  easel.canvas.paint(grid);
  await easel.cells();
  easel.written();
  easel.canvas.paint(grid);
  t.equal(easel.written(), '\u001b[?2026h\u001b[?25l\u001b[3;4H\u001b[?25h\u001b[?2026l');
  grid.cursor = undefined;
  easel.canvas.paint(grid);
  t.notMatch(easel.written(), /\?25h/, 'a hidden cursor stays so');
  easel.canvas.forget();
  easel.canvas.paint(grid);
  t.match(easel.written(), /語言.*wide/, 'all of it where the terminal’s content is forgotten');
});

test('another size, and a terminal that was somebody else’s for a while', async (t) => {
  const easel = new Easel(12, 4);
  const draws = new Draws(seed);
  easel.canvas.paint(drawn(draws, 12, 4));
  for (const [columns, rows] of [
    [30, 8],
    [3, 1],
    [12, 4],
  ] as const) {
    await easel.cells();
    easel.emulator.resize(columns, rows);
    easel.canvas.resized();
    const grid = drawn(draws, columns, rows);
    easel.canvas.paint(grid);
    t.same(await easel.cells(), await alone(grid), `${String(columns)}×${String(rows)}`);
  }
  easel.canvas.leave();
  await easel.cells();
  t.notOk(easel.emulator.alternate);
  easel.canvas.enter();
  easel.canvas.forget();
  const grid = drawn(draws, 12, 4);
  easel.canvas.paint(grid);
  t.same(await easel.cells(), await alone(grid));
  t.ok(easel.emulator.alternate);
  easel.canvas.close();
  await easel.cells();
  t.notOk(easel.emulator.alternate);
  t.notOk(easel.emulator.cursor().hidden, 'the cursor is there again');
});
