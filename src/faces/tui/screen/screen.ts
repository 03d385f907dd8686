/** The full screen: keys to what they do, and what is known to a frame. */
import { asClientError, type Row, type Trouble } from '../../../client/index.js';
import { TEXT_MAX } from '../../../../protocol/index.js';
import { plainLine } from '../../../plain/plain.js';
import { widthOf } from '../../../plain/width.js';
import { mistake } from '../commands/command.js';
import { answer } from '../commands/answer.js';
import type { Question, Surface } from '../commands/surface.js';
import { commandNames, submit } from '../commands/table.js';
import { typed } from '../commands/typed.js';
import type { TuiHost, TuiOptions } from '../ports.js';
import { HOME, type Conversation } from '../talk/conversation.js';
import { unreadOf, type Talk } from '../talk/talk.js';
import type { Grid } from '../terminal/grid.js';
import { Terminal } from '../terminal/terminal.js';
import type { LineEditor } from '../text/editor.js';
import { chord, press, type Key } from '../text/key.js';
import { bannerLines } from './banner.js';
import { Dialog } from './dialog.js';
import { drawBody, drawList, drawTitle, promptOf, statusText } from './draw.js';
import { Input } from './input.js';
import { layoutOf, type Layout } from './layout.js';
import { Painter } from './painter.js';
import { Searcher } from './searcher.js';
import { themeOf, type Theme } from './theme.js';
import { View } from './view.js';

/** Bells and notifications come at most so often, in ms. */
const BELL_MS = 2_000;
/** What changes by time alone is painted so often, in ms. */
const MINUTE_MS = 30_000;

const WELCOME =
  '/add @name asks somebody to talk, /join #room enters a room, /room create #name makes one; /help (F1) shows all';

/** Why a conversation with the core ended. */
export type Ending = { readonly why: 'quit' } | { readonly why: 'ended'; readonly trouble: Trouble };

export class Screen implements Surface {
  readonly #terminal: Terminal;
  readonly #painter: Painter;
  readonly #colour: boolean;
  #theme: Theme;
  readonly #dialogs: Dialog[] = [];
  readonly #input = new Input();
  readonly #views = new Map<Conversation, View>();
  readonly #searcher = new Searcher();
  /** safety numbers as words, of those who ask: by name and fingerprint */
  readonly #words = new Map<string, string>();
  #talk: Talk | undefined;
  #current: Conversation | undefined;
  #layout: Layout = layoutOf(80, 24, 0, 1);
  #hasFocus = true;
  #bellAt = 0;
  #busy = '';
  #end: ((ending: Ending) => void) | undefined;
  #minute: NodeJS.Timeout | undefined;
  /** keys that wait */
  #held: Key[] | undefined;

