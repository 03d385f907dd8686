/** The keys of a network's accounts: in use, with a prime in common, listed; in turn, kept up to date. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createHash, createPublicKey, generatePrimeSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'tap';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { BlocklistRefusal, readBlocklist } from '../../src/server/blocklist.js';
import { KnownKeys, type Asker, type Keys } from '../../src/server/known-keys.js';
import { defaultLimits } from '../../src/server/limits.js';
import type { Account } from '../../src/store/store.js';
import { nextRsa } from '../support/rsa-pairs.js';
import { temporaryFolder } from '../support/temp.js';
import { Seeded } from '../vectors/seeded.js';
import { modulusBytes, sharing } from '../vectors/weak-moduli.js';

const pairs = await Promise.all(Array.from({ length: 10 }, nextRsa));
const pair = (at: number): NodeRsaPrivate => pairs[at] ?? (pairs[0] as NodeRsaPrivate);
const keysOf = (enc: number, sig: number): Keys => ({ enc: pair(enc).modulus, sig: pair(sig).modulus });
/** Its first prime, and one of another pair. */
const sharingWith = (at: number, other: number): Uint8Array => modulusBytes(sharing(pair(at), pair(other)));

const seeded = new Seeded('known keys');
/** Primes instead of moduli: none has a factor in common with anything, and they are quickly made. */
function newKeys(): Keys {
  const make = (): Uint8Array => modulusBytes(generatePrimeSync(128, { bigint: true }));
  return { enc: make(), sig: make() };
}

/** Of 2048 bits, and coprime to the pairs; quicker still. */
function longKeys(): Keys {
  const make = (): Uint8Array => {
    const bytes = seeded.bytes(256);
    bytes[0] = 0x80;
    return bytes;
  };
  return { enc: make(), sig: make() };
}

const nobodyListed = (): boolean => false;
function storeOf(...accounts: readonly Keys[]): { accounts: () => AsyncIterable<Account>; reads: () => number } {
  let reads = 0;
  return {
    reads: () => reads,
    async *accounts() {
      reads++;
      for (const keys of accounts) yield await Promise.resolve(keys as Account);
    },
  };
}
const knowing = (...accounts: readonly Keys[]): KnownKeys =>
  new KnownKeys(storeOf(...accounts), nodeSync, nobodyListed, defaultLimits);

const from = (source: string): Asker => ({ source });
const refusal = (known: KnownKeys, keys: Keys, asker = from('somewhere')) => known.refusal(keys, asker);

test('a key in use is refused in either place, and so is one with a prime in common', async (t) => {
  const known = knowing(keysOf(0, 1), keysOf(2, 3));
  t.equal(await refusal(known, keysOf(4, 5)), undefined);
  for (const used of [0, 1, 2, 3]) {
    t.equal(await refusal(known, keysOf(used, 4)), 'used', `${String(used)} as enc`);
    t.equal(await refusal(known, keysOf(4, used)), 'used', `${String(used)} as sig`);
    const shared = sharingWith(used, 6);
    t.equal(await refusal(known, { enc: shared, sig: pair(4).modulus }), 'shared', `of ${String(used)}, in enc`);
    t.equal(await refusal(known, { enc: pair(4).modulus, sig: shared }), 'shared', `of ${String(used)}, in sig`);
  }
  const both = modulusBytes(sharing(pair(0), pair(1)));
  t.equal(await refusal(known, { enc: both, sig: pair(4).modulus }), 'shared', 'all of it is known, of two keys');
  t.equal(await refusal(known, keysOf(4, 5)), undefined, 'a question changes nothing');
});

test('what is claimed is known from then on; what is released is free again', async (t) => {
  const known = knowing();
  t.equal(await known.claim(keysOf(0, 1)), undefined);
  t.equal(await known.claim(keysOf(0, 1)), 'used');
  t.equal(await refusal(known, keysOf(1, 2)), 'used');
  t.equal(await refusal(known, { enc: sharingWith(1, 2), sig: pair(3).modulus }), 'shared');
  await known.release(keysOf(0, 1));
  t.equal(await refusal(known, { enc: sharingWith(1, 2), sig: pair(3).modulus }), undefined);
  t.equal(await known.claim(keysOf(1, 0)), undefined);
  await known.release(keysOf(5, 6));
  t.equal(await refusal(known, keysOf(0, 2)), 'used', 'releasing what nobody has changes nothing');
});

test('of claims at once for one key one is granted', async (t) => {
  const known = knowing(keysOf(8, 9));
  const claims = [keysOf(0, 1), keysOf(0, 2), keysOf(3, 0), keysOf(0, 1)];
  const answers = await Promise.all(claims.map((keys) => known.claim(keys)));
  t.same(answers, [undefined, 'used', 'used', 'used']);
});

