/** Texts that break what shows texts: for tests of the faces. */
import { Seeded } from '../vectors/seeded.js';

/** Pieces that join with what stands beside them, or that terminals differ on. */
const pieces = [
  ...['a', 'b', 'Z', '7', '_', '-', ' ', ' ', 'word', '\n', '\r\n', 'é', 'ß', 'ĳ', 'Ж', 'ŉ'],
  ...['語', '한', '글', '\u1112\u1161\u11ab', '\u1112', '\u1161', '\u11ab', 'か', 'ガ', '\uff21', '\uff71', '\u3099'],
  ...['\u0301', '\u0316', '\u20dd', '\u20e3', '\u200d', '\u200c', '\ufe0f', '\ufe0e', '\u034f', '\u00ad', '\u200b'],
  ...['👩', '👍🏽', '👩‍👩‍👧', '🇫', '🇷', '🇫🇷', '1️⃣', '#️⃣', '❤️', '©', '🏽', '🏴\u{e0067}\u{e007f}', '🫩', '\u2060'],
  ...['क्षि', 'काः', 'กำ', 'ா', 'نص', 'ש', '\u0600', '\u0d4e', '\ufdfd', '\u3164', '\u115f', '\u{1f1ff}', '\u2800'],
  ...[
    '\ud83d',
    '\udc69',
    '\ud800',
    '\uffff',
    '\u0378',
    '\u{10ffff}',
    '\u{e000}',
    '\u2028',
    '\u0007',
    '\u001b',
    '\u009b',
  ],
];

export function hostileText(random: Seeded, most: number): string {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(pieces)).join('');
}

/** Each is long, and one character or nearly. */
export const floods: Readonly<Record<string, string>> = {
  'zero-width joiners': '\u200d'.repeat(1 << 20),
  zalgo: `a${'\u0301\u0316'.repeat(1 << 19)}`,
  'flags in an odd number': '\u{1f1eb}'.repeat((1 << 16) + 1),
  'lone surrogates': '\udc00'.repeat(1 << 16),
  conjuncts: 'क्'.repeat(1 << 18),
  prefixes: '\u0600'.repeat(1 << 18),
  'right to left': 'שלום '.repeat(1 << 14),
  families: '👩‍👩‍👧'.repeat(1 << 14),
  'a family without end': '👩‍'.repeat(1 << 17),
};

export function newSeed(): string {
  return process.env['SEED'] ?? String(Date.now());
}

/** For the name of an assertion: tap drops one, failed or not, that has U+2028 in it. */
export function escaped(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
