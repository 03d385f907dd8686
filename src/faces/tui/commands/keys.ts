/** The one table of keys: the screen looks up in it what a key does, and `/help` and the manual are made of it. */

interface KeyRow {
  /** as people are told; by default the names of its chords */
  readonly shown?: string;
  readonly what: string;
  /** chord → what the whole screen does, whatever is shown */
  readonly screen?: Readonly<Record<string, string>>;
  /** chord → what a conversation does */
  readonly chat?: Readonly<Record<string, string>>;
}

/* Rows without chords tell of keys of the line editor. */
const table = [
  { shown: 'Enter', what: 'send' },
  { shown: 'Alt-Enter, Ctrl-J', what: 'a new line in the text' },
  {
    shown: 'Alt-1 … Alt-0',
    what: 'the first ten of the list',
    chat: {
      'A-1': 'goto',
      'A-2': 'goto',
      'A-3': 'goto',
      'A-4': 'goto',
      'A-5': 'goto',
      'A-6': 'goto',
      'A-7': 'goto',
      'A-8': 'goto',
      'A-9': 'goto',
      'A-0': 'goto',
    },
  },
  { what: 'the next with something unread', chat: { 'A-a': 'nextUnread' } },
  { what: 'the next, the one before', chat: { 'C-n': 'next', 'C-p': 'previous' } },
  { what: 'find a conversation by its name', chat: { 'C-k': 'find' } },
  { what: 'back and forth in what was said', chat: { pageup: 'pageUp', pagedown: 'pageDown' } },
  { what: 'to the end of it', chat: { 'A-end': 'toEnd' } },
  { what: 'accept or decline what a banner asks', chat: { 'A-y': 'yes', 'A-n': 'no' } },
  {
    what: 'complete a name, a command, an emoji (:smile:)',
    chat: { tab: 'complete', 'S-tab': 'completeBack' },
  },
  { shown: '↑ ↓, Ctrl-R', what: 'what you typed before; search in it' },
  { shown: 'Ctrl-A E B F W U Y T, Alt-B F D', what: 'as in a shell' },
  { what: 'clear the line; on an empty one: quit?', chat: { 'C-c': 'interrupt' } },
  { what: 'delete a character; on an empty line: quit?', chat: { 'C-d': 'deleteOrQuit' } },
  { what: 'paint the screen anew', screen: { 'C-l': 'redraw' } },
  { what: 'back to the shell; fg comes back', screen: { 'C-z': 'suspend' } },
  { what: 'close what is open; no text is lost', chat: { escape: 'endSearch' } },
  { what: 'this', chat: { f1: 'help' } },
] as const satisfies readonly KeyRow[];

type ValuesOf<T> = T extends unknown ? Extract<T[keyof T], string> : never;
type TableRow = (typeof table)[number];
export type ScreenAction = ValuesOf<Extract<TableRow, { screen: object }>['screen']>;
export type ChatAction = ValuesOf<Extract<TableRow, { chat: object }>['chat']>;

/** By chord. */
export const screenKeys: ReadonlyMap<string, ScreenAction> = new Map(
  table.flatMap((row) => ('screen' in row ? Object.entries<ScreenAction>(row.screen) : [])),
);
export const chatKeys: ReadonlyMap<string, ChatAction> = new Map(
  table.flatMap((row) => ('chat' in row ? Object.entries<ChatAction>({ ...row.chat }) : [])),
);

const names: Readonly<Record<string, string>> = { pageup: 'PgUp', pagedown: 'PgDn', escape: 'Esc' };
const modifiers: Readonly<Record<string, string>> = { C: 'Ctrl', A: 'Alt', S: 'Shift' };

/** A chord as people read it: `A-end` is Alt-End. */
export function spelled(chord: string): string {
  const parts = chord.split('-');
  const name = parts.pop() ?? '';
  const shown = names[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
  return [...parts.map((part) => modifiers[part] ?? part), shown].join('-');
}

/** Keys and what they do, as people are told. */
export const keys: readonly (readonly [key: string, what: string])[] = table.map((row: KeyRow) => [
  row.shown ??
    Object.keys({ ...row.screen, ...row.chat })
      .map(spelled)
      .join(', '),
  row.what,
]);
