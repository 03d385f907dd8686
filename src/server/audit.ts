/**
 * What is put on record of unauthorised attempts: when, what, from where, against whom; nothing that was typed. Repeats
 * within a minute are one line and their number, so that nobody fills the disk, or pushes older lines out, cheaply.
 */
import { hex, label, type SyncCrypto } from '../../protocol/index.js';

/** Whom it is about: a uid only where the signature was theirs. */
export type Who = { readonly uid: Uint8Array } | { readonly name: string };

export interface AuditLine {
  /** ms since 1970; of repeats the last one's */
  readonly time: number;
  readonly reason: string;
  /** empty: of many sources, or not to be kept */
  readonly source: string;
  /** hexadecimal */
  readonly uid?: string;
  /** 16 hexadecimal digits */
  readonly nameHash?: string;
  /** so many, and not told by another line */
  readonly count: number;
}

export interface AuditFile {
  /** Never throws; what can't be written is told elsewhere. */
  write(line: AuditLine): void;
  /** All that was written is in the file, or told. */
  close(): Promise<void>;
}

/** The same file, with sources as they may be kept. @param shown empty: not at all */
export function withSources(file: AuditFile, shown: (source: string) => string): AuditFile {
  return {
    write: (line) => {
      file.write({ ...line, source: shown(line.source) });
    },
    close: () => file.close(),
  };
}

const MINUTE_MS = 60_000;
/** Lines that one source, and all together, begin in a minute; beyond it they are counted without who, then without source. */
const SOURCE_LINES = 32;
const LINES = 256;
const NAME_HASH = 8;
const info = label('audit name');

interface Repeats {
  readonly line: AuditLine;
  more: number;
  last: number;
}

/** Of a name under the network's decoy secret: the same name has the same, and nobody finds names from it without the secret. */
export function auditNameHash(sync: SyncCrypto, secret: Uint8Array, name: string): string {
  return hex(sync.hmac(secret, info, Buffer.from(name)).subarray(0, NAME_HASH));
}

export class Audit {
  readonly #file: AuditFile;
  readonly #nameHash: (name: string) => string;
  readonly #now: () => number;
  readonly #lines = new Map<string, Repeats>();
  readonly #bySource = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(file: AuditFile, nameHash: (name: string) => string, now: () => number) {
    this.#file = file;
    this.#nameHash = nameHash;
    this.#now = now;
  }

  add(reason: string, source: string, who: Who | undefined): void {
    const whom = who && ('uid' in who ? { uid: hex(who.uid) } : { nameHash: this.#nameHash(who.name) });
    if (this.#repeated(reason, source, whom)) return;
    if (this.#lines.size < LINES && this.#own(source) < SOURCE_LINES) this.#begin(reason, source, whom);
    else if (this.#repeated(reason, source, undefined)) return;
    else if (this.#lines.size < LINES) this.#begin(reason, source, undefined);
    else if (!this.#repeated(reason, '', undefined)) this.#begin(reason, '', undefined);
  }

  #own(source: string): number {
    return this.#bySource.get(source) ?? 0;
  }

  #repeated(reason: string, source: string, whom: Whom | undefined): boolean {
    const known = this.#lines.get(keyOf(reason, source, whom));
    if (!known) return false;
    known.more++;
    known.last = this.#now();
    return true;
  }

  #begin(reason: string, source: string, whom: Whom | undefined): void {
    const line = { time: this.#now(), reason, source, ...whom, count: 1 };
    this.#lines.set(keyOf(reason, source, whom), { line, more: 0, last: line.time });
    this.#bySource.set(source, this.#own(source) + 1);
    this.#file.write(line);
    this.#timer ??= setTimeout(this.#tell, MINUTE_MS).unref();
  }

  /** The number of repeats, where there were some. */
  readonly #tell = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { line, more, last } of this.#lines.values())
      if (more > 0) this.#file.write({ ...line, time: last, count: more });
    this.#lines.clear();
    this.#bySource.clear();
  };

  async close(): Promise<void> {
    this.#tell();
    await this.#file.close();
  }
}

type Whom = { readonly uid: string } | { readonly nameHash: string };

function keyOf(reason: string, source: string, whom: Whom | undefined): string {
  const of = whom && ('uid' in whom ? `uid ${whom.uid}` : `name ${whom.nameHash}`);
  return `${reason}\n${source}\n${of ?? ''}`;
}
