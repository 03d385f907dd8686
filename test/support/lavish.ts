/** Limits that are in nobody's way: what is repeated quickly in tests and measurements would meet those that are usual. */
import type { LimitName } from '../../src/server/limits.js';

const MANY = 1_000_000;

const names = [
  ...['connections-per-second', 'connection-burst', 'registrations-per-hour', 'key-changes-per-day'],
  ...['logins-per-minute', 'source-logins-per-minute', 'failures-per-quarter', 'room-failures-per-quarter'],
  ...['lookups-per-minute', 'source-lookups-per-minute'],
  ...['messages-per-second', 'message-burst', 'commands-per-second', 'command-burst'],
] as readonly LimitName[];

export const lavishLimits = Object.fromEntries(names.map((name) => [name, MANY])) as Partial<Record<LimitName, number>>;

/** The same on the command line of the daemon. */
export const lavishArgs: readonly string[] = names.flatMap((name) => ['--limit', `${name}=${String(MANY)}`]);
