/** How a room's state follows from the one before. Nothing here knows of stores or connections. */
import {
  HASH,
  KEY,
  noInvitation,
  noWrap,
  RowKind,
  samePublic,
  type Invitation,
  type ListRow,
  type RoomHead,
  type RoomWrap,
} from '../../protocol/index.js';
import { idKey } from './keys.js';
import {
  FORMER_KEYS_MAX,
  hasPassword,
  isMember,
  type EntryProofs,
  type InvitedRow,
  type MemberRow,
  type RoomState,
  type Row,
} from './room-state.js';

type Blocks = ReadonlyMap<string, Uint8Array>;
export interface Password {
  readonly salt: Uint8Array;
  readonly auth: Uint8Array;
}

/** In a room without a password there is nothing under one, whatever was sent. */
function underPassword(kind: Pick<RoomState, 'kind'>, password: Password, wrap: RoomWrap) {
  if (!hasPassword(kind)) return { salt: new Uint8Array(KEY), auth: new Uint8Array(HASH), wrap: noWrap };
  const { wrapSalt, commitment, wrapped } = wrap;
  return { salt: password.salt, auth: password.auth, wrap: { wrapSalt, commitment, wrapped } };
}

export function made(
  kind: number,
  password: Password,
  wrap: RoomWrap,
  head: RoomHead,
  maker: ListRow,
  block: Uint8Array,
): RoomState {
  const rows: Row[] = [{ ...maker, kind: RowKind.settled, block }];
  return { kind, isClosed: false, ...underPassword({ kind }, password, wrap), head, rows, outs: [] };
}

function isOf({ uid }: ListRow, other: Uint8Array): boolean {
  return samePublic(uid, other);
}

/** @param proofs with the invitation that was followed */
export function entered(state: RoomState, who: ListRow, block: Uint8Array, proofs: EntryProofs): RoomState {
  const others = state.rows.filter((row) => row.kind !== RowKind.invited || !isOf(row, who.uid));
  return { ...state, rows: [...others, { ...who, ...proofs, kind: RowKind.entered, block }] };
}

/**
 * Who was in the head's list stays there as who left, and who entered since is remembered by the keys that others know;
 * with them end the invitations that they made.
 */
export function left(state: RoomState, uids: readonly Uint8Array[]): RoomState {
  const goes = (uid: Uint8Array): boolean => uids.some((each) => samePublic(each, uid));
  const rows = state.rows.flatMap((row): Row[] => {
    if (row.kind === RowKind.invited) return goes(row.uid) || goes(row.inviter) ? [] : [row];
    if (!goes(row.uid)) return [row];
    const { uid, name, fingerprint } = row;
    return row.kind === RowKind.entered ? [] : [{ uid, name, fingerprint, kind: RowKind.left }];
  });
  const isClosed = state.isClosed || state.rows.some((row) => isMember(row) && goes(row.uid));
  const since = state.rows.filter((row) => row.kind === RowKind.entered && goes(row.uid));
  const gone = since.map(({ uid, name, fingerprint }) => ({ uid, name, fingerprint }));
  const outs = [...state.outs.filter(({ uid }) => !goes(uid)), ...gone].slice(-FORMER_KEYS_MAX);
  return { ...state, isClosed, rows, outs };
}

/** They left this epoch with other keys: others take nobody else for them before the next (SPEC 9.6). */
export function isKnownOtherwise({ rows, outs }: RoomState, { uid, fingerprint }: ListRow): boolean {
  const gone = [...rows.filter(({ kind }) => kind === RowKind.left), ...outs];
  return gone.some((row) => isOf(row, uid) && !samePublic(row.fingerprint, fingerprint));
}

export function invited(state: RoomState, who: ListRow, block: Uint8Array, invitation: Invitation): RoomState {
  return { ...state, rows: [...state.rows, { ...who, ...invitation, kind: RowKind.invited, block }] };
}

export function uninvited(state: RoomState, uid: Uint8Array): RoomState {
  return { ...state, rows: state.rows.filter((row) => row.kind !== RowKind.invited || !isOf(row, uid)) };
}

/** Without the invitations that ended by time. */
export function inTime(state: RoomState, now: number): RoomState {
  const rows = state.rows.filter((row) => row.kind !== RowKind.invited || row.expires > now);
  return rows.length === state.rows.length ? state : { ...state, rows };
}

/** Those who take a place in the room now. */
export function crowd(state: RoomState, now: number): number {
  return inTime(state, now).rows.filter(({ kind }) => kind !== RowKind.left).length;
}

/** The members who stay where these are removed. */
export function staying({ rows }: RoomState, removed: readonly Uint8Array[]): MemberRow[] {
  return rows.filter(isMember).filter(({ uid }) => !removed.some((each) => samePublic(each, uid)));
}

/** @param password of a renewed one */
export function rotated(
  state: RoomState,
  head: RoomHead,
  wrap: RoomWrap,
  password: Password | undefined,
  removed: readonly Uint8Array[],
  blocks: Blocks,
): RoomState {
  const block = (uid: Uint8Array): Uint8Array | undefined => blocks.get(idKey(uid));
  const members = staying(state, removed).flatMap((row): Row[] => {
    const { uid, name, fingerprint } = row;
    const own = block(uid);
    return own ? [{ uid, name, fingerprint, kind: RowKind.settled, block: own }] : [];
  });
  const isIn = (uid: Uint8Array): boolean => members.some((row) => isOf(row, uid));
  const invitees = state.rows.flatMap((row): InvitedRow[] => {
    const own = row.kind === RowKind.invited && isIn(row.inviter) ? block(row.uid) : undefined;
    return own && row.kind === RowKind.invited ? [{ ...row, block: own }] : [];
  });
  const kept = underPassword(state, password ?? state, wrap);
  return { ...state, isClosed: false, ...kept, head, rows: [...members, ...invitees], outs: [] };
}

/** Of somebody who entered by the password. */
export function proofsOf(
  said: Pick<EntryProofs, 'time' | 'mac' | 'signature'>,
  invitation: Invitation = noInvitation,
): EntryProofs {
  const { inviter, invitedEpoch, expires, bound, invitation: signed } = invitation;
  const { time, mac, signature } = said;
  return { time, mac, signature, inviter, invitedEpoch, expires, bound, invitation: signed };
}
