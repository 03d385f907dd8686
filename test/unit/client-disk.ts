/** Whether a text is still on a client's disk: every file of the profile is searched, opened and as it lies there. */
import { concat, KEY, NONCE, readUint, u64, utf8, fromUtf8, type LinkedNetwork } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { IDENTITY_FILE, openIdentity } from '../../src/client/identity.js';
import { clientCrypto } from './client-support.js';
import { secrets } from './client-parties.js';

export type Files = ReadonlyMap<string, Uint8Array>;

export async function stateKeyOf(files: Files, linked: LinkedNetwork): Promise<Uint8Array> {
  const identity = files.get(IDENTITY_FILE) ?? new Uint8Array(0);
  const { stateKey } = await openIdentity(await clientCrypto(), linked.network, identity, secrets);
  if (stateKey.length !== KEY) throw new Error('no state key');
  return stateKey;
}

/** The sealed records whose plain text has the words. @throws Error where a whole record does not open */
export function recordsWith(words: string, files: Files, stateKey: Uint8Array): Uint8Array[] {
  const box = nodeSync.aead(stateKey);
  const found: Uint8Array[] = [];
  for (const [name, log] of files) {
    const generation = Number(/^state-(\d+)\.log/.exec(name)?.[1]);
    if (!Number.isInteger(generation)) continue;
    for (let at = 0, index = 0; at < log.length; index++) {
      const length = readUint(log, at, 4);
      const record = log.subarray(at + 4, at + 4 + length);
      const aad = concat(utf8('cadenas/1 state'), u64(generation), u64(index));
      const plain = box.open(record.subarray(0, NONCE), aad, record.subarray(NONCE));
      if (!plain) throw new Error(`${name}: record ${String(index)} does not open`);
      if (fromUtf8(plain)?.includes(words)) found.push(record.slice());
      at += 4 + length;
    }
  }
  return found;
}

/** Names of the files in which one of the sealed records still lies, or the words as they are. */
export function filesHolding(words: string, sealed: readonly Uint8Array[], files: Files): string[] {
  const needles = [utf8(words), ...sealed].map((needle) => Buffer.from(needle));
  const holds = (bytes: Uint8Array): boolean => needles.some((needle) => Buffer.from(bytes).includes(needle));
  return [...files].filter(([, bytes]) => holds(bytes)).map(([name]) => name);
}
