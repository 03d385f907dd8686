/** crea, in two steps, or three where an address is told (SPEC 6.2). */
import {
  Code,
  copy,
  HASH,
  ID,
  keyProblem,
  keysMessage,
  Label,
  possession,
  readEmail,
  readFullName,
  structs,
  hex,
} from '../../../protocol/index.js';
import { noSecurity, type Account, type UsedInvitation } from '../../store/store.js';
import { failed, refused, shutOut } from '../attempts.js';
import type { Context } from '../context.js';
import { detailsOf, sealDetails, type Details } from '../details.js';
import type { Caller, Handler, PendingRegistration } from '../handler.js';
import { refuseKeys } from '../key-refusals.js';
import { CODE_TRIES } from '../limits.js';
import { sendCode } from '../mailing.js';
import type { Keys } from '../known-keys.js';
import type { Reply } from '../reply.js';

export const begin: Handler<typeof structs.crea1> = async (context, peer, values, reply) => {
  const { store, sync, work, budgets, knownKeys } = context;
  peer.become('open');
  const wait = await budgets.take('registrations', peer.source);
  if (wait > 0) {
    refused(context, peer, 'too many');
    reply.fail(Code.limited, wait);
    return;
  }
  const { name, opaque } = values;
  const problem = keyProblem(values);
  if (problem) {
    refuseKeys(context, peer, 'registration', { name }, problem, reply);
    return;
  }
  const admitted = await admit(context, peer, values, reply);
  if (!admitted) return;
  if (await store.accountByName(name)) {
    reply.fail(Code.conflict);
    return;
  }
  const { invitation } = admitted;
  const [uid, p] = [sync.random(ID), sync.random(HASH)];
  const keys = { enc: copy(values.enc), sig: copy(values.sig) };
  const registration = { uid, name, ...keys, keys, possession: p, invitation, tries: 0 };
  const known = await knownKeys.refusal(keys, peer);
  if (known) {
    refuseKeys(context, peer, 'registration', { name }, known, reply);
    return;
  }
  const answer = await work.answerRegistration(registration.enc, p, uid, opaque);
  if (!answer) {
    reply.fail(Code.malformed);
    return;
  }
  peer.become('registering');
  peer.registration = registration;
  reply.progress(structs.crea1Answer, { uid, block: answer.block, opaque: answer.response }, Code.proceed);
};

/** Whether this client may register; undefined, and answered, where not. A code that is not needed is not looked at. */
async function admit(
  context: Context,
  peer: Caller,
  { name, invitation: code }: { readonly name: string; readonly invitation: Uint8Array },
  reply: Reply,
): Promise<{ readonly invitation: UsedInvitation | undefined } | undefined> {
  const { registration, invitations, store, now } = context;
  if (registration === 'open') return { invitation: undefined };
  if (registration === 'closed') {
    refused(context, peer, 'registration', { name });
    reply.fail(Code.forbidden);
    return undefined;
  }
  const wait = shutOut(context, peer);
  if (wait > 0) {
    refused(context, peer, 'too many', { name });
    reply.fail(Code.limited, wait);
    return undefined;
  }
  const invitation = invitations.read(code, now());
  if (invitation && !(await store.isUsed(invitation.id))) return { invitation };
  turnAway(context, peer, name, reply);
  return undefined;
}

/** The same for each reason: nobody learns whether a code was one. */
function turnAway(context: Context, peer: Caller, name: string, reply: Reply): void {
  failed(context, peer, 'invitation', { name });
  reply.fail(Code.forbidden);
}

export const prove: Handler<typeof structs.crea2> = async (context, peer, values, reply) => {
  const { sync, work, atRest, mailer, now } = context;
  const pending = peer.registration;
  peer.become('open');
  if (!pending) {
    reply.fail(Code.conflict);
    return;
  }
  const details = readDetails(values);
  if (!details || (details.email !== '' && !mailer)) {
    reply.fail(Code.malformed);
    return;
  }
  const { uid, name, enc, sig } = pending;
  const { record, words } = values;
  const message = keysMessage(peer.th2, name, enc, sig);
  const opened = sync.equal(values.mac, possession(sync, pending.possession, peer.th2, record));
  const signed = await work.verify(Label.keys, sig, message, values.signature);
  if (!opened || !signed) {
    refused(context, peer, 'registration', { name });
    reply.fail(Code.authentication);
    return;
  }
  const security = { ...noSecurity, details: sealDetails(atRest, uid, details) };
  const account = { uid, name, enc, sig, record: copy(record), words: copy(words), created: now(), security };
  if (details.email === '') {
    await create(context, peer, account, pending, reply);
    return;
  }
  const { code, wait } = await sendCode(context, { uid, email: details.email }, peer.source, false);
  if (code !== Code.mailed) {
    reply.fail(code, wait);
    return;
  }
  peer.become('confirming');
  peer.registration = { ...pending, account };
  reply.progress(structs.answer, { wait: 0 }, code);
};

function readDetails(values: { readonly fullName: Uint8Array; readonly email: Uint8Array }): Details | undefined {
  const fullName = readFullName(values.fullName);
  const email = readEmail(values.email);
  return fullName === undefined || email === undefined ? undefined : { fullName, email };
}

export const confirm: Handler<typeof structs.crea3> = async (context, peer, { code }, reply) => {
  const { registration: pending } = peer;
  if (!pending?.account) throw new Error('register: no code is due');
  const { email } = detailsOf(context, pending.account);
  if (!context.mailCodes.spend({ uid: pending.uid, email }, code)) {
    failed(context, peer, 'code', { name: pending.name });
    mistyped(peer, pending);
    reply.fail(Code.authentication);
    return;
  }
  peer.become('open');
  await create(context, peer, { ...pending.account, created: context.now() }, pending, reply);
};

/** So many in all, then the registration is over. */
function mistyped(peer: Caller, pending: PendingRegistration): void {
  if (pending.tries + 1 >= CODE_TRIES) peer.become('open');
  else peer.registration = { ...pending, tries: pending.tries + 1 };
}

async function create(
  context: Context,
  peer: Caller,
  account: Account,
  { keys, invitation }: PendingRegistration,
  reply: Reply,
): Promise<void> {
  const { log, knownKeys, counts } = context;
  const known = await knownKeys.claim(keys);
  if (known) {
    refuseKeys(context, peer, 'registration', { name: account.name }, known, reply);
    return;
  }
  const created = await make(context, account, keys, invitation);
  if (created === 'used') {
    turnAway(context, peer, account.name, reply);
    return;
  }
  if (created !== 'created') {
    reply.fail(created === 'taken' ? Code.conflict : Code.limited);
    return;
  }
  counts.registrations++;
  log.info('registered', { connection: peer.connectionId, uid: hex(account.uid) });
  reply.finish(structs.answer, { wait: 0 });
}

/** Whose account is not made has no keys: they can come again. */
async function make(
  { store, knownKeys }: Context,
  account: Account,
  claimed: Keys,
  invitation: UsedInvitation | undefined,
) {
  let created: Awaited<ReturnType<typeof store.createAccount>> | undefined;
  try {
    return (created = await store.createAccount(account, invitation));
  } finally {
    if (created !== 'created') await knownKeys.release(claimed);
  }
}
