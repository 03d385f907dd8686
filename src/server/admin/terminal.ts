/** A screen that is redrawn whole, by the sequences that all terminals have; what it changes is put back. */
import type { ReadStream, WriteStream } from 'node:tty';

const ESC = '\u001b[';
const enter = `${ESC}?1049h${ESC}?25l`;
const leave = `${ESC}?25h${ESC}?1049l`;
/** Between these a terminal that knows them shows nothing half done. */
const frame = [`${ESC}?2026h`, `${ESC}?2026l`] as const;
const CTRL_C = '\u0003';

/** How a line stands out: where colours are wanted. */
export type Tone = 'plain' | 'strong' | 'plot' | 'faint' | 'alarm';
const tones: Readonly<Record<Tone, string>> = { plain: '', strong: '1', plot: '36', faint: '2', alarm: '1;31' };

export interface Line {
  readonly text: string;
  readonly tone: Tone;
}

interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** no colours, though weight (NO_COLOR) */
  readonly isPlain: boolean;
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #end: () => void;
  #make: (columns: number) => readonly Line[] = () => [];

  /** @param end is called when somebody types that they want to leave */
  constructor(terminal: Terminal, end: () => void) {
    this.#terminal = terminal;
    this.#end = end;
    const { input, output } = terminal;
    output.write(enter);
    output.on('resize', this.#draw);
    process.on('exit', this.#restore);
    if (!input.isTTY) return;
    input.setRawMode(true);
    input.on('data', this.#typed);
    input.on('end', this.#end);
    input.resume();
  }

  /** @param lines as many as fit are seen, cut at the screen's end */
  show(lines: (columns: number) => readonly Line[]): void {
    this.#make = lines;
    this.#draw();
  }

  readonly #draw = (): void => {
    const { output } = this.#terminal;
    const { columns, rows } = output;
    const lines = this.#make(columns).slice(0, rows);
    /* Cleared first: behind a full line the last character would go. */
    const text = lines.map((line) => `${ESC}K${this.#toned(line, columns)}`).join('\r\n');
    output.write(`${frame[0]}${ESC}H${text}${ESC}J${frame[1]}`);
  };

  #toned({ text, tone }: Line, columns: number): string {
    const shown = [...text].slice(0, columns).join('');
    const codes = this.#terminal.isPlain ? tones[tone].replace(/;?\b3\d\b/, '') : tones[tone];
    return codes === '' ? shown : `${ESC}${codes}m${shown}${ESC}m`;
  }

  readonly #typed = (chunk: Buffer): void => {
    const keys = chunk.toString('latin1');
    if (keys.includes(CTRL_C) || /^[qQ]/.test(keys)) this.#end();
  };

  readonly #restore = (): void => {
    this.#terminal.output.write(leave);
    if (this.#terminal.input.isTTY) this.#terminal.input.setRawMode(false);
  };

  close(): void {
    const { input, output } = this.#terminal;
    output.off('resize', this.#draw);
    process.off('exit', this.#restore);
    input.off('data', this.#typed);
    input.off('end', this.#end);
    input.pause();
    this.#restore();
  }
}
