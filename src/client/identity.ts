/** The file `identity`: who this profile is, its private keys and the key of its state sealed under the password and the words (SPEC 6.7). */
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
  KEY,
  keyProblem,
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

/** Beside it while a change of password or words is under way: what the file will be. */
export const NEXT_FILE = 'identity.next';
/** The same while new keys are under way: nobody knows whether the daemon has them already, or the former ones still. */
export const KEYS_FILE = 'identity.keys';
/** Written before the daemon is asked to delete the account: a login that is refused from then on says that it did. */
export const DELETION_FILE = 'deletion';

/** In 1 the key of the state was the one under which 2 seals a random one, so that another password changes this file alone. */
const FORMATS = [1, 2];
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
  /** the same of the key of the state; from format 2 on */
  readonly state?: string;
  /** these keys were made to recover an account that is there */
  readonly recovers?: true;
}

/** The secrets stretched: K under the password, W under the words, and what follows from both. */
export interface Stretched {
  readonly salt1: Uint8Array;
  readonly salt2: Uint8Array;
  readonly k: Uint8Array;
  readonly w: Uint8Array;
}

/** What a login proves: of the file that would hold then. */
export interface Candidate extends Pick<Me, 'enc' | 'sig' | 'password' | 'w'> {
  readonly file: typeof IDENTITY_FILE | typeof NEXT_FILE;
}

/** An unlocked profile: everything a session needs. */
export interface Me {
  readonly name: string;
  readonly uid: Uint8Array;
  /** these two are those of the file that holds, where it is not known which does */
  enc: RsaPrivate;
  sig: RsaPrivate;
  /** these two change with a change of password or words */
  password: string;
  w: Uint8Array;
  /** while it is not known whether a change was done: what may hold, in the order in which a login tries it */
  unsettled?: readonly Candidate[] | undefined;
  readonly stateKey: Uint8Array;
}

/** An account's own part of an identity, before the daemon gives it a uid. */
export interface Draft {
  readonly me: Omit<Me, 'name' | 'uid'>;
  readonly stretched: Stretched;
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

/** New keys under these secrets. @throws ClientError `weak-keys` */
export async function drawDraft(crypto: ClientCrypto, secrets: Secrets): Promise<Draft> {
  const { keys, sync } = crypto;
  const [enc, sig, stretched] = await Promise.all([keys.generate(), keys.generate(), stretchNew(crypto, secrets)]);
  const problem = keyProblem({ enc: enc.modulus, sig: sig.modulus });
  if (problem) throw error('weak-keys', problem);
  const password = canonicalPassword(secrets.password);
  return { me: { enc, sig, password, w: stretched.w, stateKey: sync.random(KEY) }, stretched };
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

/** @param origin what is told without a secret of how it was begun */
export function sealIdentity(
  crypto: ClientCrypto,
  network: string,
  me: Me,
  secrets: Stretched,
  origin: Pick<IdentityFile, 'recovers'> = {},
): Uint8Array {
  const who = { network, name: me.name, uid: hex(me.uid) };
  const files = fileKeys(crypto.sync, secrets.k, secrets.w);
  const file: IdentityFile = {
    format: 2,
    ...who,
    salt1: hex(secrets.salt1),
    salt2: hex(secrets.salt2),
    sig: seal(crypto, sigFileKey(crypto.sync, secrets.k), aad(who, 'sig'), crypto.keys.export(me.sig)),
    enc: seal(crypto, files.enc, aad(who, 'enc'), crypto.keys.export(me.enc)),
    state: seal(crypto, files.state, aad(who, 'state'), me.stateKey),
    ...origin,
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
  if (typeof file.format === 'number' && file.format > Math.max(...FORMATS)) throw error('newer-identity');
  const hexes = ['uid', 'salt1', 'salt2', 'sig', 'enc', ...(file.format === 2 ? (['state'] as const) : [])] as const;
  const sound =
    FORMATS.includes(file.format as number) &&
    typeof file.network === 'string' &&
    typeof file.name === 'string' &&
    isName(file.name) &&
    hexes.every((field) => /^(?:[0-9a-f]{2})+$/.test(String(file[field]))) &&
    String(file.uid).length === 2 * ID;
  if (!sound) throw error('damaged-identity');
  return file as IdentityFile;
}

/** @throws ClientError `damaged-identity`, `newer-identity` */
export function readIdentity(bytes: Uint8Array): PublicIdentity {
  const { network, name, uid } = parse(bytes);
  return { network, name, uid };
}

/** Whether an identity that was begun is of an account that was there before it. @throws as `readIdentity` */
export function isRecovery(bytes: Uint8Array): boolean {
  return parse(bytes).recovers === true;
}

/** @throws ClientError `other-network`, `wrong-password`, `wrong-words`, `damaged-identity`, `newer-identity` */
export async function openIdentity(
  crypto: ClientCrypto,
  network: string,
  bytes: Uint8Array,
  secrets: Secrets,
): Promise<Me> {
  return (await unlockIdentity(crypto, network, bytes, secrets)).me;
}

/** The same, with what another identity under the same secrets is sealed with. @throws as `openIdentity` */
export async function unlockIdentity(
  crypto: ClientCrypto,
  network: string,
  bytes: Uint8Array,
  secrets: Secrets,
): Promise<{ readonly me: Me; readonly stretched: Stretched }> {
  const file = parse(bytes);
  if (file.network !== network) throw error('other-network', file.network);
  const stretched = await stretch(crypto, secrets, fromHex(file.salt1), fromHex(file.salt2));
  const { k, w } = stretched;
  const sig = open(crypto, sigFileKey(crypto.sync, k), aad(file, 'sig'), file.sig);
  if (!sig) throw error('wrong-password');
  const files = fileKeys(crypto.sync, k, w);
  const enc = open(crypto, files.enc, aad(file, 'enc'), file.enc);
  if (!enc) throw error('wrong-words');
  const stateKey = file.format === 1 ? files.state : open(crypto, files.state, aad(file, 'state'), file.state ?? '');
  if (stateKey?.length !== KEY) throw error('damaged-identity');
  const me = {
    name: file.name,
    uid: fromHex(file.uid),
    sig: crypto.keys.import(sig),
    enc: crypto.keys.import(enc),
    password: canonicalPassword(secrets.password),
    w,
    stateKey,
  };
  return { me, stretched };
}
