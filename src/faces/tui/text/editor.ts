import { clusters, widthOf } from '../../../plain/width.js';
import { Boundaries, lineAt, SPACED } from './boundaries.js';
import { History, HistoryWalk } from './history.js';
import { InputWindow, type InputView } from './input-window.js';
import { chord, type Key } from './key.js';
import { KillRing } from './kill-ring.js';
import { HistorySearch } from './search.js';
import { cleaned, TextBuffer, type Draft } from './text-buffer.js';

/**
 * What became of a key. `moved`: the text is as it was, be it that there was nothing to do. `full`: what it would have
 * put in does not fit, and nothing of it was. `ignored`: the key is none of the editor's.
 */
export type Took = 'changed' | 'moved' | 'submit' | 'full' | 'ignored';

export interface EditorOptions {
  /** Bytes of UTF-8 that the text may have. */
  readonly limit: number;
  readonly history?: History;
  /** Several editors may share one. */
  readonly kills?: KillRing;
}

/** Keys of one kind that follow each other are one step: of undo, or of the kill ring. */
type Kind = 'type' | 'erase' | 'kill' | 'yank' | 'vertical' | 'other';

/**
 * A text of one or more lines with a cursor, edited by the keys of readline. No key loses text: what is cleared or
 * replaced comes back by undo (Ctrl-_), by yank (Ctrl-Y) or on the way back through the history. For passwords it is
 * given a kill ring and a history of its own, or they could be yanked elsewhere.
 */
export class LineEditor {
  readonly #buffer: TextBuffer;
  readonly #history: History;
  readonly #kills: KillRing;
  readonly #window = new InputWindow();
  #walk: HistoryWalk | undefined;
  #search: HistorySearch | undefined;
  #lastPattern = '';
  #last: Kind = 'other';
  #now: Kind = 'other';
  /** Where the last yank put its text. */
  #yanked = { from: 0, to: 0 };
  /** Columns that the cursor keeps on its way over shorter lines. */
  #goal = 0;

  constructor({ limit, history = new History(), kills = new KillRing() }: EditorOptions) {
    this.#buffer = new TextBuffer(limit);
    this.#history = history;
    this.#kills = kills;
  }

  /** While the history is searched, what was found. */
  get text(): string {
    return this.#shown().text;
  }

  /** UTF-16 offset, always between two characters. */
  get cursor(): number {
    return this.#shown().cursor;
  }

  /** Of the history, while there is one. */
  get search(): { readonly pattern: string; readonly found: boolean } | undefined {
    return this.#search && { pattern: this.#search.pattern, found: this.#search.found };
  }

