/** The upgrade of a folder of format 1: all of it is there afterwards, whatever cuts the upgrade short. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, hex } from '../../protocol/index.js';
import { Disk, nodeFiles, type Files } from '../../src/store/journal/disk.js';
import { makeFolder, readWhole, remove, replaceFile, syncFolder } from '../../src/store/journal/durable.js';
import { openJournalStore, type JournalStore } from '../../src/store/journal/journal-store.js';
import { upgrade } from '../../src/store/upgrade/upgrade.js';
import { StoreRefusal, type QueueEntry, type Reply, type Store } from '../../src/store/store.js';
import { Draws } from '../support/draws.js';
import {
  drawnAccount,
  drawnEntry,
  OLD_FILE_HEADER,
  OLD_RECORD_HEADER,
  oldEntry,
  oldLog,
  oldRemoved,
  oldReply,
  writeOldStore,
  type OldUser,
} from '../support/format1.js';
import { newSeed } from '../support/random.js';
import { atCall, diskError, SimulatedDisk } from '../support/simulated-disk.js';
import { temporaryFolder } from '../support/temp.js';

const NOW = 1_800_000_000_000;
const FOLDER = '/store';

const draws = new Draws(7);
const entries = Array.from({ length: 6 }, (_, n) => drawnEntry(draws, NOW - 1000 + n, 40 * n));
const [first, second, third, fourth, fifth, sixth] = entries as [
  QueueEntry,
  QueueEntry,
  QueueEntry,
  QueueEntry,
  QueueEntry,
  QueueEntry,
];
const frames = Array.from({ length: 3 }, () => draws.bytes(16));
const replies = frames.map((frameId, n): Reply => ({ frameId, opcode: 7 + n, code: Code.done, time: NOW - 10 + n }));
const strangers = [draws.bytes(16), draws.bytes(16), draws.bytes(16)] as const;
const hashes = [draws.bytes(32), draws.bytes(32)] as const;

const alice: OldUser = {
  account: drawnAccount(draws, 'alice', NOW - 5000),
  attempts: { count: 3, last: NOW - 77 },
  grants: hashes.map((hash, n) => ({ hash, ends: NOW + 1000 * n })),
  consents: { [hex(strangers[0])]: 'open', [hex(strangers[1])]: 'declined', [hex(strangers[2])]: 'blocked' },
  queue: [
    [oldEntry(first), oldEntry(second)],
    [oldRemoved(first, third)],
    [oldEntry(third)],
    [oldEntry(fourth), oldRemoved(fourth, fifth)],
    [oldEntry(fifth)],
  ],
  replies: [[...replies.slice(0, 2).map(oldReply)], [oldReply({ ...(replies[0] as Reply), opcode: 99 })]],
};
const bob: OldUser = { account: drawnAccount(draws, 'bob', NOW - 4000), queue: [[oldEntry(sixth), oldRemoved(sixth)]] };
const carol: OldUser = {
  account: drawnAccount(draws, 'carol', NOW - 3000),
  replies: [[oldReply(replies[2] as Reply)]],
};
const users = [alice, bob, carol];

/** All that the interface tells of these users. */
async function told(store: Store): Promise<unknown> {
  const out: unknown[] = [];
  for (const { account } of users) {
    const { uid, name } = account;
    out.push(
      [await store.accountByUid(uid), await store.accountByName(name)],
      [await store.attempts(uid), await store.grants(uid)],
      await Promise.all(strangers.map((towards) => store.consent(uid, towards))),
      [await store.queued(uid, undefined, 100), await store.queueLength(uid)],
      await Promise.all(frames.map((frameId) => store.reply(uid, frameId))),
    );
  }
  return plain(out);
}

