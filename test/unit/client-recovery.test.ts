/** Coming back without the keys, by a code and the password (SPEC 6.12). */
import { test } from 'tap';
import { openCore } from '../../src/client/index.js';
import {
  compared,
  giveCode,
  goesOn,
  notices,
  numbersAgree,
  portsAt,
  recovered,
  talking,
} from '../support/recovery-lab.js';
import { leave } from '../support/room-lab.js';
import { code, isNotice, isText, secrets, unread } from './client-parties.js';

test('recovered: everybody is told; who confirms the new keys talks with them again, both ways', async (t) => {
  const { lab, alice, bob } = await talking(t);
  await goesOn(alice, bob);
  await leave(bob);
  await alice.core.call('send', { to: 'bobby', text: 'to the lost keys' });
  const again = await recovered(t, lab, 'bobby', await giveCode(lab, 'bobby', 1));
  t.same((await again.core.call('contacts', { check: false })).contacts, []);
  t.match(await unread(alice.core, isNotice('changed')), { name: 'bobby', detail: '' });
  t.equal(await code(alice.core.call('send', { to: 'bobby', text: 'secret' })), 'changed');
  t.match(await alice.core.call('verify', { name: 'bobby' }), { changed: true });
  t.match(await alice.core.call('confirm', { name: 'bobby' }), { verified: true, again: 1 });
  /* Nothing goes to somebody who does not know us again yet. */
  t.match(await alice.core.call('send', { to: 'bobby', text: 'kept for you' }), { state: 'waiting' });
  await again.core.call('add', { name: 'alice' });
  await unread(again.core, isNotice('accepted'));
  await unread(again.core, isText('kept for you'));
  await goesOn(alice, again);
  await numbersAgree(t, alice, again);
  for (const kind of ['gap', 'unreadable']) t.equal(await notices(again, kind), 0, kind);
  t.equal(await notices(alice, 'gap'), 0);
});

test('recovered, and asking again before anybody confirmed', async (t) => {
  const { lab, alice, bob } = await talking(t);
  await leave(bob);
  const again = await recovered(t, lab, 'bobby', await giveCode(lab, 'bobby'));
  await again.core.call('add', { name: 'alice' });
  await unread(alice.core, isNotice('changed'));
  await alice.core.call('drained', {});
  await compared(alice, 'bobby');
  await unread(again.core, isNotice('accepted'));
  await goesOn(alice, again);
});

test('recovered, asking, and with newer keys before anybody confirmed: the request goes over to these', async (t) => {
  const { lab, alice, bob } = await talking(t);
  await leave(bob);
  const again = await recovered(t, lab, 'bobby', await giveCode(lab, 'bobby'));
  await again.core.call('add', { name: 'alice' });
  await unread(alice.core, isNotice('changed'));
  await alice.core.call('drained', {});
  const { fingerprint } = await alice.core.call('verify', { name: 'bobby' });
  await again.core.call('renew-keys', { ...secrets, words: 'other new words' });
  while ((await alice.core.call('verify', { name: 'bobby' })).fingerprint === fingerprint)
    await new Promise((resolve) => setImmediate(resolve));
  await compared(alice, 'bobby');
  await unread(again.core, isNotice('accepted'));
  await goesOn(alice, again);
});

test('a recovery whose answer was lost is gone on with; another code, password or name is refused alike', async (t) => {
  const { lab, bob } = await talking(t);
  await leave(bob);
  const typed = await giveCode(lab, 'bobby');
  const other = typed.startsWith('a') ? `b${typed.slice(1)}` : `a${typed.slice(1)}`;
  const fresh = bob.storage.copy();
  fresh.files.clear();
  t.equal(await code(recovered(t, lab, 'bobby', 'short')), 'bad-recovery-code');
  t.equal(await code(recovered(t, lab, 'bobby', other, undefined, fresh)), 'recovery-refused');
  t.equal(await code(recovered(t, lab, 'nobody', typed, undefined, fresh)), 'recovery-refused');
  t.equal(fresh.files.has('identity.unfinished'), false);
  const { knownKeys } = lab.daemon.context;
  const refusal = knownKeys.refusal.bind(knownKeys);
  for (const [why, told] of [
    ['shared', 'refused'],
    ['busy', 'limited'],
  ] as const) {
    knownKeys.refusal = () => Promise.resolve(why);
    t.equal(await code(recovered(t, lab, 'bobby', typed, undefined, fresh)), told);
    t.equal(fresh.files.has('identity.unfinished'), false, 'the next try begins anew');
  }
  knownKeys.refusal = refusal;
  const again = await recovered(t, lab, 'bobby', typed, undefined, fresh);
  const unfinished = again.storage.copy();
  await leave(again);
  const identity = unfinished.files.get('identity');
  for (const name of [...unfinished.files.keys()]) unfinished.files.delete(name);
  if (identity) unfinished.files.set('identity.unfinished', identity);
  t.equal(await code(recovered(t, lab, 'bobby', typed, 'not those words', unfinished)), 'wrong-words');
  const resumed = await recovered(t, lab, 'bobby', typed, undefined, unfinished);
  t.match(await resumed.core.call('status', {}), { name: 'bobby', session: 'online' });
  t.equal(await code(recovered(t, lab, 'bobby', typed)), 'recovery-refused', 'once');
  const core = await openCore(await portsAt(lab.host, bob.storage, bob.clock), 'default', secrets);
  t.equal(await code(core.connect()), 'login-refused', 'the former keys');
  await core.close();
});
