/** Accounts that the operator disabled (SPEC 6.15): who learns it, what goes on meanwhile, and the way back. */
import { join } from 'node:path';
import { test } from 'tap';
import { Code } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { recoverCore, type ClientCore } from '../../src/client/index.js';
import { disable, enable } from '../../src/server/disabled.js';
import { withSecurity } from '../../src/server/factors.js';
import { idKey } from '../../src/server/keys.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { account } from '../contract/cases.js';
import { sessionAt, startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { giveCode, portsAt, recovered, talking } from '../support/recovery-lab.js';
import { logIn, makeUser, registerUser, type LoginChange, type RawUser } from '../support/raw.js';
import { comeBack } from '../support/room-lab.js';
import { enableTotp, totp } from '../support/second-factor.js';
import { code, isText, secrets, unread } from '../unit/client-parties.js';
import { MemoryStorage, MovableClock } from '../unit/client-support.js';
import { nextRsa } from '../support/rsa-pairs.js';

/** The codes of all answers to a login, one after another until it ends. */
async function answers(daemon: FuzzedDaemon, user: RawUser, change: LoginChange = {}): Promise<number> {
  const raw = await sessionAt(daemon);
  const { header } = await logIn(raw, user, change);
  raw.close();
  return header.code;
}

const uidOf = async ({ store }: FuzzedDaemon, name: string): Promise<Uint8Array> =>
  (await store.accountByName(name))?.uid ?? new Uint8Array(0);

const endOf = (core: ClientCore): Promise<string> =>
  new Promise((resolve) => {
    core.on((event) => {
      if (event.type === 'ended') resolve(event.trouble.code);
    });
  });

test('whoever proves all of it learns that an account is disabled, and nobody else', async (t) => {
  const daemon = await startFuzzed(t);
  const user = await makeUser('alice');
  const raw = await sessionAt(daemon);
  await registerUser(raw, user);
  await logIn(raw, user);
  const { secret } = await enableTotp(raw, user);
  raw.close();
  const wrong: Record<string, LoginChange> = {
    signature: { sig: await nextRsa() },
    password: { password: 'another one' },
    words: { w: nodeSync.random(32), code: totp(secret, -1) },
    'no code': {},
    code: { code: { factor: 1, code: Buffer.from('000000') } },
  };
  const before = [];
  for (const change of Object.values(wrong)) before.push(await answers(daemon, user, change));
  t.equal(await disable(daemon.context, user.uid), true);
  t.equal(await disable(daemon.context, user.uid), false, 'once more changes nothing');
  for (const [n, [what, change]] of Object.entries(wrong).entries())
    t.equal(await answers(daemon, user, change), before[n], what);
  t.same(new Set(before), new Set([Code.authentication]));
  t.equal(await answers(daemon, user, { code: totp(secret) }), Code.forbidden);
  t.match(daemon.audited.at(-1), { reason: 'disabled', count: 1 }, 'it is on record');
  t.equal(await enable(daemon.context, user.uid), true);
  t.equal(await enable(daemon.context, user.uid), false);
  t.equal(await answers(daemon, user, { code: totp(secret, 1) }), Code.done);
  await t.rejects(disable(daemon.context, nodeSync.random(16)), { name: 'RangeError' }, 'nobody has this uid');
  await t.rejects(enable(daemon.context, nodeSync.random(16)), { name: 'RangeError' });
  t.same(daemon.troubles, []);
});

test('no session outlives it, and of a login beside it none is left', async (t) => {
  const daemon = await startFuzzed(t);
  const user = await makeUser('alice');
  const raw = await sessionAt(daemon);
  await registerUser(raw, user);
  const { values } = await logIn(raw, user);
  const grant = Uint8Array.from(values['grant'] as Uint8Array);
  const other = await sessionAt(daemon);
  let disabled: Promise<boolean> | undefined;
  const passed = await logIn(other, user, {
    proven: () => {
      disabled = disable(daemon.context, user.uid);
      return Promise.resolve();
    },
  }).then(
    ({ header }) => header.code,
    () => undefined,
  );
  t.equal(await disabled, true);
  await raw.closed;
  t.not(passed, undefined);
  t.equal(daemon.context.presence.get(idKey(user.uid)), undefined);
  t.same(await daemon.store.grants(user.uid), []);
  t.equal(await answers(daemon, user, { grant }), Code.forbidden);
  t.same(daemon.troubles, []);
});

test('a connected client is told and stays away; what comes meanwhile waits until it is enabled', async (t) => {
  const { lab, alice, bob } = await talking(t);
  const { daemon, host } = lab;
  const uid = await uidOf(daemon, 'bobby');
  const ended = endOf(bob.core);
  const connections = daemon.context.refusals.totals();
  await disable(daemon.context, uid);
  t.equal(await ended, 'disabled');
  t.equal(await code(bob.core.connect()), 'disabled', 'it does not come back by itself');
  t.same(daemon.context.refusals.totals(), connections, 'nor was it there again');
  t.match(await alice.core.call('send', { to: 'bobby', text: 'still there?' }), { state: 'queued' });
  await bob.core.close();
  await comeBack(host, bob, false);
  const why = await bob.core.connect().catch((thrown: unknown) => thrown);
  t.match(why, { code: 'disabled', exit: 1, message: /disabled the account @bobby/, hint: /ask them/ });
  await bob.core.close();
  await enable(daemon.context, uid);
  await comeBack(host, bob);
  await unread(bob.core, isText('still there?'));
});

test('a recovery is refused likewise, and its code counts afterwards', async (t) => {
  const { lab, bob } = await talking(t);
  const { daemon, host } = lab;
  const typed = await giveCode(lab, 'bobby');
  const uid = await uidOf(daemon, 'bobby');
  await bob.core.close();
  await disable(daemon.context, uid);
  const ports = await portsAt(host, new MemoryStorage(), new MovableClock());
  const other = { ...secrets, words: 'other new words' };
  t.equal(await code(recoverCore(ports, 'bobby', typed, { ...other, password: 'not the one' })), 'recovery-refused');
  t.equal(await code(recoverCore(ports, 'bobby', typed, other)), 'disabled');
  t.equal(ports.storage instanceof MemoryStorage && ports.storage.files.size, 0, 'and nothing is left of it');
  await enable(daemon.context, uid);
  const back = await recovered(t, lab, 'bobby', typed);
  t.equal((await back.core.call('status', {})).name, 'bobby');
});

test('on the command line, at a daemon of its own process', async (t) => {
  const network = await makeNetwork();
  const first = await startDaemon(t, { network });
  const alice = await CliUser.make(t, { where: first, network, name: 'alice' });
  t.equal((await alice.run('register', '@alice')).code, 0);
  t.equal((await alice.run('login')).code, 0);
  const set = async (disabled: boolean): Promise<void> => {
    const store = await openJournalStore(join(first.data, network.name), { now: Date.now });
    const uid = (await store.accountByName('alice'))?.uid ?? account('alice').uid;
    await store.changeAccount(uid, (one) => withSecurity(one, { disabled }));
    await store.close();
  };
  await alice.run('logout');
  await first.stop();
  await set(true);
  const second = await startDaemon(t, { network, data: first.data, port: first.port });
  const { code: exit, err } = await alice.run('login');
  t.equal(exit, 1);
  t.match(err, /the operator of the network has disabled the account @alice/);
  await second.stop();
  await set(false);
  await startDaemon(t, { network, data: first.data, port: first.port });
  t.equal((await alice.run('login')).code, 0);
});