/** Bytes as such, whatever class carries them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const [reply1, reply2, reply3] = replies;
const none = { attempts: { count: 0, last: 0 }, consents: strangers.map(() => undefined) };
const EXPECTED = plain([
  [alice.account, alice.account],
  [alice.attempts, alice.grants],
  ['open', 'declined', 'blocked'],
  [[second, third, fifth], 3],
  [{ ...reply1, opcode: 99 }, reply2, undefined],
  [bob.account, bob.account],
  [none.attempts, []],
  none.consents,
  [[], 0],
  [undefined, undefined, undefined],
  [carol.account, carol.account],
  [none.attempts, []],
  none.consents,
  [[], 0],
  [undefined, undefined, reply3],
]);

function open(files: Files, folder = FOLDER, notes: string[] = []): Promise<JournalStore> {
  return openJournalStore(folder, { now: () => NOW, files, onNote: (what) => notes.push(what) });
}

async function oldStore(seed: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(new Draws(seed), { turns: 0 });
  await writeOldStore(disk, FOLDER, users);
  await makeFolder(disk, `${FOLDER}/users/${hex(strangers[0])}`); // an account that never was
  await makeFolder(disk, `${FOLDER}/users/${hex(strangers[0])}/consents`);
  await syncFolder(disk, `${FOLDER}/users`);
  await syncFolder(disk, `${FOLDER}/users/${hex(strangers[0])}`);
  const orphan = await disk.open(`${FOLDER}/users/${hex(alice.account.uid)}/grants.json.tmp`, 'w');
  await orphan.close();
  return disk;
}

/** The paths of all files and empty folders. */
async function tree(files: Files, folder: string): Promise<string[]> {
  const out: string[] = [];
  for (const name of await files.readdir(folder)) {
    const path = join(folder, name);
    if ((await files.lstat(path)).isDirectory()) out.push(...(await tree(files, path)));
    else out.push(path);
  }
  return out.length > 0 ? out.sort() : [folder];
}

/** By their paths in the folder. */
async function contents(files: Files, folder = FOLDER): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const path of await tree(files, folder)) {
    const isFolder = (await files.lstat(path)).isDirectory();
    out[path.slice(folder.length + 1)] = isFolder ? 'folder' : hex((await readWhole(files, path)) ?? new Uint8Array(0));
  }
  return out;
}

/** What a copy holds: all but what was left half written. */
async function copied(files: Files): Promise<Record<string, string>> {
  const all = await contents(files);
  return Object.fromEntries(Object.entries(all).filter(([path]) => !path.endsWith('.tmp')));
}

/** The folders beside the store. */
async function beside(files: Files): Promise<string[]> {
  return (await files.readdir('/')).filter((name) => name !== 'store');
}

const COPY = 'store.before-upgrade-1-20270115T080000Z';
const own = (user: OldUser, name: string): string => `${FOLDER}/users/${hex(user.account.uid)}/${name}`;
const UPGRADED = [
  'format.json',
  'hellos',
  'index',
  'journal/0000000000000001.log',
  'rooms',
  ...users.map(({ account }) => `users/${hex(account.uid)}/account.json`),
  ...[alice, carol].map(({ account }) => `users/${hex(account.uid)}/queue`),
].sort();

test('all of format 1 is there after the upgrade, and stays', async (t) => {
  const folder = join(await temporaryFolder(t), 'net');
  await writeOldStore(nodeFiles, folder, users);
  const notes: string[] = [];
  let store = await open(nodeFiles, folder, notes);
  t.same(await told(store), EXPECTED);
  const said = [
    /net has format 1: before it is upgraded it is copied to .*net.before-upgrade-1-20270115T080000Z \(1 MiB\)$/,
    /: 3 accounts are taken over .*; the HELLOs .* two minutes/,
    /upgraded to format 4; as it was it is in .*net.before-upgrade-1-20270115T080000Z$/,
  ];
  t.match(notes, said, 'the operator is told');
  t.equal(await store.recentHellos(NOW), undefined, 'a replay of a HELLO of before could not be told');
  t.same(await store.recentHellos(NOW + 120_000), []);
  t.same((await tree(nodeFiles, folder)).map((path) => path.slice(folder.length + 1)).sort(), UPGRADED);
  t.same(JSON.parse(await readFile(join(folder, 'format.json'), 'utf8')), { format: 4 });

  const { uid } = alice.account;
  const late = { ...sixth, id: new Uint8Array(16) };
  t.equal(await store.enqueue(uid, fifth), 'known', 'what tells a replay is there, too');
  t.equal(await store.enqueue(uid, late), 'queued');
  t.same(await store.acknowledge(uid, [second.id, first.id]), [second.id]);
  t.equal((await store.countAttempt(uid, NOW)).count, 4);
  await store.setConsent(bob.account.uid, strangers[0], 'open');
  for (let round = 0; round < 3; round++) {
    t.same(plain(await store.queued(uid, undefined, 10)), plain([third, fifth, late]));
    t.equal((await store.attempts(uid)).count, 4);
    t.equal(await store.consent(uid, strangers[1]), 'declined');
    t.equal(await store.consent(bob.account.uid, strangers[0]), 'open');
    if (round === 0) await store.checkpoint();
    await store.close();
    store = await open(nodeFiles, folder, notes);
  }
  t.equal(await store.deleteAccount(uid), true);
  await store.checkpoint();
  await store.close();
  t.equal(notes.length, said.length);
  t.same((await readdir(join(folder, 'users'))).sort(), [bob, carol].map(({ account }) => hex(account.uid)).sort());
});

