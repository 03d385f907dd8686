/** What is talked about, as this face has it: conversations fed by the core's events. No drawing, no keys. */
import {
  asClientError,
  ClientError,
  Exit,
  type Client,
  type ClientEvent,
  type CommandName,
  type Commands,
  type Row,
  type StatusView,
  type Trouble,
} from '../../../client/index.js';
import { Conversation, HOME, inOrder } from './conversation.js';
import { Pages, unreadOf } from './pages.js';
import { keyOf } from './scrollback.js';

/** What changes often is asked for at most so often, in ms. */
const LISTS_MS = 100;
const STATUS_MS = 300;
/** Rows that one call marks. */
const READ_MAX = 256;

type Own = Extract<Row, { type: 'out' }>;

export interface TalkListener {
  /** something that is shown is other than before */
  changed(): void;
  /** what waited at the daemon is in */
  caughtUp?(): void;
  /** a message or notice came that was not read */
  arrived(conversation: Conversation, row: Row): void;
  /** an own text is on the disk */
  wrote?(conversation: Conversation, row: Own): void;
  /** it is further than it was */
  went?(conversation: Conversation, id: string, state: Own['state']): void;
  /** a command failed that nobody waits for */
  failed(trouble: Trouble): void;
  /** the session will not come back by itself */
  ended(trouble: Trouble): void;
}

export interface Clock {
  now(): number;
  elapsed(): number;
  after(ms: number, run: () => void): () => void;
}

export class Talk {
  readonly client: Client;
  readonly #listener: TalkListener;
  readonly #clock: Clock;
  readonly #all = new Map<string, Conversation>([[HOME, new Conversation(HOME)]]);
  #stop: () => void = () => undefined;
  #status: StatusView | undefined;
  #trouble: Trouble | undefined;
  #over: Trouble | undefined;
  readonly #planned = new Map<string, () => void>();
  readonly #pages: Pages;
  #closed = false;
  /** grows with all that makes a list which is on its way an old one */
  #counted = 0;
  /** calls under way that mark rows as read */
  #marking = 0;
  /** ms that the daemon took for the last text */
  lag: number | undefined;
  /** why nothing is marked as read; undefined where one is here */
  away: string | undefined;
  /** what waited at the daemon comes in: nobody has watched it come */
  isCatchingUp = false;
  /** seconds: the daemon takes no messages for so long */
  limited: number | undefined;

