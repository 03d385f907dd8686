/** Damaged files: what a crash cut short is cut off, what was sound once is refused or concerns its user alone. */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import { account, addUser, entry, ids, message, plain, reply, START } from './cases.js';
import { damageTold, filled, hexOf, options, refusal, segmentsOf, tree, unsynced } from './folders.js';

for (const checkpointed of [false, true]) {
  const where = checkpointed ? 'behind a checkpoint' : 'without a checkpoint';

  test(`a journal cut at any byte of its last record gives all that came before, ${where}`, async (t) => {
    const { folder, alice, entries, sound } = await filled(t, checkpointed);
    const [journal = ''] = segmentsOf(folder);
    const full = readFileSync(journal);
    const fresh = entry(randomBytes(10));
    const expected = ids(entries.slice(0, 2));
    const wrong: string[] = [];
    for (let cut = sound; cut < full.length; cut++) {
      writeFileSync(journal, full);
      truncateSync(journal, cut);
      const notes: string[] = [];
      const store = await openJournalStore(folder, { ...unsynced, onNote: (note) => notes.push(note) });
      const kept = ids(await store.queued(alice.uid, undefined, 9));
      const { size } = lstatSync(journal);
      const added = await store.enqueue(alice.uid, fresh);
      await store.close();
      const reopened = await openJournalStore(folder, unsynced);
      const after = ids(await reopened.queued(alice.uid, undefined, 9));
      await reopened.close();
      const [note = ''] = notes;
      const isNoted = cut === sound ? note === '' : note.includes(journal) && note.includes(`${cut - sound} bytes`);
      const isRight = String(kept) === String(expected) && String(after) === String([...expected, ...ids([fresh])]);
      if (isRight && size === sound && added === 'queued' && isNoted) continue;
      wrong.push(`cut at ${cut}: ${kept.length} kept, ${size} bytes, ${added}, ${after.length} after, ${note}`);
    }
    t.same(wrong, [], `${full.length - sound} cuts`);
  });

  test(`a flipped bit in the journal is refused before the last batch, and cut off in it, ${where}`, async (t) => {
    const { folder, alice, sound } = await filled(t, checkpointed);
    const [journal = ''] = segmentsOf(folder);
    const full = readFileSync(journal);
    const wrong: string[] = [];
    for (let at = 0; at < full.length; at++) {
      const bad = flipped(full, at);
      writeFileSync(journal, bad);
      const before = contents(folder);
      const said = await refusal(folder);
      if (at < sound) {
        if (!said.includes(journal)) wrong.push(`byte ${at}: ${said}`);
        if (contents(folder) !== before) wrong.push(`byte ${at}: touched`);
        continue;
      }
      const store = await openJournalStore(folder, unsynced);
      const kept = await store.queueLength(alice.uid);
      await store.close();
      const { size } = lstatSync(journal);
      if (said !== 'opened' || kept !== 2 || size !== sound) wrong.push(`byte ${at}: ${said}, ${kept}, ${size} bytes`);
    }
    t.same(wrong, [], `${full.length} flips`);
  });
}

test('records of the last batch that are bad fall with it, of an earlier one they are refused', async (t) => {
  const { folder, alice } = await filled(t);
  const store = await openJournalStore(folder, options);
  const [journal = ''] = segmentsOf(folder);
  const begin = lstatSync(journal).size;
  await Promise.all([1, 2, 3].map(() => store.enqueue(alice.uid, entry(randomBytes(50)))));
  await store.close();
  const full = readFileSync(journal);
  const record = (full.length - begin) / 3;
  for (const [n, kept] of [5, 4, 3].entries()) {
    writeFileSync(journal, flipped(full, full.length - n * record - 30));
    const again = await openJournalStore(folder, options);
    t.equal(await again.queueLength(alice.uid), kept, `record ${3 - n} of the batch is bad`);
    await again.close();
  }
  writeFileSync(journal, flipped(full, full.length - 3 * record - 30));
  t.ok((await refusal(folder)).includes(journal), 'the record before the batch is bad');
});

