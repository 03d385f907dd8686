/** Safety numbers, and keys that changed (SPEC 7.5, 7.6). */
import { test, type Test } from 'tap';
import { Code, hex, readEnvelopeHeader, signRequest, structs, SUITE_RSA } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { ClientError, type ClientCore } from '../../src/client/index.js';
import {
  code,
  friends,
  isNotice,
  isText,
  nextDelivery,
  register,
  reopen,
  unread,
  type Party,
} from './client-parties.js';
import { clientCrypto } from './client-support.js';
import { MemoryDaemon } from './memory-daemon.js';
import { nextRsa } from '../support/rsa-pairs.js';

async function talking(t: Test) {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  return { daemon, a, b };
}

/** Somebody else has the name now, by the daemon's doing or with its leave. */
async function replaced(t: Test, daemon: MemoryDaemon, name: string): Promise<Party> {
  daemon.accounts.delete(name);
  const other = await register(daemon, name);
  t.teardown(() => other.core.close());
  return other;
}

/** A request under a name, with new keys, for alice; signed with them unless `forged`. */
async function strangers(name: string, uid = nodeSync.random(16), forged = false) {
  const [enc, sig, other] = await Promise.all([nextRsa(), nextRsa(), nextRsa()]);
  const bundle = { uid, name, enc: enc.modulus, sig: sig.modulus, time: 1, suite: SUITE_RSA };
  return signRequest(await clientCrypto(), forged ? other : sig, { to: 'alice', ...bundle });
}

const verify = (core: ClientCore, name: string) => core.call('verify', { name });
const confirm = (core: ClientCore, name: string) => core.call('confirm', { name });
const contact = async (core: ClientCore) => (await core.call('contacts', { check: false })).contacts[0];
const exitOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((thrown: unknown) => thrown instanceof ClientError && thrown.exit);
const notices = async (core: ClientCore, kind: string): Promise<number> =>
  (await core.call('unread', {})).items.filter(isNotice(kind)).length;

test('both see the same number; who compared it is remembered', async (t) => {
  const { daemon, a, b } = await talking(t);
  t.equal(await code(confirm(a.core, 'bob')), 'not-shown', 'nobody can have compared it');
  t.equal(await code(verify(a.core, 'carol')), 'never-asked');
  const [ours, theirs] = [await verify(a.core, '@Bob'), await verify(b.core, 'alice')];
  t.equal(ours.number, theirs.number);
  t.match(ours.number, /^\d{60}$/);
  t.same(ours.words, theirs.words);
  t.equal(ours.words.length, 18);
  t.match(ours, { name: 'bob', verified: false, changed: false });
  t.match(await confirm(a.core, 'bob'), { verified: true, again: 0 });
  t.match(await contact(a.core), { name: 'bob', verified: true, changed: false });
  t.match(await contact(b.core), { verified: false }, 'each for themselves');
  await a.core.close();
  const again = await reopen(daemon, a);
  t.teardown(() => again.core.close());
  t.match(await contact(again.core), { verified: true });
});

test('somebody who has not answered has no keys to compare', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  await a.core.call('add', { name: 'bob' });
  t.equal(await code(verify(a.core, 'bob')), 'no-keys');
});

test('two clients compare by what one of them shows as a code', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const compare = (number: string) => a.core.call('confirm', { name: 'bob', number });
  const { number } = await b.core.call('verify', { name: 'alice' });
  const other = number.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
  t.equal(await code(compare(`CADENAS:1:SAFETY:${other}`)), 'numbers-differ');
  t.equal(await code(compare('not a number')), 'bad-number');
  t.match(await a.core.call('contacts', { check: false }), { contacts: [{ verified: false }] });
  t.match(await compare(`CADENAS:1:SAFETY:${number}`), { verified: true, again: 0 }, 'though nothing was shown here');
});

