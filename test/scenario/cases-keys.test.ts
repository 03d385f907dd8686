/** Keys that are refused, against a running daemon: case 9 of the floor, keys in use, listed keys. */
import { createHash, createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, keysMessage, Label, modulusNumber, possession, structs, type Values } from '../../protocol/index.js';
import { nodeSync, passwordClient, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { connected, newPerson, startLavish } from '../support/people.js';
import { makeUser, ports, registerUser, type RawConnection, type RawUser } from '../support/raw.js';
import { uninvited, untold } from '../support/registration.js';
import { temporaryFolder, type Teardown } from '../support/temp.js';
import * as weak from '../vectors/weak-moduli.js';

const opaque = (await passwordClient()).registrationStart('x').request;

async function refused(raw: RawConnection, name: string, enc: Uint8Array, sig: Uint8Array): Promise<number> {
  return (await raw.ask(structs.crea1, { name, enc, sig, opaque, ...uninvited })).header.code;
}

/** Asks somebody who is logged in. */
const exists = async (raw: RawConnection, name: string): Promise<boolean> =>
  (await raw.ask(structs.keyq, { name })).header.code === Code.done;

/** What a person begins; the finish can be done later, and otherwise. */
async function begin(raw: RawConnection, user: RawUser) {
  const password = await passwordClient();
  const started = password.registrationStart(user.password);
  const { name, enc, sig } = user;
  const keys = { enc: enc.modulus, sig: sig.modulus };
  const first = await raw.ask(structs.crea1, { name, ...keys, opaque: started.request, ...uninvited });
  if (first.header.code !== Code.proceed) throw new Error(`crea1: ${String(first.header.code)}`);
  const answer = first.values as Values<typeof structs.crea1Answer>;
  const p = await ports.asymmetric.oaepOpen(enc, Label.pop, answer.block);
  const done = password.registrationFinish(user.password, started.state, answer.opaque);
  if (!p || !done) throw new Error('crea1 does not open');
  const { th2 } = raw.session;
  const signature = await ports.asymmetric.pssSign(sig, Label.keys, keysMessage(th2, name, keys.enc, keys.sig));
  const mac = possession(nodeSync, p, th2, done.record);
  const proofs = { mac, signature, record: done.record, words: nodeSync.sha256(done.exportKey), ...untold };
  return {
    th2,
    proofs,
    finish: async (more = {}) => (await raw.ask(structs.crea2, { ...proofs, ...more })).header.code,
  };
}

const weakKeys: Readonly<Record<string, readonly [string, bigint]>> = {
  '1024 bits': ['bits', weak.bits1024],
  '2047 bits': ['bits', weak.bits2047],
  zeros: ['bits', 0n],
  'an even modulus': ['even', weak.even],
  'a small factor': ['divisible', weak.multipleOf(4093)],
  ROCA: ['roca', weak.roca],
  'primes close to each other': ['close', weak.closeLast],
  'the square of a prime': ['close', weak.square],
};

void test('case 9: weak keys, in either place: 400, no user made, and the session goes on', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const watcher = await newPerson(t, daemon, 'watcher');
  const { enc, sig } = await makeUser('weak');
  const raw = await connected(t, daemon);
  for (const [what, [, n]] of Object.entries(weakKeys)) {
    const modulus = weak.modulusBytes(n);
    t.equal(await refused(raw, 'weak', modulus, sig.modulus), 400, `${what} as enc`);
    t.equal(await refused(raw, 'weak', enc.modulus, modulus), 400, `${what} as sig`);
  }
  t.equal(await refused(raw, 'weak', enc.modulus, enc.modulus), 400, 'one key for both');
  t.equal(await refused(raw, 'weak', enc.modulus, weak.modulusBytes(weak.sharing(enc, sig))), 400, 'a shared factor');
  t.notOk(await exists(watcher.raw, 'weak'));
  await daemon.logged('reason=registration');
  t.match(daemon.log(), /reason=registration .*key=bits/, 'the log has the reason');
  t.equal((await registerUser(raw, await makeUser('weak'))).header.code, 200, 'sound keys of the same name');
  t.ok(await exists(watcher.raw, 'weak'));
  t.equal(await daemon.stop(), 0);
  t.match(daemon.log(), /stopped.* registration=18/, 'each of them was counted');
});

function power(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = (result * result * (bit === '1' ? base : 1n)) % modulus;
  return result;
}

