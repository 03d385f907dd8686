/** Safety numbers of vectors through the code, whoever of the two computes them. */
import { readSafetyCode, safetyCode, safetyNumber, safetyWords } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import type { Vector } from './format.js';
import { expectEqual, Reader } from './reader.js';

export function verifySafety(vector: Vector): void {
  const from = new Reader(vector);
  const party = (name: string) => {
    const one = from.at(name);
    return { uid: one.bytes('uid'), fingerprint: one.bytes('fingerprint') };
  };
  const [a, b] = [party('a'), party('b')];
  expectEqual('number', safetyNumber(nodeSync, a, b), from.text('number'));
  expectEqual('number of the other', safetyNumber(nodeSync, b, a), from.text('number'));
  expectEqual('code', safetyCode(from.text('number')), from.text('code'));
  expectEqual('number of the code', readSafetyCode(from.text('code')), from.text('number'));
  expectEqual('words', safetyWords(from.text('number')).join(' '), from.text('words'));
}
