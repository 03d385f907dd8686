/** What nobody took for 21 days leaves the disk, also where nobody writes to the queue any more. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { account, entry, START } from '../contract/cases.js';
import { temporaryFolder } from '../support/temp.js';

const DAY = 24 * 3600_000;

test('a daily sweep takes what waits too long from the disk', async (t) => {
  const folder = join(await temporaryFolder(t), 'net');
  let now = START;
  const store = await openJournalStore(folder, { now: () => now, inThread: true });
  const [alice, bob] = [account('alice'), account('bob')];
  for (const each of [alice, bob]) await store.createAccount(each);
  const [old, young] = [
    entry(Buffer.from('an old text')),
    { ...entry(Buffer.from('a young one')), time: START + 5 * DAY },
  ];
  for (const each of [old, young]) await store.enqueue(alice.uid, each);
  await store.checkpoint();
  const queue = join(folder, 'users', Buffer.from(alice.uid).toString('hex'), 'queue');
  const holds = (text: string): boolean => readFileSync(queue).includes(text);
  t.ok(holds('an old text') && holds('a young one'));

  /* Another user's change makes a checkpoint; it is the first one for a day. */
  const later = async (days: number): Promise<void> => {
    now = START + days * DAY;
    await store.countAttempt(bob.uid, now);
    await store.checkpoint();
  };
  await later(20);
  t.ok(holds('an old text'), 'not before its time');
  await later(22);
  t.notOk(holds('an old text'));
  t.ok(holds('a young one'));
  t.equal(await store.queueLength(alice.uid), 1);
  await later(27);
  await later(29);
  t.notOk(holds('a young one'));
  await store.close();
});