  constructor(client: Client, listener: TalkListener, clock: Clock) {
    this.client = client;
    this.#listener = listener;
    this.#clock = clock;
    this.#pages = new Pages(client, () => {
      listener.changed();
    });
  }

  /** @throws ClientError */
  async start(): Promise<void> {
    this.#stop = this.client.on((event) => {
      this.#take(event);
    });
    await this.refresh();
    await this.#askStatus();
    await this.#readHome();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const cancel of this.#planned.values()) cancel();
    this.#planned.clear();
  }

  get status(): StatusView | undefined {
    return this.#status;
  }

  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** Why the session will not come back by itself; undefined while there is hope. */
  get over(): Trouble | undefined {
    return this.#over;
  }

  get home(): Conversation {
    return this.conversation(HOME);
  }

  /** In the order of the list. */
  list(): Conversation[] {
    return inOrder(this.#all.values());
  }

  find(key: string): Conversation | undefined {
    return this.#all.get(key);
  }

  conversation(key: string): Conversation {
    const known = this.#all.get(key);
    if (known) return known;
    const made = new Conversation(key);
    this.#all.set(key, made);
    return made;
  }

  /** The next in the list that has something unread or asks something, and is not this one. */
  nextUnread(one: Conversation): Conversation | undefined {
    const list = this.list();
    const at = list.indexOf(one) + 1;
    return [...list.slice(at), ...list.slice(0, at)].find(
      (each) => each !== one && (each.unread > 0 || (each.asks !== undefined && each.asks !== 'offer')),
    );
  }

  // ---- lists

  /** Contacts and rooms as the core has them. @throws ClientError */
  async refresh(): Promise<void> {
    const counted = this.#counted;
    const before = [...this.#all.values()];
    const [{ contacts }, { rooms }] = await Promise.all([
      this.client.call('contacts', { check: false }),
      this.client.call('rooms', {}),
    ]);
    const there = new Set([HOME]);
    for (const contact of contacts) {
      if (contact.relation === 'declined' || contact.relation === 'blocked') continue;
      const one = this.conversation(contact.name);
      there.add(one.key);
      Object.assign(one, { contact, unread: contact.unread, latest: contact.latest });
    }
    for (const room of rooms) {
      const one = this.conversation(`#${room.name}`);
      there.add(one.key);
      Object.assign(one, { room, unread: room.unread, latest: room.latest });
    }
    /* One that was begun meanwhile can't be in it. */
    const gone = before.filter((one) => !there.has(one.key));
    for (const one of gone) this.#all.delete(one.key);
    if (counted !== this.#counted || this.#marking > 0) this.#listsSoon();
    this.#listener.changed();
    /* What was told in a conversation that is no more is the account's. */
    if (gone.length > 0) await this.#readHome();
  }

  async #readHome(): Promise<void> {
    const { home } = this;
    await this.toEnd(home);
    home.loaded = true;
    home.unread = unreadOf(home).length;
    this.#listener.changed();
  }

  #plan(what: string, ms: number, work: () => Promise<void>): void {
    if (this.#closed || this.#planned.has(what)) return;
    const cancel = this.#clock.after(ms, () => {
      this.#planned.delete(what);
      this.#background(work());
    });
    this.#planned.set(what, cancel);
  }

  #background(work: Promise<unknown>): void {
    work.catch((thrown: unknown) => {
      if (!this.#closed) this.#listener.failed(asClientError(thrown, '').trouble);
    });
  }

  async #askStatus(): Promise<void> {
    this.#status = await this.client.call('status', {});
    this.#trouble = this.#status.session === 'online' ? undefined : this.#status.trouble;
    this.#listener.changed();
  }

  statusSoon(): void {
    this.#plan('status', STATUS_MS, () => this.#askStatus());
  }

  #listsSoon(): void {
    this.#plan('lists', LISTS_MS, () => this.refresh());
  }

  // ---- events

  #take(event: ClientEvent): void {
    switch (event.type) {
      case 'row':
        return this.#row(event.row);
      case 'gone':
        return this.#gone(event.keys);
      case 'read':
        return this.#read(event.keys, event.at);
      case 'changed':
        return this.#listsSoon();
      case 'sent':
        this.statusSoon();
        return this.#sent(event.id, event.to, event.state);
      case 'session':
        this.#trouble = event.trouble;
        if (this.#status) this.#status = { ...this.#status, session: event.state };
        this.isCatchingUp = event.state === 'online';
        if (this.isCatchingUp) this.#background(this.#caughtUp());
        this.statusSoon();
        return this.#listener.changed();
      case 'limited':
        if (event.of === 'messages') this.#limit(event.wait);
        return;
      case 'ended':
        this.#over = event.trouble;
        return this.#listener.ended(event.trouble);
      case 'unread':
        return;
    }
  }

  /** Resolves when the queue of a login is in, or there is no login any more. */
  async #caughtUp(): Promise<void> {
    try {
      await this.client.call('drained', {});
    } catch (thrown) {
      if (!(thrown instanceof ClientError)) throw thrown; // the session tells what it is
    }
    this.isCatchingUp = false;
    this.#listener.caughtUp?.();
  }

  #limit(seconds: number): void {
    this.limited = seconds;
    this.#planned.get('limit')?.();
    this.#planned.delete('limit');
    this.#plan('limit', seconds * 1000, () => {
      this.limited = undefined;
      this.#listener.changed();
      return Promise.resolve();
    });
    this.#listener.changed();
  }

  #placeOf(row: Row): Conversation {
    if (row.type === 'out') return this.conversation(row.to);
    if (row.room !== undefined) return this.conversation(`#${row.room}`);
    return this.conversation(row.type === 'message' ? row.from : row.name);
  }

  #gone(keys: readonly string[]): void {
    for (const one of this.#all.values())
      for (const key of keys) {
        one.scroll.remove(key);
        one.fresh.delete(key);
      }
    this.home.unread = unreadOf(this.home).length;
    this.#listsSoon();
    this.#listener.changed();
  }

  #row(row: Row): void {
    const one = this.#placeOf(row);
    const isKnown = one.scroll.byKey(keyOf(row)) !== undefined;
    /* A page that is on its way may have it too: a row is known by its key. */
    if (one.loaded || this.#pages.isLoading(one)) one.scroll.add(row);
    one.latest = Math.max(one.latest, row.at);
    if (row.type === 'out') {
      this.statusSoon();
      this.#listener.wrote?.(one, row);
      return this.#listener.changed();
    }
    if (row.type === 'notice' && one.contact === undefined && one.room === undefined) this.#listsSoon();
    if (row.read === undefined && !isKnown) {
      this.#counted++;
      one.unread++;
      this.#listener.arrived(one, row);
    }
    this.#listener.changed();
  }

  #read(keys: readonly string[], at: number): void {
    let unknown = false;
    const loaded = [...this.#all.values()].filter((one) => one.scroll.rows.length > 0);
    for (const key of keys) {
      const known = loaded.find((one) => one.scroll.byKey(key) !== undefined);
      if (known) this.#markRead(known, key, at);
      else unknown = true;
    }
    if (unknown) this.#listsSoon();
    this.#listener.changed();
  }

  #markRead(one: Conversation, key: string, at: number): void {
    const row = one.scroll.byKey(key);
    if (!row || row.type === 'local' || row.type === 'out' || row.read !== undefined) return;
    one.scroll.replace({ ...row, read: at });
    one.unread = Math.max(0, one.unread - 1);
    one.fresh.delete(key);
  }

  #sent(id: string, to: string, state: Own['state']): void {
    const one = this.conversation(to);
    this.#listener.went?.(one, id, state);
    const row = one.scroll.byKey(id);
    if (row?.type !== 'out') return;
    const isDone = state !== 'waiting' && state !== 'queued';
    const done = isDone && row.done === undefined ? { done: this.#clock.now() } : {};
    one.scroll.replace({ ...row, state, ...done });
    this.#listener.changed();
  }

  // ---- a conversation

  /** The newest page, and so many before it that the first of what is unread is among them. @throws ClientError */
  load(one: Conversation): Promise<void> {
    return this.#pages.load(one);
  }

  /** @throws ClientError */
  older(one: Conversation): Promise<void> {
    return this.#pages.older(one);
  }

  /** Back to the newest rows, where they were let go. @throws ClientError */
  toEnd(one: Conversation): Promise<void> {
    return this.#pages.toEnd(one);
  }

  /** They were on the screen. */
  seen(one: Conversation, keys: readonly string[]): void {
    if (this.away !== undefined || keys.length === 0) return;
    const now = this.#clock.now();
    for (const key of keys) this.#markRead(one, key, now);
    this.#counted++;
    for (let at = 0; at < keys.length; at += READ_MAX) this.#background(this.#mark(keys.slice(at, at + READ_MAX)));
  }

  async #mark(keys: readonly string[]): Promise<void> {
    this.#marking++;
    try {
      await this.client.call('read', { keys });
    } finally {
      this.#marking--;
    }
  }

  /**
   * What could not be sent, where that needs a person.
   * @throws ClientError where nothing is kept of it
   */
  async send(one: Conversation, text: string): Promise<Trouble | undefined> {
    const begun = this.#clock.elapsed();
    const { state, trouble } = await this.client.call('send', { to: one.key, text });
    if (state !== 'waiting' && state !== 'failed') this.lag = Math.round(this.#clock.elapsed() - begun);
    this.statusSoon();
    return trouble && (state === 'failed' || trouble.exit === Exit.trust) ? trouble : undefined;
  }

  /** A command of the core; what it changed is asked for soon. @throws ClientError */
  async call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    try {
      return await this.client.call(command, args);
    } finally {
      this.#listsSoon();
      this.statusSoon();
    }
  }
}
