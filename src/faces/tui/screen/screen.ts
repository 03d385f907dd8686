/** The full screen, from its first frame to its last: questions, and between them what is talked about. */
import type { Row, Trouble } from '../../../client/index.js';
import { widthOf } from '../../../plain/width.js';
import { screenKeys, type ScreenAction } from '../commands/keys.js';
import type { Question } from '../commands/surface.js';
import type { Ending, Front } from '../front.js';
import type { TuiHost, TuiOptions } from '../ports.js';
import type { Conversation } from '../talk/conversation.js';
import type { Talk } from '../talk/talk.js';
import { Terminal } from '../terminal/terminal.js';
import { chord, escapeAnd, type Key } from '../text/key.js';
import { Chat } from './chat.js';
import { Dialog } from './dialog.js';
import { Painter } from './painter.js';
import type { Stage } from './stage.js';
import { themeOf, type Theme } from './theme.js';

/** Bells and notifications come at most so often, in ms. */
const BELL_MS = 2_000;
/** What changes by time alone is painted so often, in ms. */
const MINUTE_MS = 30_000;

export class Screen implements Stage, Front {
  readonly canAsk = true;
  readonly #terminal: Terminal;
  readonly #painter: Painter;
  readonly #options: TuiOptions;
  #theme: Theme;
  readonly #dialogs: Dialog[] = [];
  readonly left: Promise<undefined>;
  #chat: Chat | undefined;
  #hasFocus = true;
  #hasQuit = false;
  #leave: () => void = () => undefined;
  readonly #interrupt: () => void;
  #rang = -Infinity;
  #busy = '';
  #titled = -1;
  #end: ((ending: Ending) => void) | undefined;

  constructor(host: TuiHost, options: TuiOptions) {
    this.left = new Promise((resolve) => {
      this.#leave = () => resolve(undefined);
    });
    this.#options = options;
    this.#theme = themeOf(options.colour, options.theme);
    this.#painter = new Painter(() => this.#draw());
    this.#terminal = new Terminal(host.stdin, host.stdout, {
      key: (key) => this.#key(key),
      repaint: () => {
        this.#titled = -1; // the shell had the window meanwhile
        this.now();
      },
      resumed: () => {
        this.#hasFocus = false; // until a key shows that somebody looks
      },
      hangup: () => this.#interrupt(),
    });
    this.#interrupt = () => {
      if (!host.signal.aborted) host.interrupt(); // the second would not wait for anything
    };
    host.signal.addEventListener('abort', () => this.quit(), { once: true });
    this.waits(0);
    this.now();
  }

  close(): void {
    this.#painter.close();
    this.#terminal.close();
  }

  /** Somebody wants no more of this program, or the terminal is gone. */
  get hasQuit(): boolean {
    return this.#hasQuit;
  }

  /** What is being done while nobody can type, in the middle of an empty screen. @param text plain */
  busy(text: string): void {
    this.#busy = text;
    this.now();
  }

  /** The screen belongs to what is talked about, until that ends or somebody quits. */
  async converse(talk: Talk): Promise<Ending> {
    this.#busy = '';
    this.#chat = new Chat(talk, this);
    const minute = setInterval(() => this.soon(), MINUTE_MS);
    const ending = new Promise<Ending>((resolve) => {
      this.#end = resolve;
    });
    this.#chat.begin();
    if (this.#options.warning !== undefined) this.#chat.say(this.#options.warning, true);
    const how: Ending = this.#hasQuit ? { why: 'quit' } : await ending;
    clearInterval(minute);
    this.#dismiss();
    this.#chat = undefined;
    this.#end = undefined;
    return how;
  }

  #dismiss(): void {
    for (const dialog of this.#dialogs.splice(0)) dialog.cancel();
  }

  /** Something went wrong that nobody waits for. */
  failed(trouble: Trouble): void {
    this.#chat?.failed(trouble);
  }

  // ---- what talk tells

  changed(): void {
    this.#chat?.changed();
  }

  caughtUp(): void {
    this.#chat?.lookAgain();
    this.soon();
  }

  arrived(one: Conversation, row: Row): void {
    this.#chat?.arrived(one, row);
  }

  ended(trouble: Trouble): void {
    this.#end?.({ why: 'ended', trouble });
  }

  // ---- Stage

  get theme(): Theme {
    return this.#theme;
  }

  get isLookedAt(): boolean {
    return this.#hasFocus && this.#dialogs.length === 0;
  }

  ask(question: Question): Promise<string | undefined> {
    if (this.#hasQuit) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const dialog = new Dialog(question, (answered) => {
        const at = this.#dialogs.indexOf(dialog);
        if (at >= 0) this.#dialogs.splice(at, 1);
        this.#chat?.lookAgain();
        this.soon();
        resolve(answered);
      });
      this.#dialogs.push(dialog);
      this.soon();
    });
  }

  copy(text: string): void {
    this.#terminal.copy(text);
  }

  useTheme(ground: 'dark' | 'light'): void {
    this.#theme = themeOf(this.#options.colour, ground);
    this.soon();
  }

  soon(): void {
    this.#painter.soon();
  }

  now(): void {
    this.#painter.now();
  }

  redraw(): void {
    this.#terminal.redraw();
  }

  suspend(): void {
    this.#terminal.suspend();
  }

  waits(unread: number): void {
    if (unread === this.#titled) return;
    this.#titled = unread;
    this.#terminal.title(unread === 0 ? 'Cadenas' : `(${String(unread)}) Cadenas`);
  }

  ring(): void {
    const now = performance.now();
    if (this.#hasFocus || now - this.#rang < BELL_MS) return;
    this.#rang = now;
    if (this.#options.bell) this.#terminal.bell();
    if (this.#options.notify) this.#terminal.notify('Cadenas: something new');
  }

  quit(): void {
    this.#hasQuit = true;
    this.#leave();
    this.#dismiss();
    this.#end?.({ why: 'quit' });
  }

  // ---- keys and frames

  #key(key: Key): void {
    if (key.type === 'focus') {
      this.#hasFocus = key.focused;
      this.#chat?.lookAgain();
      return this.soon();
    }
    if (!this.#hasFocus) this.#looks();
    const dialog = this.#dialogs.at(-1);
    const name = key.type === 'key' ? chord(key) : '';
    const action = screenKeys.get(name);
    if (action) this.#actions[action]();
    else if (dialog) this.#answered(dialog, key);
    else if (this.#chat) this.#chat.key(key);
    else if (name === 'C-c') this.#interrupt();
    this.now();
  }

  #looks(): void {
    this.#hasFocus = true;
    this.#chat?.lookAgain();
  }

  /** Esc and what follows at once may come as one key. */
  #answered(dialog: Dialog, key: Key): void {
    if (dialog.key(key)) return;
    const [, rest] = escapeAnd(key) ?? [];
    if (!rest) return;
    dialog.cancel();
    this.#key(rest);
  }

  readonly #actions: Readonly<Record<ScreenAction, () => void>> = {
    redraw: () => this.redraw(),
    suspend: () => this.suspend(),
  };

  #draw(): void {
    const grid = this.#terminal.frame();
    if (this.#chat) this.#chat.draw(grid);
    else {
      const x = Math.floor((grid.columns - widthOf(this.#busy)) / 2);
      grid.put(Math.max(0, x), Math.floor(grid.rows / 2), this.#busy, this.#theme.dim);
    }
    this.#dialogs.at(-1)?.draw(grid, this.#theme);
    this.#terminal.paint();
  }
}
