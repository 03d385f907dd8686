/** The secrets on which accounts hang, between a network's keys and a backup of its data. */
import { join } from 'node:path';
import { nodeSync } from '../../crypto/index.js';
import {
  accountSecrets,
  isOfAccounts,
  isThere,
  KeysRefusal,
  loadNetwork,
  wipe,
  type NetworkFiles,
} from '../../keys/network.js';
import { utf8 } from '../../../protocol/index.js';
import { checkSetup } from '../../store/journal/setup.js';
import { SECRETS_FILE } from '../../store/tools/manifest.js';
import { files, folderOf, Mistake, type Where } from './common.js';

interface WithKeys extends Pick<Where, 'network'> {
  readonly keys: string;
}

const keysOf = ({ keys, network }: WithKeys): string => join(keys, network);

/** The keys that are there. @throws Mistake where they can't be used */
function load(where: WithKeys, otherwise: string): NetworkFiles {
  try {
    return loadNetwork(keysOf(where), process.env['CREDENTIALS_DIRECTORY']);
  } catch (error) {
    if (!(error instanceof KeysRefusal)) throw error;
    throw new Mistake(`${error.message.replaceAll('; ', ', ')} — ${otherwise}`);
  }
}

/** OPAQUE setup and decoy secret, as a file of a backup. @throws Mistake where there are no keys, or those of another store */
export async function secretsForBackup(where: WithKeys & Where): Promise<Uint8Array> {
  const loaded = load(where, 'name the folder of the keys by --keys, or back up with --without-secrets');
  try {
    await checkSetup(files, folderOf(where), nodeSync.sha256(utf8(loaded.opaqueSetup)));
    return utf8(accountSecrets(loaded));
  } finally {
    wipe(loaded);
  }
}

/** On which what is sealed in the data hangs; undefined where there are no keys. @throws Mistake where they can't be used */
export function decoySecret(where: WithKeys): Uint8Array | undefined {
  if (!isThere(keysOf(where))) return undefined;
  const loaded = load(where, 'mend them first, or name others by --keys');
  const secret = Uint8Array.from(loaded.decoySecret);
  wipe(loaded);
  return secret;
}

/** Under which names are hashed in the audit. @throws Mistake where there are no keys */
export function decoySecretOf(where: WithKeys): Uint8Array {
  const loaded = load(where, 'name the folder of the keys by --keys');
  const secret = Uint8Array.from(loaded.decoySecret);
  wipe(loaded);
  return secret;
}

/** @throws Mistake where keys are there, and their accounts are others than those of the backup */
export function compareSecrets(where: WithKeys, secrets: Uint8Array): 'same' | 'no keys' {
  if (!isThere(keysOf(where))) return 'no keys';
  const loaded = load(where, 'mend them first, or name others by --keys');
  const isSame = isOfAccounts(loaded, SECRETS_FILE, Buffer.from(secrets).toString('utf8'));
  wipe(loaded);
  if (isSame) return 'same';
  throw new Mistake(
    `${keysOf(where)} are not the keys of this backup (another OPAQUE setup or decoy secret), and nobody could log in — name its own keys by --keys, or move these aside and make new ones from the backup`,
  );
}
