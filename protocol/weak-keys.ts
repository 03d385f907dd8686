/**
 * Public keys that nobody takes (SPEC 6.4): moduli of key makers that are broken, whose private key others can find.
 * Pure arithmetic. One modulus costs 60 µs, both of an account with their common divisor 300 µs.
 */
import { hex } from './bytes.js';
import { MODULUS } from './limits.js';

/** Why a modulus is refused, in the order in which it is looked at. */
export type ModulusProblem = 'bits' | 'even' | 'divisible' | 'roca' | 'close';
/** Why the keys of an account are refused. `shared`: its two moduli have a factor in common, or are one. */
export type KeyProblem = ModulusProblem | 'shared';

const EXPONENT = 65537;
/** No prime below this divides a modulus. */
const SMALL_PRIMES_BELOW = 4096;
/** The highest prime by which moduli of CVE-2017-15361 are told. */
const ROCA_PRIMES_TO = 167;
/** How many values from the square root on are tried as the mean of both primes. */
const CLOSE_STEPS = 100;

function oddPrimes(below: number): readonly number[] {
  const primes: number[] = [];
  for (let number = 3; number < below; number += 2)
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return primes;
}

interface Group {
  /** below 2^48 */
  readonly product: bigint;
  readonly primes: readonly number[];
}

/** A long number is divided by products of primes, and only what is left by each of them. */
function grouped(primes: readonly number[]): readonly Group[] {
  const groups: Group[] = [];
  let [product, members] = [1, [] as number[]];
  for (const prime of primes) {
    if (product * prime >= 2 ** 48) {
      groups.push({ product: BigInt(product), primes: members });
      [product, members] = [1, []];
    }
    product *= prime;
    members.push(prime);
  }
  return [...groups, { product: BigInt(product), primes: members }];
}

const small = oddPrimes(SMALL_PRIMES_BELOW);
const smallGroups = grouped(small);
const rocaGroups = grouped(small.filter((prime) => prime <= ROCA_PRIMES_TO));

/** What powers of 65537 leave, by each prime. */
const powers = new Map<number, ReadonlySet<number>>();
for (const prime of rocaGroups.flatMap(({ primes }) => primes)) {
  const rests = new Set<number>();
  for (let rest = 1; !rests.has(rest); rest = (rest * EXPONENT) % prime) rests.add(rest);
  powers.set(prime, rests);
}

function everyRest(n: bigint, groups: readonly Group[], holds: (rest: number, prime: number) => boolean): boolean {
  return groups.every(({ product, primes }) => {
    const rest = Number(n % product);
    return primes.every((prime) => holds(rest % prime, prime));
  });
}

/** The largest number whose square is not above `n`, which is above 0. */
function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt(2 * n.toString(16).length);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/* One number of 120 leaves what a square leaves by all of these: only those are looked at in full. */
const filters = [64, 63, 65, 11].map((by) => {
  return { by, squares: new Set(Array.from({ length: by }, (_, number) => number ** 2 % by)) };
});
const FILTER = 64 * 63 * 65 * 11;

/** Fermat's way to factors: their mean is near the square root, and its square is `n` and another square. */
function hasCloseFactors(n: bigint): boolean {
  const root = squareRoot(n);
  if (root * root === n) return true;
  const first = root + 1n;
  const [mean, rest] = [Number(first % BigInt(FILTER)), Number(n % BigInt(FILTER))];
  for (let step = 0; step < CLOSE_STEPS; step++) {
    const left = ((((mean + step) ** 2 - rest) % FILTER) + FILTER) % FILTER;
    if (!filters.every(({ by, squares }) => squares.has(left % by))) continue;
    const difference = (first + BigInt(step)) ** 2n - n;
    if (squareRoot(difference) ** 2n === difference) return true;
  }
  return false;
}

/** Big-endian, of any length but zero. */
export function modulusNumber(modulus: Uint8Array): bigint {
  return BigInt(`0x${hex(modulus)}`);
}

/** The greatest number that divides both; of 0 and another it is the other. */
export function commonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function problemOf(n: bigint): ModulusProblem | undefined {
  if (n >> BigInt(8 * MODULUS - 1) !== 1n) return 'bits';
  if (n % 2n === 0n) return 'even';
  if (!everyRest(n, smallGroups, (rest) => rest !== 0)) return 'divisible';
  if (everyRest(n, rocaGroups, (rest, prime) => powers.get(prime)?.has(rest) === true)) return 'roca';
  return hasCloseFactors(n) ? 'close' : undefined;
}

/**
 * Why these can't be the keys of an account (SPEC 6.4), the first reason that holds; undefined: nothing is wrong with them.
 * @param keys moduli; of another length than 256 bytes they are refused as of other than 2048 bits
 */
export function keyProblem(keys: { readonly enc: Uint8Array; readonly sig: Uint8Array }): KeyProblem | undefined {
  if (keys.enc.length !== MODULUS || keys.sig.length !== MODULUS) return 'bits';
  const [enc, sig] = [modulusNumber(keys.enc), modulusNumber(keys.sig)];
  const problem = problemOf(enc) ?? problemOf(sig);
  if (problem) return problem;
  return commonDivisor(enc, sig) === 1n ? undefined : 'shared';
}