test('changed keys: nothing is sent until they are confirmed; then all begins anew', async (t) => {
  const { daemon, a } = await talking(t);
  await verify(a.core, 'bob');
  await confirm(a.core, 'bob');
  const delivered = nextDelivery(a.core);
  await a.core.call('send', { to: 'bob', text: 'to the former' });
  await delivered;
  daemon.treat = () => Code.limited;
  const sealed = await a.core.call('send', { to: 'bob', text: 'sealed for the former' });
  t.equal(sealed.state, 'waiting');

  const other = await replaced(t, daemon, 'bob');
  await other.core.call('add', { name: 'alice' });
  await unread(a.core, isNotice('changed'));
  const handed = daemon.envelopes.length;
  daemon.treat = () => Code.queued;
  const refused = a.core.call('send', { to: 'bob', text: 'secret' });
  t.equal(await exitOf(refused), 4);
  t.equal(await code(refused), 'changed');
  t.equal(await code(a.core.call('add', { name: 'bob' })), 'changed');
  t.match(await contact(a.core), { changed: true, verified: false });
  t.equal(await code(confirm(a.core, 'bob')), 'changed-again', 'what was compared were other keys');
  await a.core.close();
  const again = await reopen(daemon, a);
  t.teardown(() => again.core.close());
  await again.core.connect();
  await again.core.call('drained', {});
  t.equal(daemon.envelopes.length, handed, 'nothing left meanwhile');
  t.match(await again.core.call('status', {}), { waiting: 1 }, 'and nothing is lost');

  const view = await verify(again.core, 'bob');
  t.match(view, { changed: true, verified: false, former: /^[0-9a-f]{64}$/ });
  t.not(view.former, view.fingerprint);
  t.match(await confirm(again.core, 'bob'), { changed: false, verified: true, again: 1 });
  t.match(await contact(again.core), {
    changed: false,
    verified: true,
    relation: 'open',
    fingerprint: view.fingerprint,
  });
  t.match(await unread(again.core, isNotice('send-again')), { name: 'bob', detail: '1' });
  const { lines } = await again.core.call('history', { name: 'bob', after: 0 });
  t.same(
    lines.map((line) => line.type === 'out' && [line.text, line.state]),
    [
      ['to the former', 'delivered'],
      ['sealed for the former', 'failed'],
    ],
  );
  await unread(other.core, isNotice('accepted'));
  t.equal((await verify(other.core, 'alice')).number, view.number);
  await again.core.call('send', { to: 'bob', text: 'to the new one' });
  await unread(other.core, isText('to the new one'));
  const last = readEnvelopeHeader(daemon.envelopes.at(-1) ?? new Uint8Array(0));
  t.equal(last?.sequence, 1, 'the count begins anew');
  t.equal(hex(last?.previous ?? new Uint8Array(1)), '00'.repeat(32));
  await other.core.call('send', { to: 'alice', text: 'and back' });
  await unread(again.core, isText('and back'));
  t.equal(await notices(again.core, 'gap'), 0);
});

test('a text that was not sealed yet goes to the keys that were confirmed', async (t) => {
  const { daemon, a } = await talking(t);
  await a.core.call('block', { name: 'bob' });
  const other = await replaced(t, daemon, 'bob');
  await a.core.call('add', { name: 'bob' });
  t.match(await a.core.call('send', { to: 'bob', text: 'not sealed' }), { state: 'waiting' });
  await unread(other.core, isNotice('request'));
  await other.core.call('accept', { name: 'alice' });
  await unread(a.core, isNotice('changed'));
  t.equal(daemon.envelopes.length, 0);
  await verify(a.core, 'bob');
  t.match(await confirm(a.core, 'bob'), { again: 0 });
  await unread(other.core, isText('not sealed'));
  t.equal(await notices(a.core, 'send-again'), 0);
});

test('keys that change between the look and the word are not confirmed', async (t) => {
  const { daemon, a } = await talking(t);
  const second = await replaced(t, daemon, 'bob');
  await second.core.call('add', { name: 'alice' });
  await unread(a.core, isNotice('changed'));
  const seen = await verify(a.core, 'bob');
  const third = await replaced(t, daemon, 'bob');
  await third.core.call('add', { name: 'alice' });
  while ((await notices(a.core, 'changed')) < 2) await new Promise((resolve) => setImmediate(resolve));
  const refused = confirm(a.core, 'bob');
  t.equal(await exitOf(refused), 4);
  t.equal(await code(refused), 'changed-again');
  const now = await verify(a.core, 'bob');
  t.not(now.number, seen.number);
  await confirm(a.core, 'bob');
  await unread(third.core, isNotice('accepted'));
  t.equal((await verify(third.core, 'alice')).number, now.number);
  t.match(await contact(second.core), { relation: 'asked' }, 'the other never had an answer');
});

