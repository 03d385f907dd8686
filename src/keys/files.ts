/** The files of a network's folder, and the two JSON formats among them. */
import { KeysRefusal } from './refusal.js';

export const SERVER_KEY = 'server.key';
export const SECRETS = 'secrets.json';
export const TLS_KEY = 'tls.key';
export const TLS_CERT = 'tls.crt';
export const NETWORK = 'network.json';
/** All five: a generation of the network's keys, with what does not change from one to the next. */
export const GENERATION_FILES = [SERVER_KEY, TLS_KEY, TLS_CERT, SECRETS, NETWORK] as const;

/** A folder beside them with the same five files: the generation that comes next. */
export const NEXT = 'next';
/** What `next` is called from the moment on at which it counts, until it is folded into the network's folder. */
export const PROMOTED = 'promoted';

/** Of both JSON files. A program reads this one alone. */
export const FORMAT = 1;

/** Two slots: the certificate in use, and its successor. */
const PINS_MAX = 2;

/** Byte strings are lower-case hexadecimal. */
export interface NetworkJson {
  readonly format: typeof FORMAT;
  readonly network: string;
  /** Counts from 1; each rotation adds one. Folders made before there were rotations lack it. */
  readonly generation: number;
  /** ISO 8601, UTC */
  readonly created: string;
  /** Of the program that made the keys, with its build number and the hash of its opcode table (32 bytes). */
  readonly version: string;
  readonly build: number;
  readonly table: string;
  /** 16 bytes: the id of this network's client software */
  readonly software: string;
  /** 256 bytes */
  readonly serverModulus: string;
  /** SHA-256 of the SubjectPublicKeyInfo of each TLS certificate that clients accept */
  readonly pins: readonly string[];
}

/** What the accounts of a network hang on: the same in all generations, and part of each backup of the data. */
export interface AccountSecretsJson {
  readonly format: typeof FORMAT;
  /** base64url, as the OPAQUE library writes it */
  readonly opaqueSetup: string;
  /** 32 bytes */
  readonly decoySecret: string;
}

/** The same in a backup, with the number of the newest generation then: what profiles may remember (SPEC 4.7). */
export interface BackupSecretsJson extends AccountSecretsJson {
  readonly generation: number;
}

export interface SecretsJson extends AccountSecretsJson {
  /** 16 bytes */
  readonly networkKey: string;
}

export const networkNamePattern = /^[a-z][a-z0-9-]{0,31}$/;

/** @throws KeysRefusal */
export function checkNetworkName(name: string): string {
  if (!networkNamePattern.test(name))
    throw new KeysRefusal(
      'a network is named by up to 32 of a–z, 0–9 and -, the first a letter; choose a name like that with --network',
    );
  return name;
}

type Fields = Readonly<Record<string, unknown>>;

function parseFields(path: string, text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // the parser's message quotes the file; the refusal below must not
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(path, 'it is no JSON object');
  const fields = value as Fields;
  if (typeof fields.format === 'number' && fields.format > FORMAT)
    throw new KeysRefusal(
      `${path} has format ${String(fields.format)}, newer than this program; install a newer cadenas`,
    );
  if (fields.format !== FORMAT) throw malformed(path, 'its format is not 1');
  return fields;
}

export function malformed(path: string, what: string): KeysRefusal {
  return new KeysRefusal(`${path} is damaged (${what}); restore it from the backup of the keys`);
}

function text(path: string, fields: Fields, name: string, pattern: RegExp): string {
  const value = fields[name];
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(path, `${name} is not as it should be`);
  return value;
}

const hex = (bytes: number): RegExp => new RegExp(`^[0-9a-f]{${String(2 * bytes)}}$`);

/** @throws KeysRefusal; its message never quotes the file */
export function parseNetwork(path: string, content: string): NetworkJson {
  const fields = parseFields(path, content);
  const { build, pins } = fields;
  const generation = generationOf(path, fields);
  if (typeof build !== 'number' || !Number.isInteger(build) || build < 0 || build >= 2 ** 32)
    throw malformed(path, 'build is not as it should be');
  const isPin = (pin: unknown): pin is string => typeof pin === 'string' && hex(32).test(pin);
  if (!Array.isArray(pins) || pins.length > PINS_MAX || !pins.every(isPin))
    throw malformed(path, 'pins are not as they should be');
  return {
    format: FORMAT,
    network: text(path, fields, 'network', networkNamePattern),
    generation,
    created: text(path, fields, 'created', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    version: text(path, fields, 'version', /^\d{1,3}\.\d{1,3}\.\d{1,3}$/),
    build,
    table: text(path, fields, 'table', hex(32)),
    software: text(path, fields, 'software', hex(16)),
    serverModulus: text(path, fields, 'serverModulus', hex(256)),
    pins,
  };
}

function generationOf(path: string, { generation = 1 }: Fields): number {
  if (typeof generation !== 'number' || !Number.isInteger(generation) || generation < 1 || generation >= 2 ** 32)
    throw malformed(path, 'generation is not as it should be');
  return generation;
}

/** @throws KeysRefusal; its message never quotes the file */
export function parseSecrets(path: string, content: string): SecretsJson {
  const networkKey = text(path, parseFields(path, content), 'networkKey', hex(16));
  return { ...parseAccountSecrets(path, content), networkKey };
}

/** @throws KeysRefusal; its message never quotes the file */
function parseAccountSecrets(path: string, content: string): AccountSecretsJson {
  const fields = parseFields(path, content);
  return {
    format: FORMAT,
    opaqueSetup: text(path, fields, 'opaqueSetup', /^[A-Za-z0-9_-]{100,1000}$/),
    decoySecret: text(path, fields, 'decoySecret', hex(32)),
  };
}

/** @throws KeysRefusal; its message never quotes the file */
export function parseBackupSecrets(path: string, content: string): BackupSecretsJson {
  return { ...parseAccountSecrets(path, content), generation: generationOf(path, parseFields(path, content)) };
}

export function json(value: NetworkJson | SecretsJson | BackupSecretsJson): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
