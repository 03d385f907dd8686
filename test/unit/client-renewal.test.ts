/** New keys of oneself and of contacts, client by client (SPEC 6.12, 6.13, 7.6). */
import { test } from 'tap';
import { Code, encodeFields, noFormer, signFormer, signKeyBundle, structs, SUITE_RSA } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { DELETION_FILE, IDENTITY_FILE, KEYS_FILE, openIdentity } from '../../src/client/identity.js';
import { exportAccount } from '../../src/client/moving.js';
import { StorageError, type Store } from '../../src/store/store.js';
import {
  compared,
  contact,
  fingerprintOf,
  giveCode,
  goesOn,
  notices,
  numbersAgree,
  portsAt,
  renew,
  talking,
} from '../support/recovery-lab.js';
import { comeBack, leave, type Guest } from '../support/room-lab.js';
import { nextRsa } from '../support/rsa-pairs.js';
import { code, isNotice, isText, secrets, unread } from './client-parties.js';
import { clientCrypto, type MemoryStorage } from './client-support.js';

test('keys that nobody compared follow the word of the former ones; both go on', async (t) => {
  const { alice, bob } = await talking(t);
  const read = async ({ core }: Guest, name: string): Promise<string[]> =>
    (await core.call('history', { name, after: 0 })).lines.map(({ text }) => text);
  for (let n = 0; n < 3; n++) await goesOn(alice, bob);
  const [hers, his] = [await read(alice, 'bobby'), await read(bob, 'alice')];
  const before = await fingerprintOf(bob);
  await renew(bob);
  t.not(await fingerprintOf(bob), before);
  t.match(await bob.core.call('status', {}), { session: 'online' }, 'logged in with them');
  await unread(alice.core, isNotice('renewed'));
  t.match(await contact(alice, 'bobby'), { fingerprint: await fingerprintOf(bob), changed: false, verified: false });
  await goesOn(alice, bob);
  await goesOn(bob, alice);
  for (const guest of [alice, bob]) {
    for (const kind of ['gap', 'unreadable', 'changed', 'send-again']) t.equal(await notices(guest, kind), 0, kind);
  }
  await numbersAgree(t, alice, bob);
  await renew(bob);
  while ((await notices(alice, 'renewed')) < 2) await new Promise((resolve) => setImmediate(resolve));
  await goesOn(alice, bob);
  t.same((await read(alice, 'bobby')).slice(0, hers.length), hers, 'counted anew, and read in the order of before');
  t.same((await read(bob, 'alice')).slice(0, his.length), his);
});

test('keys that somebody compared are a change, and it is said that the former ones signed them', async (t) => {
  const { alice, bob } = await talking(t);
  await compared(alice, 'bobby');
  await renew(bob);
  t.match(await unread(alice.core, isNotice('changed')), { name: 'bobby', detail: 'signed' });
  t.equal(await code(alice.core.call('send', { to: 'bobby', text: 'not now' })), 'changed');
  t.match(await alice.core.call('verify', { name: 'bobby' }), { changed: true, signed: true, verified: false });
  await alice.core.call('confirm', { name: 'bobby' });
  t.match(await contact(alice, 'bobby'), { changed: false, verified: true });
  await goesOn(alice, bob);
  t.equal(await notices(alice, 'gap'), 0);
  await numbersAgree(t, alice, bob);
});

test('what was sealed for the former keys is not sealed anew, and does not leave', async (t) => {
  const { lab, alice, bob } = await talking(t);
  await leave(alice);
  await comeBack(lab.host, alice, false);
  await alice.core.call('send', { to: 'bobby', text: 'sealed for the former' });
  await renew(bob);
  await alice.core.connect();
  t.match(await unread(alice.core, isNotice('send-again')), { name: 'bobby', detail: '1' });
  await goesOn(alice, bob);
  t.equal(await notices(bob, 'unreadable'), 0, 'it never left');
  const { lines } = await alice.core.call('history', { name: 'bobby', after: 0 });
  t.match(lines[0], { text: 'sealed for the former', state: 'failed' });
});

