/**
 * Who has an account: names and ids in memory, a folder for each on the disk. `account.json` is written
 * last, so that a folder without it is an account that never was.
 */
import { readFileSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, utf8 } from '../../../protocol/index.js';
import { StoreRefusal, type Account } from '../store.js';
import { errorCode, type Disk } from './disk.js';
import { parseDocument } from './document.js';
import { ensureFolder, FOLDER_MODE, inFolder, replaceFile, settleFolder, TEMPORARY } from './durable.js';
import { accountFormat } from './formats.js';

export const ACCOUNT_FILE = 'account.json';
export const CONSENTS = 'consents';

export class Users {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #names = new Map<string, string>();
  readonly #ids = new Set<string>();
  /** accounts that are being made: by name, and their ids */
  readonly #making = new Map<string, Promise<unknown>>();
  readonly #makingIds = new Set<string>();
  /** users whose files are known to be synced, as all that this process does to them is */
  readonly #settled = new Set<string>();
  readonly #settling = new Map<string, Promise<void>>();

  private constructor(folder: string, disk: Disk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  /**
   * Reads all accounts, then removes what a crash left over. Works synchronously: nobody is served yet,
   * and this is some times faster for a hundred thousand small files.
   * @throws StoreRefusal where an account is damaged; nothing is removed then
   */
  static async open(folder: string, disk: Disk): Promise<Users> {
    await ensureFolder(folder);
    const users = new Users(folder, disk);
    const leftOver: string[] = [];
    for (const id of readdirSync(folder)) {
      if (!/^[0-9a-f]{32}$/.test(id)) continue;
      const own = join(folder, id);
      const names = readdirSync(own);
      if (names.includes(ACCOUNT_FILE)) users.#enter(id, join(own, ACCOUNT_FILE));
      else if (names.every((name) => name === CONSENTS || name.endsWith(TEMPORARY))) leftOver.push(own);
      else throw new StoreRefusal(`${own} has lost its ${ACCOUNT_FILE}: restore it from a backup`);
      for (const name of [...names, ...consentFiles(own, names)]) {
        if (name.endsWith(TEMPORARY)) leftOver.push(join(own, name));
      }
    }
    for (const path of leftOver) removeNow(path);
    await settleFolder(disk, folder, []);
    return users;
  }

  #enter(id: string, file: string): void {
    const account = parseDocument(file, readFileSync(file), accountFormat);
    if (!account || hex(account.uid) !== id) {
      throw new StoreRefusal(`${file} belongs to another user: restore it from a backup`);
    }
    const other = this.#names.get(account.name);
    if (other !== undefined) {
      throw new StoreRefusal(`${file} and the account ${other} have one name: move the folder of one of them away`);
    }
    this.#names.set(account.name, id);
    this.#ids.add(id);
  }

  /** The id in hex, or undefined. */
  byName(name: string): string | undefined {
    return this.#names.get(name);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  path(id: string, ...rest: readonly string[]): string {
    return join(this.#folder, id, ...rest);
  }

  /** Before the first use of a user's files: what an earlier process left unsynced is synced, once. */
  async settle(id: string): Promise<void> {
    if (this.#settled.has(id)) return;
    const settling = this.#settling.get(id) ?? this.#settle(id);
    this.#settling.set(id, settling);
    try {
      await settling;
      this.#settled.add(id);
    } finally {
      this.#settling.delete(id);
    }
  }

  async #settle(id: string): Promise<void> {
    const own = this.path(id);
    const logs = (await readdir(own)).filter((name) => name.endsWith('.log'));
    await settleFolder(this.#disk, own, logs);
    await settleFolder(this.#disk, join(own, CONSENTS), []);
  }

  /** @param account copies: nothing of it changes */
  async create(account: Account): Promise<'created' | 'taken'> {
    const { name } = account;
    for (let other = this.#making.get(name); other; other = this.#making.get(name)) {
      await other.catch(() => undefined); // its caller has the error, and the name is free again
    }
    if (this.#names.has(name)) return 'taken';
    const id = hex(account.uid);
    if (this.#ids.has(id) || this.#makingIds.has(id)) throw new RangeError('users: the uid is in use');
    const making = this.#write(id, account);
    this.#making.set(name, making);
    this.#makingIds.add(id);
    try {
      await making;
      this.#names.set(name, id);
      this.#ids.add(id);
      this.#settled.add(id);
      return 'created';
    } catch (error) {
      throw this.#disk.failure(this.path(id), error);
    } finally {
      this.#making.delete(name);
      this.#makingIds.delete(id);
    }
  }

  async #write(id: string, account: Account): Promise<void> {
    const own = this.path(id);
    const bytes = utf8(JSON.stringify(accountFormat.toJson(account)) + '\n');
    await inFolder(this.#disk, this.#folder, async (syncName) => {
      await makeOwn(own);
      try {
        await makeOwn(join(own, CONSENTS));
        await replaceFile(this.#disk, join(own, ACCOUNT_FILE), bytes);
        await syncName();
      } catch (error) {
        await rm(own, { recursive: true, force: true }); // the name is given to the next who asks
        throw error;
      }
    });
  }
}

/** The caller syncs the folder above. */
async function makeOwn(folder: string): Promise<void> {
  await mkdir(folder, { mode: FOLDER_MODE });
  await chmod(folder, FOLDER_MODE); // whatever the umask
}

function consentFiles(own: string, names: readonly string[]): string[] {
  if (!names.includes(CONSENTS)) return [];
  return readdirSync(join(own, CONSENTS)).map((name) => join(CONSENTS, name));
}

function removeNow(path: string): void {
  try {
    if (path.endsWith(TEMPORARY)) unlinkSync(path);
    else rmSync(path, { recursive: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error; // went with its folder
  }
}
