/** What the daemon says of itself, as lines of 80 columns. */
import type { Delays, Status } from '../control/types.js';
import { Mistake, number } from './common.js';

const delays: Delays = { median: 0, p99: 0, max: 0 };
const example: Status = {
  ...{ healthy: true, state: 'serving', disk: 'ok', version: '', network: '', pid: 0, started: 0, now: 0, address: '' },
  ...{ connections: 0, online: 0, accounts: 0, rooms: 0, queued: 0, queuesKnown: 0, journalBytes: 0, writesWaiting: 0 },
  ...{ syncs: { ...delays, count: 0 }, lag: delays, memory: 0 },
  minute: { seconds: 1, logins: {}, registrations: 0, recoveries: 0, messages: 0, refusals: {} },
  history: { every: 1, messages: [0], logins: [0], connections: [0], memory: [0], lag: [0] },
  silent: 0,
};

/** @throws Mistake where another version of the daemon says something else */
export function readStatus(value: unknown): Status {
  const { minute } = (value ?? {}) as Partial<Status>;
  const counts = [minute?.logins, minute?.refusals].flatMap((each) => Object.values(each ?? {}));
  if (fits(value, example) && counts.every((count) => typeof count === 'number')) return value as Status;
  throw new Mistake('the daemon says it in another way — use cadenasd of its own version');
}

function fits(value: unknown, like: unknown): boolean {
  if (Array.isArray(like)) return Array.isArray(value) && value.every((each) => fits(each, like[0]));
  if (typeof like !== 'object' || like === null) return typeof value === typeof like;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(like).every(([key, each]) => fits((value as Record<string, unknown>)[key], each));
}

const NAME = 15;
const VALUE = 12;

/** A name, a value at the right of its place, and what else there is to say. */
function row(name: string, value: string, more = ''): string {
  return `${name.padEnd(NAME)}${value.padStart(VALUE)}  ${more}`.trimEnd();
}

export function statusLines(status: Status): string[] {
  const { version, network, state, address, silent, disk, minute, syncs, lag } = status;
  const perSecond = minute.messages / minute.seconds;
  return [
    `cadenasd ${version} · network ${network} · ${state} on ${address}`,
    `up since ${stamp(status.started)}, ${lasting(status.now - status.started)} · process ${String(status.pid)}`,
    ...(disk === 'ok' ? [] : ['the disk has failed']),
    ...(silent === 0
      ? []
      : [`answers nobody for another ${String(silent)} s: who connected before this start is not on record`]),
    '',
    row('connections', number(status.connections), `${number(status.online)} people online`),
    row('accounts', number(status.accounts), `${number(status.rooms)} rooms`),
    row('queued', number(status.queued), `in ${number(status.queuesKnown)} queues that were used`),
    row('messages', `${perSecond.toFixed(1)}/s`, `in the last ${lasting(1000 * minute.seconds)}`),
    row('disk sync', millis(syncs.median), `median; ${millis(syncs.p99)} for 99 of 100; ${number(syncs.count)} so far`),
    row('loop lag', millis(lag.median), `median; ${millis(lag.p99)} for 99 of 100; ${millis(lag.max)} the worst`),
    row('memory', bytes(status.memory), `journal ${bytes(status.journalBytes)}`),
    '',
    ...columns(loginLines(status), refusalLines(status)),
  ];
}

const half = 38;

function columns(left: readonly string[], right: readonly string[]): string[] {
  const height = Math.max(left.length, right.length);
  return Array.from({ length: height }, (_, n) => `${(left[n] ?? '').padEnd(half)}  ${right[n] ?? ''}`.trimEnd());
}

function loginLines({ minute }: Status): string[] {
  const { logins, registrations, recoveries, seconds } = minute;
  const aMinute = (count: number): string => ((60 * count) / seconds).toFixed(0);
  const lines = Object.entries({ ...logins, registrations, recoveries }).filter(([, count]) => count > 0);
  return ['logins in a minute', ...told(lines.map(([name, count]) => [name, aMinute(count)]))];
}

function refusalLines({ minute }: Status): string[] {
  const lines = Object.entries(minute.refusals).sort(([, a], [, b]) => b - a);
  return ['refused in the last minute', ...told(lines.map(([name, count]) => [name, number(count)]))];
}

function told(lines: readonly (readonly [string, string])[]): string[] {
  if (lines.length === 0) return ['  none'];
  return lines.map(([name, value]) => `  ${name.slice(0, 24).padEnd(24)}${value.padStart(10)}`);
}

export function millis(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

export function bytes(amount: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = amount;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit] ?? ''}`;
}

function stamp(time: number): string {
  return new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC');
}

/** In the two largest units. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([amount]) => amount > 0);
  const told = first < 0 ? units.slice(-1) : units.slice(first, first + 2).filter(([amount]) => amount > 0);
  return told.map(([amount, unit]) => `${String(amount)} ${unit}`).join(' ');
}
