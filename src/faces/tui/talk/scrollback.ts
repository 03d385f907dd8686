/** The rows of one conversation that are in memory: a bounded piece of what is kept, which grows to either side on demand. */
import type { Row } from '../../../client/index.js';

/** What this face itself has to say, where it was asked: it is nowhere but on the screen. */
export interface LocalRow {
  readonly type: 'local';
  readonly key: string;
  readonly order: number;
  readonly at: number;
  /** plain, of this program; may have line breaks */
  readonly text: string;
  readonly warns: boolean;
}
export type Shown = Row | LocalRow;

/** More rows than anybody scrolls through; beyond, those at the other end are let go and read again when they are wanted. */
const ROWS_MAX = 2_000;
/** So that the array is not moved for each row. */
const SLACK = 256;

/** By which the core knows a row. */
export function keyOf(row: Shown): string {
  return row.type === 'out' ? row.id : row.key;
}

export class Scrollback {
  #rows: Shown[] = [];
  readonly #byKey = new Map<string, Shown>();
  /** the core keeps older ones than the first */
  older = true;
  /** newer ones than the last were let go: what comes is not put behind it */
  detached = false;
  #locals = 0;
  /** the highest that a row of this conversation had, shown or not */
  #highest = 0;

  get rows(): readonly Shown[] {
    return this.#rows;
  }

  get first(): Shown | undefined {
    return this.#rows[0];
  }

  get last(): Shown | undefined {
    return this.#rows.at(-1);
  }

  byKey(key: string): Shown | undefined {
    return this.#byKey.get(key);
  }

  /** Index of the first row whose order is this or a higher one; behind the last where there is none. */
  from(order: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.order ?? 0) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #indexOf(row: Shown): number {
    const key = keyOf(row);
    for (let at = this.from(row.order); this.#rows[at]?.order === row.order; at++) {
      const one = this.#rows[at];
      if (one && keyOf(one) === key) return at;
    }
    return -1;
  }

  /** A row that came. A known one is replaced in its place. */
  add(row: Shown): void {
    if (this.#byKey.has(keyOf(row))) return this.replace(row);
    this.#highest = Math.max(this.#highest, row.order);
    if (!this.detached) this.#put(row);
  }

  #put(row: Shown): void {
    /* What came late has an order before others: it is put where it belongs. */
    if ((this.last?.order ?? 0) < row.order) this.#rows.push(row);
    else this.#rows.splice(this.from(row.order), 0, row);
    this.#byKey.set(keyOf(row), row);
    if (this.#rows.length > ROWS_MAX + SLACK) this.#dropFirst(this.#rows.length - ROWS_MAX);
  }

  /** Says something in between, with a place of its own behind all that came. */
  say(text: string, at: number, warns = false): void {
    const number = ++this.#locals;
    /* Between two rows of the core, whose orders are whole numbers. */
    this.#highest += 2 ** -20;
    this.#put({ type: 'local', key: `local:${String(number)}`, order: this.#highest, at, text, warns });
  }

  replace(row: Shown): void {
    const before = this.#byKey.get(keyOf(row));
    if (!before) return;
    const at = this.#indexOf(before);
    const now = { ...row, order: before.order };
    this.#byKey.set(keyOf(row), now);
    if (at >= 0) this.#rows[at] = now;
  }

  remove(key: string): void {
    const row = this.#byKey.get(key);
    if (!row) return;
    this.#byKey.delete(key);
    const at = this.#indexOf(row);
    if (at >= 0) this.#rows.splice(at, 1);
  }

  /** A page of older rows, oldest first. */
  prepend(rows: readonly Row[], older: boolean): void {
    const fresh = rows.filter((row) => !this.#byKey.has(keyOf(row)));
    for (const row of fresh) this.#byKey.set(keyOf(row), row);
    this.#rows.unshift(...fresh);
    this.older = older;
    const over = this.#rows.length - ROWS_MAX;
    if (over <= SLACK) return;
    for (const row of this.#rows.splice(ROWS_MAX, over)) this.#byKey.delete(keyOf(row));
    this.detached = true;
  }

  /** The newest page, in the place of all that is here but what came behind it, and what was said in between. */
  restart(rows: readonly Row[], older: boolean): void {
    const first = older ? (rows[0]?.order ?? 0) : 0;
    const last = rows.at(-1)?.order ?? 0;
    const kept = this.#rows.filter((row) => row.order > (row.type === 'local' ? first : last));
    this.#byKey.clear();
    this.#rows = [...rows];
    for (const row of rows) this.#byKey.set(keyOf(row), row);
    this.older = older;
    this.detached = false;
    this.#highest = Math.max(this.#highest, last);
    for (const row of kept) this.add(row);
  }

  /** Takes everything from the screen; it can be read again. */
  clear(): void {
    this.#byKey.clear();
    this.#rows = [];
    this.older = true;
    this.detached = false;
  }

  #dropFirst(count: number): void {
    for (const row of this.#rows.splice(0, count)) this.#byKey.delete(keyOf(row));
    this.older = true;
  }
}
