/** The RSA keys of the vectors: made once and kept beside this file, since nothing but a vector uses them. */
import { readFile } from 'node:fs/promises';
import { fromHex, hex } from '../../protocol/index.js';
import { exportPrivate, generateRsa, rsaPrivate, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { keysFile, writeChanged } from './format.js';

const owners = ['server', 'senderEnc', 'senderSig', 'recipientEnc', 'recipientSig'] as const;
export type TestKeys = Readonly<Record<(typeof owners)[number], NodeRsaPrivate>>;

export async function readTestKeys(): Promise<TestKeys> {
  const stored = JSON.parse(await readFile(keysFile, 'utf8')) as Readonly<Record<string, string>>;
  const entries = owners.map((owner) => [owner, rsaPrivate(fromHex(stored[owner] ?? ''))] as const);
  return Object.fromEntries(entries) as TestKeys;
}

/** Makes them where there are none: every vector with an RSA block then changes too. */
export async function ensureTestKeys(): Promise<TestKeys> {
  try {
    return await readTestKeys();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const entries = await Promise.all(
    owners.map(async (owner) => [owner, hex(exportPrivate(await generateRsa()))] as const),
  );
  await writeChanged(keysFile, `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
  return readTestKeys();
}

export const privateHex = (key: NodeRsaPrivate): string => hex(exportPrivate(key));
