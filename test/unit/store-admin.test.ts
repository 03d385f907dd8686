/** What an operator does with a store: each kind of damage is found, told and mended; what can be kept is kept. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { nodeFiles } from '../../src/store/journal/disk.js';
import { ProgressBar } from '../../src/server/admin/progress.js';
import { backup } from '../../src/store/tools/backup.js';
import { check, type Checked } from '../../src/store/tools/check.js';
import { erase, findDoomed } from '../../src/store/tools/erase.js';
import { exportUser, type Reading } from '../../src/store/tools/export.js';
import { syncFiles } from '../../src/store/tools/sync-files.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { withHold } from '../../src/store/tools/reader.js';
import { restore } from '../../src/store/tools/restore.js';
import {
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
} from '../support/store-fixture.js';
import type { Teardown } from '../support/temp.js';

const silent = (): void => undefined;
const checked = (folder: string): Promise<Checked> => check(syncFiles, folder, Date.now(), silent);
const texts = ({ findings }: Checked): string[] => findings.map(({ level, path, what }) => `${level} ${path} ${what}`);
const damages = ({ findings }: Checked): string[] =>
  findings.filter(({ level }) => level === 'damage').map(({ path, what }) => `${path} ${what}`);

test('check: a sound store', async (t) => {
  const { folder } = await storeFixture(t);
  for (const files of [syncFiles]) {
    const steps: [number, number][] = [];
    const found = await check(files, folder, Date.now(), (done, total) => steps.push([done, total]));
    t.same(found.findings, []);
    t.same([found.accounts, found.rooms, found.messages, found.records], [2, 1, 15, 5]);
    t.same(steps.at(-1), [3, 3]);
    t.ok(found.bytes > 2000 && found.lsn > 15);
  }
});

test('check: while the store is in use, through checkpoints, deletions and new accounts', async (t) => {
  const fixture = await storeFixture(t);
  const store = await fixture.open();
  t.teardown(() => store.close());
  let done = false;
  const work = async (): Promise<void> => {
    for (let n = 100; !done; n++) {
      const uid = Buffer.alloc(16, 0);
      uid.writeUInt32BE(n, 0);
      await store.createAccount({ ...bobby, uid, name: `user${String(n)}` });
      await store.enqueue(uid, entry(n, bobby.uid));
      await store.enqueue(alice.uid, entry(n, bobby.uid));
      await store.acknowledge(alice.uid, [entry(n, bobby.uid).id]);
      if (n % 3 === 0) await store.checkpoint();
      if (n % 2 === 0) await store.deleteAccount(uid);
    }
  };
  const working = work();
  for (let n = 0; n < 30; n++) t.same(damages(await check(nodeFiles, fixture.folder, Date.now(), silent)), []);
  done = true;
  await working;
});

test('check: a folder that goes between two looks at it is no damage and no error', async (t) => {
  const fixture = await storeFixture(t);
  const store = await fixture.open();
  t.teardown(() => store.close());
  const gone = join(fixture.folder, 'users', hex(bobby.uid));
  let isGone = false;
  const going = {
    ...nodeFiles,
    lstat: async (path: string) => {
      const facts = await nodeFiles.lstat(path);
      if (path === gone && !isGone) {
        isGone = true;
        await store.deleteAccount(bobby.uid);
        await store.checkpoint();
        t.notOk(existsSync(gone));
      }
      return facts;
    },
  };
  t.same(damages(await check(going, fixture.folder, Date.now(), silent)), []);
  t.ok(isGone);
});

test('check: each kind of damage', async (t) => {
  const queue = (folder: string): string => userFile(folder, alice.uid, 'queue');
  const damage: Record<string, readonly [(folder: string) => void, RegExp]> = {
    'the journal, before sound records': [
      (f) => flip(lastSegment(f), 60),
      /\.log is damaged at byte 22: the record of LSN \d+ is lost/,
    ],
    'the journal’s beginning': [(f) => flip(lastSegment(f), 9), /\.log is damaged at its beginning; what follows/],
    'the journal is gone': [(f) => rmSync(lastSegment(f)), /journal holds no journal/],
    'the index': [(f) => flip(join(f, 'index'), 60), /index is damaged at byte \d+, before sound records/],
    'the index is gone': [(f) => rmSync(join(f, 'index')), /index is lost/],
    hellos: [(f) => flip(join(f, 'hellos'), 60), /hellos is damaged/],
    'an account': [(f) => flip(userFile(f, alice.uid, 'account.json'), 10), /account\.json is damaged/],
    'an account is gone': [(f) => rmSync(userFile(f, alice.uid, 'account.json')), /account\.json is lost: @alice/],
    'a user is gone': [(f) => rmSync(join(f, 'users', hex(alice.uid)), { recursive: true }), /is lost: @alice/],
    'a queue': [(f) => flip(queue(f), 80), /queue is damaged at byte \d+/],
    'the end of a queue': [(f) => flip(queue(f), -1), /queue is damaged behind byte/],
    'a room': [(f) => flip(join(f, 'rooms', hex(hall.id), 'room'), 70), /room is damaged/],
    'a room is gone': [(f) => rmSync(join(f, 'rooms', hex(hall.id)), { recursive: true }), /is lost: the room hall/],
    'the format': [(f) => writeFileSync(join(f, 'format.json'), 'x'), /format\.json is damaged/],
    'the name of another': [
      (f) => {
        rename(userFile(f, alice.uid, 'account.json'), 'carol');
      },
      /is of @carol, and the index says @alice/,
    ],
    'a folder of nobody': [
      (f) => {
        mkdirSync(join(f, 'users', 'ab'.repeat(16)), { mode: 0o700 });
        writeFileSync(join(f, 'users', 'ab'.repeat(16), 'queue'), '', { mode: 0o600 });
      },
      /belongs to no account/,
    ],
    'a symbolic link': [
      (f) => {
        rmSync(queue(f));
        symlinkSync('account.json', queue(f));
      },
      /queue is a symbolic link/,
    ],
  };
  for (const [name, [harm, expected]] of Object.entries(damage)) {
    const { folder } = await storeFixture(t);
    harm(folder);
    const found = damages(await checked(folder));
    t.match(found.join('\n'), expected, name);
  }
});

test('check: what comes for a damaged file waits beside it, and is told', async (t) => {
  const fixture = await storeFixture(t);
  await fixture.with((store) => store.acknowledge(alice.uid, [entry(14, bobby.uid).id]));
  flip(userFile(fixture.folder, alice.uid, 'queue'), 80);
  await fixture.with((store) => store.checkpoint());
  const found = damages(await checked(fixture.folder)).join('\n');
  t.match(found, /mail\.waiting holds what came for a damaged file since/);
});

test('check: hints lose nothing', async (t) => {
  const { folder } = await storeFixture(t);
  const path = userFile(folder, alice.uid, 'queue');
  chmodSync(path, 0o644);
  writeFileSync(join(folder, 'notes.txt'), '');
  writeFileSync(path + '.tmp', '');
  const found = texts(await checked(folder));
  t.equal(found.length, 3);
  t.match(found.join('\n'), /hint .*queue has mode 0644, open to others: chmod 600/);
  t.match(found.join('\n'), /hint .*notes\.txt is nothing that the daemon knows/);
  t.match(found.join('\n'), /hint .*queue\.tmp is a write under way, or left/);
});

test('check: the end of a write that was cut short is no damage', async (t) => {
  const { folder } = await storeFixture(t);
  const path = lastSegment(folder);
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('cade00')]));
  t.same(texts(await checked(folder)), []);
});

const secrets = Buffer.from('{"the":"secrets"}');
const task = (folder: string, to: string) => ({ folder, to, network: 'net', version: '1.2.3', now: Date.now, secrets });

test('backup: a copy that opens as the store does', async (t) => {
  const fixture = await storeFixture(t);
  const to = join(fixture.data, 'copy', 'one');
  const made = await backup(syncFiles, task(fixture.folder, to), silent);
  t.same([made.accounts, made.rooms, made.messages, made.network], [2, 1, 15, 'net']);
  t.same(texts(await checked(to)), []);
  t.notOk(existsSync(join(to, 'hellos')), 'a copy does not vouch for HELLOs');
  t.same(readFileSync(join(to, 'secrets.json')), secrets);
  t.equal(statSync(join(to, 'secrets.json')).mode & 0o777, 0o600);
  t.equal(made.secrets, createHash('sha256').update(secrets).digest('hex'));
  const without = join(fixture.data, 'copy', 'without');
  const bare = await backup(syncFiles, { ...task(fixture.folder, without), secrets: undefined }, silent);
  t.same([bare.secrets, existsSync(join(without, 'secrets.json'))], [undefined, false]);
  t.same(texts(await checked(without)), []);
  const store = await openJournalStore(to, { now: Date.now });
  t.teardown(() => store.close());
  t.same(await waiting(store, alice.uid), numbers(0, 15));
  t.equal((await store.roomByName('hall'))?.version, 1);
  t.equal(await store.recentHellos(Date.now()), undefined);
});

test('backup: of a store in use is a state that it had, with all that was acknowledged before', async (t) => {
  const fixture = await storeFixture(t);
  const store = await openJournalStore(fixture.folder, { now: Date.now, inThread: true, segmentBytes: 4096 });
  t.teardown(() => store.close());
  const stop = new AbortController();
  let written = 1000;
  /* One after another to bobby's queue, so that any state has a beginning of them without a gap. */
  const writing = (async () => {
    for (; !stop.signal.aborted; written++) {
      await store.enqueue(bobby.uid, entry(written, alice.uid));
      await store.acknowledge(alice.uid, [entry(written % 15, alice.uid).id]);
      await store.enqueue(alice.uid, entry(written % 15, bobby.uid));
    }
  })();
  for (let n = 0; n < 12; n++) {
    const before = written;
    const to = join(fixture.data, `copy${String(n)}`);
    await withHold(nodeFiles, fixture.folder, () => backup(nodeFiles, task(fixture.folder, to), silent));
    const copy = await openJournalStore(to, { now: Date.now });
    const found = await waiting(copy, bobby.uid);
    t.ok(found.length >= before - 1000, `${String(found.length)} messages, ${String(before - 1000)} before`);
    t.same(found, numbers(1000, 1000 + found.length));
    t.ok([14, 15].includes(await copy.queueLength(alice.uid)));
    await copy.close();
  }
  stop.abort();
  await writing;
});

