/** Makes the keys of a new network: all at once or not at all, and never over others. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createOpaqueSetup } from '../crypto/index.js';
import { checkHost } from './certificate.js';
import { checkNetworkName, FORMAT, parseBackupSecrets, type BackupSecretsJson } from './files.js';
import { nodeSteps, putFolder } from './folder-steps.js';
import { drawGeneration } from './generation.js';
import { isThere } from './network.js';
import { errorCode, readPrivateFile } from './private-files.js';
import { KeysRefusal } from './refusal.js';

const SOFTWARE_ID = 16;
const DECOY_SECRET = 32;
/**
 * Keys made around the secrets of a backup are so many generations ahead of it: further than any rotation since, since a
 * profile that met a newer one never goes back (SPEC 4.7).
 */
const AHEAD = 100;

export interface BuildRequest {
  readonly network: string;
  /** The folder that holds networks; made where it is missing. */
  readonly keys: string;
  /** DNS names and addresses for the certificate, besides localhost and its addresses. */
  readonly hosts: readonly string[];
  /** `secrets.json` of a backup, where accounts that exist are to go on. */
  readonly secrets?: string;
}

/** Returns the folder. @throws KeysRefusal where the network exists or a name is refused */
export async function buildNetwork({ network, keys, hosts, secrets }: BuildRequest): Promise<string> {
  checkNetworkName(network);
  hosts.forEach(checkHost);
  const folder = join(keys, network);
  refuseExisting(folder, network);
  const accounts = secrets === undefined ? await drawAccountSecrets() : readAccountSecrets(secrets);
  const software = randomBytes(SOFTWARE_ID).toString('hex');
  const { generation, ...others } = accounts;
  const files = await drawGeneration({ network, generation, software, accounts: others, hosts });
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  try {
    putFolder(nodeSteps, folder, files);
  } catch (error) {
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') refuseExisting(folder, network);
    throw error;
  }
  return folder;
}

function refuseExisting(folder: string, network: string): void {
  if (isThere(folder))
    throw new KeysRefusal(
      `network ${network} has its keys in ${folder} already; use them, or choose another name with --network`,
    );
}

async function drawAccountSecrets(): Promise<BackupSecretsJson> {
  const decoySecret = randomBytes(DECOY_SECRET).toString('hex');
  return { format: FORMAT, opaqueSetup: await createOpaqueSetup(), decoySecret, generation: 1 };
}

function readAccountSecrets(path: string): BackupSecretsJson {
  const bytes = readPrivateFile(path);
  if (!bytes) throw new KeysRefusal(`${path} is missing; name secrets.json in a backup that cadenasd made`);
  const text = bytes.toString('utf8');
  bytes.fill(0);
  const { generation, ...secrets } = parseBackupSecrets(path, text);
  return { ...secrets, generation: generation + AHEAD };
}
