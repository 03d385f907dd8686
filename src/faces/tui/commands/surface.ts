/** What commands need of the screen that they are typed on: the full one, or lines that are only ever added. */
import type { Conversation } from '../talk/conversation.js';
import type { Talk } from '../talk/talk.js';

export interface Choice {
  /** the key that takes it */
  readonly key: string;
  readonly label: string;
  readonly value: string;
}

export interface Question {
  readonly title: string;
  /** plain, one paragraph each; lines that begin with a space are rows of a table */
  readonly text: readonly string[];
  /** shown as a QR code, beside the text where there is room */
  readonly code?: string;
  readonly field?: {
    readonly label: string;
    /** shown as stars, unless the person wants to see it */
    readonly isSecret: boolean;
    readonly initial?: string;
    /** what is wrong with it; undefined: it is taken */
    readonly check?: (typed: string) => string | undefined;
  };
  readonly choices?: readonly Choice[];
  /** With a field: what it may mean, the likeliest first. Arrows choose, Enter gives the value. */
  readonly options?: (typed: string) => readonly Option[];
}

export interface Option {
  /** plain */
  readonly label: string;
  readonly value: string;
}

export interface Surface {
  readonly talk: Talk;
  readonly current: Conversation;
  open(conversation: Conversation): void;
  /** under what was said, in the conversation that is shown. @param text plain */
  say(text: string, warns?: boolean): void;
  /** What was typed, or the value of a choice; undefined: they want none of it. */
  ask(question: Question): Promise<string | undefined>;
  /** Goes to the newest place that holds it, or to the next older one; false where there is none. */
  search(pattern: string): Promise<boolean>;
  /** Takes what was said from the screen. */
  clear(): void;
  /** To the clipboard; false where there is none. */
  copy(text: string): boolean;
  theme(ground: 'dark' | 'light'): void;
  quit(): void;
}
