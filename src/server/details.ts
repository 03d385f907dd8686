/** What somebody told of themselves when they registered: kept sealed, shown to nobody else (SPEC 6.2). */
import { concat, fromUtf8, utf8 } from '../../protocol/index.js';
import type { Account } from '../store/store.js';
import type { AtRest } from './at-rest.js';

/** Empty where nothing was told. */
export interface Details {
  readonly fullName: string;
  /** an address that was shown to be theirs, by a code */
  readonly email: string;
}

const FORMAT = 1;
const DETAILS = 'details';

/** u8 format, then twice u8 length and so many bytes of UTF-8. */
function write({ fullName, email }: Details): Uint8Array {
  const fields = [fullName, email].map((text) => utf8(text));
  return concat(Uint8Array.of(FORMAT), ...fields.flatMap((field) => [Uint8Array.of(field.length), field]));
}

function read(bytes: Uint8Array): Details | undefined {
  const length = bytes[1] ?? 0;
  const rest = 2 + length;
  if (bytes[0] !== FORMAT || bytes.length !== rest + 1 + (bytes[rest] ?? 0)) return undefined;
  const fullName = fromUtf8(bytes.subarray(2, rest));
  const email = fromUtf8(bytes.subarray(rest + 1));
  return fullName === undefined || email === undefined ? undefined : { fullName, email };
}

export function sealDetails(atRest: AtRest, uid: Uint8Array, details: Details): Uint8Array {
  if (details.fullName === '' && details.email === '') return new Uint8Array(0);
  return atRest.seal(uid, DETAILS, write(details));
}

/** undefined where it was sealed under other keys. */
export function openDetails(atRest: AtRest, uid: Uint8Array, sealed: Uint8Array): Details | undefined {
  if (sealed.length === 0) return { fullName: '', email: '' };
  const opened = atRest.open(uid, DETAILS, sealed);
  return opened && read(opened);
}

interface Sealing {
  readonly atRest: AtRest;
}

/** @throws Error where they were sealed under other keys than the daemon's */
export function detailsOf({ atRest }: Sealing, { uid, security }: Account): Details {
  const details = openDetails(atRest, uid, security.details);
  if (!details) throw new Error('what was told at a registration was sealed under other keys');
  return details;
}

/** The account with something else told; for `changeAccount`. */
export function withDetails(context: Sealing, account: Account, change: Partial<Details>): Account {
  const details = { ...detailsOf(context, account), ...change };
  return { ...account, security: { ...account.security, details: sealDetails(context.atRest, account.uid, details) } };
}
