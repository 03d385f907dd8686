/** A process that makes a store with accounts in it, all in files, and ends. */
import { passwordServer } from '../../../src/crypto/index.js';
import { loadNetwork, wipe } from '../../../src/keys/network.js';
import { openJournalStore } from '../../../src/store/journal/journal-store.js';
import { inParallel } from '../at-once.js';
import { obeyParent } from '../child.js';
import { accountOf, People } from './people.js';

export interface RegisterSetup {
  /** of the network's data */
  readonly folder: string;
  /** of the network's keys: the daemon will look at passwords under the same */
  readonly keys: string;
}

export interface RegisterOrder {
  readonly kind: 'register';
  readonly people: number;
}

const { folder, keys } = JSON.parse(process.argv[2] ?? '{}') as RegisterSetup;

await obeyParent(async ({ people: count }: RegisterOrder) => {
  const network = loadNetwork(keys);
  const [people, server] = [await People.make(), await passwordServer(network.opaqueSetup)];
  wipe(network);
  const store = await openJournalStore(folder, { now: Date.now });
  await inParallel(count, async (at) => {
    const made = await store.createAccount(await accountOf(people.person(at), server, Date.now()));
    if (made !== 'created') throw new Error(`register: ${made}`);
  });
  await store.checkpoint();
  await store.close();
  return { people: count };
});