test('what comes without the word of the pinned keys, or of other people, pins nothing', async (t) => {
  const { lab, alice, bob } = await talking(t);
  const { store, context } = lab.daemon;
  const [a, b] = [await store.accountByName('alice'), await store.accountByName('bobby')];
  if (!a || !b) throw new Error('no accounts');
  const crypto = await clientCrypto();
  const [enc, sig, thief] = await Promise.all([nextRsa(), nextRsa(), nextRsa()]);
  const fields = { name: 'bobby', uid: b.uid, enc: enc.modulus, sig: sig.modulus, time: 1, suite: SUITE_RSA };
  const bundle = await signKeyBundle(crypto, sig, fields);
  let sent = 0;
  const told = async (change: Parameters<typeof encodeFields<typeof structs.chky>>[1]): Promise<void> => {
    const id = nodeSync.random(16);
    const entry = {
      id,
      opcode: structs.chky.opcode,
      from: b.uid,
      key: id,
      time: 1,
      fields: encodeFields(structs.chky, change),
    };
    await new Promise<void>((resolve) => {
      context.deliver(a.uid, entry, (answer) => {
        t.equal(answer, Code.done, `acknowledged ${String(++sent)}`);
        resolve();
      });
    });
  };
  const stranger = await signKeyBundle(crypto, sig, { ...fields, name: 'nobody', uid: nodeSync.random(16) });
  await told({ ...stranger, former: noFormer });
  t.equal(await contact(alice, 'nobody'), undefined);
  await told({ ...(await signKeyBundle(crypto, sig, { ...fields, name: 'alice', uid: a.uid })), former: noFormer });
  const forged = { ...bundle, time: 2, former: noFormer };
  await told(forged);
  await told(forged);
  t.match(await unread(alice.core, isNotice('unreadable')), { name: 'bobby', detail: 'keys' });
  t.equal(await notices(alice, 'unreadable'), 1, 'told once');
  t.match(await contact(alice, 'bobby'), { changed: false }, 'the bundle is not its own');
  await told({ ...bundle, former: await signFormer(crypto, thief, bundle) });
  t.match(await unread(alice.core, isNotice('changed')), { name: 'bobby', detail: '' });
  t.match(await alice.core.call('verify', { name: 'bobby' }), { changed: true });
  t.notOk((await alice.core.call('verify', { name: 'bobby' })).signed);
  await alice.core.call('reject', { name: 'bobby' });
  await told({ ...(await signKeyBundle(crypto, sig, { ...fields, name: 'rob' })), former: noFormer });
  t.match(await contact(alice, 'bobby'), { changed: true }, 'the account of a contact under another name');
  await alice.core.call('reject', { name: 'bobby' });
  await goesOn(alice, bob);
  await alice.core.call('block', { name: 'bobby' });
  await renew(bob);
  await leave(alice);
  await comeBack(lab.host, alice);
  t.match(await contact(alice, 'bobby'), { relation: 'blocked', changed: false });
});

test('keys that a person rejected do not come back without a person, signed or not', async (t) => {
  const { lab, alice, bob } = await talking(t);
  const { store, context } = lab.daemon;
  const [a, b] = [await store.accountByName('alice'), await store.accountByName('bobby')];
  const file = bob.storage.files.get(IDENTITY_FILE);
  if (!a || !b || !file) throw new Error('no accounts');
  const crypto = await clientCrypto();
  const me = await openIdentity(crypto, lab.host.linked.network, file, secrets);
  const [enc, sig] = await Promise.all([nextRsa(), nextRsa()]);
  const fields = { name: 'bobby', uid: b.uid, enc: enc.modulus, sig: sig.modulus, time: 1, suite: SUITE_RSA };
  const bundle = await signKeyBundle(crypto, sig, fields);
  const told = (former: Uint8Array): Promise<void> => {
    const id = nodeSync.random(16);
    const change = encodeFields(structs.chky, { ...bundle, former });
    const entry = { id, opcode: structs.chky.opcode, from: b.uid, key: id, time: 1, fields: change };
    return new Promise((resolve) => {
      context.deliver(a.uid, entry, () => {
        resolve();
      });
    });
  };
  const signed = await signFormer(crypto, me.sig, bundle);
  const before = (await contact(alice, 'bobby'))?.fingerprint;
  await told(noFormer);
  for (let times = 0; times < 2; times++) {
    await told(signed);
    t.match(await alice.core.call('verify', { name: 'bobby' }), { changed: true, signed: true });
    await alice.core.call('reject', { name: 'bobby' });
    t.match(await contact(alice, 'bobby'), { changed: false, fingerprint: before });
  }
  await leave(alice);
  await comeBack(lab.host, alice);
  await told(signed);
  t.match(await contact(alice, 'bobby'), { changed: true });
  await compared(alice, 'bobby');
  t.not((await contact(alice, 'bobby'))?.fingerprint, before, 'a person decides otherwise');
});

