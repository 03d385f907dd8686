/** What people are told of each other, of times and of texts on their way. All text of others passes through plain.ts. */
import type { ContactView, OutgoingState, Relation, SafetyView } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';

export const marks: Readonly<Record<OutgoingState, string>> = {
  waiting: '…',
  queued: '✓',
  delivered: '✓✓',
  read: '✓✓ read',
  failed: '✗',
};

/** Hours and minutes where one is. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long, and until when. @param ends @param now ms since 1970 */
export function lastingText(ends: number, now: number): string {
  const hours = Math.round((ends - now) / HOUR_MS);
  const long = hours >= 1 ? `for ${String(hours)} hour${hours === 1 ? '' : 's'}, ` : '';
  return `${long}${untilText(ends, now)}`;
}

/** With the day, which a clock time alone leaves open. @param ends @param now ms since 1970 */
export function untilText(ends: number, now: number): string {
  return `until ${clockTime(ends)} ${dayText(ends, now)}`;
}

function dayText(ms: number, now: number): string {
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  /* Rounded: a day has 23 to 25 hours where clocks are changed. */
  const days = Math.round((midnight(ms) - midnight(now)) / DAY_MS);
  if (days === 0) return 'today';
  if (days === 1) return 'tomorrow';
  const date = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `on ${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A fingerprint as two people read it to each other: 16 bytes in 8 groups. */
export function spoken(fingerprint: string): string {
  return (fingerprint.slice(0, 32).match(/.{1,4}/g) ?? []).join(' ');
}

const relations: Readonly<Record<Relation, string>> = {
  open: 'contact',
  asked: 'asked, has not answered yet',
  requested: 'asks you: accept or decline',
  declined: 'declined by you',
  refused: 'declined you',
  blocked: 'blocked by you',
};
const checks = {
  same: 'keys checked',
  different: 'THE DAEMON GIVES OTHER KEYS',
  unknown: 'unknown to the daemon',
  unpinned: 'no keys yet',
} as const;

export function contactLine(contact: ContactView): string {
  const parts = [relations[contact.relation]];
  if (contact.changed) parts.push('KEYS CHANGED: nothing is sent');
  if (contact.verified) parts.push('verified');
  if (contact.check) parts.push(checks[contact.check]);
  if (contact.fingerprint !== '') parts.push(`keys ${spoken(contact.fingerprint)}`);
  return `@${plainLine(contact.name)}  ${parts.join('; ')}`;
}

/** Digits in groups of five, four groups a line; then the words, three a line: each line of words is ten digits. */
export function safetyText(view: SafetyView): string {
  const groups = view.number.match(/.{5}/g) ?? [];
  const rows = (all: readonly string[], each: number): string[] =>
    Array.from(
      { length: Math.ceil(all.length / each) },
      (_, i) => `  ${all.slice(i * each, (i + 1) * each).join(' ')}`,
    );
  return [...rows(groups, 4), '', ...rows(view.words, 3)].join('\n');
}
