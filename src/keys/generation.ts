/** Draws the keys of a generation, as the five files of its folder. */
import { randomBytes } from 'node:crypto';
import { exportPrivate, generateRsa } from '../crypto/index.js';
import { hex, KEY } from '../../protocol/index.js';
import { generateTlsCertificate, privatePem, spkiPin } from './certificate.js';
import {
  FORMAT,
  json,
  NETWORK,
  SECRETS,
  SERVER_KEY,
  TLS_CERT,
  TLS_KEY,
  type AccountSecretsJson,
  type GENERATION_FILES,
} from './files.js';
import { thisProgram } from './program.js';

export interface GenerationRequest {
  readonly network: string;
  readonly generation: number;
  /** hexadecimal; the same in all generations of a network */
  readonly software: string;
  readonly accounts: AccountSecretsJson;
  /** of the certificate, besides localhost and its addresses */
  readonly hosts: readonly string[];
}

type FileName = (typeof GENERATION_FILES)[number];

export async function drawGeneration(request: GenerationRequest): Promise<ReadonlyMap<FileName, string>> {
  const { network, generation, software, accounts, hosts } = request;
  const [server, tls] = await Promise.all([generateRsa(), generateTlsCertificate(network, hosts)]);
  const { version, build, table } = thisProgram();
  return new Map([
    [SERVER_KEY, privatePem(exportPrivate(server))],
    [TLS_KEY, tls.keyPem],
    [TLS_CERT, tls.certPem],
    [SECRETS, json({ ...accounts, networkKey: randomBytes(KEY).toString('hex') })],
    [
      NETWORK,
      json({
        format: FORMAT,
        network,
        generation,
        created: new Date().toISOString(),
        version,
        build,
        table: hex(table),
        software,
        serverModulus: hex(server.modulus),
        pins: [spkiPin(tls.certPem)],
      }),
    ],
  ] satisfies [FileName, string][]);
}
