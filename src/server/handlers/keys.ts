/** rkey: new keys, with the word of those before (SPEC 6.13). */
import {
  Code,
  copy,
  HASH,
  keyProblem,
  renewalMac,
  samePublic,
  structs,
  type KeyChange,
  hex,
} from '../../../protocol/index.js';
import { failed } from '../attempts.js';
import type { Handler } from '../handler.js';
import { refuseKeys } from '../key-refusals.js';
import {
  cleanUp,
  exchangeKeys,
  isSame,
  isSignedBefore,
  isSignedByItself,
  overKeyChanges,
  tellContacts,
} from '../new-keys.js';
import { proven } from '../proven.js';
import { endOthers, whileReady } from '../sessions.js';
import { overBudget } from './lookups.js';

export const begin: Handler<typeof structs.rkey1> = async (context, peer, { enc, sig }, reply) => {
  const { sync, work, knownKeys } = context;
  peer.renewal = undefined;
  if (await overBudget(context, peer, reply)) return;
  const p = sync.random(HASH);
  const renewal = { enc: copy(enc), sig: copy(sig), possession: p };
  const key = keyProblem(renewal) ?? (await knownKeys.equal(renewal));
  if (key) {
    refuseKeys(context, peer, 'keys', peer.account, key, reply);
    return;
  }
  const block = await work.sealPossession(renewal.enc, p);
  peer.renewal = renewal;
  reply.give(structs.rkey1Answer, { block });
};

export const finish: Handler<typeof structs.rkey2> = async (context, peer, values, reply) => {
  const { store, sync, rooms, knownKeys, log } = context;
  const pending = peer.renewal;
  peer.renewal = undefined;
  if (await overBudget(context, peer, reply)) return;
  if (!pending) {
    reply.fail(Code.conflict);
    return;
  }
  const { enc, sig, possession: p } = pending;
  const { uid, name, sig: before } = peer.account;
  const { time, suite, signature, former } = values;
  const change: KeyChange = { uid, name, enc, sig, time, suite, signature, former };
  const isSigned =
    sync.equal(values.mac, renewalMac(sync, p, peer.th2, change)) &&
    (await isSignedByItself(context, change)) &&
    (await isSignedBefore(context, change, before));
  if (!isSigned) {
    failed(context, peer, 'keys', peer.account);
    reply.fail(Code.authentication);
    return;
  }
  if (await overKeyChanges(context, peer.account, reply)) return;
  /* Behind the proofs, since it costs the most; before the code, so that none goes for nothing. */
  const key = await knownKeys.refusal(pending, peer);
  if (key) {
    refuseKeys(context, peer, 'keys', peer.account, key, reply);
    return;
  }
  /* Last, so that no code goes for nothing. */
  const me = await proven(context, peer, values, reply);
  if (!me) return;
  const changed = await whileReady(context, peer, async () => {
    const now = await store.accountByUid(uid);
    if (!isSame(now, me) || !samePublic(now.sig, before)) return undefined;
    return exchangeKeys(context, me, pending, async () => {
      /* Before the keys: a crash in between leaves sessions to begin anew, none of the former keys beside the new ones. */
      await endOthers(context, peer);
      await tellContacts(context, me, change);
      return store.changeAccount(me.uid, (now) => (isSame(now, me) ? { ...now, enc, sig } : undefined));
    });
  });
  if (!changed) {
    reply.fail(Code.conflict);
    return;
  }
  await cleanUp(context, () => rooms.reconsider(me.uid));
  log.info('keys renewed', { connection: peer.connectionId, uid: hex(me.uid) });
  reply.done();
  /* The link's next epochs would be sealed for the former keys. */
  peer.close(Code.unavailable);
};