  take(key: Key): Took {
    if (key.type === 'focus' || key.type === 'unknown') return 'ignored';
    if (this.#search) return this.#searching(this.#search, key);
    this.#last = this.#now;
    this.#now = 'other';
    if (key.type === 'text') return this.#type(key.text);
    if (key.type === 'paste') return this.#insert(key.text);
    const took = this.#bindings[chord(key)]?.() ?? 'ignored';
    if (took === 'ignored') this.#now = this.#last; // somebody else's key: nothing happened here
    return took;
  }

  /** Begins anew with a text: what was before is forgotten, but for the history and the kill ring. */
  set(text: string): 'changed' | 'full' {
    if (!this.#buffer.splice(0, this.#buffer.text.length, text)) return 'full';
    this.#search = undefined;
    this.#walk = undefined;
    this.#buffer.forgetUndo();
    this.#now = 'other';
    return 'changed';
  }

  /** Puts a text in the place of another, as completion does; the cursor is behind it. UTF-16 offsets. */
  replace(from: number, to: number, text: string): 'changed' | 'full' {
    this.#accept();
    this.#now = 'other';
    return this.#splice(from, to, text);
  }

  /** Empties it; undo and yank bring the text back. */
  clear(): void {
    this.#search = undefined;
    this.#now = 'other';
    if (this.text === '') return;
    this.#kills.kill(this.text);
    this.#splice(0, this.text.length, '');
  }

  /** The text is sent: it is given out, goes to the history, and the editor is empty. @param remember no secret */
  finish(remember = true): string {
    this.#accept();
    const { text } = this.#buffer;
    if (remember) this.#history.add(text);
    this.#kills.kill(this.#walk?.left ?? '');
    this.set('');
    return text;
  }

  /** @param width columns @param height rows */
  view(width: number, height: number): InputView {
    const { text, cursor } = this.#shown();
    return this.#window.view(text, cursor, width, height);
  }

  #shown(): Draft {
    const match = this.#search?.match;
    if (!match) return this.#buffer.draft;
    return { text: match.text, cursor: new Boundaries(match.text).atOrAfter(match.offset) };
  }

  readonly #bindings: Readonly<Record<string, () => Took>> = {
    'C-a': () => this.#move(this.#buffer.line.from),
    home: () => this.#move(this.#buffer.line.from),
    'C-e': () => this.#move(this.#buffer.line.to),
    end: () => this.#move(this.#buffer.line.to),
    'C-home': () => this.#move(0),
    'C-end': () => this.#move(this.#buffer.text.length),
    'C-b': () => this.#move(this.#buffer.places.before(this.#buffer.cursor)),
    left: () => this.#move(this.#buffer.places.before(this.#buffer.cursor)),
    'C-f': () => this.#move(this.#buffer.places.after(this.#buffer.cursor)),
    right: () => this.#move(this.#buffer.places.after(this.#buffer.cursor)),
    'A-b': () => this.#move(this.#buffer.places.wordBefore(this.#buffer.cursor)),
    'C-left': () => this.#move(this.#buffer.places.wordBefore(this.#buffer.cursor)),
    'A-left': () => this.#move(this.#buffer.places.wordBefore(this.#buffer.cursor)),
    'A-f': () => this.#move(this.#buffer.places.wordAfter(this.#buffer.cursor)),
    'C-right': () => this.#move(this.#buffer.places.wordAfter(this.#buffer.cursor)),
    'A-right': () => this.#move(this.#buffer.places.wordAfter(this.#buffer.cursor)),
    up: () => this.#vertical(-1),
    down: () => this.#vertical(1),
    'C-d': () => (this.#buffer.text === '' ? 'ignored' : this.#erase(this.#buffer.places.after(this.#buffer.cursor))),
    delete: () => this.#erase(this.#buffer.places.after(this.#buffer.cursor)),
    backspace: () => this.#erase(this.#buffer.places.before(this.#buffer.cursor)),
    'C-w': () => this.#kill(this.#buffer.places.wordBefore(this.#buffer.cursor, SPACED), this.#buffer.cursor),
    'A-backspace': () => this.#kill(this.#buffer.places.wordBefore(this.#buffer.cursor), this.#buffer.cursor),
    'A-d': () => this.#kill(this.#buffer.cursor, this.#buffer.places.wordAfter(this.#buffer.cursor)),
    'C-delete': () => this.#kill(this.#buffer.cursor, this.#buffer.places.wordAfter(this.#buffer.cursor)),
    'C-k': () => this.#killToEnd(),
    'C-u': () => this.#killToStart(),
    'C-y': () => this.#yank(),
    'A-y': () => this.#yankOlder(),
    'C-t': () => this.#transpose(),
    'A-u': () => this.#recase((word) => word.toUpperCase()),
    'A-l': () => this.#recase((word) => word.toLowerCase()),
    'A-c': () => this.#recase(capitalized),
    'C-_': () => this.#undone(),
    enter: () => 'submit',
    'A-enter': () => this.#insert('\n'),
    'S-enter': () => this.#insert('\n'),
    'C-enter': () => this.#insert('\n'),
    'C-j': () => this.#insert('\n'),
    'C-r': () => this.#searchBegins(),
  };

  #move(cursor: number): Took {
    this.#buffer.move(cursor);
    return 'moved';
  }

  #splice(from: number, to: number, insert: string, goesOn = false): 'changed' | 'full' {
    if (this.#buffer.splice(from, to, insert, goesOn)) return 'changed';
    this.#now = 'other'; // nothing that could be gone on with
    return 'full';
  }

