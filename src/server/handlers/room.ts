/** A room as such: made, looked at, deleted (SPEC 9.2, 9.9, 9.10). */
import {
  Code,
  HASH,
  headMessage,
  hex,
  isZero,
  Label,
  listHash,
  listRowOf,
  MODULUS,
  noInvitation,
  roomId,
  RowKind,
  RSA_BLOCK,
  samePublic,
  SIGNATURE,
  structs,
  type RoomEntry,
  type Values,
} from '../../../protocol/index.js';
import { IdInUse, type Account } from '../../store/store.js';
import type { Context } from '../context.js';
import type { Caller, Handler } from '../handler.js';
import { idKey } from '../keys.js';
import type { Reply } from '../reply.js';
import { made } from '../room-changes.js';
import { readableIn } from '../room-events.js';
import { isMember, writeState, type Row } from '../room-state.js';
import type { Room } from '../room.js';
import { overBudget } from './lookups.js';

export const make: Handler<typeof structs.crms> = async (context, peer, values, reply) => {
  const { store, sync, rooms, log } = context;
  const me = peer.account;
  if (await overBudget(context, peer, reply)) return;
  const id = roomId(sync, me.uid, values.nonce);
  if (!(await isFirstHead(context, me, id, values))) {
    reply.fail(Code.forbidden);
    return;
  }
  const state = made(values.kind, values, values, values, listRowOf(sync, me), values.block);
  const room = { id, name: values.name, owner: me.uid, state: writeState(state) };
  /* An id that is in use is the maker's own, from a try before under another name. */
  const created = await store.createRoom(room).catch((error: unknown) => {
    if (error instanceof IdInUse) return 'taken';
    throw error;
  });
  if (created !== 'created') {
    reply.fail(created === 'taken' ? Code.conflict : Code.limited);
    return;
  }
  await rooms.load(id);
  /* Without the connection, which would say whose it is. */
  log.info('room made', { room: hex(id) });
  reply.done();
};

/** Of the maker alone, and signed by nobody else. */
async function isFirstHead(
  { sync, work }: Context,
  me: Account,
  id: Uint8Array,
  values: Values<typeof structs.crms>,
): Promise<boolean> {
  const isOwn = samePublic(values.owner, me.uid) && samePublic(values.signer, me.uid);
  if (!isOwn || values.epoch !== 1 || !isZero(values.previous)) return false;
  if (!samePublic(values.list, listHash(sync, id, [listRowOf(sync, me)]))) return false;
  return work.verify(Label.roomHead, me.sig, headMessage(id, values), values.signature);
}

/**
 * One's own row, where one is a member or invited. undefined, and answered: there is none, or the room is being deleted,
 * which may fail yet.
 */
function ownRow({ rooms, now }: Context, peer: Caller, room: Room | undefined, reply: Reply): Row | undefined {
  const row = room?.member(peer.uidKey) ?? room?.invitee(peer.uidKey, now());
  /* By other keys than theirs they are in it no more, though nobody may have noticed yet. */
  if (!row || !rooms.isTheirs(row, peer.account)) reply.fail(Code.forbidden);
  else if (room?.gone) reply.fail(Code.unavailable);
  else return row;
  return undefined;
}

/** Parts of messages that somebody can read who has the keys of this epoch alone. */
async function keptIn({ store }: Context, room: Room): Promise<number> {
  if (room.kept !== undefined) return room.kept;
  const { stirs } = room;
  const said = await store.said(room.id);
  const count = readableIn(room.epoch, said).length;
  if (room.stirs === stirs) room.kept = count;
  return count;
}

export const state: Handler<typeof structs.strm> = async (context, peer, values, reply) => {
  const room = await context.rooms.load(values.room);
  if (!room) {
    reply.fail(Code.forbidden);
    return;
  }
  const kept = await keptIn(context, room);
  /* As it is now: another epoch may have begun while that was counted. */
  const own = ownRow(context, peer, room, reply);
  if (!own) return;
  const { id, version, state: now } = room;
  reply.give(structs.strmAnswer, {
    ...now.head,
    room: id,
    version,
    kind: now.kind,
    closed: Number(now.isClosed),
    behind: Number(!peer.mailbox.isLive),
    rows: now.rows.length,
    kept,
    block: 'block' in own ? own.block : new Uint8Array(RSA_BLOCK),
  });
};

const noProofs: Omit<RoomEntry, 'uid' | 'name' | 'enc' | 'sig'> = {
  ...noInvitation,
  time: 0,
  mac: new Uint8Array(HASH),
  signature: new Uint8Array(SIGNATURE),
};
const noKeys = { enc: new Uint8Array(MODULUS), sig: new Uint8Array(MODULUS) };

export const member: Handler<typeof structs.mbrm> = async (context, peer, { room: id, index }, reply) => {
  const { rooms, store, presence } = context;
  const room = await rooms.load(id);
  if (!room) {
    reply.fail(Code.forbidden);
    return;
  }
  if (!ownRow(context, peer, room, reply)) return;
  let row = room.state.rows[index];
  let account = row && (await store.accountByUid(row.uid));
  if (row && row.kind !== RowKind.left && !rooms.isTheirs(row, account)) {
    /* They have left, though nobody noticed yet: nothing is told of them that others would refuse. */
    await rooms.mend(room);
    row = room.state.rows[index];
    account = row && (await store.accountByUid(row.uid));
  }
  if (!row) {
    reply.fail(Code.notFound);
    return;
  }
  const keys = rooms.isTheirs(row, account) ? account : undefined;
  const { version, epoch } = room;
  const { uid, name, fingerprint: print } = row;
  const isHere = isMember(row) && presence.get(idKey(uid)) !== undefined;
  reply.give(structs.mbrmAnswer, {
    ...noProofs,
    ...row,
    room: room.id,
    version,
    index,
    state: keys || row.kind !== RowKind.settled ? row.kind : RowKind.left,
    online: Number(isHere),
    epoch: row.kind === RowKind.entered ? epoch : row.kind === RowKind.invited ? row.invitedEpoch : 0,
    fingerprint: print,
    uid,
    name,
    ...(keys ? { enc: keys.enc, sig: keys.sig } : noKeys),
  });
};

export const remove: Handler<typeof structs.dlrm> = async (context, peer, { room: id }, reply) => {
  if (await overBudget(context, peer, reply)) return;
  await context.rooms.inTurn(id, async (room) => {
    if (!room || !samePublic(room.owner, peer.account.uid)) {
      reply.fail(Code.forbidden);
      return;
    }
    await context.rooms.destroy(room);
    reply.done();
  });
};