  constructor(host: TuiHost, options: TuiOptions) {
    this.#colour = options.colour;
    this.#theme = themeOf(options.colour, options.theme);
    this.#painter = new Painter(() => {
      this.#draw();
    });
    this.#terminal = new Terminal(host.stdin, host.stdout, {
      key: (key) => {
        this.#key(key);
      },
      repaint: () => {
        this.#painter.now();
      },
      hangup: () => {
        this.quit();
      },
    });
    host.signal.addEventListener('abort', () => this.quit(), { once: true });
    this.#terminal.title('Cadenas');
    this.#painter.now();
  }

  close(): void {
    clearInterval(this.#minute);
    this.#painter.close();
    this.#terminal.close();
  }

  get #editor(): LineEditor {
    return this.#input.editor;
  }

  // ---- before there is a conversation

  /** What is being done while nobody can type, in the middle of an empty screen. @param text plain */
  busy(text: string): void {
    this.#busy = text;
    this.#painter.now();
  }

  /** The screen belongs to what is talked about, until that ends or somebody quits. */
  async converse(talk: Talk): Promise<Ending> {
    this.#talk = talk;
    this.#current = talk.home;
    this.#busy = '';
    this.#minute = setInterval(() => this.#painter.soon(), MINUTE_MS);
    const ending = new Promise<Ending>((resolve) => {
      this.#end = resolve;
    });
    this.open(talk.list()[0] ?? talk.home);
    this.#background(this.#input.prepare());
    if (talk.list().length === 1) this.say(`you are @${talk.status?.name ?? ''}. ${WELCOME}`);
    const how: Ending = this.#hasQuit ? { why: 'quit' } : await ending;
    clearInterval(this.#minute);
    for (const dialog of this.#dialogs.splice(0)) dialog.cancel();
    this.#keepDraft();
    this.#views.clear();
    this.#words.clear();
    this.#talk = undefined;
    this.#current = undefined;
    this.#end = undefined;
    return how;
  }

  // ---- what talk tells

  changed(): void {
    if (this.#current && this.#talk && this.#talk.find(this.#current.key) !== this.#current) {
      this.#talk.home.draft ||= this.#editor.text; // its conversation is gone, the text is not
      this.open(this.#talk.home);
    }
    this.#painter.soon();
  }

  arrived(one: Conversation, row: Row): void {
    const isShown = one === this.#current && this.#isLooking;
    if (isShown && this.#viewOf(one).follows && row.type !== 'out') one.fresh.add(row.key);
    if (one === this.#current && !isShown) one.marker = unreadOf(one)[0]?.order;
    if (row.type === 'out' || this.#talk?.away !== undefined) return;
    this.#ring();
  }

  /** Somebody has what is said before their eyes. */
  get #isLooking(): boolean {
    return this.#hasFocus && this.#dialogs.length === 0 && this.#talk?.away === undefined;
  }

  /** Who looks again sees first what they did not see, unless they had gone back to something older. */
  #lookAgain(): void {
    const one = this.#current;
    if (!one?.loaded || !this.#isLooking || !this.#viewOf(one).follows) return;
    const [first] = unreadOf(one);
    if (!first) return;
    one.marker = first.order;
    this.#viewOf(one).showFrom(first.order);
  }

  #ring(): void {
    if (this.#hasFocus) return; // it stands in the list and in the status line
    const now = performance.now();
    if (this.#bellAt !== 0 && now - this.#bellAt < BELL_MS) return;
    this.#bellAt = now;
    this.#terminal.bell();
    this.#terminal.notify('Cadenas: something new');
  }

  failed(trouble: Trouble): void {
    this.say(`${plainLine(typed(trouble.message))} — ${plainLine(typed(trouble.hint))}`, true);
  }

  ended(trouble: Trouble): void {
    this.#end?.({ why: 'ended', trouble });
  }

  // ---- Surface

  get talk(): Talk {
    if (!this.#talk) throw mistake('nobody is logged in', 'log in first');
    return this.#talk;
  }

  get columns(): number {
    return this.#layout.width;
  }

  get current(): Conversation {
    return this.#current ?? this.talk.home;
  }

  open(one: Conversation): void {
    this.#keepDraft();
    if (this.#current && this.#current !== one) this.#current.marker = undefined;
    this.#current = one;
    this.#input.set(one.draft);
    this.#searcher.end();
    this.#background(this.#load(one));
    this.#painter.soon();
  }

  async #load(one: Conversation): Promise<void> {
    await this.talk.load(one);
    if (this.#current !== one) return;
    const first = unreadOf(one)[0];
    one.marker = first?.order;
    if (first) this.#viewOf(one).showFrom(first.order);
    await this.#safetyWords(this.#asking());
    this.#painter.soon();
  }

  #keepDraft(): void {
    if (this.#current) this.#current.draft = this.#editor.text;
  }

  say(text: string, warns = false): void {
    this.current.scroll.say(text, Date.now(), warns);
    this.#toEnd();
    this.#painter.soon();
  }

  ask(question: Question): Promise<string | undefined> {
    if (this.#hasQuit) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const dialog = new Dialog(question, (answered) => {
        const at = this.#dialogs.indexOf(dialog);
        if (at >= 0) this.#dialogs.splice(at, 1);
        this.#lookAgain();
        this.#painter.soon();
        resolve(answered);
      });
      this.#dialogs.push(dialog);
      this.#painter.soon();
    });
  }

  async search(pattern: string): Promise<boolean> {
    const row = await this.#searcher.next(this.talk, this.current, pattern);
    if (row) this.#viewOf(this.current).showAround(row.order);
    this.#painter.soon();
    return row !== undefined;
  }

  clear(): void {
    this.current.scroll.clear();
    this.#viewOf(this.current).end();
    this.#painter.soon();
  }

  copy(text: string): boolean {
    this.#terminal.copy(text);
    return true;
  }

  theme(ground: 'dark' | 'light'): void {
    this.#theme = themeOf(this.#colour, ground);
    this.#painter.soon();
  }

  quit(): void {
    for (const dialog of this.#dialogs.splice(0)) dialog.cancel();
    this.#hasQuit = true;
    this.#end?.({ why: 'quit' });
  }

  #hasQuit = false;

  /** Somebody wants no more of this program, or the terminal is gone. */
  get hasQuit(): boolean {
    return this.#hasQuit;
  }

  // ---- keys

  #background(work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      if (this.#talk) this.failed(asClientError(thrown, '').trouble);
    });
  }

  #key(key: Key): void {
    if (this.#held) return void this.#held.push(key);
    if (key.type === 'focus') {
      this.#hasFocus = key.focused;
      this.#lookAgain();
      return this.#painter.soon();
    }
    const dialog = this.#dialogs.at(-1);
    if (dialog) dialog.key(key);
    else if (this.#talk) this.#typed(key);
    else if (key.type === 'key' && key.ctrl && key.name === 'c') this.quit();
    this.#painter.now();
  }

  #typed(key: Key): void {
    if (key.type === 'key' && key.name === 'tab' && this.#editor.search === undefined)
      return this.#complete(key.shift ? -1 : 1);
    this.#input.settle();
    if (this.#editor.search === undefined && this.#special(key)) return;
    const took = this.#input.take(key);
    if (took === 'submit') this.#submit();
    else if (took === 'full') this.say(`a text has ${String(TEXT_MAX)} bytes at most`, true);
  }

  /** Keys of the screen; true where it was one. */
  #special(key: Key): boolean {
    if (key.type !== 'key') return false;
    const name = chord(key);
    const digit = /^A-([0-9])$/.exec(name)?.[1];
    if (digit !== undefined) return this.#goto(digit === '0' ? 9 : Number(digit) - 1);
    const work = this.#bindings[name];
    if (!work) return false;
    work();
    return true;
  }

  readonly #bindings: Readonly<Record<string, () => void>> = {
    'A-a': () => this.#nextUnread(),
    'C-n': () => this.#step(1),
    'C-p': () => this.#step(-1),
    'C-k': () => this.#background(this.#switch()),
    'C-l': () => this.#terminal.redraw(),
    'C-z': () => this.#terminal.suspend(),
    'C-c': () => this.#interrupt(),
    'C-d': () => {
      if (this.#editor.text === '') this.#interrupt();
      else this.#editor.take(press('d', { ctrl: true }));
    },
    'A-y': () => this.#background(this.#answer(true)),
    'A-n': () => this.#background(this.#answer(false)),
    pageup: () => this.#scroll(-Math.max(1, this.#layout.height - 1)),
    pagedown: () => this.#scroll(Math.max(1, this.#layout.height - 1)),
    'A-end': () => this.#toEnd(),
    f1: () => this.#background(submit(this, '/help', this.current)),
    escape: () => this.#searcher.end(),
  };

  #goto(index: number): boolean {
    const one = this.talk.list()[index];
    if (one) this.open(one);
    return true;
  }

  #step(by: number): void {
    const list = this.talk.list();
    const one = list[(list.indexOf(this.current) + by + list.length) % list.length];
    if (one) this.open(one);
  }

  #nextUnread(): void {
    const one = this.talk.nextUnread(this.current);
    if (one) this.open(one);
  }

  async #switch(): Promise<void> {
    const list = this.talk.list();
    const typedName = await this.ask({
      title: 'Go to',
      text: list.slice(0, 12).map((one) => ` ${one.label}${one.unread > 0 ? ` (${String(one.unread)})` : ''}`),
      field: {
        label: 'name: ',
        isSecret: false,
        check: (word) => (bestOf(list, word) ? undefined : 'nobody is called so'),
      },
    });
    const one = typedName === undefined ? undefined : bestOf(list, typedName);
    if (one) this.open(one);
  }

  #interrupt(): void {
    if (this.#editor.text !== '') return this.#editor.clear();
    this.#background(
      this.ask({
        title: 'Quit?',
        text: ['What waits to be sent goes at the next start.'],
        choices: [{ key: 'enter', label: 'quit', value: 'quit' }],
      }).then((chosen) => {
        if (chosen === 'quit') this.quit();
      }),
    );
  }

  /** Accepts or declines what the banner asks. */
  async #answer(yes: boolean): Promise<void> {
    await answer(this, this.#asking(), yes);
  }

  /** What the banner is about: this conversation, or at home whoever asks first. */
  #asking(): Conversation {
    if (this.current.key !== HOME) return this.current;
    return this.talk.list().find((one) => one.asks === 'request' || one.asks === 'invitation') ?? this.current;
  }

  async #safetyWords(one: Conversation): Promise<void> {
    if (one.asks !== 'request' || !one.contact) return;
    const key = `${one.key}:${one.contact.fingerprint}`;
    if (this.#words.has(key)) return;
    this.#words.set(key, '');
    const { words } = await this.talk.client.call('verify', { name: one.key });
    this.#words.set(key, words.join(' '));
    this.#painter.soon();
  }

  /** What is typed meanwhile waits: it belongs to what is shown then. */
  #hold(work: Promise<void>): void {
    const held: Key[] = [];
    this.#held = held;
    const release = (): void => {
      this.#held = undefined;
      for (const key of held) this.#key(key);
    };
    this.#background(work.finally(release));
  }

  #submit(): void {
    if (this.#editor.text.trim() === '') return;
    const where = this.current;
    const line = this.#input.written(this.#editor.text);
    if (line === undefined) return this.#hold(this.#input.prepare().then(() => this.#submit()));
    const text = this.#editor.finish();
    this.#toEnd();
    where.marker = undefined;
    this.#background(
      submit(this, line, where).then((how) => {
        /* It was not done: it is theirs again, unless they went on. */
        if (how === 'kept' && this.#current !== where) where.draft ||= text;
        else if (how === 'kept' && this.#editor.text === '') this.#input.set(text);
        this.#painter.soon();
      }),
    );
  }

  #complete(by: 1 | -1): void {
    const list = this.talk.list();
    const sources = {
      names: list.flatMap((one) => (one.contact ? [one.key] : [])),
      rooms: list.flatMap((one) => (one.room ? [one.key.slice(1)] : [])),
      commands: commandNames,
    };
    this.#background(this.#input.complete(by, sources).then(() => this.#painter.now()));
  }

  // ---- scrolling

  #viewOf(one: Conversation): View {
    const known = this.#views.get(one);
    if (known) return known;
    const made = new View(one, this.talk.status?.name ?? '', this.#theme);
    made.size(this.#layout.width, this.#layout.height, this.#theme);
    this.#views.set(one, made);
    return made;
  }

  #scroll(lines: number): void {
    const view = this.#viewOf(this.current);
    const { scroll } = this.current;
    if (view.scroll(lines) && scroll.older) {
      this.#background(this.talk.older(this.current));
      return;
    }
    if (view.follows && scroll.detached) this.#toEnd();
  }

  #toEnd(): void {
    const one = this.current;
    this.#viewOf(one).end();
    if (one.scroll.detached) this.#background(this.talk.toEnd(one));
  }

  // ---- painting

  #draw(): void {
    const grid = this.#terminal.frame();
    const theme = this.#theme;
    if (this.#talk && this.#current) this.#drawTalk(grid, this.#talk, this.#current);
    else if (this.#busy !== '')
      grid.put(
        Math.max(0, Math.floor((grid.columns - widthOf(this.#busy)) / 2)),
        Math.floor(grid.rows / 2),
        this.#busy,
        theme.dim,
      );
    this.#dialogs.at(-1)?.draw(grid, theme);
    this.#terminal.paint();
  }

  #drawTalk(grid: Grid, talk: Talk, one: Conversation): void {
    const theme = this.#theme;
    const list = talk.list();
    const prompt = promptOf(one);
    const room = Math.max(8, grid.columns - widthOf(prompt) - 1);
    const asking = this.#asking();
    if (asking.asks === 'request') this.#background(this.#safetyWords(asking));
    const words = this.#words.get(`${asking.key}:${asking.contact?.fingerprint ?? ''}`) ?? '';
    const estimate = layoutOf(grid.columns, grid.rows, 0, 1);
    const banner = bannerLines(asking, words, estimate.width, theme, Date.now()).slice(
      0,
      Math.max(1, Math.floor(grid.rows / 4)),
    );
    const wanted = this.#editor.view(room, 6).rows.length;
    const layout = layoutOf(grid.columns, grid.rows, banner.length, wanted);
    this.#layout = layout;
    drawList(grid, layout, list, one, theme);
    drawTitle(grid, layout, one, banner, theme);
    const view = this.#viewOf(one);
    view.size(layout.width, layout.height, theme);
    const visible = view.visible();
    drawBody(grid, layout, visible, one.isRoom, this.#searcher.pattern, theme);
    grid.fill(0, layout.status, grid.columns, theme.status);
    const more = view.follows ? '' : ' │ ↓ more below: Alt-End';
    grid.put(0, layout.status, ` ${this.#input.hint ?? statusText(talk, list, one)}${more}`, theme.status);
    this.#drawInput(grid, prompt, room, layout);
    this.#seen(
      one,
      view.follows,
      visible
        .map(({ row }) => row)
        .flatMap((row) =>
          (row.type === 'message' || row.type === 'notice') && row.read === undefined ? [row.key] : [],
        ),
    );
  }

  #drawInput(grid: Grid, prompt: string, room: number, layout: Layout): void {
    const x = grid.put(0, layout.input, prompt, this.#theme.strong);
    const view = this.#editor.view(room, layout.inputHeight);
    for (const [y, row] of view.rows.entries()) grid.put(x, layout.input + y, row, this.#theme.plain);
    grid.cursor = { x: Math.min(x + view.cursorColumn, grid.columns - 1), y: layout.input + view.cursorRow };
  }

  /** What stands on the screen is read, and what went by while somebody looked. */
  #seen(one: Conversation, follows: boolean, visible: readonly string[]): void {
    if (!this.#isLooking || !one.loaded) return;
    const keys = follows ? [...new Set([...visible, ...one.fresh])] : visible;
    if (follows) one.fresh.clear();
    if (keys.length > 0) this.talk.seen(one, keys);
  }
}

/** Whose name begins so, or holds it. */
function bestOf(list: readonly Conversation[], word: string): Conversation | undefined {
  const wanted = word.trim().toLowerCase();
  const bare = wanted.replace(/^[@#]/, '');
  return (
    list.find((one) => one.label === wanted || one.key === wanted) ??
    list.find((one) => one.key.replace(/^#/, '').startsWith(bare)) ??
    list.find((one) => one.key.includes(bare))
  );
}
