/** What is talked about, on the screen: keys to what they do, and what is known to a frame. */
import { asClientError, type Row, type Trouble } from '../../../client/index.js';
import { TEXT_MAX } from '../../../../protocol/index.js';
import { widthOf } from '../../../plain/width.js';
import { answer } from '../commands/answer.js';
import { chatKeys, type ChatAction } from '../commands/keys.js';
import type { Question, Surface } from '../commands/surface.js';
import { commandNames, moves, submit } from '../commands/table.js';
import { troubleText } from '../commands/typed.js';
import type { Conversation } from '../talk/conversation.js';
import { unreadOf } from '../talk/pages.js';
import type { Talk } from '../talk/talk.js';
import type { Grid } from '../terminal/grid.js';
import { chord, escapeAnd, press, type Key } from '../text/key.js';
import { Asking } from './asking.js';
import { bannerLines } from './banner.js';
import { drawBody, drawInput, drawList, drawStatus, drawTitle, promptOf } from './draw.js';
import { Input } from './input.js';
import { INPUT_MAX, layoutOf, paneOf, type Layout } from './layout.js';
import { Searcher } from './searcher.js';
import type { Stage } from './stage.js';
import { switchTo } from './switcher.js';
import { View } from './view.js';

const WELCOME =
  '/add @name asks somebody to talk, /join #room enters a room, /room create #name makes one; /help (F1) shows all';

/** Who is tired of waiting goes on. */
const unheld: ReadonlySet<ChatAction | undefined> = new Set<ChatAction>(['interrupt', 'endSearch']);

export class Chat implements Surface {
  readonly talk: Talk;
  readonly #stage: Stage;
  readonly #input = new Input();
  readonly #views = new Map<Conversation, View>();
  readonly #searcher = new Searcher();
  readonly #asking: Asking;
  #current: Conversation;
  #layout: Layout = layoutOf(80, 24, 0, 1);
  /** keys that wait */
  #held: Key[] | undefined;

  constructor(talk: Talk, stage: Stage) {
    this.talk = talk;
    this.#stage = stage;
    this.#asking = new Asking(talk);
    this.#current = talk.home;
  }

  /** Shows what waits most. */
  begin(): void {
    const list = this.talk.list();
    this.open(list[0] ?? this.talk.home);
    this.#background(this.#input.prepare());
    if (list.length === 1) this.say(`you are @${this.talk.status?.name ?? ''}. ${WELCOME}`);
  }

