/** Reads and checks a network's folder: the door of this room for the daemon. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex } from '../../protocol/index.js';
import { exportPrivate, rsaPrivate } from '../crypto/index.js';
import { certify, checkHost, generateTlsCertificate, spkiPin, type TlsFiles } from './certificate.js';
import {
  FORMAT,
  json,
  malformed,
  NETWORK,
  NEXT,
  parseBackupSecrets,
  parseNetwork,
  parseSecrets,
  PROMOTED,
  SECRETS,
  SERVER_KEY,
  TLS_CERT,
  TLS_KEY,
  type NetworkJson,
} from './files.js';
import { checkPrivateFolder, readPrivateFile, replaceFile, syncFolder, writeNewFile } from './private-files.js';
import { KeysRefusal } from './refusal.js';

export { generateTlsCertificate, spkiPin, type TlsFiles } from './certificate.js';
export { KeysRefusal } from './refusal.js';

const BUILD_FIRST =
  'make the keys with: cadenas-keys build --network NAME (npm run keys -- --network NAME compiles it first)';
const RESTORE = 'restore it from the backup of the keys';

/** Keys that belong together, and that clients know together: what a rotation replaces. */
export interface GenerationFiles {
  readonly generation: number;
  /** ISO 8601, UTC */
  readonly created: string;
  /** 16 bytes */
  readonly networkKey: Uint8Array;
  /** PKCS#8 DER */
  readonly serverPrivate: Uint8Array;
  /** 256 bytes */
  readonly serverModulus: Uint8Array;
  /** undefined where the folder has neither of the two files */
  readonly tls: TlsFiles | undefined;
  /** lower-case hexadecimal, SHA-256 of each accepted SubjectPublicKeyInfo */
  readonly pins: readonly string[];
}

/** The current generation, and what stays the same from one to the next. */
export interface NetworkFiles extends GenerationFiles {
  readonly network: string;
  /** Build number and opcode-table hash (32 bytes) of the program that made the keys. */
  readonly build: number;
  readonly table: Uint8Array;
  /** 16 bytes */
  readonly software: Uint8Array;
  readonly opaqueSetup: string;
  /** 32 bytes */
  readonly decoySecret: Uint8Array;
  /** There is one between `rotate` and `retire`. */
  readonly next: GenerationFiles | undefined;
}

function required(folder: string, name: string): string {
  const bytes = readPrivateFile(join(folder, name));
  if (!bytes) throw new KeysRefusal(`${join(folder, name)} is missing; ${RESTORE}`);
  const text = bytes.toString('utf8');
  bytes.fill(0);
  return text;
}

/**
 * @throws KeysRefusal, one line, where the folder or a file is open to others, of another owner, a symbolic
 * link, missing, damaged, of a newer format, or does not fit the rest
 */
export function loadNetwork(folder: string): NetworkFiles {
  checkPrivateFolder(folder, BUILD_FIRST);
  const promoted = join(folder, PROMOTED);
  // A retirement that was cut off: what was promoted counts already, whatever of it is in the folder itself.
  const current = readGeneration(isThere(promoted) ? promoted : folder);
  const next = join(folder, NEXT);
  return { ...current, next: isThere(next) ? successor(current, next) : undefined };
}

export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** For those who need the public part alone. */
export function wipe(files: NetworkFiles): void {
  for (const secret of secretsOf(files)) secret.fill(0);
}

/** What is to be wiped when it is of no more use. */
export function secretsOf(files: NetworkFiles): Uint8Array[] {
  const generations = files.next ? [files, files.next] : [files];
  return [files.decoySecret, ...generations.flatMap(({ networkKey, serverPrivate }) => [networkKey, serverPrivate])];
}

/** What a backup keeps of the keys, as a file. */
export function accountSecrets({ opaqueSetup, decoySecret, generation, next }: NetworkFiles): string {
  return json({
    format: FORMAT,
    opaqueSetup,
    decoySecret: hex(decoySecret),
    generation: next?.generation ?? generation,
  });
}

/** Whether accounts of a backup are those of these keys. @throws KeysRefusal where its file is malformed */
export function isOfAccounts({ opaqueSetup, decoySecret }: NetworkFiles, path: string, content: string): boolean {
  const had = parseBackupSecrets(path, content);
  return had.opaqueSetup === opaqueSetup && had.decoySecret === hex(decoySecret);
}

type Current = Omit<NetworkFiles, 'next'>;

/** The next generation. @throws KeysRefusal where it is not that of `current` */
function successor(current: Current, folder: string): GenerationFiles {
  const next = readGeneration(folder);
  const isSame =
    next.network === current.network &&
    next.opaqueSetup === current.opaqueSetup &&
    Buffer.from(next.decoySecret).equals(current.decoySecret) &&
    Buffer.from(next.software).equals(current.software);
  if (!isSame || next.generation !== current.generation + 1)
    throw malformed(folder, 'it is not the next generation of these keys');
  next.decoySecret.fill(0);
  return next;
}

