/** What a store refuses rests on what is kept, and on nothing that is undone a moment later. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { StorageError, type QueueEntry } from '../../src/store/store.js';
import { account, entry, ids, START } from '../contract/cases.js';
import { Draws } from '../support/draws.js';
import { atCall, diskError, SimulatedDisk } from '../support/simulated-disk.js';

/** The name of the error that it rejects with, or what it gives. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => (error instanceof StorageError ? 'no room on the disk' : error));
}

test('a queue is full of what is in it, not of what found no room on the disk', async (t) => {
  const from = randomBytes(16);
  const caused = (): QueueEntry => ({ ...entry(), from });
  for (const [limit, make] of [
    ['the whole', entry],
    ['the half of one cause', caused],
  ] as const) {
    const disk = new SimulatedDisk(new Draws(3), { turns: 0 });
    const store = await openJournalStore('/data', { files: disk, now: () => START, maxQueueEntries: 4 });
    const alice = account('alice');
    const { uid } = alice;
    await store.createAccount(alice);
    await store.queueLength(uid); // the queue is in memory from here on
    const entries = [make(), make(), make(), make(), make()];
    disk.fault = atCall(1, diskError('ENOSPC'), ['write']); // and there is room for the next one
    const made = entries.map((each) => outcome(store.enqueue(uid, each)));
    const fits = limit === 'the whole' ? 4 : 2;
    const lost = entries.slice(0, fits).map(() => 'no room on the disk');
    const kept = entries.slice(fits);
    const given = [...lost, ...kept.map((_, n) => (n < fits ? 'queued' : 'full'))];
    t.same(await Promise.all(made), given, limit);
    t.same(ids(await store.queued(uid, undefined, 10)), ids(kept.slice(0, fits)), 'in their order');
    await store.close();
  }
});
