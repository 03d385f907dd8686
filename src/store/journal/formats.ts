/** The values that stand as JSON that an operator can read: bytes are hexadecimal. */
import { crc32 } from 'node:zlib';
import { fromUtf8, HASH, ID, MODULUS, OPAQUE_RECORD, hex, isName, utf8 } from '../../../protocol/index.js';
import { idBytes, latin1 } from './records.js';
import {
  noSecurity,
  SecondFactor,
  type Account,
  type Attempts,
  type Consent,
  type Grant,
  type Security,
} from '../store.js';

/** How a value stands in a file. */
export interface Format<T> {
  toJson(value: T): unknown;
  /** undefined where this is no such value */
  fromJson(json: unknown): T | undefined;
}

export function toFile<T>(format: Format<T>, value: T): Uint8Array {
  return utf8(JSON.stringify(format.toJson(value)) + '\n');
}

/** undefined where these bytes are no such value. */
export function fromFile<T>(format: Format<T>, bytes: Uint8Array): T | undefined {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined; // not JSON: the only thing JSON.parse throws for
  }
  return format.fromJson(json);
}

type Row = Readonly<Record<string, unknown>>;

function row(json: unknown): Row | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Row) : undefined;
}

/** @param length where there is one that it must have */
function bytes(json: unknown, length?: number): Uint8Array | undefined {
  if (typeof json !== 'string' || json.length % 2 !== 0 || !/^[0-9a-f]*$/.test(json)) return undefined;
  if (length !== undefined && json.length !== 2 * length) return undefined;
  return new Uint8Array(Buffer.from(json, 'hex'));
}

function whole(json: unknown): number | undefined {
  return Number.isSafeInteger(json) && (json as number) >= 0 ? (json as number) : undefined;
}

const securityFormat: Format<Security> = {
  toJson: ({ factor, secret, step, recovery, details, unsettled, disabled }) => ({
    factor,
    secret: hex(secret),
    step,
    recovery: recovery.map((hash) => hex(hash)),
    details: hex(details),
    unsettled,
    disabled,
  }),
  fromJson(json) {
    if (json === undefined) return noSecurity; // written before there was any
    const read = row(json);
    const factor = Object.values(SecondFactor).find((one) => one === read?.['factor']);
    const secret = bytes(read?.['secret']);
    const step = whole(read?.['step']);
    const details = bytes(read?.['details']);
    const hashes: unknown = read?.['recovery'];
    const unsettled = read?.['unsettled'];
    const disabled = read?.['disabled'] ?? false; // before format 4 nobody was
    if (factor === undefined || !secret || step === undefined || !details || !Array.isArray(hashes)) return undefined;
    if (typeof unsettled !== 'boolean' || typeof disabled !== 'boolean') return undefined;
    const recovery = hashes.map((hash) => bytes(hash, HASH)).filter((hash) => hash !== undefined);
    if (recovery.length < hashes.length) return undefined;
    return { factor, secret, step, recovery, details, unsettled, disabled };
  },
};

export const accountFormat: Format<Account> = {
  toJson: (account) => ({
    uid: hex(account.uid),
    name: account.name,
    enc: hex(account.enc),
    sig: hex(account.sig),
    record: hex(account.record),
    words: hex(account.words),
    created: account.created,
    security: securityFormat.toJson(account.security),
  }),
  fromJson(json) {
    const read = row(json);
    const uid = bytes(read?.['uid'], ID);
    const name = read?.['name'];
    const enc = bytes(read?.['enc'], MODULUS);
    const sig = bytes(read?.['sig'], MODULUS);
    const record = bytes(read?.['record'], OPAQUE_RECORD);
    const words = bytes(read?.['words'], HASH);
    const created = whole(read?.['created']);
    if (!uid || typeof name !== 'string' || !isName(name) || !enc || !sig || !record || !words) return undefined;
    const security = securityFormat.fromJson(read?.['security']);
    if (created === undefined || !security) return undefined;
    return { uid, name, enc, sig, record, words, created, security };
  },
};

export const attemptsFormat: Format<Attempts> = {
  toJson: (attempts) => ({ count: attempts.count, last: attempts.last }),
  fromJson(json) {
    const count = whole(row(json)?.['count']);
    const last = whole(row(json)?.['last']);
    return count === undefined || last === undefined ? undefined : { count, last };
  },
};

export const grantsFormat: Format<readonly Grant[]> = {
  toJson: (grants) => grants.map((grant) => ({ hash: hex(grant.hash), ends: grant.ends })),
  fromJson(json) {
    if (!Array.isArray(json)) return undefined;
    const grants: Grant[] = [];
    for (const item of json as readonly unknown[]) {
      const hash = bytes(row(item)?.['hash'], HASH);
      const ends = whole(row(item)?.['ends']);
      if (!hash || ends === undefined) return undefined;
      grants.push({ hash, ends });
    }
    return grants;
  },
};

const consents: ReadonlySet<unknown> = new Set<Consent>(['open', 'declined', 'blocked']);

const consentsFormat: Format<ReadonlyMap<string, Consent>> = {
  toJson: (of) => Object.fromEntries([...of].map(([towards, consent]) => [hex(idBytes(towards)), consent])),
  fromJson(json) {
    const out = new Map<string, Consent>();
    for (const [towards, consent] of Object.entries(row(json) ?? { none: json })) {
      const uid = bytes(towards, ID);
      if (!uid || !consents.has(consent)) return undefined;
      out.set(latin1(uid), consent as Consent);
    }
    return out;
  },
};

/** All that `account.json` holds; there with a check, so that a change by the disk is noticed. */
export interface AccountFile {
  /** LSN: everything up to it is in here */
  readonly lsn: number;
  readonly account: Account;
  readonly attempts: Attempts;
  readonly grants: readonly Grant[];
  readonly consents: ReadonlyMap<string, Consent>;
}

/** CRC-32 of a value as JSON, hexadecimal. */
function checkOf(value: unknown): string {
  return crc32(JSON.stringify(value)).toString(16).padStart(8, '0');
}

export const accountFileFormat: Format<AccountFile> = {
  toJson: ({ lsn, account, attempts, grants, consents: said }) => {
    const value = {
      lsn,
      ...(accountFormat.toJson(account) as Row),
      attempts: attemptsFormat.toJson(attempts),
      grants: grantsFormat.toJson(grants),
      consents: consentsFormat.toJson(said),
    };
    return { ...value, check: checkOf(value) };
  },
  fromJson(json) {
    const { check, ...read } = row(json) ?? {};
    if (check !== checkOf(read)) return undefined;
    const lsn = whole(read['lsn']);
    const account = accountFormat.fromJson(read);
    const attempts = attemptsFormat.fromJson(read['attempts']);
    const grants = grantsFormat.fromJson(read['grants']);
    const said = consentsFormat.fromJson(read['consents']);
    if (lsn === undefined || !account || !attempts || !grants || !said) return undefined;
    return { lsn, account, attempts, grants, consents: said };
  },
};

/**
 * `format.json`. `from`: an upgrade from that format has still to remove what the older one left; `begun`: before that, to
 * make what is new. The format is the newer one from the beginning, so that no older program changes what is under way.
 */
export interface FolderFormat {
  readonly format: number;
  readonly from?: number;
  readonly begun?: boolean;
}

export const folderFormat: Format<FolderFormat> = {
  toJson: (value) => value,
  fromJson(json) {
    const format = whole(row(json)?.['format']);
    const from = whole(row(json)?.['from']);
    if (format === undefined) return undefined;
    if (from === undefined) return { format };
    return row(json)?.['begun'] === true ? { format, from, begun: true } : { format, from };
  },
};
