/** auth in two steps, then pass (SPEC 6.5, 6.6). */
import {
  Code,
  loginMessage,
  LoginTranscript,
  PASS_WINDOW_MS,
  RANDOM,
  samePublic,
  SESSION_MS,
  structs,
  type Values,
  hex,
} from '../../../protocol/index.js';
import type { Caller, Handler, PendingLogin } from '../handler.js';
import { SecondFactor, type Account, type Grant } from '../../store/store.js';
import { failed } from '../attempts.js';
import type { Context } from '../context.js';
import { decoyBlock, decoyIdentifier } from '../decoy.js';
import { turnAway } from '../disabled.js';
import { count, firstStep } from '../first-step.js';
import { FactorProof, hasWords, spend, type Proof, type Spent } from '../factors.js';
import { idKey } from '../keys.js';
import { isSame, settle } from '../new-keys.js';
import { refuse } from '../proven.js';
import type { Reply, Request } from '../reply.js';

export const begin: Handler<typeof structs.auth1> = async (context, peer, values, reply, request) => {
  const prepared = await firstStep(context, peer, reply, () => prepare(context, peer, values));
  if (!prepared) {
    context.counts.login('turned away');
    return;
  }
  const { account, s2, block, ke2, passwordState } = prepared;
  const transcript = new LoginTranscript();
  transcript.add(request.bytes);
  peer.become('proving');
  peer.login = { account, s2, block, passwordState, transcript };
  transcript.add(reply.progress(structs.auth1Answer, { block, ke2 }, Code.proceed));
};

/**
 * The account's own answer where the signature is its owner's; else the name's decoy, after the same
 * work. undefined: KE1 is malformed, whatever the name.
 */
async function prepare(
  context: Context,
  peer: Caller,
  { name, signature, ke1 }: { readonly name: string; readonly signature: Uint8Array; readonly ke1: Uint8Array },
) {
  const { store, sync, work, decoySecret, generations } = context;
  const found = await store.accountByName(name);
  const nobody = generations[0]?.serverModulus ?? new Uint8Array(0);
  const s2 = sync.random(RANDOM);
  const { signed, ...answer } = await work.answerLogin({
    sig: found?.sig ?? nobody,
    message: loginMessage(peer.th2, name, ke1),
    signature,
    ke1,
    s2,
    account: found && { enc: found.enc, identifier: found.uid, record: found.record },
    decoy: { enc: nobody, identifier: decoyIdentifier(sync, decoySecret, name), record: undefined },
  });
  const account = signed ? found : undefined;
  /* Here, and not at the next step, which whoever only tries signatures leaves out. */
  if (!account) {
    failed(context, peer, 'name or signature', { name });
    context.counts.login('name or signature');
  }
  const wait = await count(context, account);
  const { response } = answer;
  if (!response) return undefined;
  const block = account ? answer.block : decoyBlock(sync, decoySecret, name);
  return { account, wait, s2, block, ke2: response.ke2, passwordState: response.state };
}

export const prove: Handler<typeof structs.auth2> = async (context, peer, values, reply, request) => {
  const { login } = peer;
  if (!login) throw new Error('login: no login is under way');
  const sessionKey = await context.passwords.loginFinish(login.passwordState, values.ke3);
  if (!login.account || !sessionKey) {
    peer.become('open');
    if (login.account) wrongPassword(context, peer, login.account); // a decoy's was counted before
    reply.fail(Code.authentication);
    return;
  }
  login.sessionKey = sessionKey;
  login.transcript.add(request.bytes);
  peer.become('words', PASS_WINDOW_MS);
  const { factor } = login.account.security;
  login.transcript.add(reply.progress(structs.auth2Answer, { factor }, Code.words));
};

function wrongPassword(context: Context, peer: Caller, account: Account): void {
  context.counts.login('password');
  failed(context, peer, 'password', account);
}

/** In turn with what changes the account: whoever changed it first, the other side does not take the former for true. */
export const finish: Handler<typeof structs.pass> = (context, peer, values, reply, request) => {
  const { login } = peer;
  if (!login?.account || !login.sessionKey) throw new Error('login: the password is not proven');
  const { account, sessionKey } = login;
  const proven = { login, begun: account, sessionKey };
  return context.logins.inTurn(idKey(account.uid), () => enter(context, peer, proven, values, reply, request));
};

