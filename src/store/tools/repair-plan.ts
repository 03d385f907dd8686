/** What is to be done about a damaged store: looks at everything, changes nothing. */
import { join } from 'node:path';
import { StoreRefusal } from '../store.js';
import { checkOwnerFolder, idsIn } from './check-files.js';
import { readIndex } from '../journal/checkpoint.js';
import type { Files } from '../journal/disk.js';
import { exists } from '../journal/durable.js';
import { readHellosFile } from '../journal/hellos.js';
import { inspectStore } from './inspect.js';
import {
  FORMAT_FILE,
  hellosPath,
  indexPath,
  journalFolder,
  roomFolder,
  ROOMS,
  userFolder,
  USERS,
} from '../journal/layout.js';
import { Names } from '../journal/names.js';
import { openView, turn, type Progress, type View } from './reader.js';
import { accountKinds, Kind, latin1, partKey, type RoomValue } from '../journal/records.js';
import { repairJournal, type JournalRepair, type Owner } from './repair-journal.js';
import { repairAccount, repairMail, repairRoom, type PartRepair } from './repair-parts.js';
import { accountOf, mailOf, roomOf, tailOf } from './view-parts.js';

/** What is kept and lost, for the operator. */
export interface Told {
  readonly path: string;
  /** an account or room by its name, or '' */
  readonly who: string;
  readonly kept: string;
  readonly lost: string;
}

/** A user or room that can't be kept. */
export interface Doomed extends Owner {
  readonly folder: string;
}

export interface RepairPlan {
  readonly told: readonly Told[];
  readonly parts: readonly PartRepair[];
  readonly journal: JournalRepair | undefined;
  /** the index that is to be written, with the LSN that it says; undefined: it stays */
  readonly index: { readonly names: Names; readonly upTo: number } | undefined;
  readonly hellos: boolean;
  readonly format: boolean;
  /** folders of nobody */
  readonly strangers: readonly string[];
  /** to be deleted by the store itself */
  readonly doomed: readonly Doomed[];
  /** folders of the rooms that go with their owners */
  readonly roomFolders: readonly string[];
}

/** @throws StoreRefusal where only a backup helps; what the disk throws, too */
export async function planRepair(files: Files, folder: string, progress: Progress): Promise<RepairPlan> {
  const format = (await inspectStore(files, folder)).length > 0;
  const planner = new Planner(await openView(files, folder));
  if (format) planner.tell(join(folder, FORMAT_FILE), '', 'nothing', 'nothing is lost: it is written anew');
  const hellos = await planner.hellos();
  await planner.owners(progress);
  return { ...(await planner.plan()), hellos, format };
}

class Planner {
  readonly #view: View;
  readonly #told: Told[] = [];
  readonly #parts: PartRepair[] = [];
  readonly #strangers: string[] = [];
  readonly #doomed: Doomed[] = [];
  /** of accounts and rooms with a folder, where the index is damaged */
  readonly #rebuilt = new Names();
  /** the highest LSN that any file says is in it */
  #newest = 0;

  constructor(view: View) {
    this.#view = view;
  }

  tell(path: string, who: string, kept: string, lost: string): void {
    this.#told.push({ path, who, kept, lost });
  }

  async hellos(): Promise<boolean> {
    const { files, folder } = this.#view;
    const sound = await sure(async () => ({ found: await readHellosFile(files, folder) }));
    if (sound) return false;
    this.tell(
      hellosPath(folder),
      '',
      'nothing',
      'HELLOs of the last minutes: the daemon answers two minutes after its start',
    );
    return true;
  }

