/** Fills a data folder by the store itself, in a process of its own: users, and messages that wait for them. */
import { randomBytes } from 'node:crypto';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import type { QueueEntry, Store } from '../../src/store/store.js';
import { obeyParent } from './child.js';
import { say } from './row.js';
import { noSecurity } from '../../src/store/store.js';

export interface FillSetup {
  readonly folder: string;
}

export type FillOrder =
  | { readonly kind: 'fill'; readonly users: number; readonly messages: number }
  /** Brings all into the files of users. */
  | { readonly kind: 'checkpoint' };

/** bytes of a message, as on the wire */
const MESSAGE = 1_400;
const AT_ONCE = 1_000;
/** Share of the work after which progress is told. */
const STEPS = 10;

const { folder } = JSON.parse(process.argv[2] ?? '{}') as FillSetup;
const store = await openJournalStore(folder, { now: Date.now });

async function inParallel(what: string, count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let [next, told] = [0, 0];
  const began = performance.now();
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      await work(at);
      if (at < (told + 1) * (count / STEPS)) continue;
      told = Math.floor(at / (count / STEPS));
      const seconds = (performance.now() - began) / 1000;
      say(`  ${String(at)} of ${String(count)} ${what}, ${seconds.toFixed(1)} s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function fill(into: Store, users: number, messages: number): Promise<void> {
  const account = { enc: randomBytes(256), sig: randomBytes(256), record: randomBytes(192), words: randomBytes(32) };
  const uids = Array.from({ length: users }, () => randomBytes(16));
  await inParallel('users', users, (at) =>
    into.createAccount({
      ...account,
      uid: uids[at] ?? randomBytes(16),
      name: `user${String(at)}`,
      created: Date.now(),
      security: noSecurity,
    }),
  );
  const fields = randomBytes(MESSAGE);
  await inParallel('messages', messages, async (at) => {
    const ids = randomBytes(32);
    const from = uids[(at * 7) % users] ?? ids;
    const entry: QueueEntry = {
      id: ids.subarray(0, 16),
      opcode: 1,
      from,
      key: ids.subarray(16),
      time: Date.now(),
      fields,
    };
    /* One user after another: the store is not made to open each of them again and again. */
    const result = await into.enqueue(uids[Math.floor((at * users) / messages)] ?? ids, entry);
    if (result !== 'queued') throw new Error(`fill: ${result}`);
  });
}

await obeyParent(async (order: FillOrder) => {
  const began = performance.now();
  if (order.kind === 'fill') await fill(store, order.users, order.messages);
  else await store.checkpoint();
  return { ms: performance.now() - began };
});
