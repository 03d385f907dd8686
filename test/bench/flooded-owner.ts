/** A process that owns a profile and gives its terminal more news than any network would: the face alone is measured. */
import { ProfileServer } from '../../src/client-node/index.js';
import type {
  Client,
  ClientEvent,
  CommandName,
  Commands,
  ContactView,
  Row,
  StatusView,
} from '../../src/client/index.js';

const PAGE = 256;
const TICK_MS = 10;

const someone = (name: string): ContactView => ({
  name,
  relation: 'open',
  changed: false,
  verified: true,
  fingerprint: '00'.repeat(32),
  unread: 0,
  latest: 0,
});

/** Answers what a terminal asks; keeps the newest page alone. */
export class FloodedOwner implements Client {
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #newest: Row[] = [];
  readonly #status: StatusView;
  #order = 0;

  constructor(status: StatusView) {
    this.#status = status;
  }

  static async serve(folder: string, status: StatusView): Promise<{ owner: FloodedOwner; close: () => Promise<void> }> {
    const owner = new FloodedOwner(status);
    const server = await ProfileServer.start(folder, owner, () => undefined);
    return { owner, close: () => server.close() };
  }

  call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    const answers: { readonly [A in CommandName]?: () => object } = {
      status: () => this.#status,
      contacts: () => ({ contacts: [someone('speaker'), someone('quiet')] }),
      rooms: () => ({ rooms: [] }),
      page: () => ({
        rows: (args as Commands['page']['args']).name === 'speaker' ? [...this.#newest] : [],
        more: true,
      }),
      read: () => {
        const { keys } = args as Commands['read']['args'];
        this.#tell({ type: 'read', keys, at: Date.now() });
        return {};
      },
    };
    const answer = answers[command];
    if (!answer) return Promise.reject(new Error(`nobody expected ${command}`));
    return Promise.resolve(answer() as Commands[C]['result']);
  }

  on(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** One message more. */
  #say(): void {
    const order = ++this.#order;
    const now = Date.now();
    const row: Row = {
      type: 'message',
      key: `k${String(order)}`,
      id: String(order),
      order,
      from: 'speaker',
      text: `message ${String(order)}: ${'some words of a usual length, '.repeat(1 + (order % 3))}😄`,
      time: now,
      at: now,
    };
    if (this.#newest.push(row) > PAGE) this.#newest.shift();
    this.#tell({ type: 'row', row });
  }

  /** @param rate messages a second @param count of them */
  async flood(rate: number, count: number): Promise<void> {
    const begun = performance.now();
    for (let sent = 0; sent < count;) {
      const due = Math.min(count, Math.floor(((performance.now() - begun) / 1000) * rate));
      for (; sent < due; sent++) this.#say();
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }
}