  async owners(progress: Progress): Promise<void> {
    const { names } = this.#view;
    const users = new Set([...names.uids(), ...(await this.#idsIn(USERS))]);
    const rooms = new Set([...names.roomIds(), ...(await this.#idsIn(ROOMS))]);
    const total = users.size + rooms.size;
    let done = 0;
    const step = async (): Promise<void> => {
      progress(++done, total);
      if (done % 64 === 0) await turn();
    };
    for (const uid of users) {
      await this.#user(uid);
      await step();
    }
    for (const id of rooms) {
      await this.#room(id);
      await step();
    }
  }

  async #idsIn(name: string): Promise<string[]> {
    const { files, folder } = this.#view;
    return (await idsIn(files, join(folder, name))).map((hex) => latin1(Buffer.from(hex, 'hex')));
  }

  async #user(uid: string): Promise<void> {
    const view = this.#view;
    const { files, names, isIndexSound, deleted } = view;
    const folder = userFolder(view.folder, uid);
    const known = names.name(uid);
    if (known === undefined && deleted.has(partKey('account', uid))) return;
    const there = await checkOwnerFolder(files, folder, false);
    if (known === undefined && isIndexSound) {
      await this.#stranger(folder);
      return;
    }
    const account = await sure(() => accountOf(view, uid));
    let name = account?.state.account?.name;
    if (account) this.#newest = Math.max(this.#newest, account.upTo);
    if (name === undefined || (known !== undefined && name !== known) || there.names.includes('account.waiting')) {
      const isInJournal = await this.#inTail('account', uid, ...accountKinds);
      const sources = { folder, uid, name: known, settled: view.settled, isInJournal };
      const repair = await repairAccount(files, sources);
      if (!repair) {
        await this.#lostUser(folder, uid, known);
        return;
      }
      this.#repair(repair, repair.name ?? known);
      name = repair.name ?? known;
    }
    if (name !== undefined && !(await this.#claimUser(uid, name))) return;
    const mail = await sure(() => mailOf(view, uid));
    if (mail) this.#newest = Math.max(this.#newest, mail.upTo);
    if (!mail || there.names.includes('mail.waiting'))
      this.#repair(await repairMail(files, folder, uid, view.settled), name);
  }

  /**
   * A name is one account's: of two the one that the journal made is newer, and the other had been deleted.
   * False where this one had.
   */
  async #claimUser(uid: string, name: string): Promise<boolean> {
    if (this.#view.isIndexSound) return true; // the journal tells
    const other = this.#rebuilt.uid(name);
    const isNewer = other === undefined || (await this.#inTail('account', uid, ...accountKinds));
    if (isNewer) this.#rebuilt.addUser(uid, name);
    if (other !== undefined) this.#outlived({ kind: 'account', id: isNewer ? other : uid }, `@${name}`);
    if (isNewer && other !== undefined) this.#rebuilt.removeUser(other);
    return isNewer;
  }

  async #claimRoom(id: string, { name, owner }: RoomValue): Promise<void> {
    if (this.#view.isIndexSound) return;
    const other = this.#rebuilt.roomId(name);
    const isNewer = other === undefined || (await this.#inTail('room', id, Kind.room));
    if (isNewer) this.#rebuilt.addRoom(id, { name, owner: latin1(owner) });
    if (other !== undefined) this.#outlived({ kind: 'room', id: isNewer ? other : id }, name);
    if (isNewer && other !== undefined) this.#rebuilt.removeRoom(other);
  }

  #outlived({ kind, id }: Owner, who: string): void {
    const folder = kind === 'room' ? roomFolder(this.#view.folder, id) : userFolder(this.#view.folder, id);
    this.tell(folder, who, 'nothing', `the ${kind}: its name was given to another one since, so it had been deleted`);
    if (this.#view.isIndexSound) this.#doomed.push({ kind, id, folder });
    else this.#strangers.push(folder);
  }

  async #lostUser(folder: string, uid: string, name: string | undefined): Promise<void> {
    const { files, isIndexSound, names } = this.#view;
    const isThere = await exists(files, folder);
    if (!isIndexSound && !isThere) return; // a name that the damaged index may have lost the end of
    const who = name === undefined ? '' : `@${name}`;
    const rooms = names.roomsOf(uid).map((id) => names.room(id)?.name ?? '');
    const also = rooms.length > 0 ? ` and the rooms of theirs: ${rooms.join(', ')}` : '';
    this.tell(folder, who, 'nothing', `the account with all that waits for it${also}; the name is free again`);
    if (isIndexSound) this.#doomed.push({ kind: 'account', id: uid, folder });
    else this.#strangers.push(folder);
  }

  async #room(id: string): Promise<void> {
    const view = this.#view;
    const { files, names, isIndexSound, deleted } = view;
    const folder = roomFolder(view.folder, id);
    const known = names.room(id);
    if (!known && deleted.has(partKey('room', id))) return;
    const there = await checkOwnerFolder(files, folder, true);
    if (!known && isIndexSound) {
      await this.#stranger(folder);
      return;
    }
    const room = await sure(() => roomOf(view, id));
    if (room) this.#newest = Math.max(this.#newest, room.upTo);
    let value: RoomValue | undefined = room?.state.value;
    const isSound = value !== undefined && (!known || known.name === value.name);
    if (!isSound || there.names.includes('room.waiting')) {
      const isInJournal = await this.#inTail('room', id, Kind.room);
      const repair = await repairRoom(files, folder, id, { settled: view.settled, isInJournal });
      if (!repair) {
        await this.#lostRoom(folder, id, known?.name);
        return;
      }
      this.#repair(repair, undefined);
      value = repair.room;
    }
    if (value) await this.#claimRoom(id, value);
  }

  async #lostRoom(folder: string, id: string, name: string | undefined): Promise<void> {
    const { files, isIndexSound } = this.#view;
    if (!isIndexSound && !(await exists(files, folder))) return;
    this.tell(folder, name ?? '', 'nothing', 'the room; its name is free again');
    if (isIndexSound) this.#doomed.push({ kind: 'room', id, folder });
    else this.#strangers.push(folder);
  }

  async #stranger(folder: string): Promise<void> {
    if (!(await exists(this.#view.files, folder))) return;
    this.tell(folder, '', 'nothing', 'nothing that anybody could reach: neither index nor journal knows it');
    this.#strangers.push(folder);
  }

  #repair(repair: PartRepair, who: string | undefined): void {
    this.#parts.push(repair);
    this.tell(repair.path, who === undefined ? '' : `@${who}`, repair.kept, repair.lost);
  }

  async #inTail(part: 'account' | 'room', id: string, ...kinds: readonly (number | undefined)[]): Promise<boolean> {
    return (await tailOf(this.#view, partKey(part, id))).some(({ payload }) => kinds.includes(payload[0]));
  }

  async plan(): Promise<Omit<RepairPlan, 'hellos' | 'format'>> {
    const { files, folder, isIndexSound, settled, lsn, findings } = this.#view;
    const base = isIndexSound ? (await readIndex(files, folder))?.names : undefined;
    const path = journalFolder(folder);
    const isJournalSound = !findings.some((finding) => finding.path.startsWith(path));
    let journal: JournalRepair | undefined;
    if (!isJournalSound || !isIndexSound || this.#newest > lsn) {
      journal = await repairJournal(this.#view, base ?? copyOf(this.#rebuilt), this.#newest);
      const lostLines = journal.told.length > 0 ? journal.told.join('; ') : 'nothing is lost';
      if (journal.damaged.length > 0 || journal.told.length > 0)
        this.tell(path, '', `${journal.kept} records`, lostLines);
      for (const owner of journal.gone) this.#outlived(owner, this.#nameOf(owner));
    }
    const upTo = journal?.settled ?? settled;
    const names = isIndexSound ? (await readIndex(files, folder))?.names : this.#rebuilt;
    const isIndexNew = names !== undefined && (!isIndexSound || upTo !== settled);
    if (!isIndexSound)
      this.tell(
        indexPath(folder),
        '',
        `${this.#rebuilt.users} accounts and ${this.#rebuilt.rooms} rooms, from their folders`,
        'which invitations were used: those that have not ended count once more',
      );
    return {
      told: this.#told,
      parts: this.#parts,
      journal,
      index: isIndexNew ? { names, upTo } : undefined,
      strangers: this.#strangers,
      doomed: this.#doomed,
      roomFolders: this.#roomsOfDoomed(),
    };
  }

  #nameOf({ kind, id }: Owner): string {
    const { names } = this.#view;
    if (kind === 'room') return names.room(id)?.name ?? '';
    const name = names.name(id);
    return name === undefined ? '' : `@${name}`;
  }

  #roomsOfDoomed(): string[] {
    const { names, folder } = this.#view;
    const users = this.#doomed.filter(({ kind }) => kind === 'account');
    return users.flatMap(({ id }) => names.roomsOf(id).map((room) => roomFolder(folder, room)));
  }
}

function copyOf(names: Names): Names {
  const copy = new Names();
  for (const record of names.records()) copy.apply(record);
  return copy;
}

/** undefined where the store refuses what it reads. */
async function sure<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreRefusal) return undefined;
    throw error;
  }
}
