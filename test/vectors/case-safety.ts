/** Vectors of safety numbers (SPEC 7.5), computed here by numbers of any length. */
import { readFileSync } from 'node:fs';
import { utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Case } from './case-struct.js';
import { toJson, wordsFile } from './format.js';
import { Seeded } from './seeded.js';

interface Party {
  readonly uid: Uint8Array;
  readonly fingerprint: Uint8Array;
}

const some = (what: string, length: number): Uint8Array => new Seeded(`safety ${what}`).bytes(length);

function digits({ uid, fingerprint }: Party): { digest: Uint8Array; text: string } {
  const prefix = utf8('cadenas/1 safety');
  let digest = nodeSync.sha256(prefix, uid, fingerprint);
  for (let i = 1; i <= 5200; i++) digest = nodeSync.sha256(prefix, digest, fingerprint);
  const group = (i: number): string => {
    const number = BigInt(`0x${Buffer.from(digest.subarray(5 * i, 5 * i + 5)).toString('hex')}`) % 100_000n;
    return number.toString().padStart(5, '0');
  };
  return { digest, text: [0, 1, 2, 3, 4, 5].map(group).join('') };
}

function words(number: string): string {
  const list = readFileSync(wordsFile, 'utf8').trimEnd().split('\n');
  const base = BigInt(list.length);
  return [0, 10, 20, 30, 40, 50]
    .map((at) => BigInt(number.slice(at, at + 10)))
    .flatMap((n) => [n / base ** 2n, (n / base) % base, n % base])
    .map((n) => list[Number(n)] ?? '')
    .join(' ');
}

function safety(file: string, what: string, a: Party, b: Party): Case {
  const [first, second] = Buffer.compare(a.uid, b.uid) < 0 ? [a, b] : [b, a];
  const [low, high] = [digits(first), digits(second)];
  const number = low.text + high.text;
  const parts = {
    a,
    b,
    lowDigest: low.digest,
    highDigest: high.digest,
    number,
    words: words(number),
    code: `CADENAS:1:SAFETY:${number}`,
  };
  return [file, { kind: 'safety', what, expect: 'accepted', ...(toJson(parts) as object) }];
}

export function safetyCases(): readonly Case[] {
  const party = (name: string): Party => ({ uid: some(`${name} uid`, 16), fingerprint: some(`${name} keys`, 32) });
  const [a, b] = [party('a'), party('b')];
  /* Uids that differ in their last byte alone, the higher one first. */
  const near = { low: Uint8Array.from(a.uid), high: Uint8Array.from(a.uid) };
  near.low[15] = 0x7f;
  near.high[15] = 0x80;
  return [
    safety('safety', 'the safety number of two people, as digits and as words', a, b),
    safety(
      'safety-near',
      'two people whose uids differ in the last byte, the higher one named first', //
      { ...a, uid: near.high },
      { ...b, uid: near.low },
    ),
  ];
}
