/** Repair: for each kind of damage, what is kept, what is told to be lost, and a store that is sound again. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { check } from '../../src/store/tools/check.js';
import type { DiskFile, Files } from '../../src/store/journal/disk.js';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import { syncFiles } from '../../src/store/tools/sync-files.js';
import { planRepair, type Told } from '../../src/store/tools/repair-plan.js';
import { repair } from '../../src/store/tools/repair.js';
import { Draws } from '../support/draws.js';
import { newSeed } from '../support/random.js';
import {
  account,
  alice,
  bobby,
  entry,
  flip,
  hall,
  hex,
  lastSegment,
  numbers,
  rename,
  storeFixture,
  userFile,
  waiting,
  type StoreFixture,
} from '../support/store-fixture.js';

const silent = (): void => undefined;

/** Repairs the store; it is sound then, and what was replaced is in the quarantine. */
async function mend(t: Test, folder: string): Promise<readonly Told[]> {
  const before = await check(syncFiles, folder, Date.now(), silent);
  t.ok(
    before.findings.some(({ level }) => level === 'damage'),
    'it is damaged',
  );
  const plan = await planRepair(syncFiles, folder, silent);
  t.same(await check(syncFiles, folder, Date.now(), silent), before, 'a plan changes nothing');
  const quarantine = `${folder}.quarantine`;
  const task = { folder, plan, quarantine, now: Date.now, onNote: (note: string) => t.fail(note) };
  t.same(await repair(syncFiles, task, silent), []);
  t.ok(existsSync(quarantine));
  t.same((await planRepair(syncFiles, folder, silent)).told, [], 'there is nothing left to repair');
  return plan.told;
}

const text = (told: readonly Told[]): string =>
  told.map(({ path, who, kept, lost }) => `${path} ${who} kept: ${kept} lost: ${lost}`).join('\n');

interface Case {
  readonly harm: (fixture: StoreFixture) => void | Promise<void>;
  /** what the operator is told */
  readonly told: RegExp;
  readonly then: (t: Test, store: JournalStore) => Promise<unknown>;
}

async function allIsThere(t: Test, store: JournalStore): Promise<void> {
  t.same(await waiting(store, alice.uid), numbers(0, 15));
  t.equal((await store.accountByName('bobby'))?.name, 'bobby');
  t.equal((await store.roomByName('hall'))?.version, 1);
  t.equal((await store.said(hall.id)).length, 1);
  t.equal(await store.consent(alice.uid, bobby.uid), 'open');
  t.equal((await store.grants(alice.uid)).length, 1);
}

async function aliceIsGone(t: Test, store: JournalStore): Promise<void> {
  t.equal(await store.accountByName('alice'), undefined);
  t.equal(await store.roomByName('hall'), undefined, 'rooms go with their owner');
  t.equal((await store.accountByName('bobby'))?.name, 'bobby');
  t.equal(await store.createAccount({ ...alice, uid: new Uint8Array(16) }), 'created', 'the name is free');
}

const queue = (folder: string): string => userFile(folder, alice.uid, 'queue');
const room = (folder: string): string => join(folder, 'rooms', hex(hall.id), 'room');
/** Where the n-th record of a file begins, from 0. */
function recordAt(path: string, n: number): number {
  const bytes = readFileSync(path);
  let at = 22;
  for (let i = 0; i < n; i++) at += 22 + bytes.readUInt32BE(at + 6);
  return at;
}

