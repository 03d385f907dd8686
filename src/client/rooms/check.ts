/** What the daemon says of a room, held against what its members signed (SPEC 9.10). */
import {
  checkEntry,
  fingerprint,
  fromHex,
  headHash,
  hex,
  isZero,
  keyProblem,
  listHash,
  openRoomKeys,
  provesKey,
  RoomKind,
  RowKind,
  samePublic,
  verifyHead,
  verifyInvitation,
  type RoomKeys,
  type structs,
  type Values,
} from '../../../protocol/index.js';
import { cryptoOf, stateOf, type Desk } from '../desk.js';
import { contactByUid, noChain, type Keys, type Member, type Room, type Standing } from '../state.js';
import { memberKey, roomName } from './names.js';
import { contradictsPins, fitsKind, formersOf, hasOtherKeys, isSpent, isTaken, memberByUid, rowsOf } from './roster.js';

export type RoomState = Values<(typeof structs)['strmAnswer']>;
export type RoomRow = Values<(typeof structs)['mbrmAnswer']>;

export interface Snapshot {
  readonly state: RoomState;
  readonly rows: readonly RoomRow[];
}

/** Somebody whom the daemon counts as having entered, and whose entry is not sound. */
export interface Ghost {
  readonly uid: string;
  readonly name: string;
  readonly step: string;
}

export interface Checked {
  readonly problem?: undefined;
  readonly room: Omit<Room, 'sent'>;
  readonly members: readonly Member[];
  readonly ghosts: readonly Ghost[];
  /** parts of messages of this epoch that the daemon keeps */
  readonly kept: number;
  /** by uid, as the daemon says */
  readonly online: ReadonlyMap<string, boolean>;
  /** those whose invitation holds and verifies */
  readonly invitees: readonly (Keys & { readonly name: string; readonly inviter: string })[];
}

/** moved: an epoch that only the password shows to somebody who is entering. */
export type CheckProblem =
  'name' | 'list' | 'owner' | 'old' | 'fork' | 'key' | 'kind' | 'signer' | 'signature' | 'inviter' | 'gone' | 'moved';

class Refused extends Error {
  readonly step: CheckProblem;
  constructor(step: CheckProblem) {
    super(step);
    this.step = step;
  }
}

/** @param room what this client knows of it: entering, invited, or in it */
export async function checkSnapshot(
  desk: Desk,
  room: Room,
  snapshot: Snapshot,
): Promise<Checked | { readonly problem: CheckProblem }> {
  try {
    return await check(desk, room, snapshot);
  } catch (thrown) {
    if (thrown instanceof Refused) return { problem: thrown.step };
    throw thrown;
  }
}

async function check(desk: Desk, before: Room, { state: said, rows }: Snapshot): Promise<Checked> {
  const ports = cryptoOf(desk);
  const present = rows.filter(({ state }) => state === RowKind.settled || state === RowKind.entered);
  const here = new Set(present.map(({ uid }) => hex(uid)));
  /* Of a room that is entered no epoch is known yet. */
  const isKnown = before.head !== '';
  const isSame = isKnown && said.epoch === before.epoch;
  const room = { ...before, ...(isKnown ? formersOf(stateOf(desk), before, here) : {}) };
  const id = fromHex(room.id);
  if (said.name !== roomName(room.key)) throw new Refused('name');
  const kind = said.kind === RoomKind.password ? 'password' : 'invitation';
  if (kind !== room.kind) throw new Refused('kind');
  const listed = rows.filter(({ state }) => state === RowKind.settled || state === RowKind.left);
  checkList(desk, id, said, listed);
  checkKnown(desk, before, listed, isSame);
  const signer = listed.find(({ uid }) => samePublic(uid, said.signer));
  if (!signer) throw new Refused('signer');
  const keys = await believed(desk, room, said);
  /* An account that was deleted has no keys any more: then its word is what stands under R. */
  const silent = isZero(signer.sig) && keys !== undefined;
  if (!silent && !(await verifyHead(ports, id, said, signer.sig))) throw new Refused('signature');
  const members = listed.map((row) => memberOf(desk, room.key, row));
  const ghosts: Ghost[] = [];
  const entered: Member[] = [];
  const by = (uid: Uint8Array): Uint8Array | undefined => {
    const found = [...members, ...entered].find((one) => !one.left && one.uid === hex(uid));
    return found && fromHex(found.sig);
  };
  /* Of who entered and left in this epoch the daemon has no row any more. */
  const leavers = rowsOf(stateOf(desk), room.key).filter(
    ({ uid, left, settled }) => isSame && left && !settled && !members.some((one) => one.uid === uid),
  );
  const fresh = rows.filter(({ state }) => state === RowKind.entered);
  for (const row of fresh) {
    const member = memberOf(desk, room.key, row);
    const others = [...members, ...leavers, ...entered];
    /* Without R nobody can tell who made an entry: they have to enter the next epoch again. */
    const step = keys ? await entryProblem(desk, room, said, row, member, keys.key, others, by) : 'key';
    /* Who comes back counts from 1 again. */
    const isBack = memberByUid(stateOf(desk), room.key, member.uid)?.left === true;
    if (step === undefined) entered.push(isBack ? { ...member, received: noChain } : member);
    else ghosts.push({ uid: member.uid, name: member.name, step });
  }

  const again = new Set(entered.map(({ uid }) => uid));
  const all = [...[...members, ...leavers].filter(({ uid }) => !again.has(uid)), ...entered];
  const invitees = await soundInvitees(desk, room, said.name, rows, by);
  const hash = hex(headHash(ports.sync, id, said));
  return {
    room: {
      key: room.key,
      id: room.id,
      kind,
      standing: standingOf(desk, room, all, rows),
      owner: hex(said.owner),
      version: said.version,
      epoch: said.epoch,
      head: hash,
      ...(keys ? { secret: hex(keys.key) } : {}),
      wrapKey: keys ? hex(keys.wrapKey) : room.wrapKey,
      ...formerOf(room, said.epoch),
      closed: said.closed === 1 || (before.closed && isSame),
      ...(room.invitation ? { invitation: room.invitation } : {}),
      ...(room.common ? { common: true } : {}),
      ...(room.formers ? { formers: room.formers } : {}),
    },
    members: all,
    ghosts,
    kept: said.kept,
    online: new Map(rows.map(({ uid, online }) => [hex(uid), online === 1])),
    invitees,
  };
}

