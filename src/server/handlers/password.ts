/** pswd, in two steps: another password, or other words (SPEC 6.11). */
import { Code, samePublic, structs, hex } from '../../../protocol/index.js';
import type { Account } from '../../store/store.js';
import type { Context } from '../context.js';
import type { Caller, Handler } from '../handler.js';
import { proven } from '../proven.js';
import { endOthers, whileReady } from '../sessions.js';
import { overBudget } from './lookups.js';

export const begin: Handler<typeof structs.pswd1> = async (context, peer, { opaque }, reply) => {
  peer.passwordDue = false;
  if (await overBudget(context, peer, reply)) return;
  const response = await context.work.registrationResponse(peer.account.uid, opaque);
  if (!response) {
    reply.fail(Code.malformed);
    return;
  }
  peer.passwordDue = true;
  reply.give(structs.pswd1Answer, { opaque: response });
};

export const finish: Handler<typeof structs.pswd2> = async (context, peer, values, reply) => {
  const isDue = peer.passwordDue;
  peer.passwordDue = false;
  if (!isDue) {
    reply.fail(Code.conflict);
    return;
  }
  const account = await proven(context, peer, values, reply);
  if (!account) return;
  const { record, newWords } = values;
  /* In turn with logins: one that is being finished sees what this made, or ends this connection before it. */
  const changed = await whileReady(context, peer, () => change(context, peer, account, { record, words: newWords }));
  if (!changed) {
    reply.fail(Code.conflict);
    return;
  }
  context.log.info('password or words changed', { connection: peer.connectionId, uid: hex(account.uid) });
  reply.done();
};

/** Other sessions end first: a crash in between leaves them without a grant, never with one of the former password. */
async function change(
  context: Context,
  peer: Caller,
  proven: Account,
  made: Pick<Account, 'record' | 'words'>,
): Promise<boolean> {
  await endOthers(context, peer);
  const changed = await context.store.changeAccount(proven.uid, (account) =>
    peer.state === 'ready' && samePublic(account.words, proven.words) ? { ...account, ...made } : undefined,
  );
  return changed !== undefined;
}