test('a hold keeps the journal until it is released', async (t) => {
  const fixture = await storeFixture(t);
  const journal = join(fixture.folder, 'journal');
  const store = await fixture.open();
  t.teardown(() => store.close());
  await withHold(syncFiles, fixture.folder, async () => {
    const [first = ''] = readdirSync(journal);
    await store.checkpoint();
    t.same(readdirSync(journal).length, 2);
    t.ok(existsSync(join(journal, first)));
  });
  await store.enqueue(alice.uid, entry(60, bobby.uid));
  await store.checkpoint();
  t.same(readdirSync(journal).length, 1);
  t.notOk(existsSync(join(fixture.folder, 'hold.json')));
});

test('backup: refuses a folder in use, and a store that is damaged', async (t) => {
  const { folder, data } = await storeFixture(t);
  const used = join(data, 'used');
  mkdirSync(used);
  writeFileSync(join(used, 'a'), '');
  await t.rejects(backup(syncFiles, task(folder, used), silent), /is there already: name a new folder/);
  flip(userFile(folder, alice.uid, 'queue'), 80);
  const to = join(data, 'copy');
  await t.rejects(backup(syncFiles, task(folder, to), silent), /queue is damaged: run cadenasd check/);
  t.notOk(existsSync(join(to, 'backup.json')), 'an unfinished backup says nothing of itself');
});

