/** `cadenasd user` and `cadenasd room`: of a daemon that runs. */
import type { RoomRow, UserFacts, UserRow } from '../control/types.js';
import { withDaemon, type Asked } from './ask.js';
import { confirm, count, Exit, Mistake, number, Speech, userName, type ExitCode } from './common.js';

export interface Deleting {
  readonly yes?: boolean;
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

/* What can't be read is a matter of cadenasd check. */
const waiting = ({ queued }: UserRow): string => (queued === null ? 'damaged' : number(queued));

const columns = (name: string, state: string, queued: string): string[] => [
  name.padEnd(18),
  state.padEnd(8),
  queued.padStart(7),
];

export function listUsers(where: Asked): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    let online = 0;
    speech.title([...columns('name', 'state', 'waiting'), 'registered', 'uid'].join('  '));
    const { users } = await daemon.ask<{ users: number }>('users', {}, (row: UserRow) => {
      if (row.online) online++;
      const there = row.disabled ? 'disabled' : row.online ? 'online' : '-';
      const cells = [...columns(`@${row.name}`, there, waiting(row)), day(row.created), row.uid];
      speech.say('user', { ...row }, cells.join('  '));
    });
    speech.say('result', { users, online }, `${count(users, 'account')}, ${number(online)} online`);
    return Exit.done;
  });
}

export function showUser(where: Asked, typed: string): Promise<ExitCode> {
  const speech = new Speech(where);
  const name = userName(typed);
  return withDaemon(where, async (daemon) => {
    const facts = await daemon.ask<UserFacts>('user', { name });
    const rows = {
      uid: facts.uid,
      registered: new Date(facts.created).toISOString(),
      online: facts.online ? 'yes' : 'no',
      disabled: facts.disabled ? 'yes' : 'no',
      queued: waiting(facts),
      sessions: number(facts.sessions),
      'second factor': facts.secondFactor,
      'rooms owned': facts.rooms.length === 0 ? 'none' : facts.rooms.join(', '),
    };
    const lines = Object.entries(rows).map(([what, value]) => `${what.padEnd(14)} ${value}`);
    speech.say('user', { ...facts }, `@${facts.name}`, ...lines);
    return Exit.done;
  });
}

export function disableUser(where: Asked, typed: string): Promise<ExitCode> {
  return changeUser(where, typed, 'disable-user', 'disabled', 'Nobody logs in as them; what waits for them is kept.');
}

export function enableUser(where: Asked, typed: string): Promise<ExitCode> {
  return changeUser(where, typed, 'enable-user', 'enabled', 'They can log in.');
}

function changeUser(
  where: Asked,
  typed: string,
  command: 'disable-user' | 'enable-user',
  state: string,
  then: string,
): Promise<ExitCode> {
  const speech = new Speech(where);
  const name = userName(typed);
  return withDaemon(where, async (daemon) => {
    const { uid, changed } = await daemon.ask<{ uid: string; changed: boolean }>(command, { name });
    speech.say(state, { name, uid, changed }, `${state} @${name} (${uid})${changed ? '' : ', as before'}`, then);
    return Exit.done;
  });
}

export function deleteUser(where: Asked & Deleting, typed: string): Promise<ExitCode> {
  const speech = new Speech(where);
  const name = userName(typed);
  return withDaemon(where, async (daemon) => {
    const { queued, rooms } = await daemon.ask<UserFacts>('user', { name });
    const what = `${count(queued ?? 0, 'message')} that wait for them and ${count(rooms.length, 'room')} of theirs`;
    await confirm(`Delete @${name} with ${what} for good?`, where.yes);
    const { uid } = await daemon.ask<{ uid: string }>('delete-user', { name });
    speech.say(
      'deleted',
      { name, uid, messages: queued, rooms: rooms.length },
      `deleted @${name} (${uid}) with ${what}`,
      'Members of their rooms were told, and the name is free. Backups that were made before still hold the account.',
    );
    return Exit.done;
  });
}

export function listRooms(where: Asked): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    const { rooms } = await daemon.ask<{ rooms: number }>('rooms', {}, (row: RoomRow) => {
      const facts = [
        count(row.members, 'member'),
        count(row.invited, 'invited', 'invited'),
        `epoch ${number(row.epoch)}`,
      ];
      const owner = row.owner === null ? 'nobody' : `@${row.owner}`;
      const line = [row.name.padEnd(20), `of ${owner}`.padEnd(20), ...facts, count(row.messages, 'message')];
      speech.say('room', { ...row }, line.join('  '));
    });
    speech.say('result', { rooms }, count(rooms, 'room'));
    return Exit.done;
  });
}

export function deleteRoom(where: Asked & Deleting, typed: string): Promise<ExitCode> {
  const speech = new Speech(where);
  const name = typed.replace(/^#/, '');
  if (!/^[a-z][a-z0-9_]{2,31}$/.test(name))
    throw new Mistake('no room can have this name — cadenasd room list shows all');
  return withDaemon(where, async (daemon) => {
    await confirm(`Delete the room ${name} with all that was said in it for good?`, where.yes);
    const { id } = await daemon.ask<{ id: string }>('delete-room', { name });
    speech.say('deleted', { name, id }, `deleted the room ${name} (${id}); everybody in it was told`);
    return Exit.done;
  });
}
