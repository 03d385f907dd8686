/** A registration, recovery, import or erasure that was cut off, and what is done in the same profile after it. */
import { test } from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { fingerprint as fingerprintOf, hex, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { StorageError } from '../../src/store/store.js';
import { error } from '../../src/client/errors.js';
import { DELETION_FILE, IDENTITY_FILE, KEYS_FILE, openIdentity, UNFINISHED_FILE } from '../../src/client/identity.js';
import {
  clearProfile,
  exportAccount,
  importAccount,
  openCore,
  registerCore,
  type ClientPorts,
} from '../../src/client/index.js';
import { Link } from '../../src/client/link.js';
import { giveCode, openRecoveryLab, portsAt, recovered, renew, talking } from '../support/recovery-lab.js';
import { leave, newGuest } from '../support/room-lab.js';
import type { Teardown } from '../support/temp.js';
import { code, secrets } from './client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const others = { ...secrets, words: 'other new words' };

interface Late {
  /** resolves when the daemon is at the write; `go` lets it go on */
  readonly at: Promise<{ readonly go: () => void }>;
  /** what happens before a refusal reaches another attempt */
  atRefusal: () => Promise<void>;
}

/** The daemon is slow at the first of these writes, and the link on which this struct asked for it breaks meanwhile. */
function cutAt(t: Teardown, store: object, write: string, struct: string): Late {
  const own = (store as Record<string, (...args: unknown[]) => Promise<unknown>>)[write]?.bind(store);
  if (!own) throw new Error(`no ${write}`);
  const request = Reflect.get(Link.prototype, 'request') as (this: Link, ...args: unknown[]) => Promise<unknown>;
  const asked: Link[] = [];
  Object.assign(Link.prototype, {
    async request(this: Link, ...args: unknown[]) {
      if ((args[0] as { name: string }).name === struct) asked.push(this);
      const reply = (await request.apply(this, args)) as { isError: boolean };
      if (asked.length > 0 && reply.isError) await late.atRefusal();
      return reply;
    },
  });
  t.teardown(() => Object.assign(Link.prototype, { request }));
  const at = new Promise<{ go: () => void }>((resolve) => {
    Object.assign(store, {
      [write]: async (...args: unknown[]) => {
        Object.assign(store, { [write]: own });
        const gone = new Promise<void>((go) => {
          resolve({ go });
        });
        asked[0]?.fail(error('disconnected'));
        await gone;
        return own(...args);
      },
    });
  });
  const late: Late = { at, atRefusal: () => Promise.resolve() };
  return late;
}

const opens = async (ports: ClientPorts, typed = secrets): Promise<string> => {
  const core = await openCore(ports, 'default', typed);
  try {
    return await code(core.connect());
  } finally {
    await core.close();
  }
};

test('a recovery that is repeated while the daemon is at the first: its keys stay here', async (t) => {
  const { lab, bob } = await talking(t);
  await leave(bob);
  const typed = await giveCode(lab, 'bobby');
  const storage = new MemoryStorage();
  const late = cutAt(t, lab.daemon.store, 'changeAccount', 'rcov2');
  const tried = () => recovered(t, lab, 'bobby', typed, others.words, storage);
  t.equal(await code(tried()), 'disconnected');
  const { go } = await late.at;
  const kept = storage.files.get(UNFINISHED_FILE);
  t.equal(await code(tried()), 'still-begun');
  t.same(storage.files.get(UNFINISHED_FILE), kept);
  const ports = await portsAt(lab.host, storage, new MovableClock());
  t.equal(await code(registerCore(ports, 'bobby', others)), 'still-begun', 'the name is taken by the account itself');
  t.same(storage.files.get(UNFINISHED_FILE), kept);
  late.atRefusal = () => {
    go();
    return sleep(200);
  };
  const again = await tried();
  t.match(await again.core.call('status', {}), { name: 'bobby', session: 'online' });
  await leave(again);
  t.equal(await opens(await portsAt(lab.host, storage, new MovableClock()), others), 'done');
  t.notOk(storage.files.has(UNFINISHED_FILE));
});

test('a recovery that never came to the daemon’s end is repeated with the same keys, by another code too', async (t) => {
  const { lab, bob } = await talking(t);
  await leave(bob);
  const [typed, other] = [await giveCode(lab, 'bobby'), await giveCode(lab, 'bobby')];
  const wrong = typed.startsWith('a') ? `b${typed.slice(1)}` : `a${typed.slice(1)}`;
  const storage = new MemoryStorage();
  const tried = (which: string) => recovered(t, lab, 'bobby', which, others.words, storage);
  const changeAccount = lab.daemon.store.changeAccount.bind(lab.daemon.store);
  Object.assign(lab.daemon.store, { changeAccount: () => Promise.reject(new StorageError('the disk is full', true)) });
  t.equal(await code(tried(typed)), 'unavailable');
  Object.assign(lab.daemon.store, { changeAccount });
  const kept = storage.files.get(UNFINISHED_FILE);
  t.ok(kept);
  t.equal(await code(tried(wrong)), 'recovery-refused');
  t.same(storage.files.get(UNFINISHED_FILE), kept);
  const { core } = await tried(other);
  const { fingerprint } = await core.call('status', {});
  const me = await openIdentity(await clientCrypto(), lab.host.linked.network, kept ?? new Uint8Array(0), others);
  const keys = { enc: me.enc.modulus, sig: me.sig.modulus };
  t.equal(fingerprint, hex(fingerprintOf(nodeSync, keys)), 'the keys of the first attempt');
});

test('a registration that is repeated while the daemon is at the first', async (t) => {
  const lab = await openRecoveryLab(t);
  const storage = new MemoryStorage();
  const ports = await portsAt(lab.host, storage, new MovableClock());
  const late = cutAt(t, lab.daemon.store, 'createAccount', 'crea2');
  t.equal(await code(registerCore(ports, 'carol', secrets)), 'disconnected');
  const { go } = await late.at;
  t.equal(await code(registerCore(ports, 'carol', secrets)), 'still-begun');
  late.atRefusal = () => {
    go();
    return sleep(200);
  };
  const core = await registerCore(ports, 'carol', secrets);
  const { uid } = await core.call('status', {});
  await core.close();
  const account = await lab.daemon.store.accountByName('carol');
  t.equal(uid, Buffer.from(account?.uid ?? []).toString('hex'), 'the uid that the daemon gave');
  t.equal(await opens(ports), 'done');
});

test('the name went to somebody else: what was begun comes to nothing, and the profile is free', async (t) => {
  const lab = await openRecoveryLab(t);
  const storage = new MemoryStorage();
  const ports = await portsAt(lab.host, storage, new MovableClock());
  const { at } = cutAt(t, lab.daemon.store, 'createAccount', 'crea2');
  t.equal(await code(registerCore(ports, 'carol', secrets)), 'disconnected');
  const { go } = await at;
  await newGuest(t, lab.host, 'carol');
  go();
  t.equal(await code(registerCore(ports, 'carol', secrets)), 'name-taken');
  await (await registerCore(ports, 'carola', secrets)).close();
  t.equal(await opens(ports), 'done');
});

test('what was begun under another name stays, whatever comes after', async (t) => {
  const { lab, bob } = await talking(t);
  await leave(bob);
  const storage = new MemoryStorage();
  const ports = await portsAt(lab.host, storage, new MovableClock());
  await (await registerCore(ports, 'carol', secrets)).close();
  const identity = storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0);
  storage.files.clear();
  storage.files.set(UNFINISHED_FILE, identity);
  const typed = await giveCode(lab, 'bobby');
  t.equal(await code(recovered(t, lab, 'bobby', typed, others.words, storage)), 'registration-begun');
  t.equal(await code(registerCore(ports, 'dave', secrets)), 'registration-begun');
  t.same(storage.files.get(UNFINISHED_FILE), identity);
  const core = await registerCore(ports, 'carol', secrets);
  t.match(await core.call('status', {}), { name: 'carol', session: 'online' });
  await core.close();
});

