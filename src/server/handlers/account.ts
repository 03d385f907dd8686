/** dlac: somebody deletes their account, for good (SPEC 6.14). */
import { Code, hex, type structs } from '../../../protocol/index.js';
import { eraseAccount, forgetAccount } from '../erasure.js';
import type { Handler } from '../handler.js';
import { isSame } from '../new-keys.js';
import { proven } from '../proven.js';
import { endOthers, whileReady } from '../sessions.js';
import { overBudget } from './lookups.js';

export const remove: Handler<typeof structs.dlac> = async (context, peer, values, reply) => {
  const { store, log } = context;
  if (await overBudget(context, peer, reply)) return;
  const me = await proven(context, peer, values, reply);
  if (!me) return;
  const isGone = await whileReady(context, peer, async () => {
    if (!isSame(await store.accountByUid(me.uid), me)) return false;
    await endOthers(context, peer);
    return eraseAccount(context, me);
  });
  if (!isGone) {
    reply.fail(Code.conflict);
    return;
  }
  await forgetAccount(context, me.uid);
  log.info('account deleted', { connection: peer.connectionId, uid: hex(me.uid) });
  reply.done();
  peer.finish();
};
