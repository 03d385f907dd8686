/** The file store: the contract, and what it promises about its folder. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { openFileStore } from '../../src/store/file/file-store.js';
import { StorageError, StoreRefusal, type Store } from '../../src/store/store.js';
import { account, entry, ids, START, storeContract } from './store-contract.js';

const options = { now: () => START };

function place(t: Test): string {
  const base = mkdtempSync(join(tmpdir(), 'cadenas-test-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  return join(base, 'data', 'net');
}

/** A store with one user, two queued entries and one of everything else, closed. */
async function filled(
  t: Test,
): Promise<{ folder: string; uid: Uint8Array; own: string; entries: ReturnType<typeof entry>[] }> {
  const folder = place(t);
  const store = await openFileStore(folder, options);
  const alice = account('alice');
  const entries = [entry(randomBytes(200)), entry(randomBytes(100)), entry(randomBytes(60))];
  await store.createAccount(alice);
  for (const each of entries) await store.enqueue(alice.uid, each);
  await store.countAttempt(alice.uid, START);
  await store.saveGrant(alice.uid, { hash: randomBytes(32), ends: START }, START);
  await store.setConsent(alice.uid, alice.uid, 'open');
  await store.keepReply(alice.uid, { frameId: randomBytes(16), opcode: 1, code: 200, time: START });
  await store.rememberHello(randomBytes(32), START);
  await store.close();
  const own = join(folder, 'users', Buffer.from(alice.uid).toString('hex'));
  return { folder, uid: alice.uid, own, entries };
}

/** All paths of a tree with mode, owner, time of change and content. */
function tree(folder: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (path: string): void => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    out[path] = `${mode} ${stat.uid} ${stat.mtimeMs} ${stat.isFile() ? readFileSync(path, 'hex') : ''}`;
    if (stat.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
  };
  walk(folder);
  return out;
}

async function refusal(folder: string): Promise<string> {
  try {
    await openFileStore(folder, options);
  } catch (error) {
    if (error instanceof StoreRefusal) return error.message;
    throw error;
  }
  return 'opened';
}

test('the contract', async (t) => {
  await storeContract(t, (each) => {
    const folder = place(each);
    return (given) => openFileStore(folder, given);
  });
});

test('everything made is 0700 or 0600, whatever the umask', async (t) => {
  for (const umask of [0, 0o022, 0o777]) {
    const before = process.umask(umask);
    const { folder } = await filled(t).finally(() => process.umask(before));
    const seen = tree(join(folder, '..'));
    t.ok(Object.keys(seen).length >= 12, 'one of everything is there');
    for (const [path, line] of Object.entries(seen)) {
      t.match(line, lstatSync(path).isDirectory() ? /^700 / : /^600 /, path.slice(folder.length));
    }
  }
});

test("names of files are hexadecimal ids or the store's own", async (t) => {
  const { folder } = await filled(t);
  const own = /^(users|consents|format\.json|hellos-\d+\.log|(account|attempts|grants)\.json|(queue|replies)\.log)$/;
  for (const path of Object.keys(tree(folder)).slice(1)) {
    const name = path.split('/').at(-1) ?? '';
    t.ok(own.test(name) || /^[0-9a-f]{32}(\.json)?$/.test(name), name);
  }
});

test("a folder that can't be opened is refused in one line and not touched", async (t) => {
  const cases: Record<string, { spoil: (folder: string) => string | undefined; says: RegExp }> = {
    'readable by the group': { spoil: mode(0o750), says: /mode 0750.*chmod 700/ },
    'searchable by others': { spoil: mode(0o701), says: /mode 0701.*chmod 700/ },
    'a newer format': { spoil: format('{"format":2}'), says: /format 2.*install a newer/ },
    'a format that is no number': { spoil: format('{"format":"1"}'), says: /format\.json is damaged/ },
    'a format that is no JSON': { spoil: format('{'), says: /format\.json is damaged/ },
    'format 0': { spoil: format('{"format":0}'), says: /restore/ },
    'no format': {
      spoil: (folder) => {
        rmSync(join(folder, 'format.json'));
        return undefined;
      },
      says: /not empty and holds no format\.json/,
    },
    'a symbolic link': {
      spoil: (folder) => {
        symlinkSync(folder, `${folder}-link`);
        return `${folder}-link`;
      },
      says: /symbolic link/,
    },
    'a symbolic link with a slash behind it': {
      spoil: (folder) => {
        symlinkSync(folder, `${folder}-link`);
        return `${folder}-link/`;
      },
      says: /symbolic link/,
    },
    'a file': { spoil: (folder) => join(folder, 'format.json'), says: /is no folder/ },
  };
  for (const [name, { spoil, says }] of Object.entries(cases)) {
    const { folder } = await filled(t);
    const named = spoil(folder) ?? folder;
    const before = tree(folder);
    const message = await refusal(named);
    t.match(message, says, name);
    t.notOk(message.includes('\n'), 'one line');
    t.same(tree(folder), before, `${name}: untouched`);
  }
});