const cases: Record<string, Case> = {
  'a record of the journal': {
    harm: ({ folder }) => flip(lastSegment(folder), recordAt(lastSegment(folder), 2) + 40),
    told: /journal {2}kept: 4 records lost: the record of LSN \d+ is lost/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), [...numbers(0, 12), 13, 14]),
  },
  'the beginning of the journal': {
    harm: ({ folder }) => flip(lastSegment(folder), 9),
    told: /journal {2}kept: 5 records lost: nothing is lost/,
    then: allIsThere,
  },
  'the journal is gone': {
    harm: ({ folder }) => rmSync(lastSegment(folder)),
    told: /the journal is lost: all changes since the last checkpoint are/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), numbers(0, 10)),
  },
  'the whole folder of the journal is gone': {
    harm: ({ folder }) => rmSync(join(folder, 'journal'), { recursive: true }),
    told: /the journal is lost/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), numbers(0, 10)),
  },
  'the index': {
    harm: ({ folder }) => flip(join(folder, 'index'), 60),
    told: /index {2}kept: 2 accounts and 1 rooms/,
    then: allIsThere,
  },
  'the index is gone': {
    harm: ({ folder }) => rmSync(join(folder, 'index')),
    told: /index {2}kept: 2 accounts/,
    then: allIsThere,
  },
  'the index and the journal are gone': {
    harm: ({ folder }) => {
      rmSync(join(folder, 'index'));
      rmSync(lastSegment(folder));
    },
    told: /index {2}kept: 2 accounts/,
    then: async (t, store) => {
      t.same(await waiting(store, alice.uid), numbers(0, 10));
      t.equal(await store.enqueue(alice.uid, entry(99, bobby.uid)), 'queued');
    },
  },
  hellos: { harm: ({ folder }) => flip(join(folder, 'hellos'), 60), told: /hellos/, then: allIsThere },
  'the format': {
    harm: ({ folder }) => writeFileSync(join(folder, 'format.json'), ''),
    told: /format\.json/,
    then: allIsThere,
  },
  'a record of a queue': {
    harm: ({ folder }) => flip(queue(folder), recordAt(queue(folder), 4) + 50),
    told: /queue @alice kept: 9 messages lost: 1 of its records at most are lost/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), [0, 1, 2, ...numbers(4, 15)]),
  },
  'the beginning of a queue': {
    harm: ({ folder }) => flip(queue(folder), 10),
    told: /queue @alice kept: 10 messages lost: nothing is lost/,
    then: allIsThere,
  },
  'the end of a queue': {
    harm: ({ folder }) => flip(queue(folder), -1),
    told: /queue @alice kept: 10 messages lost: 29 bytes at its end are lost/,
    then: allIsThere,
  },
  'a queue of nothing but zeros': {
    harm: ({ folder }) => writeFileSync(queue(folder), Buffer.alloc(500)),
    told: /queue @alice kept: 0 messages lost: all that was in it/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), numbers(10, 15)),
  },
  'a queue that was damaged while the daemon ran': {
    harm: async (fixture) => {
      flip(queue(fixture.folder), recordAt(queue(fixture.folder), 4) + 50);
      await fixture.with((store) => store.checkpoint());
    },
    told: /queue @alice kept: 14 messages/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), [0, 1, 2, ...numbers(4, 15)]),
  },
  'a queue with what came for it waiting beside it': {
    harm: async (fixture) => {
      await fixture.with((store) =>
        store.acknowledge(
          alice.uid,
          [0, 14].map((n) => entry(n, bobby.uid).id),
        ),
      );
      flip(queue(fixture.folder), recordAt(queue(fixture.folder), 4) + 50);
      await fixture.with((store) => store.checkpoint());
      if (!existsSync(userFile(fixture.folder, alice.uid, 'mail.waiting'))) throw new Error('nothing waits');
    },
    told: /queue @alice kept: 12 messages/,
    then: async (t, store) => t.same(await waiting(store, alice.uid), [1, 2, ...numbers(4, 14)]),
  },
  'a room': {
    harm: ({ folder }) => flip(room(folder), recordAt(room(folder), 2) + 50),
    told: /room {2}kept: the room hall with 0 messages/,
    then: async (t, store) => {
      t.equal((await store.roomByName('hall'))?.version, 1);
      t.same(await store.said(hall.id), []);
    },
  },
  'a room that nothing tells of': {
    harm: ({ folder }) => flip(room(folder), recordAt(room(folder), 1) + 50),
    told: /hall kept: nothing lost: the room; its name is free again/,
    then: async (t, store) => {
      t.equal(await store.roomByName('hall'), undefined);
      t.equal(await store.createRoom(hall), 'created');
    },
  },
  'one bit of an account': {
    harm: ({ folder }) => flip(userFile(folder, alice.uid, 'account.json'), 700),
    told: /account\.json @alice kept: the account @alice lost: nothing is lost/,
    then: allIsThere,
  },
  'an account': {
    harm: ({ folder }) => {
      for (const at of [10, 700, 900]) flip(userFile(folder, alice.uid, 'account.json'), at);
    },
    told: /@alice kept: nothing lost: the account with all that waits for it and the rooms of theirs: hall; the name is free/,
    then: aliceIsGone,
  },
  'a user is gone': {
    harm: ({ folder }) => rmSync(join(folder, 'users', hex(alice.uid)), { recursive: true }),
    told: /@alice kept: nothing lost: the account/,
    then: aliceIsGone,
  },
  'an account under another name': {
    harm: ({ folder }) => {
      rename(userFile(folder, alice.uid, 'account.json'), 'carol');
    },
    told: /account\.json @alice kept: the account @alice/,
    then: allIsThere,
  },
  'a folder of nobody': {
    harm: ({ folder }) => {
      mkdirSync(join(folder, 'users', 'ab'.repeat(16)), { mode: 0o700 });
      writeFileSync(join(folder, 'users', 'ab'.repeat(16), 'queue'), 'x', { mode: 0o600 });
    },
    told: /nothing that anybody could reach/,
    then: allIsThere,
  },
  'many things at once': {
    harm: ({ folder }) => {
      flip(join(folder, 'index'), 60);
      flip(join(folder, 'hellos'), 60);
      flip(queue(folder), recordAt(queue(folder), 4) + 50);
      flip(lastSegment(folder), recordAt(lastSegment(folder), 2) + 40);
      truncateSync(userFile(folder, bobby.uid, 'account.json'), 100);
    },
    told: /the account with all that waits/,
    then: async (t, store) => {
      t.same(await waiting(store, alice.uid), [0, 1, 2, ...numbers(4, 12), 13, 14]);
      t.equal(await store.accountByName('bobby'), undefined);
    },
  },
};

