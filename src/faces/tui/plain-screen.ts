/** Lines that are only ever added: for screen readers, and terminals that can do nothing else. */
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { asClientError, type OutgoingState, type Row, type Trouble } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { mistake } from './commands/command.js';
import type { Question, Surface } from './commands/surface.js';
import type { Ending, Front } from './front.js';
import { commandNames, submit } from './commands/table.js';
import { troubleText } from './commands/typed.js';
import { bannerText, titleText } from './screen/banner.js';
import { plainRow } from './screen/lines.js';
import type { Conversation } from './talk/conversation.js';
import type { Shown } from './talk/scrollback.js';
import { unreadOf } from './talk/pages.js';
import type { Talk } from './talk/talk.js';

/** Asks on a terminal that does not show what is typed. */
export interface Prompter {
  readonly possible: boolean;
  hidden(question: string): Promise<string>;
  close(): void;
}

export interface PlainHost {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly signal: AbortSignal;
}

export class PlainScreen implements Surface, Front {
  readonly #host: PlainHost;
  readonly #secrets: Prompter;
  #lines: Interface | undefined;
  #talk: Talk | undefined;
  #current: Conversation | undefined;
  #end: ((ending: Ending) => void) | undefined;
  readonly left: Promise<undefined>;
  #hasQuit = false;
  #leave: () => void = () => undefined;
  #found = Infinity;
  #pattern = '';
  /** who was told what they are asked, so that it is told once */
  readonly #asked = new Map<Conversation, string>();
  /** whether there is a connection, as it was told last */
  #link = '';
  /** texts that were typed here: they stand on the screen, as the terminal showed them */
  readonly #typed: string[] = [];
  /** own texts that the daemon does not have yet, by id */
  readonly #unsent = new Set<string>();

  constructor(host: PlainHost, secrets: Prompter) {
    this.#host = host;
    this.#secrets = secrets;
    this.left = new Promise((resolve) => {
      this.#leave = () => resolve(undefined);
    });
    host.signal.addEventListener('abort', () => this.quit(), { once: true });
  }

  get canAsk(): boolean {
    return this.#secrets.possible;
  }

  get hasQuit(): boolean {
    return this.#hasQuit;
  }

  busy(text: string): void {
    this.#print(text);
  }

  close(): void {
    this.#lines?.close();
  }

