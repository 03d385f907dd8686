/** Vectors of keys that are refused (SPEC 6.4), and of those that only just are not. */
import type { KeyProblem } from '../../protocol/index.js';
import type { Case } from './case-struct.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import * as weak from './weak-moduli.js';

export function keysCases(keys: TestKeys): readonly Case[] {
  const { senderEnc, senderSig } = keys;
  const [enc, sig] = [senderEnc.modulus, senderSig.modulus];
  const accepted = (file: string, what: string, one: Uint8Array, other: Uint8Array): Case => {
    return [file, { kind: 'keys', what, expect: 'accepted', ...(toJson({ enc: one, sig: other }) as object) }];
  };
  const refused = (file: string, what: string, step: KeyProblem, changed: { enc?: bigint; sig?: bigint }): Case => {
    const bytes = {
      enc: changed.enc === undefined ? enc : weak.modulusBytes(changed.enc),
      sig: changed.sig === undefined ? sig : weak.modulusBytes(changed.sig),
    };
    return [`keys-refused-${file}`, { kind: 'keys', what, expect: 'refused', step, ...(toJson(bytes) as object) }];
  };
  const [near, rocaNear] = [weak.multipleOf(4099), weak.nearlyRoca()].map(weak.modulusBytes);
  return [
    accepted('keys', 'the keys of an account', enc, sig),
    accepted('keys-near-divisible', 'sig is divisible by 4099, and by no smaller prime', enc, near ?? enc),
    accepted('keys-near-roca', 'enc is as ROCA makes it for every prime but 157', rocaNear ?? enc, sig),
    accepted(
      'keys-near-close',
      'the factors of enc are found by the hundred and first value',
      weak.modulusBytes(weak.closeNearly),
      sig,
    ),
    refused('bits-2047', 'enc has 2047 bits', 'bits', { enc: weak.bits2047 }),
    refused('bits-1024', 'sig has 1024 bits', 'bits', { sig: weak.bits1024 }),
    refused('even', 'sig is even', 'even', { sig: weak.even }),
    refused('divisible', 'enc is divisible by 4093, and by no smaller prime', 'divisible', {
      enc: weak.multipleOf(4093),
    }),
    refused('roca', 'enc is made as by the library of CVE-2017-15361', 'roca', { enc: weak.roca }),
    refused('close', 'the factors of sig are found by the hundredth value', 'close', { sig: weak.closeLast }),
    refused('close-first', 'the factors of enc are found by the first value', 'close', { enc: weak.closeFirst }),
    refused('square', 'enc is the square of a prime', 'close', { enc: weak.square }),
    refused('shared', 'enc and sig have one prime in common', 'shared', { sig: weak.sharing(senderEnc, senderSig) }),
    [
      'keys-refused-twice',
      {
        kind: 'keys',
        what: 'one key for both',
        expect: 'refused',
        step: 'shared',
        ...(toJson({ enc, sig: enc }) as object),
      },
    ],
    refused('order', 'enc is made as by ROCA, sig is even: enc is looked at first', 'roca', {
      enc: weak.roca,
      sig: weak.even,
    }),
  ];
}
