/** Cells of a frame as a terminal shows them. */
import { test } from 'tap';
import { Canvas } from '../../src/faces/tui/terminal/canvas.js';
import { Emulator } from '../support/emulator.js';

const [columns, rows] = [12, 2];

void test('a wide character that is half covered goes as a whole', async (t) => {
  const screen = new Emulator(columns, rows, () => undefined);
  const canvas = new Canvas({ columns, rows, write: (text) => screen.write(text) });
  t.teardown(() => canvas.close());
  const grid = canvas.grid();
  const shows = async (): Promise<string> => {
    canvas.paint(grid);
    await new Promise<void>((resolve) => screen.write('', resolve));
    return screen.line(0).trimEnd();
  };
  grid.put(0, 0, '字字字字字');
  t.equal(await shows(), '字字字字字');
  grid.put(3, 0, 'x');
  t.equal(await shows(), '字 x字字字', 'its second half');
  grid.put(4, 0, 'y');
  t.equal(await shows(), '字 xy 字字', 'its first half');
  grid.put(7, 0, '字');
  t.equal(await shows(), '字 xy  字', 'by another, from which both beside it go');
  grid.clear();
  grid.put(columns - 1, 0, '字');
  t.equal(await shows(), '', 'and none is cut at the edge');
});