  #insert(text: string): Took {
    return this.#splice(this.#buffer.cursor, this.#buffer.cursor, text);
  }

  #type(text: string): Took {
    this.#now = 'type';
    const goesOn = this.#last === 'type' && !/^\s/.test(text); // a step for each word
    return this.#splice(this.#buffer.cursor, this.#buffer.cursor, text, goesOn);
  }

  #erase(to: number): Took {
    const { cursor } = this.#buffer;
    if (to === cursor) return 'moved';
    this.#now = 'erase';
    return this.#splice(Math.min(cursor, to), Math.max(cursor, to), '', this.#last === 'erase');
  }

  #kill(from: number, to: number): Took {
    if (from === to) return 'moved';
    this.#now = 'kill';
    const side = from < this.#buffer.cursor ? 'before' : 'after';
    this.#kills.kill(this.#buffer.text.slice(from, to), this.#last === 'kill' ? side : undefined);
    return this.#splice(from, to, '');
  }

  /** At the end of a line its break. */
  #killToEnd(): Took {
    const { cursor } = this.#buffer;
    const { to } = this.#buffer.line;
    return this.#kill(cursor, to === cursor ? this.#buffer.places.after(cursor) : to);
  }

  #killToStart(): Took {
    const { cursor } = this.#buffer;
    const { from } = this.#buffer.line;
    return this.#kill(from === cursor ? this.#buffer.places.before(cursor) : from, cursor);
  }

  #yank(): Took {
    const text = this.#kills.current;
    this.#now = 'yank';
    return text === undefined ? 'moved' : this.#yankInto(this.#buffer.cursor, this.#buffer.cursor, text, false);
  }

  #yankOlder(): Took {
    if (this.#last !== 'yank') return 'moved';
    const text = this.#kills.rotate() ?? '';
    this.#now = 'yank';
    return this.#yankInto(this.#yanked.from, this.#yanked.to, text, true);
  }

  #yankInto(from: number, to: number, text: string, goesOn: boolean): Took {
    const took = this.#splice(from, to, text, goesOn);
    if (took === 'changed') this.#yanked = { from, to: from + text.length };
    return took;
  }

  #transpose(): Took {
    const { text, cursor } = this.#buffer;
    const { to } = this.#buffer.line;
    const middle = cursor === to ? this.#buffer.places.before(cursor) : cursor;
    const [from, end] = [this.#buffer.places.before(middle), this.#buffer.places.after(middle)];
    const [first, second] = [text.slice(from, middle), text.slice(middle, end)];
    if (first === '' || second === '' || first === '\n' || second === '\n') return 'moved';
    return this.#splice(from, end, second + first);
  }

  #recase(change: (word: string) => string): Took {
    const from = this.#buffer.places.wordStart(this.#buffer.cursor);
    const to = this.#buffer.places.wordAfter(this.#buffer.cursor);
    return from === to ? this.#move(to) : this.#splice(from, to, change(this.#buffer.text.slice(from, to)));
  }

  #undone(): Took {
    return this.#buffer.undo() ? 'changed' : 'moved';
  }

  /** To the line above or below; beyond the first and last one through the history. */
  #vertical(step: 1 | -1): Took {
    const { text, cursor } = this.#buffer;
    const { from, to } = this.#buffer.line;
    if (this.#last !== 'vertical') this.#goal = widthOf(text.slice(from, cursor));
    if (step < 0 ? from === 0 : to === text.length) return this.#walkTo(this.#walking().at + step);
    this.#now = 'vertical';
    const line = lineAt(text, step < 0 ? from - 1 : to + 1);
    let columns = 0;
    const cells = clusters(text.slice(line.from, line.to));
    const there = cells.find(({ width }) => (columns += width) > this.#goal);
    return this.#move(there ? line.from + there.from : line.to);
  }

  #walking(): HistoryWalk {
    return (this.#walk ??= new HistoryWalk(this.#history, this.#buffer.text));
  }

  #walkTo(index: number): Took {
    const walk = this.#walking();
    const text = walk.texts[index];
    if (text === undefined) return 'moved';
    walk.keep(this.#buffer.text);
    const took = this.#splice(0, this.#buffer.text.length, text);
    if (took === 'changed') walk.go(index);
    return took;
  }

  #searchBegins(): Took {
    this.#walking().keep(this.#buffer.text);
    this.#search = new HistorySearch(this.#walking().texts);
    return 'moved';
  }

  #searching(search: HistorySearch, key: Key): Took {
    const name = key.type === 'key' ? chord(key) : undefined;
    if (key.type === 'text' || key.type === 'paste') search.type(cleaned(key.text));
    else if (name === 'backspace') search.erase();
    else if (name === 'C-r' && search.pattern === '') search.type(this.#lastPattern);
    else if (name === 'C-r') search.older();
    else if (name === 'C-s') search.newer();
    else if (name === 'escape' || name === 'C-g') this.#searchEnds(search);
    else {
      this.#accept();
      return this.take(key);
    }
    return 'moved';
  }

  #searchEnds({ pattern }: HistorySearch): void {
    if (pattern !== '') this.#lastPattern = pattern;
    this.#search = undefined;
    this.#now = 'other';
  }

  /** What was found is the text now, where there is a search. */
  #accept(): void {
    if (!this.#search) return;
    const { match } = this.#search;
    const { cursor } = this.#shown();
    this.#searchEnds(this.#search);
    if (match && this.#walkTo(match.at) === 'changed') this.#move(cursor);
  }
}

function capitalized(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
  return first.toUpperCase() + word.slice(first.length).toLowerCase();
}
