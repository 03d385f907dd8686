/** What a store promises about its folder: modes, names, what it refuses, what it makes and what it finishes. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'tap';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { account, entry, ids, START } from './cases.js';
import { filled, hexOf, options, place, refusal, segmentsOf, tree, type Filled } from './folders.js';
import { watchedFiles } from './watched-files.js';

test('everything made is 0700 or 0600, whatever the umask', async (t) => {
  for (const umask of [0, 0o022, 0o777]) {
    const before = process.umask(umask);
    const { folder } = await filled(t).finally(() => process.umask(before));
    const seen = tree(join(folder, '..'));
    t.ok(Object.keys(seen).length >= 14, 'one of everything is there');
    for (const [path, line] of Object.entries(seen)) {
      t.match(line, lstatSync(path).isDirectory() ? /^700 / : /^600 /, path.slice(folder.length));
    }
  }
});

test("names of files are hexadecimal ids or the store's own", async (t) => {
  const { folder } = await filled(t);
  const own = /^(users|rooms|journal|format\.json|index|hellos|account\.json|queue|room)$/;
  for (const path of Object.keys(tree(folder)).slice(1)) {
    const name = basename(path);
    t.ok(own.test(name) || /^([0-9a-f]{32}|[0-9a-f]{16}\.log)$/.test(name), name);
  }
});

interface Refused {
  /** Gives another path to open, if it is not the folder's own. */
  readonly spoil: (filled: Filled) => string | undefined;
  readonly says: RegExp;
}

const refused: Record<string, Refused> = {
  'readable by the group': { spoil: mode(0o750), says: /mode 0750.*chmod 700/ },
  'searchable by others': { spoil: mode(0o701), says: /mode 0701.*chmod 700/ },
  'users readable by the group': { spoil: mode(0o740, 'users'), says: /users has mode 0740.*chmod 700/ },
  'a newer format': { spoil: write('format.json', '{"format":5}'), says: /format 5.*install a newer/ },
  'a format that is no number': { spoil: write('format.json', '{"format":"2"}'), says: /format\.json is damaged/ },
  'a format that is no JSON': { spoil: write('format.json', '{'), says: /format\.json is damaged/ },
  'format 0': { spoil: write('format.json', '{"format":0}'), says: /restore/ },
  'no format': { spoil: without('format.json'), says: /not empty and holds no format\.json/ },
  'a symbolic link': { spoil: ({ folder }) => linkTo(folder), says: /symbolic link/ },
  'a symbolic link with a slash behind it': { spoil: ({ folder }) => `${linkTo(folder)}/`, says: /symbolic link/ },
  'a symbolic link in the place of users': { spoil: linked('users'), says: /users is a symbolic link/ },
  'a symbolic link in the place of rooms': { spoil: linked('rooms'), says: /rooms is a symbolic link/ },
  'a symbolic link in the place of the journal': { spoil: linked('journal'), says: /journal is a symbolic link/ },
  'a file': { spoil: ({ folder }) => join(folder, 'format.json'), says: /is no folder/ },
  'a file in the place of users': {
    spoil: (given) => {
      without('users')(given);
      return write('users', '')(given);
    },
    says: /users is no folder/,
  },
  'no users': { spoil: without('users'), says: /users is not there/ },
  'no rooms': { spoil: without('rooms'), says: /rooms is not there/ },
  'no journal': { spoil: without('journal'), says: /journal is not there/ },
  'no index': { spoil: without('index'), says: /index is lost/ },
  'an empty index': { spoil: write('index', ''), says: /index is damaged/ },
  'an empty journal': {
    spoil: ({ folder }) => {
      for (const path of segmentsOf(folder)) rmSync(path);
      return undefined;
    },
    says: /holds no journal/,
  },
  'an empty journal, and no HELLOs': {
    spoil: ({ folder }) => {
      for (const path of [...segmentsOf(folder), join(folder, 'hellos')]) rmSync(path);
      return undefined;
    },
    says: /holds no journal/,
  },
  'a journal that begins too late': {
    spoil: ({ folder }) => {
      const [only = ''] = segmentsOf(folder);
      const bytes = readFileSync(only);
      const first = bytes.readUIntBE(12, 6) + 100;
      bytes.writeUIntBE(first, 12, 6);
      rmSync(only);
      writeFileSync(join(folder, 'journal', `${first.toString(16).padStart(16, '0')}.log`), bytes);
      return undefined;
    },
    says: /journal lacks records from \d+ on/,
  },
  'damaged HELLOs': { spoil: write('hellos', 'x'.repeat(90)), says: /hellos is damaged/ },
};

