import { utf8 } from './bytes.js';

/** Every label and info of the protocol, in one place (SPEC 1.4). */
export function label(text: string): Uint8Array {
  return utf8(`cadenas/1 ${text}`);
}

export const Label = {
  /** OAEP */
  s1: label('s1'),
  s2: label('s2'),
  pm: label('pm'),
  pop: label('pop'),
  epoch: label('epoch'),
  /** OAEP of a room's key, PSS of a room's message */
  room: label('room'),
  /** PSS */
  login: label('login'),
  keys: label('keys'),
  request: label('request'),
  accept: label('accept'),
  roomHead: label('room head'),
  roomEntry: label('room entry'),
  invite: label('invite'),
  /** of keys that take the place of others: by the new ones, then by those before */
  change: label('change'),
  former: label('former'),
} as const;
