/** Answers to commands, kept for their replay. */
import { Code } from '../../protocol/index.js';
import { again, DAY, plain, reply, START, withUser, type Case } from './cases.js';

export const replies: Record<string, Case> = {
  'a reply is found by its frame id, also after reopening': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await store.keepReply(uid, reply(1));
    for (let round = 0; round < 2; round++) {
      t.same(plain(await store.reply(uid, reply(1).frameId)), plain(reply(1)));
      t.equal(await store.reply(uid, reply(2).frameId), undefined);
      store = await again(store, reopen);
    }
    await store.keepReply(uid, { ...reply(1), code: Code.done });
    store = await again(store, reopen);
    t.equal((await store.reply(uid, reply(1).frameId))?.code, Code.done, 'the second takes the place of the first');
    await store.close();
  },
  'the newest 1,024 replies stay': async (t, reopen) => {
    let { store, uid } = await withUser(reopen);
    await Promise.all(Array.from({ length: 5000 }, (_, n) => store.keepReply(uid, reply(n))));
    for (let round = 0; round < 2; round++) {
      t.equal(await store.reply(uid, reply(5000 - 1025).frameId), undefined);
      t.same(plain(await store.reply(uid, reply(5000 - 1024).frameId)), plain(reply(5000 - 1024)));
      t.same(plain(await store.reply(uid, reply(4999).frameId)), plain(reply(4999)));
      store = await again(store, reopen);
    }
    await store.close();
  },
  'a reply is forgotten after 21 days': async (t, reopen) => {
    let now = START;
    const clock = { now: () => now };
    let { store, uid } = await withUser(reopen, clock);
    await store.keepReply(uid, reply(1));
    await store.keepReply(uid, reply(2, START + DAY));
    now = START + 21 * DAY;
    t.ok(await store.reply(uid, reply(1).frameId));
    now++;
    t.equal(await store.reply(uid, reply(1).frameId), undefined);
    store = await again(store, reopen, clock);
    t.equal(await store.reply(uid, reply(1).frameId), undefined);
    t.ok(await store.reply(uid, reply(2).frameId));
    await store.close();
  },
};
