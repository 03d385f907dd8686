/** A client core of rows in memory, which answers when it is told to: for what a face makes of its events. */
import type { Client, ClientEvent, CommandName, Commands, ContactView, RoomView, Row } from '../../src/client/index.js';

const PAGE = 256;

export const contactView = (name: string, more: Partial<ContactView> = {}): ContactView => ({
  ...{ name, relation: 'open', changed: false, verified: false, fingerprint: '0a', unread: 0, latest: 1 },
  ...more,
});

export class FakeClient implements Client {
  readonly contacts = new Map<string, ContactView>();
  readonly rooms = new Map<string, RoomView>();
  rows: Row[] = [];
  readonly calls: { readonly command: CommandName; readonly args: unknown }[] = [];
  /** what a command waits for before it answers; its answer is made before */
  readonly held = new Map<CommandName, Promise<void>>();
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  #order = 0;

  async call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    this.calls.push({ command, args });
    const answer = this.#answer(command, args as Readonly<Record<string, unknown>>);
    await this.held.get(command);
    return answer as Commands[C]['result'];
  }

  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  emit(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Keeps a row, and tells of it unless it was kept before anybody listened. */
  says(from: string, text: string, more: { readonly order?: number; readonly read?: number } = {}): Row {
    const order = more.order ?? ++this.#order;
    const read = more.read === undefined ? {} : { read: more.read };
    const key = `${from}:${String(order)}`;
    return this.#keep({ type: 'message', key, order, id: key, from, text, time: 1, at: order, ...read });
  }

  notice(kind: Extract<Row, { type: 'notice' }>['kind'], name: string): Row {
    const order = ++this.#order;
    return this.#keep({ type: 'notice', key: `n:${String(order)}`, order, kind, name, at: order, detail: '' });
  }

  own(to: string, text: string): Row {
    const order = ++this.#order;
    return this.#keep({ type: 'out', id: `o:${String(order)}`, order, to, text, at: order, state: 'waiting' });
  }

  /** It is not kept any more. */
  forget(...keys: readonly string[]): void {
    this.rows = this.rows.filter((row) => !keys.includes(row.type === 'out' ? row.id : row.key));
    this.emit({ type: 'gone', keys });
  }

  #keep(row: Row): Row {
    this.rows.push(row);
    this.emit({ type: 'row', row });
    return row;
  }

  #placeOf(row: Row): string {
    const name = row.type === 'out' ? row.to : row.type === 'message' ? row.from : row.name;
    return this.contacts.has(name) ? name : '';
  }

  #unread(name: string): number {
    return this.rows.filter((row) => row.type !== 'out' && row.read === undefined && this.#placeOf(row) === name)
      .length;
  }

  #answer(command: CommandName, args: Readonly<Record<string, unknown>>): unknown {
    switch (command) {
      case 'contacts':
        return { contacts: [...this.contacts.values()].map((one) => ({ ...one, unread: this.#unread(one.name) })) };
      case 'rooms':
        return { rooms: [...this.rooms.values()] };
      case 'status':
        return { name: 'me', session: 'online', unread: 0, waiting: 0 };
      case 'page':
        return this.#page(String(args['name']), Number(args['before']));
      case 'read':
        return this.#read(args['keys'] as readonly string[]);
      case 'send':
        return { id: 'x', to: args['to'], state: 'queued' };
      default:
        throw new Error(`no ${command} here`);
    }
  }

  #page(name: string, before: number): Commands['page']['result'] {
    const all = this.rows.filter((row) => this.#placeOf(row) === name && row.order < before);
    const rows = all.sort((a, b) => a.order - b.order).slice(-PAGE);
    return { rows, more: all.length > rows.length };
  }

  #read(keys: readonly string[]): object {
    this.rows = this.rows.map((row) => (row.type !== 'out' && keys.includes(row.key) ? { ...row, read: 5 } : row));
    this.emit({ type: 'read', keys, at: 5 });
    return {};
  }
}
