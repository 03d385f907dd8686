/** The parts of blessed that are used: its screen, which paints what differs, and its writer. They have no types of their own. */
declare module 'blessed/lib/program.js' {
  export interface ProgramOptions {
    readonly input: NodeJS.EventEmitter;
    readonly output: NodeJS.EventEmitter;
    readonly terminal: string;
    readonly tput: false;
    readonly buffer: true;
    readonly zero: true;
  }
  export interface Program {
    tput: unknown;
    put: unknown;
    /** what `setupTput` looks at before it reads the machine's description of the terminal */
    _tputSetup: boolean;
    cup(row: number, column: number): void;
    showCursor(): void;
    hideCursor(): void;
    /** to the output, behind what is buffered */
    _write(text: string): void;
    flush(): void;
  }
  const program: (options: ProgramOptions) => Program;
  export default program;
}

declare module 'blessed/lib/widgets/screen.js' {
  import type { Program } from 'blessed/lib/program.js';
  /** attributes, and what is in the cell */
  export type BlessedCell = [attributes: number, character: string];
  export interface BlessedScreen {
    readonly lines: (BlessedCell[] & { dirty: boolean })[];
    readonly cols: number;
    readonly rows: number;
    draw(start: number, end: number): void;
    realloc(): void;
    enter(): void;
    leave(): void;
    destroy(): void;
  }
  const screen: (options: { readonly program: Program; readonly fullUnicode: true }) => BlessedScreen;
  export default screen;
}

declare module 'blessed/lib/unicode.js' {
  const unicode: { charWidth: (text: string, index?: number) => number };
  export default unicode;
}
