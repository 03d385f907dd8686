/** The file `identity`: who this profile is, its private keys sealed under the password and the words (SPEC 6.7). */
import {
  canonicalPassword,
  canonicalWords,
  concat,
  fileKeys,
  fromHex,
  fromUtf8,
  hex,
  ID,
  isName,
  NONCE,
  sigFileKey,
  TAG,
  utf8,
  type RsaPrivate,
} from '../../protocol/index.js';
import { error } from './errors.js';
import type { ClientCrypto } from './ports.js';

export const IDENTITY_FILE = 'identity';
/** Written before the daemon is asked to finish a registration, so that a lost answer loses no name. */
export const UNFINISHED_FILE = 'identity.unfinished';

const FORMAT = 1;
const SALT = 16;
export const PASSWORD_MIN = 8;
const WORDS = 3;
const WORD_MIN = 3;

export interface Secrets {
  readonly password: string;
  /** three words, as typed */
  readonly words: string;
}

/** What the file tells without a secret. */
export interface PublicIdentity {
  readonly network: string;
  readonly name: string;
  /** hexadecimal */
  readonly uid: string;
}

interface IdentityFile extends PublicIdentity {
  readonly format: number;
  readonly salt1: string;
  readonly salt2: string;
  /** nonce | AES-128-GCM of PKCS#8 */
  readonly sig: string;
  readonly enc: string;
}

/** The secrets stretched: K under the password, W under the words, and what follows from both. */
export interface Stretched {
  readonly salt1: Uint8Array;
  readonly salt2: Uint8Array;
  readonly k: Uint8Array;
  readonly w: Uint8Array;
}

/** An unlocked profile: everything a session needs. */
export interface Me {
  readonly name: string;
  readonly uid: Uint8Array;
  readonly enc: RsaPrivate;
  readonly sig: RsaPrivate;
  readonly password: string;
  readonly w: Uint8Array;
  readonly stateKey: Uint8Array;
}

/** @throws ClientError `weak-password`, `bad-words` */
export function checkSecrets(secrets: Secrets): void {
  if ([...secrets.password].length < PASSWORD_MIN) throw error('weak-password', String(PASSWORD_MIN));
  const words = canonicalWords(secrets.words).split(' ');
  if (words.length !== WORDS || words.some((word) => [...word].length < WORD_MIN)) throw error('bad-words');
}

export async function stretchNew(crypto: ClientCrypto, secrets: Secrets): Promise<Stretched> {
  return stretch(crypto, secrets, crypto.sync.random(SALT), crypto.sync.random(SALT));
}

async function stretch(
  crypto: ClientCrypto,
  secrets: Secrets,
  salt1: Uint8Array,
  salt2: Uint8Array,
): Promise<Stretched> {
  const k = await crypto.password.stretch(canonicalPassword(secrets.password), salt1);
  const w = await crypto.password.stretch(canonicalWords(secrets.words), salt2);
  return { salt1, salt2, k, w };
}

function aad(who: PublicIdentity, field: string): Uint8Array {
  return utf8(JSON.stringify(['cadenas/1 identity', who.network, who.name, who.uid, field]));
}

function seal(crypto: ClientCrypto, key: Uint8Array, bound: Uint8Array, plain: Uint8Array): string {
  const nonce = crypto.sync.random(NONCE);
  const box = new Uint8Array(plain.length + TAG);
  crypto.sync.aead(key).seal(nonce, bound, plain, box, 0);
  return hex(concat(nonce, box));
}

function open(crypto: ClientCrypto, key: Uint8Array, bound: Uint8Array, sealed: string): Uint8Array | undefined {
  const bytes = fromHex(sealed);
  return crypto.sync.aead(key).open(bytes.subarray(0, NONCE), bound, bytes.subarray(NONCE));
}

export function sealIdentity(crypto: ClientCrypto, network: string, me: Me, secrets: Stretched): Uint8Array {
  const who = { network, name: me.name, uid: hex(me.uid) };
  const files = fileKeys(crypto.sync, secrets.k, secrets.w);
  const file: IdentityFile = {
    format: FORMAT,
    ...who,
    salt1: hex(secrets.salt1),
    salt2: hex(secrets.salt2),
    sig: seal(crypto, sigFileKey(crypto.sync, secrets.k), aad(who, 'sig'), crypto.keys.export(me.sig)),
    enc: seal(crypto, files.enc, aad(who, 'enc'), crypto.keys.export(me.enc)),
  };
  return utf8(`${JSON.stringify(file)}\n`);
}

function parse(bytes: Uint8Array): IdentityFile {
  let file: Partial<Record<keyof IdentityFile, unknown>>;
  try {
    file = JSON.parse(fromUtf8(bytes) ?? '') as typeof file;
  } catch {
    throw error('damaged-identity'); // what JSON.parse throws says no more than that
  }
  const hexes = ['uid', 'salt1', 'salt2', 'sig', 'enc'] as const;
  const sound =
    file.format === FORMAT &&
    typeof file.network === 'string' &&
    typeof file.name === 'string' &&
    isName(file.name) &&
    hexes.every((field) => /^(?:[0-9a-f]{2})+$/.test(String(file[field]))) &&
    String(file.uid).length === 2 * ID;
  if (!sound) throw error('damaged-identity');
  return file as IdentityFile;
}

/** @throws ClientError `damaged-identity` */
export function readIdentity(bytes: Uint8Array): PublicIdentity {
  const { network, name, uid } = parse(bytes);
  return { network, name, uid };
}

/** @throws ClientError `other-network`, `wrong-password`, `wrong-words`, `damaged-identity` */
export async function openIdentity(
  crypto: ClientCrypto,
  network: string,
  bytes: Uint8Array,
  secrets: Secrets,
): Promise<Me> {
  const file = parse(bytes);
  if (file.network !== network) throw error('other-network', file.network);
  const { k, w } = await stretch(crypto, secrets, fromHex(file.salt1), fromHex(file.salt2));
  const sig = open(crypto, sigFileKey(crypto.sync, k), aad(file, 'sig'), file.sig);
  if (!sig) throw error('wrong-password');
  const files = fileKeys(crypto.sync, k, w);
  const enc = open(crypto, files.enc, aad(file, 'enc'), file.enc);
  if (!enc) throw error('wrong-words');
  return {
    name: file.name,
    uid: fromHex(file.uid),
    sig: crypto.keys.import(sig),
    enc: crypto.keys.import(enc),
    password: canonicalPassword(secrets.password),
    w,
    stateKey: files.state,
  };
}
