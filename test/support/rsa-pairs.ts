/**
 * RSA pairs for tests whose people need some: making one takes longer than most of these tests. They lie in a file, and
 * each process takes them from its beginning, none twice, since a network takes no key twice. Where they end, pairs are
 * made of four primes, in a tenth of the time of two. Nothing else uses them.
 */
import { createPrivateKey, generatePrime, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { commonDivisor } from '../../protocol/index.js';
import { rsaPrivate, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { primeOf } from '../vectors/weak-moduli.js';
import { root } from './temp.js';

const makePrime = promisify<number, { bigint: true }, bigint>(generatePrime);
const EXPONENT = 65537n;

/** PKCS#8, base64 */
const kept = JSON.parse(readFileSync(join(root, 'test/support/rsa-pairs.json'), 'utf8')) as string[];
let next = 0;

export function nextRsa(): Promise<NodeRsaPrivate> {
  const pair = kept[next++];
  return pair === undefined ? quickRsa() : Promise.resolve(rsaPrivate(Buffer.from(pair, 'base64')));
}

function inverse(of: bigint, modulus: bigint): bigint {
  let [rest, next, factor, nextFactor] = [modulus, of % modulus, 0n, 1n];
  while (next !== 0n) {
    const times = rest / next;
    [rest, next] = [next, rest - times * next];
    [factor, nextFactor] = [nextFactor, factor - times * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

/** Two numbers of two primes each are as good as primes to whoever reckons by them: RSA needs their order alone. */
async function quickRsa(): Promise<NodeRsaPrivate> {
  const primes = await Promise.all([0, 1, 2, 3].map(() => makePrime(512, { bigint: true })));
  const [a = 1n, b = 1n, c = 1n, d = 1n] = primes;
  const [p, q, orderP, orderQ] = [a * b, c * d, (a - 1n) * (b - 1n), (c - 1n) * (d - 1n)];
  const isSound =
    (p * q) >> 2047n === 1n && commonDivisor(EXPONENT, orderP * orderQ) === 1n && commonDivisor(p, q) === 1n;
  return isSound ? rsaOf(p, q, orderP, orderQ) : quickRsa();
}

/** Shares a prime with each of the two, which are of those in the file. */
export function sharingRsa(one: NodeRsaPrivate, other: NodeRsaPrivate): NodeRsaPrivate {
  const [p, q] = [primeOf(one), primeOf(other)];
  return rsaOf(p, q, p - 1n, q - 1n);
}

/** @param orderP of the numbers modulo p that have no factor in common with it */
function rsaOf(p: bigint, q: bigint, orderP: bigint, orderQ: bigint): NodeRsaPrivate {
  const text = (value: bigint, bytes: number): string =>
    Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex').toString('base64url');
  const key: JsonWebKey = {
    kty: 'RSA',
    n: text(p * q, 256),
    e: text(EXPONENT, 3),
    d: text(inverse(EXPONENT, orderP * orderQ), 256),
    p: text(p, 128),
    q: text(q, 128),
    dp: text(inverse(EXPONENT, orderP), 128),
    dq: text(inverse(EXPONENT, orderQ), 128),
    qi: text(inverse(q, p), 128),
  };
  return rsaPrivate(createPrivateKey({ key, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' }));
}
