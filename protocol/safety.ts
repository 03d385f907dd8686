/** What two people compare to know that nobody stands between them (SPEC 7.5): 60 digits, or the same as 18 words. */
import { isBelow, readUint } from './bytes.js';
import type { SyncCrypto } from './crypto-port.js';
import { label } from './labels.js';
import { wordlist } from './words.js';

/** Hashing again and again makes keys that agree with somebody's in part as dear as many tries. */
const ROUNDS = 5200;
const GROUPS = 6;
const GROUP_BYTES = 5;
const GROUP_DIGITS = 5;
const WORDS_DIGITS = 10;
const WORDS_EACH = 3;
const info = label('safety');

export interface SafetyParty {
  readonly uid: Uint8Array;
  /** of SPEC 7.2 */
  readonly fingerprint: Uint8Array;
}

/** One person's 30 digits: some milliseconds of hashing, so nothing for a hot path. */
function half(sync: SyncCrypto, { uid, fingerprint }: SafetyParty): string {
  let digest = sync.sha256(info, uid, fingerprint);
  for (let round = 0; round < ROUNDS; round++) digest = sync.sha256(info, digest, fingerprint);
  return Array.from({ length: GROUPS }, (_, i) =>
    String(readUint(digest, i * GROUP_BYTES, GROUP_BYTES) % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0'),
  ).join('');
}

/** 60 digits, the same whoever computes them: those of the lower uid first. */
export function safetyNumber(sync: SyncCrypto, a: SafetyParty, b: SafetyParty): string {
  const [low, high] = isBelow(a.uid, b.uid) ? [a, b] : [b, a];
  return half(sync, low) + half(sync, high);
}

/** The same number as 18 words: each ten digits are three, most significant first. */
export function safetyWords(number: string): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < number.length; at += WORDS_DIGITS) {
    let rest = Number(number.slice(at, at + WORDS_DIGITS));
    const three: string[] = [];
    for (let i = 0; i < WORDS_EACH; i++) {
      const nth = rest % wordlist.length;
      three.unshift(...wordlist.slice(nth, nth + 1));
      rest = Math.floor(rest / wordlist.length);
    }
    words.push(...three);
  }
  return words;
}

const CODE = 'CADENAS:1:SAFETY:';

/** What stands in the QR code by which two devices compare (SPEC 7.5): capitals and digits alone, so that it is small. */
export function safetyCode(number: string): string {
  return CODE + number;
}

/** The 60 digits of such a code, or of what a person copied of them; undefined where it is neither. */
export function readSafetyCode(text: string): string | undefined {
  const compact = text.replace(/\s/g, '').toUpperCase();
  const digits = compact.startsWith(CODE) ? compact.slice(CODE.length) : compact;
  return /^[0-9]{60}$/.test(digits) ? digits : undefined;
}