function checkList(desk: Desk, id: Uint8Array, said: RoomState, listed: readonly RoomRow[]): void {
  const { sync } = cryptoOf(desk);
  for (const row of listed) {
    if (isDeleted(row)) continue;
    if (keyProblem(row) || !samePublic(fingerprint(sync, row), row.fingerprint)) throw new Refused('list');
  }
  const [uids, names] = [new Set(listed.map(({ uid }) => hex(uid))), new Set(listed.map(({ name }) => name))];
  if (uids.size !== listed.length || names.size !== listed.length) throw new Refused('list');
  if (!samePublic(listHash(sync, id, listed), said.list)) throw new Refused('list');
  if (!uids.has(hex(said.owner))) throw new Refused('owner');
}

/** An account that is no more: its row has no keys. */
function isDeleted({ state, enc, sig }: RoomRow): boolean {
  return state === RowKind.left && isZero(enc) && isZero(sig);
}

/** Nobody whom we know has other keys now, or is back in the list from which they left in this epoch. */
function checkKnown(desk: Desk, room: Room, listed: readonly RoomRow[], isSame: boolean): void {
  for (const row of listed) {
    const known = memberByUid(stateOf(desk), room.key, hex(row.uid));
    if (!known || isDeleted(row) || isZero(fromHex(known.enc))) continue;
    if (hasOtherKeys(known, { enc: hex(row.enc), sig: hex(row.sig) })) throw new Refused('list');
    if (known.left && row.state === RowKind.settled && isSame) throw new Refused('list');
  }
}

/**
 * R as this client may believe it: the one it knows, or the one in its block where somebody began the epoch whom it knew
 * to be in the room. undefined: the head is a member's, but the block does not fit it.
 */
async function believed(desk: Desk, room: Room, said: RoomState): Promise<RoomKeys | undefined> {
  const ports = cryptoOf(desk);
  const id = fromHex(room.id);
  if (said.epoch < room.epoch) throw new Refused('old');
  const isSame = said.epoch === room.epoch;
  if (isSame && room.head !== '' && hex(headHash(ports.sync, id, said)) !== room.head) throw new Refused('fork');
  const known = isSame && room.secret !== undefined ? fromHex(room.secret) : undefined;
  if (known && provesKey(ports.sync, id, said, known)) return { key: known, wrapKey: fromHex(room.wrapKey) };
  if (known) throw new Refused('key');
  if (!isSame) await mustBeginIt(desk, room, said);
  const opened = await openRoomKeys(ports, desk.me.enc, said.block);
  const fits = opened && fitsKind(room.kind, opened) && provesKey(ports.sync, id, said, opened.key);
  if (!fits && room.standing !== 'member') throw new Refused('key');
  return fits ? opened : undefined;
}