  #background(work: Promise<unknown>): void {
    work.then(
      () => this.#stage.soon(),
      (thrown: unknown) => this.failed(asClientError(thrown, '').trouble),
    );
  }

  // ---- what talk tells

  changed(): void {
    if (this.talk.find(this.#current.key) !== this.#current) {
      this.talk.home.draft ||= this.#input.editor.text; // its conversation is gone, the text is not
      this.open(this.talk.home);
    }
    this.#stage.soon();
  }

  arrived(one: Conversation, row: Row): void {
    if (row.type === 'out') return;
    const isShown = one === this.#current && this.#isLooking;
    if (isShown && this.#viewOf(one).follows) one.fresh.add(row.key);
    if (one === this.#current && !isShown) one.marker = unreadOf(one)[0]?.order;
    if (this.talk.away === undefined) this.#stage.ring();
  }

  /** Somebody has what is said before their eyes. */
  get #isLooking(): boolean {
    return this.#stage.isLookedAt && this.talk.away === undefined && !this.talk.isCatchingUp;
  }

  /** Who looks again sees first what they did not see, unless they had gone back to something older. */
  lookAgain(): void {
    const one = this.#current;
    if (!one.loaded || !this.#isLooking || !this.#viewOf(one).follows) return;
    const [first] = unreadOf(one);
    if (!first) return;
    one.marker = first.order;
    this.#viewOf(one).showFrom(first.order);
  }

  failed(trouble: Trouble): void {
    this.say(troubleText(trouble), true);
  }

  // ---- Surface

  get current(): Conversation {
    return this.#current;
  }

  open(one: Conversation): void {
    this.#current.draft = this.#input.editor.text;
    if (this.#current !== one) this.#current.marker = undefined;
    this.#current = one;
    this.#input.set(one.draft);
    this.#searcher.end();
    this.#background(this.#load(one));
  }

  async #load(one: Conversation): Promise<void> {
    await this.talk.load(one);
    if (this.#current !== one) return;
    const first = unreadOf(one)[0];
    one.marker = first?.order;
    if (first) this.#viewOf(one).showFrom(first.order);
  }

  say(text: string, warns = false): void {
    this.#current.scroll.say(text, Date.now(), warns);
    this.#toEnd();
    this.#stage.soon();
  }

  ask(question: Question): Promise<string | undefined> {
    return this.#stage.ask(question);
  }

  async search(pattern: string): Promise<boolean> {
    const row = await this.#searcher.next(this.talk, this.#current, pattern);
    if (row) this.#viewOf(this.#current).showAround(row.order, this.#searcher.pattern);
    return row !== undefined;
  }

  clear(): void {
    this.#current.scroll.clear();
    this.#viewOf(this.#current).end();
  }

  copy(text: string): boolean {
    this.#stage.copy(text);
    return true;
  }

  theme(ground: 'dark' | 'light'): void {
    this.#stage.useTheme(ground);
  }

  quit(): void {
    this.#stage.quit();
  }

  // ---- keys

  key(key: Key): void {
    const name = key.type === 'key' ? chord(key) : '';
    if (this.#held && !unheld.has(chatKeys.get(name))) return void this.#held.push(key);
    this.#release();
    const { editor } = this.#input;
    const action = editor.search === undefined ? chatKeys.get(name) : undefined;
    if (action !== 'complete' && action !== 'completeBack') this.#input.settle();
    if (action) return this.#actions[action](name);
    const took = this.#input.take(key);
    if (took === 'submit') this.#submit();
    else if (took === 'full') this.say(`a text has ${String(TEXT_MAX)} bytes at most`, true);
    else if (took === 'ignored') for (const one of escapeAnd(key) ?? []) this.key(one);
  }

  readonly #actions: Readonly<Record<ChatAction, (chord: string) => void>> = {
    goto: (name) => this.#goto((Number(name.at(-1)) + 9) % 10),
    nextUnread: () => this.#nextUnread(),
    next: () => this.#step(1),
    previous: () => this.#step(-1),
    find: () => this.#background(switchTo(this)),
    interrupt: () => this.#interrupt(),
    deleteOrQuit: () => {
      if (this.#input.editor.text === '') this.#interrupt();
      else this.#input.take(press('d', { ctrl: true }));
    },
    yes: () => this.#hold(answer(this, this.#asking.about(this.#current), true)),
    no: () => this.#hold(answer(this, this.#asking.about(this.#current), false)),
    pageUp: () => this.#scroll(-this.#page),
    pageDown: () => this.#scroll(this.#page),
    toEnd: () => this.#toEnd(),
    complete: () => this.#complete(1),
    completeBack: () => this.#complete(-1),
    help: () => this.#background(submit(this, '/help', this.#current)),
    endSearch: () => this.#searcher.end(),
  };

  #goto(index: number): void {
    const one = this.talk.list()[index];
    if (one) this.open(one);
  }

  #step(by: number): void {
    const list = this.talk.list();
    this.#goto((list.indexOf(this.#current) + by + list.length) % list.length);
  }

  #nextUnread(): void {
    const one = this.talk.nextUnread(this.#current);
    if (one) this.open(one);
  }

  #interrupt(): void {
    if (this.#input.editor.text !== '') return this.#input.editor.clear();
    this.#background(this.#mayQuit());
  }

  async #mayQuit(): Promise<void> {
    const chosen = await this.ask({
      title: 'Quit?',
      text: ['What waits to be sent goes at the next start.'],
      choices: [{ key: 'enter', label: 'quit', value: 'quit' }],
    });
    if (chosen === 'quit') this.quit();
  }

  #submit(): void {
    const { editor } = this.#input;
    if (editor.text.trim() === '') return;
    const line = this.#input.written(editor.text);
    if (line === undefined) return this.#hold(this.#input.prepare().then(() => this.#submit()));
    this.#toEnd();
    this.#current.marker = undefined;
    const sending = this.#send(this.#current, editor.finish(), line);
    /* What is typed next may be meant for where it leads. */
    if (moves(line)) this.#hold(sending);
    else this.#background(sending);
  }

  /** What was not done is theirs again, unless they went on. */
  async #send(where: Conversation, text: string, line: string): Promise<void> {
    const how = await submit(this, line, where);
    if (how === 'kept' && this.#current !== where) where.draft ||= text;
    else if (how === 'kept' && this.#input.editor.text === '') this.#input.offer(text);
  }

  /** What is typed meanwhile waits: it belongs to what is shown then. Esc and Ctrl-C do not wait. */
  #hold(work: Promise<void>): void {
    const held: Key[] = [];
    this.#held = held;
    this.#background(
      work.finally(() => {
        if (this.#held === held) this.#release();
      }),
    );
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const key of held) this.key(key);
  }

  #complete(by: 1 | -1): void {
    const list = this.talk.list();
    const sources = {
      names: list.flatMap((one) => (one.contact ? [one.key] : [])),
      rooms: list.flatMap((one) => (one.room ? [one.key.slice(1)] : [])),
      commands: commandNames,
    };
    this.#background(this.#input.complete(by, sources));
  }

  // ---- scrolling

  get #page(): number {
    return Math.max(1, this.#layout.height - 1);
  }

  #viewOf(one: Conversation): View {
    const known = this.#views.get(one);
    if (known) return known;
    const made = new View(one, this.talk.status?.name ?? '', this.#stage.theme);
    made.size(this.#layout.width, this.#layout.height, this.#stage.theme);
    this.#views.set(one, made);
    return made;
  }

  #scroll(lines: number): void {
    const view = this.#viewOf(this.#current);
    const { scroll } = this.#current;
    if (view.scroll(lines) && scroll.older) this.#background(this.talk.older(this.#current));
    else if (view.follows && scroll.detached) this.#toEnd();
  }

  #toEnd(): void {
    this.#viewOf(this.#current).end();
    if (this.#current.scroll.detached) this.#background(this.talk.toEnd(this.#current));
  }

  // ---- a frame

  draw(grid: Grid): void {
    const { theme } = this.#stage;
    const one = this.#current;
    const list = this.talk.list();
    const banner = this.#banner(grid);
    const prompt = promptOf(one, grid.columns);
    const room = grid.columns - widthOf(prompt) - 1;
    const wanted = this.#input.editor.view(room, INPUT_MAX).rows.length;
    const layout = layoutOf(grid.columns, grid.rows, banner.length, wanted);
    this.#layout = layout;
    drawList(grid, layout, list, one, theme);
    drawTitle(grid, layout, one, banner, theme);
    const view = this.#viewOf(one);
    view.size(layout.width, layout.height, theme);
    const visible = view.visible();
    drawBody(grid, layout, visible, one.isRoom, this.#searcher.pattern, theme);
    drawStatus(grid, layout, this.talk, list, one, this.#input.hint, view.follows, theme);
    drawInput(grid, layout, prompt, this.#input.editor.view(room, layout.inputHeight), theme);
    this.#stage.waits(list.reduce((sum, each) => sum + each.unread, 0));
    this.#seen(view);
  }

  #banner(grid: Grid): ReturnType<typeof bannerLines> {
    const asking = this.#asking.about(this.#current);
    const learning = this.#asking.learn(asking);
    if (learning) this.#background(learning);
    return bannerLines(asking, this.#asking.wordsOf(asking), this.#stage.theme, Date.now(), {
      width: paneOf(grid.columns).width,
      height: Math.max(1, Math.floor(grid.rows / 4)),
    });
  }

  /** What stands on the screen is read, and what went by while somebody looked. */
  #seen(view: View): void {
    const one = view.conversation;
    if (!this.#isLooking || !one.loaded) return;
    const keys = new Set(view.unread());
    if (view.follows) {
      for (const key of one.fresh) keys.add(key);
      one.fresh.clear();
    }
    if (keys.size > 0) this.talk.seen(one, [...keys]);
  }
}