test('an empty store of format 1 becomes an empty one', async (t) => {
  const disk = new SimulatedDisk(new Draws(1), { turns: 0 });
  await makeFolder(disk, FOLDER);
  await replaceFile(disk, `${FOLDER}/format.json`, Buffer.from('{"format":1}\n'));
  const store = await open(disk);
  t.equal(await store.createAccount(alice.account), 'created');
  await store.close();
});

test('killed at any call and begun again, the upgrade leads to the same', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const at = new Draws(seed);
  let upgraded = false;
  let kills = 0;
  const before = JSON.stringify(await copied(await oldStore(1)));
  for (let n = 1 + at.below(2); !upgraded; n += 1 + at.below(10)) {
    let disk = await oldStore(n);
    let deaths = 0;
    for (let call = n; !upgraded && deaths < 3; call = at.below(200)) {
      disk.fault = atCall(call, 'die');
      const store = await Promise.race([open(disk), disk.died]);
      if (store) upgraded = deaths === 0;
      deaths++;
      disk = at.chance(0.4) ? disk.kill(at) : disk.crash(at);
    }
    const store = await open(disk);
    const names = (await tree(disk, FOLDER)).map((path) => path.slice(FOLDER.length + 1));
    const found = [await told(store), names.sort(), await beside(disk)];
    await store.close();
    const due = [EXPECTED, UPGRADED, [COPY]];
    if (JSON.stringify(found) !== JSON.stringify(due)) {
      t.same(found, due, `killed at call ${n}, SEED=${seed}`);
      return;
    }
    if (JSON.stringify(await contents(disk, `/${COPY}`)) !== before) {
      t.fail(`killed at call ${n}: the copy is not the store as it was, SEED=${seed}`);
      return;
    }
    kills++;
  }
  t.ok(kills > 60, `${kills} kills`);
});

test('a format that was written but never synced vouches for nothing', async (t) => {
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const at = new Draws(seed);
  for (let n = 1; n < 120; n += 1 + at.below(4)) {
    const disk = await oldStore(n);
    let isWritten = false;
    disk.fault = (call, path) => {
      if (isWritten && call === 'sync' && path === FOLDER) return 'die';
      isWritten ||= call === 'rename' && path.endsWith('format.json.tmp');
      return undefined;
    };
    await Promise.race([open(disk), disk.died]);
    const next = disk.kill(at);
    next.fault = atCall(n, 'die');
    await Promise.race([open(next), next.died]);
    const store = await open(next.crash(at, { entries: at.pick(['none', 'folders']) }));
    if (JSON.stringify(await told(store)) !== JSON.stringify(EXPECTED)) {
      t.same(await told(store), EXPECTED, `killed at call ${n} of the second start, SEED=${seed}`);
      return;
    }
    await store.close();
  }
  t.pass();
});