function mode(bits: number): (folder: string) => undefined {
  return (folder) => {
    chmodSync(folder, bits);
    return undefined;
  };
}

function format(content: string): (folder: string) => undefined {
  return (folder) => {
    writeFileSync(join(folder, 'format.json'), content);
    return undefined;
  };
}

test('a folder of another user is refused', async (t) => {
  const { folder } = await filled(t);
  if (process.getuid?.() === 0) {
    chownSync(folder, 65534, 65534);
    t.match(await refusal(folder), /belongs to user 65534, not to 0/);
    chownSync(folder, 0, 0);
    t.equal(await refusal(folder), 'opened');
  } else {
    t.match(await refusal('/'), /belongs to user 0/, 'the root folder belongs to root');
  }
});

test('an empty folder of mode 0700 becomes a store', async (t) => {
  const folder = place(t);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'format.json.tmp'), '{"for');
  const store = await openFileStore(folder, options);
  t.same(await store.recentHellos(0), []);
  await store.close();
  t.same(readdirSync(folder).sort(), ['format.json', 'hellos-1.log', 'users']);
});

test('without its record of HELLOs a store says so, until none of them can be replayed', async (t) => {
  const { folder } = await filled(t);
  rmSync(join(folder, 'hellos-1.log'));
  let now = START;
  const open = (): Promise<Store> => openFileStore(folder, { now: () => now });
  let store = await open();
  t.equal(await store.recentHellos(START - 240_000), undefined);
  await store.rememberHello(randomBytes(32), START + 1);
  await store.close();
  now = START + 60_000;
  store = await open();
  t.equal(await store.recentHellos(now - 120_000), undefined, 'a second start brings back nothing');
  await store.close();
  now = START + 240_000;
  store = await open();
  t.same(await store.recentHellos(now - 120_000), []);
  await store.close();
});

test('the record of HELLOs stays small', async (t) => {
  const folder = place(t);
  let now = START;
  const store = await openFileStore(folder, { now: () => now });
  for (let minute = 0; minute < 60; minute++) {
    now += 60_000;
    await Promise.all(Array.from({ length: 20 }, () => store.rememberHello(randomBytes(32), now)));
  }
  await store.close();
  const files = readdirSync(folder).filter((name) => name.startsWith('hellos-'));
  t.equal(files.length, 2);
  const bytes = files.reduce((sum, name) => sum + lstatSync(join(folder, name)).size, 0);
  t.ok(bytes < 11 * 20 * 64, `${bytes} bytes after an hour hold eleven minutes at most`);
});

test('a log cut at any byte of its last record gives all that came before', async (t) => {
  const { folder, uid, own, entries } = await filled(t);
  const log = join(own, 'queue.log');
  const full = readFileSync(log);
  const record = 16 + 61 + 60;
  const fresh = entry(randomBytes(10));
  for (let cut = full.length - record; cut < full.length; cut++) {
    writeFileSync(log, full);
    truncateSync(log, cut);
    const store = await openFileStore(folder, options);
    const kept = ids(await store.queued(uid, undefined, 9));
    const end = lstatSync(log).size;
    const added = await store.enqueue(uid, fresh);
    await store.close();
    const reopened = await openFileStore(folder, options);
    const after = ids(await reopened.queued(uid, undefined, 9));
    await reopened.close();
    if (kept.length !== 2 || end !== full.length - record || added !== 'queued' || after[2] !== ids([fresh])[0]) {
      t.fail(`cut at ${cut}: ${kept.length} kept, ${end} bytes, ${added}, ${after.length} after`);
    }
  }
  t.same(ids(entries).length, 3);
  t.pass(`${record} cuts`);
});

