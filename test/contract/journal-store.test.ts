/** The store in files: the contract, with checkpoints seldom and at every turn. */
import { join } from 'node:path';
import { test } from 'tap';
import { openJournalStore, type JournalStoreOptions } from '../../src/store/journal/journal-store.js';
import { temporaryFolder } from '../support/temp.js';
import { storeContract } from './store-contract.js';

const only = process.env['ONLY'];
const ways: Record<string, Partial<JournalStoreOptions>> = {
  'as it is': {},
  'with a checkpoint after each batch': { segmentBytes: 1, inThread: true },
  'with checkpoints in a thread of their own': { segmentBytes: 8192 },
  'with one part open': { segmentBytes: 1024, inThread: true, openParts: 1 },
};

for (const [name, way] of Object.entries(ways)) {
  if (only !== undefined && name !== only) continue;
  test(name, async (t) => {
    await storeContract(t, (each) => {
      const folder = temporaryFolder(each).then((base) => join(base, 'data', 'net'));
      return async (given) => openJournalStore(await folder, { ...given, ...way });
    });
  });
}