for (const [name, { harm, told, then }] of Object.entries(cases)) {
  test(`repair: ${name}`, async (t) => {
    const fixture = await storeFixture(t);
    await harm(fixture);
    const lines = text(await mend(t, fixture.folder));
    t.match(lines, told);
    await fixture.with((store) => then(t, store));
    await fixture.with(async (store) => {
      t.equal(await store.createAccount(account(50, 'later')), 'created');
      await store.checkpoint();
      t.equal((await store.accountByName('later'))?.name, 'later');
    });
    const after = await check(syncFiles, fixture.folder, Date.now(), silent);
    t.same(
      after.findings.filter(({ level }) => level === 'damage'),
      [],
    );
  });
}

test('repair: what belongs to an account whose making is lost is dropped, and said', async (t) => {
  const fixture = await storeFixture(t);
  const carol = account(3, 'carol');
  await fixture.with(async (store) => {
    await store.checkpoint();
    await store.createAccount(carol);
    for (let n = 0; n < 3; n++) await store.enqueue(carol.uid, entry(n, bobby.uid));
    await store.enqueue(alice.uid, entry(90, bobby.uid));
  });
  flip(lastSegment(fixture.folder), recordAt(lastSegment(fixture.folder), 0) + 40);
  t.match(text(await mend(t, fixture.folder)), /3 records of (03){16}, whose making is among what is lost/);
  await fixture.with(async (store) => {
    t.same(await waiting(store, alice.uid), [...numbers(0, 15), 90]);
    t.equal(await store.createAccount(carol), 'created');
  });
});

test('repair: a name that was given again, and the deletion before is lost', async (t) => {
  const fixture = await storeFixture(t);
  const second = { ...account(4, 'bobby') };
  await fixture.with(async (store) => {
    await store.checkpoint();
    await store.deleteAccount(bobby.uid);
    await store.createAccount(second);
  });
  flip(lastSegment(fixture.folder), recordAt(lastSegment(fixture.folder), 0) + 30);
  t.match(text(await mend(t, fixture.folder)), /its name was given to another one since/);
  await fixture.with(async (store) => {
    t.same((await store.accountByName('bobby'))?.uid, second.uid);
    t.equal(await store.accountByUid(bobby.uid), undefined);
  });
});

test('repair: a segment in the middle of the journal is gone', async (t) => {
  const fixture = await storeFixture(t);
  const journal = join(fixture.folder, 'journal');
  await fixture.with((store) => store.checkpoint());
  const [open = ''] = readdirSync(journal);
  const index = readFileSync(join(fixture.folder, 'index'));
  await fixture.with(async (store) => {
    for (let n = 20; n < 23; n++) await store.enqueue(alice.uid, entry(n, bobby.uid));
  });
  const first = readFileSync(join(journal, open));
  await fixture.with(async (store) => {
    await store.checkpoint();
    for (let n = 23; n < 26; n++) await store.enqueue(bobby.uid, entry(n, alice.uid));
  });
  /* As if a kill had come before the checkpoint was entered in the index. */
  writeFileSync(join(fixture.folder, 'index'), index);
  writeFileSync(join(journal, open), first);
  t.same(readdirSync(journal).length, 2);
  rmSync(join(journal, open));
  t.match(text(await mend(t, fixture.folder)), /3 records are lost/);
  await fixture.with(async (store) => {
    t.same(await waiting(store, alice.uid), [...numbers(0, 15), 20, 21, 22], 'a checkpoint had them');
    t.same(await waiting(store, bobby.uid), [23, 24, 25]);
  });
});

