/** How rooms and those in them are named in the client's tables: `#garden`, and `#garden@bob`. */
import { toName } from '../../../protocol/index.js';
import { error } from '../errors.js';

/** @throws ClientError `bad-room` */
export function roomKey(typed: string): string {
  const bare = typed.startsWith('#') ? typed.slice(1) : typed;
  const name = bare.startsWith('@') ? undefined : toName(bare);
  if (name === undefined) throw error('bad-room', typed);
  return keyOfRoom(name);
}

/** @param name as rooms have them on the wire */
export function keyOfRoom(name: string): string {
  return `#${name}`;
}

/** @param member the key of somebody in it */
export function roomOf(member: string): string {
  return member.slice(0, member.indexOf('@'));
}

export function isRoom(to: string): boolean {
  return to.startsWith('#');
}

/** The name alone. */
export function roomName(key: string): string {
  return key.slice(1);
}

export function memberKey(room: string, name: string): string {
  return `${room}@${name}`;
}

/** A name of the tables as faces see it: of a room, of a person, or of somebody in a room. */
export function splitName(key: string): { readonly room?: string; readonly name: string } {
  if (!isRoom(key)) return { name: key };
  const at = key.indexOf('@');
  return at < 0 ? { room: key.slice(1), name: '' } : { room: key.slice(1, at), name: key.slice(at + 1) };
}
