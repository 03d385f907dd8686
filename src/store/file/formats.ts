/** The values that stand in files of their own, as JSON that an operator can read: bytes are hexadecimal. */
import { HASH, ID, MODULUS, OPAQUE_RECORD, hex, isName } from '../../../protocol/index.js';
import type { Account, Attempts, Consent, Grant } from '../store.js';
import type { Format } from './document.js';

type Row = Readonly<Record<string, unknown>>;

function row(json: unknown): Row | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Row) : undefined;
}

function bytes(json: unknown, length: number): Uint8Array | undefined {
  if (typeof json !== 'string' || json.length !== 2 * length || !/^[0-9a-f]*$/.test(json)) return undefined;
  return new Uint8Array(Buffer.from(json, 'hex'));
}

function whole(json: unknown): number | undefined {
  return Number.isSafeInteger(json) && (json as number) >= 0 ? (json as number) : undefined;
}

export const accountFormat: Format<Account | undefined> = {
  empty: undefined,
  toJson: (account) =>
    account && {
      uid: hex(account.uid),
      name: account.name,
      enc: hex(account.enc),
      sig: hex(account.sig),
      record: hex(account.record),
      words: hex(account.words),
      created: account.created,
    },
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
    return created === undefined ? undefined : { uid, name, enc, sig, record, words, created };
  },
};

export const attemptsFormat: Format<Attempts> = {
  empty: { count: 0, last: 0 },
  toJson: (attempts) => ({ count: attempts.count, last: attempts.last }),
  fromJson(json) {
    const count = whole(row(json)?.['count']);
    const last = whole(row(json)?.['last']);
    return count === undefined || last === undefined ? undefined : { count, last };
  },
};

export const grantsFormat: Format<readonly Grant[]> = {
  empty: [],
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

export const consentFormat: Format<Consent | undefined> = {
  empty: undefined,
  toJson: (consent) => ({ consent }),
  fromJson(json) {
    const consent = row(json)?.['consent'];
    return consents.has(consent) ? (consent as Consent) : undefined;
  },
};

export const folderFormat: Format<{ readonly format: number } | undefined> = {
  empty: undefined,
  toJson: (value) => value,
  fromJson(json) {
    const format = whole(row(json)?.['format']);
    return format === undefined ? undefined : { format };
  },
};