test('a flipped bit in the index is refused, and nothing is touched', async (t) => {
  const { folder } = await filled(t);
  const index = join(folder, 'index');
  const full = readFileSync(index);
  const unmet: number[] = [];
  const touched: number[] = [];
  const unnamed: number[] = [];
  for (let at = 0; at < full.length; at++) {
    writeFileSync(index, flipped(full, at));
    const before = contents(folder);
    const said = await refusal(folder);
    if (said === 'opened') unmet.push(at);
    else if (contents(folder) !== before) touched.push(at);
    if (!said.includes(index)) unnamed.push(at);
  }
  t.same(unmet, [], `${full.length} flips are met`);
  t.same(touched, [], 'untouched');
  t.same(unnamed, [], 'the index is named');
});

/** All that is in a tree, without the times of changes. */
function contents(folder: string): string {
  return Object.entries(tree(folder))
    .map(([path, line]) => `${path} ${line.replace(/^(\S+ \S+) \S+/, '$1')}`)
    .join('\n');
}

function flipped(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at] = (out[at] ?? 0) ^ (1 << (at % 8));
  return out;
}

/** Calls that need the file of a user or room, each first on a store that has not read it. */
const needs: Record<string, readonly ((store: JournalStore, uid: Uint8Array, room: Uint8Array) => Promise<unknown>)[]> =
  {
    queue: [
      (store, uid) => store.queueLength(uid),
      (store, uid) => store.queued(uid, undefined, 9),
      (store, uid) => store.enqueue(uid, entry()),
      (store, uid) => store.acknowledge(uid, [randomBytes(16)]),
      (store, uid) => store.reply(uid, randomBytes(16)),
      (store, uid) => store.keepReply(uid, reply(3)),
    ],
    'account.json': [
      (store, uid) => store.accountByUid(uid),
      (store) => store.accountByName('alice'),
      (store, uid) => store.attempts(uid),
      (store, uid) => store.countAttempt(uid, START),
      (store, uid) => store.grants(uid),
      (store, uid) => store.consent(uid, uid),
      (store, uid) => store.setConsent(uid, uid, 'declined'),
    ],
    room: [
      (store, _uid, room) => store.roomById(room),
      (store) => store.roomByName('lounge'),
      (store, _uid, room) => store.said(room),
      (store, _uid, room) => store.say(room, message()),
    ],
  };

for (const [name, calls] of Object.entries(needs)) {
  test(`a damaged ${name} is named by each call that needs it, and by no other`, async (t) => {
    const { folder, alice, own, roomFolder, lounge } = await filled(t);
    const file = join(name === 'room' ? roomFolder : own, name);
    const sound = readFileSync(file);
    writeFileSync(file, 'x'.repeat(40));
    const store = await openJournalStore(folder, options);
    const bob = await addUser(store, 'bob');
    for (const call of [...calls, ...calls]) {
      const said = await damageTold(call(store, alice.uid, lounge.id));
      t.ok(said?.includes(file), said ?? String(call));
    }
    for (const [other, others] of Object.entries(needs)) {
      if (other === name) continue;
      for (const call of others) t.equal(await damageTold(call(store, alice.uid, lounge.id)), undefined, other);
    }
    t.equal(await store.enqueue(bob, entry()), 'queued', 'other users go on');
    t.same(await store.attempts(bob), { count: 0, last: 0 });
    t.equal(await store.createAccount(account('carol')), 'created');
    const told: string[] = [];
    for await (const each of store.accounts()) told.push(each.name);
    t.equal(told.includes('alice'), name !== 'account.json', 'of all accounts the damaged one alone is missing');
    t.ok(told.includes('bob') && told.includes('carol'));
    writeFileSync(file, sound);
    for (const call of calls) t.equal(await damageTold(call(store, alice.uid, lounge.id)), undefined, 'mended');
    await store.close();
  });

  test(`a flipped bit anywhere in a user’s or room’s ${name} is met`, async (t) => {
    const { folder, alice, own, roomFolder, lounge } = await filled(t);
    const file = join(name === 'room' ? roomFolder : own, name);
    const sound = readFileSync(file);
    const unmet: number[] = [];
    for (let at = 0; at < sound.length; at++) {
      const bad = flipped(sound, at);
      writeFileSync(file, bad);
      const store = await openJournalStore(folder, unsynced);
      const said = await damageTold(calls[0]?.(store, alice.uid, lounge.id) ?? Promise.resolve());
      await store.close();
      if (said?.includes(file) !== true || !readFileSync(file).equals(bad)) unmet.push(at);
    }
    t.same(unmet, [], `${sound.length} flips`);
  });
}