async function backedUp(t: Teardown) {
  const fixture = await storeFixture(t);
  const from = join(fixture.data, 'copy');
  await backup(syncFiles, task(fixture.folder, from), silent);
  const place = join(fixture.data, 'elsewhere', 'net');
  return { ...fixture, from, place, to: { from, folder: place, network: 'net', aside: undefined, now: Date.now() } };
}

test('restore: into a folder that is absent or empty, or in the place of a store', async (t) => {
  const { folder, from, place, to } = await backedUp(t);
  t.same((await restore(syncFiles, to, silent)).damage, []);
  t.same(texts(await checked(place)), []);
  t.same(readdirSync(place).sort(), ['format.json', 'index', 'journal', 'rooms', 'users']);
  await t.rejects(restore(syncFiles, to, silent), /holds a store already: use --replace/);
  const aside = `${folder}.aside`;
  const { before } = await restore(syncFiles, { ...to, folder, aside }, silent);
  t.same([before, texts(await checked(aside)), texts(await checked(folder))], [aside, [], []]);
  rmSync(place, { recursive: true });
  mkdirSync(place);
  mkdirSync(`${place}.restoring`);
  writeFileSync(join(`${place}.restoring`, 'left of another one'), '');
  await restore(syncFiles, to, silent);
  t.same(texts(await checked(place)), []);
  t.ok(existsSync(join(from, 'backup.json')));
});

