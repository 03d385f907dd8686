/** The end of a core: what is still under way then writes nothing, since another process may own the profile by now. */
import { test } from 'tap';
import { friends, isText, reopen, unread } from './client-parties.js';
import { MemoryStorage } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';

const SLOW_MS = 800;
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As another process sees it. */
function sameDisk({ files }: MemoryStorage): MemoryStorage {
  return Object.assign(new MemoryStorage(), { files });
}

test('a closed core writes nothing more, however slow its disk is', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => a.core.close());
  const keys: string[] = [];
  for (const text of ['one', 'two']) {
    await a.core.call('send', { to: 'bob', text });
    keys.push((await unread(b.core, isText(text))).key);
  }
  let writes = 0;
  let closed = false;
  b.storage.before = async (what) => {
    if (what.startsWith('append')) await later(SLOW_MS);
    if (closed) writes++;
  };
  /* Each waits for the one before: the end comes in between. */
  const sending = ['x', 'y', 'z', 'w', 'v'].map((text) => b.core.call('send', { to: 'alice', text }));
  for (const one of sending) one.catch(() => undefined); // the end is what cuts them off
  await b.core.call('read', { keys });
  await b.core.close();
  closed = true;
  const storage = sameDisk(b.storage);
  const second = await reopen(daemon, { ...b, storage });
  await second.core.call('receipts', { on: false });
  await later(4 * SLOW_MS);
  t.equal(writes, 0, 'nothing was written after the end');
  await second.core.close();
  const third = sameDisk(storage);
  await t.resolves(
    reopen(daemon, { ...b, storage: third }).then(({ core }) => core.close()),
    'the profile is sound',
  );
});
