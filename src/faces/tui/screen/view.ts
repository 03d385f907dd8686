/** Which lines of a conversation are on the screen. Only these are folded; what lies above and below costs nothing. */
import type { Conversation } from '../talk/conversation.js';
import type { Shown } from '../talk/scrollback.js';
import { dayLine, linesOf, markerLine, type Line } from './lines.js';
import type { Theme } from './theme.js';

/** A place in what was said: a line of a row. */
interface Place {
  readonly order: number;
  readonly line: number;
}

export interface VisibleLine {
  readonly row: Shown;
  readonly line: Line;
  /** of its text, not of what stands above that */
  readonly isText: boolean;
  /** the first line of its text, where the mark stands */
  readonly isFirst: boolean;
}

interface Folded {
  readonly width: number;
  readonly theme: Theme;
  readonly lines: readonly Line[];
}

export class View {
  readonly conversation: Conversation;
  readonly #me: string;
  readonly #folded = new WeakMap<Shown, Folded>();
  /** the last line that is shown; undefined: the end, wherever that goes */
  #bottom: Place | undefined;
  #width = 80;
  #height = 24;
  #theme: Theme;

  constructor(conversation: Conversation, me: string, theme: Theme) {
    this.conversation = conversation;
    this.#me = me;
    this.#theme = theme;
  }

  get follows(): boolean {
    return this.#bottom === undefined;
  }

  /** @param width columns @param height lines */
  size(width: number, height: number, theme: Theme): void {
    this.#width = width;
    this.#height = height;
    this.#theme = theme;
  }

  end(): void {
    this.#bottom = undefined;
  }

  #linesAt(index: number): { above: Line[]; text: readonly Line[] } {
    const { rows } = this.conversation.scroll;
    const row = rows[index];
    if (!row) return { above: [], text: [] };
    const above: Line[] = [];
    const day = dayLine(rows[index - 1], row, this.#width, this.#theme);
    if (day) above.push(day);
    if (row.order === this.conversation.marker) above.push(markerLine(this.#width, this.#theme));
    return { above, text: this.#fold(row) };
  }

  #fold(row: Shown): readonly Line[] {
    const known = this.#folded.get(row);
    if (known?.width === this.#width && known.theme === this.#theme) return known.lines;
    const lines = linesOf(row, this.#me, this.#width, this.#theme);
    this.#folded.set(row, { width: this.#width, theme: this.#theme, lines });
    return lines;
  }

  #count(index: number): number {
    const { above, text } = this.#linesAt(index);
    return above.length + text.length;
  }

  /** The row of the lowest line, and how many of its lines are shown. */
  #lowest(): { index: number; shown: number } {
    const { scroll } = this.conversation;
    const last = scroll.rows.length - 1;
    const bottom = this.#bottom;
    if (!bottom) return { index: last, shown: this.#count(last) };
    const at = scroll.from(bottom.order);
    if (scroll.rows[at]?.order === bottom.order)
      return { index: at, shown: Math.min(bottom.line + 1, this.#count(at)) };
    const before = Math.max(at - 1, Math.min(0, last)); // the row has gone since
    return { index: before, shown: this.#count(before) };
  }

  /** From the top of the screen to its bottom; fewer than its height where not so much was said. */
  visible(): VisibleLine[] {
    const lines = this.#upwards();
    if (this.follows || lines.length >= this.#height) return lines;
    /* What stood above has gone, or the screen has grown: what is below moves up. */
    this.#down(this.#height - lines.length);
    return this.#upwards();
  }

  #upwards(): VisibleLine[] {
    const { rows } = this.conversation.scroll;
    const up: VisibleLine[] = [];
    let { index, shown } = this.#lowest();
    for (; index >= 0 && up.length < this.#height; index--, shown = this.#count(index)) {
      const row = rows[index];
      if (!row) break;
      const { above, text } = this.#linesAt(index);
      const all = [...above, ...text].slice(0, shown);
      for (let at = all.length - 1; at >= 0 && up.length < this.#height; at--)
        up.push({ row, line: all[at] ?? [], isText: at >= above.length, isFirst: at === above.length });
    }
    return up.reverse();
  }

  /** Keys of what stands on the screen and was not read. */
  unread(): string[] {
    return this.visible().flatMap(({ row, isText }) =>
      isText && (row.type === 'message' || row.type === 'notice') && row.read === undefined ? [row.key] : [],
    );
  }

  /**
   * Up where `lines` is negative.
   * @returns whether what is older than all that is here would be shown
   */
  scroll(lines: number): boolean {
    if (lines < 0) return this.#up(-lines);
    this.#down(lines);
    return false;
  }

  #up(lines: number): boolean {
    const filled = this.#upwards().length;
    let { index, shown } = this.#lowest();
    let left = lines;
    while (left > 0 && index >= 0) {
      const step = Math.min(left, shown);
      left -= step;
      shown -= step;
      if (shown > 0) break;
      index--;
      shown = this.#count(index);
    }
    this.#stand(Math.max(0, index), index < 0 ? 0 : shown);
    const after = this.#upwards().length;
    /* Nothing is above the first line: the screen stays full. */
    if (after < Math.min(filled, this.#height)) {
      this.#down(Math.min(filled, this.#height) - after);
      return true;
    }
    return after < this.#height;
  }

  #down(lines: number): void {
    const last = this.conversation.scroll.rows.length - 1;
    let { index, shown } = this.#lowest();
    let left = lines;
    while (left > 0) {
      const step = Math.min(left, this.#count(index) - shown);
      shown += step;
      left -= step;
      if (left === 0 || index >= last) break;
      index++;
      shown = 0;
    }
    if (index >= last && shown >= this.#count(last)) this.#bottom = undefined;
    else this.#stand(index, shown);
  }

  #stand(index: number, shown: number): void {
    const row = this.conversation.scroll.rows[index];
    if (row) this.#bottom = { order: row.order, line: Math.max(0, shown - 1) };
  }

  /** The row at the top of the screen, or the end where less follows than a screen has. */
  showFrom(order: number): void {
    const index = this.conversation.scroll.from(order);
    if (index >= this.conversation.scroll.rows.length) return this.end();
    this.#stand(index, 1);
    this.#down(this.#height - 1);
  }

  /** The row in the middle of the screen. @param pattern in lower case: its first line that has it */
  showAround(order: number, pattern = ''): void {
    const index = this.conversation.scroll.from(order);
    const { above, text } = this.#linesAt(index);
    const holds = (line: Line): boolean =>
      line
        .map((span) => span.text)
        .join('')
        .toLowerCase()
        .includes(pattern);
    /* One that is broken between two lines is in none of them. */
    const line = Math.max(0, text.findIndex(holds));
    this.#stand(index, above.length + line + 1);
    this.#down(Math.floor(this.#height / 2));
  }
}
