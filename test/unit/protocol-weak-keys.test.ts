/** Keys that are refused (SPEC 6.4): each reason, what is nearly one, and many that are sound. */
import { readFileSync } from 'node:fs';
import { checkPrimeSync } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'tap';
import {
  commonDivisor,
  keyProblem,
  modulusNumber,
  signRequest,
  verifyRequest,
  type KeyProblem,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, rsaPrivate } from '../../src/crypto/index.js';
import { root } from '../support/temp.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';
import * as weak from '../vectors/weak-moduli.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const keys = await readTestKeys();
const [enc, sig] = [keys.senderEnc.modulus, keys.senderSig.modulus];

const refused: Readonly<Record<string, readonly [KeyProblem, bigint]>> = {
  zeros: ['bits', 0n],
  one: ['bits', 1n],
  '2047 bits': ['bits', weak.bits2047],
  '1024 bits': ['bits', weak.bits1024],
  even: ['even', weak.even],
  'divisible by 3': ['divisible', weak.multipleOf(3)],
  'divisible by 97': ['divisible', weak.multipleOf(97)],
  'divisible by 4093': ['divisible', weak.multipleOf(4093)],
  ROCA: ['roca', weak.roca],
  'a square': ['close', weak.square],
  'close primes': ['close', weak.closeFirst],
  'primes as far from each other as are found': ['close', weak.closeLast],
};

for (const [what, [problem, n]] of Object.entries(refused))
  test(`refused as ${problem}, in either place: ${what}`, async (t) => {
    const modulus = weak.modulusBytes(n);
    t.equal(keyProblem({ enc: modulus, sig }), problem);
    t.equal(keyProblem({ enc, sig: modulus }), problem);
    const bundle = { to: 'recipient_1', uid: new Uint8Array(16), name: 'sender_1', sig, time: 0, suite: 1 };
    const request = await signRequest(ports, keys.senderSig, { ...bundle, enc: modulus });
    t.notOk(await verifyRequest(ports, request), 'no client takes it in a request');
  });

test('refused: a modulus of another length, and two with a factor in common', (t) => {
  t.equal(keyProblem({ enc: enc.slice(1), sig }), 'bits');
  t.equal(keyProblem({ enc, sig: Uint8Array.from([0, ...sig]) }), 'bits');
  t.equal(keyProblem({ enc: new Uint8Array(0), sig }), 'bits');
  t.equal(keyProblem({ enc, sig: enc }), 'shared', 'one for both');
  const sharing = weak.modulusBytes(weak.sharing(keys.senderEnc, keys.senderSig));
  t.equal(keyProblem({ enc, sig: sharing }), 'shared');
  t.equal(keyProblem({ enc: sharing, sig }), 'shared');
  t.equal(keyProblem({ enc: sharing, sig: keys.recipientSig.modulus }), undefined, 'it is sound beside others');
  t.end();
});

test('accepted: what is nearly refused', (t) => {
  const near = {
    'divisible by 4099, the first prime that is not looked for': weak.multipleOf(4099),
    'of ROCA for all primes but one': weak.nearlyRoca(),
    'primes found by one more step': weak.closeNearly,
  };
  for (const [what, n] of Object.entries(near)) {
    t.equal(keyProblem({ enc: weak.modulusBytes(n), sig }), undefined, what);
    t.equal(keyProblem({ enc, sig: weak.modulusBytes(n) }), undefined, what);
  }
  t.end();
});

test('accepted: real keys, and a thousand products of their primes', (t) => {
  const pairs = JSON.parse(readFileSync(join(root, 'test/support/rsa-pairs.json'), 'utf8')) as string[];
  const real = pairs.map((pair) => rsaPrivate(Buffer.from(pair, 'base64')));
  for (const [at, { modulus }] of real.entries())
    t.equal(keyProblem({ enc: modulus, sig: at % 2 === 0 ? sig : enc }), undefined, `pair ${String(at)}`);
  const primes = real.flatMap(({ key }) => {
    const { p = '', q = '' } = key.export({ format: 'jwk' });
    return [p, q].map((prime) => modulusNumber(Buffer.from(prime, 'base64url')));
  });
  let tried = 0;
  for (const [at, p] of primes.entries())
    for (const q of primes.slice(at + 1)) {
      if (tried === 1_000) break;
      tried++;
      const problem = keyProblem({ enc: weak.modulusBytes(p * q), sig });
      if (problem) t.fail(`product ${String(tried)}: ${problem}`);
    }
  t.equal(tried, 1_000);
  t.end();
});

test('the weak keys of the vectors are what they are called', (t) => {
  for (const [close, other] of [
    [weak.closeFirst, weak.closeLast],
    [weak.closeLast, weak.closeNearly],
  ] as const) {
    const p = commonDivisor(close, other);
    t.ok(checkPrimeSync(p) && checkPrimeSync(close / p) && checkPrimeSync(other / p), 'products of two primes');
  }
  t.equal(weak.roca.toString(2).length, 2048);
  t.notOk(checkPrimeSync(weak.roca));
  t.end();
});

test('random odd numbers agree with a plain reading of the clause', (t) => {
  const seeded = new Seeded('weak keys');
  const top = 1n << 2047n;
  const counts = new Map<string, number>();
  for (let round = 0; round < 300; round++) {
    const n = top | modulusNumber(seeded.bytes(255));
    const plain = (): string | undefined => {
      if (n % 2n === 0n) return 'even';
      for (let d = 3n; d < 4096n; d += 2n) if (n % d === 0n) return 'divisible';
      return undefined;
    };
    const problem = keyProblem({ enc: weak.modulusBytes(n), sig });
    if (problem !== plain()) t.fail(`round ${String(round)}: ${String(problem)}`);
    counts.set(String(problem), (counts.get(String(problem)) ?? 0) + 1);
  }
  for (const what of ['even', 'divisible', 'undefined'])
    t.ok((counts.get(what) ?? 0) > 10, `${what}: ${String(counts.get(what))}`);
  t.end();
});

test('both keys of an account are looked at in well under a millisecond', (t) => {
  const pair = { enc, sig };
  for (let round = 0; round < 50; round++) keyProblem(pair);
  const began = process.cpuUsage();
  for (let round = 0; round < 200; round++) keyProblem(pair);
  const { user, system } = process.cpuUsage(began);
  const each = (user + system) / 200;
  t.comment(`${each.toFixed(0)} µs of CPU`);
  t.ok(each < 2_000, 'far above what it takes, since others work on this machine');
  t.end();
});
