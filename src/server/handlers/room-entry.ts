/** jrms: how somebody enters a room, by its password or an invitation (SPEC 9.4). */
import { Code, copy, isZero, listRowOf, Opcode, roomAuthHash, RowKind, structs } from '../../../protocol/index.js';
import type { QueueEntry, RoomMessage } from '../../store/store.js';
import { failed, shutOut } from '../attempts.js';
import type { Context } from '../context.js';
import { decoyRoom, noAuth } from '../decoy.js';
import type { Caller, Handler } from '../handler.js';
import { idKey } from '../keys.js';
import { pace } from '../pace.js';
import type { Reply } from '../reply.js';
import { crowd, entered, isKnownOtherwise, proofsOf } from '../room-changes.js';
import { enteredEvent, readableIn } from '../room-events.js';
import { hasPassword } from '../room-state.js';
import type { Room } from '../room.js';
import { unheeded } from '../rooms.js';
import { overBudget } from './lookups.js';

/** True, and answered, where there were too many wrong passwords: an id that no room has counts like one that is in use. */
function overFailures(context: Context, peer: Caller, room: Uint8Array, reply: Reply): boolean {
  const now = performance.now();
  const wait = Math.max(shutOut(context, peer), context.roomFailures.get(idKey(room), now).wait(now));
  if (wait > 0) reply.fail(Code.limited, wait);
  return wait > 0;
}

function wrongPassword(context: Context, peer: Caller, room: Uint8Array): void {
  const now = performance.now();
  context.roomFailures.get(idKey(room), now).fail(now);
  failed(context, peer, 'room password', { uid: peer.account.uid });
}

/** The same work whether there is such a room or not. */
function knowsPassword({ sync }: Context, room: Room | undefined, auth: Uint8Array): room is Room {
  const found = room && !room.gone && hasPassword(room.state) ? room : undefined;
  const isRight = sync.equal(roomAuthHash(sync, auth), found?.state.auth ?? noAuth);
  return isRight && found !== undefined;
}

export const find: Handler<typeof structs.jrms1> = async (context, peer, { name }, reply) => {
  const arrived = performance.now();
  const { rooms, sync, decoySecret } = context;
  if (await overBudget(context, peer, reply)) return;
  const found = await rooms.byName(name);
  const decoy = decoyRoom(sync, decoySecret, name);
  const answer = found && hasPassword(found.state) ? { room: found.id, salt: found.state.salt } : decoy;
  if (overFailures(context, peer, answer.room, reply)) return;
  await pace(arrived);
  reply.give(structs.jrms1Answer, answer);
};

export const unlock: Handler<typeof structs.jrms2> = async (context, peer, { room: id, auth }, reply) => {
  const arrived = performance.now();
  if (await overBudget(context, peer, reply)) return;
  if (overFailures(context, peer, id, reply)) return;
  const room = await context.rooms.load(id);
  /* Whoever comes first to the common room asks for one that nobody made. */
  const isFirst = room === undefined && context.rooms.isUnmadeLobby(id);
  const isRight = knowsPassword(context, room, auth);
  /* What the right password opens: another may be set before the answer leaves. */
  const wrapped = isRight ? { ...room.state.wrap, epoch: room.epoch } : undefined;
  if (!isRight && !isFirst) wrongPassword(context, peer, id);
  await pace(arrived);
  if (wrapped) reply.give(structs.jrms2Answer, wrapped);
  else reply.fail(Code.authentication);
};

export const enter: Handler<typeof structs.jrms3> = async (context, peer, values, reply) => {
  const arrived = performance.now();
  const { rooms } = context;
  if (await overBudget(context, peer, reply)) return;
  const isInvited = isZero(values.auth);
  /* Whoever guesses passwords shuts nobody out who needs none. */
  if (!isInvited && overFailures(context, peer, values.room, reply)) return;
  if (!isInvited && !knowsPassword(context, await rooms.load(values.room), values.auth)) {
    wrongPassword(context, peer, values.room);
    await pace(arrived);
    reply.fail(Code.authentication);
    return;
  }
  const who = listRowOf(context.sync, peer.account);
  await rooms.inTurn(values.room, async (room) => {
    const invitation = room?.invitee(peer.uidKey, context.now());
    if (isInvited ? !invitation : !knowsPassword(context, room, values.auth)) {
      reply.fail(isInvited ? Code.forbidden : Code.authentication);
    } else if (!room || values.epoch !== room.epoch || room.member(peer.uidKey) || isKnownOtherwise(room.state, who)) {
      reply.fail(Code.conflict);
    } else if (!invitation && crowd(room.state, context.now()) >= context.limits['room-members']) {
      reply.fail(Code.limited);
    } else {
      const proofs = proofsOf(values, isInvited ? invitation : undefined);
      await admit(context, room, peer, entered(room.state, who, values.block, proofs));
      reply.done();
    }
  });
};

/** Who entered gets what was said in this epoch, and then what others say: nothing twice, and nothing out of order. */
async function admit(
  { store, rooms, deliver, nextId, now }: Context,
  room: Room,
  peer: Caller,
  state: Room['state'],
): Promise<void> {
  const { account } = peer;
  const fresh: QueueEntry[] = [];
  room.fresh = fresh;
  try {
    const said = readableIn(room.epoch, await store.said(room.id));
    await rooms.change(room, state, () => {
      const row = room.member(peer.uidKey);
      if (row?.kind !== RowKind.entered) throw new Error('room: who entered is not in it');
      const event = enteredEvent({ nextId, now }, room, row, account);
      for (const [key, uid] of room.people) deliver(uid, event, unheeded, key);
      for (const each of said) deliver(account.uid, again(room, each, nextId()), unheeded);
      for (const each of fresh) deliver(account.uid, each, unheeded);
    });
  } finally {
    room.fresh = undefined;
  }
}

function again(room: Room, { key, time, fields }: RoomMessage, id: Uint8Array): QueueEntry {
  return { id, opcode: Opcode.rvrm, from: room.id, key: copy(key), time, fields };
}