void test('case 9: an exponent of 1 can’t be said, and whoever has such a key proves nothing by it', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const watcher = await newPerson(t, daemon, 'watcher');
  const user = await makeUser('exponent');
  const raw = await connected(t, daemon);
  const first = await begin(raw, user);
  /* What 65537 makes of a sound signature is what 1 would have to be signed with. */
  const signed = weak.modulusBytes(
    power(modulusNumber(first.proofs.signature), 65537, modulusNumber(user.sig.modulus)),
  );
  t.equal(await first.finish({ signature: signed }), 401, 'as sig');
  const second = await begin(raw, user);
  const mac = possession(nodeSync, new Uint8Array(32), second.th2, second.proofs.record);
  t.equal(await second.finish({ mac }), 401, 'as enc: the block does not open');
  t.notOk(await exists(watcher.raw, 'exponent'));
  t.equal(await (await begin(raw, user)).finish(), 200);
});

void test('a key in use is nobody else’s, in either place, nor is one that shares a prime with it', async (t) => {
  const network = await makeNetwork();
  let daemon = await startLavish(t, { network });
  const { user } = await newPerson(t, daemon, 'owner');
  const other = await makeUser('other');
  const all = async (raw: RawConnection, code: number, what: string): Promise<void> => {
    for (const used of [user.enc, user.sig]) {
      t.equal(await refused(raw, 'other', used.modulus, other.sig.modulus), code, `as enc, ${what}`);
      t.equal(await refused(raw, 'other', other.enc.modulus, used.modulus), code, `as sig, ${what}`);
      const shared = weak.modulusBytes(weak.sharing(used, other.enc));
      t.equal(await refused(raw, 'other', shared, other.sig.modulus), code, `a prime in common, ${what}`);
    }
  };
  const raw = await connected(t, daemon);
  await all(raw, 400, 'while the daemon runs');
  t.equal(await refused(raw, 'owner', user.enc.modulus, user.sig.modulus), 409, 'the name comes first');
  const { data } = daemon;
  await daemon.stop();
  daemon = await startLavish(t, { network, data });
  await all(await connected(t, daemon), 400, 'after a restart');
  t.equal((await registerUser(await connected(t, daemon), other)).header.code, 200, 'the other’s own keys');
  await daemon.stop();
  const where = ['--network', network.name, '--data', data];
  t.equal((await cadenasd('delete', '@owner', '--yes', ...where)).code, 0);
  daemon = await startLavish(t, { network, data });
  t.equal(
    (await registerUser(await connected(t, daemon), user)).header.code,
    200,
    'an account that is gone has no keys',
  );
});

void test('of two registrations at once with one key one makes an account', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const watcher = await newPerson(t, daemon, 'watcher');
  const one = await makeUser('first');
  const [two, three] = [
    { ...one, name: 'second' },
    { ...(await makeUser('third')), enc: one.sig },
  ];
  const begun = await Promise.all([one, two, three].map(async (user) => begin(await connected(t, daemon), user)));
  const codes = await Promise.all(begun.map(({ finish }) => finish()));
  t.same([...codes].sort(), [200, 400, 400]);
  const names = await Promise.all(['first', 'second', 'third'].map((name) => exists(watcher.raw, name)));
  t.same(
    names,
    codes.map((code) => code === 200),
  );
});

function spkiHash({ key }: NodeRsaPrivate): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest('hex');
}

async function withList(
  t: Teardown,
  text: string,
): Promise<{ readonly list: string; readonly start: () => Promise<Daemon> }> {
  const list = join(await temporaryFolder(t), 'blocklist');
  await writeFile(list, text);
  const network = await makeNetwork();
  return { list, start: () => startDaemon(t, { network, args: ['--blocklist', list] }) };
}

void test('keys that the operator lists are refused', async (t) => {
  const user = await makeUser('listed');
  const { start } = await withList(t, `# compromised\n${spkiHash(user.enc)}  -\n${'0'.repeat(64)}\n`);
  const daemon = await start();
  t.match(daemon.log(), /compromised keys are refused.*keys=2/);
  const watcher = await newPerson(t, daemon, 'watcher');
  const raw = await connected(t, daemon);
  const { enc, sig } = await makeUser('other');
  t.equal(await refused(raw, 'listed', user.enc.modulus, sig.modulus), 400, 'as enc');
  t.equal(await refused(raw, 'listed', enc.modulus, user.enc.modulus), 400, 'as sig');
  t.notOk(await exists(watcher.raw, 'listed'));
  t.match(daemon.log(), /key=listed/);
});

void test('a daemon does not start with a list that is none', async (t) => {
  const { list, start } = await withList(t, `# compromised\n${'0'.repeat(64)}\nnot a hash\n`);
  await t.rejects(start(), new RegExp(`${list}:3 is not the SHA-256 of a key — write 64 hexadecimal digits`));
  const missing = await cadenasd(
    '--blocklist',
    `${list}.none`,
    '--keys',
    (await makeNetwork()).keys,
    '--network',
    'test',
  );
  t.equal(missing.code, 1);
  t.match(missing.err, /^cadenasd: can't read .*blocklist.none \(ENOENT\) — check/);
});
