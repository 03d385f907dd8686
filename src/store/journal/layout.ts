/** Where things are in the folder of a store. Names are hexadecimal ids or the store's own. */
import { join } from 'node:path';

function hexId(id: string): string {
  return Buffer.from(id, 'latin1').toString('hex');
}

export const FORMAT_FILE = 'format.json';
/** With which OPAQUE setup the accounts were made. */
export const SETUP_FILE = 'setup.json';
export const USERS = 'users';
export const ROOMS = 'rooms';
export const ACCOUNT_FILE = 'account.json';
export const QUEUE_FILE = 'queue';
export const ROOM_FILE = 'room';
/** Beside a damaged file: what came for it since. */
export const WAITING_FILE = 'waiting';

export function journalFolder(folder: string): string {
  return join(folder, 'journal');
}

export function indexPath(folder: string): string {
  return join(folder, 'index');
}

export function hellosPath(folder: string): string {
  return join(folder, 'hellos');
}

/** @param uid 16 characters, one a byte */
export function userFolder(folder: string, uid: string): string {
  return join(folder, USERS, hexId(uid));
}

export function roomFolder(folder: string, id: string): string {
  return join(folder, ROOMS, hexId(id));
}

/** 20261121T010203Z: for names of folders. @param time ms since 1970 */
export function stamp(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}
