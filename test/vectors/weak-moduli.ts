/** Moduli as broken key makers make them, and some that are as near to those as an accepted one can be. */
import { fromHex, modulusNumber } from '../../protocol/index.js';
import type { NodeRsaPrivate } from '../../src/crypto/index.js';
import { Seeded } from './seeded.js';

export const modulusBytes = (n: bigint): Uint8Array => fromHex(n.toString(16).padStart(512, '0'));
const number = (seed: string, length: number): bigint => modulusNumber(new Seeded(seed).bytes(length));

const primes: number[] = [];
for (let odd = 3; odd < 4096; odd += 2) if (primes.every((prime) => odd % prime !== 0)) primes.push(odd);

/** The first of n, n + step, n + 2 step … that no odd prime below 4096 divides. */
function withoutSmallFactors(n: bigint, step: bigint): bigint {
  while (primes.some((prime) => n % BigInt(prime) === 0n)) n += step;
  return n;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n, square = (square * square) % modulus)
    if (left % 2n === 1n) result = (result * square) % modulus;
  return result;
}

const top = 1n << 2047n;
const some = top | number('weak modulus', 255) | 1n;

export const bits2047 = withoutSmallFactors((some - top) | (top >> 1n), 2n);
export const bits1024 = withoutSmallFactors((1n << 1023n) | number('1024 bits', 127) | 1n, 2n);
/** Twice an odd number. */
export const even = 2n * withoutSmallFactors(some >> 1n, 2n);

/** A multiple of this prime and of no smaller one. */
export const multipleOf = (prime: number): bigint =>
  BigInt(prime) * withoutSmallFactors((some / BigInt(prime)) | 1n, 2n);

/** The product of the first 126 primes, as the library of CVE-2017-15361 uses it for keys of 2048 bits. */
const primorial = [2, ...primes.slice(0, 125)].reduce((product, prime) => product * BigInt(prime), 1n);
/** A prime as that library makes it, with the k and a for which it is one. */
const rocaPrime = (k: bigint, a: bigint): bigint => k * primorial + power(65537n, a, primorial);
export const roca = rocaPrime(6925651512118833n, 1793262905n) * rocaPrime(6925654322310162n, 4176345602n);

/** Of such a form for all primes up to 167 but 157, by which it leaves what no power of 65537 does. */
export function nearlyRoca(): bigint {
  const powers = new Set(Array.from({ length: 157 }, (_, exponent) => power(65537n, BigInt(exponent), 157n)));
  let rest = power(65537n, 4n, primorial);
  while (powers.has(rest % 157n) || rest % 157n === 0n) rest += primorial / 157n;
  return withoutSmallFactors((some / primorial) * primorial + rest, primorial);
}

const closePrime = ((3n << 1022n) | number('close primes', 128) | 1n) + 498n;

function squareRoot(n: bigint): bigint {
  let [root, next] = [n, (n + 1n) / 2n];
  while (next < root) [root, next] = [next, (next + n / next) / 2n];
  return root;
}

/** The second prime stands so far behind the first that Fermat finds both with his value number `step`, from 0. */
function closeAt(step: bigint, beyond: bigint): bigint {
  return closePrime * (closePrime + 2n * squareRoot(closePrime * (2n * step + 1n)) + beyond);
}
export const closeFirst = closeAt(0n, 432n);
/** Found by the last value that is tried. */
export const closeLast = closeAt(99n, 42n);
/** It would be found by the next one. */
export const closeNearly = closeAt(100n, 1206n);
export const square = closePrime * closePrime;

/** Shares a prime with the first key. */
export function sharing(key: NodeRsaPrivate, other: NodeRsaPrivate): bigint {
  return primeOf(key) * primeOf(other);
}

/** Its first one. */
export function primeOf({ key }: NodeRsaPrivate): bigint {
  return modulusNumber(Buffer.from(key.export({ format: 'jwk' }).p ?? '', 'base64url'));
}