test('the same keys under another uid have another number, and are not what was shown', async (t) => {
  const { daemon, a } = await talking(t);
  const [enc, sig] = await Promise.all([nextRsa(), nextRsa()]);
  const crypto = await clientCrypto();
  const bundle = async (): Promise<void> => {
    const keys = { name: 'bob', uid: nodeSync.random(16), enc: enc.modulus, sig: sig.modulus };
    const request = await signRequest(crypto, sig, { to: 'alice', ...keys, time: 1, suite: SUITE_RSA });
    await daemon.inject('alice', structs.rjmp, request);
  };
  await bundle();
  const seen = await verify(a.core, 'bob');
  await bundle();
  t.equal(await code(confirm(a.core, 'bob')), 'changed-again');
  t.equal(await notices(a.core, 'changed'), 2, 'who looked is warned again');
  const now = await verify(a.core, 'bob');
  t.equal(now.fingerprint, seen.fingerprint);
  t.not(now.number, seen.number);
  t.match(await confirm(a.core, 'bob'), { verified: true, number: now.number });
});

test('only a signed bundle counts as a change', async (t) => {
  const { daemon, a } = await talking(t);
  await daemon.inject('alice', structs.rjmp, await strangers('bob', undefined, true));
  await unread(a.core, isNotice('unreadable'));
  t.match(await contact(a.core), { changed: false });
  t.match(await a.core.call('send', { to: 'bob', text: 'goes on' }), { state: 'queued' });
});

test('a bundle under another name with one’s own uid is none', async (t) => {
  const { daemon, a } = await talking(t);
  const uid = daemon.accounts.get('alice')?.uid ?? nodeSync.random(16);
  await daemon.inject('alice', structs.rjmp, await strangers('mallory', uid));
  t.match(await unread(a.core, isNotice('unreadable')), { name: 'mallory', detail: 'request' });
  const { contacts } = await a.core.call('contacts', { check: false });
  t.notOk(contacts.some(({ name }) => name === 'mallory'));
});

test('what was missing when the keys change is told, not forgotten', async (t) => {
  const { daemon, a, b } = await talking(t);
  await daemon.inject('alice', structs.rjmp, await strangers('bob'));
  daemon.treat = () => Code.malformed;
  await b.core.call('send', { to: 'alice', text: 'lost' });
  daemon.treat = () => Code.queued;
  await b.core.call('send', { to: 'alice', text: 'came' });
  await unread(a.core, isText('came'));
  await verify(a.core, 'bob');
  t.equal(await notices(a.core, 'gap'), 0, 'it may still be on its way');
  await confirm(a.core, 'bob');
  t.match(await unread(a.core, isNotice('gap')), { name: 'bob', detail: '1' });
});

test('keys that are not theirs are rejected: the former stay, verified as they were', async (t) => {
  const { daemon, a, b } = await talking(t);
  await verify(a.core, 'bob');
  await confirm(a.core, 'bob');
  t.equal(await code(a.core.call('reject', { name: 'bob' })), 'not-changed');
  const request = await strangers('bob');
  await daemon.inject('alice', structs.rjmp, request);
  t.match(await contact(a.core), { changed: true, verified: false });
  t.match(await a.core.call('reject', { name: 'bob' }), { changed: false, verified: true });
  await daemon.inject('alice', structs.rjmp, request);
  t.match(await contact(a.core), { changed: false, verified: true }, 'the same request again changes nothing');
  await a.core.call('send', { to: 'bob', text: 'as before' });
  await unread(b.core, isText('as before'));
});

test('who only rejects has compared nothing', async (t) => {
  const { daemon, a } = await talking(t);
  await daemon.inject('alice', structs.rjmp, await strangers('bob'));
  await a.core.call('reject', { name: 'bob' });
  t.equal(await code(a.core.call('confirm', { name: 'bob' })), 'not-shown');
  t.match(await contact(a.core), { changed: false, verified: false });
});

test('keys that name the account of another contact can not be confirmed', async (t) => {
  const { daemon, a } = await talking(t);
  const carol = await register(daemon, 'carol');
  t.teardown(() => carol.core.close());
  await a.core.call('add', { name: 'carol' });
  await unread(carol.core, isNotice('request'));
  await carol.core.call('accept', { name: 'alice' });
  await unread(a.core, (item) => item.type === 'notice' && item.kind === 'accepted' && item.name === 'carol');
  const uid = daemon.accounts.get('bob')?.uid ?? new Uint8Array(16);
  await daemon.inject('alice', structs.rjmp, await strangers('carol', uid));
  await verify(a.core, 'carol');
  t.equal(await code(confirm(a.core, 'carol')), 'uid-taken');
  const { contacts } = await a.core.call('contacts', { check: false });
  t.same(
    contacts.map((one) => [one.name, one.changed]),
    [
      ['bob', true],
      ['carol', true],
    ],
  );
});
