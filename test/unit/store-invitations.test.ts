/** That an invitation was used outlives what becomes of the account that it made, wherever that is written by then. */
import { test } from 'tap';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { account, DAY, START } from '../contract/cases.js';
import { Draws } from '../support/draws.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

test('an invitation stays used when its account changes or goes before the checkpoint', async (t) => {
  const disk = new SimulatedDisk(new Draws(4), { turns: 0 });
  const open = () => openJournalStore('/data', { files: disk, now: () => START });
  let store = await open();
  const [plain, changed, deleted] = [account('plain'), account('changed'), account('deleted')];
  const all = [plain, changed, deleted].map(({ uid }) => ({ id: uid, ends: START + DAY }));
  for (const [n, each] of [plain, changed, deleted].entries())
    t.equal(await store.createAccount(each, all[n]), 'created');
  await store.changeAccount(changed.uid, (now) => ({ ...now, words: deleted.words }));
  await store.deleteAccount(deleted.uid);
  await store.checkpoint();
  for (let start = 0; start < 2; start++) {
    const used = [];
    for (const { id } of all) used.push(await store.isUsed(id));
    t.same(used, [true, true, true], start === 0 ? 'in memory' : 'from the disk');
    await store.close();
    store = await open();
  }
  for (const [n, invitation] of all.entries())
    t.equal(await store.createAccount(account(`again${String(n)}`), invitation), 'used');
  t.equal((await store.accountByName('changed'))?.name, 'changed');
  t.equal(await store.accountByName('deleted'), undefined);
  await store.close();
});