test('a claim is held against what came since the keys were looked at', async (t) => {
  const known = knowing(...Array.from({ length: 40 }, () => newKeys()));
  const keys = keysOf(0, 1);
  t.equal(await refusal(known, keys), undefined);
  for (let more = 0; more < 20; more++) t.equal(await known.claim(newKeys()), undefined);
  t.equal(await known.claim({ enc: sharingWith(0, 2), sig: pair(3).modulus }), undefined);
  for (let more = 0; more < 20; more++) t.equal(await known.claim(newKeys()), undefined);
  t.equal(await known.claim(keys), 'shared');
  await known.release({ enc: sharingWith(0, 2), sig: pair(3).modulus });
  t.equal(await known.claim(keys), undefined);
});

test('accounts are read once, at the first question, and again where that failed', async (t) => {
  const store = storeOf(keysOf(0, 1));
  const known = new KnownKeys(store, nodeSync, nobodyListed, defaultLimits);
  t.equal(store.reads(), 0, 'not before');
  const answers = await Promise.all([
    refusal(known, keysOf(0, 2)),
    known.claim(keysOf(3, 1)),
    refusal(known, keysOf(2, 3)),
  ]);
  t.same(answers, ['used', 'used', undefined]);
  t.equal(store.reads(), 1);

  let fails = true;
  const failing = new KnownKeys(
    {
      async *accounts() {
        yield await Promise.resolve(keysOf(0, 1) as Account);
        if (fails) throw new Error('the disk');
      },
    },
    nodeSync,
    nobodyListed,
    defaultLimits,
  );
  await t.rejects(refusal(failing, keysOf(2, 3)), /the disk/);
  fails = false;
  t.equal(await refusal(failing, keysOf(2, 3)), undefined);
  t.equal(await refusal(failing, keysOf(0, 3)), 'used');
  await failing.release(keysOf(0, 1));
  t.equal(await refusal(failing, keysOf(0, 3)), undefined, 'what was read twice counts once');
});

test('accounts of before may share a key, and zeros in a folder are no key', async (t) => {
  const zeros = { enc: new Uint8Array(256), sig: new Uint8Array(256) };
  const known = knowing(keysOf(0, 1), keysOf(0, 2), zeros);
  t.equal(await refusal(known, keysOf(4, 5)), undefined);
  await known.release(keysOf(0, 1));
  t.equal(await refusal(known, keysOf(0, 5)), 'used', 'the other account has it still');
  t.equal(await refusal(known, keysOf(1, 5)), undefined);
  await known.release(zeros);
  await known.release(keysOf(0, 2));
  t.equal(await refusal(known, keysOf(0, 5)), undefined);
});

test('a look among a thousand keys leaves the loop to others', async (t) => {
  const known = knowing(...Array.from({ length: 500 }, () => longKeys()));
  const keys = keysOf(0, 1);
  await refusal(known, keysOf(2, 3));
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const began = process.cpuUsage();
  t.equal(await refusal(known, keys), undefined);
  isDone = true;
  const { user, system } = process.cpuUsage(began);
  t.comment(`${String((user + system) / 1000)} ms of CPU, ${String(turns)} turns of the loop`);
  t.ok(turns >= 2, 'others had their turn meanwhile');
});

test('the very keys are told by two look-ups, and nobody waits for those that are compared', async (t) => {
  const known = knowing(keysOf(0, 1), ...Array.from({ length: 500 }, () => longKeys()));
  t.equal(await known.equal(keysOf(0, 4)), 'used', 'reads the accounts where that was not done');
  t.equal(await known.equal(keysOf(4, 1)), 'used');
  let isDone = false;
  const long = refusal(known, keysOf(2, 3)).finally(() => (isDone = true));
  t.equal(await known.equal(keysOf(5, 0)), 'used');
  const shared = { enc: sharingWith(0, 2), sig: pair(3).modulus };
  t.equal(await known.equal(shared), undefined, 'a prime in common is looked for elsewhere');
  t.notOk(isDone);
  t.equal(await long, undefined);
  t.equal(await refusal(known, shared), 'shared');
  const listing = new KnownKeys(storeOf(), nodeSync, () => true, defaultLimits);
  t.equal(await listing.equal(keysOf(0, 1)), 'listed');
});

test('so many wait, of one source and in all', async (t) => {
  const limits = { logins: 3, 'logins-per-source': 2 };
  const known = new KnownKeys(storeOf(keysOf(0, 1)), nodeSync, nobodyListed, limits);
  const asked = [from('a'), from('a'), from('a'), from('b'), from('c')].map((asker) =>
    refusal(known, keysOf(2, 0), asker),
  );
  t.same(await Promise.all(asked), ['used', 'used', 'busy', 'used', 'busy']);
  const again = ['a', 'c', 'a'].map((source) => refusal(known, keysOf(2, 3), from(source)));
  t.same(await Promise.all(again), [undefined, undefined, undefined], 'places are given back');
  const failing = new KnownKeys(
    {
      accounts: () => {
        throw new Error('the disk');
      },
    },
    nodeSync,
    nobodyListed,
    limits,
  );
  for (let n = 0; n < 3; n++) await t.rejects(refusal(failing, keysOf(2, 3), from('a')), /the disk/);
});

