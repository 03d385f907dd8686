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
} from '../../../protocol/index.js';
import type { Caller, Handler } from '../handler.js';
import type { Account, Attempts, Grant } from '../../store/store.js';
import type { Context } from '../context.js';
import { decoyBlock, decoyIdentifier } from '../decoy.js';
import { ATTEMPT_WAIT_MAX_MS, ATTEMPT_WAIT_MS, FREE_ATTEMPTS, LOGINS_PER_CONNECTION } from '../limits.js';
import { idKey } from '../keys.js';
import { pace } from '../pace.js';

const Factor = { none: 0, grant: 3 } as const;

export const begin: Handler<typeof structs.auth1> = async (context, peer, values, reply, request) => {
  if (++peer.loginsTried > LOGINS_PER_CONNECTION) {
    peer.refuse('logins');
    return;
  }
  peer.become('authenticating');
  const arrived = performance.now();
  const refuse = (code: Code, wait = 0): void => {
    peer.become('open');
    reply.fail(code, wait);
  };
  const limited = await context.budgets.wait('failures', peer.source);
  if (limited > 0) {
    refuse(Code.limited, limited);
    return;
  }
  const prepared = await context.logins.within(peer.source, async () => ({
    answer: await prepare(context, peer.th2, values),
  }));
  await pace(arrived);
  if (!prepared) {
    refuse(Code.limited, 1);
    return;
  }
  const { answer } = prepared;
  if (!answer) {
    refuse(Code.malformed);
    return;
  }
  if (answer.wait > 0) {
    refuse(Code.limited, answer.wait);
    return;
  }
  const { account, s2, block, ke2, passwordState } = answer;
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
  th2: Uint8Array,
  { name, signature, ke1 }: { readonly name: string; readonly signature: Uint8Array; readonly ke1: Uint8Array },
) {
  const { store, sync, work, decoySecret, generations } = context;
  const found = await store.accountByName(name);
  const nobody = generations[0]?.serverModulus ?? new Uint8Array(0);
  const s2 = sync.random(RANDOM);
  const { signed, ...answer } = await work.answerLogin({
    sig: found?.sig ?? nobody,
    message: loginMessage(th2, name, ke1),
    signature,
    ke1,
    s2,
    account: found && { enc: found.enc, identifier: found.uid, record: found.record },
    decoy: { enc: nobody, identifier: decoyIdentifier(sync, decoySecret, name), record: undefined },
  });
  const account = signed ? found : undefined;
  /* The attempt is on the disk before its answer leaves; a decoy waits for the disk too. */
  const wait = await (account ? count(context, account) : countNobody(context));
  const { response } = answer;
  if (!response) return undefined;
  const block = account ? answer.block : decoyBlock(sync, decoySecret, name);
  return { account, wait, s2, block, ke2: response.ke2, passwordState: response.state };
}

/** Counts the attempt durably before KE2 leaves; gives the seconds to wait where there were too many. */
function count({ store, logins, now }: Context, account: Account): Promise<number> {
  return logins.inTurn(idKey(account.uid), async () => {
    const wait = waitFor(await store.attempts(account.uid), now());
    if (wait > 0) return Math.ceil(wait / 1000);
    await store.countAttempt(account.uid, now());
    return 0;
  });
}

/** A decoy waits for the disk as an account does: a record of nothing that anybody sends, gone in four minutes. */
async function countNobody({ store, sync, now }: Context): Promise<number> {
  await store.rememberHello(sync.random(RANDOM), now());
  return 0;
}

function waitFor({ count, last }: Attempts, now: number): number {
  if (count < FREE_ATTEMPTS) return 0;
  const pause = Math.min(ATTEMPT_WAIT_MS * 2 ** Math.min(count - FREE_ATTEMPTS, 20), ATTEMPT_WAIT_MAX_MS);
  return Math.max(0, last + pause - now);
}

export const prove: Handler<typeof structs.auth2> = async (context, peer, values, reply, request) => {
  const { login } = peer;
  if (!login) throw new Error('login: no login is under way');
  const sessionKey = await context.passwords.loginFinish(login.passwordState, values.ke3);
  if (!login.account || !sessionKey) {
    await failed(context, peer, login.account);
    reply.fail(Code.authentication);
    return;
  }
  login.sessionKey = sessionKey;
  login.transcript.add(request.bytes);
  peer.become('words', PASS_WINDOW_MS);
  login.transcript.add(reply.progress(structs.answer, { wait: 0 }, Code.words));
};

async function failed(context: Context, peer: Caller, account: Account | undefined): Promise<void> {
  peer.become('open');
  await context.budgets.take('failures', peer.source);
  context.refusals.count('login failed', peer.source);
  if (account) context.log.debug('login failed', { uid: Buffer.from(account.uid).toString('hex') });
}

export const finish: Handler<typeof structs.pass> = async (context, peer, values, reply, request) => {
  const { store, sync } = context;
  const { login } = peer;
  if (!login?.account || !login.sessionKey) throw new Error('login: the password is not proven');
  const { account, sessionKey } = login;
  if (values.factor !== Factor.none && values.factor !== Factor.grant) {
    peer.become('open');
    reply.fail(Code.malformed); // no account of this daemon has another factor
    return;
  }
  if (!sync.equal(sync.sha256(values.words), account.words)) {
    await failed(context, peer, account);
    reply.fail(Code.authentication);
    return;
  }
  const [{ grant, ends }, waiting] = await Promise.all([
    continueOrOpen(context, account, values.factor === Factor.grant ? values.code : undefined),
    store.queueLength(account.uid),
    store.clearAttempts(account.uid),
  ]);
  if (peer.state !== 'words') return; // it went away meanwhile
  peer.grantHash = sync.sha256(grant);
  login.transcript.add(request.bytes);
  login.transcript.add(reply.finish(structs.passAnswer, { grant, ends }));
  peer.authenticated(login, account, sessionKey, ends, waiting);
  context.log.info('logged in', { uid: Buffer.from(account.uid).toString('hex') });
};

/** The session that the grant stands for goes on to its own end; otherwise a new one begins. */
async function continueOrOpen(
  { store, sync, now }: Context,
  account: Account,
  code: Uint8Array | undefined,
): Promise<{ grant: Uint8Array; ends: number }> {
  if (code?.length === RANDOM) {
    const hash = sync.sha256(code);
    const running = (await store.grants(account.uid)).find((grant: Grant) => samePublic(grant.hash, hash));
    if (running && running.ends > now()) return { grant: code, ends: running.ends };
  }
  const grant = sync.random(RANDOM);
  const ends = now() + SESSION_MS;
  await store.saveGrant(account.uid, { hash: sync.sha256(grant), ends }, now());
  return { grant, ends };
}

export const quit: Handler<typeof structs.quit> = async ({ store }, peer) => {
  if (peer.grantHash) await store.revokeGrant(peer.account.uid, peer.grantHash);
  peer.finish();
};
