/** Requests to talk, their answers, and key look-ups (SPEC 7.1). */
import {
  Code,
  encodeFields,
  ID,
  Opcode,
  samePublic,
  structs,
  type Acceptance,
  type Request,
} from '../../../protocol/index.js';
import type { Caller, Handler } from '../handler.js';
import type { Account } from '../../store/store.js';
import type { Context } from '../context.js';
import type { Reply } from '../reply.js';
import { overBudget } from './lookups.js';

/** A bundle says who it is from: that has to be the one who sends it. */
function isOwn(account: Account, bundle: Request | Acceptance): boolean {
  return (
    samePublic(bundle.uid, account.uid) &&
    bundle.name === account.name &&
    samePublic(bundle.enc, account.enc) &&
    samePublic(bundle.sig, account.sig)
  );
}

/** One event of a kind from one user waits for another at most: asking again adds nothing. */
const onceWaiting = new Uint8Array(ID);

function tell(context: Context, from: Account, to: Uint8Array, opcode: number, fields: Uint8Array, reply: Reply): void {
  const entry = { id: context.nextId(), opcode, from: from.uid, key: onceWaiting, time: context.now(), fields };
  context.deliver(to, entry, (code) => {
    reply.settled(code);
  });
}

/** In turn with a recovery, which closes what was open before it: of what its former keys asked for nothing comes behind. */
function open(context: Context, peer: Caller, bundle: Request | Acceptance, towards: Uint8Array): Promise<boolean> {
  const { uid } = peer.account;
  return context.logins.inTurn(peer.uidKey, async () => {
    const now = await context.store.accountByUid(uid);
    if (!now || !isOwn(now, bundle)) return false;
    await context.routes.setConsent(uid, towards, 'open');
    return true;
  });
}

export const ask: Handler<typeof structs.jmpu> = async (context, peer, request, reply) => {
  const { store, limits } = context;
  const me = peer.account;
  if (!isOwn(me, request)) {
    reply.fail(Code.forbidden);
    return;
  }
  if (await overBudget(context, peer, reply)) return;
  const target = await store.accountByName(request.to);
  if (!target) {
    reply.fail(Code.notFound);
    return;
  }
  if (samePublic(target.uid, me.uid)) {
    reply.fail(Code.conflict);
    return;
  }
  if (!(await open(context, peer, request, target.uid))) {
    reply.fail(Code.forbidden);
    return;
  }
  if ((await store.consent(target.uid, me.uid)) === 'blocked') {
    reply.done(Code.queued); // who is blocked is not told
    return;
  }
  /* Who nobody accepted takes half of a queue at most: friends always have the other. */
  if ((await store.queueLength(target.uid)) >= limits['queue-entries'] / 2) {
    reply.fail(Code.limited);
    return;
  }
  const fields = encodeFields(structs.rjmp, request);
  tell(context, me, target.uid, Opcode.rjmp, fields, reply);
};

export const accept: Handler<typeof structs.ampu> = async (context, peer, acceptance, reply) => {
  const me = peer.account;
  if (!isOwn(me, acceptance)) {
    reply.fail(Code.forbidden);
    return;
  }
  if (await overBudget(context, peer, reply)) return;
  const asker = await whoAsked(context, me, acceptance.to);
  if (!asker) {
    reply.fail(Code.notFound);
    return;
  }
  if (!(await open(context, peer, acceptance, asker.uid))) {
    reply.fail(Code.forbidden);
    return;
  }
  const fields = encodeFields(structs.ramp, acceptance);
  tell(context, me, asker.uid, Opcode.ramp, fields, reply);
};

/** The account that asked `me`, or undefined: an acceptance nobody asked for reaches nobody. */
async function whoAsked({ store, routes }: Context, me: Account, uid: Uint8Array): Promise<Account | undefined> {
  const asker = await store.accountByUid(uid);
  return asker && (await routes.says(asker.uid, me.uid)) ? asker : undefined;
}

export const decline: Handler<typeof structs.dmpu> = async (context, peer, { to, request }, reply) => {
  const { routes } = context;
  const me = peer.account;
  if (await overBudget(context, peer, reply)) return;
  const asker = await whoAsked(context, me, to);
  if (!asker) {
    reply.fail(Code.notFound);
    return;
  }
  await routes.setConsent(me.uid, asker.uid, 'declined');
  const fields = encodeFields(structs.rdmp, { from: me.uid, name: me.name, request });
  tell(context, me, asker.uid, Opcode.rdmp, fields, reply);
};

export const block: Handler<typeof structs.bloc> = async (context, peer, { uid }, reply) => {
  const { store, routes } = context;
  if (await overBudget(context, peer, reply)) return;
  if (!(await store.accountByUid(uid))) {
    reply.fail(Code.notFound);
    return;
  }
  if (samePublic(uid, peer.account.uid)) {
    reply.fail(Code.conflict);
    return;
  }
  await routes.setConsent(peer.account.uid, uid, 'blocked');
  reply.done();
};

export const keys: Handler<typeof structs.keyq> = async (context, peer, { name }, reply) => {
  if (await overBudget(context, peer, reply)) return;
  const found = await context.store.accountByName(name);
  if (!found) {
    reply.fail(Code.notFound);
    return;
  }
  const { uid, enc, sig } = found;
  reply.give(structs.keyqAnswer, { uid, name, enc, sig });
};
