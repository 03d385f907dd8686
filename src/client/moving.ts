/** An account that moves to another device: what goes along, and what does not (SPEC 7.10). */
import { fromHex, fromUtf8, hex, utf8 } from '../../protocol/index.js';
import { openAccountFile, sealAccountFile } from './account-file.js';
import { error, storageError } from './errors.js';
import { generationWorked, newestThatWorked } from './generations.js';
import {
  IDENTITY_FILE,
  KEYS_FILE,
  NEXT_FILE,
  openIdentity,
  readIdentity,
  type PublicIdentity,
  type Secrets,
} from './identity.js';
import { Journal, writeState } from './journal.js';
import { clearProfile } from './leftovers.js';
import type { ClientPorts } from './ports.js';
import { identityOf, unfinishedOf } from './profile.js';
import { apply, type Event } from './reducer.js';
import type { State } from './state.js';

/** Of the state, what makes the account usable elsewhere. No text: it would outlive its hour in a file that is kept (SPEC 7.9). */
const tables = ['contacts', 'actions', 'seen', 'declined', 'rooms', 'members', 'notices', 'settings'] as const;
type Table = (typeof tables)[number];
type Row = readonly [table: Table, key: string, value: unknown];
/** Rows that are a time alone. */
const times: ReadonlySet<string> = new Set<Table>(['seen', 'declined']);

interface Content {
  /** the file, as it is */
  readonly identity: string;
  /** hexadecimal */
  readonly stateKey: string;
  /** the newest of the network's keys that worked */
  readonly generation: number;
  readonly rows: readonly Row[];
}

/** An account, ready to be sealed; how much of it goes along, and how many texts do not. */
export interface AccountExport {
  readonly name: string;
  readonly contacts: number;
  readonly rooms: number;
  /** texts in the outbox that the daemon has not */
  readonly waiting: number;
  readonly unread: number;
  /** @throws ClientError `weak-passphrase` */
  readonly seal: (passphrase: string) => Promise<Uint8Array>;
}

/**
 * Reads the profile, also while another process uses it; what changes after it is not in it.
 * @throws ClientError `no-profile`, `settle-first`, those of `openIdentity`, `damaged-state`, `damaged-generation`
 */
export async function exportAccount(ports: ClientPorts, profile: string, secrets: Secrets): Promise<AccountExport> {
  const { storage, crypto, linked, clock } = ports;
  const identity = await storage.read(IDENTITY_FILE);
  if (!identity) throw error('no-profile', profile);
  if ((await storage.read(NEXT_FILE)) || (await storage.read(KEYS_FILE))) throw error('settle-first');
  const { name, stateKey } = await openIdentity(crypto, linked.network, identity, secrets);
  const state = await Journal.peek(ports, stateKey);
  const content: Content = {
    identity: fromUtf8(identity) ?? '',
    stateKey: hex(stateKey),
    generation: await newestThatWorked(ports),
    rows: rowsOf(state, clock.now()),
  };
  return {
    name,
    contacts: state.contacts.size,
    rooms: state.rooms.size,
    waiting: [...state.outgoing.values()].filter((entry) => entry.state === 'waiting').length,
    unread: [...state.incoming.values()].filter(({ read }) => read === undefined).length,
    seal: (passphrase) =>
      sealAccountFile(crypto, { network: linked.network, name }, utf8(JSON.stringify(content)), passphrase),
  };
}

function rowsOf(state: State, at: number): Row[] {
  state.notices.clear();
  /* Parts of texts stay behind: the rest of these can't be joined, and whoever goes on is told. */
  for (const message of [...state.unfinished.keys()]) apply(state, { t: 'given-up', message, at });
  const rows = tables.flatMap((table) =>
    [...(state[table] as ReadonlyMap<string, unknown>)].map(([key, value]): Row => [table, key, value]),
  );
  return rows.map((row) => (row[0] === 'members' ? [row[0], row[1], withoutPlace(row[2] as object)] : row));
}

/** Where a member's texts stand among those that were shown: there are none any more. */
function withoutPlace({ since: _since, ...member }: { readonly since?: number }): object {
  return member;
}

/**
 * The account in a profile that is empty. What is on the disk last is the identity: killed before it, the profile is as
 * empty as it was.
 * @throws ClientError `registered`, `registration-begun`, `file-of-network`, those of `openAccountFile`, `storage`
 */
export async function importAccount(
  ports: Pick<ClientPorts, 'storage' | 'crypto' | 'linked'>,
  bytes: Uint8Array,
  passphrase: string,
): Promise<PublicIdentity & { readonly contacts: number; readonly rooms: number }> {
  const { storage, crypto, linked } = ports;
  await checkEmpty(ports);
  const { network, name, content } = await openAccountFile(crypto, bytes, passphrase);
  if (network !== linked.network) throw error('file-of-network', network);
  const { identity, stateKey, generation, rows } = readContent(content);
  const whose = readIdentity(utf8(identity));
  if (whose.name !== name || whose.network !== network) throw error('damaged-account-file');
  const events = rows.map(([table, key, value]): Event => ({ t: 'row', table, key, value }));
  await generationWorked(ports, generation);
  try {
    await clearProfile(storage);
    await writeState(ports, fromHex(stateKey), events);
    await storage.replace(IDENTITY_FILE, utf8(identity));
  } catch (thrown) {
    throw storageError(thrown);
  }
  const count = (of: Table): number => rows.filter(([table]) => table === of).length;
  return { ...whose, contacts: count('contacts'), rooms: count('rooms') };
}

/** Before anybody types a passphrase for nothing. @throws ClientError `registered`, `registration-begun` */
export async function checkEmpty(ports: Pick<ClientPorts, 'storage'>): Promise<void> {
  const known = await identityOf(ports);
  if (known) throw error('registered', known.name);
  const begun = await unfinishedOf(ports);
  if (begun !== undefined) throw error('registration-begun', begun);
}

/** Whoever knows the passphrase may have written it. */
function readContent(bytes: Uint8Array): Content {
  let content: Partial<Record<keyof Content, unknown>> | null;
  try {
    content = JSON.parse(fromUtf8(bytes) ?? '') as typeof content;
  } catch {
    throw error('damaged-account-file'); // what JSON.parse throws says no more than that
  }
  const { identity, stateKey, generation, rows } = content ?? {};
  const sound =
    typeof identity === 'string' &&
    typeof stateKey === 'string' &&
    /^[0-9a-f]{32}$/.test(stateKey) &&
    Number.isSafeInteger(generation) &&
    Array.isArray(rows) &&
    rows.every(isRow);
  if (!sound) throw error('damaged-account-file');
  return { identity, stateKey, generation: generation as number, rows };
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 3) return false;
  const [table, key, value] = row as unknown[];
  if (!tables.includes(table as Table) || typeof key !== 'string') return false;
  return times.has(table as Table) ? typeof value === 'number' : typeof value === 'object' && value !== null;
}