test('where a call of the upgrade fails, the next start goes on', async (t) => {
  const codes = ['EIO', 'ENOSPC', 'EMFILE'] as const;
  const wrong: unknown[] = [];
  const seed = newSeed();
  t.comment(`SEED=${seed}`);
  const at = new Draws(seed);
  for (let n = 1, isMet = true; isMet; n += 1 + at.below(8)) {
    const disk = await oldStore(n);
    const fault = atCall(n, diskError(codes[n % codes.length] ?? ''));
    let failed = '';
    disk.fault = (call, path) => {
      const met = fault(call, path);
      if (met) failed = `${call} ${path}`;
      return met;
    };
    const result = await upgrade(new Disk(disk), FOLDER, { format: 1 }, NOW, () => undefined).catch(() => 'failed');
    disk.fault = () => undefined;
    isMet = failed !== '';
    if (isMet && result !== 'failed') wrong.push([failed, 'nobody was told']);
    if (disk.handles > 0 && !failed.startsWith('close')) wrong.push([failed, 'a file stays open']);
    const store = await open(disk.kill(new Draws(n)));
    if (JSON.stringify(await told(store)) !== JSON.stringify(EXPECTED)) wrong.push([failed, 'something is lost']);
    await store.close();
  }
  t.same(wrong, []);
});

test('a damaged store of format 1 refuses, and nothing is touched', async (t) => {
  const change = async (disk: Files, path: string, how: (bytes: Uint8Array) => Uint8Array): Promise<void> => {
    await replaceFile(disk, path, how((await readWhole(disk, path)) ?? new Uint8Array(0)));
  };
  const flip = (at: number) => (bytes: Uint8Array) => bytes.map((byte, n) => (n === at ? byte ^ 1 : byte));
  const text = (what: string) => () => Buffer.from(what);
  const behindFirst = OLD_FILE_HEADER + OLD_RECORD_HEADER + 20;
  const cases: Record<string, (disk: Files) => Promise<unknown>> = {
    'queue.log is damaged at byte 12': (disk) => change(disk, own(alice, 'queue.log'), flip(behindFirst)),
    'queue.log is damaged at its beginning': (disk) => change(disk, own(alice, 'queue.log'), flip(0)),
    'queue.log holds an unknown record': (disk) =>
      replaceFile(disk, own(bob, 'queue.log'), oldLog([[Uint8Array.of(9, 1)]])),
    'replies.log holds an unknown record': (disk) =>
      replaceFile(disk, own(bob, 'replies.log'), oldLog([[new Uint8Array(29)]])),
    'replies.log is damaged at byte': (disk) => change(disk, own(alice, 'replies.log'), flip(behindFirst)),
    'account.json is damaged': (disk) => change(disk, own(carol, 'account.json'), text('{}')),
    'account.json belongs to another': async (disk) => {
      const bytes = await readWhole(disk, own(bob, 'account.json'));
      await replaceFile(disk, own(carol, 'account.json'), bytes ?? new Uint8Array(0));
    },
    'lost its account.json': (disk) => remove(disk, own(alice, 'account.json')),
    'have one name': async (disk) => {
      const twin = { ...carol.account, name: 'alice' };
      await writeOldStore(disk, FOLDER, [{ account: twin }]);
    },
    'attempts.json is damaged': (disk) => change(disk, own(alice, 'attempts.json'), text('{"count":-1,"last":0}')),
    'grants.json is damaged': (disk) => change(disk, own(alice, 'grants.json'), text('[{"hash":"00","ends":1}]')),
    'json is damaged': (disk) => replaceFile(disk, own(bob, `consents/${hex(strangers[1])}.json`), text('[')()),
    'none of the store': (disk) => replaceFile(disk, own(bob, 'consents/notes'), text('mine')()),
    'has lost its account.json': (disk) =>
      replaceFile(
        disk,
        `${FOLDER}/users/${hex(strangers[0])}/consents/${hex(strangers[1])}.json`,
        text('{"consent":"open"}')(),
      ),
    'open to others': (disk) => disk.chmod(`${FOLDER}/users`, 0o755),
    'format 5, this program reads up to 4': (disk) =>
      replaceFile(disk, `${FOLDER}/format.json`, text('{"format":5}')()),
    'names no format that ever was': (disk) => replaceFile(disk, `${FOLDER}/format.json`, text('{"format":0}')()),
  };
  for (const [message, damage] of Object.entries(cases)) {
    const disk = await oldStore(1);
    await damage(disk);
    const before = await contents(disk);
    disk.fault = (call) =>
      ['write', 'truncate', 'mkdir', 'chmod', 'rename', 'unlink', 'rmdir'].includes(call)
        ? new Error(`a refused upgrade calls ${call}`)
        : undefined;
    const error: unknown = await open(disk).catch((reason: unknown) => reason);
    disk.fault = () => undefined;
    t.ok(error instanceof StoreRefusal && error.message.includes(message), `${message}: ${String(error)}`);
    t.same(await contents(disk), before, 'untouched');
  }
});

