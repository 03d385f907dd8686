/** Makes the keys of a new network: all at once or not at all, and never over others. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createOpaqueSetup, exportPrivate, generateRsa } from '../crypto/index.js';
import { hex, KEY } from '../../protocol/index.js';
import { checkHost, generateTlsCertificate, privatePem, spkiPin } from './certificate.js';
import { checkNetworkName, FORMAT, json, NETWORK, SECRETS, SERVER_KEY, TLS_CERT, TLS_KEY } from './files.js';
import { errorCode, syncFolder, temporaryBeside, writeNewFile } from './private-files.js';
import { thisProgram } from './program.js';
import { KeysRefusal } from './refusal.js';

const SOFTWARE_ID = 16;
const DECOY_SECRET = 32;

export interface BuildRequest {
  readonly network: string;
  /** The folder that holds networks; made where it is missing. */
  readonly keys: string;
  /** DNS names and addresses for the certificate, besides localhost and its addresses. */
  readonly hosts: readonly string[];
}

/** Returns the folder. @throws KeysRefusal where the network exists or a name is refused */
export async function buildNetwork({ network, keys, hosts }: BuildRequest): Promise<string> {
  checkNetworkName(network);
  hosts.forEach(checkHost);
  const folder = join(keys, network);
  refuseExisting(folder, network);
  const files = await makeFiles(network, hosts);
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const temporary = temporaryBeside(folder);
  mkdirSync(temporary, { mode: 0o700 });
  try {
    for (const [name, content] of files) writeNewFile(join(temporary, name), content);
    syncFolder(temporary);
    // Two builders at once: the later rename meets a folder with files in it and fails.
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') refuseExisting(folder, network);
    throw error;
  }
  syncFolder(dirname(folder));
  return folder;
}

function refuseExisting(folder: string, network: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false }))
    throw new KeysRefusal(
      `network ${network} has its keys in ${folder} already; use them, or choose another name with --network`,
    );
}

async function makeFiles(network: string, hosts: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const [server, tls, opaqueSetup] = await Promise.all([
    generateRsa(),
    generateTlsCertificate(network, hosts),
    createOpaqueSetup(),
  ]);
  const { version, build, table } = thisProgram();
  return new Map([
    [SERVER_KEY, privatePem(exportPrivate(server))],
    [TLS_KEY, tls.keyPem],
    [TLS_CERT, tls.certPem],
    [
      SECRETS,
      json({
        format: FORMAT,
        networkKey: randomBytes(KEY).toString('hex'),
        opaqueSetup,
        decoySecret: randomBytes(DECOY_SECRET).toString('hex'),
      }),
    ],
    [
      NETWORK,
      json({
        format: FORMAT,
        network,
        created: new Date().toISOString(),
        version,
        build,
        table: hex(table),
        software: randomBytes(SOFTWARE_ID).toString('hex'),
        serverModulus: hex(server.modulus),
        pins: [spkiPin(tls.certPem)],
      }),
    ],
  ]);
}