test('a checkpoint keeps what came for a damaged file beside it, names it, and goes on with the others', async (t) => {
  const { folder, alice, own, roomFolder, lounge } = await filled(t);
  let store = await openJournalStore(folder, options);
  const bob = await addUser(store, 'bob');
  const late = entry();
  await store.enqueue(alice.uid, late);
  await store.countAttempt(alice.uid, START);
  await store.say(lounge.id, message());
  const bobs = entry();
  await store.enqueue(bob, bobs);
  await store.close();
  const damaged = [join(own, 'queue'), join(own, 'account.json'), join(roomFolder, 'room')];
  for (const file of damaged) writeFileSync(file, 'x'.repeat(40));
  const notes: string[] = [];
  for (let round = 0; round < 2; round++) {
    store = await openJournalStore(folder, { ...options, onNote: (note) => notes.push(note) });
    await store.enqueue(bob, entry());
    await store.checkpoint();
    if (round === 0)
      for (const file of damaged)
        t.ok(
          notes.some((note) => note.includes(file)),
          file,
        );
    for (const file of damaged) t.equal(readFileSync(file, 'utf8'), 'x'.repeat(40), 'left for the operator');
    t.ok((await damageTold(store.queueLength(alice.uid)))?.includes(damaged[0] ?? ''));
    t.ok((await damageTold(store.accountByUid(alice.uid)))?.includes(damaged[1] ?? ''));
    t.ok((await damageTold(store.roomById(lounge.id)))?.includes(damaged[2] ?? ''));
    t.equal(await store.queueLength(bob), 2 + round);
    await store.close();
  }
  t.equal(segmentsOf(folder).length, 1, 'the journal does not grow for it');
  const beside = [join(own, 'mail.waiting'), join(own, 'account.waiting'), join(roomFolder, 'room.waiting')];
  for (const file of beside) t.ok(existsSync(file), file);
  const [mail = ''] = beside;
  t.ok(readFileSync(mail).includes(Buffer.from(late.fields)), 'nothing is lost');
  store = await openJournalStore(folder, options);
  t.ok(await store.deleteAccount(bob), 'and others can go');
  await store.checkpoint();
  await store.close();
  t.notOk(existsSync(join(folder, 'users', hexOf(bob))));
});

test('a damaged user can be deleted, with the rooms', async (t) => {
  const { folder, alice, own, roomFolder, lounge } = await filled(t);
  for (const file of [join(own, 'queue'), join(own, 'account.json'), join(roomFolder, 'room')]) {
    writeFileSync(file, 'x'.repeat(40));
  }
  const store = await openJournalStore(folder, options);
  t.ok(await damageTold(store.queueLength(alice.uid)));
  t.equal(await store.deleteAccount(alice.uid), true);
  await store.checkpoint();
  t.notOk(existsSync(own));
  t.notOk(existsSync(roomFolder));
  t.equal(await store.roomById(lounge.id), undefined);
  await store.close();
});

for (const [what, lose] of Object.entries({
  'whose account.json is lost': (own: string): void => {
    rmSync(join(own, 'account.json'));
  },
  'whose folder is lost': (own: string): void => {
    rmSync(own, { recursive: true });
  },
})) {
  test(`a user ${what} is named and not thrown away, and others go on`, async (t) => {
    const { folder, alice, own } = await filled(t);
    lose(own);
    const before = contents(join(folder, 'users'));
    t.equal(await refusal(folder), 'opened');
    t.equal(contents(join(folder, 'users')), before, 'a start touches nothing of it');
    const store = await openJournalStore(folder, options);
    const bob = await addUser(store, 'bob');
    const said = await damageTold(store.accountByName('alice'));
    t.ok(said?.includes(own), said ?? 'nothing said');
    t.equal(await store.createAccount(account('alice')), 'taken');
    await store.enqueue(alice.uid, entry()).catch(() => undefined); // either way
    await store.countAttempt(alice.uid, START).catch(() => undefined);
    for (let round = 0; round < 2; round++) {
      t.equal(await store.enqueue(bob, entry()), 'queued');
      await store.checkpoint();
    }
    t.equal(await store.queueLength(bob), 2, 'others go on');
    t.same(plain((await store.accountByUid(bob))?.name), 'bob');
    await store.close();
    t.equal(await refusal(folder), 'opened');
  });
}
