/** Names of rooms and people as they are typed, and rooms as they are addressed. */
import { toName } from '../../../protocol/index.js';
import { error } from '../../client/index.js';

/** A leading # and capitals are forgiven; undefined where it is no name of a room. */
export function toRoom(typed: string): string | undefined {
  const bare = typed.startsWith('#') ? typed.slice(1) : typed;
  return bare.startsWith('@') ? undefined : toName(bare); // who writes @ means a person
}

/** @throws ClientError `bad-room`, before anybody is asked for secrets */
export function roomName(typed: string): string {
  const room = toRoom(typed);
  if (room === undefined) throw error('bad-room', typed);
  return room;
}

/** @throws ClientError `bad-name` */
export function personName(typed: string): string {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  return name;
}

/** The room behind an address of the core, which has a # before it: a field that rows of rooms alone have. */
export function roomField(to: string): { readonly room?: string } {
  return to.startsWith('#') ? { room: to.slice(1) } : {};
}