/** The five files of a generation. */
function readGeneration(folder: string): Current {
  checkPrivateFolder(folder, RESTORE);
  const info = parseNetwork(join(folder, NETWORK), required(folder, NETWORK));
  const secrets = parseSecrets(join(folder, SECRETS), required(folder, SECRETS));
  const server = serverPair(folder, info);
  return {
    network: info.network,
    generation: info.generation,
    created: info.created,
    build: info.build,
    table: fromHex(info.table),
    software: fromHex(info.software),
    networkKey: fromHex(secrets.networkKey),
    serverPrivate: server.pkcs8,
    serverModulus: server.modulus,
    opaqueSetup: secrets.opaqueSetup,
    decoySecret: fromHex(secrets.decoySecret),
    tls: tlsPair(folder, info),
    pins: info.pins,
  };
}

function serverPair(folder: string, info: NetworkJson): { pkcs8: Uint8Array; modulus: Uint8Array } {
  const path = join(folder, SERVER_KEY);
  const key = privateKey(path, required(folder, SERVER_KEY));
  let pair: ReturnType<typeof rsaPrivate>;
  try {
    pair = rsaPrivate(key.export({ format: 'der', type: 'pkcs8' }));
  } catch {
    throw malformed(path, 'it is no RSA-2048 key'); // rsaPrivate throws for nothing else
  }
  if (!Buffer.from(pair.modulus).equals(fromHex(info.serverModulus)))
    throw malformed(path, 'it is not the key that network.json names');
  return { pkcs8: exportPrivate(pair), modulus: pair.modulus };
}

function privateKey(path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch {
    throw malformed(path, 'it is no private key in PEM'); // OpenSSL's own words say nothing to a person
  }
}

function tlsPair(folder: string, info: NetworkJson): TlsFiles | undefined {
  const [certPath, keyPath] = [join(folder, TLS_CERT), join(folder, TLS_KEY)];
  const certPem = readPrivateFile(certPath)?.toString('utf8');
  const keyPem = readPrivateFile(keyPath)?.toString('utf8');
  if (certPem === undefined && keyPem === undefined) return undefined;
  if (certPem === undefined)
    throw new KeysRefusal(`${certPath} is missing; ${RESTORE}, or start cadenasd with --generate-default-cert`);
  if (keyPem === undefined) throw new KeysRefusal(`${keyPath} is missing; ${RESTORE}, or remove ${certPath} as well`);
  const key = privateKey(keyPath, keyPem);
  const pin = pinOf(certPath, certPem);
  if (!new X509Certificate(certPem).checkPrivateKey(key))
    throw malformed(certPath, 'it is not the certificate of tls.key');
  if (!info.pins.includes(pin)) throw malformed(certPath, 'it is not among the pins in network.json');
  return { certPem, keyPem };
}

function pinOf(path: string, certPem: string): string {
  try {
    return spkiPin(certPem);
  } catch {
    throw malformed(path, 'it is no certificate in PEM'); // as above
  }
}

/**
 * Makes `tls.key` and `tls.crt` where they are missing, and pins the certificate in `network.json`; never
 * replaces one. Clients linked before don't accept it: link them again.
 * @returns whether it made one
 */
export async function ensureTlsCertificate(folder: string, hosts: readonly string[] = []): Promise<boolean> {
  checkPrivateFolder(folder, BUILD_FIRST);
  hosts.forEach(checkHost);
  if (isThere(join(folder, PROMOTED))) return false; // a generation that was rotated to has one
  const [certPath, keyPath] = [join(folder, TLS_CERT), join(folder, TLS_KEY)];
  if (readPrivateFile(certPath)) return false;
  const info = parseNetwork(join(folder, NETWORK), required(folder, NETWORK));
  // The certificate comes last: a run that was cut off leaves a key without one, and the next run finishes.
  const existing = readPrivateFile(keyPath)?.toString('utf8');
  let tls: TlsFiles;
  if (existing === undefined) {
    tls = await generateTlsCertificate(info.network, hosts);
    writeNewFile(keyPath, tls.keyPem);
    syncFolder(folder);
  } else {
    if (privateKey(keyPath, existing).asymmetricKeyType !== 'rsa') throw malformed(keyPath, 'it is no RSA key');
    tls = { keyPem: existing, certPem: await certify(info.network, hosts, existing) };
  }
  replaceFile(join(folder, NETWORK), json({ ...info, pins: [spkiPin(tls.certPem)] }));
  replaceFile(certPath, tls.certPem);
  return true;
}
