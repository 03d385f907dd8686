/** An account's second factor, recovery codes and sessions (SPEC 6.8, 6.9). */
import {
  Code,
  ID,
  RECOVERY_CODE,
  readEmail,
  RECOVERY_CODES,
  samePublic,
  structs,
  TOTP_SECRET,
  utf8,
  type SyncCrypto,
} from '../../../protocol/index.js';
import { SecondFactor, type Account, type Security } from '../../store/store.js';
import { failed } from '../attempts.js';
import type { Context } from '../context.js';
import { detailsOf, withDetails } from '../details.js';
import { recoveryHash, sealSecret, stepOf, withSecurity } from '../factors.js';
import type { Caller, Handler, PendingEnrolment } from '../handler.js';
import { CODE_TRIES } from '../limits.js';
import { sendCode } from '../mailing.js';
import type { Reply } from '../reply.js';
import { endOthers, whileReady } from '../sessions.js';
import { present, proven } from '../proven.js';

/** Codes that somebody may mistype before a factor is begun anew. */

export const beginFactor: Handler<typeof structs.fact1> = async (context, peer, values, reply) => {
  peer.enrolment = undefined;
  const account = await proven(context, peer, values, reply);
  if (!account) return;
  switch (values.kind) {
    case SecondFactor.none:
      if (await change(context, peer, account, { factor: SecondFactor.none, secret: new Uint8Array(0), step: 0 }))
        reply.done();
      else reply.fail(Code.conflict);
      return;
    case SecondFactor.totp: {
      const secret = context.sync.random(TOTP_SECRET);
      peer.enrolment = { kind: SecondFactor.totp, secret, tries: CODE_TRIES };
      reply.progress(structs.fact1Answer, { secret }, Code.proceed);
      return;
    }
    default:
      await beginMail(context, peer, account, readEmail(values.email), reply);
  }
};

async function beginMail(
  context: Context,
  peer: Caller,
  account: Account,
  given: string | undefined,
  reply: Reply,
): Promise<void> {
  if (given === undefined) {
    reply.fail(Code.malformed);
    return;
  }
  const own = detailsOf(context, account).email;
  const email = given === '' ? own : given;
  if (email === '') {
    reply.fail(Code.conflict);
    return;
  }
  const { code, wait } = await sendCode(context, { uid: account.uid, email }, peer.source, email === own);
  if (code !== Code.mailed) {
    reply.fail(code, wait);
    return;
  }
  peer.enrolment = { kind: SecondFactor.mail, email, tries: CODE_TRIES };
  reply.progress(structs.fact1Answer, { secret: new Uint8Array(0) }, code);
}

/** The factor counts from here on: somebody has shown that they can give its codes. */
export const confirmFactor: Handler<typeof structs.fact2> = async (context, peer, { code }, reply) => {
  const { enrolment } = peer;
  if (!enrolment) {
    reply.fail(Code.conflict);
    return;
  }
  const { uid } = peer.account;
  const confirmed = confirmedBy(context, enrolment, uid, code);
  if (!confirmed) {
    if (--enrolment.tries <= 0) peer.enrolment = undefined;
    failed(context, peer, 'code', peer.account);
    reply.fail(Code.authentication);
    return;
  }
  peer.enrolment = undefined;
  const codes = drawCodes(context.sync);
  const recovery = hashes(context, uid, codes);
  const changed = await whileReady(context, peer, async () => {
    /* Sessions that began without it don't stand for it. Before it, so that a crash in between leaves none of them. */
    await endOthers(context, peer);
    return context.store.changeAccount(uid, (account) => withSecurity(confirmed(account), { recovery }));
  });
  if (!changed) {
    reply.fail(Code.conflict);
    return;
  }
  reply.finish(structs.fact2Answer, { codes: codes.map((each) => ({ code: each })) });
};

/** What the code makes of the account; undefined: it is none. */
function confirmedBy(
  context: Context,
  enrolment: PendingEnrolment,
  uid: Uint8Array,
  code: Uint8Array,
): ((account: Account) => Account) | undefined {
  const { kind } = enrolment;
  if (kind === SecondFactor.totp) {
    const step = stepOf(enrolment.secret, code, context.now());
    const secret = sealSecret(context, uid, enrolment.secret);
    return step === undefined ? undefined : (account) => withSecurity(account, { factor: kind, secret, step });
  }
  const { email } = enrolment;
  if (!context.mailCodes.spend({ uid, email }, code)) return undefined;
  const none = { factor: kind, secret: new Uint8Array(0), step: 0 };
  return (account) => withSecurity(withDetails(context, account, { email }), none);
}

/** Ten new ones: those before count no more. */
export const renewCodes: Handler<typeof structs.rcod> = async (context, peer, values, reply) => {
  const account = await proven(context, peer, values, reply);
  if (!account) return;
  const codes = drawCodes(context.sync);
  if (!(await change(context, peer, account, { recovery: hashes(context, account.uid, codes) }))) {
    reply.fail(Code.conflict);
    return;
  }
  reply.give(structs.rcodAnswer, { codes: codes.map((code) => ({ code })) });
};

function drawCodes(sync: SyncCrypto): Uint8Array[] {
  return Array.from({ length: RECOVERY_CODES }, () => sync.random(RECOVERY_CODE));
}

function hashes(context: Context, uid: Uint8Array, codes: readonly Uint8Array[]): Uint8Array[] {
  return codes.map((code) => recoveryHash(context, uid, code));
}

/** undefined: another login has taken the connection over, and nothing was changed. */
function change(context: Context, peer: Caller, { uid }: Account, to: Partial<Security>): Promise<Account | undefined> {
  return whileReady(context, peer, () => context.store.changeAccount(uid, (account) => withSecurity(account, to)));
}

export const show: Handler<typeof structs.acct> = async (context, peer, _values, reply) => {
  const { store, now } = context;
  const account = await present(context, peer);
  const { created, security, uid } = account;
  const told = detailsOf(context, account);
  const grants = (await store.grants(uid)).filter(({ ends }) => ends > now());
  reply.give(structs.acctAnswer, {
    factor: security.factor,
    codes: Math.min(security.recovery.length, RECOVERY_CODES),
    created,
    fullName: utf8(told.fullName),
    email: utf8(told.email),
    current: (peer.grantHash ?? new Uint8Array(ID)).subarray(0, ID),
    sessions: grants.map(({ hash, ends }) => ({ id: hash.subarray(0, ID), ends })),
  });
};

const allOthers = new Uint8Array(ID);

export const revoke: Handler<typeof structs.rvok> = async (context, peer, { session }, reply) => {
  const code = await whileReady(context, peer, () => end(context, peer, session));
  if (code !== Code.done) {
    reply.fail(code ?? Code.conflict);
    return;
  }
  reply.done();
  if (peer.grantHash && samePublic(session, peer.grantHash.subarray(0, ID))) endOwn(context, peer);
};

async function end(context: Context, peer: Caller, session: Uint8Array): Promise<Code> {
  if (samePublic(session, allOthers)) {
    await endOthers(context, peer);
    return Code.done;
  }
  const { store } = context;
  const { uid } = peer.account;
  const found = (await store.grants(uid)).find(({ hash }) => samePublic(hash.subarray(0, ID), session));
  if (!found) return Code.notFound;
  await store.revokeGrant(uid, found.hash);
  return Code.done;
}

/** The connection goes with its session. */
function endOwn({ presence }: Context, peer: Caller): void {
  presence.get(peer.uidKey)?.close(Code.authentication);
}