/** Somebody whom we knew to be in the room, or whose keys are pinned, began this epoch, and kept to what they may do. */
async function mustBeginIt(desk: Desk, room: Room, said: RoomState): Promise<void> {
  const signer = hex(said.signer);
  const member = memberByUid(stateOf(desk), room.key, signer);
  const contact = contactByUid(stateOf(desk), signer);
  const pinned = contact?.relation === 'open' && !contact.changed ? contact.keys : undefined;
  /* Whoever we were told is gone begins nothing, be they a contact. */
  const isGone = member?.left === true || (!member && room.formers?.[signer] !== undefined);
  const sig = isGone ? undefined : (member?.sig ?? pinned?.sig);
  if (sig === undefined) throw new Refused(room.standing === 'entering' ? 'moved' : 'signer');
  if (!(await verifyHead(cryptoOf(desk), fromHex(room.id), said, fromHex(sig)))) throw new Refused('signature');
  if (room.owner === '' || hex(said.owner) === room.owner || signer === room.owner) return;
  /* Whoever began the epoch behind one that its owner left is the owner. */
  const hasLeft = memberByUid(stateOf(desk), room.key, room.owner)?.left === true;
  if (!hasLeft || said.epoch !== room.epoch + 1 || hex(said.owner) !== signer) throw new Refused('owner');
}

function formerOf(room: Room, epoch: number): { former?: string } {
  const former = epoch === room.epoch ? room.former : epoch === room.epoch + 1 ? room.secret : undefined;
  return former === undefined ? {} : { former };
}

function memberOf(desk: Desk, room: string, row: RoomRow): Member {
  const keys = { uid: hex(row.uid), name: row.name, enc: hex(row.enc), sig: hex(row.sig) };
  const deleted = isZero(row.enc);
  return {
    key: memberKey(room, row.name),
    ...keys,
    settled: row.state !== RowKind.entered,
    inviter: isZero(row.inviter) ? '' : hex(row.inviter),
    ...(row.state === RowKind.left ? { left: true as const } : {}),
    ...(!deleted && contradictsPins(stateOf(desk), keys) ? { refused: true as const } : {}),
  };
}

async function entryProblem(
  desk: Desk,
  room: Room,
  said: RoomState,
  row: RoomRow,
  member: Member,
  key: Uint8Array,
  others: readonly Member[],
  by: (uid: Uint8Array) => Uint8Array | undefined,
): Promise<string | undefined> {
  if (row.epoch !== said.epoch) return 'epoch';
  if (member.refused) return 'pinned';
  if (isTaken(others, member)) return 'taken';
  if (isSpent(room, member.uid, row)) return 'invitation';
  const at = { room: fromHex(room.id), epoch: row.epoch, name: said.name };
  const step = await checkEntry(cryptoOf(desk), at, row, key, by, said.kind === RoomKind.invitation);
  /* An inviter who entered and left in this epoch has no row any more; mac and signature are checked by then. */
  const gone = step === 'inviter' && !by(row.inviter) && !isZero(row.inviter) && row.invitedEpoch === said.epoch;
  /* Whoever was here when they entered saw their invitation hold; who comes later has to do with the mac. */
  const seen = stateOf(desk).members.get(member.key);
  const wasSeen = seen?.uid === member.uid && !seen.left && !hasOtherKeys(seen, member);
  return gone && (wasSeen || room.standing !== 'member') ? undefined : step;
}

async function soundInvitees(
  desk: Desk,
  room: Room,
  name: string,
  rows: readonly RoomRow[],
  by: (uid: Uint8Array) => Uint8Array | undefined,
) {
  const now = desk.ports.clock.now();
  const sound: (Keys & { name: string; inviter: string })[] = [];
  for (const row of rows.filter(({ state }) => state === RowKind.invited)) {
    const sig = by(row.inviter);
    const id = fromHex(room.id);
    if (isSpent(room, hex(row.uid), row) || keyProblem(row)) continue;
    if (!sig || row.expires <= now || !(await verifyInvitation(cryptoOf(desk), { room: id, name }, row, row, sig)))
      continue;
    sound.push({ uid: hex(row.uid), name: row.name, enc: hex(row.enc), sig: hex(row.sig), inviter: hex(row.inviter) });
  }
  return sound;
}

/** In it, or still (or again) only invited. */
function standingOf(desk: Desk, room: Room, members: readonly Member[], rows: readonly RoomRow[]): Standing {
  const me = hex(desk.me.uid);
  if (members.some(({ uid, left }) => uid === me && !left)) return 'member';
  const invited = rows.some(({ state, uid }) => state === RowKind.invited && hex(uid) === me);
  if (!invited || !room.invitation) throw new Refused('gone');
  const { inviter } = room.invitation;
  if (!members.some((one) => one.uid === inviter && !one.left && !one.refused)) throw new Refused('inviter');
  return 'invited';
}
