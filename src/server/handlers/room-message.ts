/** srms: what is said in a room, the path of each frame of it (SPEC 9.8). Nothing here awaits when the room is in use. */
import {
  Code,
  COMMAND_HEADER,
  ID,
  Opcode,
  ROOM_MESSAGE,
  samePublic,
  structs,
  type SyncCrypto,
  type Values,
} from '../../../protocol/index.js';
import type { QueueEntry } from '../../store/store.js';
import type { Context } from '../context.js';
import type { Caller, Handler } from '../handler.js';
import { idKey } from '../keys.js';
import { ROOM_DELIVERIES } from '../limits.js';
import type { Reply, Request } from '../reply.js';
import type { Room } from '../room.js';
import { Tally } from '../tally.js';

type Message = Values<typeof structs.srms>;

export const say: Handler<typeof structs.srms> = (context, peer, values, reply, request) => {
  const room = context.rooms.known(idKey(values.room));
  if (room) return fan(context, peer, room, values, reply, request);
  return context.rooms.load(values.room).then((loaded) => fan(context, peer, loaded, values, reply, request));
};

function fan(
  context: Context,
  peer: Caller,
  room: Room | undefined,
  values: Message,
  reply: Reply,
  request: Request,
): void | Promise<void> {
  const me = peer.account.uid;
  if (!room || room.gone || !room.member(peer.uidKey) || !samePublic(values.sender, me)) {
    reply.fail(Code.forbidden);
    return;
  }
  if (values.epoch !== room.epoch || room.state.isClosed) {
    return repeated(context, room, me, request, reply);
  }
  if (peer.unanswered >= context.limits.window) {
    reply.fail(Code.limited);
    return;
  }
  const { rooms } = context;
  const others = room.recipients;
  if (rooms.deliveries > 0 && rooms.deliveries + others.length > ROOM_DELIVERIES) {
    reply.fail(Code.limited, 1);
    return;
  }
  const entry = entryOf(context, room, me, request);
  peer.unanswered++;
  rooms.deliveries += others.length;
  /* One for each other member, and one for what the room keeps. */
  const { settle } = new Tally(others.length, (code) => {
    peer.unanswered--;
    rooms.deliveries -= others.length;
    reply.settled(code);
  });
  keep(context, room, me, values, entry, settle);
  room.fresh?.push(entry);
  for (const { uid, key } of others) if (key !== peer.uidKey) context.deliver(uid, entry, settle, key);
}

/**
 * Sealed for another epoch: what is kept already was only not answered, since the line broke; anything else has to be
 * sealed anew.
 */
async function repeated(
  { store, sync }: Context,
  room: Room,
  sender: Uint8Array,
  { frameId }: Request,
  reply: Reply,
): Promise<void> {
  const key = keyOf(sync, sender, frameId);
  const said = await store.said(room.id);
  if (said.some((message) => samePublic(message.key, key))) reply.done(Code.queued);
  else reply.fail(Code.conflict);
}

/** Of the sender's, so that no member can have another's message taken for a repetition. */
function keyOf(sync: SyncCrypto, sender: Uint8Array, frameId: Uint8Array): Uint8Array {
  return sync.sha256(sender, frameId).subarray(0, ID);
}

/** The same for all: one entry, and one id. Its fields stand in `rvrm` as they do in `srms`. */
function entryOf(
  { sync, nextId, now }: Context,
  room: Room,
  sender: Uint8Array,
  { bytes, frameId }: Request,
): QueueEntry {
  return {
    id: nextId(),
    opcode: Opcode.rvrm,
    from: room.id,
    key: keyOf(sync, sender, frameId),
    time: now(),
    fields: bytes.subarray(COMMAND_HEADER, COMMAND_HEADER + ROOM_MESSAGE),
  };
}

function keep(
  { store, refusals }: Context,
  room: Room,
  from: Uint8Array,
  { message }: Message,
  { key, time, fields }: QueueEntry,
  settle: (code: Code) => void,
): void {
  store.say(room.id, { from, key, message, time, fields }).then(
    () => {
      room.stir();
      settle(Code.done);
    },
    (error: unknown) => {
      if (room.gone) {
        settle(Code.done); // deleted meanwhile, with all that was said
        return;
      }
      refusals.trouble('the store failed', error);
      settle(Code.storage);
    },
  );
}