test('restore: a backup of an older format, which is upgraded when it is opened', async (t) => {
  const { from, place, to, data } = await backedUp(t);
  for (const format of [1, 2, 3]) {
    writeFileSync(join(from, 'format.json'), `{"format":${String(format)}}\n`);
    if (format === 1) {
      await t.rejects(restore(syncFiles, to, silent), /has format 1: start the daemon once, it brings it up/);
      continue;
    }
    t.same((await restore(syncFiles, to, silent)).damage, []);
    const store = await openJournalStore(place, { now: Date.now });
    t.equal((await store.accountByName('alice'))?.name, 'alice');
    await store.close();
    t.same(texts(await checked(place)), []);
    const copies = readdirSync(join(data, 'elsewhere')).filter((name) =>
      name.includes(`.before-upgrade-${String(format)}-`),
    );
    t.equal(copies.length, 1);
    rmSync(place, { recursive: true });
  }
});

test('restore: nothing of what is no sound backup of the network', async (t) => {
  const harm: Record<string, (from: string) => void> = {
    'a file is damaged': (from) => flip(userFile(from, alice.uid, 'queue'), 80),
    'the end of the journal is cut off': (from) => truncateSync(lastSegment(from), 60),
    'the secrets are gone': (from) => rmSync(join(from, 'secrets.json')),
    'the secrets are damaged': (from) => flip(join(from, 'secrets.json'), 3),
    'a queue is gone': (from) => rmSync(userFile(from, alice.uid, 'queue')),
  };
  for (const [name, damage] of Object.entries(harm)) {
    const { from, place, to } = await backedUp(t);
    damage(from);
    t.ok((await restore(syncFiles, to, silent)).damage.length > 0, name);
    t.notOk(existsSync(place), name);
  }
  const { folder, from, to } = await backedUp(t);
  await t.rejects(restore(syncFiles, { ...to, network: 'home' }, silent), /is a backup of network net, not of home/);
  rmSync(join(from, 'backup.json'));
  await t.rejects(restore(syncFiles, to, silent), /holds no finished backup/);
  await t.rejects(restore(syncFiles, { ...to, from: folder }, silent), /holds no finished backup/);
});

