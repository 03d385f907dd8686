/** rcov: somebody who lost their keys comes back by a recovery code and the password, with new ones (SPEC 6.12). */
import {
  Code,
  copy,
  HASH,
  keyProblem,
  recoveryMac,
  structs,
  type KeyChange,
  type Values,
  noFormer,
  hex,
} from '../../../protocol/index.js';
import { SecondFactor, type Account } from '../../store/store.js';
import { failed, refused } from '../attempts.js';
import type { Context } from '../context.js';
import { decoyIdentifier } from '../decoy.js';
import { turnAway } from '../disabled.js';
import { count, firstStep } from '../first-step.js';
import { recoveryHash, withoutRecovery, withSecurity } from '../factors.js';
import type { Caller, Handler, PendingRecovery } from '../handler.js';
import { idKey } from '../keys.js';
import { refuseKeys } from '../key-refusals.js';
import type { Keys } from '../known-keys.js';
import { cleanUp, exchangeKeys, isSame, isSignedByItself, overKeyChanges, settle, tellContacts } from '../new-keys.js';
import { endSessions } from '../sessions.js';

export const begin: Handler<typeof structs.rcov1> = async (context, peer, values, reply) => {
  const keys = { enc: copy(values.enc), sig: copy(values.sig) };
  const prepared = await firstStep(context, peer, reply, () => prepare(context, peer, values, keys));
  if (!prepared) return;
  const { uid, block, ke2, pending } = prepared;
  peer.become('recovering');
  peer.recovery = pending;
  reply.progress(structs.rcov1Answer, { uid, block, ke2 }, Code.proceed);
};

/**
 * The account's own answer where the code is one of its own; else the name's decoy, after the same work.
 * undefined: the keys are refused, or KE1 is malformed, whatever the name.
 */
async function prepare(context: Context, peer: Caller, { name, code, ke1 }: Values<typeof structs.rcov1>, keys: Keys) {
  const { store, sync, work, decoySecret, knownKeys } = context;
  /* Nothing is proven yet: whether they share a prime with a key of the network is a question for the next step. */
  const key = keyProblem(keys) ?? (await knownKeys.equal(keys));
  if (key) {
    refused(context, peer, 'keys', { name }, { key });
    return undefined;
  }
  const found = await store.accountByName(name);
  const decoy = decoyIdentifier(sync, decoySecret, name);
  const hash = recoveryHash(context, found?.uid ?? decoy, code);
  const account = found && withoutRecovery(found, hash) ? found : undefined;
  const uid = account?.uid ?? decoy;
  const p = sync.random(HASH);
  const answer = await work.answerRecovery(keys.enc, p, { identifier: uid, record: account?.record }, ke1);
  /* Here, and not at the next step, which whoever only tries codes leaves out. */
  if (!account) failed(context, peer, 'recovery', { name });
  /* Whoever has a code counts against the account, as whoever has its key does. */
  const wait = await count(context, account);
  const { block, response } = answer;
  if (!response) return undefined;
  const pending = { account, code: hash, ...keys, keys, possession: p, passwordState: response.state };
  return { account, wait, uid, block, ke2: response.ke2, pending };
}

export const finish: Handler<typeof structs.rcov2> = async (context, peer, values, reply) => {
  const { recovery } = peer;
  if (!recovery) throw new Error('recovery: none is under way');
  const { account } = recovery;
  const change = await prove(context, peer, recovery, values);
  if (account && change && (await isDisabled(context, recovery, account))) {
    turnAway(context, peer, account, reply);
    return;
  }
  if (account && change && (await overKeyChanges(context, account, reply))) {
    peer.become('open');
    return;
  }
  const key = change && (await context.knownKeys.refusal(recovery.keys, peer));
  if (key) {
    peer.become('open');
    refuseKeys(context, peer, 'keys', account, key, reply);
    return;
  }
  if (!account || !change || !(await replace(context, recovery, account, change, copy(values.words)))) {
    peer.become('open');
    if (account) failed(context, peer, 'recovery', account); // a decoy's was counted before
    reply.fail(Code.authentication);
    return;
  }
  context.counts.recoveries++;
  context.log.info('recovered', { connection: peer.connectionId, uid: hex(account.uid) });
  peer.become('open');
  reply.finish(structs.answer, { wait: 0 });
};

/** All still holds that was proven, and nothing was changed for it: the code counts on. */
async function isDisabled({ store }: Context, { code }: PendingRecovery, account: Account): Promise<boolean> {
  const now = await store.accountByUid(account.uid);
  return isSame(now, account) && now.security.disabled && withoutRecovery(now, code) !== undefined;
}

/** The change, where password and new keys are proven. */
async function prove(
  context: Context,
  peer: Caller,
  { account, passwordState, possession: p, enc, sig }: PendingRecovery,
  { ke3, mac, words, time, suite, signature }: Values<typeof structs.rcov2>,
): Promise<KeyChange | undefined> {
  const { passwords, sync } = context;
  const sessionKey = await passwords.loginFinish(passwordState, ke3);
  if (!account || !sessionKey) return undefined;
  const { uid, name } = account;
  const change: KeyChange = { uid, name, enc, sig, time, suite, signature: copy(signature), former: noFormer };
  const expected = recoveryMac(sync, p, sessionKey, peer.th2, words, change);
  sessionKey.fill(0);
  return sync.equal(mac, expected) && (await isSignedByItself(context, change)) ? change : undefined;
}

/**
 * Contacts are told, then the account has the new keys, and all that went by the former ones ends. False where the code is
 * used by now, or the keys are others: of two at once one is done, and nobody is told of the other's keys.
 */
async function replace(
  context: Context,
  { code, keys }: PendingRecovery,
  account: Account,
  change: KeyChange,
  words: Uint8Array,
): Promise<boolean> {
  const { store, logins, rooms } = context;
  const { uid } = account;
  const { enc, sig } = change;
  const recovered = { factor: SecondFactor.none, secret: new Uint8Array(0), step: 0, unsettled: true };
  const next = (now: Account): Account | undefined => {
    const spent = isSame(now, account) ? withoutRecovery(now, code) : undefined;
    return spent && { ...withSecurity(spent, recovered), enc, sig, words };
  };
  /* In one turn, so that no login finds half of it. */
  return logins.inTurn(idKey(uid), async () => {
    const now = await store.accountByUid(uid);
    if (!now || !next(now)) return false;
    const exchanged = await exchangeKeys(context, account, keys, async () => {
      /* Before the keys: a failure or crash in between leaves nobody logged in, never the former keys beside the new ones. */
      await endSessions(context, uid);
      await tellContacts(context, account, change);
      return store.changeAccount(uid, next);
    });
    if (!exchanged) return false;
    await cleanUp(context, () => Promise.all([settle(context, uid), rooms.reconsider(uid)]));
    return true;
  });
}
