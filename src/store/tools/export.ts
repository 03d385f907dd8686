/** All that a store keeps about one user, as somebody may ask for who is concerned. */
import { hex, Opcode } from '../../../protocol/index.js';
import { StoreRefusal, type Account, type SecondFactor } from '../store.js';
import type { Files } from '../journal/disk.js';
import { openView, type View } from './reader.js';
import { idBytes, latin1, readQueued } from '../journal/records.js';
import { accountOf, mailOf, roomOf } from './view-parts.js';

const ADVICE = 'run cadenasd check';

/** What the store keeps without knowing what it means. */
export interface Reading {
  fingerprint(keys: Pick<Account, 'enc' | 'sig'>): Uint8Array;
  /** what the user told at the registration, for JSON. @param sealed empty where it was nothing */
  told(uid: Uint8Array, sealed: Uint8Array): object | string;
  /** what somebody is in a room of this state, in a word; undefined: nothing */
  standing(state: Uint8Array, uid: Uint8Array): string | undefined;
}

/**
 * An object for JSON: bytes are hexadecimal, what is sealed is base64, times are ISO 8601. What the login
 * rests on is left out: the export goes through other hands.
 * @returns undefined where no account has the name
 * @throws StoreRefusal where what is kept can't be read
 */
export async function exportUser(
  files: Files,
  folder: string,
  name: string,
  reading: Reading,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const view = await openView(files, folder);
  const [worst] = view.findings.filter(({ level }) => level === 'damage');
  if (worst) throw new StoreRefusal(`${worst.path} ${worst.what}: ${ADVICE}`);
  const uid = view.names.uid(name);
  if (uid === undefined) return undefined;
  const { state } = await accountOf(view, uid);
  const { account } = state;
  if (!account) throw new StoreRefusal(`${folder} lacks the account of @${name}: ${ADVICE}`);
  return {
    name,
    uid: hex(account.uid),
    created: when(account.created),
    keys: {
      fingerprint: hex(reading.fingerprint(account)),
      encryptionModulus: hex(account.enc),
      signatureModulus: hex(account.sig),
    },
    told: reading.told(account.uid, account.security.details),
    secondFactor: factorNames[account.security.factor],
    recoveryCodes: account.security.recovery.length,
    leftOut:
      'the record of the password, the sealed secret of one-time codes, and the hashes of the three words, of recovery codes and of sessions',
    unfinishedLogins: { count: state.attempts.count, last: when(state.attempts.last) },
    sessions: state.grants.map(({ ends }) => ({ ends: when(ends) })),
    contacts: Array.from(state.consents, ([towards, consent]) => ({ ...person(view, towards), consent })),
    ...(await mail(view, uid)),
    rooms: await rooms(view, uid, reading),
  };
}

async function mail(view: View, uid: string) {
  const { state } = await mailOf(view, uid);
  const entries = state.entries.values().map(({ payload }) => readQueued(payload ?? new Uint8Array(0)));
  const replies = state.replies.values().map(({ reply }) => reply);
  return {
    waiting: entries.map(({ id, opcode, from, time, fields }) => ({
      id: hex(id),
      kind: nameOf(opcode),
      from: cause(view, latin1(from)),
      time: when(time),
      bytes: fields.length,
      ciphertext: Buffer.from(fields).toString('base64'),
    })),
    answers: replies.map(({ frameId, opcode, code: result, time }) => ({
      frame: hex(frameId),
      kind: nameOf(opcode),
      code: result,
      time: when(time),
    })),
  };
}

/** Of rooms of others it tells where somebody stands in them; all of the state belongs to the owner. */
async function rooms(view: View, uid: string, reading: Reading) {
  const out = [];
  const self = idBytes(uid);
  for (const id of view.names.roomIds()) {
    const { state } = await roomOf(view, id);
    if (!state.value) continue; // deleted with its owner, or about to be
    const { name, version, owner, state: content } = state.value;
    const isOwner = latin1(owner) === uid;
    const standing = isOwner ? 'owner' : reading.standing(content, self);
    const said = [...state.history.all()].filter(({ message }) => latin1(message.from) === uid).length;
    if (standing === undefined && said === 0) continue;
    const all = isOwner
      ? { version, state: Buffer.from(content).toString('base64'), messages: state.history.messages }
      : {};
    out.push({ id: hex(idBytes(id)), name, standing: standing ?? 'gone', said, ...all });
  }
  return out;
}

/** Who caused an event: a user, or a room. */
function cause(view: View, id: string) {
  const room = view.names.room(id);
  return room ? { room: hex(idBytes(id)), name: room.name } : person(view, id);
}

function person(view: View, uid: string): { readonly uid: string; readonly name: string | null } {
  return { uid: hex(idBytes(uid)), name: view.names.name(uid) ?? null };
}

const factorNames: Readonly<Record<SecondFactor, string>> = { 0: 'none', 1: 'one-time codes', 2: 'codes by mail' };

const names = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]));

function nameOf(opcode: number): string {
  return names.get(opcode) ?? String(opcode);
}

function when(time: number): string | null {
  return time > 0 && time < 8.64e15 ? new Date(time).toISOString() : null;
}
