/** What every store must do: the promises of store.ts, by topic. */
import type { Test } from 'tap';
import { accounts } from './accounts.js';
import type { NewPlace } from './cases.js';
import { deletion } from './deletion.js';
import { figures } from './figures.js';
import { logins } from './logins.js';
import { queues } from './queues.js';
import { replies } from './replies.js';
import { rooms } from './rooms.js';
import { unread } from './unread.js';
import { whole } from './whole.js';

export async function storeContract(t: Test, newPlace: NewPlace): Promise<void> {
  const all = { ...accounts, ...deletion, ...logins, ...replies, ...queues, ...unread, ...rooms, ...whole, ...figures };
  for (const [name, run] of Object.entries(all)) {
    await t.test(name, (each) => run(each, newPlace(each)));
  }
}
