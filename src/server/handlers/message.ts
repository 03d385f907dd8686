/** Private messages and their acknowledgement: the path of each frame (SPEC 8). Nothing here awaits when routes are known. */
import { Code, envelopeRecipient, ID, Opcode, structs } from '../../../protocol/index.js';
import type { Caller, Handler } from '../handler.js';
import type { Context } from '../context.js';
import { idKey } from '../keys.js';
import type { Reply } from '../reply.js';

/** Where sender and recipient stand next to each other in an envelope. */
const PAIR_AT = 2 + 2 * ID;

export const send: Handler<typeof structs.smpu> = (context, peer, { envelope }, reply, { frameId }) => {
  const pair = idKey(envelope, PAIR_AT, PAIR_AT + 2 * ID);
  if (!pair.startsWith(peer.uidKey)) {
    reply.fail(Code.forbidden);
    return undefined;
  }
  if (peer.unanswered >= context.limits.window) {
    reply.fail(Code.limited);
    return undefined;
  }
  const open = context.routes.known(pair);
  if (open !== undefined) {
    route(context, peer, frameId, envelope, open, reply);
    return undefined;
  }
  return context.routes.load(pair).then((loaded) => {
    route(context, peer, frameId, envelope, loaded, reply);
  });
};

function route(
  context: Context,
  peer: Caller,
  frameId: Uint8Array,
  envelope: Uint8Array,
  open: boolean,
  reply: Reply,
): void {
  if (!open) {
    reply.fail(Code.forbidden);
    return;
  }
  const entry = {
    id: context.nextId(),
    opcode: Opcode.rvum,
    from: peer.account.uid,
    key: frameId, // each part of a message has its own
    time: context.now(),
    fields: envelope,
  };
  peer.unanswered++;
  context.deliver(envelopeRecipient(envelope), entry, (code) => {
    peer.unanswered--;
    reply.settled(code);
  });
}

export const acknowledge: Handler<typeof structs.ackd> = (_context, peer, { ids }) => {
  peer.mailbox.acknowledge(ids.map(({ id }) => id));
};
