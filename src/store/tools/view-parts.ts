/** Parts of users and rooms in a view: the file, and the journal's records behind it. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import type { AccountState } from '../journal/account.js';
import { readPlaces, withFile } from '../journal/record-file.js';
import { MailState, parseMail } from '../journal/mail.js';
import { queuePath, readAccountFile, readMail, readRoomFile, roomPath } from '../journal/part-files.js';
import type { Place, View } from './reader.js';
import { partKey, type PartKey } from '../journal/records.js';
import type { RoomState } from '../journal/room.js';
import { ACCOUNT_FILE, userFolder } from '../journal/layout.js';

interface Logged {
  readonly lsn: number;
  readonly payload: Uint8Array;
}

export interface PartRead<S> {
  readonly state: S;
  /** LSN: everything up to it is in the file; 0 where there is no file */
  readonly upTo: number;
}

/** @throws StoreRefusal where the file is damaged */
export async function accountOf(view: View, uid: string): Promise<PartRead<AccountState>> {
  const { files, folder } = view;
  const tail = await tailOf(view, partKey('account', uid));
  const found = await readAccountFile(files, folder, uid);
  applyTail(join(userFolder(folder, uid), ACCOUNT_FILE), tail, found.upTo, (payload) => found.state.apply(payload));
  return found;
}

/** All entries are in memory, with their payloads. @throws StoreRefusal where the file is damaged */
export async function mailOf(view: View, uid: string): Promise<PartRead<MailState>> {
  const { files, folder, settled } = view;
  const tail = await tailOf(view, partKey('mail', uid));
  const path = queuePath(folder, uid);
  const found = await withFile(files, path, (file) => readMail(file, path, uid, settled));
  const state = found?.state ?? new MailState();
  const upTo = found?.found.upTo ?? 0;
  applyTail(path, tail, upTo, (payload) => {
    const change = parseMail(payload);
    if (change) state.apply(change);
    return change !== undefined;
  });
  return { state, upTo };
}

/** @throws StoreRefusal where the file is damaged */
export async function roomOf(view: View, id: string): Promise<PartRead<RoomState>> {
  const { files, folder, settled } = view;
  const tail = await tailOf(view, partKey('room', id));
  const { state, found } = await readRoomFile(files, folder, id, settled);
  const upTo = found?.upTo ?? 0;
  applyTail(roomPath(folder, id), tail, upTo, (payload) => state.apply(payload));
  return { state, upTo };
}

function applyTail(path: string, tail: readonly Logged[], upTo: number, apply: (payload: Uint8Array) => boolean): void {
  for (const { lsn, payload } of tail) {
    if (lsn > upTo && !apply(payload)) throw new StoreRefusal(`${path}: the journal holds an unknown record for it`);
  }
}

/** What the journal holds of a part behind what is settled. To be read before the part's file. */
export async function tailOf(view: View, key: PartKey): Promise<Logged[]> {
  const out: Logged[] = [];
  for (const [path, places] of byPath(view.places.get(key) ?? [])) {
    const payloads = await withFile(view.files, path, (file) => readPlaces(file, path, places));
    // Without its file, all of a segment is in the parts' files.
    payloads?.forEach((payload, n) => out.push({ lsn: places[n]?.lsn ?? 0, payload }));
  }
  return out;
}

function byPath(places: readonly Place[]): Map<string, Place[]> {
  const out = new Map<string, Place[]>();
  for (const place of places) {
    const others = out.get(place.path);
    if (others) others.push(place);
    else out.set(place.path, [place]);
  }
  return out;
}