interface Proven {
  readonly login: PendingLogin;
  /** as it was when the login began */
  readonly begun: Account;
  readonly sessionKey: Uint8Array;
}

async function enter(
  context: Context,
  peer: Caller,
  { login, begun, sessionKey }: Proven,
  values: Values<typeof structs.pass>,
  reply: Reply,
  request: Request,
): Promise<void> {
  const { store, sync } = context;
  const account = await store.accountByUid(begun.uid);
  if (!isSame(account, begun)) {
    peer.become('open');
    wrongPassword(context, peer, begun);
    reply.fail(Code.authentication);
    return;
  }
  const running = await runningGrant(context, account, values);
  const spent =
    hasWords(context, account, values.words) &&
    (running ? byGrant : await spend(context, account, withoutGrant(account, values)));
  if (!spent || !spent.counts) {
    peer.become('open');
    context.counts.login(spent && spent.wait > 0 ? 'turned away' : 'words or code');
    refuse(context, peer, spent, account, reply);
    return;
  }
  /* Not before all is proven: nobody else is to learn it. */
  if (account.security.disabled) {
    turnAway(context, peer, account, reply);
    return;
  }
  /* Before anything is pushed that only the keys before could open. */
  if (account.security.unsettled) await settle(context, account.uid);
  const [{ grant, ends }, waiting] = await Promise.all([
    running ?? open(context, account),
    store.queueLength(account.uid),
    store.clearAttempts(account.uid),
  ]);
  /* Last: what was proven may have become another since, the session have been ended, and the account be gone. */
  if (!(await stillHolds(context, account, sync.sha256(grant)))) {
    peer.become('open');
    wrongPassword(context, peer, account);
    reply.fail(Code.authentication);
    return;
  }
  if (peer.state !== 'words') return; // it went away meanwhile
  peer.grantHash = sync.sha256(grant);
  login.transcript.add(request.bytes);
  login.transcript.add(reply.finish(structs.passAnswer, { grant, ends }));
  peer.authenticated(login, account, sessionKey, ends, waiting);
  context.counts.login('ok');
  context.log.info('logged in', { connection: peer.connectionId, uid: hex(account.uid) });
}

/** Account and second factor are what they were when somebody proved them, and the session runs. */
async function stillHolds({ store }: Context, then: Account, grantHash: Uint8Array): Promise<boolean> {
  const [now, grants] = await Promise.all([store.accountByUid(then.uid), store.grants(then.uid)]);
  return isSame(now, then) && hasFactorOf(now, then) && grants.some(({ hash }) => samePublic(hash, grantHash));
}

function hasFactorOf({ security: now }: Account, { security: then }: Account): boolean {
  return now.factor === then.factor && samePublic(now.secret, then.secret);
}

interface Running {
  readonly grant: Uint8Array;
  /** ms since 1970 */
  readonly ends: number;
}

/** The session that the grant stands for goes on to its own end. undefined: it stands for none. */
async function runningGrant(
  { store, sync, now }: Context,
  account: Account,
  { factor, code }: Proof,
): Promise<Running | undefined> {
  if (factor !== FactorProof.grant || code.length !== RANDOM) return undefined;
  const hash = sync.sha256(code);
  const running = (await store.grants(account.uid)).find((grant: Grant) => samePublic(grant.hash, hash));
  return running && running.ends > now() ? { grant: code, ends: running.ends } : undefined;
}

/** Whoever has the grant has shown a code before. */
const byGrant: Spent = { counts: true, wait: 0 };

/** Where there is no second factor, a grant that stands for nothing is as none. */
function withoutGrant({ security }: Account, proof: Proof): Proof {
  const isNone = security.factor === SecondFactor.none && proof.factor === FactorProof.grant;
  return isNone ? { ...proof, factor: FactorProof.none } : proof;
}

/** A new session. */
async function open({ store, sync, now }: Context, account: Account): Promise<Running> {
  const grant = sync.random(RANDOM);
  const ends = now() + SESSION_MS;
  await store.saveGrant(account.uid, { hash: sync.sha256(grant), ends }, now());
  return { grant, ends };
}

export const quit: Handler<typeof structs.quit> = async ({ store }, peer) => {
  if (peer.grantHash) await store.revokeGrant(peer.account.uid, peer.grantHash);
  peer.finish();
};