test('a daemon that lost the answer, or its disk: the keys that it has are ours', async (t) => {
  const { lab, alice, bob } = await talking(t);
  const { store } = lab.daemon;
  const own = store.changeAccount.bind(store);
  const failing: Pick<Store, 'changeAccount'> = {
    changeAccount: () => Promise.reject(new StorageError('the disk is full', true)),
  };
  await compared(alice, 'bobby');
  Object.assign(store, failing);
  t.equal(await code(renew(bob)), 'unavailable');
  Object.assign(store, { changeAccount: own });
  t.ok(bob.storage.files.has(KEYS_FILE), 'somebody may know them');
  const before = await fingerprintOf(bob);
  await leave(bob);
  const beforeIt = bob.storage.copy();
  await comeBack(lab.host, bob);
  t.equal(await fingerprintOf(bob), before, 'the daemon has the former ones');
  await unread(bob.core, isNotice('renewal-open'));
  await renew(bob);
  const renewed = await fingerprintOf(bob);
  t.notOk(bob.storage.files.has(KEYS_FILE));
  await unread(alice.core, isNotice('changed'));
  t.match(await alice.core.call('verify', { name: 'bobby' }), { fingerprint: renewed }, 'the same ones');
  await alice.core.call('confirm', { name: 'bobby' });
  await goesOn(alice, bob);
  await leave(bob);
  /* The disk as it was before the answer came. */
  const late: Guest = { ...bob, storage: beforeIt };
  await comeBack(lab.host, late);
  t.teardown(() => late.core.close());
  t.equal(await fingerprintOf(late), renewed);
  await unread(late.core, isNotice('renewal-done'));
  t.notOk(beforeIt.files.has(KEYS_FILE));
  await goesOn(alice, late);
  /* Killed between the last two steps. */
  const identity = beforeIt.files.get('identity');
  if (identity) beforeIt.files.set(KEYS_FILE, identity);
  await leave(late);
  await comeBack(lab.host, late);
  t.notOk(beforeIt.files.has(KEYS_FILE));
});

test('what the daemon refuses changes nothing; nor does somebody who does not know the secrets', async (t) => {
  const { lab, bob } = await talking(t);
  const { core } = bob;
  const before = await fingerprintOf(bob);
  t.equal(await code(core.call('renew-keys', { ...secrets, password: 'another one' })), 'wrong-password');
  t.equal(await code(core.call('renew-keys', { ...secrets, words: 'not these words' })), 'wrong-words');
  t.equal(await code(core.call('renew-keys', { ...secrets, code: 'no code' })), 'bad-code');
  const recovery = await giveCode(lab, 'bobby', 1);
  t.equal(await code(renew(bob)), 'proof-refused', 'a second factor counts from the moment on at which it is set');
  t.notOk(bob.storage.files.has(KEYS_FILE));
  t.equal(await fingerprintOf(bob), before);
  await core.call('renew-keys', { ...secrets, code: recovery });
  t.not(await fingerprintOf(bob), before);
  t.equal(await code(core.call('renew-keys', { ...secrets, code: recovery })), 'wrong-code', 'once');
  t.match(await core.call('status', {}), { session: 'online' });
});

