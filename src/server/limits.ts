/** Every limit of the daemon, by the name it has in `--limit NAME=NUMBER`. */

import { ROOM_MEMBERS } from '../../protocol/index.js';

export const limitTable = {
  connections: { value: 20_000, unit: 'connections', what: 'connections at once' },
  'connections-per-source': { value: 4_096, unit: 'connections', what: 'connections at once from one address' },
  'connections-per-second': {
    value: 20,
    unit: 'connections in a second',
    what: 'new connections from one address in a second',
  },
  'connection-burst': { value: 400, unit: 'connections', what: 'the same at once, after a pause' },
  'hello-seconds': {
    value: 10,
    unit: 'seconds',
    max: 3_600,
    what: 'seconds in which a connection must have sent its HELLO',
  },
  'login-seconds': {
    value: 600,
    unit: 'seconds',
    max: 86_400,
    what: 'seconds in which somebody must have logged in on a connection',
  },
  handshakes: { value: 512, unit: 'handshakes', what: 'handshakes under way at once' },
  'handshakes-per-source': { value: 64, unit: 'handshakes', what: 'handshakes under way at once from one address' },
  logins: {
    value: 256,
    unit: 'logins',
    what: 'logins being checked at once; as many new keys may wait to be compared',
  },
  'logins-per-source': { value: 16, unit: 'logins', what: 'logins being checked at once from one address' },
  'registrations-per-hour': {
    value: 60,
    unit: 'registrations in an hour',
    what: 'registrations begun from one address in an hour',
  },
  'key-changes-per-day': {
    value: 10,
    unit: 'changes in a day',
    what: 'new keys of one user in a day, each of which all contacts are told of',
  },
  'mails-per-hour': {
    value: 200,
    unit: 'mails in an hour',
    what: 'codes sent by mail in an hour; at most half of them to new addresses',
  },
  'mails-per-hour-per-source': {
    value: 10,
    unit: 'mails in an hour',
    what: 'the same that one address of the network asked for; those to new addresses apart',
  },
  'mails-per-hour-to-one': {
    value: 5,
    unit: 'mails in an hour',
    what: 'the same for one account, and to one mailbox; those to new addresses apart',
  },
  'logins-per-minute': {
    value: 120,
    unit: 'logins in a minute',
    what: 'logins of one user in a minute, those that succeed too',
  },
  'source-logins-per-minute': {
    value: 1_200,
    unit: 'logins in a minute',
    what: 'logins begun from one address in a minute',
  },
  'failures-per-quarter': {
    value: 60,
    unit: 'failures in 15 minutes',
    what: 'proofs that fail from one address in 15 minutes; with more it is shut out for 1 minute, then 2, 4, up to an hour',
  },
  'lookups-per-minute': {
    value: 60,
    unit: 'requests in a minute',
    what: 'requests, their answers, blocks, key look-ups, changes of rooms, keys and password by one user in a minute',
  },
  'source-lookups-per-minute': { value: 600, unit: 'requests in a minute', what: 'the same from one address' },
  'messages-per-second': {
    value: 5,
    unit: 'messages in a second',
    what: 'messages, or parts of long ones, by one user in a second; ten times as many from one address',
  },
  'message-burst': { value: 200, unit: 'messages', what: 'the same at once, after a pause' },
  'commands-per-second': { value: 100, unit: 'commands in a second', what: 'other commands by one user in a second' },
  'command-burst': { value: 2_000, unit: 'commands', what: 'the same at once, after a pause' },
  'epoch-frames': {
    value: 1_048_576,
    unit: 'frames',
    min: 1_024,
    max: 1_048_576,
    what: 'frames that the daemon sends one client under one key',
  },
  window: { value: 64, unit: 'messages', max: 65_535, what: 'messages of one client that wait for their answer' },
  flights: { value: 256, unit: 'deliveries', what: 'deliveries to one client that wait for their acknowledgement' },
  'queue-entries': {
    value: 10_000,
    unit: 'entries',
    what: 'entries in the queue of one user; half of them from one other, or one room',
  },
  'queue-bytes': { value: 33_554_432, unit: 'bytes', what: 'bytes in the queue of one user, as kept; likewise' },
  'journal-bytes': {
    value: 32 * 1024 * 1024,
    unit: 'bytes',
    what: 'bytes of the journal after which a checkpoint is made',
  },
  accounts: { value: 100_000, unit: 'accounts', what: 'accounts of the network' },
  rooms: { value: 10_000, unit: 'rooms', what: 'rooms of the network' },
  'rooms-per-user': { value: 20, unit: 'rooms', what: 'rooms that one user owns' },
  'room-members': {
    value: ROOM_MEMBERS,
    unit: 'people',
    max: ROOM_MEMBERS,
    what: 'people in a room, those invited included',
  },
  'room-failures-per-quarter': {
    value: 60,
    unit: 'failures in 15 minutes',
    what: 'wrong passwords for one room in 15 minutes; with more its password opens it to nobody, as long',
  },
} as const;

export type LimitName = keyof typeof limitTable;
export type Limits = Readonly<Record<LimitName, number>>;

export const defaultLimits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as Limits;

/** From least to most. */
export function limitRange(name: LimitName): readonly [number, number] {
  const { min = 1, max = 999_999_999 } = limitTable[name] as { readonly min?: number; readonly max?: number };
  return [min, max];
}

/* Times, in ms. */
/** An online recipient's acknowledgement; after it the message goes to the disk. */
export const ACKNOWLEDGE_MS = 250;
/** After the store failed a mailbox, it tries again. */
export const DRAIN_RETRY_MS = 1_000;
/** Answers to `auth`, and to the first steps of `jrms`, leave at multiples of this after the request. */
export const PACE_MS = 25;
/** A reader that takes nothing for this long is cut. */
export const CONGESTION_MS = 60_000;
/** How long a stop may take before what is left is cut. */
export const STOP_MS = 4_000;

/** Bytes waiting for a slow reader before nothing more is pushed to it and nothing more is read from it. */
export const CONGESTED_BYTES = 1024 * 1024;
/** Rooms in memory; beyond it the longest unused are read again when needed. */
export const ROOMS_IN_USE = 128;
/**
 * Deliveries of rooms' messages under way at once, of all rooms together: what waits for the disk leaves room for
 * everybody else. Of one message there may be more.
 */
export const ROOM_DELIVERIES = 8_192;
/** Contacts who are told of new keys at once. */
export const TOLD_AT_ONCE = 64;
/** Accounts that are looked up at once. */
export const LOOKED_UP_AT_ONCE = 16;
/** Tries of a login on one connection. */
export const LOGINS_PER_CONNECTION = 3;
/** Wrong codes for one that was sent by mail, or while a second factor is set up: then it is void, and has to be begun anew. */
export const CODE_TRIES = 5;
/** Wrong codes of a second factor for one account in the time of a session; with more none is looked at for a while. */
export const WRONG_CODES = 10;
/** Logins begun with the device's key and not finished, before each further one must wait. */
export const FREE_ATTEMPTS = 10;
export const ATTEMPT_WAIT_MS = 30_000;
export const ATTEMPT_WAIT_MAX_MS = 3600_000;