function mode(bits: number, name = '.'): Refused['spoil'] {
  return ({ folder }) => {
    chmodSync(join(folder, name), bits);
    return undefined;
  };
}

function write(name: string, content: string): Refused['spoil'] {
  return ({ folder }) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return undefined;
  };
}

function without(name: string): Refused['spoil'] {
  return ({ folder }) => {
    rmSync(join(folder, name), { recursive: true });
    return undefined;
  };
}

function linkTo(folder: string): string {
  symlinkSync(folder, `${folder}-link`);
  return `${folder}-link`;
}

function linked(name: string): Refused['spoil'] {
  return ({ folder }) => {
    renameSync(join(folder, name), `${folder}-elsewhere`);
    symlinkSync(`${folder}-elsewhere`, join(folder, name));
    return undefined;
  };
}

test("a folder that can't be opened is refused in one line and not touched", async (t) => {
  for (const [name, { spoil, says }] of Object.entries(refused)) {
    const found = await filled(t);
    const named = spoil(found) ?? found.folder;
    writeFileSync(join(found.folder, 'left.tmp'), 'half');
    const before = tree(join(found.folder, '..'));
    const message = await refusal(named);
    t.match(message, says, name);
    t.notOk(message.includes('\n'), 'one line');
    t.same(tree(join(found.folder, '..')), before, `${name}: untouched`);
  }
});

test('a folder of another user is refused', async (t) => {
  const { folder } = await filled(t);
  if (process.getuid?.() === 0) {
    for (const path of [folder, join(folder, 'journal')]) {
      chownSync(path, 65534, 65534);
      t.match(await refusal(folder), /belongs to user 65534, not to 0/);
      chownSync(path, 0, 0);
    }
    t.equal(await refusal(folder), 'opened');
  } else {
    t.match(await refusal('/'), /belongs to user 0/, 'the root folder belongs to root');
  }
});

test('an empty folder of mode 0700 becomes a store', async (t) => {
  const folder = await place(t);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'format.json.tmp'), '{"for');
  const store = await openJournalStore(folder, options);
  t.same(await store.recentHellos(0), []);
  await store.close();
  t.same(readdirSync(folder).sort(), ['format.json', 'hellos', 'index', 'journal', 'rooms', 'users']);
});

test('a making that was cut short at any step is finished by the next start', async (t) => {
  const alice = account('alice');
  let steps = 0;
  for (; ; steps++) {
    const folder = await place(t);
    let left = steps;
    const files = watchedFiles((call, path) => {
      if (call === 'lstat' || call === 'read' || call === 'stat') return;
      if (left-- <= 0) throw Object.assign(new Error(`cut short at ${path}`), { code: 'EIO' });
    });
    const isDone = await openJournalStore(folder, { ...options, files }).then(
      () => true,
      () => false,
    );
    if (isDone) break;
    const store = await openJournalStore(folder, options);
    const hellos = await store.recentHellos(0);
    const created = await store.createAccount(alice);
    await store.close();
    const again = await openJournalStore(folder, options);
    const found = await again.accountByName('alice');
    await again.close();
    const modes = Object.values(tree(folder)).map((line) => line.slice(0, 4));
    if (hellos?.length !== 0 || created !== 'created' || !found || modes.some((bits) => !/^[67]00 /.test(bits))) {
      t.fail(`cut after ${steps} steps: ${hellos?.length ?? 'lost'}, ${created}, ${modes.join('')}`);
    }
  }
  t.ok(steps > 30, `${steps} steps`);
});

