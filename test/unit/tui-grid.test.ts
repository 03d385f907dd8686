/** The screen as cells. */
import { test } from 'tap';
import { Flag, Grid, plainStyle, style } from '../../src/faces/tui/terminal/grid.js';
import { rowsOf } from '../support/drawn.js';

test('what is written over the edge is cut, and a wide character never halved', (t) => {
  const grid = new Grid(6, 2);
  t.equal(grid.put(3, 0, 'abcdef'), 6);
  t.equal(grid.put(1, 1, '語言語'), 5, 'the third has one column left');
  t.same(rowsOf(grid), ['   abc', ' 語言']);
  t.equal(grid.put(0, 0, 'wide', plainStyle, 2), 2);
  t.equal(grid.put(0, 1, '語', plainStyle, 1), 0);
  t.same(rowsOf(grid), ['wi abc', ' 語言']);
  t.same([...grid.wide].sort(), ['言', '語']);
  t.end();
});

test('outside the screen nothing is written', (t) => {
  const grid = new Grid(3, 1);
  for (const [x, y] of [
    [0, 1],
    [0, -1],
    [3, 0],
    [9, 0],
  ] as const)
    t.equal(grid.put(x, y, 'x'), x);
  t.equal(grid.put(0, 0, 'x', plainStyle, 0), 0);
  grid.fill(0, 0, -2, plainStyle, 'y');
  t.same(rowsOf(grid), ['']);
  t.same(new Grid(0, 0).cells, []);
  t.end();
});

test('spans follow each other, each in its style; a fill has one', (t) => {
  const grid = new Grid(8, 1);
  const [red, blue] = [style(Flag.bold, 1), style(0, 4, 5)];
  grid.fill(0, 0, 8, blue, '.');
  t.equal(
    grid.spans(
      1,
      0,
      [
        { text: 'ab', style: red },
        { text: '語xyz', style: plainStyle },
      ],
      5,
    ),
    6,
  );
  t.same(rowsOf(grid), ['.ab語x..']);
  t.same(
    grid.cells[0]?.map((cell) => cell.style),
    [blue, red, red, plainStyle, plainStyle, plainStyle, blue, blue],
  );
  grid.cursor = { x: 1, y: 0 };
  grid.clear();
  t.same(rowsOf(grid), ['']);
  t.equal(grid.cursor, undefined);
  t.equal(grid.wide.size, 0);
  t.ok(grid.cells[0]?.every((cell) => cell.style === plainStyle));
  t.end();
});
