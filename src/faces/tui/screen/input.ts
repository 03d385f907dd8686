/** The line that is typed: the editor, and what Tab and colons make of it. */
import { TEXT_MAX } from '../../../../protocol/index.js';
import { plainLine } from '../../../plain/plain.js';
import { complete, Completion, type Sources } from '../text/complete.js';
import { LineEditor, type Took } from '../text/editor.js';
import { loadEmoji, replaceShortcodes, type EmojiTable } from '../text/emoji.js';
import type { Key } from '../text/key.js';

/** Candidates that are shown at a time. */
const HINTS = 8;

export class Input {
  readonly editor = new LineEditor({ limit: TEXT_MAX });
  #completion: Completion | undefined;
  #isOffered = false;
  #emoji: EmojiTable | undefined;

  /** A text that was begun before, in the place of what is here. */
  set(text: string): void {
    this.#completion = undefined;
    this.editor.set(text);
  }

  /** A line that was not taken, to be mended; what begins with a slash takes its place. */
  offer(text: string): void {
    this.set(text);
    this.#isOffered = text.trimStart().startsWith('/');
  }

  take(key: Key): Took {
    this.#completion = undefined;
    if (this.#isOffered && key.type === 'text' && key.text.startsWith('/')) this.editor.clear();
    this.#isOffered = false;
    return this.editor.take(key);
  }

  /** Any key but Tab: what was completed stays as it is. */
  settle(): void {
    this.#completion = undefined;
  }

  /** @param by 1 for Tab, -1 for Shift-Tab */
  async complete(by: 1 | -1, sources: Omit<Sources, 'emoji'>): Promise<void> {
    if (this.#completion) return this.#step(this.#completion, by);
    const { text, cursor } = this.editor;
    const emoji = /:[\w+-]+$/.test(text.slice(0, cursor)) ? { emoji: await this.#table() } : {};
    const found = complete(text, cursor, { ...sources, ...emoji });
    if (!found || this.editor.text !== text) return;
    const begun = new Completion(found, text);
    this.#step(begun, by);
    /* One alone is what was meant: the next Tab looks anew. */
    if (found.candidates.length > 1) this.#completion = begun;
  }

  #step(completion: Completion, by: 1 | -1): void {
    const { from, to, text } = completion.step(by);
    this.editor.replace(from, to, text);
  }

  async #table(): Promise<EmojiTable> {
    return (this.#emoji ??= await loadEmoji());
  }

  /** Reads the names of emoji. */
  async prepare(): Promise<void> {
    await this.#table();
  }

  /** What was typed, as it is sent; undefined where that needs names of emoji which were not read yet. */
  written(text: string): string | undefined {
    const isSaid = !text.startsWith('/') || /^\/(?:\/|me\s|msg\s)/.test(text);
    if (!isSaid || !/:[\w+-]+:/.test(text)) return text;
    return this.#emoji && replaceShortcodes(text, this.#emoji);
  }

  /** What helps to type, while something does; plain. */
  get hint(): string | undefined {
    const { search } = this.editor;
    if (search) return `search in what you typed: ${plainLine(search.pattern)}${search.found ? '' : ' (not found)'}`;
    const completion = this.#completion;
    return completion?.candidates
      .slice(0, HINTS)
      .map(({ label }, at) => (at === completion.chosen ? `[${label}]` : label))
      .join('  ');
  }
}
