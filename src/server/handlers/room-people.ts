/** Who is in a room: invitations, leaving, and new epochs (SPEC 9.7, 9.9). */
import {
  Code,
  copy,
  Departure,
  headHash,
  headMessage,
  INVITATION_MS,
  invitationBound,
  Label,
  listHash,
  listRowOf,
  ROOM_MEMBERS,
  RoomKind,
  RowKind,
  samePublic,
  structs,
  type Invitation,
  type Values,
} from '../../../protocol/index.js';
import type { Context } from '../context.js';
import type { Caller, Handler } from '../handler.js';
import { idKey } from '../keys.js';
import type { Reply } from '../reply.js';
import { crowd, inTime, invited, rotated, staying, uninvited } from '../room-changes.js';
import { changedEvents, invitedEvent, leftEvent } from '../room-events.js';
import type { Room } from '../room.js';
import { unheeded } from '../rooms.js';
import { overBudget } from './lookups.js';

export const invite: Handler<typeof structs.inrm> = async (context, peer, values, reply) => {
  const { store, routes, rooms, now } = context;
  if (await overBudget(context, peer, reply)) return;
  await rooms.inTurn(values.room, async (room) => {
    if (!room?.member(peer.uidKey)) {
      reply.fail(Code.forbidden);
      return;
    }
    const invitee = await store.accountByUid(values.invitee);
    if (!invitee) {
      reply.fail(Code.notFound);
      return;
    }
    const key = idKey(invitee.uid);
    if (!(await routes.load(peer.uidKey + key))) {
      reply.fail(Code.forbidden);
      return;
    }
    const isIn = room.member(key) !== undefined || room.invitee(key, now()) !== undefined;
    if (values.epoch !== room.epoch || room.state.isClosed || isIn) {
      reply.fail(Code.conflict);
      return;
    }
    if (values.expires <= now() || values.expires > now() + INVITATION_MS) {
      reply.fail(Code.malformed);
      return;
    }
    if (crowd(room.state, now()) >= context.limits['room-members']) {
      reply.fail(Code.limited);
      return;
    }
    const who = listRowOf(context.sync, invitee);
    const next = invited(inTime(room.state, now()), who, values.block, invitationOf(context, peer, values));
    await rooms.change(room, next, () => {
      hand(context, room, values.invitee, values.head, reply);
    });
  });
};

function invitationOf({ sync }: Context, peer: Caller, values: Values<typeof structs.inrm>): Invitation {
  const bound = invitationBound(sync, values.head, values.block);
  const { epoch: invitedEpoch, expires, invitation } = values;
  return { inviter: peer.account.uid, invitedEpoch, expires, bound, invitation };
}

/** An invitation that its invitee can't get ends, and its inviter is told. */
function hand(context: Context, room: Room, invitee: Uint8Array, head: Uint8Array, reply: Reply): void {
  const { deliver, now, rooms, refusals } = context;
  const row = room.invitee(idKey(invitee), now());
  if (!row) {
    reply.fail(Code.malformed); // its time came while it was written
    return;
  }
  deliver(row.uid, invitedEvent(context, room, row, head), (code) => {
    if (code === Code.done || code === Code.queued) {
      reply.done(code);
      return;
    }
    const undone = rooms.inTurn(room.id, async (found) => {
      const isSame = found?.invitee(idKey(row.uid), now())?.expires === row.expires;
      if (found && isSame) await rooms.change(found, uninvited(found.state, row.uid), unheeded);
    });
    undone.then(
      () => {
        reply.fail(code);
      },
      (error: unknown) => {
        refusals.trouble('the store failed', error);
        reply.fail(Code.storage);
      },
    );
  });
}

export const decline: Handler<typeof structs.dcrm> = async (context, peer, { room: id }, reply) => {
  const { rooms, deliver, now } = context;
  if (await overBudget(context, peer, reply)) return;
  await rooms.inTurn(id, async (room) => {
    const row = room?.invitee(peer.uidKey, now());
    if (!room || !row) {
      reply.fail(Code.forbidden);
      return;
    }
    const { inviter, uid } = row;
    await rooms.change(room, uninvited(room.state, uid), () => {
      deliver(inviter, leftEvent(context, room, uid, Departure.declined), unheeded);
    });
    reply.done();
  });
};

export const leave: Handler<typeof structs.lvrm> = async (context, peer, { room: id }, reply) => {
  const { rooms } = context;
  const me = peer.account.uid;
  if (await overBudget(context, peer, reply)) return;
  await rooms.inTurn(id, async (room) => {
    if (!room?.member(peer.uidKey)) {
      reply.fail(Code.forbidden);
      return;
    }
    if (samePublic(room.owner, me)) {
      reply.fail(Code.conflict);
      return;
    }
    await rooms.part(room, [me]);
    reply.done();
  });
};