test('export: all that is kept about a user, from files and journal', async (t) => {
  const fixture = await storeFixture(t);
  await fixture.with(async (store) => {
    await store.countAttempt(alice.uid, 5000);
    await store.keepReply(alice.uid, { frameId: new Uint8Array(16), opcode: 100007, code: 200, time: Date.now() });
  });
  const reading = (inRooms: string): Reading => ({
    told: () => ({ fullName: 'Alice' }),
    fingerprint: () => new Uint8Array(2).fill(7),
    standing: (_state, uid) => (hex(uid) === inRooms ? 'member' : undefined),
  });
  const nobody = reading('');
  const all = await exportUser(syncFiles, fixture.folder, 'alice', nobody);
  const { waiting: queue, answers, rooms, sessions, contacts, ...rest } = all as Record<string, unknown[]>;
  t.match(rest, {
    name: 'alice',
    uid: hex(alice.uid),
    told: { fullName: 'Alice' },
    keys: { fingerprint: '0707' },
    unfinishedLogins: { count: 1 },
  });
  t.equal(queue?.length, 15);
  t.match(queue?.[3], { from: { uid: hex(bobby.uid), name: 'bobby' }, bytes: 40 });
  t.match(answers, [{ kind: 'jmpu', code: 200 }]);
  t.match(rooms, [{ name: 'hall', standing: 'owner', said: 0, version: 1, messages: 1 }]);
  for (const [inRooms, shown] of [
    [hex(bobby.uid), [{ name: 'hall', standing: 'member', said: 1 }]],
    ['', [{ name: 'hall', standing: 'gone', said: 1 }]],
  ] as const) {
    const other = await exportUser(syncFiles, fixture.folder, 'bobby', reading(inRooms));
    t.match(other?.['rooms'], shown);
    t.notMatch(JSON.stringify(other?.['rooms']), /"state"/, 'the state of others is not theirs');
  }
  t.match(contacts, [{ name: 'bobby', consent: 'open' }]);
  t.equal(sessions?.length, 1);
  t.notMatch(JSON.stringify(all), hex(alice.record), 'nothing that a login rests on');
  t.equal(await exportUser(syncFiles, fixture.folder, 'carol', nobody), undefined);
  flip(userFile(fixture.folder, alice.uid, 'queue'), 80);
  await t.rejects(exportUser(syncFiles, fixture.folder, 'alice', nobody), /queue is damaged/);
});

/** Whether these bytes are in any file of the folder. */
const holds = (folder: string, bytes: Uint8Array): boolean =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).some(
    (each) => each.isFile() && readFileSync(join(each.parentPath, each.name)).includes(Buffer.from(bytes)),
  );

test('delete: nothing of the account is left on the disk', async (t) => {
  const fixture = await storeFixture(t);
  const { folder } = fixture;
  writeFileSync(join(folder, 'hold.json'), JSON.stringify({ until: Date.now() + 30_000 }), { mode: 0o600 });
  t.equal(await findDoomed(syncFiles, folder, 'carol'), undefined);
  const doomed = await findDoomed(syncFiles, folder, 'alice');
  t.match(doomed, { name: 'alice', messages: 15, rooms: 1 });
  if (!doomed) return;
  t.ok(holds(folder, alice.uid) && holds(folder, Buffer.from('alice')));
  await erase(syncFiles, folder, doomed, Date.now, (note) => t.fail(note));
  t.notOk(holds(folder, alice.uid));
  t.notOk(holds(folder, Buffer.from('alice')));
  t.same(texts(await checked(folder)), []);
  await fixture.with(async (store) => {
    t.equal(await store.accountByName('alice'), undefined);
    t.equal(await store.roomByName('hall'), undefined);
    t.equal((await store.accountByName('bobby'))?.name, 'bobby');
    t.equal(await store.createAccount({ ...alice, uid: new Uint8Array(16) }), 'created');
  });
});

test('progress: a bar on a terminal after half a second, a line now and then elsewhere', (t) => {
  const shown = (isTTY: boolean): string[] => {
    const out: string[] = [];
    let now = 0;
    const bar = new ProgressBar({ isTTY, write: (text) => out.push(text) }, () => now);
    bar.begin('checking');
    for (; now <= 12_000; now += 10) bar.report(now, 12_000);
    bar.end();
    return out;
  };
  const [first = '', ...rest] = shown(true);
  t.match(first, /^\r.*checking \[#\.+\] {3}4% {2}500 of 12000$/);
  t.equal(rest.length, 115 + 1, 'ten a second, and it is taken away');
  t.same(shown(false), ['checking: 41%, 5000 of 12000\n', 'checking: 83%, 10000 of 12000\n']);
  t.end();
});