test('an import that was killed leaves an empty profile, which takes a recovery, a registration or an import', async (t) => {
  const { lab, bob } = await talking(t);
  /* One record that does not open would be cut as one that was not finished. */
  for (const name of ['other0', 'other1', 'other2']) {
    await newGuest(t, lab.host, name);
    await bob.core.call('add', { name });
  }
  const account = await exportAccount(await portsAt(lab.host, bob.storage, bob.clock), 'default', secrets);
  const file = await account.seal('a long passphrase');
  const fresh = new MemoryStorage();
  let killed = new MemoryStorage();
  fresh.before = (what) => {
    if (what === `replace ${IDENTITY_FILE}`) killed = fresh.copy();
  };
  await importAccount(await portsAt(lab.host, fresh, new MovableClock()), file, 'a long passphrase');
  await leave(bob);
  t.not(killed.stateLog, '');
  const [one, two, three] = [killed.copy(), killed.copy(), killed.copy()];
  await leave(await recovered(t, lab, 'bobby', await giveCode(lab, 'bobby'), others.words, one));
  t.equal(await opens(await portsAt(lab.host, one, new MovableClock()), others), 'done');
  const ports = await portsAt(lab.host, two, new MovableClock());
  await (await registerCore(ports, 'erin', others)).close();
  t.equal(await opens(ports, others), 'done');
  const importing = await portsAt(lab.host, three, new MovableClock());
  await importAccount(importing, file, 'a long passphrase');
  t.equal(await opens(importing), 'login-refused', 'it opens: the account has other keys by now');
});

test('an erasure that was cut off, wherever: the profile opens as before, or is empty and takes an account', async (t) => {
  const { lab, bob } = await talking(t);
  let before = new MemoryStorage();
  bob.storage.before = (what) => {
    if (what === `replace ${IDENTITY_FILE}`) before = bob.storage.copy();
  };
  await renew(bob);
  await leave(bob);
  before.files.set(DELETION_FILE, utf8('{"format":1}\n'));
  t.ok(before.files.has(KEYS_FILE));
  for (let step = 0; ; step++) {
    const storage = before.copy();
    let left = step;
    storage.before = () => {
      if (left-- === 0) throw new Error('power cut');
    };
    const cut = await code(clearProfile(storage));
    storage.before = () => undefined;
    const ports = await portsAt(lab.host, storage, new MovableClock());
    if (storage.files.has(IDENTITY_FILE)) {
      t.ok(storage.files.has(DELETION_FILE), 'the same is asked again');
      const hasKeys = storage.files.has(KEYS_FILE);
      t.equal(await opens(ports), hasKeys ? 'done' : 'login-refused');
      continue;
    }
    const typed = { password: 'another pass word', words: 'one two three' };
    await (await registerCore(ports, `erin${String(step)}`, typed)).close();
    t.equal(await opens(ports, typed), 'done');
    t.notOk(storage.files.has(DELETION_FILE));
    if (cut === 'done') break;
  }
});
