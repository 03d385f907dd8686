/**
 * The file in which an account moves: one line of JSON that says what it is, a nonce, an AES-128-GCM box of the content with
 * the line as its additional data, and SHA-256 of all before it, by which damage is told from a wrong passphrase (SPEC 7.10).
 */
import {
  canonicalPassword,
  concat,
  exportFileKey,
  fromHex,
  fromUtf8,
  HASH,
  hex,
  isName,
  NONCE,
  samePublic,
  TAG,
  utf8,
} from '../../protocol/index.js';
import { error } from './errors.js';
import { PASSWORD_MIN } from './identity.js';
import type { ClientCrypto } from './ports.js';

const FORMAT = 'cadenas account';
const VERSION = 1;
/** Of Argon2id: KiB, passes, lanes. A file that asks for other ones is none of ours. */
const STRETCH = { memory: 65_536, passes: 3, lanes: 1 } as const;
const SALT = 16;
/** The line, its end included; in bytes. */
const LINE_MAX = 1024;
const NEWLINE = 0x0a;

/** What the file tells without its passphrase. */
export interface AccountFileHeader {
  readonly network: string;
  readonly name: string;
}

interface Line extends AccountFileHeader {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
  /** hexadecimal */
  readonly salt: string;
}

interface Parsed {
  readonly line: Line;
  /** the line as it stands there, with its end */
  readonly bound: Uint8Array;
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}

/** @throws ClientError `weak-passphrase` */
export function checkPassphrase(passphrase: string): void {
  if ([...passphrase].length < PASSWORD_MIN) throw error('weak-passphrase', String(PASSWORD_MIN));
}

export async function sealAccountFile(
  crypto: ClientCrypto,
  { network, name }: AccountFileHeader,
  content: Uint8Array,
  passphrase: string,
): Promise<Uint8Array> {
  checkPassphrase(passphrase);
  const salt = crypto.sync.random(SALT);
  const line: Line = { format: FORMAT, version: VERSION, network, name, ...STRETCH, salt: hex(salt) };
  const bound = utf8(`${JSON.stringify(line)}\n`);
  const nonce = crypto.sync.random(NONCE);
  const box = new Uint8Array(content.length + TAG);
  crypto.sync.aead(await keyOf(crypto, passphrase, salt)).seal(nonce, bound, content, box, 0);
  const all = concat(bound, nonce, box);
  return concat(all, crypto.sync.sha256(all));
}

async function keyOf(crypto: ClientCrypto, passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return exportFileKey(crypto.sync, await crypto.password.stretch(canonicalPassword(passphrase), salt));
}

/** @throws ClientError `no-account-file`, `newer-account-file`, `damaged-account-file` */
export function readAccountFile(crypto: Pick<ClientCrypto, 'sync'>, bytes: Uint8Array): AccountFileHeader {
  const { network, name } = parse(crypto, bytes).line;
  return { network, name };
}

/** @throws ClientError as `readAccountFile`; `wrong-passphrase` */
export async function openAccountFile(
  crypto: ClientCrypto,
  bytes: Uint8Array,
  passphrase: string,
): Promise<AccountFileHeader & { readonly content: Uint8Array }> {
  const { line, bound, nonce, box } = parse(crypto, bytes);
  const key = await keyOf(crypto, passphrase, fromHex(line.salt));
  const content = crypto.sync.aead(key).open(nonce, bound, box);
  if (!content) throw error('wrong-passphrase');
  return { network: line.network, name: line.name, content };
}

function parse({ sync }: Pick<ClientCrypto, 'sync'>, bytes: Uint8Array): Parsed {
  const end = bytes.subarray(0, LINE_MAX).indexOf(NEWLINE) + 1;
  const line = lineOf(bytes.subarray(0, end));
  if (line?.format !== FORMAT) throw error('no-account-file');
  if (Number.isSafeInteger(line.version) && line.version > VERSION) throw error('newer-account-file');
  const [digestAt, nonceEnd] = [bytes.length - HASH, end + NONCE];
  if (digestAt < nonceEnd + TAG || !isSound(line)) throw error('damaged-account-file');
  if (!samePublic(sync.sha256(bytes.subarray(0, digestAt)), bytes.subarray(digestAt)))
    throw error('damaged-account-file');
  return {
    line,
    bound: bytes.subarray(0, end),
    nonce: bytes.subarray(end, nonceEnd),
    box: bytes.subarray(nonceEnd, digestAt),
  };
}

function lineOf(bytes: Uint8Array): Line | undefined {
  try {
    return (JSON.parse(fromUtf8(bytes) ?? '') ?? undefined) as Line | undefined;
  } catch {
    return undefined; // another file
  }
}

/** What was written as this line can be used; nothing stretches by other numbers. */
function isSound({ version, network, name, memory, passes, lanes, salt }: Line): boolean {
  return (
    version === VERSION &&
    typeof network === 'string' &&
    typeof name === 'string' &&
    isName(name) &&
    memory === STRETCH.memory &&
    passes === STRETCH.passes &&
    lanes === STRETCH.lanes &&
    typeof salt === 'string' &&
    /^[0-9a-f]{32}$/.test(salt)
  );
}
