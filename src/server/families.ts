/** The daemon's figures as metrics: names, units, labels from fixed lists, and never anything that a user wrote. */
import { Opcode } from '../../protocol/index.js';
import type { Context } from './context.js';
import { rows } from './dispatch.js';

/** A number with the values of its labels. */
export type Sample = readonly [value: number, ...labels: string[]];

export interface Family {
  /** behind `cadenas_` */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  /** at a scrape */
  readonly read: () => Iterable<Sample>;
}

interface Source {
  readonly context: Context;
  readonly connections: number;
}

export function familiesOf(server: Source): readonly Family[] {
  return [...connectionFamilies(server), ...frameFamilies(server), ...loginFamilies(server), ...storeFamilies(server)];
}

type Value = () => number;
const counter = (name: string, help: string, value: Value): Family => single('counter', name, help, value);
const gauge = (name: string, help: string, value: Value): Family => single('gauge', name, help, value);

function single(kind: Family['kind'], name: string, help: string, value: Value): Family {
  return { kind, name, help, labels: [], read: () => [[value()]] };
}

function counters(name: string, help: string, labels: readonly string[], read: Family['read']): Family {
  return { kind: 'counter', name, help, labels, read };
}

function connectionFamilies(server: Source): Family[] {
  const { counts, presence, refusals } = server.context;
  return [
    counter('connections_total', 'Connections since the start, before their first byte.', () => counts.accepted),
    gauge('connections', 'Connections now.', () => server.connections),
    gauge('people_online', 'People who are logged in now.', () => presence.size),
    counter('handshakes_total', 'Handshakes that made a session.', () => counts.handshakes),
    counters('refusals_total', 'What was refused, by reason.', ['reason'], () =>
      Object.entries(refusals.totals()).map(([reason, count]) => [count, reason]),
    ),
  ];
}

function frameFamilies({ context: { counts } }: Source): Family[] {
  return [
    counters('frames_received_total', 'Commands of clients, by name and step.', ['command'], () =>
      counts.frames.map((count, number) => [count, rows[number - 1]?.struct.name ?? 'other']),
    ),
    counters('answers_total', 'Answers to commands, by their code.', ['command', 'code'], () =>
      counts.answers().map(({ command, code, count }) => [count, command, String(code)]),
    ),
    counters('deliveries_total', 'Entries for users, by whether they were online.', ['recipient'], () => [
      [counts.toOnline, 'online'],
      [counts.toOffline, 'offline'],
    ]),
    counter('pushed_total', 'Entries sent to clients, those that had waited too.', () => counts.pushed),
  ];
}

function loginFamilies({ context: { counts } }: Source): Family[] {
  return [
    counters('logins_total', 'Logins, by how they ended.', ['result'], () =>
      Object.entries(counts.logins).map(([result, count]) => [count, result]),
    ),
    counters('registrations_total', 'Registrations, by how a step of them ended.', ['result'], () => [
      [counts.registrations, 'ok'],
      [counts.refused(Opcode.crea), 'refused'],
    ]),
    counters('recoveries_total', 'Recoveries, by how a step of them ended.', ['result'], () => [
      [counts.recoveries, 'ok'],
      [counts.refused(Opcode.rcov), 'refused'],
    ]),
    counters('mails_total', 'Codes by mail, by whether the mail server took them.', ['result'], () => [
      [counts.mails, 'ok'],
      [counts.mailsFailed, 'failed'],
    ]),
  ];
}

function storeFamilies({ context: { store } }: Source): Family[] {
  return [
    gauge('accounts', 'Accounts.', () => store.figures().accounts),
    gauge('rooms', 'Rooms.', () => store.figures().rooms),
    gauge('queued_entries', 'Entries that wait, in the queues used since the start.', () => store.figures().queued),
    gauge('queues_known', 'Users’ queues used since the start.', () => store.figures().queuesKnown),
    gauge('journal_bytes', 'The journal on the disk, in bytes.', () => store.figures().journalBytes),
    gauge('journal_segments', 'Files of the journal.', () => store.figures().journalSegments),
    gauge('writes_waiting', 'Changes that wait for the disk.', () => store.figures().writesWaiting),
    gauge('writes_waiting_bytes', 'The same in bytes.', () => store.figures().bytesWaiting),
  ];
}