test('the end of a log that was never synced is passed over', async (t) => {
  const whole = oldLog(alice.queue ?? []);
  const lastBatch = whole.length - oldEntry(fifth).length - OLD_RECORD_HEADER;
  for (const cut of [lastBatch, lastBatch + 1, lastBatch + 40, whole.length - 1]) {
    const disk = await oldStore(cut);
    await replaceFile(disk, own(alice, 'queue.log'), whole.subarray(0, cut));
    await replaceFile(disk, own(bob, 'queue.log'), whole.subarray(0, 11));
    const store = await open(disk);
    t.same(plain(await store.queued(alice.account.uid, undefined, 10)), plain([second, third]), `cut at ${cut}`);
    t.equal(await store.queueLength(bob.account.uid), 0, 'a file without its header never held anything');
    await store.close();
  }
});

test('the older program does not read what an upgrade has begun', async (t) => {
  const disk = await oldStore(1);
  let renamed = 0;
  disk.fault = (call, path) =>
    call === 'rename' && path.endsWith('format.json.tmp') && ++renamed === 2 ? 'die' : undefined;
  await Promise.race([open(disk), disk.died]);
  const next = disk.crash(new Draws(1), { entries: 'none' });
  t.same(JSON.parse(Buffer.from((await readWhole(next, `${FOLDER}/format.json`)) ?? []).toString()), {
    format: 4,
    from: 1,
    begun: true,
  });
  t.ok((await tree(next, FOLDER)).includes(own(alice, 'queue')), 'all that is new is there');
  const store = await open(next);
  t.same(await told(store), EXPECTED);
  await store.close();
  t.same(await beside(next), [COPY]);
});

test('a copy of another state of the store does not count', async (t) => {
  const disk = await oldStore(1);
  disk.fault = (call, path) => (call === 'open' && path.endsWith('/store/format.json.tmp') ? 'die' : undefined);
  await Promise.race([open(disk), disk.died]);
  const next = disk.crash(new Draws(1));
  t.same(await beside(next), [COPY], 'the upgrade got as far as that');
  await replaceFile(next, own(alice, 'attempts.json'), Buffer.from('{"count":4,"last":7}'));
  await t.rejects(
    open(next),
    { name: 'StoreRefusal', message: /is there already: move it away/ },
    'in the same second',
  );
  const later = await openJournalStore(FOLDER, { now: () => NOW + 1000, files: next });
  t.same(await later.attempts(alice.account.uid), { count: 4, last: 7 });
  await later.close();
  t.same((await beside(next)).sort(), [COPY, COPY.replace('00Z', '01Z')]);
});

test('without room or place for the copy nothing is done, and the operator is told what it takes', async (t) => {
  const cases = {
    ENOSPC: /has no room for the copy .* 1 MiB/,
    EDQUOT: /no room/,
    EACCES: /can't be written to \(EACCES\)/,
  };
  for (const [code, why] of Object.entries(cases)) {
    const disk = await oldStore(1);
    const before = await contents(disk);
    let calls = 0;
    disk.fault = (call, path) =>
      path.includes('before-upgrade') && ['write', 'mkdir'].includes(call) && (++calls > 9 || code === 'EACCES')
        ? diskError(code)
        : undefined;
    await t.rejects(open(disk), { name: 'StoreRefusal', message: why });
    t.same(await contents(disk), before, 'untouched');
    t.same(await beside(disk), [], 'and nothing is left of the copy');
    disk.fault = () => undefined;
    const store = await open(disk);
    t.same(await told(store), EXPECTED, 'with room it goes on');
    await store.close();
  }
});
