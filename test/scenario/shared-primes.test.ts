/**
 * Keys with a prime of somebody else's: to look for it costs time for each account of the network, so it is done behind a
 * proof or a budget, in a queue that has an end (SPEC 6.4). The daemon's server in this process, raw clients.
 */
import { test } from 'tap';
import { Code, structs, type Values } from '../../protocol/index.js';
import { nodeSync, passwordClient } from '../../src/crypto/index.js';
import type { Keys, KnownKeys } from '../../src/server/known-keys.js';
import { sessionAt, startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import { logIn, makeUser, registerUser, type RawConnection, type RawUser } from '../support/raw.js';
import { beginRecovery, rekeyed, renew } from '../support/raw-keys.js';
import { uninvited } from '../support/registration.js';
import { sharingRsa } from '../support/rsa-pairs.js';
import { enableTotp, recovery } from '../support/second-factor.js';

interface Person {
  readonly user: RawUser;
  readonly raw: RawConnection;
}

async function person(daemon: FuzzedDaemon, name: string): Promise<Person> {
  const raw = await sessionAt(daemon);
  const user = await makeUser(name);
  await registerUser(raw, user);
  await logIn(raw, user);
  return { user, raw };
}

/** What the network's keys were asked from here on. */
function watched({ context: { knownKeys } }: FuzzedDaemon): { compared: Keys[]; claimed: Keys[] } {
  const [compared, claimed]: [Keys[], Keys[]] = [[], []];
  const refusal: KnownKeys['refusal'] = knownKeys.refusal.bind(knownKeys);
  const claim: KnownKeys['claim'] = knownKeys.claim.bind(knownKeys);
  knownKeys.refusal = (keys, asker) => {
    compared.push(keys);
    return refusal(keys, asker);
  };
  knownKeys.claim = (keys) => {
    claimed.push(keys);
    return claim(keys);
  };
  return { compared, claimed };
}

/** The same person with other keys, of which one shares a prime with a key of `other`. */
async function sharing(user: RawUser, other: RawUser): Promise<RawUser> {
  const next = await rekeyed(user, user.w);
  return { ...next, enc: sharingRsa(other.sig, next.enc) };
}

test('a recovery learns it behind code and password, and keeps its code; nobody else makes the daemon look', async (t) => {
  const daemon = await startFuzzed(t);
  const [alice, bob] = [await person(daemon, 'alice'), await person(daemon, 'bobby')];
  const [code = new Uint8Array(0)] = (await enableTotp(alice.raw, alice.user)).codes;
  const next = await sharing(alice.user, bob.user);
  const { compared } = watched(daemon);
  for (const [what, user, typed, password] of [
    ['unknown name', { ...next, name: 'nobody' }, code, next.password],
    ['wrong code', next, nodeSync.random(10), next.password],
    ['wrong password', next, code, 'another password'],
  ] as const) {
    const { first, finish } = await beginRecovery(await sessionAt(daemon), user, typed, password);
    t.equal(first.header.code, Code.proceed, what);
    t.equal((await finish?.())?.header.code, Code.authentication, what);
  }
  const used = { ...next, sig: bob.user.enc };
  for (const user of [used, { ...used, name: 'nobody' }])
    t.equal(
      (await beginRecovery(await sessionAt(daemon), user, code)).first.header.code,
      Code.malformed,
      'a key in use',
    );
  t.same(compared, []);

  const raw = await sessionAt(daemon);
  const refused = await beginRecovery(raw, next, code);
  t.equal((await refused.finish?.())?.header.code, Code.malformed);
  t.equal(compared.length, 1);
  t.same((await daemon.store.accountByName('alice'))?.enc, alice.user.enc.modulus, 'nothing was changed');
  t.notOk(alice.raw.isClosed);
  const sound = await beginRecovery(raw, await rekeyed(alice.user), code);
  t.equal((await sound.finish?.())?.header.code, Code.done, 'the code counts still');
});

test('a renewal learns it behind mac and signatures, and keeps its code', async (t) => {
  const daemon = await startFuzzed(t);
  const [alice, bob] = [await person(daemon, 'alice'), await person(daemon, 'bobby')];
  const [code = new Uint8Array(0)] = (await enableTotp(alice.raw, alice.user)).codes;
  const next = await sharing(alice.user, bob.user);
  const { compared } = watched(daemon);
  const ask = async (keys: RawUser, change = {}): Promise<number> =>
    (await renew(alice.raw, alice.user, keys, alice.user.proof, { ...recovery(code), ...change })).header.code;
  for (const change of [{ mac: nodeSync.random(32) }, { former: nodeSync.random(256) }])
    t.equal(await ask(next, change), Code.authentication);
  const { enc, sig } = bob.user;
  t.equal(
    (await alice.raw.ask(structs.rkey1, { enc: sig.modulus, sig: enc.modulus })).header.code,
    Code.malformed,
    'keys in use',
  );
  t.same(compared, []);
  t.equal(await ask(next), Code.malformed);
  t.equal(compared.length, 1);
  t.equal(await ask(await rekeyed(alice.user, alice.user.w)), Code.done, 'the code counts still');
});

test('a registration is compared once, and a queue that is full says so', async (t) => {
  let open = (): void => undefined;
  const read = new Promise<void>((resolve) => (open = resolve));
  const daemon = await startFuzzed(t, undefined, { limits: { 'logins-per-source': 1 } });
  const { store } = daemon;
  const accounts = store.accounts.bind(store);
  store.accounts = async function* () {
    await read;
    yield* accounts();
  };
  const { compared, claimed } = watched(daemon);
  const opaque = (await passwordClient()).registrationStart('x').request;
  const [first, second] = [await makeUser('first'), await makeUser('second')];
  const raw = await sessionAt(daemon);
  const made = registerUser(raw, first);
  while (compared.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { name, enc, sig } = second;
  const full = await (
    await sessionAt(daemon)
  ).ask(structs.crea1, { name, enc: enc.modulus, sig: sig.modulus, opaque, ...uninvited });
  t.equal(full.header.code, Code.limited);
  t.equal((full.values as Values<typeof structs.answer>).wait, 1);
  open();
  t.equal((await made).header.code, Code.done);
  t.equal(claimed.length, 1);
  t.equal(claimed[0], compared[0], 'the object that was compared, so that only what came since is looked at');
  t.equal((await registerUser(await sessionAt(daemon), second)).header.code, Code.done);
});
