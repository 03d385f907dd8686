/** A question over what is shown: text, a field or keys to choose by. Esc takes it away, and with it nothing that was typed elsewhere. */
import { plainLine } from '../../../plain/plain.js';
import { qrRows } from '../../wording/qr.js';
import type { Question } from '../commands/surface.js';
import type { Grid, Style } from '../terminal/grid.js';
import { LineEditor } from '../text/editor.js';
import { chord, type Key } from '../text/key.js';
import { clusters, widthOf } from '../../../plain/width.js';
import { fold } from './fold.js';
import type { Theme } from './theme.js';

/** In bytes: secrets, names and codes are far below. */
const FIELD_MAX = 1024;
/** Columns of a text that people like to read. */
const TEXT_WIDTH = 76;
/** Beside a picture a text needs so many columns. */
const BESIDE = 30;
/** Of what is wrong; the field keeps its place below. */
const PROBLEM_LINES = 3;
/** Of what can be chosen, shown at a time. */
const OPTIONS_MAX = 8;
/** Columns before what goes on of a row that was too long. */
const TABLE_INDENT = 4;

/** Where it would be shown in part, or not at all. */
const NO_ROOM = 'There is no room for the QR code: a larger window shows it.';

interface Painted {
  readonly line: string;
  readonly how: Style;
}

export class Dialog {
  readonly #question: Question;
  readonly #resolve: (answer: string | undefined) => void;
  readonly #editor = new LineEditor({ limit: FIELD_MAX });
  #isShown = false;
  /** index of the one that Enter takes */
  #option = 0;
  #problem = '';
  #scroll = 0;
  #page = 1;
  #last = 0;

  constructor(question: Question, resolve: (answer: string | undefined) => void) {
    this.#question = question;
    this.#resolve = resolve;
    this.#editor.set(question.field?.initial ?? '');
  }

  cancel(): void {
    this.#resolve(undefined);
  }