/** The blocks of a new epoch come before its head: they wait here, with the connection. */
export const stage: Handler<typeof structs.rtrm1> = async (context, peer, values, reply) => {
  const { room: id, epoch, from, blocks } = values;
  const room = await context.rooms.load(id);
  if (!room?.member(peer.uidKey)) {
    reply.fail(Code.forbidden);
    return;
  }
  if (from === 0) peer.rotation = { room: room.key, epoch, sent: 0, blocks: new Map() };
  const { rotation } = peer;
  if (rotation?.room !== room.key || rotation.epoch !== epoch || rotation.sent !== from) {
    reply.fail(Code.conflict);
    return;
  }
  if (from + blocks.length > ROOM_MEMBERS) {
    peer.rotation = undefined;
    reply.fail(Code.malformed);
    return;
  }
  for (const { uid, block } of blocks) rotation.blocks.set(idKey(uid), copy(block));
  rotation.sent += blocks.length;
  reply.done();
};

export const rotate: Handler<typeof structs.rtrm2> = async (context, peer, values, reply) => {
  const { rooms } = context;
  const staged = peer.rotation;
  peer.rotation = undefined;
  if (await overBudget(context, peer, reply)) return;
  await rooms.inTurn(values.room, async (room) => {
    if (!room || !mayRotate(room, peer, values)) {
      reply.fail(Code.forbidden);
      return;
    }
    if (values.epoch !== room.epoch + 1 || values.version !== room.version) {
      reply.fail(Code.conflict);
      return;
    }
    const isOurs = staged?.room === room.key && staged.epoch === values.epoch && staged.sent === staged.blocks.size;
    const out = isOurs ? goingOut(room, values, staged.blocks) : [];
    if (!isOurs || !isFor(room, values, out, staged.blocks) || !(await isNextHead(context, room, peer, values, out))) {
      reply.fail(Code.malformed);
      return;
    }
    if (await begin(context, room, values, out, staged.blocks)) reply.done();
    else reply.fail(Code.limited);
  });
};

type Rotation = Values<typeof structs.rtrm2>;

/**
 * The owner may all of it; others remove who entered in this epoch, and no more. Where the owner has left, whoever begins
 * the next epoch is the owner (SPEC 9.9).
 */
function mayRotate(room: Room, peer: Caller, { owner, renewed, removed }: Rotation): boolean {
  if (!room.member(peer.uidKey)) return false;
  if (samePublic(room.owner, peer.account.uid)) return true;
  const due = room.member(idKey(room.owner)) ? room.owner : peer.account.uid;
  if (renewed !== 0 || !samePublic(owner, due)) return false;
  return removed.every(({ uid }) => room.member(idKey(uid))?.kind === RowKind.entered);
}

/**
 * Those who are named, and those who entered in this epoch and get no block: there may be more bad entries than one
 * change can name.
 */
function goingOut(room: Room, { removed }: Rotation, blocks: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  const named = removed.map(({ uid }) => copy(uid));
  const keys = new Set(named.map((uid) => idKey(uid)));
  const unnamed = room.recipients.filter(
    ({ key }) => !keys.has(key) && !blocks.has(key) && room.member(key)?.kind === RowKind.entered,
  );
  return [...named, ...unnamed.map(({ uid }) => uid)];
}

/** Those who go are members, and each who stays has a block; other blocks are for invitees. */
function isFor(
  room: Room,
  { removed }: Rotation,
  uids: readonly Uint8Array[],
  blocks: ReadonlyMap<string, Uint8Array>,
): boolean {
  const named = new Set(removed.map(({ uid }) => idKey(uid)));
  if (named.size !== removed.length || ![...named].every((key) => room.member(key))) return false;
  const out = new Set(uids.map((uid) => idKey(uid)));
  const stays = room.recipients.filter(({ key }) => !out.has(key));
  if (!stays.every(({ key }) => blocks.has(key))) return false;
  const invitees = new Set(room.invitees.map(({ uid }) => idKey(uid)));
  return [...blocks.keys()].every((key) => invitees.has(key) || (room.member(key) && !out.has(key)));
}

async function isNextHead(
  { sync, work }: Context,
  room: Room,
  peer: Caller,
  values: Rotation,
  out: readonly Uint8Array[],
): Promise<boolean> {
  const { state, id } = room;
  const me = peer.account;
  const stays = staying(state, out);
  const isIn = (uid: Uint8Array): boolean => stays.some((row) => samePublic(row.uid, uid));
  const isSound =
    values.name === room.name &&
    samePublic(values.previous, headHash(sync, id, state.head)) &&
    samePublic(values.signer, me.uid) &&
    isIn(me.uid) &&
    isIn(values.owner) &&
    samePublic(values.list, listHash(sync, id, stays)) &&
    (values.renewed === 0 || state.kind === RoomKind.password);
  return isSound && work.verify(Label.roomHead, me.sig, headMessage(id, values), values.signature);
}

async function begin(
  context: Context,
  room: Room,
  values: Rotation,
  out: readonly Uint8Array[],
  blocks: ReadonlyMap<string, Uint8Array>,
): Promise<boolean> {
  const { rooms, deliver } = context;
  const { renewed, owner } = values;
  const removed = values.removed.map(({ uid }) => ({ uid: copy(uid) }));
  const next = rotated(room.state, values, values, renewed === 1 ? values : undefined, out, blocks);
  const tell = (): void => {
    const event = changedEvents(context, room, renewed, removed);
    for (const row of room.state.rows) if ('block' in row) deliver(row.uid, event(row.block), unheeded);
    for (const uid of out) deliver(uid, leftEvent(context, room, uid, Departure.removed), unheeded);
  };
  return rooms.change(room, next, tell, owner);
}