test('keys that come and go leave nothing behind', async (t) => {
  const known = knowing(...Array.from({ length: 20 }, () => newKeys()));
  const keys = keysOf(0, 1);
  t.equal(await refusal(known, keys), undefined);
  t.equal(known.products, 3, '40 moduli, 16 in each');
  let before = newKeys();
  t.equal(await known.claim(before), undefined);
  for (let more = 0; more < 100; more++) {
    const next = newKeys();
    t.equal(await known.claim(next), undefined);
    await known.release(before);
    before = next;
  }
  t.ok(known.products <= 4, String(known.products));
  const sharing = { enc: sharingWith(0, 2), sig: pair(3).modulus };
  t.equal(await known.claim(sharing), undefined);
  t.equal(await known.claim(keys), 'shared', 'what came into another block since is seen');
  await known.release(sharing);
  await known.release(before);
  t.equal(await known.claim(keys), undefined);

  const one = knowing(keysOf(4, 5));
  t.equal(await refusal(one, keys), undefined);
  await one.release(keysOf(4, 5));
  t.equal(one.products, 0);
  t.equal(await one.claim(sharing), undefined);
  t.equal(await one.claim(keys), 'shared', 'also where nothing was left of the block that was seen last');
});

const spkiHash = ({ key }: NodeRsaPrivate): string =>
  createHash('sha256')
    .update(createPublicKey(key).export({ format: 'der', type: 'spki' }))
    .digest('hex');

test('listed keys are refused: the format that openssl and sha256sum make', async (t) => {
  const file = join(await temporaryFolder(t), 'list');
  const lines = [
    '# compromised keys',
    '',
    spkiHash(pair(0)),
    `${spkiHash(pair(1)).toUpperCase()}  -`,
    `${spkiHash(pair(1))}\tthe same again`,
    `${spkiHash(pair(2))} key.pem\r`,
    ...Array.from({ length: 9_000 }, () => Buffer.from(seeded.bytes(32)).toString('hex')),
    spkiHash(pair(3)),
  ];
  await writeFile(file, lines.join('\n'));
  const { hashes, isListed } = await readBlocklist(file, nodeSync);
  t.equal(hashes, 9_005);
  for (const at of [0, 1, 2, 3]) t.ok(isListed(pair(at).modulus), `key ${String(at)}`);
  for (const at of [4, 5, 6]) t.notOk(isListed(pair(at).modulus), `key ${String(at)}`);
  const known = new KnownKeys(storeOf(), nodeSync, isListed, defaultLimits);
  t.equal(await refusal(known, keysOf(4, 3)), 'listed');
  t.equal(await known.claim(keysOf(0, 4)), 'listed');
  t.equal(await refusal(known, keysOf(4, 5)), undefined);
  await writeFile(file, '');
  t.equal((await readBlocklist(file, nodeSync)).hashes, 0, 'an empty list is one');
});

test('a list that is none is refused with its line', async (t) => {
  const file = join(await temporaryFolder(t), 'list');
  const good = spkiHash(pair(0));
  const bad: Readonly<Record<string, readonly [string, RegExp]>> = {
    'a word': [`${good}\nhello\n`, /list:2 is not the SHA-256/],
    'a digit too few': [good.slice(1), /list:1 is not/],
    'a digit too many': [`#\n\n${good}0`, /list:3 is not/],
    'white space before it': [` ${good}`, /list:1 is not/],
    'no hexadecimal': [`${good.slice(1)}g`, /list:1 is not/],
    'a line without an end': [`# ${'x'.repeat(200_000)}`, /a line of more than 65536 bytes/],
  };
  for (const [what, [text, message]] of Object.entries(bad)) {
    await writeFile(file, text);
    const error: unknown = await readBlocklist(file, nodeSync).catch((thrown: unknown) => thrown);
    t.ok(error instanceof BlocklistRefusal, what);
    t.match((error as Error).message, message, what);
  }
  await t.rejects(readBlocklist(`${file}.none`, nodeSync), { message: /can't read .*ENOENT/ });
  await t.rejects(readBlocklist(join(file, '..'), nodeSync), { message: /can't read .*EISDIR/ });
});

test('a pipe is refused at once, not waited for', async (t) => {
  const pipe = join(await temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  await t.rejects(readBlocklist(pipe, nodeSync), { name: 'BlocklistRefusal', message: /is a pipe — name a file/ });
});