/** The disk as it was before the answer to `rkey2` came. */
async function answerLost(bob: Guest): Promise<MemoryStorage> {
  let before: MemoryStorage | undefined;
  bob.storage.before = (what) => {
    if (what === `replace ${IDENTITY_FILE}`) before ??= bob.storage.copy();
  };
  await renew(bob);
  await leave(bob);
  if (!before?.files.has(KEYS_FILE)) throw new Error('no keys beside the identity');
  return before;
}

test('what was written for new keys before their owner knew of them is read, also on a slow disk', async (t) => {
  const { lab, alice, bob } = await talking(t);
  await goesOn(alice, bob);
  const storage = await answerLost(bob);
  await unread(alice.core, isNotice('renewed'));
  const texts = ['one', 'two', 'three'].map((nth) => `for the new keys: ${nth}`);
  for (const text of texts) await alice.core.call('send', { to: 'bobby', text });
  const late: Guest = { ...bob, storage };
  const read = storage.read.bind(storage);
  storage.read = async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return read(name);
  };
  await comeBack(lab.host, late);
  t.teardown(() => late.core.close());
  for (const text of texts) await unread(late.core, isText(text));
  t.equal(await notices(late, 'unreadable'), 0);
  await goesOn(alice, late);
  await stays(t, late);
});

/** Nothing is missing, also when what is would have been told. */
async function stays(t: { equal(found: unknown, wanted: unknown): boolean }, guest: Guest): Promise<void> {
  guest.clock.forward(6_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const kind of ['gap', 'unreadable', 'given-up']) t.equal(await notices(guest, kind), 0);
}

test('a daemon that fails after it told contacts: what they write for the new keys is read', async (t) => {
  const { lab, alice, bob } = await talking(t);
  const { store } = lab.daemon;
  await goesOn(alice, bob);
  await goesOn(alice, bob);
  const own = store.changeAccount.bind(store);
  const failing: Pick<Store, 'changeAccount'> = {
    changeAccount: () => Promise.reject(new StorageError('the disk is full', true)),
  };
  Object.assign(store, failing);
  const before = await fingerprintOf(bob);
  t.equal(await code(renew(bob)), 'unavailable');
  Object.assign(store, { changeAccount: own });
  await unread(bob.core, isNotice('renewal-open'));
  await unread(alice.core, isNotice('renewed'));
  const write = async (text: string): Promise<void> => {
    await alice.core.call('send', { to: 'bobby', text });
    await unread(bob.core, isText(text));
  };
  await write('for keys that are to be');
  await write('and once more');
  t.equal(await fingerprintOf(bob), before);
  await leave(bob);
  await comeBack(lab.host, bob);
  await write('after a restart');
  await renew(bob);
  t.not(await fingerprintOf(bob), before);
  await write('for those that are');
  await goesOn(alice, bob);
  await stays(t, bob);
});

test('an account is not exported while new keys are under way', async (t) => {
  const { lab, bob } = await talking(t);
  const storage = await answerLost(bob);
  const ports = await portsAt(lab.host, storage, bob.clock);
  t.equal(await code(exportAccount(ports, 'default', secrets)), 'settle-first');
  const late: Guest = { ...bob, storage };
  await comeBack(lab.host, late);
  await leave(late);
  t.equal(await code(exportAccount(ports, 'default', secrets)), 'done');
});

test('a deletion that was begun and not done is forgotten by the next login', async (t) => {
  const { lab, bob } = await talking(t);
  await leave(bob);
  await bob.storage.replace(DELETION_FILE, new Uint8Array([1]));
  let reads = 0;
  const read = bob.storage.read.bind(bob.storage);
  bob.storage.read = (name) => {
    if (name === DELETION_FILE) reads++;
    return read(name);
  };
  await comeBack(lab.host, bob);
  await leave(bob);
  t.notOk(bob.storage.files.has(DELETION_FILE));
  await comeBack(lab.host, bob);
  t.equal(reads, 2, 'once for each start');
});