test('temporaries and unfinished files are no obstacle, and go', async (t) => {
  const { folder, own, roomFolder, alice, entries } = await filled(t);
  const first = Number.parseInt(basename(segmentsOf(folder)[0] ?? '').slice(0, 16), 16);
  const next = join(folder, 'journal', `${(first + 1).toString(16).padStart(16, '0')}.log`);
  const header = readFileSync(segmentsOf(folder)[0] ?? '').subarray(0, 18);
  const above = ['index.tmp', 'hellos.tmp', 'format.json.tmp'].map((name) => join(folder, name));
  for (const length of [0, 1, 17]) {
    for (const path of [...above, ...['queue.tmp', 'account.json.tmp'].map((name) => join(own, name))]) {
      writeFileSync(path, 'half', { mode: 0o600 });
    }
    writeFileSync(join(roomFolder, 'room.tmp'), 'half');
    writeFileSync(next, header.subarray(0, length), { mode: 0o600 });
    const store = await openJournalStore(folder, options);
    for (const path of [...above, next]) t.notOk(existsSync(path), path.slice(folder.length));
    t.same(ids(await store.queued(alice.uid, undefined, 9)), ids(entries));
    await store.close();
  }
  const store = await openJournalStore(folder, options);
  await store.countAttempt(alice.uid, START);
  await store.checkpoint();
  t.notOk(existsSync(join(own, 'account.json.tmp')), 'one beside a file goes when the file is replaced');
  await store.deleteAccount(alice.uid);
  await store.checkpoint();
  t.notOk(existsSync(own), 'or with its folder');
  t.notOk(existsSync(roomFolder));
  await store.close();
});

test('a journal that lacks a segment is refused', async (t) => {
  const { folder, alice } = await filled(t);
  let isFull = false;
  const files = watchedFiles((call, path) => {
    const noRoom = isFull && call === 'write' && !path.includes('/journal/');
    if (noRoom) throw Object.assign(new Error(`no room for ${path}`), { code: 'ENOSPC' });
  });
  const store = await openJournalStore(folder, { ...options, files });
  isFull = true;
  for (let n = 0; n < 3; n++) {
    await store.enqueue(alice.uid, entry());
    await t.rejects(store.checkpoint(), { name: 'StorageError', full: true });
  }
  await store.close();
  const segments = segmentsOf(folder);
  t.ok(segments.length >= 4, `${segments.length} segments, and no room for a checkpoint`);
  rmSync(segments[1] ?? '');
  const before = tree(folder);
  t.match(await refusal(folder), /journal lacks records from \d+ on/);
  t.same(tree(folder), before);
});

test('what is acknowledged, expired or deleted leaves the disk with a checkpoint', async (t) => {
  const folder = await place(t);
  let now = START;
  const store = await openJournalStore(folder, { ...options, now: () => now });
  const [alice, bob] = [account('alice'), account('bob')];
  await store.createAccount(alice);
  await store.createAccount(bob);
  const read = entry(randomBytes(300));
  const stale = Array.from({ length: 40 }, () => entry(randomBytes(1400)));
  const bobs = entry(randomBytes(300));
  await store.enqueue(alice.uid, read);
  await store.enqueue(bob.uid, bobs);
  await store.checkpoint();
  const onDisk = (bytes: Uint8Array): boolean => holds(folder, bytes);
  t.ok(onDisk(read.fields) && onDisk(alice.enc) && onDisk(bobs.fields), 'they are there');
  await store.acknowledge(alice.uid, [read.id]);
  await store.checkpoint();
  t.notOk(onDisk(read.fields), 'acknowledged');
  for (const each of stale) await store.enqueue(alice.uid, each);
  await store.checkpoint();
  now += 22 * 24 * 3600_000;
  await store.enqueue(alice.uid, { ...entry(), time: now });
  await store.checkpoint();
  t.notOk(onDisk(stale[0]?.fields ?? read.fields), 'expired');
  t.ok(onDisk(bob.enc));
  await store.deleteAccount(bob.uid);
  await store.checkpoint();
  t.notOk(onDisk(bobs.fields), 'deleted');
  t.notOk(onDisk(bob.enc), 'with its account');
  t.notOk(existsSync(join(folder, 'users', hexOf(bob.uid))));
  await store.close();
});

/** Whether any file of a tree holds these bytes, as such or in hexadecimal. */
function holds(folder: string, bytes: Uint8Array): boolean {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) => {
    const path = join(folder, name);
    if (!lstatSync(path).isFile()) return false;
    const content = readFileSync(path);
    return content.includes(Buffer.from(bytes)) || content.includes(hexOf(bytes));
  });
}
