/** Memory, files and reads follow what is used, not what is stored. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'tap';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { account, entry, ids, plain } from './cases.js';
import { hexOf, options, place } from './folders.js';
import { unsyncedFiles, watchedFiles } from './watched-files.js';

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // closed since: the one by which the folder was listed
  }
}

function openQueues(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).endsWith('/queue')).length;
}

/** Looks each turn of the loop. A test that waits for ever is ended by its time limit. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

test('more users than are kept open: files in use are bounded, and nobody notices', async (t) => {
  const folder = await place(t);
  const few = { ...options, openParts: 5 };
  let store = await openJournalStore(folder, few);
  const users = Array.from({ length: 40 }, (_, n) => account(`user${n}`));
  await Promise.all(users.map((user) => store.createAccount(user)));
  const entries = users.map(() => entry(randomBytes(20)));
  for (let round = 0; round < 2; round++) {
    const results = await Promise.all(users.map((user, n) => store.enqueue(user.uid, entries[n] ?? entry())));
    t.same(new Set(results), new Set([round === 0 ? 'queued' : 'known']));
    await store.checkpoint();
  }
  await store.close();
  store = await openJournalStore(folder, few);
  t.equal(openQueues(), 0, 'none is open at the start');
  for (let round = 0; round < 2; round++) {
    const pages = await Promise.all(users.map((user) => store.queued(user.uid, undefined, 9)));
    t.same(
      pages.map((page) => plain(page)),
      entries.map((each) => plain([each])),
    );
    await until(() => openQueues() === 0); // a queue's file is open while it is read, and no longer
  }
  const lengths = await Promise.all(users.map((user) => store.queueLength(user.uid)));
  t.same(new Set(lengths), new Set([1]));
  await store.close();
  t.equal(openQueues(), 0, 'and none at the end');
});

test('entries in the file of a queue are read when they are asked for, page by page', async (t) => {
  const folder = await place(t);
  let store = await openJournalStore(folder, options);
  const alice = account('alice');
  await store.createAccount(alice);
  const all = Array.from({ length: 400 }, () => entry(randomBytes(8000)));
  for (const each of all) await store.enqueue(alice.uid, each);
  await store.checkpoint();
  await store.close();
  let read = 0;
  const files = watchedFiles((call, path, bytes) => {
    if (call === 'read' && path.endsWith('/queue')) read += bytes;
  });
  store = await openJournalStore(folder, { ...options, files });
  t.equal(read, 0);
  t.equal(await store.queueLength(alice.uid), 400);
  read = 0;
  for (const at of [0, 100, 0]) {
    t.same(ids(await store.queued(alice.uid, all[at - 1]?.id, 10)), ids(all.slice(at, at + 10)));
  }
  t.ok(read >= 30 * 8000, 'each page comes from the file, also one that was read before: none is held in memory');
  t.ok(read < 30 * 8000 * 1.2, `and no more than the page: ${read} bytes`);
  const late = entry(randomBytes(100));
  await store.enqueue(alice.uid, late);
  await store.checkpoint();
  const last = await store.queued(alice.uid, all[398]?.id, 9);
  t.same(plain(last), plain([all[399], late]), 'a page from the file and from what came later');
  read = 0;
  const flying = new Set(ids(all.slice(0, 390)));
  const undelivered = await store.undelivered(alice.uid, 5, (id) => flying.has(hexOf(id)));
  t.same(ids(undelivered), ids(all.slice(390, 395)));
  t.ok(read < 5 * 8000 * 1.2, `nothing is read of what flies: ${read} bytes`);
  await store.close();
});

test('a start reads nobody’s files, and a use only those of its user', async (t) => {
  const [users, messages] = [2000, 20];
  const folder = await place(t);
  let store = await openJournalStore(folder, { ...options, files: unsyncedFiles });
  const all = Array.from({ length: users }, (_, n) => account(`user${n}`));
  await Promise.all(all.map((each) => store.createAccount(each)));
  for (const { uid } of all) {
    await Promise.all(Array.from({ length: messages }, () => store.enqueue(uid, entry(randomBytes(60)))));
  }
  await store.checkpoint();
  await store.close();

  const opened: string[] = [];
  let calls = 0;
  let read = 0;
  const files = watchedFiles((call, path, bytes) => {
    calls++;
    if (call === 'open') opened.push(path.slice(folder.length + 1));
    if (call === 'read') read += bytes;
  });
  const before = performance.now();
  store = await openJournalStore(folder, { ...options, files });
  const took = performance.now() - before;
  const inUsers = (path: string): boolean => path.startsWith('users/');
  t.same(opened.filter(inUsers), [], 'no file of a user was opened');
  t.ok(calls < 60, `${calls} calls of the disk, ${took.toFixed(0)} ms`);
  t.ok(read < 400 * users, `${read} bytes were read`);
  const one = all[1234];
  if (!one) throw new Error('there is one');
  t.equal((await store.queued(one.uid, undefined, 99)).length, messages);
  t.equal((await store.accountByName(one.name))?.name, one.name);
  const own = `users/${hexOf(one.uid)}/`;
  t.same(new Set(opened.filter(inUsers)), new Set([`${own}account.json`, `${own}queue`]));
  const uses = opened.filter(inUsers).length;
  t.equal(await store.createAccount(account('user77')), 'taken');
  t.equal(await store.accountByName('nobody'), undefined);
  t.equal(opened.filter(inUsers).length, uses, 'who is there is known without the files');
  await store.close();
});
