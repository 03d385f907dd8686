/**
 * Keys that the operator lists as compromised: a text file with the SHA-256 of a key's SubjectPublicKeyInfo (DER) in each
 * line, as `openssl pkey -pubin -outform DER | sha256sum` writes it.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { concat, fromHex, HASH, type SyncCrypto } from '../../protocol/index.js';

/** The operator can mend it: the message is one line, with path and line. */
export class BlocklistRefusal extends Error {
  override readonly name = 'BlocklistRefusal';
}

/** 160 MB of memory; all keys for TLS and SSH that are known to be compromised are fewer. */
export const MAX_LISTED = 5_000_000;
/** bytes that are read at once; no line is longer */
const PIECE = 64 * 1024;
/** Hashes in a block of memory while the file is read. */
const AT_ONCE = 4096;

/** Of RSA with 2048 bits, e = 65537: what stands before and behind the modulus (RFC 8017, RFC 5280). */
const before = fromHex('30820122300d06092a864886f70d01010105000382010f003082010a0282010100');
const behind = fromHex('0203010001');

export type IsListed = (modulus: Uint8Array) => boolean;

export interface Blocklist {
  /** lines with a hash, those that stand there twice included */
  readonly hashes: number;
  readonly isListed: IsListed;
}

/**
 * Empty lines and those that begin with `#` say nothing; a hash is 64 hexadecimal digits at the beginning of its line, and
 * what stands behind it and white space is passed over, as the file's name that sha256sum writes.
 * @throws BlocklistRefusal where it can't be read, has another line, or more than five million hashes
 */
export async function readBlocklist(path: string, sync: Pick<SyncCrypto, 'sha256'>): Promise<Blocklist> {
  /* Not to be waited for: a pipe that nobody writes to would hold up every reload, and the end. */
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => unreadable(path, error));
  try {
    if ((await file.stat()).isFIFO()) throw new BlocklistRefusal(`${path} is a pipe — name a file for the blocklist`);
    const table = sorted((await readHashes(path, file)).blocks());
    const isListed: IsListed = (modulus) => table.has(sync.sha256(concat(before, modulus, behind)));
    return { hashes: table.hashes, isListed };
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: unknown): never {
  const { code = 'error' } = error as NodeJS.ErrnoException;
  throw new BlocklistRefusal(`can't read ${path} (${code}) — check the path of the blocklist`);
}

/** Hashes one behind another, in blocks of memory. */
class Hashes {
  readonly #full: Buffer[] = [];
  #last = Buffer.alloc(AT_ONCE * HASH);
  #inLast = 0;

  get count(): number {
    return this.#full.length * AT_ONCE + this.#inLast;
  }

  add(hex: string): void {
    this.#last.write(hex, HASH * this.#inLast++, 'hex');
    if (this.#inLast < AT_ONCE) return;
    this.#full.push(this.#last);
    [this.#last, this.#inLast] = [Buffer.alloc(AT_ONCE * HASH), 0];
  }

  blocks(): readonly Buffer[] {
    return [...this.#full, this.#last.subarray(0, this.#inLast * HASH)];
  }
}

async function readHashes(path: string, file: FileHandle): Promise<Hashes> {
  const hashes = new Hashes();
  let line = 0;
  for await (const text of linesOf(path, file)) {
    line++;
    if (text.startsWith('#') || text.trim() === '') continue;
    const hash = /^([0-9a-fA-F]{64})(?:\s|$)/.exec(text)?.[1];
    if (hash === undefined)
      throw new BlocklistRefusal(
        `${path}:${String(line)} is not the SHA-256 of a key — write 64 hexadecimal digits, or # before a remark`,
      );
    if (hashes.count === MAX_LISTED)
      throw new BlocklistRefusal(`${path}:${String(line)} is beyond ${String(MAX_LISTED)} keys — shorten the list`);
    hashes.add(hash);
  }
  return hashes;
}

/** @throws BlocklistRefusal where one has more than 64 KiB: it is no text, and must not fill the memory */
async function* linesOf(path: string, file: FileHandle): AsyncGenerator<string> {
  const piece = Buffer.alloc(PIECE);
  let rest = '';
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE).catch((error: unknown) => unreadable(path, error));
    const lines = (rest + piece.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > PIECE)
      throw new BlocklistRefusal(`${path} has a line of more than ${String(PIECE)} bytes — it is no list of keys`);
    if (bytesRead > 0) continue;
    yield rest;
    return;
  }
}

/** 32 bytes for each hash, in the order of their first two: those are looked through that begin alike. */
function sorted(blocks: readonly Buffer[]): { readonly hashes: number; has(hash: Uint8Array): boolean } {
  const starts = new Uint32Array(2 ** 16 + 1);
  const each = (visit: (block: Buffer, at: number, first: number) => void): void => {
    for (const block of blocks)
      for (let at = 0; at < block.length; at += HASH) visit(block, at, block.readUInt16BE(at));
  };
  each((_, __, first) => {
    starts[first + 1] = (starts[first + 1] ?? 0) + 1;
  });
  for (let first = 0; first < 2 ** 16; first++) starts[first + 1] = (starts[first + 1] ?? 0) + (starts[first] ?? 0);
  const hashes = starts.at(-1) ?? 0;
  const table = Buffer.alloc(hashes * HASH);
  const next = starts.slice();
  each((block, at, first) => {
    const place = next[first] ?? 0;
    block.copy(table, place * HASH, at, at + HASH);
    next[first] = place + 1;
  });
  return {
    hashes,
    has: (hash) => {
      const first = Buffer.from(hash.subarray(0, 2)).readUInt16BE();
      for (let at = starts[first] ?? 0; at < (starts[first + 1] ?? 0); at++)
        if (table.compare(hash, 0, HASH, at * HASH, (at + 1) * HASH) === 0) return true;
      return false;
    },
  };
}
