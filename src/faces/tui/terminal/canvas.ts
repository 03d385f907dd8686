/** blessed behind one door: rows of cells in, the bytes that change the terminal out. */
import { EventEmitter } from 'node:events';
import blessedProgram, { type Program } from 'blessed/lib/program.js';
import blessedScreen, { type BlessedScreen } from 'blessed/lib/widgets/screen.js';
import unicode from 'blessed/lib/unicode.js';
import { ansi, ansiPut } from './ansi.js';
import { Grid } from './grid.js';

/** Blessed asks for the width of what is in a cell; all that is in one was measured when the grid was filled. */
unicode.charWidth = (text, index) => (index === undefined && text.length > 0 && wide.has(text) ? 2 : 1);
/** What has two columns, of the frame that is painted. */
let wide: ReadonlySet<string> = new Set();

/** Around a frame: a terminal that knows these shows it whole or not at all. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

/** Where the bytes go. */
export interface CanvasOutput {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** blessed reads `columns` and `rows` of its output, and listens to it. */
class Output extends EventEmitter {
  readonly isTTY = true;
  readonly writable = true;
  readonly #to: CanvasOutput;

  constructor(to: CanvasOutput) {
    super();
    this.#to = to;
  }

  get columns(): number {
    return this.#to.columns;
  }

  get rows(): number {
    return this.#to.rows;
  }

  write(text: string): void {
    this.#to.write(text);
  }
}

export class Canvas {
  readonly #output: Output;
  readonly #program: Program;
  readonly #screen: BlessedScreen;

  /** Enters the alternate screen. */
  constructor(to: CanvasOutput) {
    this.#output = new Output(to);
    const program = blessedProgram({
      input: new EventEmitter(), // keys are read and decoded elsewhere
      output: this.#output,
      terminal: 'xterm',
      tput: false,
      buffer: true,
      zero: true,
    });
    program._tputSetup = true;
    program.tput = ansi;
    program.put = ansiPut((text) => program._write(text));
    this.#program = program;
    this.#screen = blessedScreen({ program, fullUnicode: true });
    program.flush();
  }

  /** An empty one of the terminal's size. */
  grid(): Grid {
    return new Grid(this.#output.columns, this.#output.rows);
  }

  /** Takes the terminal's size anew, and forgets what is on it. */
  resized(): void {
    this.#output.emit('resize');
  }

  /** Paints everything at the next frame, whatever it thinks is there. */
  forget(): void {
    this.#screen.realloc();
  }

  /** The terminal is somebody else's for a while, or is again ours. */
  leave(): void {
    this.#screen.leave();
    this.#program.flush();
  }

  enter(): void {
    this.#screen.enter();
    this.#program.flush();
  }

  paint(grid: Grid): void {
    wide = grid.wide;
    const { lines } = this.#screen;
    for (const [y, row] of grid.cells.entries()) {
      const line = lines[y];
      if (!line) continue;
      for (const [x, cell] of row.entries()) {
        const before = line[x];
        if (!before || (before[0] === cell.style && before[1] === cell.shown)) continue;
        before[0] = cell.style;
        before[1] = cell.shown;
        line.dirty = true;
      }
    }
    this.#program._write(BEGIN);
    this.#program.hideCursor();
    this.#screen.draw(0, lines.length - 1);
    if (grid.cursor) {
      this.#program.cup(grid.cursor.y, grid.cursor.x);
      this.#program.showCursor();
    }
    this.#program._write(END);
    this.#program.flush();
  }

  /** Something that is no cell: a bell, a title, the clipboard. */
  send(sequence: string): void {
    this.#program._write(sequence);
    this.#program.flush();
  }

  /** Leaves the alternate screen, for good. */
  close(): void {
    this.#screen.destroy();
  }
}