test('a flipped bit before the last record is refused and named, and left for the operator', async (t) => {
  const { folder, uid, own } = await filled(t);
  const log = join(own, 'queue.log');
  const full = readFileSync(log);
  const last = full.length - (16 + 61 + 60);
  for (let at = 0; at < last; at++) {
    if (at > 7 && at < 12) continue; // the salt is met below
    const bad = Buffer.from(full);
    bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(log, bad);
    const store = await openFileStore(folder, options);
    const error: unknown = await store.queueLength(uid).catch((reason: unknown) => reason);
    const named = error instanceof StorageError && !error.full && error.message.includes('queue.log');
    if (!named || !readFileSync(log).equals(bad)) t.fail(`byte ${at}: ${String(error)}`);
    if (at === 0) t.same(await store.attempts(uid), { count: 1, last: START }, 'the rest of the store works');
    await store.close();
  }
  t.pass(`${last} flips`);
});

test('damaged files are refused at open, or named when they are met', async (t) => {
  const { folder, uid, own } = await filled(t);
  const lazy: Record<string, (store: Store) => Promise<unknown>> = {
    'attempts.json': (store) => store.attempts(uid),
    'grants.json': (store) => store.grants(uid),
    [`consents/${Buffer.from(uid).toString('hex')}.json`]: (store) => store.consent(uid, uid),
    'replies.log': (store) => store.reply(uid, randomBytes(16)),
  };
  for (const [name, call] of Object.entries(lazy)) {
    const file = join(own, name);
    const sound = readFileSync(file);
    writeFileSync(file, 'x'.repeat(40));
    const store = await openFileStore(folder, options);
    for (let round = 0; round < 2; round++) {
      const error: unknown = await call(store).catch((reason: unknown) => reason);
      t.ok(error instanceof StorageError && !error.full && error.message.includes(file), `${name}: ${String(error)}`);
    }
    writeFileSync(file, sound);
    await call(store);
    await store.close();
  }
  for (const file of [join(own, 'account.json'), join(folder, 'hellos-1.log')]) {
    const sound = readFileSync(file);
    writeFileSync(file, 'x'.repeat(40));
    writeFileSync(join(own, 'left.tmp'), '');
    const before = tree(folder);
    const message = await refusal(folder);
    if (file.endsWith('account.json')) t.same(tree(folder), before, 'untouched');
    t.match(message, file);
    writeFileSync(file, sound);
  }
  t.equal(await refusal(folder), 'opened');
});

test('a crash in the middle of making an account or a file leaves nothing', async (t) => {
  const { folder, uid, own, entries } = await filled(t);
  const half = join(folder, 'users', 'ab'.repeat(16));
  mkdirSync(join(half, 'consents'), { recursive: true });
  writeFileSync(join(half, 'account.json.tmp'), '{"uid"');
  const orphans = [join(own, 'queue.log.tmp'), join(own, 'consents', 'x.json.tmp'), join(folder, 'hellos-2.log.tmp')];
  for (const orphan of orphans) writeFileSync(orphan, 'half');
  const store = await openFileStore(folder, options);
  t.notOk(existsSync(half));
  for (const orphan of orphans) t.notOk(existsSync(orphan));
  t.same(ids(await store.queued(uid, undefined, 9)), ids(entries));
  await store.close();
});

test('a user whose account file is lost is not thrown away', async (t) => {
  const { folder, own } = await filled(t);
  rmSync(join(own, 'account.json'));
  const before = tree(folder);
  t.match(await refusal(folder), /has lost its account\.json: restore/);
  t.same(tree(folder), before);
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // closed since: the one by which the folder was listed
  }
}

test('more users than are kept open', async (t) => {
  const folder = place(t);
  let store = await openFileStore(folder, { ...options, openLogs: 5 });
  const users = Array.from({ length: 40 }, (_, n) => account(`user${n}`));
  await Promise.all(users.map((user) => store.createAccount(user)));
  const entries = users.map(() => entry(randomBytes(20)));
  for (let round = 0; round < 2; round++) {
    const results = await Promise.all(users.map((user, n) => store.enqueue(user.uid, entries[n] ?? entry())));
    t.same(new Set(results), new Set([round === 0 ? 'queued' : 'known']));
  }
  const queues = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).endsWith('queue.log'));
  t.ok(queues.length <= 5, `${queues.length} queues are open`);
  store = await store.close().then(() => openFileStore(folder, options));
  const lengths = await Promise.all(users.map((user) => store.queueLength(user.uid)));
  t.same(new Set(lengths), new Set([1]));
  await store.close();
});