  #print(line: string): void {
    this.#host.stdout.write(`${line}\n`);
  }

  async converse(talk: Talk): Promise<Ending> {
    this.#talk = talk;
    const ending = new Promise<Ending>((resolve) => {
      this.#end = resolve;
    });
    this.open(talk.list()[0] ?? talk.home);
    for (const one of talk.list())
      if (one !== this.current && one.unread > 0) this.say(`${one.label}: ${String(one.unread)} unread`);
    this.#print('/help shows all commands; /query @name or #room goes to a conversation.');
    this.#listen();
    const how: Ending = this.#hasQuit ? { why: 'quit' } : await ending;
    const lines = this.#lines;
    this.#lines = undefined;
    lines?.close();
    this.#talk = undefined;
    this.#current = undefined;
    this.#asked.clear();
    this.#link = '';
    return how;
  }

  #listen(): void {
    const { stdin, stdout } = this.#host;
    const lines = createInterface({
      input: stdin,
      output: stdout,
      terminal: false,
      completer: (line: string) => [
        commandNames.map((name) => `/${name}`).filter((name) => name.startsWith(line)),
        line,
      ],
    });
    this.#lines = lines;
    lines.on('line', (line) => {
      /* It came at once with a command that asks something: it may be an answer, even a secret, and nobody's text. */
      if (this.#lines !== lines) this.say('dropped a line: it was typed before it was asked for', true);
      else void this.#line(line);
    });
    lines.on('close', () => {
      if (this.#lines === lines) this.quit();
    });
  }

  async #line(line: string): Promise<void> {
    if (line.trim() === '') return;
    if (!line.startsWith('/')) this.#typed.push(line);
    if ((await submit(this, line, this.current)) === 'kept') this.#isTyped(line);
  }

  /** Once for each time that it was typed. */
  #isTyped(text: string): boolean {
    const at = this.#typed.indexOf(text);
    if (at >= 0) this.#typed.splice(at, 1);
    return at >= 0;
  }

  /** The field's line is read by another: nothing of it may stay here. */
  async #withoutLines<T>(work: () => Promise<T>): Promise<T> {
    const lines = this.#lines;
    this.#lines = undefined;
    lines?.close();
    try {
      return await work();
    } finally {
      this.#host.stdin.resume();
      if (lines) this.#listen();
    }
  }

  // ---- what talk tells

  changed(): void {
    const talk = this.#talk;
    if (!talk) return;
    for (const one of talk.list()) this.#askOnce(one);
    this.#tellLink(talk);
  }

  #tellLink({ status, trouble }: Talk): void {
    if (status?.session !== 'online' && status?.session !== 'waiting') return;
    const link = status.session === 'online' ? 'online' : `not connected: ${plainLine(trouble?.message ?? '')}`;
    if (link === this.#link) return;
    this.#link = link;
    this.say(link, link !== 'online');
  }

  #askOnce(one: Conversation): void {
    const asks = one.asks === undefined ? '' : `${one.asks}:${one.contact?.fingerprint ?? ''}`;
    if ((this.#asked.get(one) ?? '') === asks) return;
    this.#asked.set(one, asks);
    for (const line of bannerText(one, '', Date.now()) ?? [])
      this.#print(
        `* ${line.replace('Alt-Y: accept', '/accept').replace('Alt-N: decline', '/decline').replaceAll('Alt-Y: join', '/join')}`,
      );
  }

  arrived(one: Conversation, row: Row): void {
    this.#show(one, row);
    if (row.type !== 'out') this.talk.seen(one, [row.key]);
  }

  /** What was typed here stands on the screen already; texts of other processes are shown. */
  wrote(one: Conversation, row: Extract<Row, { type: 'out' }>): void {
    if (!this.#isTyped(row.text)) this.#show(one, row);
    this.#unsent.add(row.id);
    if (this.talk.status?.session !== 'online' || one.contact?.relation === 'asked')
      this.say(`to ${one.label}: waits here until it can be sent`);
  }

  went(one: Conversation, id: string, state: OutgoingState): void {
    if (state === 'failed') this.say(`to ${one.label}: it could not be sent`, true);
    else if (this.#unsent.has(id)) this.say(`to ${one.label}: sent`);
    this.#unsent.delete(id);
  }

  /** Whoever hears it knows who said it, and where. */
  #show(one: Conversation, row: Row): void {
    const where = row.type === 'out' ? `to ${one.label} ` : row.type === 'message' && one.isRoom ? `${one.label} ` : '';
    this.#print(where + plainRow(row, this.talk.status?.name ?? ''));
  }

  failed(trouble: Trouble): void {
    this.say(troubleText(trouble), true);
  }

  ended(trouble: Trouble): void {
    this.#end?.({ why: 'ended', trouble });
  }

  // ---- Surface

  get talk(): Talk {
    if (!this.#talk) throw mistake('nobody is logged in', 'log in first');
    return this.#talk;
  }

  get current(): Conversation {
    return this.#current ?? this.talk.home;
  }

  open(one: Conversation): void {
    this.#current = one;
    this.#print(`— ${titleText(one)} —`);
    this.#load(one).catch((thrown: unknown) => this.failed(asClientError(thrown, '').trouble));
  }

  async #load(one: Conversation): Promise<void> {
    await this.talk.load(one);
    const fresh = unreadOf(one);
    for (const row of fresh) this.#show(one, row);
    this.talk.seen(
      one,
      fresh.map(({ key }) => key),
    );
  }

  say(text: string, warns = false): void {
    this.#print(`${warns ? '! ' : '* '}${text}`);
  }

  async ask(question: Question): Promise<string | undefined> {
    const { title, text, field, choices = [] } = question;
    for (const line of [title, ...text]) this.#print(line);
    if (this.#hasQuit || (!field && choices.length === 0)) return undefined;
    for (;;) {
      const answer = await this.#withoutLines(() => this.#answer(question));
      if (answer === undefined) return undefined;
      const problem = field?.check?.(answer);
      if (field && problem === undefined) return answer;
      const chosen = choices.find(({ key }) => key === (answer.trim().toLowerCase() || 'enter'));
      if (!field && (chosen ?? answer.trim() === '')) return chosen?.value;
      this.#print(problem ?? 'that is none of them');
    }
  }

  #answer({ field, choices = [] }: Question): Promise<string | undefined> {
    const keys = choices.map(({ key, label }) => `${key === 'enter' ? 'Enter' : key}: ${label}`).join(', ');
    const asked = field?.label ?? `${keys} `;
    if (field?.isSecret === true) {
      if (!this.#secrets.possible)
        throw mistake(
          'the secrets are needed and there is no terminal to ask on',
          'log in first (cadenas login), or give --secrets-file F or --secrets-fd N',
        );
      return this.#secrets.hidden(asked).finally(() => {
        this.#secrets.close();
      });
    }
    return new Promise((resolve) => {
      const lines = createInterface({ input: this.#host.stdin, output: this.#host.stdout, terminal: false });
      this.#host.stdout.write(asked);
      let typedLine: string | undefined;
      lines.once('line', (line) => {
        typedLine = line;
        lines.close();
      });
      lines.once('close', () => resolve(typedLine));
    });
  }

  async search(pattern: string): Promise<boolean> {
    if (pattern !== '' && pattern !== this.#pattern) this.#found = Infinity;
    this.#pattern = pattern === '' ? this.#pattern : pattern;
    const wanted = this.#pattern.toLowerCase();
    const { current } = this;
    while (current.scroll.older && current.scroll.rows.length < 2_000) await this.talk.older(current);
    const holds = (one: Shown): one is Extract<Row, { type: 'message' | 'out' }> =>
      (one.type === 'message' || one.type === 'out') && one.text.toLowerCase().includes(wanted);
    const row = current.scroll.rows
      .filter(holds)
      .filter((one) => one.order < this.#found)
      .at(-1);
    if (!row || wanted === '') return false;
    this.#found = row.order;
    this.#print(plainRow(row, this.talk.status?.name ?? ''));
    return true;
  }

  clear(): void {
    this.current.scroll.clear();
  }

  copy(): boolean {
    return false;
  }

  theme(): void {
    this.say('there are no colours here');
  }

  quit(): void {
    this.#hasQuit = true;
    this.#leave();
    this.#end?.({ why: 'quit' });
  }
}