  /** False where the key means nothing here. */
  key(key: Key): boolean {
    const { field, choices = [] } = this.#question;
    const name = key.type === 'key' ? chord(key) : '';
    if (name === 'escape' || name === 'C-c') {
      this.cancel();
      return true;
    }
    /* A field has one line: what begins another elsewhere is Enter here. */
    if (key.type === 'key' && (key.name === 'enter' || name === 'C-j')) {
      this.#enter();
      return true;
    }
    if (this.#chosen(name) || this.#scrolled(key)) return true;
    if (field?.isSecret === true && name === 'tab') {
      this.#isShown = !this.#isShown;
      return true;
    }
    if (!field) {
      const letter = key.type === 'text' ? key.text : '';
      const chosen = choices.find((one) => one.key === letter.toLowerCase());
      if (chosen) this.#resolve(chosen.value);
      return chosen !== undefined;
    }
    const one: Key = key.type === 'paste' ? { type: 'paste', text: key.text.split('\n')[0] ?? '' } : key;
    const took = this.#editor.take(one);
    this.#problem = took === 'full' ? 'this is too long' : '';
    if (took === 'changed') this.#option = 0;
    return took !== 'ignored';
  }

  /** Arrows, where there is something to choose. */
  #chosen(name: string): boolean {
    if (!this.#question.options || (name !== 'up' && name !== 'down')) return false;
    const count = Math.min(OPTIONS_MAX, this.#question.options(this.#editor.text).length);
    if (count > 0) this.#option = (this.#option + (name === 'down' ? 1 : count - 1)) % count;
    return true;
  }

  #enter(): void {
    const { field, choices = [] } = this.#question;
    if (!field) {
      const chosen = choices.find((one) => one.key === 'enter');
      if (chosen) this.#resolve(chosen.value);
      else if (choices.length === 0) this.cancel();
      return;
    }
    const { text } = this.#editor;
    const option = this.#question.options?.(text)[this.#option];
    this.#problem = field.check?.(text) ?? '';
    if (this.#problem === '') this.#resolve(this.#question.options ? option?.value : text);
  }

  /** Keys that move a text which is longer than the screen. */
  #scrolled(key: Key): boolean {
    if (key.type !== 'key' || key.ctrl || key.alt) return false;
    const by = { up: -1, down: 1, pageup: -this.#page, pagedown: this.#page }[key.name];
    if (by === undefined) return false;
    this.#scroll = Math.max(0, Math.min(this.#scroll + by, this.#last));
    return true;
  }

  // ---- drawing

  draw(grid: Grid, theme: Theme): void {
    grid.cursor = undefined;
    const { title, text, code } = this.#question;
    const picture = code === undefined ? [] : qrRows(code, theme.code !== undefined);
    const pictureWidth = widthOf(picture[0] ?? '');
    const isBeside = picture.length > 0 && grid.columns >= pictureWidth + BESIDE && grid.rows >= picture.length;
    const wanted = Math.max(TEXT_WIDTH, ...text.map((line) => (line.startsWith(' ') ? widthOf(line) : 0)));
    const width = Math.min(isBeside ? grid.columns - pictureWidth - 3 : grid.columns - 4, wanted);
    const head = fold(title, width);
    const lines: Painted[] = text
      .flatMap((line) => fold(line, width, line.startsWith(' ') ? TABLE_INDENT : 0))
      .map((line) => ({ line, how: theme.plain }));
    lines.push(...this.#optionLines(theme));
    const problem = fold(plainLine(this.#problem), width).slice(0, PROBLEM_LINES);
    const foot = this.#foot(width);
    const around = head.length + problem.length + foot.length;
    if (code !== undefined && !isBeside) {
      /* Nobody can scan half of one. */
      const fits = pictureWidth <= width && picture.length < grid.rows - around;
      const under = fits ? picture : fold(NO_ROOM, width);
      lines.push({ line: '', how: theme.plain });
      for (const line of under) lines.push({ line, how: fits ? (theme.code ?? theme.plain) : theme.dim });
    }
    const needed = around + lines.length;
    const isBox = !isBeside && needed + 2 <= grid.rows && width + 4 <= grid.columns;
    const left = isBox ? Math.floor((grid.columns - width) / 2) : isBeside ? pictureWidth + 2 : 2;
    const top = isBox ? Math.floor((grid.rows - needed) / 2) : 0;
    if (isBox) frame(grid, left - 2, top - 1, width + 4, needed + 2, theme);
    else for (let y = 0; y < grid.rows; y++) grid.fill(0, y, grid.columns, theme.plain);
    if (isBeside) for (const [y, row] of picture.entries()) grid.put(0, y, row, theme.code ?? theme.plain);
    for (const [y, line] of head.entries()) grid.put(left, top + y, line, theme.strong, width);
    const room = isBox ? lines.length : Math.max(1, grid.rows - around);
    const height = lines.length > room ? Math.max(1, room - 1) : room; // what tells of more has a row of its own
    this.#page = Math.max(1, height - 1);
    this.#last = Math.max(0, lines.length - height);
    this.#scroll = Math.min(this.#scroll, this.#last);
    const body = top + head.length;
    for (const [y, { line, how }] of lines.slice(this.#scroll, this.#scroll + height).entries())
      grid.put(left, body + y, line, how, width);
    const more = this.#scroll < this.#last ? '— more: ↓ PgDn —' : '— ↑ PgUp —';
    if (this.#last > 0) grid.put(left, body + height, more, theme.dim, width);
    const below = body + Math.min(room, lines.length);
    for (const [y, line] of problem.entries()) grid.put(left, below + y, line, theme.warning, width);
    const end = below + problem.length;
    for (const [y, line] of foot.entries()) grid.put(left, end + y, line, theme.dim, width);
    if (this.#question.field) this.#drawField(grid, theme, left, end, width);
  }

  /** Always so many, so that what stands below does not move while one types. */
  #optionLines(theme: Theme): Painted[] {
    const { options } = this.#question;
    if (!options) return [];
    const found = options(this.#editor.text);
    return Array.from({ length: OPTIONS_MAX }, (_, at) => {
      const isChosen = at === this.#option && at < found.length;
      const line = `${isChosen ? '›' : ' '} ${found[at]?.label ?? ''}`;
      return { line, how: isChosen ? theme.selected : theme.plain };
    });
  }

  /** Under the text and what is wrong: a row for the field, where there is one, and the keys. */
  #foot(width: number): string[] {
    const { field, choices = [] } = this.#question;
    if (field) {
      const show = field.isSecret ? `Tab: ${this.#isShown ? 'hide' : 'show'} · ` : '';
      return ['', ...fold(`${show}Enter · Esc: back`, width)];
    }
    const keys = choices.map(({ key, label }) => `${key === 'enter' ? 'Enter' : key.toUpperCase()}: ${label}`);
    return fold([...keys, 'Esc: close'].join(' · '), width);
  }

  #drawField(grid: Grid, theme: Theme, x: number, y: number, width: number): void {
    const { field } = this.#question;
    if (!field) return;
    const at = grid.put(x, y, field.label, theme.strong, width);
    const room = Math.max(1, x + width - at);
    const { rows, cursorColumn } = this.#fieldView(room, field.isSecret && !this.#isShown);
    grid.fill(at, y, room, theme.field);
    grid.put(at, y, rows, theme.field, room);
    grid.cursor = { x: Math.min(at + cursorColumn, grid.columns - 1), y };
  }

  #fieldView(room: number, isHidden: boolean): { rows: string; cursorColumn: number } {
    if (!isHidden) {
      const view = this.#editor.view(room, 1);
      return { rows: view.rows[0] ?? '', cursorColumn: view.cursorColumn };
    }
    const count = (text: string): number => [...clusters(text)].length;
    const before = count(this.#editor.text.slice(0, this.#editor.cursor));
    const skipped = Math.max(0, before - room + 1);
    const stars = '*'.repeat(Math.min(room, count(this.#editor.text) - skipped));
    return { rows: stars, cursorColumn: before - skipped };
  }
}

function frame(grid: Grid, x: number, y: number, width: number, height: number, theme: Theme): void {
  for (let row = 0; row < height; row++) {
    const isEdge = row === 0 || row === height - 1;
    const [left, middle, right] = isEdge ? (row === 0 ? ['┌', '─', '┐'] : ['└', '─', '┘']) : ['│', ' ', '│'];
    grid.put(x, y + row, `${left}${middle.repeat(Math.max(0, width - 2))}${right}`, theme.border, width);
  }
}