test('repair: cut short at any step, and begun again', async (t) => {
  const fixture = await storeFixture(t);
  await cases['many things at once']?.harm(fixture);
  for (let step = 1, isCut = true; isCut; step++) {
    const folder = join(fixture.data, `cut${String(step)}`);
    cpSync(fixture.folder, folder, { recursive: true });
    chmodSync(folder, 0o700); // not every version of Node copies it
    const task = async (files: Files) => ({
      folder,
      plan: await planRepair(files, folder, silent),
      quarantine: `${folder}.quarantine`,
      now: Date.now,
      onNote: silent,
    });
    isCut = await repair(cutShort(step), await task(syncFiles), silent).then(
      () => false,
      () => true,
    );
    t.same(await repair(syncFiles, await task(syncFiles), silent), [], `step ${String(step)}`);
    const store = await openJournalStore(folder, { now: Date.now });
    t.same(await waiting(store, alice.uid), [0, 1, 2, ...numbers(4, 12), 13, 14]);
    await store.close();
  }
});

/** A disk for a process that is killed at its n-th change. */
function cutShort(change: number): Files {
  let left = change;
  const after = <T>(work: () => Promise<T>): Promise<T> => {
    return left-- > 0 ? work() : Promise.reject(new Error('killed'));
  };
  return {
    ...syncFiles,
    open: async (path, flags, mode) => {
      const open = (): Promise<DiskFile> => syncFiles.open(path, flags, mode);
      const file = await (flags === 'r' ? open() : after(open));
      return {
        ...file,
        write: (...args) => after(() => file.write(...args)),
        truncate: (length) => after(() => file.truncate(length)),
      };
    },
    mkdir: (path, options) => after(() => syncFiles.mkdir(path, options)),
    rename: (from, to) => after(() => syncFiles.rename(from, to)),
    unlink: (path) => after(() => syncFiles.unlink(path)),
    rmdir: (path) => after(() => syncFiles.rmdir(path)),
  };
}

test('repair: any bits of any files', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${String(seed)}`);
  const draws = new Draws(seed);
  const rounds = Number(process.env['ROUNDS'] ?? 30);
  for (let round = 0; round < rounds; round++) {
    const fixture = await storeFixture(t);
    await fixture.with(async (store) => {
      await store.acknowledge(alice.uid, [entry(3, bobby.uid).id]);
      await store.createAccount(account(3, 'carol'));
      await store.enqueue(bobby.uid, entry(70, alice.uid));
      await store.deleteRoom(hall.id);
      await store.createRoom({ ...hall, id: account(8, 'any').uid });
    });
    const files = readdirSync(fixture.folder, { recursive: true, withFileTypes: true }).filter(
      (each) => each.isFile() && each.name !== 'format.json',
    );
    for (let harm = 1 + draws.below(4); harm > 0; harm--) {
      const { parentPath, name } = draws.pick(files);
      const path = join(parentPath, name);
      const { size } = statSync(path);
      const kind = draws.pick(['bit', 'bit', 'sector', 'cut', 'gone']);
      if (kind === 'gone') rmSync(path, { force: true });
      else if (kind === 'cut') truncateSync(path, draws.below(size + 1));
      else if (kind === 'bit' && size > 0) flip(path, draws.below(size));
      else if (size > 0) zero(path, draws.below(size));
      if (kind === 'gone')
        files.splice(
          files.findIndex((each) => each.name === name && each.parentPath === parentPath),
          1,
        );
    }
    const plan = await planRepair(syncFiles, fixture.folder, silent);
    const task = { folder: fixture.folder, plan, quarantine: `${fixture.folder}.aside`, now: Date.now, onNote: silent };
    if (plan.told.length > 0) t.same(await repair(syncFiles, task, silent), [], text(plan.told));
    await fixture.with(async (store) => {
      for (const name of ['alice', 'bobby', 'carol']) {
        const found = await store.accountByName(name);
        if (!found) continue;
        const all = await store.queued(found.uid, undefined, 100);
        t.ok(all.every(({ fields }) => fields.length === 40));
        t.equal(await store.enqueue(found.uid, entry(80, found.uid)), 'queued');
      }
      await store.checkpoint();
    });
  }
});

function zero(path: string, from: number): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, from, Math.min(bytes.length, from + 512)));
}
