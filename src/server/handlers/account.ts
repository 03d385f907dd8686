/** dlac: somebody deletes their account, for good (SPEC 6.14). */
import { Code, hex, type structs } from '../../../protocol/index.js';
import type { Handler } from '../handler.js';
import { isSame } from '../new-keys.js';
import { proven } from '../proven.js';
import { endOthers, whileReady } from '../sessions.js';
import { overBudget } from './lookups.js';

export const remove: Handler<typeof structs.dlac> = async (context, peer, values, reply) => {
  const { store, routes, rooms, knownKeys, log } = context;
  if (await overBudget(context, peer, reply)) return;
  const me = await proven(context, peer, values, reply);
  if (!me) return;
  const isGone = await whileReady(context, peer, async () => {
    if (!isSame(await store.accountByUid(me.uid), me)) return false;
    await endOthers(context, peer);
    /* Members are told, which the store does not do; a crash from here on leaves an account whose owner does it again. */
    for (const id of await store.roomsOf(me.uid)) await rooms.inTurn(id, async (room) => room && rooms.destroy(room));
    await rooms.dismiss(me.uid);
    const deleted = await store.deleteAccount(me.uid);
    if (deleted) await knownKeys.release(me);
    return deleted;
  });
  if (!isGone) {
    reply.fail(Code.conflict);
    return;
  }
  routes.forget(peer.uidKey);
  await rooms.reconsider(me.uid);
  log.info('account deleted', { connection: peer.connectionId, uid: hex(me.uid) });
  reply.done();
  peer.finish();
};
