/** Reads and checks a network's folder: the door of this room for the daemon. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fromHex, hex } from '../../protocol/index.js';
import { exportPrivate, rsaPrivate } from '../crypto/index.js';
import { certify, checkHost, generateTlsCertificate, spkiPin, type TlsFiles } from './certificate.js';
import { keyFilesIn, missing, type KeyFiles, type Prefix } from './credentials.js';
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
import { checkPrivateFolder, replaceFile, syncFolder, writeNewFile } from './private-files.js';
import { KeysRefusal } from './refusal.js';

export { generateTlsCertificate, spkiPin, type TlsFiles } from './certificate.js';
export { KeysRefusal } from './refusal.js';

/** @param folder KEYS/NETWORK */
const buildFirst = (folder: string): string =>
  `make the keys with: cadenas-keys build --network ${basename(folder)} --keys ${dirname(folder)}`;
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

/** A generation's folder, and where its files are. */
interface Place {
  readonly folder: string;
  readonly prefix: Prefix;
  readonly files: KeyFiles;
}

function placeOf(folder: string, prefix: Prefix, credentials: string | undefined): Place {
  return { folder, prefix, files: keyFilesIn(folder, prefix, credentials) };
}

function required({ files, prefix }: Place, name: string): { readonly path: string; readonly text: string } {
  const { path, bytes } = files(name);
  if (!bytes) throw new KeysRefusal(`${path} is missing; ${missing(name, prefix)}`);
  const text = bytes.toString('utf8');
  bytes.fill(0);
  return { path, text };
}

/**
 * @param credentials folder of what a service manager handed over: private files that are there go before those in
 * `folder`, as `server.key`, `secrets.json`, `tls.key`, and `next.server.key` … of the next generation
 * @throws KeysRefusal, one line, where the folder or a file is open to others, of another owner, a symbolic
 * link, missing, damaged, of a newer format, or does not fit the rest
 */
export function loadNetwork(folder: string, credentials?: string): NetworkFiles {
  checkPrivateFolder(folder, buildFirst(folder));
  const promoted = join(folder, PROMOTED);
  // A retirement that was cut off: what was promoted counts already, whatever of it is in the folder itself.
  const current = readGeneration(
    isThere(promoted) ? placeOf(promoted, 'next.', credentials) : placeOf(folder, '', credentials),
  );
  const next = join(folder, NEXT);
  return {
    ...current,
    next: isThere(next) ? successor(current, placeOf(next, 'next.', credentials)) : undefined,
  };
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
function successor(current: Current, place: Place): GenerationFiles {
  const next = readGeneration(place);
  const isSame =
    next.network === current.network &&
    next.opaqueSetup === current.opaqueSetup &&
    Buffer.from(next.decoySecret).equals(current.decoySecret) &&
    Buffer.from(next.software).equals(current.software);
  if (!isSame || next.generation !== current.generation + 1)
    throw malformed(place.folder, 'it is not the next generation of these keys');
  next.decoySecret.fill(0);
  return next;
}

/** The five files of a generation. */
function readGeneration(place: Place): Current {
  checkPrivateFolder(place.folder, RESTORE);
  const network = required(place, NETWORK);
  const info = parseNetwork(network.path, network.text);
  const secret = required(place, SECRETS);
  const secrets = parseSecrets(secret.path, secret.text);
  const server = serverPair(place, info);
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
    tls: tlsPair(place, info),
    pins: info.pins,
  };
}

function serverPair(place: Place, info: NetworkJson): { pkcs8: Uint8Array; modulus: Uint8Array } {
  const { path, text } = required(place, SERVER_KEY);
  const key = privateKey(path, text);
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

function tlsPair({ files, prefix }: Place, info: NetworkJson): TlsFiles | undefined {
  const [{ path: certPath, bytes: cert }, { path: keyPath, bytes: own }] = [files(TLS_CERT), files(TLS_KEY)];
  const [certPem, keyPem] = [cert?.toString('utf8'), own?.toString('utf8')];
  if (certPem === undefined && keyPem === undefined) return undefined;
  if (certPem === undefined)
    throw new KeysRefusal(`${certPath} is missing; ${RESTORE}, or start cadenasd with --generate-default-cert`);
  if (keyPem === undefined)
    throw new KeysRefusal(`${keyPath} is missing; ${missing(TLS_KEY, prefix)}, or remove ${certPath} as well`);
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
export async function ensureTlsCertificate(
  folder: string,
  hosts: readonly string[] = [],
  credentials?: string,
): Promise<boolean> {
  checkPrivateFolder(folder, buildFirst(folder));
  hosts.forEach(checkHost);
  if (isThere(join(folder, PROMOTED))) return false; // a generation that was rotated to has one
  const place = placeOf(folder, '', credentials);
  const { path: certPath, bytes: cert } = place.files(TLS_CERT);
  if (cert) return false;
  const network = required(place, NETWORK);
  const info = parseNetwork(network.path, network.text);
  // The certificate comes last: a run that was cut off leaves a key without one, and the next run finishes.
  const { path: keyPath, bytes } = place.files(TLS_KEY);
  const existing = bytes?.toString('utf8');
  let tls: TlsFiles;
  if (existing === undefined) {
    tls = await generateTlsCertificate(info.network, hosts);
    writeNewFile(keyPath, tls.keyPem);
    syncFolder(folder);
  } else {
    if (privateKey(keyPath, existing).asymmetricKeyType !== 'rsa') throw malformed(keyPath, 'it is no RSA key');
    tls = { keyPem: existing, certPem: await certify(info.network, hosts, existing) };
  }
  replaceFile(network.path, json({ ...info, pins: [spkiPin(tls.certPem)] }));
  replaceFile(certPath, tls.certPem);
  return true;
}
