/** Vectors of new keys, through the code. */
import {
  encodeFields,
  isSignedByFormer,
  keyBundleProblem,
  recoveryMac,
  renewalMac,
  structs,
  type KeyChange,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import type { Vector } from './format.js';
import { expectEqual, fromJson, Reader } from './reader.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };

function changeOf(from: Reader): KeyChange {
  return fromJson(structs.chky.fields, from.at('values')) as unknown as KeyChange;
}

export async function verifyKeyChange(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const change = changeOf(from);
  expectEqual('fields', encodeFields(structs.chky, change), from.bytes('fields'));
  const problem = await keyBundleProblem(ports, change);
  expectEqual('problem', problem ?? 'none', vector.step === 'former' ? 'none' : (vector.step ?? 'none'));
  const byFormer = await isSignedByFormer(ports, change, from.bytes('before'));
  if (vector.expect === 'accepted') expectEqual('by the former', byFormer, vector['signedByFormer'] === 1);
  else if (vector.step === 'former') expectEqual('by the former', byFormer, false);
}

export function verifyKeyProofs(vector: Vector): void {
  const from = new Reader(vector);
  const change = changeOf(from);
  const [p, th2] = [from.bytes('p'), from.bytes('th2')];
  expectEqual('renewal', renewalMac(nodeSync, p, th2, change), from.bytes('renewalMac'));
  const recovery = recoveryMac(nodeSync, p, from.bytes('sessionKey'), th2, from.bytes('words'), change);
  expectEqual('recovery', recovery, from.bytes('recoveryMac'));
}
