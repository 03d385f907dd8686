/** What a terminal makes of a program's output: a screen of cells, and what else it was told. */
import xterm, { type IBufferLine } from '@xterm/headless';
import { cellOf, type Cell } from './cell.js';
import { widths } from './widths.js';

const OSC_KEPT = 10_000;
/** Higher numbers than any terminal knows of. */
const OSC_NUMBERS = 10_000;

export class Emulator {
  /** Times that the program rang. */
  bells = 0;
  /** Operating system commands (OSC) of the program in their order, the newest 10,000. */
  readonly osc: { readonly code: number; readonly data: string }[] = [];
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  #cursorHidden = false;

  /** @param answer takes what the terminal answers to the program's questions (DA, CPR) */
  constructor(columns: number, rows: number, answer: (text: string) => void) {
    // Off, since it would write of each malformed sequence among the results of tests; terminals pass over them.
    this.#terminal = new xterm.Terminal({ cols: columns, rows, logLevel: 'off', allowProposedApi: true });
    this.#terminal.unicode.register(widths);
    this.#terminal.unicode.activeVersion = widths.version;
    this.#terminal.onData(answer);
    this.#listen();
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  /** Whether the program went over to the alternate buffer (?1049). */
  get alternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** What the program asked of the terminal. */
  get modes() {
    const { modes } = this.#terminal;
    return {
      bracketedPaste: modes.bracketedPasteMode,
      focus: modes.sendFocusMode,
      mouse: modes.mouseTrackingMode,
      applicationKeys: modes.applicationCursorKeysMode,
      /** Within an output that is to be shown at once */
      synchronized: modes.synchronizedOutputMode,
    };
  }

  /** The rows that are seen, without spaces at their ends. */
  text(): string {
    return Array.from({ length: this.rows }, (_, y) => this.line(y)).join('\n');
  }

  /** @throws RangeError where there is no such row */
  line(y: number): string {
    return this.#line(y).translateToString(true);
  }

  /**
   * The second half of a wide character has no characters and the width 0.
   *
   * @throws RangeError where there is no such cell
   */
  cell(x: number, y: number): Cell {
    const cell = this.#line(y).getCell(x);
    if (cell === undefined) throw new RangeError(`no column ${x} on a screen of ${this.columns}`);
    return cellOf(cell);
  }

  /** Behind a full row `x` is the number of columns, as the emulator wraps when the next character comes. */
  cursor(): { readonly x: number; readonly y: number; readonly hidden: boolean } {
    const { cursorX: x, cursorY: y } = this.#terminal.buffer.active;
    return { x, y, hidden: this.#cursorHidden };
  }

  /** @param done is called when it is on the screen, which is later, never within this call */
  write(output: Uint8Array | string, done?: () => void): void {
    this.#terminal.write(output, done);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  #listen(): void {
    const { parser } = this.#terminal;
    this.#terminal.onBell(() => this.bells++);
    for (let code = 0; code < OSC_NUMBERS; code++)
      parser.registerOscHandler(code, (data) => {
        if (this.osc.push({ code, data }) > OSC_KEPT) this.osc.shift();
        return false;
      });
    // The emulator has no word for the cursor's being hidden.
    const cursor = (hidden: boolean, concerned = true): false => {
      if (concerned) this.#cursorHidden = hidden;
      return false;
    };
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (modes) => cursor(true, modes.includes(25)));
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, (modes) => cursor(false, modes.includes(25)));
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, () => cursor(false));
    parser.registerEscHandler({ final: 'c' }, () => cursor(false));
  }

  #line(y: number): IBufferLine {
    const { active } = this.#terminal.buffer;
    const line = y >= 0 && y < this.rows ? active.getLine(active.baseY + y) : undefined;
    if (line === undefined) throw new RangeError(`no row ${y} on a screen of ${this.rows}`);
    return line;
  }
}
