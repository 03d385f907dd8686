/** Two clients on a daemon in memory, and how a test waits for what they see. */
import {
  ClientError,
  openCore,
  registerCore,
  type Client,
  type ClientCore,
  type Item,
} from '../../src/client/index.js';
import { MemoryStorage, MovableClock } from './client-support.js';
import type { MemoryDaemon } from './memory-daemon.js';

export const secrets = { password: 'correct horse', words: 'river stone lamp' };

export interface Party {
  storage: MemoryStorage;
  clock: MovableClock;
  core: ClientCore;
}

export async function register(daemon: MemoryDaemon, name: string): Promise<Party> {
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  return { storage, clock, core: await registerCore(await daemon.ports(storage, clock), name, secrets) };
}

export async function reopen(daemon: MemoryDaemon, party: Party, storage = party.storage): Promise<Party> {
  const core = await openCore(await daemon.ports(storage, party.clock), 'default', secrets);
  return { ...party, storage, core };
}

/** The next unread item that fits, awaited by event. */
export async function unread(client: Client, fits: (item: Item) => boolean): Promise<Item> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      client.call('unread', {}).then(({ items }) => {
        const found = items.find(fits);
        if (!found) return;
        stop();
        resolve(found);
      }, reject);
    };
    const stop = client.on(look);
    look();
  });
}

export const isText = (text: string) => (item: Item) => item.type === 'message' && item.text === text;
export const isNotice = (kind: string) => (item: Item) => item.type === 'notice' && item.kind === kind;

/** Begin to wait before the message can be on its way. */
export function nextDelivery(client: Client): Promise<string> {
  return new Promise((resolve) => {
    const stop = client.on((event) => {
      if (event.type !== 'sent' || event.state !== 'delivered') return;
      stop();
      resolve(event.id);
    });
  });
}

export async function friends(daemon: MemoryDaemon): Promise<[Party, Party]> {
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  await a.core.call('add', { name: '@bob' });
  await unread(b.core, isNotice('request'));
  await b.core.call('accept', { name: 'alice' });
  await unread(a.core, isNotice('accepted'));
  return [a, b];
}

export const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (thrown: unknown) => (thrown instanceof ClientError ? thrown.code : String(thrown)),
  );
