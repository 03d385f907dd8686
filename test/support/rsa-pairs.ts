/**
 * RSA pairs for tests whose people need some: making one takes longer than most of these tests. They lie in a file, and
 * each process takes them from its beginning, none twice; where they end, pairs are made. Nothing else uses them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateRsa, rsaPrivate, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { root } from './temp.js';

/** PKCS#8, base64 */
const kept = JSON.parse(readFileSync(join(root, 'test/support/rsa-pairs.json'), 'utf8')) as string[];
let next = 0;

export function nextRsa(): Promise<NodeRsaPrivate> {
  const pair = kept[next++];
  return pair === undefined ? generateRsa() : Promise.resolve(rsaPrivate(Buffer.from(pair, 'base64')));
}
