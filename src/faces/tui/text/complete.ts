import type { EmojiTable } from './emoji.js';

export interface Sources {
  /** Of people, without `@`; those before others come first among equals. So it is with rooms and commands. */
  readonly names: readonly string[];
  /** Without `#`. */
  readonly rooms: readonly string[];
  /** Without `/`. */
  readonly commands: readonly string[];
  /** Where it is loaded. */
  readonly emoji?: EmojiTable;
}

export interface Candidate {
  /** What is put into the line, with what follows it: a space, or a colon. */
  readonly text: string;
  /** What is shown to choose from. */
  readonly label: string;
}

export interface Found {
  /** UTF-16 offsets of what the candidates stand for. */
  readonly from: number;
  readonly to: number;
  /** One at least, the best first. */
  readonly candidates: readonly Candidate[];
}

export const CANDIDATES_MAX = 50;
/** Of an emoji's name, before there are so many that they help nobody. */
const EMOJI_LETTERS = 2;
/** UTF-16 units before the cursor in which a word is looked for: none is as long. */
const WORD_MAX = 80;

const kinds: readonly {
  /** Ends at the cursor; its group is what was typed of the word. */
  readonly before: RegExp;
  readonly sign: string;
  readonly candidates: (typed: string, sources: Sources) => Candidate[];
}[] = [
  {
    before: /^\/([a-z0-9]*)$/i,
    sign: '/',
    candidates: (typed, { commands }) => matching(typed, commands).map((name) => candidate(`/${name}`)),
  },
  {
    before: /(?<![\p{L}\p{N}_@])@([a-z0-9_]*)$/iu,
    sign: '@',
    candidates: (typed, { names }) => matching(typed, names).map((name) => candidate(`@${name}`)),
  },
  {
    before: /(?<![\p{L}\p{N}_#])#([\p{L}\p{N}_-]*)$/iu,
    sign: '#',
    candidates: (typed, { rooms }) => matching(typed, rooms).map((name) => candidate(`#${name}`)),
  },
  {
    before: /(?<![\p{L}\p{N}_:]):([a-z0-9_+-]+)$/iu,
    sign: ':',
    candidates: (typed, { emoji = {} }) => emojiMatching(typed, emoji),
  },
  {
    before: /(?:^|\n)([a-z][a-z0-9_]*)$/i,
    sign: '',
    candidates: (typed, { names }) => matching(typed, names).map((name) => ({ text: `${name}: `, label: name })),
  },
];

/**
 * What the word before the cursor may become: a command at the start of the text, a person, a room, an emoji, or at the
 * start of a line a person who is spoken to.
 * @param cursor UTF-16 offset
 * @returns undefined where there is nothing
 */
export function complete(line: string, cursor: number, sources: Sources): Found | undefined {
  const start = Math.max(cursor - WORD_MAX, 0);
  /* Whatever stands there, this is not the start of the text. */
  const before = (start > 0 ? ' ' : '') + line.slice(start, cursor);
  for (const kind of kinds) {
    const typed = kind.before.exec(before)?.[1];
    if (typed === undefined) continue;
    const candidates = kind.candidates(typed, sources).slice(0, CANDIDATES_MAX);
    if (candidates.length > 0) return { from: cursor - typed.length - kind.sign.length, to: cursor, candidates };
  }
  return undefined;
}

function candidate(name: string): Candidate {
  return { text: `${name} `, label: name };
}

/** Those that begin with it, then those that have it elsewhere. */
function matching(typed: string, names: readonly string[]): string[] {
  const wanted = typed.toLowerCase();
  const ranks: [string[], string[]] = [[], []];
  for (const name of names) {
    const at = name.toLowerCase().indexOf(wanted);
    if (at >= 0) ranks[at === 0 ? 0 : 1].push(name);
  }
  return ranks.flat();
}

/** Short names first: what is meant is rarely the longest. */
function emojiMatching(typed: string, emoji: EmojiTable): Candidate[] {
  if (typed.length < EMOJI_LETTERS) return [];
  const names = Object.keys(emoji).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return matching(typed, names).map((name) => ({ text: emoji[name] ?? '', label: `${emoji[name] ?? ''} :${name}:` }));
}

/** UTF-16 offsets in the text as it is now, and what comes in their place. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** A walk through the candidates and back to what was typed; it ends with any key that is no Tab. */
export class Completion {
  readonly #found: Found;
  readonly #typed: string;
  /** What stands in the line now; one beyond the last is what was typed. */
  #at: number;
  #to: number;

  /** @param line in which they were found */
  constructor(found: Found, line: string) {
    this.#found = found;
    this.#typed = line.slice(found.from, found.to);
    this.#at = found.candidates.length;
    this.#to = found.to;
  }

  get candidates(): readonly Candidate[] {
    return this.#found.candidates;
  }

  /** Index of the one that stands in the line; undefined where that is what was typed. */
  get chosen(): number | undefined {
    return this.#at < this.candidates.length ? this.#at : undefined;
  }

  /** @param by 1 for Tab, -1 for Shift-Tab */
  step(by: 1 | -1): Edit {
    const places = this.candidates.length + 1;
    this.#at = (this.#at + by + places) % places;
    const text = this.candidates[this.#at]?.text ?? this.#typed;
    const edit = { from: this.#found.from, to: this.#to, text };
    this.#to = edit.from + text.length;
    return edit;
  }
}
