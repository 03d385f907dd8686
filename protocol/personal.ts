/** What somebody may tell of themselves when they register (SPEC 6.2). Both sides look at it: nobody else ever sees it. */
import { fromUtf8 } from './bytes.js';
import { EMAIL_MAX, FULL_NAME_MAX } from './limits.js';

/** Of an address before its @, in bytes (RFC 5321 section 4.5.3.1.1). */
const LOCAL_MAX = 64;
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * The full name; empty where none is told.
 * @returns undefined where it is longer than 96 bytes, not UTF-8, or has a control character (category Cc) or a line or
 * paragraph separator
 */
export function readFullName(bytes: Uint8Array): string | undefined {
  const text = bytes.length > FULL_NAME_MAX ? undefined : fromUtf8(bytes);
  return text === undefined || /[\p{Cc}\u2028\u2029]/u.test(text) ? undefined : text;
}

/**
 * The address for mail; empty where none is told.
 * @returns undefined where it is no `Dot-string "@" Domain` of RFC 5321 section 4.1.2 in ASCII with a domain of at least two
 * labels, the last of which is no number, or is longer than 254 bytes or, before the @, 64
 */
export function readEmail(bytes: Uint8Array): string | undefined {
  const text = bytes.length > EMAIL_MAX ? undefined : fromUtf8(bytes);
  if (text === undefined || text === '') return text;
  const at = text.indexOf('@');
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  const labels = domain.split('.');
  const isSound =
    at > 0 &&
    local.length <= LOCAL_MAX &&
    LOCAL.test(local) &&
    labels.length >= 2 &&
    labels.every((each) => LABEL.test(each)) &&
    !/\.[0-9]+$/.test(domain);
  return isSound ? text : undefined;
}
